"""The interface to a workbook of any format: named sheets, and rows of cells in their original positions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any, BinaryIO

import polars as pl
import python_calamine as calamine

from flows.cells.column_letters import column_letter
from flows.deliveries.extract import UnreadableFile
from flows.steps.read.heading import MAX_COLUMNS
from flows.steps.read.values import text_of
from flows.steps.read.workbook.percentages import Cells, with_percentages

MAX_CELLS = 40_000_000  # in the rectangle around all cells of a sheet: about 1.3 GB of memory
Errors = dict[tuple[int, int], str]  # (row, column) from 0, and the error's text
Area = tuple[int, int, int, int]  # merged cells: top, left, bottom, right, from 0
SheetNamer = Callable[[str, int], str]  # (name, position from 1) -> the name by which a report may mention a sheet


@dataclass(frozen=True)
class Hidden:
    """The rows and columns of a sheet that are hidden, by a filter or by hand: positions from 0, in order."""

    rows: Sequence[int] = ()
    columns: Sequence[int] = ()


NOTHING_HIDDEN = Hidden()


@dataclass(frozen=True)
class Table:
    """The cells of a sheet. Each call of `rows` yields them again from the sheet's first row, '' for an empty cell.

    Spreadsheet errors are texts such as '#REF!'. Of merged cells, only the first has a value. `Sheet.open_raw` may
    leave `hidden` empty.
    """

    rows: Callable[[], Iterator[list[Any]]]
    merged: list[Area] = field(default_factory=list)
    hidden: Hidden = NOTHING_HIDDEN

    def head(self, rows: int) -> list[list[str]]:
        """The first rows as text."""
        return [list(row) for frame in islice(self.texts(0, rows), 1) for row in frame.iter_rows()]

    def width(self, first: int, used: int) -> int:
        """The number of columns used by the rows from `first` (from 0) on, but at least `used`."""
        for row in islice(self.rows(), first, None):
            if len(row) > used:
                used = max((i + 1 for i in range(used, len(row)) if not _is_blank(row[i])), default=used)
        return used

    def texts(self, first: int, size: int) -> Iterator[pl.DataFrame]:
        """Yield the rows from `first` on as text, at most `size` per frame, in columns '0', '1', ..."""
        rows = islice(self.rows(), first, None)
        while part := list(islice(rows, size)):
            width = max(map(len, part))
            columns = {str(i): [text_of(r[i]) if i < len(r) else "" for r in part] for i in range(width)}
            yield pl.DataFrame(columns or {"0": [""] * len(part)}, schema_overrides=dict.fromkeys(columns, pl.String))


def _is_blank(cell: Any) -> bool:
    return isinstance(cell, str) and not cell.strip()


@dataclass(frozen=True)
class Sheet:
    """A worksheet, opened on demand. `open` is for reading its cells as text, `open_raw` for their typed values.

    `open_raw_table` is set if the raw values can be had with less work than the text.
    """

    name: str
    hidden: bool
    open: Callable[[], Table]
    open_raw_table: Callable[[], Table] | None = None

    def open_raw(self) -> Table:
        """Open the sheet for its typed cell values."""
        return (self.open_raw_table or self.open)()


def same_cells(one: Table, other: Table) -> bool:
    """Whether two sheets have the same cells in the same places."""
    pairs: Iterator[tuple[list[Any], list[Any]]] = zip_longest(one.rows(), other.rows(), fillvalue=[])
    return all(_without_empty_end(a) == _without_empty_end(b) for a, b in pairs)


def _without_empty_end(row: Sequence[Any]) -> list[Any]:
    used = max((i + 1 for i, cell in enumerate(row) if cell not in ("", None)), default=0)
    return list(row[:used])


def sheet_by_number(_: str, number: int) -> str:
    """Name a sheet by its position only, which is safe even if its own name holds personal data."""
    return f"sheet {number}"


def safe_sheet_names(sheets: Sequence[Sheet], names: Sequence[str], name_sheet: SheetNamer) -> list[str]:
    """The names by which a report may mention the sheets called `names`."""
    positions = {sheet.name: n for n, sheet in enumerate(sheets, 1)}
    return [name_sheet(name, positions[name]) for name in names]


def check_extent(rows: int, columns: int) -> None:
    """Raise UnreadableFile (U01) if the rectangle around a sheet's cells is too large for memory."""
    if rows * columns > MAX_CELLS:
        raise UnreadableFile(
            "U01", f"a cell lies in row {rows:,} or column {column_letter(columns - 1)}, far from others"
        )
    if columns > MAX_COLUMNS:
        raise UnreadableFile("U01", f"a sheet has more than {MAX_COLUMNS:,} columns")


class CalamineReader:
    """A workbook read by calamine, with its exceptions translated to UnreadableFile.

    calamine returns empty cells for spreadsheet errors, so each format's reader finds those and passes them to `table`.
    """

    def __init__(self, file: Path | BinaryIO) -> None:
        """Raises UnreadableFile: U01 damaged, U02 password."""
        self._book: calamine.CalamineWorkbook = _translate_errors(lambda: calamine.load_workbook(file))

    def sheets(self) -> list[tuple[str, bool]]:
        """The worksheets, without charts and macro sheets: (name, is hidden)."""
        return [
            (s.name, s.visible != calamine.SheetVisibleEnum.Visible)
            for s in self._book.sheets_metadata
            if s.typ == calamine.SheetTypeEnum.WorkSheet
        ]

    def table(self, name: str, errors: Errors, merged: list[Area] | None = None, percent: Cells = ()) -> Table:
        """A sheet's cells, with its spreadsheet errors filled in and the `percent` cells as percentage texts."""
        sheet = _translate_errors(lambda: self._book.get_sheet_by_name(name))
        # For .xls the caller passes its own areas, for .xlsx calamine's are used.
        areas = [(t, le, b, r) for (t, le), (b, r) in sheet.merged_cell_ranges or []] if merged is None else merged
        return Table(lambda: with_percentages(_with_errors(_rows(sheet), errors), percent), areas)


def _rows(sheet: calamine.CalamineSheet) -> Iterator[list[Any]]:
    """Yield all rows from the first on, with the leading empty columns that calamine leaves out.

    Raises UnreadableFile (U01) for a value that calamine cannot convert, such as a time out of range.
    """
    rows, before = sheet.iter_rows(), [""] * (sheet.start or (0, 0))[1]
    while (row := _translate_errors(lambda: next(rows, None))) is not None:
        yield before + row


def _translate_errors(call: Callable[[], Any]) -> Any:
    """Call calamine, and raise its errors as UnreadableFile."""
    try:
        return call()
    except calamine.PasswordError:
        raise UnreadableFile("U02") from None
    except (calamine.CalamineError, OSError, ValueError, OverflowError, MemoryError):
        raise UnreadableFile("U01") from None
    except BaseException as error:  # a Rust panic, as at some damaged files, is not a subclass of Exception
        if type(error).__name__ != "PanicException":
            raise
        raise UnreadableFile("U01") from None


def _with_errors(rows: Iterator[list[Any]], errors: Errors) -> Iterator[list[Any]]:
    """Yield the rows with the spreadsheet errors filled in, and the rows below that hold nothing but errors."""
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
        below = by_row.get(row, {})
        yield [below.get(column, "") for column in range(max(below, default=-1) + 1)]
