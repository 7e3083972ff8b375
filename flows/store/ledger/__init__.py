"""The ledger: every delivery and when it was received, its validation result and last report, and every run.

An SQLite file with one writer, the holder of the writer lock; a process that is killed leaves each statement done or
not done. Dates of receipt are here alone, so the ledger cannot be rebuilt from the raw files: older files are brought
up to date by `migrations/`.
"""

from __future__ import annotations

import json
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import fields
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from flows.store.ledger.held_rows import HeldRows
from flows.store.ledger.records import Record, UnreadableRecord, record_of
from flows.store.ledger.report_snapshots import ReportSnapshot
from flows.store.ledger.runs import LedgerUnusable, Runs
from flows.store.raw_files import FileStat
from schemas.audit.deliveries import Delivery, ExtractType, Hold
from schemas.audit.withdrawals import Withdrawal


class Ledger(Runs):
    """All tables of one ledger file. Readers may have it open while a run writes."""

    @classmethod
    def of(cls, runs: Runs) -> Ledger:
        """The whole ledger on the connection of an open `Runs`."""
        return cls(runs.path, opened=runs._db)

    @classmethod
    @contextmanager
    def copy_of(cls, path: Path) -> Iterator[Ledger]:
        """Open a temporary copy, so that reading changes neither the ledger file nor the files beside it.

        A ledger that older code wrote is migrated in the copy alone. Raises LedgerUnusable as opening the file does.
        """
        with TemporaryDirectory() as folder:
            _copy_as_of_one_moment(path, Path(folder))
            with closing(cls(Path(folder) / path.name, known_as=path)) as ledger:
                yield ledger

    # files

    def known_files(self) -> dict[str, tuple[FileStat, str, str]]:
        """Each raw file as last seen: path -> (stat, sha256, why it is not a delivery, or '')."""
        rows = self._db.execute("select path, size, mtime_ns, ctime_ns, inode, sha256, unusable from files")
        return {r[0]: (FileStat(*r[1:5]), r[5], r[6]) for r in rows}

    def record_file(self, path: str, stat: FileStat, sha256: str, unusable: str = "") -> None:
        """Record a raw file's stat and checksum."""
        values = (path, stat.size, stat.mtime_ns, stat.ctime_ns, stat.inode, sha256, unusable)
        self._db.execute("insert or replace into files values (?, ?, ?, ?, ?, ?, ?)", values)

    # deliveries

    def deliveries(self) -> dict[str, Delivery]:
        """Every delivery ever received, oldest first."""
        rows = self._db.execute("select delivery_id, body from deliveries order by received_at, delivery_id")
        return {d.delivery_id: d for d in (self._delivery(*r) for r in rows)}

    def _delivery(self, delivery_id: str, body: str) -> Delivery:
        """Read a stored delivery. Raises LedgerUnusable: figures that leave out a received delivery would be wrong."""
        try:
            return _delivery(json.loads(body))
        except _UNREADABLE as error:
            why = str(error) if isinstance(error, UnreadableRecord) else "it is not as this code writes it"
            raise LedgerUnusable(
                f"the ledger {self.path} holds the delivery {delivery_id} in a form that cannot be read ({why}): use"
                f" the code that wrote it, or put {self.path.parent} back from a backup, whole"
            ) from None

    def put_delivery(self, delivery: Delivery, run_id: str) -> None:
        """Record a delivery, or update what its manifest declares."""
        values = (delivery.delivery_id, _body(delivery), delivery.received_at.isoformat(), run_id)
        # received_at and run_id stay those of the first receipt: later figures "as of" a day depend on it
        self._db.execute(
            "insert into deliveries values (?, ?, ?, ?) on conflict (delivery_id) do update set body = excluded.body",
            values,
        )

    def record_result_key(self, delivery_id: str, key: str) -> None:
        """Record which validation result a delivery has now."""
        self._db.execute("insert or replace into validation_results values (?, ?)", (delivery_id, key))

    def report_digests(self) -> dict[str, str]:
        """By delivery_id: a digest of what its last report was made from."""
        return dict(self._db.execute("select delivery_id, digest from report_digests").fetchall())

    def record_report(
        self, delivery_id: str, digest: str, snapshot: ReportSnapshot | None = None, held: HeldRows | None = None
    ) -> None:
        """Record that a report was written, with its numbers and the rows that it listed as held."""
        with self.transaction():
            self._db.execute("insert or replace into report_digests values (?, ?)", (delivery_id, digest))
            if snapshot:
                body = (delivery_id, json.dumps(snapshot.to_json()))
                self._db.execute("insert or replace into report_snapshots values (?, ?)", body)
            if held:
                body = (delivery_id, json.dumps(held.to_json()))
                self._db.execute("insert or replace into held_rows values (?, ?)", body)

    def report_snapshots(self, delivery_ids: Iterable[str]) -> list[ReportSnapshot]:
        """The numbers of the last report on each of these deliveries, where one was written."""
        select = "select body from report_snapshots where delivery_id = ?"
        found = [self._db.execute(select, (d,)).fetchone() for d in delivery_ids]
        read = (_read(ReportSnapshot.from_json, body) for (body,) in filter(None, found))
        return [snapshot for snapshot in read if snapshot is not None]

    def held_rows(self, delivery_id: str) -> HeldRows | None:
        """The rows that the last report on a delivery listed as held; None if there was no report."""
        found = self._db.execute("select body from held_rows where delivery_id = ?", (delivery_id,)).fetchone()
        return _read(HeldRows.from_json, found[0]) if found else None

    # withdrawals

    def withdrawals(self, moment: datetime) -> list[Withdrawal]:
        """Every withdrawal up to a moment, oldest first; one that was undone later is not undone yet."""
        rows = self._db.execute(
            "select delivery_id, withdrawn_at, reason, undone_at from withdrawals where withdrawn_at <= ?"
            " order by withdrawn_at, rowid",  # several of one command have the same moment
            (moment.isoformat(),),
        )
        found = (Withdrawal(i, datetime.fromisoformat(at), why, _moment(undone)) for i, at, why, undone in rows)
        return [w.as_of(moment) for w in found]

    def withdraw(self, delivery_ids: Iterable[str], reason: str, moment: datetime) -> None:
        """Record that deliveries are in no figure from a moment on, and drop the cached summary: figures change."""
        with self.transaction():
            values = [(i, moment.isoformat(), reason, None) for i in delivery_ids]
            self._db.executemany("insert into withdrawals values (?, ?, ?, ?)", values)
            self.store_cached_summary(None)

    def undo_withdrawals(self, of: Mapping[str, Withdrawal], moment: datetime) -> None:
        """Record that deliveries count again from a moment on. `of`: delivery_id -> the withdrawal that excludes it.

        A delivery can be excluded by the withdrawal of another one with the same bytes. It is then reinstated alone,
        by a withdrawal of its own that ends at once; the other one stays withdrawn.
        """
        with self.transaction():
            for delivery_id, w in of.items():
                if w.delivery_id == delivery_id:
                    self._db.execute(
                        "update withdrawals set undone_at = ? where delivery_id = ? and undone_at is null",
                        (moment.isoformat(), delivery_id),
                    )
                else:
                    values = (delivery_id, w.withdrawn_at.isoformat(), w.reason, moment.isoformat())
                    self._db.execute("insert into withdrawals values (?, ?, ?, ?)", values)
            self.store_cached_summary(None)

    # which deliveries counted, and which were held up

    def record_counting(self, run_id: str, moment: datetime, rows: Iterable[tuple[str, str, str]]) -> None:
        """Record which deliveries count from a moment on: rows of (site_code, dataset, delivery_id).

        A site's dataset gets new rows, one for each delivery that counts, only where that set has changed. A run may
        record a dataset again: the last record holds.
        """
        counting: dict[tuple[str, str], set[str]] = defaultdict(set)
        for site_code, dataset, delivery_id in rows:
            counting[site_code, dataset].add(delivery_id)
        with self.transaction():
            last = self._counted_last()
            for pair, ids in sorted(counting.items()):
                if ids != last.get(pair):
                    # what this run has recorded of the dataset before is replaced
                    self._db.execute(
                        "delete from counted where (site_code, dataset, run_id) = (?, ?, ?)", (*pair, run_id)
                    )
                    values = [(*pair, delivery_id, moment.isoformat(), run_id) for delivery_id in sorted(ids)]
                    self._db.executemany("insert into counted values (?, ?, ?, ?, ?)", values)

    def counted_before(self, moment: datetime) -> list[tuple[str, str, str]]:
        """Every (site_code, dataset, delivery_id) that ever counted by a moment, most recent first.

        A delivery that counted, was replaced, and counted again has its place by the last time.
        """
        # rowid decides between rows of the same moment: those recorded later come first
        return self._db.execute(
            "select site_code, dataset, delivery_id from counted where since <= ? group by 1, 2, 3"
            " order by max(since) desc, max(rowid) desc",
            (moment.isoformat(),),
        ).fetchall()

    def record_held_up(self, moment: datetime, delivery_ids: Iterable[str]) -> None:
        """Record that deliveries are held up from a moment on. The first such moment of a delivery stays."""
        values = [(delivery_id, moment.isoformat()) for delivery_id in delivery_ids]
        with self.transaction():
            self._db.executemany("insert or ignore into held_up values (?, ?)", values)

    def holds(self, moment: datetime) -> dict[str, Hold]:
        """By delivery_id: from when to when a delivery was held up, until it first counted, as known at a moment."""
        rows = self._db.execute(
            "select h.delivery_id, h.since, (select min(c.since) from counted c"
            " where c.delivery_id = h.delivery_id and c.since <= ?1) from held_up h where h.since <= ?1",
            (moment.isoformat(),),
        )
        return {
            i: Hold(datetime.fromisoformat(since), until and datetime.fromisoformat(until)) for i, since, until in rows
        }

    def _counted_last(self) -> dict[tuple[str, str], set[str]]:
        """By (site_code, dataset): the deliveries that were recorded last, together."""
        # the newest row of each dataset says by which run and when; all rows of that run and moment are one set
        rows = self._db.execute(
            "select site_code, dataset, delivery_id from counted join"
            " (select site_code, dataset, run_id, since from counted where rowid in"
            " (select max(rowid) from counted group by site_code, dataset))"
            " using (site_code, dataset, run_id, since)"
        )
        last: dict[tuple[str, str], set[str]] = defaultdict(set)
        for site_code, dataset, delivery_id in rows:
            last[site_code, dataset].add(delivery_id)
        return last


