"""What passes from step to step while one delivery is read, conformed and judged.

The finished shapes (deliveries, verdicts, findings) are tables and have their homes in `audit/`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

import polars as pl

from flows.cells.date_orders import DateReading, DatesSeen
from flows.cells.distinct_column import DistinctColumn
from flows.deliveries.corrections import CellCorrection
from schemas._contract.derive import polars_type
from schemas._contract.model import Severity
from schemas.audit.deliveries import Column, Delivery, Hold, Standing, Verdict, never_counted
from schemas.audit.findings import CONTRACT as FINDINGS
from schemas.audit.findings import Outcome
from schemas.audit.withdrawals import Withdrawal

# The columns of a findings frame: those of audit.findings, but for the delivery, which is known from its address.
FINDING_TYPES: dict[str, pl.DataType] = {f.name: polars_type(f) for f in FINDINGS.fields if f.name != "delivery_id"}
NO_FINDINGS = pl.DataFrame(schema=FINDING_TYPES)  # most columns of most files give none, and frames take long to make


class UnreadableFile(Exception):  # noqa: N818 - it is an outcome of reading, not an error of ours
    """A file that cannot be read further: `rule_id` says why, in the words of `files.py`."""

    def __init__(self, rule_id: str, found: str = "") -> None:
        super().__init__(rule_id)
        self.rule_id = rule_id
        self.found = found


@dataclass(frozen=True)
class Finding:
    """One finding that a step makes by hand, rather than a column of them at a time."""

    rule_id: str
    severity: str
    source_row: int | None = None
    field: str = ""
    column: Column | None = None
    found: str | None = None
    hidden: bool = False
    suggestion: str | None = None
    outcome: str = Outcome.BROKEN

    def to_row(self, sheet: str) -> dict[str, Any]:
        """The finding as a row of a findings frame."""
        return {
            "rule_id": self.rule_id,
            "severity": str(self.severity),
            "outcome": str(self.outcome),
            "sheet": sheet,
            "source_row": self.source_row,
            "column_letter": self.column.letter if self.column else None,
            "column_name": self.column.heading if self.column else None,
            "field": self.field,
            "found": None if self.hidden else self.found,
            "hidden": self.hidden,
            "suggestion": self.suggestion,
        }


def findings_frame(findings: list[Finding], sheet: str) -> pl.DataFrame:
    """Findings made by hand, as a frame with the columns of FINDING_TYPES."""
    if not findings:
        return NO_FINDINGS
    return pl.DataFrame([f.to_row(sheet) for f in findings], schema=FINDING_TYPES, orient="row")


def findings_of_rows(rows: pl.DataFrame, finding: Finding, sheet: str) -> pl.DataFrame:
    """One finding for each of many rows (`source_row`, and `found` in each), else alike."""
    if rows.is_empty():
        return NO_FINDINGS
    alike = findings_frame([finding], sheet).drop("source_row", "found")
    return rows.select("source_row", "found").join(alike, how="cross").select(*FINDING_TYPES)


@dataclass
class TextBatch:
    """Some rows of a file as text: `cells` are its columns '0', '1', ... by position in the file.

    `source_rows` are the rows' physical numbers in the file. `malformed` are the physical rows that cannot be split
    into the heading's columns, each with the reason in the sender's words: no cell of them is used (rule F13).
    `stray_text` is text outside the rows of data, with its physical row: malformed lines, and what is above the
    heading. It is
    searched for personal data, and never shown or kept.
    """

    cells: dict[str, DistinctColumn]
    source_rows: pl.Series
    malformed: dict[int, str] = field(default_factory=dict)
    stray_text: list[tuple[int, str]] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        rows: pl.DataFrame,
        malformed: dict[int, str] | None = None,
        stray_text: list[tuple[int, str]] | None = None,
    ) -> TextBatch:
        """A batch of rows given as a frame: its columns by position, and `source_row`."""
        cells = {name: DistinctColumn.of(rows[name]) for name in rows.columns if name != "source_row"}
        return cls(cells, rows["source_row"], malformed or {}, stray_text or [])

    @property
    def rows(self) -> pl.DataFrame:
        """The rows as a frame: columns '0', '1', ... and `source_row`."""
        columns = [texts.column.alias(name) for name, texts in self.cells.items()]
        return pl.DataFrame([*columns, self.source_rows.alias("source_row")])


class TextOnOtherSheet(NamedTuple):
    """A cell on another sheet of the workbook than the one that is read."""

    sheet: str
    number: int  # the sheet's place in the workbook, from 1
    row: int
    text: str


@dataclass
class Extract:
    """A file as its reader sees it: where the heading is, what it says, and the rows below it, batch by batch."""

    sheet: str
    encoding: str
    header_row: int
    headings: tuple[str, ...]
    batches: Iterator[TextBatch]
    findings: list[Finding] = field(default_factory=list)
    is_marked: bool = False  # a workbook that the warehouse gave back with its problems marked
    sheet_number: int = 0  # its place in a workbook, from 1: how a sheet is told whose name may be personal
    # The other sheets, opened when they are looked through: they are searched for personal data, and never kept.
    other_sheets: Iterable[TextOnOtherSheet] = ()
    # What there is to tell of the rows as they stand in the file: asked for once all of `batches` were read.
    found_in_rows: Callable[[], list[Finding]] = list


@dataclass(frozen=True)
class SheetCells:
    """One sheet of a file as it stands there: `rows[0]` is row 1. A text file is one sheet, each record on its line.

    A cell is text, a number, a date or time, true or false; None or '' where it is empty. `merged` are areas of merged
    cells: top, left, bottom, right, from 0.
    """

    name: str
    rows: list[list[Any]]
    hidden: bool = False
    merged: tuple[tuple[int, int, int, int], ...] = ()


def column_letter(index: int) -> str:
    """The spreadsheet letter of a column by its position: 0 is A, 26 is AA."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def index_of(letters: str) -> int:
    """The position of a column by its spreadsheet letter: A is 0, AA is 26."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


@dataclass(frozen=True)
class DeliveryContext:
    """What is known of a delivery besides its bytes: who sent it, to what date, and how that site writes."""

    site_code: str
    programme_code: str
    data_cut_date: date  # of a month that is to come: the day the file came
    month_is_to_come: bool = False  # it had not begun on that day (rule F25)
    month_is_asked_for: bool = True  # by the return calendar (rule F19)
    need: str = "required"  # of the returns table: required, optional, or none
    date_order: str = ""
    dates: tuple[tuple[str, DateReading], ...] = ()  # of date columns that the whole file shows to be read otherwise
    delimiter: str = ""  # of its text files, where its profile declares one; so for `quote`
    quote: str = ""
    headings: tuple[tuple[str, str], ...] = ()  # the site's own headings: (folded heading, field)
    corrections: tuple[CellCorrection, ...] = ()  # of cells of this very delivery

    @property
    def is_of_impossible_month(self) -> bool:
        """Whether the file is refused for a month that had not begun.

        A site cannot have measured that month. An office outside the programmes may print plans for it: it is warned.
        """
        return self.month_is_to_come and bool(self.programme_code)


@dataclass
class Layout:
    """Which column of a file is which field, and what is wrong with the heading."""

    columns: tuple[Column, ...]
    positions: dict[str, int]  # field -> position in the file
    findings: list[Finding]
    version_column: int | None = None  # where the version of the form is stated, if it is (rule F24)
    as_written: tuple[str, ...] = ()  # the headings themselves: to know them again, never to be shown
    is_marked: bool = False  # a workbook that the warehouse gave back with its problems marked

    @property
    def refused(self) -> bool:
        """Whether the heading alone refuses the file. Its rows are judged all the same."""
        return any(f.severity == Severity.FILE for f in self.findings)

    @property
    def sounds_personal(self) -> bool:
        """Whether a column nobody asked for may hold personal data (F11): then nothing of the file is kept or shown."""
        return any(f.rule_id == "F11" and f.severity == Severity.FILE for f in self.findings)

    @property
    def unread(self) -> frozenset[str]:
        """The fields that the file should hold and cannot be read from it: their column is missing or there twice.

        The heading says so once (F09, F12): no row is found at fault for it.
        """
        return frozenset(f.field for f in self.findings if f.rule_id in ("F09", "F12") and f.field)

    def column_of(self, field: str) -> Column | None:
        """The file's column that holds a field."""
        position = self.positions.get(field)
        return None if position is None else self.columns[position]


