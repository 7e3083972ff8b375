"""The output of reading a file: its heading, and the rows below it as text, in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import polars as pl

from flows.cells.distinct_column import DistinctColumn
from flows.deliveries.findings import Finding
from schemas.audit.deliveries import LineShift


class UnreadableFile(Exception):  # noqa: N818 - it is an outcome of reading, not an error of ours
    """A file that cannot be read further. `rule_id` is the rule in `schemas/_rules/files.py` that says why."""

    def __init__(self, rule_id: str, found: str = "") -> None:
        super().__init__(rule_id)
        self.rule_id = rule_id
        self.found = found


@dataclass
class TextBatch:
    """Some rows of a file as text: `cells` are its columns '0', '1', ... by position in the file.

    `source_rows` are the rows' numbers in the file, as an editor counts them. `malformed` are rows that cannot be split
    into the heading's columns, each with the reason in words for the sender (rule F13): no cell of them is used.
    `stray_text` is text outside the rows of data, with its row: malformed lines, and what is above the heading. It is
    searched for personal data, and never shown or stored.
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
        """Make a batch from a frame with columns '0', '1', ... and `source_row`."""
        cells = {name: DistinctColumn.of(rows[name]) for name in rows.columns if name != "source_row"}
        return cls(cells, rows["source_row"], malformed or {}, stray_text or [])

    @property
    def rows(self) -> pl.DataFrame:
        """The rows as a frame: columns '0', '1', ... and `source_row`."""
        columns = [texts.column.alias(name) for name, texts in self.cells.items()]
        return pl.DataFrame([*columns, self.source_rows.alias("source_row")])


class TextOnOtherSheet(NamedTuple):
    """The text of a cell on a sheet of the workbook other than the one that is read."""

    sheet: str
    number: int  # the sheet's place in the workbook, from 1
    row: int
    text: str


class ConfirmLine(NamedTuple):
    """A line of our own sheet on which a site confirms warnings: what was chosen on it, as it was typed."""

    row: int
    code: str  # ours: which row and rule it is about
    reason: str
    role: str


class SignOffLine(NamedTuple):
    """A dataset's line on our own sheet 'Sign-off', as it was filled in; '' for an empty cell."""

    row: int
    total: str
    role: str
    day: str


@dataclass
class Extract:
    """A file as read: its heading, the rows below it in batches, and findings about the file."""

    sheet: str
    encoding: str
    header_row: int
    headings: tuple[str, ...]
    batches: Iterator[TextBatch]
    findings: list[Finding] = field(default_factory=list)
    headings_are_fixed: bool = False  # by a standard: nobody is to be asked to write them in another way
    joined_columns: frozenset[int] = frozenset()  # positions of those whose values were added to another column's
    is_marked: bool = False  # a workbook that the warehouse gave back with its problems marked
    sheet_number: int = 0  # its place in the workbook, from 1: names the sheet where its own name may be personal
    # Cells of the other sheets, read when they are iterated. They are searched for personal data, and never stored.
    other_sheets: Iterable[TextOnOtherSheet] = ()
    form_version: str = ""  # of a blank workbook of ours, as its notes state it
    # Rows below this dataset's headings on our own sheet of examples: people may have filled in that one.
    rows_on_examples: Callable[[], list[tuple[int, list[str]]]] = list
    # By dataset, what the box 'nothing to send' on our own sheet holds; without such a sheet, nothing.
    nil_boxes: Callable[[], Mapping[str, str]] = dict
    # By dataset, its line on our own sheet 'Sign-off', where anything is filled in on it.
    sign_off_lines: Callable[[], Mapping[str, SignOffLine]] = dict
    confirm_lines: tuple[ConfirmLine, ...] = ()  # of a marked workbook that was sent back
    # Findings that are known only once all of `batches` were read: call it then.
    row_findings: Callable[[], list[Finding]] = list
    # See `Verdict.line_shifts`: known then, too.
    line_shifts: Callable[[], tuple[LineShift, ...]] = tuple


@dataclass(frozen=True)
class SheetCells:
    """All cells of one sheet: `rows[0]` is row 1. A text file is one sheet, with each record on the row of its line.

    A cell is text, a number, a date or time, or a boolean; None or '' where it is empty. `merged` lists areas of merged
    cells as (top, left, bottom, right), counted from 0.
    """

    name: str
    rows: list[list[Any]]
    hidden: bool = False
    merged: tuple[tuple[int, int, int, int], ...] = ()
