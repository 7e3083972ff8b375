"""Figures from what had been received by a past day, validated as today: by today's rules, code lists and corrections.

They are not what was published then where a rule was fixed or a correction agreed since. It writes a warehouse file
of its own, that its owner alone may read; what readers open stays as it is.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from flows.orchestration.active_run import validated_deliveries
from flows.orchestration.build_steps import cross_check_build, load_build, make_marts
from flows.settings import Settings
from flows.store.corrections import corrections_of
from flows.store.ledger import Ledger
from flows.store.ledger.runs import ledger_troubles
from flows.store.paths import DataPaths
from flows.store.results import ResultStore


def warehouse_as_known(settings: Settings, moment: datetime, to: Path) -> int:
    """Make the warehouse `to` from what was received by `moment`. Gives the number of deliveries known then.

    Raises FileExistsError where `to` is there already, NoDataFolder, LedgerUnusable, ResultLost, and as
    `corrections_of`: the last validation of each delivery is used, and its corrections are asked for.
    """
    places = DataPaths(settings.data.absolute())
    places.require()
    if to.exists():
        raise FileExistsError(17, "it is there already", str(to))
    corrections_of(places, moment.date())
    judgements = ResultStore(places)
    with ledger_troubles(places), Ledger.copy_of(places.ledger) as ledger:
        ledger.require_history(places)
        withdrawals = ledger.withdrawals(moment)
        keys = ledger.result_keys()
        validated = validated_deliveries(
            ledger.deliveries().values(), keys, judgements, moment, withdrawals, ledger.holds(moment)
        )
        counted_before = ledger.counted_before(moment)
        runs = [r for r in ledger.runs() if r["as_of"] <= moment.isoformat()]
    with settings.warehouse().export(to) as new:
        load_build(new, validated, runs, judgements, withdrawals)
        cross_check_build(new, validated, judgements, counted_before)
        make_marts(new)
    return len(validated)
