"""cross_check: rules between rows, tables and deliveries, and the choice of the deliveries that count.

A row that breaks a row rule is removed from `core` and held; every violation is a finding. Rows that their site has
deleted (`deletions`, the first dataset) are removed before any other rule is applied. The rules about deliveries as a
whole (F22, F23) hold no row: their findings have no row number. Datasets are taken in order of dependency, parents
first. So a row whose referral was held is found as an orphan, and a dataset is checked against parents whose deliveries
are already decided.

Besides `core` and `audit`, rules read the schemas named in `schemas/_contract/model.py`: `history` (see `history.py`),
`before`, `sound` and `held` (see `check_deliveries.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa

from flows.deliveries.standings import replacements
from flows.deliveries.validated import ValidatedDelivery
from flows.steps.cross_check.check_deliveries import check_deliveries
from flows.steps.cross_check.check_rows import make_work_tables
from flows.steps.cross_check.comparisons import compare_with_others
from flows.steps.cross_check.deleted_records import (
    list_deleted_episodes,
    list_deletions,
    list_sent_records,
    make_tables_of_deletions,
    take_out_references,
)
from flows.steps.cross_check.exchanged import make_table_of_comparisons
from flows.steps.cross_check.history import load_history, needs_history
from flows.steps.cross_check.remove_deleted import rows_deleted
from flows.steps.cross_check.select_deliveries import record_outcomes, select_deliveries
from flows.steps.cross_check.tentative_standings import CountedBefore, TentativeStandings
from schemas._contract.catalogue import DELETIONS, EPISODES, datasets, rows_by_delivery

if TYPE_CHECKING:
    import duckdb

    from flows.store.results import ResultStore


def cross_check(
    db: duckdb.DuckDBPyConnection,
    validated: Sequence[ValidatedDelivery],
    results: ResultStore,
    counted_before: CountedBefore = (),
) -> list[ValidatedDelivery]:
    """Check `core` by every rule between rows, hold the rows that break one, and decide which deliveries count.

    `validated` is every delivery with the standing under which it was loaded; `counted_before` says which counted in
    earlier builds. The attached database `history_rows` caches rows of earlier deliveries and is brought up to date.
    Returns the deliveries with their final standing. Raises CacheInvalid, or what DuckDB raises, where that database is
    damaged.
    """
    tentative = TentativeStandings(validated, results, counted_before)
    # rules name these as schemas; as databases in memory they leave nothing in the build
    for name in ("history", "before", "sound", "held", "deleted"):
        db.execute(f"attach ':memory:' as {name}")
    make_work_tables(db)
    make_tables_of_deletions(db)
    make_table_of_comparisons(db)
    # the history of every dataset first: rules, and the search for a cause, read that of other datasets too
    for contract in filter(needs_history, datasets().values()):
        load_history(db, contract, tentative.accepted(contract.dataset), results)
    list_sent_records(db, tentative, results)
    for contract in datasets().values():
        if tentative.counting(contract.dataset):
            select_deliveries(db, contract, tentative, results)
        if tentative.counting(contract.dataset):  # not all of them were set aside
            check_deliveries(db, contract, tentative.accepted(contract.dataset), results)
        if contract.dataset == DELETIONS:
            list_deletions(db, tentative, results)
        elif contract.dataset == EPISODES:
            list_deleted_episodes(db, tentative, results)
    take_out_references(db)
    final = tentative.all()
    compare_with_others(db, final)
    # in this order: a repeat copies the counts of its original once rows held here are in them
    _record_held_rows(db, [v for v in final if v.counts])
    _copy_outcomes_to_duplicates(db)
    _record_replacements(db, final)
    return final


def _record_held_rows(db: duckdb.DuckDBPyConnection, counting: Sequence[ValidatedDelivery]) -> None:
    """Update the counts of the deliveries that count: accepted rows that are not in `core` are held by now.

    Source: docs/domain.md 6.0.
    """
    in_core = {delivery_id: n for _, delivery_id, n in db.execute(rows_by_delivery()).fetchall()}
    deleted = rows_deleted(db)

    def final(v: ValidatedDelivery) -> ValidatedDelivery:
        i = v.delivery.delivery_id
        return replace(v, verdict=v.verdict.with_accepted(in_core.get(i, 0), deleted.get(i, 0)))

    record_outcomes(db, [final(v) for v in counting])


def _copy_outcomes_to_duplicates(db: duckdb.DuckDBPyConnection) -> None:
    """Give each delivery that has the same content as another that one's result and counts."""
    db.execute(
        """
        update audit.deliveries d
        set result = o.result, rows_accepted = o.rows_accepted, rows_held = o.rows_held, rows_deleted = o.rows_deleted
        from audit.deliveries o where o.delivery_id = d.same_as and d.standing = 'same'"""
    )


def _record_replacements(db: duckdb.DuckDBPyConnection, validated: Sequence[ValidatedDelivery]) -> None:
    """Record in `audit.deliveries` which delivery has replaced which."""
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
