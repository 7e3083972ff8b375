"""Migrate a ledger that older code wrote: numbered SQL files, each run once, in order, in one transaction of its own.

The version of a ledger is SQLite's `user_version`: the number of the last file that was run. A file that is published
is never changed; what comes next is a new one.

A new field of a record that is kept as JSON (a delivery, what a report told) has a default, and needs no file: see
`records.py`. A field that is renamed, or means something else, needs one that rewrites every body, such as

    update deliveries set body = json_remove(json_set(body, '$.new', body -> '$.old'), '$.old');
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
    """Bring a ledger from a version to the newest. One that holds anything is copied first.

    Only for the holder of the writer lock, or for a copy of one's own. A migration that fails leaves the ledger as the
    one before it did.
    """
    if db.execute("select 1 from sqlite_schema limit 1").fetchone():
        keep_copy(db, path, version, moment)
    for number, sql in migrations().items():
        if number > version:
            _run(db, number, sql)


def migrations() -> dict[int, str]:
    """Every migration by its number, in order."""
    files = {int(found[1]): path for path in FOLDER.iterdir() if (found := _FILE.fullmatch(path.name))}
    return {number: files[number].read_text(encoding="utf-8") for number in sorted(files)}


def keep_copy(db: sqlite3.Connection, path: Path, version: int, moment: datetime) -> Path:
    """Copy a ledger beside itself, with what is in its write-ahead log, for whoever may read it. Gives the copy.

    It has its name only when all of it is on disk.
    """
    copy = path.with_name(f"{path.stem}-version-{version}-{moment:%Y%m%dT%H%M%S}{path.suffix}")
    # not `replacement_of(copy)`: under a name without the moment, what a killed run left is replaced by the next
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
        db.executescript(f"begin immediate;\n{sql}\npragma user_version = {number};\ncommit;")
    except BaseException:
        if db.in_transaction:
            db.execute("rollback")
        raise
