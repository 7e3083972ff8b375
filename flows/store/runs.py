"""The ledger's runs: when each began and how it ended, and what the last one left for a night with nothing to do.

This is all of the ledger that such a night needs: it is imported by itself (see `ledger.py` for the rest).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_TABLES = """
create table if not exists files (            -- the stat of each raw file when its fingerprint was last taken
    path text primary key, size integer, mtime_ns integer, ctime_ns integer, inode integer, sha256 text, unusable text);
create table if not exists deliveries (
    delivery_id text primary key, body text not null, received_at text not null, run_id text not null);
create table if not exists judged (delivery_id text primary key, judgement_key text not null);
create table if not exists reported (delivery_id text primary key, digest text not null);
create table if not exists told (delivery_id text primary key, body text not null); -- what that report said, in numbers
create table if not exists held (delivery_id text primary key, body text not null); -- and which rows it said are held
create table if not exists runs (
    run_id text primary key, started_at text not null, ended_at text, as_of text not null, result text,
    files_received integer, deliveries_judged integer, code_version text);
create table if not exists standing (look text not null, body text not null); -- what the last night left: one row
"""


class EarlierThanKnown(ValueError):  # noqa: N818 - it says what is wrong with a moment
    """A run cannot take place before something that it already knows of."""


def now() -> datetime:
    """This moment in UTC, to the second, without a zone (as DuckDB's TIMESTAMP)."""
    return datetime.now(UTC).replace(microsecond=0, tzinfo=None)


@dataclass(frozen=True)
class StandingSummary:
    """The summary of every night to come, as long as nothing changes.

    `look` is a digest of all that a night depends on but the clock (see `unchanged.py`), `build` the name of what
    readers see. `since` and `until` are the moments (ISO) between which the clock alone changes nothing either.
    """

    look: str
    build: str
    since: str
    until: str
    verdict: str
    sections: str


class Runs:
    """The runs of one ledger file."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
        self._db.execute("pragma journal_mode = wal")
        self._db.execute("pragma synchronous = full")
        self._db.executescript(_TABLES)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Do several writes all or not at all. Within another `together` they belong to that one."""
        if self._db.in_transaction:
            yield
            return
        self._db.execute("begin immediate")
        try:
            yield
        except BaseException:
            self._db.execute("rollback")
            raise
        self._db.execute("commit")

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def newest_receipt(self) -> datetime | None:
        """When the newest delivery was received."""
        newest = self._db.execute("select max(received_at) from deliveries").fetchone()[0]
        return datetime.fromisoformat(newest) if newest else None

    def judgement_keys(self) -> dict[str, str]:
        """The judgement of each delivery."""
        return dict(self._db.execute("select delivery_id, judgement_key from judged").fetchall())

    def start_run(self, run_id: str, started_at: datetime, as_of: datetime, code_version: str) -> None:
        """Note that a run began, and which moment it takes for now."""
        values = (run_id, started_at.isoformat(), as_of.isoformat(), code_version)
        self._db.execute("insert into runs (run_id, started_at, as_of, code_version) values (?, ?, ?, ?)", values)

    def end_run(self, run_id: str, result: str, files_received: int, deliveries_judged: int) -> None:
        """Note how a run ended."""
        values = (now().isoformat(), result, files_received, deliveries_judged, run_id)
        self._db.execute(
            "update runs set ended_at = ?, result = ?, files_received = ?, deliveries_judged = ? where run_id = ?",
            values,
        )

    def runs(self) -> list[dict[str, Any]]:
        """Every run, oldest first, with the columns of audit.runs."""
        cursor = self._db.execute(
            "select run_id, started_at, ended_at, as_of, result, files_received, deliveries_judged, code_version"
            " from runs order by started_at, run_id"
        )
        names = [c[0] for c in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def standing_summary(self, look: str) -> StandingSummary | None:
        """What the last night left for one that finds this look; what other code wrote is never read."""
        found = self._db.execute("select body from standing where look = ?", (look,)).fetchone()
        return StandingSummary(**json.loads(found[0])) if found else None

    def let_stand(self, summary: StandingSummary | None) -> None:
        """Note what the next nights may say again; None: nothing, because a run is about to change things."""
        with self.together():
            self._db.execute("delete from standing")
            if summary is not None:
                self._db.execute("insert into standing values (?, ?)", (summary.look, json.dumps(asdict(summary))))
