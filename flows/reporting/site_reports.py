"""The report of each delivery: which ones are due in this run, and the writing of them.

What a report is made of has a digest in the ledger, so a report is written when its delivery is new, when a rule
between tables changed its mind, and again if the last run was cut off before writing it; never otherwise.
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
from flows.reporting.marking import MarkedWorkbook, make_marked_workbook
from flows.reporting.render import delivery_report, write_reports
from flows.reporting.render.run_summary import count_findings
from flows.reporting.report import Part
from flows.reporting.revalidated import Revalidation, rows_held, since_last_report
from flows.reporting.words.deliveries import short_name, withdrawal_notice
from flows.reporting.words.page import no_workbook
from flows.reporting.words.revalidated import sentences
from flows.runtime.code_fingerprint import code_digest
from flows.runtime.log import Entry, Event, log
from flows.runtime.safe_errors import Fault, safe_message
from flows.store.findings import select_findings
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

MUST_GO = "to delete "  # before the digest of a report that asks to delete its file
REPLACED = "replaced "  # before the digest of a report that is a mere record
WITHDRAWN = "withdrawn "  # before the digest of a report that says so
FINDINGS_AT_HAND = 32  # deliveries whose findings are kept while the reports are written
REPORT_CODE = (
    "flows/deliveries/*.py",
    "flows/reporting/*.py",
    "flows/reporting/render/**/*",
    "flows/reporting/words/*.py",
    "flows/runtime/wording.py",
    "flows/store/findings.py",
    "flows/store/ledger/report_snapshots.py",
    "flows/store/ledger/held_rows.py",
    "flows/steps/read/whole/*.py",
    "flows/workbooks/*.py",
    "schemas/_contract/*.py",
    "schemas/_rules/*.py",
)


@dataclass
class DeliveryReports:
    """The reports of one run. A report that cannot be written costs itself alone: `failures` says so.

    `validated` is every delivery known, `moment` what the run took for now. `pages` and `fares` say of each report that
    was written where it is and how its delivery fares since the last one.
    """

    places: DataPaths
    ledger: Ledger
    db: duckdb.DuckDBPyConnection
    validated: Sequence[ValidatedDelivery]
    moment: datetime
    replaced: dict[str, Delivery]
    run: dict[str, str]
    must_go: Collection[str] = ()  # ids of deliveries whose file holds personal data, and lies in data/raw still
    pages: dict[str, Path] = field(default_factory=dict)
    fares: dict[str, Revalidation] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    marked: dict[tuple[str, str], MarkedWorkbook] = field(default_factory=dict)
    withdrawn: list[ValidatedDelivery] = field(default_factory=list)  # whose reports say so for the first time
    let_back: list[ValidatedDelivery] = field(default_factory=list)  # whose reports said so, and say it no more

    def write_due(self) -> None:
        """Write each report whose making has changed, and say how the delivery fares since the last one.

        A delivery that is out of use keeps the report it had, unless it is refused only now, or asks the sender to fix
        what a later file has replaced. One that was refused and not sent again is in use: its sender goes by its page.
        """
        written, made_of = self.ledger.report_digests(), _digests(self.db)
        arrived: dict[tuple[str, str], list[ValidatedDelivery]] = defaultdict(list)
        histories: dict[tuple[str, str], str] = defaultdict(str)  # what the reports before were made of, as a digest
        for j in sorted(self.validated, key=lambda j: (j.delivery.received_at, *extent(j.delivery))):
            d = j.delivery
            series = d.site_code, d.dataset
            history = "" if j.standing is Standing.STALE else histories[series]
            made_now = _digest(j, made_of.get(d.delivery_id, ""), history)
            digest = self._what_it_is(j) + made_now
            if written.get(d.delivery_id, "") != digest:
                before = [] if j.standing is Standing.STALE else arrived[series]
                if self._write_if_due(j, before, written.get(d.delivery_id, ""), digest):
                    written[d.delivery_id] = digest
            if j.standing not in (Standing.STALE, Standing.SAME, Standing.WITHDRAWN):
                arrived[series].append(j)
                histories[series] = _of(histories[series], written.get(d.delivery_id, "").removeprefix(MUST_GO))

    def _what_it_is(self, j: ValidatedDelivery) -> str:
        """What a report is besides what was found: it stands before its digest."""
        must_go = MUST_GO if j.delivery.delivery_id in self.must_go else ""
        if j.withdrawal:
            return must_go + WITHDRAWN
        return must_go + (REPLACED if self._replaced_by(j) else "")

    def _write_if_due(
        self, j: ValidatedDelivery, before: Sequence[ValidatedDelivery], told_before: str, digest: str
    ) -> bool:
        """Write a report that is made of something else than it was, unless it keeps the one it had."""
        last_said = next(iter(self.ledger.report_snapshots([j.delivery.delivery_id])), None)
        standing = self._standing(j)
        stopped = standing in (Standing.REFUSED, Standing.STALE, Standing.HELD_UP)
        refused_now = stopped and last_said is not None and not last_said.result.is_rejected
        was_withdrawn = WITHDRAWN in told_before
        withdrawn = was_withdrawn or j.withdrawal is not None
        turned = (MUST_GO in told_before) != (MUST_GO in digest) and not self._is_overwritten(j.delivery)
        in_vain = self._asks_in_vain(j, last_said) and (turned or REPLACED not in told_before)
        due = (
            standing is Standing.CURRENT
            or withdrawn
            or refused_now
            or in_vain
            or turned
            or self._waits_for_its_sender(j)
        )
        if told_before and not due:
            return False
        if in_vain and last_said is not None and not was_withdrawn:
            return self._withdraw(j, last_said, digest)
        written = self._tell(j, before, last_said, digest)
        if written and was_withdrawn is not (j.withdrawal is not None):
            (self.let_back if was_withdrawn else self.withdrawn).append(j)
        return written

    def _tell(
        self, j: ValidatedDelivery, before: Sequence[ValidatedDelivery], last_said: ReportSnapshot | None, digest: str
    ) -> bool:
        """Write the report of one delivery, and note it. Gives False where it is left to the next run."""
        d, verdict = j.delivery, j.verdict
        if of_then := last_said if j.withdrawal else None:  # rules between tables validate it no more
            verdict = replace(verdict, result=of_then.result, rows=of_then.rows)
        try:
            findings = self.findings(j)
            last = next((b for b in reversed(before) if b.verdict.rows_judged), None)
            earlier = self.ledger.report_snapshots(b.delivery.delivery_id for b in before)
            last_findings = None if last is None else self.findings(last)
            report = delivery_report(
                delivery=d,
                verdict=verdict,
                findings=findings,
                earlier=earlier,
                last_findings=last_findings,
                deadline=_deadline(d),
                run=self.run,
            )
            again = since_last_report(self.db, j, verdict, findings, last_said, self.ledger.held_rows(d.delivery_id))
            if again is not None and not j.withdrawal:
                report = replace(report, released=again.released, revalidated=sentences(again))
            marked = (
                MarkedWorkbook() if report.only_wrong_month else self._marked_workbook(j)
            )  # no cell of it is to be changed
            report = replace(
                report,
                marked_workbook=marked.name,
                no_marked_workbook=no_workbook(marked.why_none),
                replaced_by=self._replaced_by(j),
                must_be_deleted=d.delivery_id in self.must_go,
                held_up=self._standing(j) is Standing.HELD_UP,
                withdrawn=withdrawal_notice(j.withdrawal, d) if j.withdrawal else "",
            )
            page = write_reports(self.places.reports, report, findings)["html"]
        except OSError:  # the disk, not the delivery: every other report would fail as well
            raise
        except Exception as error:
            log(Entry(Event.DELIVERY_NOT_REPORTED, "report", d.delivery_id, fault=Fault.of(error)))
            self.failures.append(f"{short_name(d)}: its report could not be written: {safe_message(error)}")
            return False
        self.pages[d.delivery_id] = page
        if again is not None and not j.withdrawal and j.standing is not Standing.SAME:  # its rows are another's
            self.fares[d.delivery_id] = again
        if marked.fault:
            self.failures.append(f"{short_name(d)}: its marked workbook could not be made: {marked.fault}")
            return False
        if of_then:  # if it counts again, that is what it is compared with
            self.ledger.record_report(d.delivery_id, digest)
            return True
        held = HeldRows(self.moment.date(), rows_held(findings))
        self.ledger.record_report(d.delivery_id, digest, report.snapshot, held)
        return True

    def _replaced_by(self, j: ValidatedDelivery) -> str:
        """The file that made this report a mere record. A copy, or a file that came too late, is told as what it is."""
        is_told_otherwise = j.standing is Standing.STALE or (j.standing is Standing.SAME and not self._waits_as_copy(j))
        of_its_own = not is_told_otherwise and j.delivery.delivery_id in self.replaced
        return self.replaced[j.delivery.delivery_id].file_name if of_its_own else ""

    def _standing(self, j: ValidatedDelivery) -> Standing:
        """How a delivery stands; one that is the same as another stands as that one does."""
        return self._standings.get(j.delivery.same_as, j.standing) if j.standing is Standing.SAME else j.standing

    @cached_property
    def _standings(self) -> Mapping[str, Standing]:
        return {j.delivery.delivery_id: j.standing for j in self.validated}

    def _waits_as_copy(self, j: ValidatedDelivery) -> bool:
        """Whether a delivery is the same as one that does not count, so that its own page asks for something."""
        return j.verdict.result.is_rejected

    def _asks_in_vain(self, j: ValidatedDelivery, last_said: ReportSnapshot | None) -> bool:
        """Whether the page asks to fix what was replaced since. A file that was overwritten has its page no more."""
        d = j.delivery
        asks = last_said is not None and last_said.result is not Result.ACCEPTED
        return asks and bool(self._replaced_by(j)) and not self._is_overwritten(d)

    def _waits_for_its_sender(self, j: ValidatedDelivery) -> bool:
        """Whether the delivery brings nothing into the figures, and none that does has come after it."""
        brings_nothing = self._standing(j) in (Standing.REFUSED, Standing.EMPTY, Standing.HELD_UP)
        return brings_nothing and j.delivery.delivery_id not in self.replaced and not self._is_overwritten(j.delivery)

    def _is_overwritten(self, d: Delivery) -> bool:
        others = (o.delivery for o in self.validated if o.delivery.path == d.path)
        return any(o.sha256 != d.sha256 and o.received_at > d.received_at for o in others)

    def _withdraw(self, j: ValidatedDelivery, last_said: ReportSnapshot, digest: str) -> bool:
        """Write a page again that asks in vain, with the numbers it told, and take its marked workbook away.

        What it told stays in the ledger: later months are compared with that.
        """
        d = j.delivery
        try:
            verdict = replace(j.verdict, result=last_said.result, rows=last_said.rows)
            findings = self.findings(j)
            report = delivery_report(d, verdict, findings, deadline=_deadline(d), run=self.run)
            marked = self._marked_workbook(j)
            record = replace(
                report,
                replaced_by=self._replaced_by(j),
                must_be_deleted=d.delivery_id in self.must_go,
                marked_workbook=marked.name,
            )
            write_reports(self.places.reports, record, findings)
        except OSError:
            raise
        except Exception as error:
            log(Entry(Event.DELIVERY_NOT_REPORTED, "report", d.delivery_id, fault=Fault.of(error)))
            self.failures.append(f"{short_name(d)}: its report could not be written: {safe_message(error)}")
            return False
        self.ledger.record_report(d.delivery_id, digest)
        return True

    def _marked_workbook(self, j: ValidatedDelivery) -> MarkedWorkbook:
        """The sender's own file with the bad cells of all its datasets marked: made once for each file."""
        d = j.delivery
        if j.standing is Standing.STALE:
            return MarkedWorkbook()
        if (d.path, d.sha256) not in self.marked:
            self.marked[d.path, d.sha256] = self._mark(d)
        return self.marked[d.path, d.sha256]

    def _mark(self, d: Delivery) -> MarkedWorkbook:
        contracts = list(datasets())
        of_file = [o for o in self.validated if (o.delivery.path, o.delivery.sha256) == (d.path, d.sha256)]
        of_file.sort(key=lambda o: contracts.index(o.delivery.dataset))
        try:
            parts = [self._part(o) for o in of_file]
            folder = self.places.reports / d.site_code
            raw = self.places.raw / d.path
            return make_marked_workbook(raw, d, parts, folder, readers_of=raw.parent)
        except OSError:
            raise
        except Exception as error:
            log(Entry(Event.DELIVERY_NOT_REPORTED, "report", d.delivery_id, fault=Fault.of(error)))
            return MarkedWorkbook(why_none="it could not be made tonight", fault=safe_message(error))

    def _part(self, j: ValidatedDelivery) -> Part:
        d, verdict, findings = j.delivery, j.verdict, self.findings(j)
        told_of_it = delivery_report(d, verdict, findings, deadline=_deadline(d))
        withdrawn = withdrawal_notice(j.withdrawal, d) if j.withdrawal else ""
        report = replace(told_of_it, replaced_by=self._replaced_by(j), withdrawn=withdrawn)
        return Part(report, verdict, findings, datasets()[d.dataset])

    def counts(self, validated: Iterable[ValidatedDelivery]) -> pl.DataFrame:
        """What was found in some of the deliveries, as counts."""
        counts = [count_findings(j.delivery.delivery_id, self.findings(j)) for j in validated]
        return pl.concat(counts) if counts else pl.DataFrame()

    def findings(self, j: ValidatedDelivery) -> pl.DataFrame:
        """What was found in a delivery, and in the one it is the same as."""
        return self._found(j.delivery.delivery_id, j.delivery.same_as)

    @cached_property
    def _found(self) -> Callable[[str, str], pl.DataFrame]:
        return lru_cache(FINDINGS_AT_HAND)(partial(_findings, self.db))


