"""The reference: hand-written DuckDB SQL that does the same work as receive, read, conform, judge and load together.

It leaves the same durable outputs: the file's fingerprint, accepted, held and findings as Parquet, and the loaded
table. It knows one dataset and nothing else, so it is the limit that the pipeline is measured against, and in the
tests an independent second opinion on every finding.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import duckdb

SQL = Path(__file__).with_name("reference.sql")
CUT_OFF = "2016-11-30"


def judge_by_hand(file: Path, folder: Path, memory_limit: str = "700MB") -> str:
    """Judge one contacts file into `folder`. Gives the file's SHA-256."""
    with file.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    with duckdb.connect(str(folder / "reference.duckdb"), config={"threads": 2, "memory_limit": memory_limit}) as db:
        db.execute("set variable file = ?", [str(file)])
        db.execute("set variable cut = ?", [CUT_OFF])
        db.execute(SQL.read_text(encoding="utf-8"))
        for name, query in {
            "accepted": "from core_contacts",
            "held": "from judged where source_row in (from at_fault)",
            "findings": "from findings order by source_row, field, rule_id",
        }.items():
            db.execute(f"copy ({query}) to '{folder / name}.parquet' (format parquet, compression zstd)")
        for name in ("sent", "judged", "shared", "repeats", "at_fault"):
            db.execute(f"drop table {name}")
        db.execute("checkpoint")
    return digest


if __name__ == "__main__":
    judge_by_hand(Path(sys.argv[1]), Path(sys.argv[2]))
