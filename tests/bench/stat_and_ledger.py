"""Lower bound for a run with nothing to do: stat every raw file, and compare with the ledger."""

from __future__ import annotations

import os
import sqlite3
import sys
from pathlib import Path


def changed_files(data: Path) -> int:
    """Number of files whose size, times or inode differ from those in the ledger."""
    with sqlite3.connect(data / "warehouse" / "store" / "ledger.sqlite") as ledger:
        rows = ledger.execute("select path, size, mtime_ns, ctime_ns, inode from files")
        recorded = {path: stat for path, *stat in rows}
    raw = data / "raw"
    stats = {f"{site.name}/{file.name}": file.stat() for site in os.scandir(raw) for file in os.scandir(site)}
    current = {path: [s.st_size, s.st_mtime_ns, s.st_ctime_ns, s.st_ino] for path, s in stats.items()}
    return sum(current.get(path) != recorded.get(path) for path in current.keys() | recorded.keys())


if __name__ == "__main__":
    print(changed_files(Path(sys.argv[1])), "files to read")
