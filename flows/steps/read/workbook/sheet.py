"""What every kind of workbook comes down to: sheets with a name, and rows of cells that stand where they stood."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import polars as pl
import python_calamine as calamine

from flows.cells.column_letters import column_letter
from flows.deliveries.extract import UnreadableFile
from flows.steps.read.heading import MOST_COLUMNS
from flows.steps.read.values import text_of
from flows.steps.read.workbook.percentages import Cells, with_percentages

MOST_CELLS = 40_000_000  # of the rectangle around all cells: about 1.3 GB of memory
Errors = dict[tuple[int, int], str]  # (row, column) from 0, and the error's text
Area = tuple[int, int, int, int]  # merged cells: top, left, bottom, right, from 0
NameOfSheet = Callable[[str, int], str]  # how a sheet may be called in a report, by its name and its place from 1


@dataclass(frozen=True)
class Hidden:
    """The rows and columns of a sheet that are hidden, by a filter or by hand: their places from 0, in order."""

    rows: Sequence[int] = ()
    columns: Sequence[int] = ()


NOTHING_HIDDEN = Hidden()


@dataclass(frozen=True)
class Table:
    """The cells of a sheet. `rows` gives them anew from the sheet's first row at each call, '' where a cell is empty.

    Spreadsheet errors are texts such as '#REF!'; of merged cells, only the first holds anything. What is hidden is said
    where the table was opened as text.
    """

    rows: Callable[[], Iterator[list[Any]]]
    merged: list[Area] = field(default_factory=list)
    hidden: Hidden = NOTHING_HIDDEN

    def head(self, rows: int) -> list[list[str]]:
        """The first rows as text."""
        return [list(row) for frame in islice(self.texts(0, rows), 1) for row in frame.iter_rows()]

    def width(self, first: int, used: int) -> int:
        """The number of columns that any row from `first` (from 0) on uses, if it is more than `used`."""
        for row in islice(self.rows(), first, None):
            if len(row) > used and any(c != "" for c in row[used:]):
                used = max(i + 1 for i, c in enumerate(row) if c != "")
        return used

    def texts(self, first: int, size: int) -> Iterator[pl.DataFrame]:
        """The rows from `first` on as text, at most `size` at a time, in columns '0', '1', ... as many as they use."""
        rows = islice(self.rows(), first, None)
        while part := list(islice(rows, size)):
            width = max(map(len, part))
            columns = {str(i): [text_of(r[i]) if i < len(r) else "" for r in part] for i in range(width)}
            yield pl.DataFrame(columns or {"0": [""] * len(part)}, schema_overrides=dict.fromkeys(columns, pl.String))


@dataclass(frozen=True)
class Sheet:
    """A sheet of cells in a workbook, opened when it is asked for.

    `open_as_it_is` gives the same table where its cells are wanted as they are and not as text, if that is less work.
    """

    name: str
    hidden: bool
    open: Callable[[], Table]
    open_as_it_is: Callable[[], Table] | None = None

    def as_it_is(self) -> Table:
        """Its table, for its cells as they are."""
        return (self.open_as_it_is or self.open)()


def by_place(_: str, number: int) -> str:
    """Call a sheet by its place alone, as is safe whatever its name is."""
    return f"sheet {number}"


def called(sheets: Sequence[Sheet], names: Sequence[str], name_of: NameOfSheet) -> list[str]:
    """The sheets of some names, as a report may call them."""
    places = {sheet.name: n for n, sheet in enumerate(sheets, 1)}
    return [name_of(name, places[name]) for name in names]


def must_fit(rows: int, columns: int) -> None:
    """Raises Unreadable (U01) where the rectangle around all cells of a sheet would fill the memory."""
    if rows * columns > MOST_CELLS:
        raise UnreadableFile(
            "U01", f"a cell lies in row {rows:,} or column {column_letter(columns - 1)}, far from others"
        )
    if columns > MOST_COLUMNS:
        raise UnreadableFile("U01", f"a sheet has more than {MOST_COLUMNS:,} columns")


class Calamine:
    """A workbook as calamine reads it, with its faults turned into words. It gives nothing for spreadsheet errors."""

    def __init__(self, file: Path | BinaryIO) -> None:
        """Raises Unreadable: U01 damaged, U02 password."""
        self._book: calamine.CalamineWorkbook = _in_words(lambda: calamine.load_workbook(file))

    def sheets(self) -> list[tuple[str, bool]]:
        """The sheets of cells: name, and whether it is hidden."""
        return [
            (s.name, s.visible != calamine.SheetVisibleEnum.Visible)
            for s in self._book.sheets_metadata
            if s.typ == calamine.SheetTypeEnum.WorkSheet
        ]

    def table(self, name: str, errors: Errors, merged: list[Area] | None = None, percent: Cells = ()) -> Table:
        """A sheet's cells, with its spreadsheet errors put where they are, and the `percent` cells as they show."""
        sheet = _in_words(lambda: self._book.get_sheet_by_name(name))
        areas = [(t, le, b, r) for (t, le), (b, r) in sheet.merged_cell_ranges or []] if merged is None else merged
        return Table(lambda: with_percentages(_with_errors(_rows(sheet), errors), percent), areas)


def _rows(sheet: calamine.CalamineSheet) -> Iterator[list[Any]]:
    """All rows from the first on, with all their cells: calamine leaves out the columns before the first that is used.

    Raises Unreadable (U01) for a value that it cannot give, such as a time beyond all bounds.
    """
    rows, before = sheet.iter_rows(), [""] * (sheet.start or (0, 0))[1]
    while (row := _in_words(lambda: next(rows, None))) is not None:
        yield before + row


def _in_words(act: Callable[[], Any]) -> Any:
    """What calamine gives, or why not: it may panic at a damaged file, which Python knows as no ordinary exception."""
    try:
        return act()
    except calamine.PasswordError:
        raise UnreadableFile("U02") from None
    except (calamine.CalamineError, OSError, ValueError, OverflowError, MemoryError):
        raise UnreadableFile("U01") from None
    except BaseException as fault:
        if type(fault).__name__ != "PanicException":
            raise
        raise UnreadableFile("U01") from None


def _with_errors(rows: Iterator[list[Any]], errors: Errors) -> Iterator[list[Any]]:
    if not errors:
        yield from rows
        return
    by_row: dict[int, dict[int, str]] = {}
    for (row, column), text in errors.items():
        by_row.setdefault(row, {})[column] = text
    n = -1
    for n, cells in enumerate(rows):  # noqa: B007 - the last number is needed below
        for column, text in by_row.pop(n, {}).items():
            cells += [""] * (column + 1 - len(cells))
            cells[column] = text
        yield cells
    for row in range(n + 1, max(by_row, default=-1) + 1):
        beyond = by_row.get(row, {})
        yield [beyond.get(column, "") for column in range(max(beyond, default=-1) + 1)]
