"""Write the report of each delivery whose outcome changed since its last report.

The ledger holds a digest of everything a report was made from. A report is written if that digest changed: because the
delivery is new, because rules between tables came to another result, or because the last run was cut off before
writing it.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from flows.deliveries.standings import extent
from flows.deliveries.validated import ValidatedDelivery
from flows.reporting.marking import MarkedWorkbook, make_marked_workbook, marked_path
from flows.reporting.render import delivery_report, write_reports
from flows.reporting.render.run_summary import count_findings
from flows.reporting.report import DatasetReport
from flows.reporting.revalidated import Revalidation, rows_held, since_last_report
from flows.reporting.words.delivery_names import short_name, withdrawal_notice
from flows.reporting.words.page import no_workbook
from flows.reporting.words.revalidated import sentences
from flows.reporting.words.site_index import INDEX
from flows.runtime.code_fingerprint import code_digest
from flows.runtime.log import Entry, Event, log
from flows.runtime.safe_errors import LoggedError, safe_message
from flows.steps.confirm.offer import codes_to_confirm
from flows.store.findings_table import select_findings
from flows.store.ledger import Ledger
from flows.store.ledger.held_rows import HeldRows
from flows.store.ledger.report_snapshots import ReportSnapshot
from flows.store.paths import DataPaths
from schemas._contract.catalogue import datasets
from schemas._contract.registry import next_due
from schemas._rules.explain import explain, rules_of
from schemas.audit.deliveries import Delivery, Result, Standing

if TYPE_CHECKING:
    import duckdb

# Prefixes of the digest in the ledger. From them the next run knows what kind of page was written last.
TO_DELETE = "to delete "  # the page asks to delete a file with personal data
REPLACED = "replaced "  # the page is only a record: a later file was accepted
WITHDRAWN = "withdrawn "  # the page shows that the delivery is withdrawn
FINDINGS_CACHED = 32  # deliveries: a report reads its own findings and those of the delivery before it
# The code that makes a report. It is in each report's digest, so that a change to it writes the reports again.
REPORT_CODE = (
    "flows/deliveries/*.py",
    "flows/reporting/*.py",
    "flows/reporting/render/**/*",
    "flows/reporting/words/*.py",
    "flows/runtime/wording.py",
    "flows/steps/confirm/*.py",
    "flows/store/findings_table.py",
    "flows/store/ledger/report_snapshots.py",
    "flows/store/ledger/held_rows.py",
    "flows/steps/read/raw_sheets/*.py",
    "flows/workbooks/*.py",
    "schemas/_contract/*.py",
    "schemas/_rules/*.py",
)


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
    marked: dict[tuple[str, str], MarkedWorkbook] = field(default_factory=dict)
    withdrawn: list[ValidatedDelivery] = field(default_factory=list)  # since their last report
    reinstated: list[ValidatedDelivery] = field(default_factory=list)  # since their last report

    def write_due(self) -> None:
        """Write each report whose digest changed and whose delivery still concerns its sender.

        Deliveries are taken in the order of arrival, because a report compares its file with those sent before. A
        report's digest includes the digests of the earlier ones in its series (site and dataset).
        """
        written, findings_digests = self.ledger.report_digests(), _findings_digests(self.db)
        arrived: dict[tuple[str, str], list[ValidatedDelivery]] = defaultdict(list)
        histories: dict[tuple[str, str], str] = defaultdict(str)  # series -> digest of the reports so far
        for v in sorted(self.validated, key=lambda v: (v.delivery.received_at, *extent(v.delivery))):
            d = v.delivery
            series = d.site_code, d.dataset
            history = "" if v.standing is Standing.STALE else histories[series]
            digest = self._digest_prefix(v) + _digest(v, findings_digests.get(d.delivery_id, ""), history, self.contact)
            if written.get(d.delivery_id, "") != digest:
                before = [] if v.standing is Standing.STALE else arrived[series]
                if self._write_if_due(v, before, written.get(d.delivery_id, ""), digest):
                    written[d.delivery_id] = digest
            # these change nothing in their series, so later reports are not compared with them
            if v.standing not in (Standing.STALE, Standing.SAME, Standing.WITHDRAWN):
                arrived[series].append(v)
                # a deleted file changes the page that asked for it, and no later one
                histories[series] = _hash(histories[series], written.get(d.delivery_id, "").removeprefix(TO_DELETE))

    def _digest_prefix(self, v: ValidatedDelivery) -> str:
        """What the report asks for, apart from its findings."""
        prefix = TO_DELETE if v.delivery.delivery_id in self.to_delete else ""
        if v.withdrawal:
            return prefix + WITHDRAWN
        return prefix + (REPLACED if self._replaced_by(v) else "")

    def _write_if_due(
        self, v: ValidatedDelivery, before: Sequence[ValidatedDelivery], previous_digest: str, digest: str
    ) -> bool:
        """Write a report whose digest changed, unless it is out of use and may keep its last page. Returns if it did.

        A delivery that no longer counts keeps its page, unless it was refused only now or its page asks for something
        that is no longer needed. One that was refused and not sent again is in use: its sender works from that page.
        """
        last = next(iter(self.ledger.report_snapshots([v.delivery.delivery_id])), None)
        standing = self._standing(v)
        stopped = standing in (Standing.REFUSED, Standing.STALE, Standing.HELD_UP)
        refused_now = stopped and last is not None and not last.result.is_rejected
        was_withdrawn = WITHDRAWN in previous_digest
        withdrawn = was_withdrawn or v.withdrawal is not None
        deletion_changed = (TO_DELETE in previous_digest) != (TO_DELETE in digest)
        deletion_due = deletion_changed and not self._is_overwritten(v.delivery)
        needless = self._asks_to_fix_superseded(v, last) and (deletion_due or REPLACED not in previous_digest)
        due = (
            standing is Standing.CURRENT
            or withdrawn
            or refused_now
            or needless
            or deletion_due
            or self._needs_resubmission(v)
        )
        if previous_digest and not due:
            return False
        if needless and last is not None and not was_withdrawn:
            return self._rewrite_as_record(v, last, digest)
        written = self._write(v, before, last, digest)
        if written and was_withdrawn is not (v.withdrawal is not None):
            (self.reinstated if was_withdrawn else self.withdrawn).append(v)
        return written

    def _write(
        self, v: ValidatedDelivery, before: Sequence[ValidatedDelivery], last: ReportSnapshot | None, digest: str
    ) -> bool:
        """Write the report of one delivery and record it. Returns False where the next run has to try again.

        Rules between tables skip a withdrawn delivery, so its page repeats the counts of its last report.
        """
        d, verdict = v.delivery, v.verdict
        if last_counts := last if v.withdrawal else None:
            verdict = replace(verdict, result=last_counts.result, rows=last_counts.rows)
        try:
            findings = self.findings(v)
            compared = next((b for b in reversed(before) if b.verdict.rows_judged), None)
            earlier = self.ledger.report_snapshots(b.delivery.delivery_id for b in before)
            last_findings = None if compared is None else self.findings(compared)
            report = delivery_report(
                delivery=d,
                verdict=verdict,
                findings=findings,
                earlier=earlier,
                last_findings=last_findings,
                deadline=_deadline(d),
                run=self.run,
            )
            again = since_last_report(self.db, v, verdict, findings, last, self.ledger.held_rows(d.delivery_id))
            if again is not None and not v.withdrawal:
                report = replace(report, released=again.released, revalidated=sentences(again))
            # with a wrong month in its name, no cell of the file has to change
            marked = MarkedWorkbook() if report.only_wrong_month else self._marked_workbook(v)
            report = replace(
                report,
                marked_workbook=marked.name,
                no_marked_workbook=no_workbook(marked.why_none),
                replaced_by=self._replaced_by(v),
                must_be_deleted=d.delivery_id in self.to_delete,
                held_up=self._standing(v) is Standing.HELD_UP,
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
        if marked.problem:
            self.failures.append(f"{short_name(d)}: its marked workbook could not be made: {marked.problem}")
            return False
        if last_counts:  # its last snapshot stays, to compare with should the delivery be let back
            self.ledger.record_report(d.delivery_id, digest)
            return True
        held = HeldRows(self.moment.date(), rows_held(findings))
        self.ledger.record_report(d.delivery_id, digest, report.snapshot, held)
        return True

    def _replaced_by(self, v: ValidatedDelivery) -> str:
        """The name of the accepted file that took this one's place; '' where there is none.

        The report of a stale file, or of a copy of an accepted one, says that instead.
        """
        says_so_itself = v.standing is Standing.STALE or (
            v.standing is Standing.SAME and not v.verdict.result.is_rejected
        )
        is_replaced = not says_so_itself and v.delivery.delivery_id in self.replaced
        return self.replaced[v.delivery.delivery_id].file_name if is_replaced else ""

    def _standing(self, v: ValidatedDelivery) -> Standing:
        """The standing of a delivery; a copy has that of the delivery it is the same as."""
        return self._standings.get(v.delivery.same_as, v.standing) if v.standing is Standing.SAME else v.standing

    @cached_property
    def _standings(self) -> Mapping[str, Standing]:
        return {v.delivery.delivery_id: v.standing for v in self.validated}

    def _asks_to_fix_superseded(self, v: ValidatedDelivery, last: ReportSnapshot | None) -> bool:
        """Whether the last page asks for fixes to a file that was replaced since, or offers to confirm its warnings.

        A file that was overwritten under the same name shares its page with the new one, and so has none of its own.
        """
        d = v.delivery
        asks = last is not None and (last.result is not Result.ACCEPTED or marked_path(self._folder(d), d).exists())
        return asks and bool(self._replaced_by(v)) and not self._is_overwritten(d)

    def _needs_resubmission(self, v: ValidatedDelivery) -> bool:
        """Whether the delivery is not in the figures, and none that is has come after it."""
        not_in_figures = self._standing(v) in (Standing.REFUSED, Standing.EMPTY, Standing.HELD_UP)
        return not_in_figures and v.delivery.delivery_id not in self.replaced and not self._is_overwritten(v.delivery)

    def _is_overwritten(self, d: Delivery) -> bool:
        """Whether other bytes came later under the same path."""
        others = (o.delivery for o in self.validated if o.delivery.path == d.path)
        return any(o.sha256 != d.sha256 and o.received_at > d.received_at for o in others)

    def _rewrite_as_record(self, v: ValidatedDelivery, last: ReportSnapshot, digest: str) -> bool:
        """Rewrite a page that asks for needless fixes as a record: with its last counts and no marked workbook.

        Its snapshot in the ledger stays, because later months are compared with it.
        """
        d = v.delivery
        try:
            verdict = replace(v.verdict, result=last.result, rows=last.rows)
            findings = self.findings(v)
            report = delivery_report(d, verdict, findings, deadline=_deadline(d), run=self.run)
            marked = self._marked_workbook(v)
            record = replace(
                report,
                replaced_by=self._replaced_by(v),
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
        self.ledger.record_report(d.delivery_id, digest)
        return True

    def _marked_workbook(self, v: ValidatedDelivery) -> MarkedWorkbook:
        """The marked workbook of the delivery's file, made once for all the datasets in the file."""
        d = v.delivery
        if v.standing is Standing.STALE:
            return MarkedWorkbook()
        # each dataset of a workbook has a report, but they share one file
        if (d.path, d.sha256) not in self.marked:
            self.marked[d.path, d.sha256] = self._make_marked_workbook(d)
        return self.marked[d.path, d.sha256]

    def _make_marked_workbook(self, d: Delivery) -> MarkedWorkbook:
        contracts = list(datasets())
        of_file = [o for o in self.validated if (o.delivery.path, o.delivery.sha256) == (d.path, d.sha256)]
        # in the order of the catalogue, so that the same input gives the same workbook
        of_file.sort(key=lambda o: contracts.index(o.delivery.dataset))
        try:
            parts = [self._part(o) for o in of_file]
            raw = self.paths.raw / d.path
            return make_marked_workbook(raw, d, parts, self._folder(d), readers_of=raw.parent)
        except OSError:
            raise
        except Exception as error:
            log(Entry(Event.DELIVERY_NOT_REPORTED, "report", d.delivery_id, error=LoggedError.of(error)))
            return MarkedWorkbook(why_none="it could not be made tonight", problem=safe_message(error))

    def _folder(self, d: Delivery) -> Path:
        return self.paths.reports / d.site_code

    def _part(self, v: ValidatedDelivery) -> DatasetReport:
        d, verdict, findings = v.delivery, v.verdict, self.findings(v)
        report = delivery_report(d, verdict, findings, deadline=_deadline(d))
        withdrawn = withdrawal_notice(v.withdrawal, d) if v.withdrawal else ""
        report = replace(report, replaced_by=self._replaced_by(v), withdrawn=withdrawn)
        asks_nothing = report.replaced_by or withdrawn or v.standing in (Standing.SAME, Standing.STALE)
        codes = {} if asks_nothing else codes_to_confirm(v, findings, self.paths)
        return DatasetReport(report, verdict, findings, datasets()[d.dataset], codes)

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


