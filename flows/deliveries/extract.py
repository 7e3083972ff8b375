"""A file as its reader sees it: where the heading is, and the rows below it as text, batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import polars as pl

from flows.cells.distinct_column import DistinctColumn
from flows.deliveries.findings import Finding


class UnreadableFile(Exception):  # noqa: N818 - it is an outcome of reading, not an error of ours
    """A file that cannot be read further: `rule_id` says why, in the words of `files.py`."""

    def __init__(self, rule_id: str, found: str = "") -> None:
        super().__init__(rule_id)
        self.rule_id = rule_id
        self.found = found


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
