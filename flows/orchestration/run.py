"""Open and close a run (nightly or re-validation): lock, log, ledger, failure report; and the run's result.

The stages are in `nightly.py`, what they work with in `active_run.py`. Nothing heavy is imported here, because a run
with nothing to do imports this module and little else.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows import __version__
from flows.orchestration.input_fingerprint import fingerprint_inputs
from flows.reporting.result import ReportingResult
from flows.runtime.log import Ending, Entry, Event, log, row_counts, run_log
from flows.settings import Settings
from flows.store.ledger.runs import EarlierThanKnown, Runs, failed_runs_in_words, now, wrapped_ledger_errors
from flows.store.lock import writer_lock
from flows.store.paths import DataPaths
from flows.store.warehouse import Warehouse

if TYPE_CHECKING:
    from flows.deliveries.validated import ValidatedDelivery
    from flows.steps.receive import UnusableFile
    from schemas.audit.deliveries import Delivery


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Scope of a run: a nightly run covers everything; a re-validation receives no files and may cover less."""

    new_files: bool = True
    site: str = ""
    dataset: str = ""

    @property
    def command(self) -> str:
        """Name of the command in the log."""
        return "run" if self.new_files else "revalidate"

    def covers(self, delivery: Delivery) -> bool:
        """Whether the run may re-validate this delivery. Empty `site` or `dataset` means all of them."""
        return self.site in ("", delivery.site_code) and self.dataset in ("", delivery.dataset)


EVERYTHING = Scope()


@dataclass
class Run:
    """State that all stages of one run share. `moment` is the run's current time: UTC, given or from the clock."""

    settings: Settings
    paths: DataPaths
    ledger: Runs
    moment: datetime
    id: str
    started_at: datetime
    scope: Scope = EVERYTHING
    input_fingerprint: str = ""  # digest of every input except time; '' where unreliable (`input_fingerprint.py`)
    ending: Ending = field(default_factory=Ending)  # result and counts for the last line of the log
    previous_failure: str = ""  # sentence about earlier runs that failed or were cut off; '' if the last one ended well

    @property
    def warehouse(self) -> Warehouse:
        """Warehouse of the data folder."""
        return self.settings.warehouse()

    @property
    def metadata(self) -> dict[str, str]:
        """Metadata of the run that reports print."""
        return {**_run_metadata(self.id, self.started_at), "before": self.previous_failure}


@contextmanager
def open_run(settings: Settings, moment: datetime | None, scope: Scope = EVERYTHING) -> Iterator[Run]:
    """Take the writer lock, delete the leftovers of an interrupted run, and record the new run in the ledger.

    If the run fails, the ledger records it as failed and a summary says why. Raises Busy where another run holds the
    lock, NoDataFolder, LedgerUnusable, and EarlierThanKnown for a moment before the newest receipt or withdrawal.
    """
    paths, started = DataPaths(settings.data.absolute()), now()
    run_id = f"{started:%Y%m%dT%H%M%S}-{os.urandom(3).hex()}"
    paths.require()
    paths.make()
    # The lock comes first: the log and the ledger may have only one writer.
    with (
        writer_lock(paths.lock),
        run_log(paths.logs, scope.command, run_id, usage_errors=(EarlierThanKnown,)) as ending,
        _report_failure(settings.warehouse(), _run_metadata(run_id, started)),
        _open_ledger(paths) as ledger,
    ):
        paths.clear_unfinished()
        newest = ledger.newest_receipt()  # before this run adds any
        moment = ledger.effective_now(moment, started)
        previous_failure = failed_runs_in_words(ledger.runs_since_success())
        run = Run(
            settings=settings,
            paths=paths,
            ledger=ledger,
            moment=moment,
            id=run_id,
            started_at=started,
            scope=scope,
            # taken before any file is read: one that changes during the run makes the next run a full one
            input_fingerprint=fingerprint_inputs(paths),
            ending=ending,
            previous_failure=previous_failure,
        )
        ledger.start_run(run.id, run.started_at, run.moment, __version__)
        try:
            paths.require_raw(received_before=newest is not None)
            yield run
        except Exception:
            with suppress(sqlite3.Error):  # a ledger that cannot be written must not hide the first error
                ledger.end_run(run.id, "failed", 0, 0)
            raise


def _run_metadata(run_id: str, started: datetime) -> dict[str, str]:
    return {"id": run_id, "code_version": __version__, "started_at": started.isoformat()}


@contextmanager
def _open_ledger(paths: DataPaths) -> Iterator[Runs]:
    with wrapped_ledger_errors(paths), closing(Runs(paths.ledger)) as ledger:
        ledger.require_history(paths)
        yield ledger


@contextmanager
def _report_failure(warehouse: Warehouse, metadata: dict[str, str]) -> Iterator[None]:
    """Write a summary if the run fails. A usage error, such as too early a moment, is not a failed run."""
    build = warehouse.current()
    try:
        yield
    except EarlierThanKnown:  # nothing was done: the caller gets exit code 2, and no summary
        raise
    except Exception as error:
        with suppress(OSError):  # a failing disk must not hide the first error
            warehouse.paths.clear_unfinished()  # frees space: on a full disk the summary then still fits
            from flows.reporting.run_report import report_failure

            report_failure(warehouse, metadata, error, published=warehouse.current() != build)
        raise


