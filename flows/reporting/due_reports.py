"""Find the reports of a run that are due: those of deliveries whose outcome changed since their last report.

The ledger holds a digest of everything a report was made from. A report is due if that digest changed: because the
delivery is new, because rules between tables came to another result, or because the last run was cut off before
writing it.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from flows.deliveries.standings import extent
from flows.deliveries.validated import ValidatedDelivery
from flows.reporting.render.marked.marking import marked_path
from flows.runtime.code_fingerprint import code_digest
from flows.store.ledger import Ledger
from flows.store.ledger.report_snapshots import ReportSnapshot
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
    "schemas/_rules/**/*.py",
)


@dataclass(frozen=True)
class DueReport:
    """A report to write, with the deliveries before it in its series (site and dataset) that count for it."""

    of: ValidatedDelivery
    before: Sequence[ValidatedDelivery]
    last: ReportSnapshot | None  # of the delivery's last report
    previous_digest: str
    digest: str
    is_record: bool  # the page asked for fixes that are needless now

    @property
    def series(self) -> tuple[str, str]:
        """Site and dataset: a report compares its file with the earlier ones in its series."""
        return self.of.delivery.site_code, self.of.delivery.dataset

    @property
    def file(self) -> tuple[str, str]:
        """Path and bytes of the file, which may hold other datasets too."""
        return self.of.delivery.path, self.of.delivery.sha256

    @property
    def was_withdrawn(self) -> bool:
        """Whether the last page said that the delivery is withdrawn."""
        return WITHDRAWN in self.previous_digest


@dataclass(frozen=True)
class ReportsDue:
    """Decides which reports a run writes. The fields are those of `DeliveryReports`; `folder` holds the reports."""

    ledger: Ledger
    db: duckdb.DuckDBPyConnection
    validated: Sequence[ValidatedDelivery]
    replaced: Mapping[str, Delivery]
    folder: Path
    contact: str = ""
    to_delete: Collection[str] = ()

    def find(self) -> Iterator[DueReport]:
        """Yield each report whose digest changed and whose delivery still concerns its sender, in order of arrival.

        A report's digest includes the digests of the earlier ones in its series. It is assumed that those are written.
        """
        written, findings_digests = self.ledger.report_digests(), _findings_digests(self.db)
        arrived: dict[tuple[str, str], list[ValidatedDelivery]] = defaultdict(list)
        histories: dict[tuple[str, str], str] = defaultdict(str)  # series -> digest of the reports so far
        for v in sorted(self.validated, key=lambda v: (v.delivery.received_at, *extent(v.delivery))):
            d = v.delivery
            series = d.site_code, d.dataset
            history = "" if v.standing is Standing.STALE else histories[series]
            findings = findings_digests.get(d.delivery_id, ""), self._state_of_others(v)
            digest = self._digest_prefix(v) + _digest(v, findings, history, self.contact)
            previous = written.get(d.delivery_id, "")
            if previous != digest:
                before = [] if v.standing is Standing.STALE else [*arrived[series]]
                if due := self._due(v, before, previous, digest):
                    written[d.delivery_id] = digest
                    yield due
            # these change nothing in their series, so later reports are not compared with them
            if v.standing not in (Standing.STALE, Standing.SAME, Standing.WITHDRAWN):
                arrived[series].append(v)
                # a deleted file changes the page that asked for it, and no later one
                histories[series] = _hash(histories[series], written.get(d.delivery_id, "").removeprefix(TO_DELETE))

    def in_file(self, v: ValidatedDelivery) -> Sequence[ValidatedDelivery]:
        """The datasets in a delivery's file, in the order of the catalogue: the same input gives the same workbook."""
        return self._by_file[v.delivery.path, v.delivery.sha256]

    def others_in_file(self, v: ValidatedDelivery) -> list[ValidatedDelivery]:
        """The other datasets in a delivery's file, in the order of the catalogue; none for a single dataset."""
        of_file = self.in_file(v) if v.delivery.sheet else ()
        return [o for o in of_file if o.delivery.delivery_id != v.delivery.delivery_id]

    def is_to_be_sent_again(self, v: ValidatedDelivery) -> bool:
        """Whether the sender still has to do something about a delivery that was not accepted in full."""
        out_of_use = v.withdrawal or v.standing in (Standing.SAME, Standing.STALE) or self.replaced_by(v)
        return v.verdict.result is not Result.ACCEPTED and not out_of_use

    def _state_of_others(self, v: ValidatedDelivery) -> list[tuple[str, bool]]:
        return [(o.delivery.dataset, self.is_to_be_sent_again(o)) for o in self.others_in_file(v)]

    @cached_property
    def _by_file(self) -> Mapping[tuple[str, str], Sequence[ValidatedDelivery]]:
        """The deliveries of each file, by its path and digest, in the order of the catalogue."""
        in_file: dict[tuple[str, str], list[ValidatedDelivery]] = defaultdict(list)
        order = {name: number for number, name in enumerate(datasets())}
        for v in sorted(self.validated, key=lambda v: order.get(v.delivery.dataset, len(order))):
            in_file[v.delivery.path, v.delivery.sha256].append(v)
        return in_file

    def _digest_prefix(self, v: ValidatedDelivery) -> str:
        """What the report asks for, apart from its findings."""
        prefix = TO_DELETE if v.delivery.delivery_id in self.to_delete else ""
        if v.withdrawal:
            return prefix + WITHDRAWN
        return prefix + (REPLACED if self.replaced_by(v) else "")

    def _due(
        self, v: ValidatedDelivery, before: Sequence[ValidatedDelivery], previous_digest: str, digest: str
    ) -> DueReport | None:
        """The report whose digest changed; None where its delivery is out of use and it may stay as it is.

        A delivery that no longer counts keeps its page, unless it was refused only now or its page asks for something
        that is no longer needed. One that was refused and not sent again is in use: its sender works from that page.
        """
        last = next(iter(self.ledger.report_snapshots([v.delivery.delivery_id])), None)
        standing = self.standing(v)
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
            return None
        is_record = needless and last is not None and not was_withdrawn
        return DueReport(v, before, last, previous_digest, digest, is_record)

    def replaced_by(self, v: ValidatedDelivery) -> str:
        """The name of the accepted file that took this one's place; '' where there is none.

        The report of a stale file, or of a copy of an accepted one, says that instead.
        """
        says_so_itself = v.standing is Standing.STALE or (
            v.standing is Standing.SAME and not v.verdict.result.is_rejected
        )
        is_replaced = not says_so_itself and v.delivery.delivery_id in self.replaced
        return self.replaced[v.delivery.delivery_id].file_name if is_replaced else ""

    def standing(self, v: ValidatedDelivery) -> Standing:
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
        asks = last is not None and (
            last.result is not Result.ACCEPTED or marked_path(self.folder / d.site_code, d).exists()
        )
        return asks and bool(self.replaced_by(v)) and not self._is_overwritten(d)

    def _needs_resubmission(self, v: ValidatedDelivery) -> bool:
        """Whether the delivery is not in the figures, and none that is has come after it."""
        not_in_figures = self.standing(v) in (Standing.REFUSED, Standing.EMPTY, Standing.HELD_UP)
        return not_in_figures and v.delivery.delivery_id not in self.replaced and not self._is_overwritten(v.delivery)

    def _is_overwritten(self, d: Delivery) -> bool:
        """Whether other bytes came later under the same path."""
        others = (o.delivery for o in self.validated if o.delivery.path == d.path)
        return any(o.sha256 != d.sha256 and o.received_at > d.received_at for o in others)


def _findings_digests(db: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """delivery_id -> digest of its findings, which does not depend on their order.

    The hashes are added up as `hugeint`, reduced first, so that no number of findings overflows.
    """
    rows = db.execute(
        "select delivery_id, count(*), sum(hash(f)::hugeint % 1000000000000000) from audit.findings f group by 1"
    ).fetchall()
    return {r[0]: f"{r[1]}-{r[2]}" for r in rows}


def _digest(v: ValidatedDelivery, findings: object, history: str, contact: str) -> str:
    """Digest of all that a report is made from: result, findings, earlier reports, rule texts, deadline, contact, code.

    `findings` are those of the delivery, and which other sheets of its file have to be fixed.

    The key of the validation result stands for everything but what rules between tables changed afterwards: the
    result and the counts are in the digest themselves.
    """
    final = str(v.verdict.result), v.verdict.rows
    texts = _rule_texts(v.delivery.dataset), str(deadline(v.delivery))
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


def deadline(delivery: Delivery) -> datetime | None:
    """When the next return is due after this one was received; None at the end of the return calendar."""
    due = next_due(delivery.received_at.date())
    return due[1] if due else None