# raised by reading a record that other code wrote in another form
_UNREADABLE = (AttributeError, KeyError, TypeError, ValueError)
_COPY_ATTEMPTS = 20  # a copy takes a millisecond or two, and a run writes a few times a second


def _copy_as_of_one_moment(path: Path, folder: Path) -> None:
    """Copy a ledger file and its write-ahead log; again if a run changed either of them meanwhile."""
    parts = (path, path.with_name(f"{path.name}-wal"))
    for _ in range(_COPY_ATTEMPTS):
        before = [_stat(part) for part in parts]
        for part in parts:
            (folder / part.name).unlink(missing_ok=True)
            with suppress(FileNotFoundError):
                shutil.copy(part, folder)
        if [_stat(part) for part in parts] == before:
            return


def _stat(path: Path) -> FileStat | None:
    try:
        return FileStat.of(path)
    except FileNotFoundError:
        return None


def _read(kind: Callable[[Any], Record], body: str) -> Record | None:
    """A record of the last report; None where other code wrote it in another form: then nothing is compared."""
    try:
        return kind(json.loads(body))
    except _UNREADABLE:
        return None


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _body(delivery: Delivery) -> str:
    return json.dumps({f.name: getattr(delivery, f.name) for f in fields(delivery)}, default=lambda v: v.isoformat())


def _delivery(data: dict[str, Any]) -> Delivery:
    """Read what `_body` wrote. A missing value has its default: see `flows/store/ledger/records.py`."""
    parsers: dict[str, Callable[[Any], Any]] = {
        "received_at": datetime.fromisoformat,
        "data_cut_date": date.fromisoformat,
        "extract_type": ExtractType,
        "signed_off_on": lambda day: date.fromisoformat(day) if day else None,
    }
    return record_of(Delivery, {name: parsers[name](v) if name in parsers else v for name, v in data.items()})
