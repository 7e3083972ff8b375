"""promote: prove that a new build lost and gained no rows, then make it the build that readers open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from flows.deliveries.validated import ValidatedDelivery
from flows.store.warehouse import Build, Warehouse
from flows.store.warehouse.new_build import NewBuild
from schemas._contract.catalogue import datasets, rows_by_delivery

if TYPE_CHECKING:
    import duckdb


class NotConserved(Exception):  # noqa: N818 - the finding itself
    """Rows that were read are not all accounted for, so the build is not promoted."""


def promote(warehouse: Warehouse, new: NewBuild, validated: Sequence[ValidatedDelivery], keep: int) -> Build:
    """Prove a new build, point readers at it, and delete all but the last `keep` builds.

    Raises NotConserved if a row was lost or gained on the way: the current build then stays current.
    """
    # what is proved is the file on disk, which readers will open, and not what a connection has in memory
    with new.read() as db:
        prove(db, validated)
    build = warehouse.promote(new)
    warehouse.keep_last(keep)
    return build


def _keys_shared(db: duckdb.DuckDBPyConnection) -> list[str]:
    """The tables of `core` in which one site has a key on two rows. A join would count such a record twice."""
    shared = []
    for name, contract in datasets().items():
        key = ", ".join(f'"{k}"' for k in contract.key)
        duplicate = db.execute(
            f'select 1 from core."{name}" group by site_code, {key} having count(*) > 1 limit 1'
        ).fetchall()
        shared += [name] if duplicate else []
    return shared


def prove(db: duckdb.DuckDBPyConnection, validated: Sequence[ValidatedDelivery]) -> None:
    """Prove for every delivery that read = accepted + held + repeated + not data, and that `core` has just those rows.

    The second is checked for the deliveries that count. A row that rule T02 reinstated belongs to a delivery that no
    longer counts, and is left out. Raises NotConserved.
    """
    unbalanced = db.execute(
        "select delivery_id from audit.deliveries"
        " where rows_read <> rows_accepted + rows_held + rows_repeated + rows_not_data or rows_accepted < 0"
    ).fetchall()
    if unbalanced:
        raise NotConserved(f"rows are not accounted for in {', '.join(r[0] for r in unbalanced)}")
    if shared := _keys_shared(db):
        raise NotConserved(f"a key is on several rows of {', '.join(shared)}")
    stated = dict(
        db.execute("select delivery_id, rows_accepted from audit.deliveries where standing = 'current'").fetchall()
    )
    in_core = {i: n for _, i, n in db.execute(rows_by_delivery()).fetchall()}
    # counted from the findings: the counts in audit.deliveries are what is to be proved
    held = dict(
        db.execute(
            "select delivery_id, count(distinct source_row) from audit.findings"
            " where severity = 'row' and outcome = 'broken' group by 1"
        ).fetchall()
    )
    for v in validated:
        if not v.counts:
            continue
        delivery_id, rows = v.delivery.delivery_id, v.verdict.rows
        n_loaded, n_held = in_core.get(delivery_id, 0), held.get(delivery_id, 0)
        if n_loaded != stated[delivery_id] or n_loaded + n_held + rows.repeats + rows.not_data != rows.read:
            raise NotConserved(f"{delivery_id}: {rows.read} rows read, {n_loaded} in core, {n_held} held by a finding")
