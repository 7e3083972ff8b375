"""Figures from what had been received by a past day, validated as today: by today's rules, code lists and corrections.

They are not what was published then where a rule was fixed or a correction agreed since. It writes a warehouse file
of its own, that its owner alone may read; what readers open stays as it is.
"""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

from flows.orchestration.active_run import validated_deliveries
from flows.settings import Settings
from flows.steps.build import build
from flows.steps.cross_check import cross_check
from flows.steps.load import load
from flows.store.corrections import corrections_of
from flows.store.ledger import Ledger
from flows.store.ledger.runs import ledger_troubles
from flows.store.paths import DataPaths
from flows.store.results import ResultStore
from flows.store.warehouse import discard


def warehouse_as_known(settings: Settings, moment: datetime, to: Path) -> int:
    """Make the warehouse `to` from what was received by `moment`. Gives the number of deliveries known then.

    Raises FileExistsError where `to` is there already, NoDataFolder, LedgerUnusable, JudgementLost, and as
    `corrections_of`: the last validation of each delivery is used, and its corrections are asked for.
    """
    places = DataPaths(settings.data.absolute())
    places.require()
    if to.exists():
        raise FileExistsError(17, "it is there already", str(to))
    corrections_of(places, moment.date())
    judgements, options = ResultStore(places), settings.building_options()
    with ledger_troubles(places), Ledger.copy_of(places.ledger) as ledger:
        ledger.require_history(places)
        withdrawals = ledger.withdrawals(moment)
        keys = ledger.result_keys()
        validated = validated_deliveries(
            ledger.deliveries().values(), keys, judgements, moment, withdrawals, ledger.holds(moment)
        )
        counted_before = ledger.counted_before(moment)
        runs = [r for r in ledger.runs() if r["as_of"] <= moment.isoformat()]
    unfinished = to.with_name(f".unfinished-{to.name}")  # DuckDB calls it by its name: not as what is attached to it
    before = os.umask(0o077)  # rows about people are in it from the first moment
    try:
        loading = settings.loading_options()
        load(unfinished, validated, runs, judgements, loading, if_wide=options, withdrawals=withdrawals)
        cross_check(unfinished, validated, judgements, options, counted_before=counted_before)
        build(unfinished, options)
        unfinished.rename(to)
    finally:
        os.umask(before)
        discard(unfinished)
    return len(validated)