def _digests(db: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """A digest of each delivery's findings, whatever their order."""
    rows = db.execute(
        "select delivery_id, count(*), sum(hash(f)::hugeint % 1000000000000000) from audit.findings f group by 1"
    ).fetchall()
    return {r[0]: f"{r[1]}-{r[2]}" for r in rows}


def _digest(j: ValidatedDelivery, findings: str, history: str) -> str:
    """What a report is made of: the result, the reports that it is compared with, and the deadline that it names.

    Of a verdict, the key of its validation result says all but what other deliveries have made of it since.
    """
    by_others = str(j.verdict.result), j.verdict.rows
    said = _texts_of_rules(j.delivery.dataset), str(_deadline(j.delivery))
    return _of(j.key, str(j.standing), by_others, findings, history, *said, _code(), j.withdrawal)


def _of(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


@lru_cache
def _code() -> str:
    return code_digest(REPORT_CODE)


@lru_cache
def _texts_of_rules(dataset: str) -> str:
    """A digest of what the rules of a dataset tell its senders: no text of a rule is in a result, nor in its key."""
    contract = datasets()[dataset]
    said = [
        (rule.rule_id, str(severity), on, explain(contract, rule.rule_id, on, severity), _titles(rule.needs))
        for rule, severity, on in rules_of(contract)
    ]
    return hashlib.sha256(repr(said).encode()).hexdigest()


def _titles(needed: Iterable[str]) -> list[str]:
    return [datasets()[name].title if name in datasets() else name for name in needed]


def _findings(db: duckdb.DuckDBPyConnection, delivery_id: str, same_as: str) -> pl.DataFrame:
    by = ("source_row", "column_letter", "rule_id", "severity")
    found = select_findings(db, [delivery_id, same_as])
    return found.sort(by, nulls_last=[False, True, True, True], maintain_order=True)


def _deadline(delivery: Delivery) -> datetime | None:
    """When the next return is due after this one was received; none where the calendar has no such date."""
    coming = next_due(delivery.received_at.date())
    return coming[1] if coming else None
