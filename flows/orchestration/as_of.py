"""Warehouse of the deliveries received by a past moment, validated by today's rules, code lists and corrections.

It differs from what was published then, where a rule has been fixed or a correction agreed since. It is a separate
DuckDB file that only its owner may read; the published warehouse is not touched.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from flows.orchestration.active_run import validated_deliveries
from flows.orchestration.build_steps import run_build, run_cross_check, run_load
from flows.settings import Settings
from flows.steps.confirm.record import read_confirmations
from flows.store.corrections_file import corrections_of
from flows.store.ledger import Ledger
from flows.store.ledger.runs import wrapped_ledger_errors
from flows.store.paths import DataPaths
from flows.store.results import ResultStore


def export_as_of(settings: Settings, moment: datetime, to: Path) -> int:
    """Write the warehouse file `to` from the deliveries received by `moment`. Returns their number.

    Uses the last validation result of each delivery. Raises FileExistsError where `to` exists, NoDataFolder,
    LedgerUnusable, ResultLost, and as `corrections_of` and `read_confirmations`.
    """
    paths = DataPaths(settings.data.absolute())
    paths.require()
    if to.exists():
        raise FileExistsError(17, "it is there already", str(to))
    corrections_of(paths, moment.date())  # raises where the file is unusable: the results rest on it
    confirmations = read_confirmations(paths).by(moment.date())
    results = ResultStore(paths)
    with wrapped_ledger_errors(paths), Ledger.copy_of(paths.ledger) as ledger:
        ledger.require_history(paths)
        withdrawals = ledger.withdrawals(moment)
        keys = ledger.result_keys()
        validated = validated_deliveries(
            ledger.deliveries().values(), keys, results, moment, withdrawals, ledger.holds(moment)
        )
        counted_before = ledger.counted_before(moment)
        runs = [r for r in ledger.runs() if r["as_of"] <= moment.isoformat()]
    with settings.warehouse().export(to) as new:
        run_load(new, validated, runs, results, withdrawals)
        run_cross_check(new, validated, results, counted_before, confirmations)
        run_build(new)
    return len(validated)
