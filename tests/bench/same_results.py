"""Whether the pipeline and the reference made the same of the same file: findings, and every cell of every row.

Accepted and held rows are compared as Parquet, and what was loaded as the table that it became.
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb
import polars as pl

ADDRESS = ["rule_id", "severity", "source_row", "field"]


def differences(data: Path, by_hand: Path) -> list[str]:
    """What is not the same, in words."""
    mine, theirs = _result(data, "findings"), pl.scan_parquet(by_hand / "findings.parquet")
    one, other = (found.group_by(ADDRESS).len("times") for found in (mine, theirs))
    all_of_it = [*ADDRESS, "times"]
    found = pl.concat(
        [a.join(b, all_of_it, "anti", nulls_equal=True) for a, b in ((one, other), (other, one))]
    ).collect()
    differ = [f"findings that only one side has:\n{found}"] if len(found) else []
    differ += [
        f"the {name} rows are not the same"
        for name in ("accepted", "held")
        if _digest(_result(data, name)) != _digest(pl.scan_parquet(by_hand / f"{name}.parquet"))
    ]
    loaded = [_loaded(file) for file in (data / "loaded.duckdb", by_hand / "reference.duckdb")]
    return differ if loaded[0] == loaded[1] else [*differ, "the loaded rows are not the same"]


def _loaded(file: Path) -> tuple[object, ...]:
    """The same of a warehouse's table of contacts: its columns, its rows, how many deliveries brought them.

    The reference knows no more of a delivery than the name of its file.
    """
    with duckdb.connect(str(file), read_only=True, config={"memory_limit": "512MB"}) as db:
        columns = db.execute(
            "select column_name, data_type, is_nullable from information_schema.columns"
            " where (table_schema, table_name) = ('core', 'contacts') order by all"
        ).fetchall()
        of_the_row = ", ".join(f'"{name}"' for name, *_ in columns if name != "delivery_id")
        rows = db.execute(
            f"select count(*), sum(hash({of_the_row})::hugeint), count(distinct delivery_id) from core.contacts"
        ).fetchall()
    return *columns, *rows


def _result(data: Path, name: str) -> pl.LazyFrame:
    return pl.scan_parquet(sorted(data.glob(f"warehouse/**/{name}.parquet")))


def _digest(rows: pl.LazyFrame) -> tuple[int, int]:
    """How many rows there are, and a sum over all their cells that does not depend on their order."""
    columns = sorted(rows.collect_schema().names())
    whole = pl.struct(columns).hash().sum()
    return rows.select(pl.len(), whole).collect(engine="streaming").row(0)


if __name__ == "__main__":
    if different := differences(Path(sys.argv[1]), Path(sys.argv[2])):
        sys.exit("\n".join(different))
