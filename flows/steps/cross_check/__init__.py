"""cross_check: rules between rows, tables and deliveries, and which deliveries count once these have been asked.

What breaks a row rule leaves `core`; everything is a finding. A rule about deliveries as a whole (F22, F23) holds
nothing: it gives a finding without a row. Datasets are taken in the order in which they need each other, so a row that
loses its referral is found as an orphan, and a delivery is set aside before others are validated against it.

Besides `core` and `audit`, rules read what `schemas/_contract/model.py` names: `history` (see `history.py`), `before`,
`sound` and `held` (see `deliveries.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from flows.deliveries.standings import replacements
from flows.deliveries.validated import ValidatedDelivery
from flows.steps.cross_check.compared_with_others import compare_with_others
from flows.steps.cross_check.deliveries import check_deliveries
from flows.steps.cross_check.history import load_history, needs_history
from flows.steps.cross_check.rows import make_work_tables
from flows.steps.cross_check.settle import settle
from flows.steps.cross_check.tentative_standings import CountedBefore, TentativeStandings
from schemas._contract.catalogue import datasets, rows_by_delivery

if TYPE_CHECKING:
    import duckdb

    from flows.store.results import ResultStore


def cross_check(
    db: duckdb.DuckDBPyConnection,
    validated: Sequence[ValidatedDelivery],
    results: ResultStore,
    counted_before: CountedBefore = (),
) -> list[ValidatedDelivery]:
    """Check `core` by every rule between rows, hold what breaks one, and decide which deliveries count.

    `validated` is every delivery with the standing by which it was loaded, `counted_before` which counted in earlier
    builds. The rows of earlier deliveries are in the attached database `sent`, which is brought up to date. Gives the
    deliveries with their final standing. Raises CacheInvalid, or what DuckDB raises, where `sent` is not sound.
    """
    decided = TentativeStandings(validated, results, counted_before)
    for name in ("history", "before", "sound", "held"):
        db.execute(f"attach ':memory:' as {name}")
    make_work_tables(db)
    for contract in filter(needs_history, datasets().values()):
        load_history(db, contract, decided.accepted(contract.dataset), results)
    for contract in datasets().values():
        settle(db, contract, decided, results)
        if decided.counting(contract.dataset):
            check_deliveries(db, contract, decided.accepted(contract.dataset), results)
    compare_with_others(db, decided.all())
    _settle_counts(db)
    _settle_copies(db)
    _note_replacements(db, decided.all())
    return decided.all()


def _note_replacements(db: duckdb.DuckDBPyConnection, validated: Sequence[ValidatedDelivery]) -> None:
    """Say in audit.deliveries which delivery has taken the place of another."""
    replaced = replacements(validated)
    pairs = pa.table(
        {
            "delivery_id": pa.array(replaced, pa.string()),
            "replaced_by": pa.array([d.delivery_id for d in replaced.values()], pa.string()),
        }
    )
    db.register("pairs", pairs)
    db.execute(
        "update audit.deliveries d set replaced_by = p.replaced_by from pairs p where p.delivery_id = d.delivery_id"
    )
    db.unregister("pairs")


def _settle_counts(db: duckdb.DuckDBPyConnection) -> None:
    """Bring each counting delivery's numbers up to date: rows held here count as held (docs/domain.md 6.0)."""
    db.execute(f"create temp table in_core as {rows_by_delivery()}")
    db.execute(
        """
        update audit.deliveries d
        set rows_held = d.rows_held + d.rows_accepted - coalesce(i.n, 0), rows_accepted = coalesce(i.n, 0),
            result = case when d.rows_held + d.rows_accepted - coalesce(i.n, 0) > 0 and d.result = 'accepted'
                then 'accepted_with_held_rows' else d.result end
        from (select delivery_id, (select n from in_core where in_core.delivery_id = a.delivery_id) as n
              from audit.deliveries a where standing = 'current') i
        where i.delivery_id = d.delivery_id"""
    )


def _settle_copies(db: duckdb.DuckDBPyConnection) -> None:
    """Let each delivery that is the same as another say of its rows what became of that one's: it stands for them."""
    db.execute(
        """
        update audit.deliveries d
        set result = o.result, rows_accepted = o.rows_accepted, rows_held = o.rows_held
        from audit.deliveries o where o.delivery_id = d.same_as and d.standing = 'same'"""
    )
