"""build: create the marts, one SQL file each, in dependency order, and check each against the contract in its header.

What a figure means is in the SQL files alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows.store.warehouse.connection import ConstraintBroken, wrapped_constraint_errors
from schemas._contract.catalogue import MACROS, Mart, marts
from schemas._contract.derive import ddl_batch, quoted
from schemas._contract.meanings import meaning_in_mart

if TYPE_CHECKING:
    import duckdb


class MartBroken(Exception):  # noqa: N818 - a mart that breaks its own contract
    """A mart whose SQL does not return what its header declares."""


def build(db: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Create every mart from `core` and `audit`. Returns the number of rows by table. Raises MartBroken."""
    db.execute(MACROS.read_text(encoding="utf-8"))
    return {mart.address: make_mart(db, mart) for mart in marts()}


def make_mart(db: duckdb.DuckDBPyConnection, mart: Mart) -> int:
    """Create one mart, and check its columns, types, not-null columns and unique key. Returns the number of rows.

    All in one transaction: a commit for each comment would take longer than a small mart.
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
    returned = [c[0] for c in db.execute(f"describe {mart.sql}").fetchall()]
    declared = [c.name for c in mart.columns]
    if returned != declared:
        raise MartBroken(f"{mart.address} gives {returned}, its header promises {declared}")
    # the table is created first and filled second, so that DuckDB itself holds the rows to the declared types
    definitions = ", ".join(f'"{c.name}" {c.type}{" not null" if c.required else ""}' for c in mart.columns)
    db.execute(f"create table {mart.address} ({definitions})")
    try:
        with wrapped_constraint_errors():
            db.execute(f"insert into {mart.address} {mart.sql}")
    except ConstraintBroken:  # NOT NULL is the only constraint that the table has
        required = ", ".join(c.name for c in mart.columns if c.required)
        raise MartBroken(f"{mart.address}: its header promises a value in every row of {required}") from None
    key = ", ".join(f'"{k}"' for k in mart.key)
    # as many distinct hashes as rows prove as many distinct keys, and DuckDB counts numbers faster than texts
    rows, hashes = _counts(db, f"select count(*), count(distinct hash({key})) from {mart.address}")
    if rows != hashes:  # two keys may share a hash, so count the keys themselves
        _, keys = _counts(db, f"select 0, count(*) from (select distinct {key} from {mart.address})")
        if rows != keys:
            raise MartBroken(f"{mart.address}: {rows - keys} rows share their key ({key}) with another")
    column_comments = (
        f'comment on column {mart.address}."{c.name}" is {quoted(meaning_in_mart(mart, c).comment)}'
        for c in mart.columns
    )
    table_comment = f"comment on table {mart.address} is {quoted(f'{mart.comment} Grain: {mart.grain}')}"
    db.execute(ddl_batch([table_comment, *column_comments]))
    return rows


def _counts(db: duckdb.DuckDBPyConnection, sql: str) -> tuple[int, int]:
    one, other = db.execute(sql).fetchall()[0]
    return int(one), int(other)
