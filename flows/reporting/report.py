"""The sender's report: its shape, and what follows from its parts.

`report.schema.json` beside this file states the same shape for the machines that read `report.json`. What a report says
is in `flows/reporting/words/`; nothing here reads findings (see `flows/reporting/render/content.py`) or knows HTML.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from flows.deliveries.file_names import agreed_name
from flows.deliveries.months import WRONG_MONTH
from flows.reporting.report_item import Item
from flows.runtime.wording import stamp
from flows.store.ledger.report_snapshots import (
    ReportSnapshot,
    SnapshotItem,
    comparable,
    in_all,
    last_months,
)
from schemas._contract.model import Contract, Severity
from schemas._rules.files import WAITING_RULE
from schemas.audit.deliveries import Counts, Result, Verdict

if TYPE_CHECKING:
    import polars as pl

SCHEMA_VERSION = "1"


@dataclass(frozen=True)
class Progress:
    """What became of the faults of the sender's previous file."""

    report_id: str
    fixed: int
    remaining: int
    new: int


@dataclass(frozen=True)
class Report:
    """Report to the sender of one delivery."""

    report_id: str
    site: str
    site_name: str
    dataset: str
    dataset_title: str
    period: str
    version: int
    file_name: str
    sha256: str
    sheet: str
    encoding: str
    received_at: datetime
    contract_version: str
    result: Result
    rows: Counts
    rows_judged: bool
    items: tuple[Item, ...]  # biggest fix first
    not_validated: tuple[Item, ...] = ()
    previous: Progress | None = None
    earlier: tuple[ReportSnapshot, ...] = ()  # the reports on the site's earlier files of this dataset, oldest first
    due: datetime | None = None
    shares_its_file: bool = False  # other sheets of the same workbook hold other datasets
    released: int = 0  # rows that were held back, and were let in since then by a fixed rule, list or heading
    revalidated: tuple[str, ...] = ()  # sentences about rows that were released, or are newly held
    marked_workbook: str = ""  # the name of the sender's own file with the cells marked, beside the page
    replaced_by: str = ""  # the name of a later file that was accepted: this report is only a record then
    must_be_deleted: bool = False  # the file holds personal data, and lies where it was sent still
    held_up: bool = False  # it could be read, and replaces nothing until what is odd about it is resolved
    withdrawn: str = ""  # that the data team took the file out of all figures, when and why, as one sentence
    no_marked_workbook: str = ""  # why there is none, as one sentence
    run: dict[str, Any] = field(default_factory=dict)

    @property
    def must_fix(self) -> tuple[Item, ...]:
        """What stops the file or holds rows back."""
        return tuple(i for i in self.items if i.severity is not Severity.WARNING)

    @property
    def warnings(self) -> tuple[Item, ...]:
        """What loaded all the same, and is worth a look."""
        return tuple(i for i in self.items if i.severity is Severity.WARNING)

    @cached_property
    def snapshot(self) -> ReportSnapshot:
        """The report in numbers, for later ones to be compared with."""
        items = tuple(i.snapshot for i in self.items)
        return ReportSnapshot(
            report_id=self.report_id,
            period=self.period,
            version=self.version,
            result=self.result,
            rows=self.rows,
            rows_judged=self.rows_judged,
            items=items,
        )

    @property
    def months(self) -> tuple[ReportSnapshot, ...]:
        """This month and the two before it that a file came for, oldest first."""
        return last_months((*self.earlier, self.snapshot))

    @property
    def in_all_months(self) -> tuple[SnapshotItem, ...]:
        """The problems of all three months."""
        return in_all(self.months)

    @property
    def last_compared(self) -> ReportSnapshot | None:
        """The report on the last file whose rows were validated."""
        return next(iter(comparable(self.earlier)[-1:]), None)

    @property
    def fixed(self) -> tuple[SnapshotItem, ...]:
        """The problems of the last file that this one has no more."""
        last, now = self.last_compared, self.snapshot
        if last is None or not self.rows_judged:
            return ()
        return tuple(i for i in last.items if i.must_fix and not now.item(i.key))

    def since(self, item: Item) -> ReportSnapshot | None:
        """The first of the unbroken run of earlier reports that had this problem; none where it is new."""
        found = None
        for report in reversed(comparable(self.earlier)):
            if not report.item(item.snapshot.key):
                break
            found = report
        return found

    @property
    def is_compared(self) -> bool:
        """Whether it is known which of its problems are new."""
        return self.last_compared is not None and self.rows_judged

    @property
    def stem(self) -> str:
        """The name that the report's files share. A workbook may carry several datasets: then its own is not enough."""
        stem = self.file_name.rsplit(".", 1)[0]
        return stem if self.dataset.casefold() in stem.casefold() else f"{stem}_{self.dataset}"

    @property
    def send_again(self) -> bool:
        """Whether the sender has something to do."""
        nothing = self.replaced_by or self.withdrawn or self.waits
        return self.result is not Result.ACCEPTED and not nothing

    @property
    def waits(self) -> bool:
        """Whether nothing is wrong with the file but that another file of the site is not right, or has not come."""
        return bool(self.must_fix) and all(i.rule_id == WAITING_RULE for i in self.must_fix)

    @property
    def wrong_month(self) -> bool:
        """Whether the month in the file's name is what has to be put right (F19, F25, F26)."""
        return any(i.rule_id in WRONG_MONTH for i in self.must_fix)

    @property
    def only_wrong_month(self) -> bool:
        """Whether nothing but that has to be put right."""
        return self.wrong_month and all(i.rule_id in WRONG_MONTH for i in self.must_fix)

    @property
    def too_old(self) -> bool:
        """Whether a file of a later month was accepted before this one came (F18): a new version would be as old."""
        return any(i.rule_id == "F18" for i in self.must_fix)

    @property
    def month_is_doubted(self) -> bool:
        """Whether the month in the file's name does not fit what else was sent (F26)."""
        return any(i.rule_id == "F26" for i in self.must_fix)

    @property
    def next_name(self) -> str:
        """The file's name with the next version number ('' where its name carries none, or a wrong month).

        Where the file is not what its name says (F15), the name of a workbook.
        """
        sent = agreed_name(self.file_name) or self.file_name
        name, replaced = re.subn(r"_v(\d+)(?=\.\w+$)", lambda m: f"_v{int(m[1]) + 1}", sent, flags=re.I)
        if any(item.rule_id == "F15" for item in self.must_fix):
            name = _as_workbook(name)
        return name if replaced and not self.wrong_month else ""

    @property
    def next_workbook(self) -> str:
        """The name to send the marked workbook under: whatever the file was, it is an Excel workbook."""
        return _as_workbook(self.next_name)

    def to_json(self) -> dict[str, Any]:
        """The report as `report.json` holds it. `not_validated` is the third state, beside accepted and held."""
        run = {k: stamp(v) if isinstance(v, datetime) else v for k, v in self.run.items()}
        return {
            "schema_version": SCHEMA_VERSION,
            "report_id": self.report_id,
            "site": self.site,
            "dataset": self.dataset,
            "period": self.period,
            "file": {
                "name": self.file_name,
                "sha256": self.sha256,
                "sheets": [self.sheet] if self.sheet else [],
                "encoding": self.encoding,
                "received_at": stamp(self.received_at),
            },
            "contract": {"id": self.dataset, "version": self.contract_version},
            "result": str(self.result),
            "rows": asdict(self.rows),
            "rules": [i.to_json() | self._standing_json(i) for i in self.items],
            "not_judged": {"rows": not self.rows_judged, "rules": [i.to_json() for i in self.not_validated]},
            "previous": asdict(self.previous) | {"fixed_rules": _as_json(self.fixed)} if self.previous else None,
            "released": self.released,
            "months": [_month(t) for t in self.months],
            "in_all_months": _as_json(self.in_all_months),
            "run": {k: run.get(k, "") for k in ("id", "code_version", "started_at")},
        }

    def _standing_json(self, item: Item) -> dict[str, Any]:
        compared, first = self.is_compared, self.since(item)
        return {"new": first is None if compared else None, "since": first.period if compared and first else None}


def _as_json(items: tuple[SnapshotItem, ...]) -> list[dict[str, Any]]:
    return [{"rule_id": i.rule_id, "title": i.title, "field": i.place, "rows": i.rows} for i in items]


def _month(snapshot: ReportSnapshot) -> dict[str, Any]:
    rows = snapshot.rows
    numbers = {"read": rows.read, "accepted": rows.accepted, "held": rows.held}
    return {"period": snapshot.period, "version": snapshot.version, "result": str(snapshot.result), **numbers}


@dataclass(frozen=True)
class Part:
    """One dataset in a file, with what was found in it. A workbook may carry several, one a sheet."""

    report: Report
    verdict: Verdict
    findings: pl.DataFrame
    contract: Contract


def _as_workbook(name: str) -> str:
    return re.sub(r"\.\w+$", ".xlsx", name)
