"""The ledger's runs: when each began and how it ended, and what the last one left for a run with nothing to do.

This is all of the ledger that such a run needs: it is imported by itself (see `ledger/` for the rest).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flows.runtime.wording import moment
from flows.store.ledger.records import UnreadableRecord, record_of
from flows.store.paths import DataPaths

VERSION = 5  # of the ledger's tables: the number of the last file in `ledger/migrations`


class EarlierThanKnown(ValueError):  # noqa: N818 - it says what is wrong with a moment
    """A run cannot take place before something that it already knows of."""


class LedgerUnusable(Exception):  # noqa: N818 - it says what is wrong with a file
    """What the ledger alone knows is not to be had: no run may take that for a world in which nothing was received."""


_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_NO_WRITING = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)


@contextmanager
def ledger_troubles(places: DataPaths) -> Iterator[None]:
    """What is done with a ledger. Raises LedgerUnusable where its file or its disk is at fault."""
    try:
        yield
    except Exception as error:
        # a stage of a flow tells its error without the message: what came before it is the error itself
        fault = _fault_of(error) or _fault_of(error.__context__)
        if fault in _DAMAGED:
            raise LedgerUnusable(f"the ledger {places.ledger} is damaged: {_put_back(places)}") from error
        if fault in _NO_WRITING:
            why = "is full or failing, or does not let it be written"
            raise LedgerUnusable(f"the disk of {places.ledger} {why}") from error
        raise


def _fault_of(error: BaseException | None) -> int:
    """What SQLite calls its error, without the finer kinds; 0 for an error of something else."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _put_back(places: DataPaths) -> str:
    folder = places.ledger.parent
    return f"put {folder} back from a backup, whole; to begin anew, move {places.warehouse} away"


def now() -> datetime:
    """This moment in UTC, to the second, without a zone (as DuckDB's TIMESTAMP)."""
    return datetime.now(UTC).replace(microsecond=0, tzinfo=None)


@dataclass(frozen=True)
class CachedSummary:
    """The summary of every night to come, as long as nothing changes.

    `input_fingerprint` is a digest of every run input except time (see `no_op_run.py`), `build` tells what readers
    see as it lay then. `since` and `until` are the moments (ISO) between which the clock alone changes nothing either.
    """

    input_fingerprint: str
    build: str
    since: str
    until: str
    verdict: str
    sections: str


def how_it_ended(run: Mapping[str, Any]) -> str:
    """How a run ended that is not at work any more."""
    if run["ended_at"] is None:
        return "was cut off: it never ended"
    return {"published": "ended well with new figures", "quiet": "ended well, nothing had changed"}.get(
        run["result"], "failed"
    )


def in_words_not_well(runs: Sequence[Mapping[str, Any]]) -> str:
    """That the run before this one did not end well, nor those before it; '' where it did."""
    if not runs:
        return ""
    last, *others = runs
    said = f"The run before this one, of {moment(datetime.fromisoformat(last['started_at']))}, {how_it_ended(last)}."
    if not others:
        return said
    return f"{said} Nor did {'the run' if len(others) == 1 else f'the {len(others):,} runs'} before that end well."


