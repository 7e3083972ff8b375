"""The report on one delivery: its data, what is derived from them, and its JSON form.

`report.schema.json` beside this file is the schema of that JSON. The wording is in `flows/reporting/words/`, the way
from findings to a report in `flows/reporting/render/content.py`; nothing here knows HTML.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from flows.deliveries.file_names import agreed_name
from flows.deliveries.months import WRONG_MONTH
from flows.reporting.report_item import HEADING_LINE_RULES, TOO_MANY_ROWS_RULE, Item
from flows.reporting.words import page
from flows.runtime.wording import stamp
from flows.store.ledger.report_snapshots import (
    ReportSnapshot,
    SnapshotItem,
    comparable,
    in_all,
    last_months,
)
from schemas._contract.catalogue import datasets
from schemas._contract.model import Contract
from schemas._rules.files import WAITING_RULE
from schemas._rules.headings import COLUMNS_OF, OTHER_DATASET_RULE, RENAMED_RULE
from schemas.audit.deliveries import NOT_SIGNED_OFF, Counts, LineShift, Result, SignOff, Verdict

if TYPE_CHECKING:
    import polars as pl

SCHEMA_VERSION = "4"
# rules about columns of which no cell, or not every one, was checked
UNREAD_COLUMN_RULES = ("F09", "F12", RENAMED_RULE, "F50", "F51", "F52")


@dataclass(frozen=True)
class Progress:
    """How many faults of the sender's previous file are fixed, how many remain, and how many are new."""

    report_id: str  # of the previous report
    fixed: int
    remaining: int
    new: int


def report_stem(file_name: str, dataset: str) -> str:
    """The stem of a report's file names: the delivery's, with the dataset if a workbook may hold several."""
    stem = file_name.rsplit(".", 1)[0]
    return stem if dataset.casefold() in stem.casefold() else f"{stem}_{dataset}"


def other_dataset(item: Item) -> Contract | None:
    """The dataset that a finding of F42 names: its columns are in the file; None for any other item."""
    found = [f.value for f in item.found] if item.rule_id == OTHER_DATASET_RULE else []
    return next((c for c in datasets().values() if COLUMNS_OF.format(c.title) in found), None)


