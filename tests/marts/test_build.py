"""A mart is built as its header states, or not at all."""

from __future__ import annotations

import duckdb
import pytest

from flows.steps.build import MartBroken, make_mart
from schemas._contract.catalogue import Mart, MartColumn

COLUMNS = (MartColumn("site", "VARCHAR", True, "The site."), MartColumn("n", "BIGINT", False, "How many."))


def mart(sql: str) -> Mart:
    return Mart("outcomes", "made", "What was made.", "one row per site and number", ("site", "n"), COLUMNS, sql)


@pytest.fixture
def db() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("create schema outcomes")
    return connection


def test_a_mart_is_built_with_its_comments(db: duckdb.DuckDBPyConnection) -> None:
    assert make_mart(db, mart("select * from (values ('a', 1), ('a', 2), ('a', null)) t(site, n)")) == 3
    comments = [c for (c,) in db.execute("select comment from duckdb_columns() where table_name = 'made'").fetchall()]
    assert [c.startswith(column.comment) for c, column in zip(comments, COLUMNS, strict=True)] == [True, True]
    assert "Never empty" in comments[0] and "Never empty" not in comments[1]


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("select * from (values ('a', 1), ('b', 1), ('a', 1)) t(site, n)", "1 rows share their key"),
        ("select * from (values ('a', null::bigint), ('a', null)) t(site, n)", "1 rows share their key"),
        ("select null::varchar as site, 1 as n", "promises a value in every row of site$"),
        ("select 'a' as site, 1 as number", "its header promises"),
    ],
)
def test_a_mart_that_contradicts_its_header_is_not_built(db: duckdb.DuckDBPyConnection, sql: str, message: str) -> None:
    with pytest.raises(MartBroken, match=message):
        make_mart(db, mart(sql))
    assert db.execute("from duckdb_tables()").fetchall() == []