class Runs:
    """The runs of one ledger file."""

    def __init__(self, path: Path, known_as: Path | None = None, opened: sqlite3.Connection | None = None) -> None:
        """Open a file, or make it. What older code wrote is migrated first. Raises LedgerUnusable for newer code's.

        Only for the holder of the writer lock, or for a copy of a ledger that is `known_as` another path. A file that
        is `opened` already is used as it is.
        """
        self.path = known_as or path
        if opened is not None:
            self._db = opened
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
        try:
            self._require_our_version(path)
        except BaseException:
            self._db.close()
            raise

    def _require_our_version(self, path: Path) -> None:
        version = self._db.execute("pragma user_version").fetchone()[0]
        if version > VERSION:
            raise LedgerUnusable(
                f"the ledger {self.path} is of version {version}, and this code knows versions up to {VERSION}: use"
                " the newer code that wrote it. To go back for good, put in its place the copy that was kept beside it"
                f" before it was migrated ({self.path.stem}-version-...): what was noted since is not in that"
            )
        self._db.execute("pragma journal_mode = wal")
        self._db.execute("pragma synchronous = full")
        if version < VERSION:
            from flows.store.ledger.migrations import migrate  # a run with nothing to do never needs it

            migrate(self._db, path, version, now())

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

    def require_history(self, places: DataPaths) -> None:
        """Raise LedgerUnusable where runs made something, and the ledger knows of no run: it is not the one of then."""
        if not self._db.execute("select 1 from runs limit 1").fetchone() and places.has_products:
            said = f"the ledger {places.ledger} is lost or was emptied, and what was made by it is there"
            raise LedgerUnusable(f"{said}: {_put_back(places)}")

    def newest_receipt(self) -> datetime | None:
        """When the newest delivery was received."""
        newest = self._db.execute("select max(received_at) from deliveries").fetchone()[0]
        return datetime.fromisoformat(newest) if newest else None

    def newest_withdrawal(self) -> datetime | None:
        """When a delivery was last withdrawn, or a withdrawal undone."""
        newest = self._db.execute("select max(max(withdrawn_at), coalesce(max(undone_at), '')) from withdrawals")
        said = newest.fetchone()[0]
        return datetime.fromisoformat(said) if said else None

    def moment_of(self, wanted: datetime | None, clock: datetime) -> datetime:
        """What a run or a withdrawal takes for now: the moment that is wanted, or the clock's.

        A clock that was put back must not hide what is known. Raises EarlierThanKnown for a moment before that.
        """
        received, withdrawn = self.newest_receipt(), self.newest_withdrawal()
        for newest, known in ((received, "deliveries"), (withdrawn, "withdrawals")):
            if wanted and newest and wanted < newest:
                raise EarlierThanKnown(f"{known} up to {newest} are known: a run cannot take place on {wanted}")
        return wanted or max(filter(None, (clock, received, withdrawn)))

    def result_keys(self) -> dict[str, str]:
        """The validation result of each delivery."""
        return dict(self._db.execute("select delivery_id, result_key from validation_results").fetchall())

    def start_run(self, run_id: str, started_at: datetime, as_of: datetime, code_version: str) -> None:
        """Note that a run began, and which moment it takes for now."""
        values = (run_id, started_at.isoformat(), as_of.isoformat(), code_version)
        self._db.execute("insert into runs (run_id, started_at, as_of, code_version) values (?, ?, ?, ?)", values)

    def end_run(self, run_id: str, result: str, files_received: int, deliveries_validated: int) -> None:
        """Note how a run ended."""
        values = (now().isoformat(), result, files_received, deliveries_validated, run_id)
        self._db.execute(
            "update runs set ended_at = ?, result = ?, files_received = ?, deliveries_validated = ? where run_id = ?",
            values,
        )

    def not_well(self) -> list[dict[str, Any]]:
        """The runs since the last that ended well, newest first, with the columns of audit.runs."""
        last = "(select coalesce(max(rowid), 0) from runs where result in ('published', 'quiet'))"
        return self._runs(f"where rowid > {last} order by rowid desc")

    def last_run(self) -> dict[str, Any] | None:
        """The newest run, with the columns of audit.runs."""
        return next(iter(self._runs("order by rowid desc limit 1")), None)

    def runs(self) -> list[dict[str, Any]]:
        """Every run, oldest first, with the columns of audit.runs."""
        return self._runs("order by started_at, run_id")

    def _runs(self, which: str) -> list[dict[str, Any]]:
        # `deliveries_judged` is the public name of the column, in audit.runs
        cursor = self._db.execute(
            "select run_id, started_at, ended_at, as_of, result, files_received,"
            f" deliveries_validated as deliveries_judged, code_version from runs {which}"
        )
        names = [c[0] for c in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def cached_summary(self, input_fingerprint: str) -> CachedSummary | None:
        """The summary that the last run left for runs with these inputs; None if there is none that can be read."""
        select = "select body from cached_summary where input_fingerprint = ?"
        found = self._db.execute(select, (input_fingerprint,)).fetchone()
        try:
            return record_of(CachedSummary, json.loads(found[0])) if found else None
        except UnreadableRecord:
            return None  # a full run writes it anew

    def store_cached_summary(self, summary: CachedSummary | None) -> None:
        """Note what the next runs may say again; None: nothing, because a run is about to change things."""
        with self.together():
            self._db.execute("delete from cached_summary")
            if summary is not None:
                row = (summary.input_fingerprint, json.dumps(asdict(summary)))
                self._db.execute("insert into cached_summary values (?, ?)", row)
