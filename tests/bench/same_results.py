"""Check that the pipeline and the reference give the same results for a file: findings, and every cell of every row.

Accepted and held rows are compared as Parquet, loaded rows as tables of DuckDB.
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb
import polars as pl

ADDRESS = ["rule_id", "severity", "source_row", "field"]


def differences(data: Path, by_hand: Path) -> list[str]:
    """Sentences on what differs; none where the results are the same."""
    mine, theirs = _result(data, "findings"), pl.scan_parquet(by_hand / "findings.parquet")
    one, other = (findings.group_by(ADDRESS).len("times") for findings in (mine, theirs))
    columns = [*ADDRESS, "times"]
    on_one_side = pl.concat(
        [a.join(b, columns, "anti", nulls_equal=True) for a, b in ((one, other), (other, one))]
    ).collect()
    differ = [f"findings that only one side has:\n{on_one_side}"] if len(on_one_side) else []
    differ += [
        f"the {name} rows are not the same"
        for name in ("accepted", "held")
        if _digest(_result(data, name)) != _digest(pl.scan_parquet(by_hand / f"{name}.parquet"))
    ]
    loaded = [_loaded(file) for file in (data / "loaded.duckdb", by_hand / "reference.duckdb")]
    return differ if loaded[0] == loaded[1] else [*differ, "the loaded rows are not the same"]


def _loaded(file: Path) -> tuple[object, ...]:
    """Columns, row count, hash of all rows and number of deliveries of a warehouse's table of contacts.

    The ids of deliveries are not compared: the reference has only the name of the file.
    """
    with duckdb.connect(str(file), read_only=True, config={"memory_limit": "512MB"}) as db:
        columns = db.execute(
            "select column_name, data_type, is_nullable from information_schema.columns"
            " where (table_schema, table_name) = ('core', 'contacts') order by all"
        ).fetchall()
        compared = ", ".join(f'"{name}"' for name, *_ in columns if name != "delivery_id")
        rows = db.execute(
            f"select count(*), sum(hash({compared})::hugeint), count(distinct delivery_id) from core.contacts"
        ).fetchall()
    return *columns, *rows


def _result(data: Path, name: str) -> pl.LazyFrame:
    return pl.scan_parquet(sorted(data.glob(f"warehouse/**/{name}.parquet")))


def _digest(rows: pl.LazyFrame) -> tuple[int, int]:
    """Number of rows, and a sum of row hashes, which does not depend on their order."""
    columns = sorted(rows.collect_schema().names())
    whole = pl.struct(columns).hash().sum()
    return rows.select(pl.len(), whole).collect(engine="streaming").row(0)


if __name__ == "__main__":
    if differ := differences(Path(sys.argv[1]), Path(sys.argv[2])):
        sys.exit("\n".join(differ))
