"""Whether the pipeline and the reference made the same of the same file: findings, and every accepted and held cell."""

from __future__ import annotations

import sys
from pathlib import Path

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
    return differ + [
        f"the {name} rows are not the same"
        for name in ("accepted", "held")
        if _digest(_result(data, name)) != _digest(pl.scan_parquet(by_hand / f"{name}.parquet"))
    ]


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
