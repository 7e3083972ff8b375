"""The runs in the ledger, and the cached summary that a no-op run reissues.

A no-op run needs nothing else of the ledger, and imports this module alone: it loads no contract and no heavy library.
The rest of the ledger is in `ledger/__init__.py`.
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

VERSION = 5  # schema version of the ledger: the number of the last file in `ledger/migrations`


class EarlierThanKnown(ValueError):  # noqa: N818 - it says what is wrong with a moment
    """The moment asked for is before the newest delivery or withdrawal in the ledger."""


class LedgerUnusable(Exception):  # noqa: N818 - it says what is wrong with a file
    """The ledger is damaged, lost, unwritable, or of another version.

    The run stops: without the ledger it would take every file for one received today.
    """


# SQLite's primary result codes, by what the operator has to do about them
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_NO_WRITING = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)


@contextmanager
def wrapped_ledger_errors(paths: DataPaths) -> Iterator[None]:
    """Raise LedgerUnusable in place of an SQLite error that means a damaged file or a disk that cannot be written."""
    try:
        yield
    except Exception as error:
        # a Prefect stage raises its error again without the message; the original is then its context
        code = _primary_code(error) or _primary_code(error.__context__)
        if code in _DAMAGED:
            raise LedgerUnusable(f"the ledger {paths.ledger} is damaged: {_how_to_restore(paths)}") from error
        if code in _NO_WRITING:
            why = "is full or failing, or does not let it be written"
            raise LedgerUnusable(f"the disk of {paths.ledger} {why}") from error
        raise


def _primary_code(error: BaseException | None) -> int:
    """SQLite's primary result code of an error; 0 for an error that is not SQLite's."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF  # extended codes are in the higher bits


def _how_to_restore(paths: DataPaths) -> str:
    folder = paths.ledger.parent
    return f"put {folder} back from a backup, whole; to begin anew, move {paths.warehouse} away"


def now() -> datetime:
    """The current time in UTC, to the second and without a time zone, as DuckDB's TIMESTAMP has it."""
    return datetime.now(UTC).replace(microsecond=0, tzinfo=None)


@dataclass(frozen=True)
class CachedSummary:
    """The summary that later runs reissue while nothing changes.

    `input_fingerprint` is a digest of every run input except time (see `no_op_run.py`), `build` the file stamp of
    the build that was current. The summary is valid from `since` until before `until` (ISO): by then the date alone
    changes something, such as the next return that falls due.
    """

    input_fingerprint: str
    build: str
    since: str
    until: str
    verdict: str
    sections: str


def outcome_in_words(run: Mapping[str, Any]) -> str:
    """The outcome of a run (columns of audit.runs) that is no longer at work, in words."""
    if run["ended_at"] is None:
        return "was cut off: it never ended"
    return {"published": "ended well with new figures", "quiet": "ended well, nothing had changed"}.get(
        run["result"], "failed"
    )


def failed_runs_in_words(runs: Sequence[Mapping[str, Any]]) -> str:
    """A warning that the runs just before this one failed (newest first); '' where there are none."""
    if not runs:
        return ""
    last, *others = runs
    text = (
        f"The run before this one, of {moment(datetime.fromisoformat(last['started_at']))}, {outcome_in_words(last)}."
    )
    if not others:
        return text
    return f"{text} Nor did {'the run' if len(others) == 1 else f'the {len(others):,} runs'} before that end well."


