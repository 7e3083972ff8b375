"""Migrate a ledger that older code wrote: numbered SQL files, each run once, in order, each in one transaction.

The version of a ledger is SQLite's `user_version`: the number of the last file that was run. A released file is never
changed; a further change is a new file.

A new field of a record stored as JSON (a delivery, a report snapshot) has a default and needs no migration: see
`records.py`. A field that is renamed, or changes its meaning, needs one that rewrites every body: see
`0005_names_of_tables_and_columns.sql`.
"""

from __future__ import annotations

import os
import re
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

from flows.store.durable import sync

FOLDER = Path(__file__).parent
_FILE = re.compile(r"(\d{4})_\w+\.sql")


def migrate(db: sqlite3.Connection, path: Path, version: int, moment: datetime) -> None:
    """Bring a ledger from `version` to the newest. A copy of it is kept first, unless it is empty.

    Only for the holder of the writer lock, or for a temporary copy. A migration that fails is rolled back; those before
    it stay done.
    """
    if db.execute("select 1 from sqlite_schema limit 1").fetchone():
        keep_copy(db, path, version, moment)
    for number, sql in migrations().items():
        if number > version:
            _run(db, number, sql)


def migrations() -> dict[int, str]:
    """Every migration by its number, in order."""
    files = {int(match[1]): path for path in FOLDER.iterdir() if (match := _FILE.fullmatch(path.name))}
    return {number: files[number].read_text(encoding="utf-8") for number in sorted(files)}


def keep_copy(db: sqlite3.Connection, path: Path, version: int, moment: datetime) -> Path:
    """Copy a ledger to a file beside it, with the same permissions and what is in its write-ahead log.

    The copy gets its name only when all of it is on disk. Returns its path.
    """
    copy = path.with_name(f"{path.stem}-version-{version}-{moment:%Y%m%dT%H%M%S}{path.suffix}")
    # not `replacement_of(copy)`: without the moment in its name, the next run replaces what a killed one left
    unfinished = path.with_name(f".{path.stem}-copy.unfinished")
    unfinished.unlink(missing_ok=True)
    os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL, mode=0o600))
    with closing(sqlite3.connect(unfinished)) as to:
        db.backup(to)
    unfinished.chmod(path.stat().st_mode & 0o777)
    sync(unfinished)
    unfinished.replace(copy)
    sync(copy.parent)
    return copy


def _run(db: sqlite3.Connection, number: int, sql: str) -> None:
    try:
        # the version in the same transaction: a run that is killed here migrates again from the right file
        db.executescript(f"begin immediate;\n{sql}\npragma user_version = {number};\ncommit;")
    except BaseException:
        if db.in_transaction:
            db.execute("rollback")
        raise