@dataclass
class TypedBatch:
    """Some rows of a file with their types: the contract's fields and `source_row`, torn and empty rows left out.

    `cells` holds the same rows as the sender wrote them, column by column. `unreadable` names the cells that could not
    be given a type (source_row, field): what depends on them cannot be judged.
    """

    rows: pl.DataFrame
    cells: dict[str, DistinctColumn]
    findings: pl.DataFrame
    unreadable: pl.DataFrame
    malformed: list[int]
    not_data: int
    dates: dict[str, DatesSeen] = field(default_factory=dict)  # of each date column: how its dates are written
    form_versions: set[str] = field(default_factory=set)  # what the column `schema_version` says, if there is one


@dataclass(frozen=True)
class ValidatedDelivery:
    """A delivery with its judgement and whether it counts: what load, relate and report work from.

    A delivery with the same bytes as another has that one's judgement.
    """

    delivery: Delivery
    key: str
    verdict: Verdict
    standing: Standing
    withdrawal: Withdrawal | None = None  # what keeps it out of the figures, if it is withdrawn
    hold: Hold | None = None  # when it was held up on an earlier night, if it was

    @property
    def counts(self) -> bool:
        """Whether its accepted rows are in `core`."""
        return self.standing is Standing.CURRENT

    @property
    def was_accepted(self) -> bool:
        """Whether it counts, or did until a later one came; not if it was held up until then."""
        return self.counts or (self.standing is Standing.SUPERSEDED and not never_counted(self.hold))
