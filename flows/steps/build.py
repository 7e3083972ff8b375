"""build: the marts, one SQL file each, in dependency order, each checked against the contract in its header.

It holds no logic of its own: what a figure means stands in the SQL.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows.store.warehouse.connection import ConstraintBroken, wrapped_constraint_errors
from schemas._contract.catalogue import MACROS, Mart, marts
from schemas._contract.derive import ddl_batch, quoted

if TYPE_CHECKING:
    import duckdb


class MartBroken(Exception):  # noqa: N818 - a mart that breaks its own contract
    """A mart whose SQL does not give what its header promises."""


def build(db: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Make every mart from `core` and `audit`. Gives the number of rows of each. Raises MartBroken."""
    db.execute(MACROS.read_text(encoding="utf-8"))
    return {mart.address: make_mart(db, mart) for mart in marts()}


def make_mart(db: duckdb.DuckDBPyConnection, mart: Mart) -> int:
    """Make one mart: columns, types and not-null as its header says; its key unique; its comments written.

    It is one transaction: a commit for each comment would cost more than a small mart. Gives the number of rows.
    """
    db.begin()
    try:
        rows = _make(db, mart)
    except BaseException:
        db.rollback()
        raise
    db.commit()
    return rows


def _make(db: duckdb.DuckDBPyConnection, mart: Mart) -> int:
    given = [c[0] for c in db.execute(f"describe {mart.sql}").fetchall()]
    promised = [c.name for c in mart.columns]
    if given != promised:
        raise MartBroken(f"{mart.address} gives {given}, its header promises {promised}")
    stated = ", ".join(f'"{c.name}" {c.type}{" not null" if c.required else ""}' for c in mart.columns)
    db.execute(f"create table {mart.address} ({stated})")
    try:
        with wrapped_constraint_errors():
            db.execute(f"insert into {mart.address} {mart.sql}")
    except ConstraintBroken:  # NOT NULL is all that the table asks
        filled = ", ".join(c.name for c in mart.columns if c.required)
        raise MartBroken(f"{mart.address}: its header promises a value in every row of {filled}") from None
    key = ", ".join(f'"{k}"' for k in mart.key)
    # as many different hashes as rows prove as many keys, and numbers are counted faster than texts
    rows, hashes = _counts(db, f"select count(*), count(distinct hash({key})) from {mart.address}")
    if rows != hashes:
        _, keys = _counts(db, f"select 0, count(*) from (select distinct {key} from {mart.address})")
        if rows != keys:
            raise MartBroken(f"{mart.address}: {rows - keys} rows share their key ({key}) with another")
    of_columns = (f'comment on column {mart.address}."{c.name}" is {quoted(c.comment)}' for c in mart.columns)
    of_table = f"comment on table {mart.address} is {quoted(f'{mart.comment} Grain: {mart.grain}')}"
    db.execute(ddl_batch([of_table, *of_columns]))
    return rows


def _counts(db: duckdb.DuckDBPyConnection, sql: str) -> tuple[int, int]:
    one, other = db.execute(sql).fetchall()[0]
    return int(one), int(other)
