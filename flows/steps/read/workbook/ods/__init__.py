"""Reader of OpenDocument spreadsheets (.ods): a single XML part, parsed as a stream.

Each cell states its type and its value in a fixed form: dates are ISO dates, numbers plain numbers. A spreadsheet error
appears as the cell's text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, time
from typing import Any
from xml.parsers import expat

from flows.cells.parse import NOT_CALCULATED
from flows.deliveries.extract import UnreadableFile
from flows.steps.read.heading import MAX_COLUMNS
from flows.steps.read.workbook.percentages import as_percentage
from flows.steps.read.workbook.sheet import Area, Hidden, Sheet, Table, check_extent
from flows.steps.read.zip_package import MAX_CELL_CHARACTERS, ODS_CONTENT, ODS_MANIFEST, Package

_NOT_THE_CELLS = {"annotation", "tracked-changes", "dde-link", "shapes", "forms", "frame", "custom-shape"}
_DURATION = re.compile(r"P(?:(\d{1,6})D)?T?(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,6})(\.\d+)?S)?")
_LIBREOFFICE_EXTENSION = ":calcext:"  # in the namespace of LibreOffice's own attributes
_ERROR = re.compile(r"#(REF!|N/A|VALUE!|NAME\?|DIV/0!|NULL!|NUM!)")
_OWN_ERROR = re.compile(r"Err:(\d{3})")
_EXCEL_ERRORS = {"503": "#NUM!", "524": "#REF!", "525": "#NAME?", "532": "#DIV/0!"}  # any other becomes #VALUE!
_MAX_ROWS = 1 << 20  # rows of a sheet, as in Excel and LibreOffice


def sheets_of_ods(package: Package) -> list[Sheet]:
    """Read the sheets of an OpenDocument spreadsheet. Raises UnreadableFile: U01 damaged or hostile, U02 password."""
    if package.holds(ODS_MANIFEST, b"encryption-data"):
        raise UnreadableFile("U02")
    content = _ContentHandler()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler, parser.EndElementHandler = content.start, content.end
    parser.CharacterDataHandler = content.text
    try:
        for piece in package.xml_pieces(ODS_CONTENT):
            parser.Parse(piece, False)
        parser.Parse(b"", True)
    except (expat.ExpatError, LookupError, ValueError, OverflowError):
        raise UnreadableFile("U01", "it is damaged or was cut off") from None
    return [sheet.to_sheet(content.hidden_styles) for sheet in content.sheets]


class _SheetBuilder:
    """A sheet while it is being parsed. A repeated row is stored once, as a file may repeat a row a million times."""

    def __init__(self, name: str, style: str) -> None:
        self.name, self.style = name, style
        self.rows: list[tuple[int, int, list[Any]]] = []  # rows that are not empty: (row from 0, repeats, cells)
        self.merged: list[Area] = []
        self.hidden_rows: list[int] = []
        self.hidden_columns: list[int] = []
        self.next_row = self.width = self.next_column = 0

    def add_columns(self, times: int, *, is_hidden: bool) -> None:
        """Add column declarations, which precede the rows."""
        if is_hidden:
            self.hidden_columns += range(self.next_column, min(self.next_column + times, MAX_COLUMNS))
        self.next_column += times

    def add(self, cells: list[Any], times: int, *, is_hidden: bool) -> None:
        """Add the next row, repeated `times` times. Raises UnreadableFile (U01) if the sheet becomes too large."""
        if cells:
            self.width = max(self.width, len(cells))
            check_extent(self.next_row + times, self.width)
            if self.next_row + times > _MAX_ROWS:
                raise UnreadableFile("U01", f"a sheet has more than {_MAX_ROWS:,} rows")
            self.rows.append((self.next_row, times, cells))
            self.hidden_rows += range(self.next_row, self.next_row + times) if is_hidden else ()
        self.next_row = min(self.next_row + times, 1 << 40)  # a false repeat count must not grow without limit

    def rows_with_gaps(self) -> Iterator[list[Any]]:
        """Yield all rows from the first on, with an empty list for each row that was not stored."""
        at = 0
        for row, times, cells in self.rows:
            for _ in range(at, row):
                yield []
            for _ in range(times):
                yield list(cells)
            at = row + times

    def to_sheet(self, hidden_styles: set[str]) -> Sheet:
        """The finished sheet. Whether it is hidden is a property of its style."""
        table = Table(self.rows_with_gaps, self.merged, Hidden(self.hidden_rows, self.hidden_columns))
        return Sheet(self.name, self.style in hidden_styles, lambda: table)


class _ContentHandler:
    """Handler of the parser's events (tags and text), which builds the sheets."""

    def __init__(self) -> None:
        self.sheets: list[_SheetBuilder] = []
        self.hidden_styles: set[str] = set()
        self._style = ""
        self._skipped = 0  # nesting depth within an element that is not cell content, such as a comment
        self._cells: list[Any] = []
        self._pending = 0  # empty cells, added only if a filled cell follows: many rows end with thousands
        self._row_times = self._cell_times = 1
        self._row_is_hidden = False
        self._cell: dict[str, str] | None = None
        self._paragraphs: list[str] = []
        self._in_paragraph = False
        self._length = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Handle an opening tag. Names are compared without their namespace."""
        kind = tag.rpartition(" ")[2]
        own = {
            name.rpartition(" ")[2]: value
            for name, value in attributes.items()
            if _LIBREOFFICE_EXTENSION not in name  # LibreOffice repeats attributes of the format under the same names
        }
        if self._skipped or kind in _NOT_THE_CELLS:
            self._skipped += 1
        elif kind == "style":
            self._style = own.get("name", "")
        elif kind == "table-properties" and own.get("display") == "false":
            self.hidden_styles.add(self._style)
        elif kind == "table":
            self.sheets.append(_SheetBuilder(own.get("name", ""), own.get("style-name", "")))
        elif kind == "table-column" and self.sheets:
            self.sheets[-1].add_columns(_times(own, "number-columns-repeated"), is_hidden=_is_hidden(own))
        elif kind == "table-row":
            self._row_is_hidden = _is_hidden(own)
            self._cells, self._pending, self._row_times = [], 0, _times(own, "number-rows-repeated")
        elif kind in ("table-cell", "covered-table-cell"):
            self._cell, self._paragraphs, self._length = own, [], 0
            self._cell_times = _times(own, "number-columns-repeated")
        elif self._cell is not None and kind == "p":
            self._paragraphs.append("")
            self._in_paragraph = True
        elif self._in_paragraph and kind in ("s", "tab", "line-break"):
            text = {"s": " " * min(_times(own, "c"), MAX_CELL_CHARACTERS), "tab": "\t", "line-break": "\n"}
            self.text(text[kind])

    def text(self, characters: str) -> None:
        """Handle characters: only those in a cell's paragraphs count."""
        if self._in_paragraph and not self._skipped:
            self._length += len(characters)
            if self._length > MAX_CELL_CHARACTERS:
                raise UnreadableFile("U01", "a cell holds more than a million characters")
            self._paragraphs[-1] += characters

    def end(self, tag: str) -> None:
        """Handle a closing tag: a cell or a row is complete."""
        kind = tag.rpartition(" ")[2]
        if self._skipped:
            self._skipped -= 1
        elif kind == "p":
            self._in_paragraph = False
        elif kind in ("table-cell", "covered-table-cell") and self._cell is not None:
            self._put(_value(self._cell, "\n".join(self._paragraphs)), self._cell)
            self._cell = None
        elif kind == "table-row" and self.sheets:
            self.sheets[-1].add(self._cells, self._row_times, is_hidden=self._row_is_hidden)

    def _put(self, value: Any, attributes: dict[str, str]) -> None:
        """Add a cell to the current row, as often as it is repeated."""
        left = len(self._cells) + self._pending
        down, right = _times(attributes, "number-rows-spanned"), _times(attributes, "number-columns-spanned")
        if self.sheets and (down > 1 or right > 1):
            top = self.sheets[-1].next_row
            self.sheets[-1].merged.append((top, left, top + down - 1, left + right - 1))
        if isinstance(value, str) and not value.strip():  # a blank far away would make the sheet too large
            self._pending += self._cell_times
            return
        if left + self._cell_times > MAX_COLUMNS:
            raise UnreadableFile("U01", f"a sheet has more than {MAX_COLUMNS:,} columns")
        self._cells += [""] * self._pending + [value] * self._cell_times
        self._pending = 0


