"""Whether the pipeline and the reference found the same in the same file: rule, severity, row and field."""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl

ADDRESS = ["rule_id", "severity", "source_row", "field"]


def differences(data: Path, by_hand: Path) -> pl.DataFrame:
    """Findings that only one side has."""
    ours = pl.concat([pl.read_parquet(p) for p in data.glob("warehouse/**/findings.parquet")]).select(ADDRESS)
    theirs = pl.read_parquet(by_hand / "findings.parquet").select(ADDRESS)
    told = {"on": ADDRESS, "how": "anti", "nulls_equal": True}
    return pl.concat([ours.join(theirs, **told), theirs.join(ours, **told)])  # type: ignore[arg-type]


if __name__ == "__main__":
    different = differences(Path(sys.argv[1]), Path(sys.argv[2]))
    if len(different):
        sys.exit(f"the two sides do not find the same:\n{different}")
