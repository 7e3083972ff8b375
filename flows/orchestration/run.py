"""One run, nightly or to re-validate: how it begins, how it ends, and its result.

What it does is in `nightly.py` and `work.py`. Nothing heavy is imported here: a quiet run needs no more than this.
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
from flows.store.ledger.runs import EarlierThanKnown, Runs, in_words_not_well, ledger_troubles, now
from flows.store.lock import writer_lock
from flows.store.paths import DataPaths
from flows.store.warehouse import Warehouse

if TYPE_CHECKING:
    from flows.deliveries.validated import ValidatedDelivery
    from flows.steps.receive import UnusableFile
    from schemas.audit.deliveries import Delivery


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Scope of a run. A nightly run covers everything; a re-validation takes in no file and may cover less."""

    new_files: bool = True
    site: str = ""
    dataset: str = ""

    @property
    def command(self) -> str:
        """What the log calls it."""
        return "run" if self.new_files else "revalidate"

    def covers(self, delivery: Delivery) -> bool:
        """Whether a delivery may be re-validated."""
        return self.site in ("", delivery.site_code) and self.dataset in ("", delivery.dataset)


FULL_SCOPE = Scope()


@dataclass
class Run:
    """What every stage of one run shares. `moment` is what the run takes for now."""

    settings: Settings
    places: DataPaths
    ledger: Runs
    moment: datetime
    id: str
    started_at: datetime
    scope: Scope = FULL_SCOPE
    look: str = ""  # what it depends on besides the clock, as a digest: see `no_op_run.py`
    ending: Ending = field(default_factory=Ending)  # what the last line of its log says
    before: str = ""  # that the run before it did not end well, if it did not

    @property
    def warehouse(self) -> Warehouse:
        """The builds of the data folder."""
        return self.settings.warehouse()

    @property
    def about(self) -> dict[str, str]:
        """What reports say of the run."""
        return {**_about(self.id, self.started_at), "before": self.before}


@contextmanager
def opened(settings: Settings, moment: datetime | None, scope: Scope = FULL_SCOPE) -> Iterator[Run]:
    """Hold the lock, clear away what a run that was cut off left, and begin a run.

    One that fails is noted as failed, and its summary says why. Raises Busy where another run holds the lock,
    NoDataFolder, LedgerUnusable, and EarlierThanKnown for a moment before the last one.
    """
    places, started = DataPaths(settings.data.absolute()), now()
    run_id = f"{started:%Y%m%dT%H%M%S}-{os.urandom(3).hex()}"
    places.require()
    places.make()
    with (
        writer_lock(places.lock),
        run_log(places.logs, scope.command, run_id, rejections=(EarlierThanKnown,)) as ending,
        _failure_reported(settings.warehouse(), _about(run_id, started)),
        _ledger_of(places) as ledger,
    ):
        places.clear_unfinished()
        newest = ledger.newest_receipt()
        moment = ledger.moment_of(moment, started)
        before = in_words_not_well(ledger.not_well())
        run = Run(
            settings=settings,
            places=places,
            ledger=ledger,
            moment=moment,
            id=run_id,
            started_at=started,
            scope=scope,
            look=fingerprint_inputs(places),
            ending=ending,
            before=before,
        )
        ledger.start_run(run.id, run.started_at, run.moment, __version__)
        try:
            places.require_raw(received_before=newest is not None)
            yield run
        except Exception:
            with suppress(sqlite3.Error):  # the error itself matters more than the note of it
                ledger.end_run(run.id, "failed", 0, 0)
            raise


def _about(run_id: str, started: datetime) -> dict[str, str]:
    return {"id": run_id, "code_version": __version__, "started_at": started.isoformat()}


@contextmanager
def _ledger_of(places: DataPaths) -> Iterator[Runs]:
    with ledger_troubles(places), closing(Runs(places.ledger)) as ledger:
        ledger.require_history(places)
        yield ledger


@contextmanager
def _failure_reported(warehouse: Warehouse, about: dict[str, str]) -> Iterator[None]:
    """Write the summary of a run that fails. A usage error, such as an earlier moment, is not a failed run."""
    build = warehouse.current()
    try:
        yield
    except EarlierThanKnown:
        raise
    except Exception as error:
        with suppress(OSError):  # the error itself matters more than its report
            warehouse.places.clear_unfinished()  # a full disk has room for a page then
            from flows.reporting.run_report import report_failure

            report_failure(warehouse, about, error, published=warehouse.current() != build)
        raise