@dataclass(frozen=True)
class RunResult:
    """Result of a run: its outcome, the deliveries it validated, and the paths of its reports and warehouse."""

    run_id: str
    result: str  # 'published', or 'quiet': the same build would be made, so the last one stays
    warehouse: Path
    validated: tuple[ValidatedDelivery, ...] = ()  # deliveries received or re-validated in this run
    # files new in this run that cannot be identified by their name, or whose manifest is invalid
    unusable: tuple[UnusableFile, ...] = ()
    not_validated: tuple[str, ...] = ()  # '<delivery_id> <reason>' of each delivery that could not be validated
    reported: ReportingResult = field(default_factory=ReportingResult)

    @property
    def verdict(self) -> str:
        """Verdict of the run: the first line of its summary."""
        return self.reported.summary.splitlines()[0]

    @property
    def stopped(self) -> tuple[ValidatedDelivery, ...]:
        """This run's deliveries that do not count and still need fixing: refused, unreadable or held up."""
        return tuple(v for v in self._in_use if v.verdict.result.is_rejected)

    @property
    def held(self) -> tuple[ValidatedDelivery, ...]:
        """This run's deliveries that were accepted with some rows held, unless replaced or withdrawn."""
        return tuple(v for v in self._in_use if v.verdict.result.holds_rows)

    @property
    def personal(self) -> tuple[ValidatedDelivery, ...]:
        """This run's deliveries with personal data, replaced or not: their files must be deleted in any case."""
        return tuple(v for v in self.validated if v.delivery.delivery_id in self.reported.personal)

    @property
    def outcome(self) -> str:
        """Name of the run's final state, after the most urgent thing that people have to do."""
        from schemas.audit.deliveries import Standing  # not imported by a run with nothing to do

        by_urgency: tuple[tuple[str, Sequence[object]], ...] = (
            ("PersonalData", self.personal),
            ("NotValidated", self.not_validated),
            ("NotReported", self.reported.not_reported),
            ("Refused", [v for v in self.stopped if v.standing is not Standing.HELD_UP]),
            ("HeldUp", self.stopped),
            ("NotTakenIn", self.unusable),
            ("PartlyLoaded", self.held),
        )
        return next((name for name, concerned in by_urgency if concerned), "Completed")

    @property
    def _in_use(self) -> tuple[ValidatedDelivery, ...]:
        """This run's deliveries that are neither replaced by a later one nor withdrawn."""
        replaced = self.reported.replaced
        return tuple(v for v in self.validated if v.delivery.delivery_id not in replaced and v.withdrawal is None)

    @property
    def must_be_fixed(self) -> bool:
        """Whether anybody has to act: send a file again, or find out why one was not validated or not reported."""
        return bool(self.stopped or self.unusable or self.not_validated or self.reported.not_reported)

    def log_for(self, ending: Ending) -> None:
        """Log the final outcome of each delivery, and set the result and counts of the log's last line."""
        for v in self.validated:
            delivery_id, rows, result = v.delivery.delivery_id, row_counts(v.verdict.rows), str(v.verdict.result)
            log(Entry(Event.DELIVERY_OUTCOME, None, delivery_id, rows, result=result, standing=str(v.standing)))
        ending.result = self.result
        ending.counts = {
            "deliveries": len(self.validated),
            "refused": len(self.stopped),
            "with_rows_held": len(self.held),
            "not_taken_in": len(self.unusable),
            "not_validated": len(self.not_validated),
            "not_reported": len(self.reported.not_reported),
        }

    def to_json(self) -> dict[str, Any]:
        """The result as plain JSON values. Keys are public: scripts read `pilots run --json`."""
        return {
            "run": self.run_id,
            "result": self.result,
            "verdict": self.verdict,
            "warehouse": str(self.warehouse),
            "summary": str(self.reported.summary_path),
            "not_taken_in": [asdict(u) for u in self.unusable],
            "not_judged": list(self.not_validated),
            "not_told": list(self.reported.not_reported),
            "deliveries": self.deliveries(),
        }

    def deliveries(self) -> list[dict[str, Any]]:
        """One record of plain values per delivery of this run: result, standing, row counts, path of its report."""
        return [
            {
                "delivery": v.delivery.delivery_id,
                "result": str(v.verdict.result),
                "standing": str(v.standing),
                **asdict(v.verdict.rows),
                "report": str(self.reported.pages.get(v.delivery.delivery_id, "")),
                **self._revalidation_counts(v),
            }
            for v in self.validated
        ]

    def _revalidation_counts(self, validated: ValidatedDelivery) -> dict[str, int]:
        """Rows that the re-validation of a delivery released and newly held; 0 where it was not re-validated."""
        revalidation = self.reported.revalidated.get(validated.delivery.delivery_id)
        if revalidation is None:
            return {"released": 0, "newly_held": 0}
        return {"released": revalidation.released, "newly_held": revalidation.newly_held}
