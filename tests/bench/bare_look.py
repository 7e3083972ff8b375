"""The least that a quiet night must do: look at every raw file, and see that the ledger knows it as it is."""

from __future__ import annotations

import os
import sqlite3
import sys
from pathlib import Path


def look(data: Path) -> int:
    """How many files are not as the ledger knows them, by size, times and inode."""
    with sqlite3.connect(data / "warehouse" / "store" / "ledger.sqlite") as ledger:
        rows = ledger.execute("select path, size, mtime_ns, ctime_ns, inode from files")
        known = {path: stat for path, *stat in rows}
    raw = data / "raw"
    stats = {f"{site.name}/{file.name}": file.stat() for site in os.scandir(raw) for file in os.scandir(site)}
    now = {path: [s.st_size, s.st_mtime_ns, s.st_ctime_ns, s.st_ino] for path, s in stats.items()}
    return sum(now.get(path) != known.get(path) for path in now.keys() | known.keys())


if __name__ == "__main__":
    print(look(Path(sys.argv[1])), "files to read")
