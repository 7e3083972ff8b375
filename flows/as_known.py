"""Figures as they were known on a past day: the deliveries received by then, judged by today's contracts.

It writes a warehouse file of its own; what readers open stays as it is.
"""

from __future__ import annotations

from contextlib import closing
from datetime import datetime
from pathlib import Path

from flows.settings import Settings
from flows.steps.build import build
from flows.steps.load import load
from flows.steps.relate import relate
from flows.store.judgements import Judgements
from flows.store.ledger import Ledger
from flows.store.places import Places
from flows.work import judged_by


def warehouse_as_known(settings: Settings, moment: datetime, to: Path) -> int:
    """Make the warehouse `to` from what was received by `moment`. Gives the number of deliveries known then.

    Raises FileExistsError where `to` is there already, NoDataFolder, JudgementLost.
    """
    places = Places(settings.data.absolute())
    places.require()
    if to.exists():
        raise FileExistsError(17, "it is there already", str(to))
    judgements, options = Judgements(places), settings.building_options()
    with closing(Ledger(places.ledger)) as ledger:
        judged = judged_by(ledger.deliveries().values(), ledger.judgement_keys(), judgements, moment)
        runs = [r for r in ledger.runs() if r["as_of"] <= moment.isoformat()]
    load(to, judged, runs, judgements, settings.loading_options(), if_wide=options)
    relate(to, judged, judgements, options)
    build(to, options)
    return len(judged)
