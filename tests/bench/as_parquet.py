"""A CSV file as a Parquet file of texts."""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb


def as_parquet(source: Path, target: Path) -> None:
    """Write the rows of a CSV file, those of torn lines left out, into a Parquet file."""
    rows = duckdb.read_csv(str(source), all_varchar=True, header=True, sep=",", ignore_errors=True)
    rows.write_parquet(str(target), compression="zstd")


if __name__ == "__main__":
    as_parquet(Path(sys.argv[1]), Path(sys.argv[2]))
