"""Convert a CSV file to a Parquet file of text columns."""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb


def as_parquet(source: Path, target: Path) -> None:
    """Write the rows of a CSV file to a Parquet file, without those of malformed lines, which Parquet cannot hold."""
    rows = duckdb.read_csv(str(source), all_varchar=True, header=True, sep=",", ignore_errors=True)
    rows.write_parquet(str(target), compression="zstd")


if __name__ == "__main__":
    as_parquet(Path(sys.argv[1]), Path(sys.argv[2]))