def _findings_digests(db: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """delivery_id -> digest of its findings, which does not depend on their order.

    The hashes are added up as `hugeint`, reduced first, so that no number of findings overflows.
    """
    rows = db.execute(
        "select delivery_id, count(*), sum(hash(f)::hugeint % 1000000000000000) from audit.findings f group by 1"
    ).fetchall()
    return {r[0]: f"{r[1]}-{r[2]}" for r in rows}


def _digest(v: ValidatedDelivery, findings: str, history: str, contact: str) -> str:
    """Digest of all that a report is made from: result, findings, earlier reports, rule texts, deadline, contact, code.

    The key of the validation result stands for everything but what rules between tables changed afterwards: the
    result and the counts are in the digest themselves.
    """
    final = str(v.verdict.result), v.verdict.rows
    texts = _rule_texts(v.delivery.dataset), str(_deadline(v.delivery))
    return _hash(v.key, str(v.standing), final, findings, history, *texts, _report_code(), v.withdrawal, contact)


def _hash(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


@lru_cache
def _report_code() -> str:
    return code_digest(REPORT_CODE)


@lru_cache
def _rule_texts(dataset: str) -> str:
    """Digest of the texts of a dataset's rules, which are in no validation result and in no result key."""
    contract = datasets()[dataset]
    texts = [
        (rule.rule_id, str(severity), field, explain(contract, rule.rule_id, field, severity), _titles(rule.needs))
        for rule, severity, field in rules_of(contract)
    ]
    return hashlib.sha256(repr(texts).encode()).hexdigest()


def _titles(needed: Iterable[str]) -> list[str]:
    return [datasets()[name].title if name in datasets() else name for name in needed]


def _findings(db: duckdb.DuckDBPyConnection, delivery_id: str, same_as: str) -> pl.DataFrame:
    order = ("source_row", "column_letter", "rule_id", "severity")
    findings = select_findings(db, [delivery_id, same_as])
    return findings.sort(order, nulls_last=[False, True, True, True], maintain_order=True)


def _deadline(delivery: Delivery) -> datetime | None:
    """When the next return is due after this one was received; None at the end of the return calendar."""
    due = next_due(delivery.received_at.date())
    return due[1] if due else None
