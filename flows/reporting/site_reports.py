"""Write the report of each delivery whose outcome changed since its last report.

`due_reports.py` decides which those are. Marked workbooks are nearly all of the work: in a large run they are made in
other processes, ahead of the reports that name them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from flows.deliveries.validated import ValidatedDelivery
from flows.reporting.due_reports import DueReport, ReportsDue, deadline
from flows.reporting.render import delivery_report, with_history, write_reports
from flows.reporting.render.marked.marking import MarkedWorkbook, make_marked_workbook
from flows.reporting.render.run_summary import count_findings
from flows.reporting.report import DatasetReport, Report
from flows.reporting.revalidated import Revalidation, rows_held, since_last_report
from flows.reporting.words.delivery_names import short_name, withdrawal_notice
from flows.reporting.words.revalidated import sentences
from flows.reporting.words.sending import no_workbook
from flows.reporting.words.site_index import INDEX
from flows.runtime.log import Entry, Event, log
from flows.runtime.safe_errors import LoggedError, safe_message
from flows.runtime.worker_processes import WORKERS, map_in_processes
from flows.steps.confirm.offer import codes_to_confirm
from flows.store.findings_table import select_findings
from flows.store.ledger import Ledger
from flows.store.ledger.held_rows import HeldRows
from flows.store.paths import DataPaths
from schemas._contract.catalogue import datasets
from schemas._contract.model import Severity
from schemas._rules.deletions import DELETED_RULE
from schemas._rules.files import WAITING_RULE
from schemas.audit.deliveries import Delivery, Standing, Verdict
from schemas.audit.findings import Outcome

if TYPE_CHECKING:
    import duckdb

FINDINGS_CACHED = 32  # deliveries: a report reads its own findings and those of the delivery before it
ROWS_FOR_PROCESSES = 20_000  # in files to mark: with fewer, starting other processes takes longer than the work
AFTER_A_FAILURE = " after a failure"  # ends the digest of a report to be written again by the next run


class WorkbookJob(NamedTuple):
    """What the marked workbook of a file is made from."""

    raw: Path
    delivery: Delivery
    parts: Sequence[DatasetReport]
    folder: Path


def _make(job: WorkbookJob | MarkedWorkbook) -> MarkedWorkbook:
    """Make the marked workbook of a file, unless its result is known. Any error but OSError becomes the result."""
    if isinstance(job, MarkedWorkbook):
        return job
    try:
        return make_marked_workbook(*job, readers_of=job.raw.parent)
    except OSError:
        raise
    except Exception as error:
        return MarkedWorkbook.failed(error)


@dataclass
class DeliveryReports:
    """Writes the reports of one run. One that cannot be written is named in `failures`; the others go on.

    `validated` is every known delivery with its final outcome, `moment` the time of the run (UTC). Filled while
    writing, by delivery_id: `pages`, the page of each report that was written, and `revalidations`, the rows released
    or newly held since the last one.
    """

    paths: DataPaths
    ledger: Ledger
    db: duckdb.DuckDBPyConnection
    validated: Sequence[ValidatedDelivery]
    moment: datetime
    replaced: dict[str, Delivery]  # delivery_id -> the accepted delivery that took its place
    run: dict[str, str]
    contact: str = ""  # of the data team
    to_delete: Collection[str] = ()  # delivery_ids: their files hold personal data and are still in data/raw
    pages: dict[str, Path] = field(default_factory=dict)
    revalidations: dict[str, Revalidation] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    withdrawn: list[ValidatedDelivery] = field(default_factory=list)  # since their last report
    reinstated: list[ValidatedDelivery] = field(default_factory=list)  # since their last report

    _as_marked: dict[str, Report] = field(default_factory=dict)  # delivery_id -> the report in its marked workbook
    _confirmable: set[str] = field(default_factory=set)  # delivery_ids with a warning that can be confirmed

    def write_due(self) -> None:
        """Write the reports that are due and record them in the ledger, in the order of arrival.

        One that comes after a failed one in its series is written, and again by the next run: it lacks the failed one.
        """
        due = list(self._due.find())
        log(Entry(Event.REPORTS_DUE, "report", counts={"reports": len(due)}))
        failed: set[tuple[str, str]] = set()
        for report, marked in zip(due, self._marked_workbooks(due), strict=True):
            if report.series in failed:
                report = replace(report, digest=report.digest + AFTER_A_FAILURE)
            write = self._rewrite_as_record if report.is_record else self._write
            if not write(report, marked):
                failed.add(report.series)
                continue
            log(Entry(Event.DELIVERY_REPORTED, "report", report.of.delivery.delivery_id))
            if report.was_withdrawn is not (report.of.withdrawal is not None):
                (self.reinstated if report.was_withdrawn else self.withdrawn).append(report.of)

    @cached_property
    def _due(self) -> ReportsDue:
        return ReportsDue(
            ledger=self.ledger,
            db=self.db,
            validated=self.validated,
            replaced=self.replaced,
            folder=self.paths.reports,
            contact=self.contact,
            to_delete=self.to_delete,
        )

    def _marked_workbooks(self, due: Sequence[DueReport]) -> Iterator[MarkedWorkbook]:
        """Yield the marked workbook of each report's file. It is made once for all the datasets in the file."""
        to_mark: dict[tuple[str, str], ValidatedDelivery] = {}
        for report in due:
            if report.of.standing is not Standing.STALE:
                to_mark.setdefault(report.file, report.of)
        rows = sum(v.verdict.rows.read for v in to_mark.values())
        workers = WORKERS if rows >= ROWS_FOR_PROCESSES else 0
        making = map_in_processes(_make, map(self._workbook_job, to_mark.values()), workers)
        made: dict[tuple[str, str], MarkedWorkbook] = {}
        for report in due:
            if report.file in to_mark and report.file not in made:
                made[report.file] = next(making)
                if error := made[report.file].error:
                    log(Entry(Event.DELIVERY_NOT_REPORTED, "report", report.of.delivery.delivery_id, error=error))
            yield MarkedWorkbook() if report.of.standing is Standing.STALE else made[report.file]

    def _workbook_job(self, v: ValidatedDelivery) -> WorkbookJob | MarkedWorkbook:
        """What the marked workbook of a delivery's file is made from, or why it cannot be made."""
        d = v.delivery
        try:
            parts = [self._part(o) for o in self._due.in_file(v)]
        except OSError:
            raise
        except Exception as error:
            return MarkedWorkbook.failed(error)
        # with a wrong month in its name, no cell of the file has to change
        if all(p.report.only_wrong_month for p in parts):
            return MarkedWorkbook()
        return WorkbookJob(self.paths.raw / d.path, d, parts, self.paths.reports / d.site_code)

    def _write(self, due: DueReport, marked: MarkedWorkbook) -> bool:
        """Write the report of one delivery and record it. Returns False where the next run has to try again.

        Rules between tables skip a withdrawn delivery, so its page repeats the counts of its last report.
        """
        v, last = due.of, due.last
        d, verdict = v.delivery, v.verdict
        if last_counts := last if v.withdrawal else None:
            verdict = replace(verdict, result=last_counts.result, rows=last_counts.rows)
        try:
            findings = self.findings(v)
            compared = next((b for b in reversed(due.before) if b.verdict.rows_judged), None)
            earlier = self.ledger.report_snapshots(b.delivery.delivery_id for b in due.before)
            last_findings = None if compared is None else self.findings(compared)
            report = self._as_marked.pop(d.delivery_id, None) or self._report(v, verdict)
            report = with_history(report, findings, earlier, last_findings)
            again = since_last_report(self.db, v, verdict, findings, last, self.ledger.held_rows(d.delivery_id))
            if again is not None and not v.withdrawal:
                report = replace(report, released=again.released, revalidated=sentences(again))
            marked = MarkedWorkbook() if report.only_wrong_month else marked
            report = replace(
                report,
                marked_workbook=marked.name if report.send_again or d.delivery_id in self._confirmable else "",
                no_marked_workbook=no_workbook(marked.why_none),
                replaced_by=self._due.replaced_by(v),
                must_be_deleted=d.delivery_id in self.to_delete,
                held_up=self._due.standing(v) is Standing.HELD_UP,
                withdrawn=withdrawal_notice(v.withdrawal, d) if v.withdrawal else "",
                index=INDEX,
                contact=self.contact,
            )
            page = write_reports(self.paths.reports, report, findings)["html"]
        except OSError:  # a fault of the disk: every other report would fail as well
            raise
        except Exception as error:
            log(Entry(Event.DELIVERY_NOT_REPORTED, "report", d.delivery_id, error=LoggedError.of(error)))
            self.failures.append(f"{short_name(d)}: its report could not be written: {safe_message(error)}")
            return False
        self.pages[d.delivery_id] = page
        # the rows of an identical file are counted with the first one
        if again is not None and not v.withdrawal and v.standing is not Standing.SAME:
            self.revalidations[d.delivery_id] = again
        if marked.error:
            self.failures.append(f"{short_name(d)}: {marked.why_none}")
            return False
        if last_counts:  # its last snapshot stays, to compare with should the delivery be let back
            self.ledger.record_report(d.delivery_id, due.digest)
            return True
        held = HeldRows(self.moment.date(), rows_held(findings))
        self.ledger.record_report(d.delivery_id, due.digest, report.snapshot, held)
        return True

    def _rewrite_as_record(self, due: DueReport, marked: MarkedWorkbook) -> bool:
        """Rewrite a page that asks for needless fixes as a record: with its last counts and no marked workbook.

        Its snapshot in the ledger stays, because later months are compared with it.
        """
        v, last = due.of, due.last
        d = v.delivery
        try:
            verdict = replace(v.verdict, result=last.result, rows=last.rows) if last else v.verdict
            findings = self.findings(v)
            record = replace(
                self._report(v, verdict),
                replaced_by=self._due.replaced_by(v),
                must_be_deleted=d.delivery_id in self.to_delete,
                marked_workbook=marked.name,
                index=INDEX,
                contact=self.contact,
            )
            write_reports(self.paths.reports, record, findings)
        except OSError:
            raise
        except Exception as error:
            log(Entry(Event.DELIVERY_NOT_REPORTED, "report", d.delivery_id, error=LoggedError.of(error)))
            self.failures.append(f"{short_name(d)}: its report could not be written: {safe_message(error)}")
            return False
        self.ledger.record_report(d.delivery_id, due.digest)
        return True

    def _sheets_to_fix(self, v: ValidatedDelivery) -> tuple[str, ...]:
        """The titles of the other datasets in a delivery's file that have to be fixed."""
        others = [o for o in self._due.others_in_file(v) if self._due.is_to_be_sent_again(o) and self._has_faults(o)]
        return tuple(datasets()[o.delivery.dataset].title for o in others)

    def _has_faults(self, v: ValidatedDelivery) -> bool:
        """Whether anything is wrong with a delivery itself; not where it waits for another, or has deleted records."""
        findings = self.findings(v)
        holding = (pl.col("severity") != Severity.WARNING) & (pl.col("outcome") == Outcome.BROKEN)
        return not findings.filter(holding & ~pl.col("rule_id").is_in([WAITING_RULE, DELETED_RULE])).is_empty()

    def _part(self, v: ValidatedDelivery) -> DatasetReport:
        d, verdict, findings = v.delivery, v.verdict, self.findings(v)
        report = self._report(v, verdict)
        if not v.withdrawal:  # the page of a withdrawn delivery has other counts
            self._as_marked[d.delivery_id] = report
        withdrawn = withdrawal_notice(v.withdrawal, d) if v.withdrawal else ""
        report = replace(report, replaced_by=self._due.replaced_by(v), withdrawn=withdrawn)
        asks_nothing = report.replaced_by or withdrawn or v.standing in (Standing.SAME, Standing.STALE)
        codes = {} if asks_nothing else codes_to_confirm(v, findings, self.paths)
        if codes:
            self._confirmable.add(d.delivery_id)
        return DatasetReport(report, verdict, findings, codes)

    def _report(self, v: ValidatedDelivery, verdict: Verdict) -> Report:
        """The report on a delivery, without what earlier reports and the state of the run add to it."""
        report = delivery_report(v.delivery, verdict, self.findings(v), deadline=deadline(v.delivery), run=self.run)
        report = replace(report, sheets_to_fix=self._sheets_to_fix(v))
        if other := report.other_dataset:
            return replace(report, other_version=self._next_version(v.delivery, other.dataset))
        return report

    def _next_version(self, named: Delivery, dataset: str) -> int:
        """The next version of another dataset of the same site and month; 1 where none has come."""
        wanted = named.site_code, dataset, named.period
        of_all = (v.delivery for v in self.validated)
        return 1 + max((d.version for d in of_all if (d.site_code, d.dataset, d.period) == wanted), default=0)

    def counts(self, validated: Iterable[ValidatedDelivery]) -> pl.DataFrame:
        """Counts of findings by delivery_id, rule_id, severity, outcome and field; without columns if no delivery."""
        counts = [count_findings(v.delivery.delivery_id, self.findings(v)) for v in validated]
        return pl.concat(counts) if counts else pl.DataFrame()

    def findings(self, v: ValidatedDelivery) -> pl.DataFrame:
        """The findings of a delivery, and of the one it is the same as."""
        return self._cached_findings(v.delivery.delivery_id, v.delivery.same_as)

    @cached_property
    def _cached_findings(self) -> Callable[[str, str], pl.DataFrame]:
        return lru_cache(FINDINGS_CACHED)(partial(_findings, self.db))


def _findings(db: duckdb.DuckDBPyConnection, delivery_id: str, same_as: str) -> pl.DataFrame:
    order = ("source_row", "column_letter", "rule_id", "severity")
    findings = select_findings(db, [delivery_id, same_as])
    return findings.sort(order, nulls_last=[False, True, True, True], maintain_order=True)
