"""The ledger: what was received when, which judgement each delivery has, and which runs there were.

SQLite, one writer (the holder of the lock), so each statement is done or not done whatever happens to the process.
The ledger knows the clock; judgements do not.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import fields
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from flows.store.raw import FileStat
from schemas.audit.deliveries import Delivery, ExtractType
from schemas.replay import HeldThen
from schemas.told import Told

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
"""


class EarlierThanKnown(ValueError):  # noqa: N818 - it says what is wrong with a moment
    """A run cannot take place before something that it already knows of."""


def now() -> datetime:
    """This moment in UTC, to the second, without a zone (as DuckDB's TIMESTAMP)."""
    return datetime.now(UTC).replace(microsecond=0, tzinfo=None)


class Ledger:
    """One ledger file. Readers may have it open while a run writes."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
        self._db.execute("pragma journal_mode = wal")
        self._db.execute("pragma synchronous = full")
        self._db.executescript(_TABLES)

    @classmethod
    @contextmanager
    def copy_of(cls, path: Path) -> Iterator[Ledger]:
        """A ledger to look into while the file itself, and all that lies beside it, stays as it is."""
        with TemporaryDirectory() as folder:
            for part in (path, path.with_name(f"{path.name}-wal")):  # what a run that was cut off noted last
                if part.exists():
                    shutil.copy(part, folder)
            with closing(cls(Path(folder) / path.name)) as ledger:
                yield ledger

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

    # files

    def known_files(self) -> dict[str, tuple[FileStat, str, str]]:
        """Each raw file as it was last seen: path -> (stat, sha256, why it is not usable or '')."""
        rows = self._db.execute("select path, size, mtime_ns, ctime_ns, inode, sha256, unusable from files")
        return {r[0]: (FileStat(*r[1:5]), r[5], r[6]) for r in rows}

    def remember_file(self, path: str, stat: FileStat, sha256: str, unusable: str = "") -> None:
        """Note a file's stat and fingerprint."""
        values = (path, stat.size, stat.mtime_ns, stat.ctime_ns, stat.inode, sha256, unusable)
        self._db.execute("insert or replace into files values (?, ?, ?, ?, ?, ?, ?)", values)

    # deliveries

    def deliveries(self) -> dict[str, Delivery]:
        """Every delivery ever received, oldest first."""
        rows = self._db.execute("select body from deliveries order by received_at, delivery_id")
        return {d.delivery_id: d for d in (_delivery(r[0]) for r in rows)}

    def put_delivery(self, delivery: Delivery, run_id: str) -> None:
        """Note a delivery, or that its manifest says something new. When it was first received stays."""
        values = (delivery.delivery_id, _body(delivery), delivery.received_at.isoformat(), run_id)
        self._db.execute(
            "insert into deliveries values (?, ?, ?, ?) on conflict (delivery_id) do update set body = excluded.body",
            values,
        )

    def judgement_keys(self) -> dict[str, str]:
        """The judgement of each delivery."""
        return dict(self._db.execute("select delivery_id, judgement_key from judged").fetchall())

    def remember_judgement(self, delivery_id: str, key: str) -> None:
        """Note which judgement a delivery has now."""
        self._db.execute("insert or replace into judged values (?, ?)", (delivery_id, key))

    def reported(self) -> dict[str, str]:
        """What each delivery's last report was made of, as a digest."""
        return dict(self._db.execute("select delivery_id, digest from reported").fetchall())

    def remember_report(
        self, delivery_id: str, digest: str, told: Told | None = None, held: HeldThen | None = None
    ) -> None:
        """Note that a report was written, what it said, and which rows it said are held."""
        with self.together():
            self._db.execute("insert or replace into reported values (?, ?)", (delivery_id, digest))
            if told:
                body = (delivery_id, json.dumps(told.to_json()))
                self._db.execute("insert or replace into told values (?, ?)", body)
            if held:
                body = (delivery_id, json.dumps(held.to_json()))
                self._db.execute("insert or replace into held values (?, ?)", body)

    def told(self, delivery_ids: Iterable[str]) -> list[Told]:
        """What the reports on these deliveries said, where there are such reports."""
        select = "select body from told where delivery_id = ?"
        found = [self._db.execute(select, (d,)).fetchone() for d in delivery_ids]
        return [Told.from_json(json.loads(body)) for (body,) in filter(None, found)]

    def held_then(self, delivery_id: str) -> HeldThen | None:
        """The rows that the last report on a delivery said are held, if there was one."""
        found = self._db.execute("select body from held where delivery_id = ?", (delivery_id,)).fetchone()
        return HeldThen.from_json(json.loads(found[0])) if found else None

    def newest_receipt(self) -> datetime | None:
        """When the newest delivery was received."""
        newest = self._db.execute("select max(received_at) from deliveries").fetchone()[0]
        return datetime.fromisoformat(newest) if newest else None

    # runs

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


def _body(delivery: Delivery) -> str:

    return json.dumps({f.name: getattr(delivery, f.name) for f in fields(delivery)}, default=lambda v: v.isoformat())


def _delivery(body: str) -> Delivery:

    data = json.loads(body)
    data["received_at"] = datetime.fromisoformat(data["received_at"])
    data["data_cut_date"] = date.fromisoformat(data["data_cut_date"])
    data["extract_type"] = ExtractType(data["extract_type"])
    return Delivery(**data)
