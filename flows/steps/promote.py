"""promote: conservation is proved, then readers are pointed at the new build. What is not proved is not promoted."""

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
    """Rows that were read are not all accounted for: the build is not promoted."""


def promote(warehouse: Warehouse, new: NewBuild, validated: Sequence[ValidatedDelivery], keep: int) -> Build:
    """Prove a new build as it lies on the disk, and make it the one that readers open. Keeps the last `keep` builds.

    Raises NotConserved (and leaves the current build as it was) if a row was lost or gained on the way.
    """
    new.finish()
    with new.read() as db:
        prove(db, validated)
    build = warehouse.promote(new)
    warehouse.keep_last(keep)
    return build


def _keys_shared(db: duckdb.DuckDBPyConnection) -> list[str]:
    """The tables of `core` in which a site has two rows of one key: a join would count such a record twice."""
    shared = []
    for name, contract in datasets().items():
        key = ", ".join(f'"{k}"' for k in contract.key)
        found = db.execute(
            f'select 1 from core."{name}" group by site_code, {key} having count(*) > 1 limit 1'
        ).fetchall()
        shared += [name] if found else []
    return shared


def prove(db: duckdb.DuckDBPyConnection, validated: Sequence[ValidatedDelivery]) -> None:
    """Prove, for every delivery, read = accepted + held + repeats + not data, and that `core` has just those rows.

    A row put back by rule T02 belongs to a delivery that no longer counts, and is not one of the current ones.
    """
    wrong = db.execute(
        "select delivery_id from audit.deliveries"
        " where rows_read <> rows_accepted + rows_held + rows_repeated + rows_not_data or rows_accepted < 0"
    ).fetchall()
    if wrong:
        raise NotConserved(f"rows are not accounted for in {', '.join(r[0] for r in wrong)}")
    if shared := _keys_shared(db):
        raise NotConserved(f"a key is on several rows of {', '.join(shared)}")
    stated = dict(
        db.execute("select delivery_id, rows_accepted from audit.deliveries where standing = 'current'").fetchall()
    )
    in_core = {i: n for _, i, n in db.execute(rows_by_delivery()).fetchall()}
    held = dict(
        db.execute(
            "select delivery_id, count(distinct source_row) from audit.findings"
            " where severity = 'row' and outcome = 'broken' group by 1"
        ).fetchall()
    )
    for v in validated:
        if not v.counts:
            continue
        key, rows = v.delivery.delivery_id, v.verdict.rows
        loaded, gone = in_core.get(key, 0), held.get(key, 0)
        if loaded != stated[key] or loaded + gone + rows.repeats + rows.not_data != rows.read:
            raise NotConserved(f"{key}: {rows.read} rows read, {loaded} in core, {gone} held by a finding")