@dataclass(frozen=True)
class RunResult:
    """Result of a run: published or quiet, what it validated, and where its reports and warehouse are."""

    run_id: str
    result: str  # 'published' or 'quiet'
    warehouse: Path
    validated: tuple[ValidatedDelivery, ...] = ()  # the deliveries that were received or re-validated in this run
    unusable: tuple[
        UnusableFile, ...
    ] = ()  # files whose name says nothing, or whose manifest is wrong, new in this run
    not_validated: tuple[str, ...] = ()  # deliveries that could not be checked in this run, and why
    reported: ReportingResult = field(default_factory=ReportingResult)

    @property
    def verdict(self) -> str:
        """Verdict of the run in one sentence."""
        return self.reported.summary.splitlines()[0]

    @property
    def stopped(self) -> tuple[ValidatedDelivery, ...]:
        """This run's deliveries that were refused or could not be read, and that nothing has made needless to fix."""
        return tuple(j for j in self._in_use if j.verdict.result.stops)

    @property
    def held(self) -> tuple[ValidatedDelivery, ...]:
        """This run's deliveries that were accepted but for some rows, of those that are in use."""
        return tuple(j for j in self._in_use if j.verdict.result.holds_rows)

    @property
    def personal(self) -> tuple[ValidatedDelivery, ...]:
        """This run's deliveries that hold personal data, whether or not a later one has replaced them."""
        return tuple(j for j in self.validated if j.delivery.delivery_id in self.reported.personal)

    @property
    def outcome(self) -> str:
        """Name of the run's final state: what people have to do, the most urgent first."""
        from schemas.audit.deliveries import Standing  # a quiet run has no need of it

        asked: tuple[tuple[str, Sequence[object]], ...] = (
            ("PersonalData", self.personal),
            ("NotValidated", self.not_validated),
            ("NotReported", self.reported.not_reported),
            ("Refused", [j for j in self.stopped if j.standing is not Standing.HELD_UP]),
            ("HeldUp", self.stopped),
            ("NotTakenIn", self.unusable),
            ("PartlyLoaded", self.held),
        )
        return next((name for name, concerned in asked if concerned), "Completed")

    @property
    def _in_use(self) -> tuple[ValidatedDelivery, ...]:
        """This run's deliveries that no later one has replaced, and that are not withdrawn."""
        replaced = self.reported.replaced
        return tuple(j for j in self.validated if j.delivery.delivery_id not in replaced and j.withdrawal is None)

    @property
    def must_be_fixed(self) -> bool:
        """Whether somebody has to do something: send a file again, or see why one could not be checked or reported."""
        return bool(self.stopped or self.unusable or self.not_validated or self.reported.not_reported)

    def log_for(self, ending: Ending) -> None:
        """Log the final outcome of each delivery, and count the outcomes for the last line of the run."""
        for j in self.validated:
            i, rows, result = j.delivery.delivery_id, row_counts(j.verdict.rows), str(j.verdict.result)
            log(Entry(Event.DELIVERY_SETTLED, None, i, rows, result=result, standing=str(j.standing)))
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
        """The result as plain JSON values."""
        return {
            "run": self.run_id,
            "result": self.result,
            "verdict": self.verdict,
            "warehouse": str(self.warehouse),
            "summary": str(self.reported.path),
            "not_taken_in": [asdict(u) for u in self.unusable],
            "not_judged": list(self.not_validated),
            "not_told": list(self.reported.not_reported),
            "deliveries": self.deliveries(),
        }

    def deliveries(self) -> list[dict[str, Any]]:
        """The outcome of each of this run's deliveries, as plain values."""
        return [
            {
                "delivery": j.delivery.delivery_id,
                "result": str(j.verdict.result),
                "standing": str(j.standing),
                **asdict(j.verdict.rows),
                "report": str(self.reported.pages.get(j.delivery.delivery_id, "")),
                **self._again(j),
            }
            for j in self.validated
        ]

    def _again(self, validated: ValidatedDelivery) -> dict[str, int]:
        again = self.reported.revalidated.get(validated.delivery.delivery_id)
        return {"released": again.released if again else 0, "newly_held": again.newly_held if again else 0}
