"""publish: conservation is proved, then readers are pointed at the new file. What is not proved is not published."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from flows.deliveries.validated import ValidatedDelivery
from flows.store.paths import DataPaths
from flows.store.warehouse import keep_last, promote_build
from schemas._contract.catalogue import datasets, rows_by_delivery


class NotConserved(Exception):  # noqa: N818 - the finding itself
    """Rows that were read are not all accounted for: the build is not published."""


def promote(  # parameters: a step is given all that it works with
    places: DataPaths,
    build: Path,
    name: str,
    validated: Sequence[ValidatedDelivery],
    keep: int,
    reading_group: str = "",
    options: dict[str, Any] | None = None,
) -> Path:
    """Prove the build and make it the one that readers open. Gives its path.

    Raises NotConserved (and leaves the published build as it was) if a row was lost or gained on the way.
    """
    with duckdb.connect(str(build), config=options or {}) as db:
        db.execute("checkpoint")
    with duckdb.connect(str(build), read_only=True, config=options or {}) as db:
        prove(db, validated)
    if reading_group:
        shutil.chown(build, group=reading_group)
        shutil.chown(places.builds, group=reading_group)
    finished = promote_build(places, build, name, 0o640 if reading_group else 0o600)
    keep_last(places, keep)
    return finished


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
    for j in validated:
        if not j.counts:
            continue
        key, rows = j.delivery.delivery_id, j.verdict.rows
        loaded, gone = in_core.get(key, 0), held.get(key, 0)
        if loaded != stated[key] or loaded + gone + rows.repeats + rows.not_data != rows.read:
            raise NotConserved(f"{key}: {rows.read} rows read, {loaded} in core, {gone} held by a finding")