def _is_hidden(attributes: dict[str, str]) -> bool:
    """Whether a row or column is hidden, by hand or by a filter."""
    return attributes.get("visibility") in ("collapse", "filter")


def _times(attributes: dict[str, str], name: str) -> int:
    """A repeat count; 1 if it is absent or not a sensible number."""
    number = attributes.get(name, "1")
    return max(1, int(number)) if number.isdecimal() and len(number) < 10 else 1


def _value(attributes: dict[str, str], text: str) -> Any:
    """A cell's value, by the type that it states. Raises ValueError if the value is not of that type."""
    kind = attributes.get("value-type", "")
    if _ERROR.fullmatch(text):
        return text
    if own := _OWN_ERROR.fullmatch(text):
        return _EXCEL_ERRORS.get(own[1], "#VALUE!")
    if kind == "percentage" and "value" in attributes:
        return as_percentage(float(attributes["value"]))
    if kind in ("float", "currency") and "value" in attributes:
        return float(attributes["value"])
    if kind == "date" and "date-value" in attributes:
        return datetime.fromisoformat(attributes["date-value"])
    if kind == "time" and (parts := _DURATION.fullmatch(attributes.get("time-value", ""))):
        return _time(*parts.groups())
    if kind == "boolean" and "boolean-value" in attributes:
        return attributes["boolean-value"] == "true"
    if not text and not kind and attributes.get("formula"):
        return NOT_CALCULATED  # written by a program that leaves the calculation to the spreadsheet
    return text or (attributes.get("string-value", "") if kind == "string" else "")


def _time(days: str | None, hours: str | None, minutes: str | None, seconds: str | None, part: str | None) -> str:
    """Format a duration: as a time of day if it is below 24 hours (10:30:00), else in hours (55:10:10)."""
    hour, minute, second = 24 * int(days or 0) + int(hours or 0), int(minutes or 0), int(seconds or 0)
    if hour < 24 and minute < 60 and second < 60:
        return time(hour, minute, second, round(float(part or 0) * 1e6) % 1_000_000).isoformat()
    return f"{hour:02}:{minute:02}:{second:02}"
