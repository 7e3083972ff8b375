"""The reference: hand-written DuckDB SQL that does the work of receive, read, conform, validate and load for contacts.

It writes the same outputs: the file's digest, accepted rows, held rows and findings as Parquet, and the loaded table
with the source of each row. It knows one dataset and does not look for personal data. So it is the bound that the
pipeline is measured against, and in tests an independent check of every finding.
"""

from __future__ import annotations

import hashlib
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb

SQL = Path(__file__).with_name("reference.sql")
CUT_OFF = "2016-11-30"
RESULTS = {"accepted": "from accepted", "held": "from held_rows", "findings": "from audit.findings"}
READ_AT_ONCE = 1 << 20  # bytes


def validate_by_hand(file: Path, folder: Path, memory_limit: str = "600MB") -> str:
    """Validate a contacts file, and write the results into `folder`. Returns the file's SHA-256.

    Raises ValueError where a row takes several lines, because the reference derives line numbers from row numbers.
    """
    settings = {
        "threads": 2,
        "memory_limit": memory_limit,
        "temp_directory": str(folder / "spilled"),
    }
    with (
        ThreadPoolExecutor(1) as executor,
        duckdb.connect(str(folder / "reference.duckdb"), config=settings) as db,
    ):
        reading = executor.submit(digest_and_lines, file)
        db.execute("set variable file = ?", [str(file)])
        db.execute("set variable cut = ?", [CUT_OFF])
        db.execute(SQL.read_text(encoding="utf-8"))
        for name, query in RESULTS.items():
            db.execute(f"copy ({query}) to '{folder / name}.parquet' (format parquet, compression zstd)")
            with (folder / f"{name}.parquet").open("rb") as written:
                os.fsync(written.fileno())  # as the pipeline does: its results must survive a power cut
        rows = db.execute("select (select count(*) from sent) + (select count(*) from malformed)").fetchall()[0][0]
        db.execute("checkpoint")
        digest, lines = reading.result()
    if lines != rows + 1:
        raise ValueError("a cell holds a line break, or the last line no end: the reference takes rows for lines")
    return digest


def digest_and_lines(file: Path) -> tuple[str, int]:
    """SHA-256 of a file, and its number of lines."""
    digest, lines = hashlib.sha256(), 0
    with file.open("rb") as opened:
        while part := opened.read(READ_AT_ONCE):
            digest.update(part)
            lines += part.count(b"\n")
    return digest.hexdigest(), lines


if __name__ == "__main__":
    validate_by_hand(Path(sys.argv[1]), Path(sys.argv[2]))
