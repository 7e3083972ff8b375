"""The least that a quiet night must do: look at every raw file, and read what the ledger knows of it."""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path


def look(data: Path) -> int:
    """How many files there are of which the ledger knows another size."""
    with sqlite3.connect(data / "warehouse" / "store" / "ledger.sqlite") as ledger:
        known = {row[0]: row for table in tables(ledger) for row in ledger.execute(f'select * from "{table}"')}
    stats = {p: p.stat() for p in (data / "raw").rglob("*") if p.is_file()}
    return len(stats) - len(known)


def tables(ledger: sqlite3.Connection) -> list[str]:
    """The ledger's tables."""
    return [name for (name,) in ledger.execute("select name from sqlite_master where type = 'table'")]


if __name__ == "__main__":
    look(Path(sys.argv[1]))
