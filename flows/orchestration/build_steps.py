"""The steps that fill a new build, each with its own connection.

DuckDB frees a step's memory when its connection closes, and the next step reads what is on disk.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flows.deliveries.validated import ValidatedDelivery
from flows.steps.build import build
from flows.steps.confirm import confirm
from flows.steps.confirm.record import NO_CONFIRMATIONS, Confirmations
from flows.steps.cross_check import cross_check
from flows.steps.cross_check.tentative_standings import CountedBefore
from flows.steps.load import load
from flows.store.results import ResultStore
from flows.store.warehouse.new_build import NewBuild
from schemas.audit.withdrawals import Withdrawal


def run_load(
    new: NewBuild,
    validated: Sequence[ValidatedDelivery],
    runs: Sequence[dict[str, Any]],
    results: ResultStore,
    withdrawals: Sequence[Withdrawal] = (),
) -> dict[str, int]:
    """Load the rows and findings of the deliveries into a new build.

    Returns the number of rows per dataset. Raises as `NewBuild.fill`.
    """
    return new.fill(lambda db: load(db, validated, runs, results, withdrawals))


def run_cross_check(
    new: NewBuild,
    validated: Sequence[ValidatedDelivery],
    results: ResultStore,
    counted_before: CountedBefore = (),
    confirmations: Confirmations = NO_CONFIRMATIONS,
) -> list[ValidatedDelivery]:
    """Apply every rule between rows, tables and deliveries to a loaded build, then mark what sites have confirmed.

    Returns the deliveries with their final standing.
    """
    with new.open_with_history() as db:
        final = cross_check(db, validated, results, counted_before)
        confirm(db, final, results, confirmations)
        return final


def run_build(new: NewBuild) -> dict[str, int]:
    """Build every mart, and leave no write-ahead log. Returns the number of rows per mart. Raises MartBroken."""
    with new.open() as db:
        rows = build(db)
        db.execute("checkpoint")  # closing the connection checkpoints too, but hides a failure
        return rows
