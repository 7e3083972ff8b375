"""The ledger: what was received when, which judgement each delivery has, and which runs there were.

SQLite, one writer (the holder of the lock), so each statement is done or not done whatever happens to the process.
The ledger knows the clock; judgements do not.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import fields
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from flows.store.raw import FileStat
from flows.store.runs import Runs
from schemas.audit.deliveries import Delivery, ExtractType
from schemas.replay import HeldThen
from schemas.told import Told


class Ledger(Runs):
    """One ledger file. Readers may have it open while a run writes."""

    @classmethod
    def of(cls, runs: Runs) -> Ledger:
        """The whole ledger over a file that is open already: both are one."""
        ledger = cls.__new__(cls)
        ledger._db = runs._db
        return ledger

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


def _body(delivery: Delivery) -> str:
    return json.dumps({f.name: getattr(delivery, f.name) for f in fields(delivery)}, default=lambda v: v.isoformat())


def _delivery(body: str) -> Delivery:
    data = json.loads(body)
    data["received_at"] = datetime.fromisoformat(data["received_at"])
    data["data_cut_date"] = date.fromisoformat(data["data_cut_date"])
    data["extract_type"] = ExtractType(data["extract_type"])
    return Delivery(**data)