@dataclass(frozen=True)
class Report:
    """Report on one delivery, for its sender."""

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
    items: tuple[Item, ...]  # in the order in which to fix them
    explained: tuple[Item, ...] = ()  # what an item explains in full, and is not listed
    not_validated: tuple[Item, ...] = ()
    previous: Progress | None = None
    earlier: tuple[ReportSnapshot, ...] = ()  # on the site's earlier files of this dataset, oldest first
    due: datetime | None = None  # when the next return is due
    shares_its_file: bool = False  # other sheets of the same workbook hold other datasets
    released: int = 0  # rows that were held back, and accepted since by a fixed rule, list or heading
    confirmed: int = 0  # warnings about rows that the site has confirmed to be right
    revalidated: tuple[str, ...] = ()  # sentences about rows released or newly held since the last report
    marked_workbook: str = ""  # file name of the marked workbook beside the page
    replaced_by: str = ""  # file name of a later file that was accepted: this report is then only a record
    must_be_deleted: bool = False  # the file holds personal data and is still in data/raw
    held_up: bool = False  # see docs/glossary.md
    withdrawn: str = ""  # the notice that the data team withdrew the file, as one sentence
    sheets_to_fix: tuple[str, ...] = ()  # titles of the other datasets in the file that must be fixed
    no_marked_workbook: str = ""  # why there is none, as one sentence
    index: str = ""  # file name of the site's index page beside the page
    contact: str = ""  # of the data team
    is_check: bool = False  # made by `pilots check`: the file was not sent
    line_shifts: tuple[LineShift, ...] = ()  # see `Verdict`
    sign_off: SignOff = NOT_SIGNED_OFF
    is_of_money: bool = False  # the dataset has amounts with a total, which may be signed off
    other_version: int = 1  # the next version of the dataset whose columns the file has, if that is another (F42)
    run: dict[str, Any] = field(default_factory=dict)

    @property
    def must_fix(self) -> tuple[Item, ...]:
        """The items that refuse the file or hold rows back until something is fixed."""
        return tuple(i for i in self.items if i.must_fix)

    @property
    def warnings(self) -> tuple[Item, ...]:
        """The items that need no change now: those that hold nothing back, and rows of deleted records."""
        return tuple(i for i in self.items if not i.must_fix)

    @property
    def too_many_rows(self) -> bool:
        """Whether the file is refused for the share of its rows that one problem holds."""
        return any(i.rule_id == TOO_MANY_ROWS_RULE for i in self.explained)

    @cached_property
    def snapshot(self) -> ReportSnapshot:
        """The report's counts, with which later reports are compared."""
        items = tuple(snapshot for item in self.items for snapshot in item.snapshots)
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
    def lacks_results(self) -> bool:
        """Whether formulas without results have to be fixed (F37), for which the sender's own file is needed."""
        return any(i.rule_id == "F37" for i in self.must_fix)

    @property
    def has_unread_columns(self) -> bool:
        """Whether columns could not be checked, because of their headings or of values that belong elsewhere."""
        return any(i.rule_id in UNREAD_COLUMN_RULES for i in self.must_fix)

    @property
    def deletes_rows(self) -> bool:
        """Whether a problem may be fixed by deleting whole rows."""
        return any("delete" in i.fix.casefold() and "row" in i.fix.casefold() for i in self.must_fix)

    @property
    def months(self) -> tuple[ReportSnapshot, ...]:
        """Snapshots of this month and of the two latest months before it with a file, oldest first."""
        return last_months((*self.earlier, self.snapshot))

    @property
    def in_all_months(self) -> tuple[SnapshotItem, ...]:
        """The problems that all three months have; none with fewer months."""
        return in_all(self.months)

    @property
    def last_compared(self) -> ReportSnapshot | None:
        """The latest earlier report on a file whose rows were validated."""
        return next(iter(comparable(self.earlier)[-1:]), None)

    @property
    def fixed(self) -> tuple[SnapshotItem, ...]:
        """The problems of the previous file that this one no longer has."""
        last, now = self.last_compared, self.snapshot
        if last is None or not self.rows_judged:
            return ()
        return tuple(i for i in last.items if i.must_fix and not now.item(i.key))

    def since(self, item: Item) -> ReportSnapshot | None:
        """The first report of the unbroken run of earlier ones with this problem; None where it is new."""
        first = None
        for report in reversed(comparable(self.earlier)):
            if not any(report.item(snapshot.key) for snapshot in item.snapshots):
                break
            first = report
        return first

    @property
    def is_compared(self) -> bool:
        """Whether there is an earlier report that says which problems are new."""
        return self.last_compared is not None and self.rows_judged

    @property
    def stem(self) -> str:
        """The stem of the report's file names: the delivery's, with the dataset if a workbook may hold several."""
        return report_stem(self.file_name, self.dataset)

    @property
    def send_again(self) -> bool:
        """Whether the sender has to send the file again."""
        no_action = self.replaced_by or self.withdrawn or self.waits
        return self.result is not Result.ACCEPTED and not no_action

    @property
    def waits(self) -> bool:
        """Whether the file is held up only because of another file of the site (rule L04)."""
        return bool(self.must_fix) and all(i.rule_id == WAITING_RULE for i in self.must_fix)

    @property
    def other_dataset(self) -> Contract | None:
        """The dataset whose columns the file or sheet has, where that is another than it is named after (F42)."""
        return next((other for i in self.must_fix if (other := other_dataset(i))), None)

    @property
    def named_as_other(self) -> Contract | None:
        """The same where the file's name has to change; None where the sheet's name has, in a file of several."""
        return None if self.shares_its_file else self.other_dataset

    @property
    def only_other_name(self) -> bool:
        """Whether nothing has to be corrected but the dataset in the file's name."""
        return self.named_as_other is not None and all(i.rule_id == OTHER_DATASET_RULE for i in self.must_fix)

    @property
    def only_heading_line(self) -> bool:
        """Whether nothing has to be corrected but the heading line of a text file."""
        return bool(self.must_fix) and all(i.rule_id in HEADING_LINE_RULES for i in self.must_fix)

    @property
    def has_open_quotation(self) -> bool:
        """Whether a spreadsheet would put rows of the file into one cell, because a quotation mark is not closed."""
        return any(shift.rows is None for shift in self.line_shifts) or any(i.rule_id == "F29" for i in self.items)

    @property
    def wrong_month(self) -> bool:
        """Whether the month in the file's name has to be corrected (F19, F25, F26)."""
        return any(i.rule_id in WRONG_MONTH for i in self.must_fix)

    @property
    def only_wrong_month(self) -> bool:
        """Whether nothing else has to be corrected."""
        return self.wrong_month and all(i.rule_id in WRONG_MONTH for i in self.must_fix)

    @property
    def too_old(self) -> bool:
        """Whether a file with a later cut-off was accepted before (F18): a new version of this one would be as old."""
        return any(i.rule_id == "F18" for i in self.must_fix)

    @property
    def month_is_doubted(self) -> bool:
        """Whether the month in the file's name does not fit the site's other files (F26)."""
        return any(i.rule_id == "F26" for i in self.must_fix)

    @property
    def next_name(self) -> str:
        """The file name with the next version number; '' where it has none, or a wrong month.

        A file that was only checked keeps its number. Its ending is a workbook's where its own is wrong (F15). Where
        the file holds another dataset than its name says, the name is that dataset's.
        """
        sent = agreed_name(self.file_name) or self.file_name
        name, replaced = re.subn(
            r"_v(\d+)(?=\.\w+$)", lambda m: f"_v{int(m[1]) + (not self.is_check)}", sent, flags=re.I
        )
        if other := self.named_as_other:
            ending = sent.rpartition(".")[2]
            name, replaced = f"{self.site}_{other.dataset}_{self.period}_v{self.other_version}.{ending}", 1
        if any(item.rule_id == "F15" for item in self.must_fix):
            name = _as_workbook(name)
        return name if replaced and not self.wrong_month else ""

    @property
    def next_workbook(self) -> str:
        """The name to send the marked workbook under: always with the ending .xlsx."""
        return _as_workbook(self.next_name)

    @property
    def sends_workbook_under_another_name(self) -> bool:
        """Whether the marked workbook may be sent, and its ending is another than the file's."""
        return bool(self.marked_workbook) and not self.lacks_results and self.next_workbook != self.next_name

    def to_json(self) -> dict[str, Any]:
        """The content of `report.json`, as in `report.schema.json`."""
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
            "is_check": self.is_check,
            "in_words": page.in_words(self),
            "must_act": self.send_again or self.must_be_deleted,
            "marked_workbook": self.marked_workbook,
            "result": str(self.result),
            "rows": {name: n for name, n in asdict(self.rows).items() if name != "deleted"},
            "rules": [i.to_json() | self._since_json(i) for i in self.items],
            "not_judged": {"rows": not self.rows_judged, "rules": [i.to_json() for i in self.not_validated]},
            "previous": asdict(self.previous) | {"fixed_rules": _items_json(self.fixed)} if self.previous else None,
            "released": self.released,
            "confirmed": self.confirmed,
            "sign_off": self.sign_off.to_json(),
            "months": [_month_json(s) for s in self.months],
            "in_all_months": _items_json(self.in_all_months),
            "run": {k: run.get(k, "") for k in ("id", "code_version", "started_at")},
        }

    def _since_json(self, item: Item) -> dict[str, Any]:
        compared, first = self.is_compared, self.since(item)
        return {"new": first is None if compared else None, "since": first.period if compared and first else None}


def _items_json(items: tuple[SnapshotItem, ...]) -> list[dict[str, Any]]:
    return [{"rule_id": i.rule_id, "title": i.title, "field": i.place, "rows": i.rows} for i in items]


def _month_json(snapshot: ReportSnapshot) -> dict[str, Any]:
    rows = snapshot.rows
    numbers = {"read": rows.read, "accepted": rows.accepted, "held": rows.held}
    return {"period": snapshot.period, "version": snapshot.version, "result": str(snapshot.result), **numbers}


@dataclass(frozen=True)
class DatasetReport:
    """The report on one dataset of a file, with what it was made from. A workbook may hold several datasets."""

    report: Report
    verdict: Verdict
    findings: pl.DataFrame
    to_confirm: Mapping[tuple[str, str, int], str] = field(default_factory=dict)  # (rule_id, field, row) -> its code

    @property
    def contract(self) -> Contract:
        """The contract of the dataset."""
        return datasets()[self.report.dataset]


def _as_workbook(name: str) -> str:
    return re.sub(r"\.\w+$", ".xlsx", name)