class Runs:
    """The runs table and the cached summary of one ledger file."""

    def __init__(self, path: Path, known_as: Path | None = None, opened: sqlite3.Connection | None = None) -> None:
        """Open a ledger file or create it, and migrate it if older code wrote it.

        Only for the holder of the writer lock, or for a copy of a ledger; messages then name the path that the copy
        is `known_as`. A connection that is `opened` already is used as it is. Raises LedgerUnusable where newer code
        wrote the file.
        """
        self.path = known_as or path
        if opened is not None:
            self._db = opened
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        # autocommit: `transaction` groups statements. Prefect may run a stage in another thread than this one
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
                f" before it was migrated ({self.path.stem}-version-...): what was recorded since then is not in it"
            )
        # WAL lets readers in while a run writes; with `full`, what was committed survives a power cut
        self._db.execute("pragma journal_mode = wal")
        self._db.execute("pragma synchronous = full")
        if version < VERSION:
            from flows.store.ledger.migrations import migrate  # imported here: a no-op run never needs it

            migrate(self._db, path, version, now())

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit several writes together, or none of them. A nested transaction belongs to the outer one."""
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
        """Close the ledger file."""
        self._db.close()

    def require_history(self, paths: DataPaths) -> None:
        """Raise LedgerUnusable where the ledger has no run, although builds or results of earlier runs exist.

        A new ledger beside them means that the old one was lost: every file would be dated as received today.
        """
        if not self._db.execute("select 1 from runs limit 1").fetchone() and paths.has_products:
            text = f"the ledger {paths.ledger} is lost or was emptied, but builds or results of its runs exist"
            raise LedgerUnusable(f"{text}: {_how_to_restore(paths)}")

    def newest_receipt(self) -> datetime | None:
        """When the newest delivery was received; None if there is no delivery."""
        newest = self._db.execute("select max(received_at) from deliveries").fetchone()[0]
        return datetime.fromisoformat(newest) if newest else None

    def newest_withdrawal(self) -> datetime | None:
        """When a delivery was last withdrawn or a withdrawal last undone; None if neither ever happened."""
        # ISO texts sort by time. The inner max() aggregate over rows, the outer one compares two values: it is null
        # if either is, hence coalesce for withdrawals of which none was undone
        newest = self._db.execute("select max(max(withdrawn_at), coalesce(max(undone_at), '')) from withdrawals")
        text = newest.fetchone()[0]
        return datetime.fromisoformat(text) if text else None

    def effective_now(self, wanted: datetime | None, clock: datetime) -> datetime:
        """The moment that a run or withdrawal uses as the current time: `wanted` (`--date`), or else the clock's.

        Never before the newest delivery or withdrawal: a clock that was set back must not hide what is known. Raises
        EarlierThanKnown where `wanted` is before that.
        """
        received, withdrawn = self.newest_receipt(), self.newest_withdrawal()
        for newest, known in ((received, "deliveries"), (withdrawn, "withdrawals")):
            if wanted and newest and wanted < newest:
                raise EarlierThanKnown(f"{known} up to {newest} are known: a run cannot take place on {wanted}")
        return wanted or max(filter(None, (clock, received, withdrawn)))

    def result_keys(self) -> dict[str, str]:
        """By delivery_id: the key of its validation result."""
        return dict(self._db.execute("select delivery_id, result_key from validation_results").fetchall())

    def start_run(self, run_id: str, started_at: datetime, as_of: datetime, code_version: str) -> None:
        """Record the start of a run, and the moment it uses as the current time."""
        values = (run_id, started_at.isoformat(), as_of.isoformat(), code_version)
        self._db.execute("insert into runs (run_id, started_at, as_of, code_version) values (?, ?, ?, ?)", values)

    def end_run(self, run_id: str, result: str, files_received: int, deliveries_validated: int) -> None:
        """Record how a run ended: `published`, `quiet` or `failed`."""
        values = (now().isoformat(), result, files_received, deliveries_validated, run_id)
        self._db.execute(
            "update runs set ended_at = ?, result = ?, files_received = ?, deliveries_validated = ? where run_id = ?",
            values,
        )

    def runs_since_success(self) -> list[dict[str, Any]]:
        """The runs since the last that ended well, newest first, with the columns of audit.runs."""
        last = "(select coalesce(max(rowid), 0) from runs where result in ('published', 'quiet'))"
        return self._runs(f"where rowid > {last} order by rowid desc")

    def last_run(self) -> dict[str, Any] | None:
        """The newest run, with the columns of audit.runs."""
        return next(iter(self._runs("order by rowid desc limit 1")), None)

    def runs(self) -> list[dict[str, Any]]:
        """Every run, oldest first, with the columns of audit.runs."""
        return self._runs("order by started_at, run_id")

    def _runs(self, clauses: str) -> list[dict[str, Any]]:
        # in audit.runs, the public column is still called `deliveries_judged`
        cursor = self._db.execute(
            "select run_id, started_at, ended_at, as_of, result, files_received,"
            f" deliveries_validated as deliveries_judged, code_version from runs {clauses}"
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
            return None  # written by other code: the full run writes a new one

    def store_cached_summary(self, summary: CachedSummary | None) -> None:
        """Replace the cached summary. None drops it, before a run changes anything that it says."""
        with self.transaction():
            self._db.execute("delete from cached_summary")
            if summary is not None:
                row = (summary.input_fingerprint, json.dumps(asdict(summary)))
                self._db.execute("insert into cached_summary values (?, ?)", row)
