"""OpenDocument spreadsheets (.ods): their one XML part, parsed as it streams in.

The format says of each cell what it holds, in a form that never varies: dates are ISO dates, numbers plain numbers. An
error is shown as the text of the cell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, time
from typing import Any
from xml.parsers import expat

from flows.deliveries.extract import UnreadableFile
from flows.steps.read.heading import MAX_COLUMNS
from flows.steps.read.workbook.percentages import as_percentage
from flows.steps.read.workbook.sheet import Area, Hidden, Sheet, Table, check_extent
from flows.steps.read.zip_package import LONGEST_TEXT, ODS_CONTENT, ODS_MANIFEST, Package

_NOT_THE_CELLS = {"annotation", "tracked-changes", "dde-link", "shapes", "forms", "frame", "custom-shape"}
_DURATION = re.compile(r"P(?:(\d{1,6})D)?T?(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,6})(\.\d+)?S)?")
_ADDED = ":calcext:"  # LibreOffice's own attributes, which have the same names as those of the format
_ERROR = re.compile(r"#(REF!|N/A|VALUE!|NAME\?|DIV/0!|NULL!|NUM!)")
_OWN_ERROR = re.compile(r"Err:(\d{3})")
_AS_EXCEL_SAYS = {"503": "#NUM!", "524": "#REF!", "525": "#NAME?", "532": "#DIV/0!"}  # any other is #VALUE!
_MOST_ROWS = 1 << 20  # of a sheet, as in the programs that write them


def sheets_of_ods(package: Package) -> list[Sheet]:
    """The sheets of an OpenDocument spreadsheet. Raises Unreadable: U01 damaged or hostile, U02 password."""
    if package.holds(ODS_MANIFEST, b"encryption-data"):
        raise UnreadableFile("U02")
    content = _Content()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler, parser.EndElementHandler = content.start, content.end
    parser.CharacterDataHandler = content.text
    try:
        for piece in package.xml_pieces(ODS_CONTENT):
            parser.Parse(piece, False)
        parser.Parse(b"", True)
    except (expat.ExpatError, LookupError, ValueError, OverflowError):
        raise UnreadableFile("U01", "it is damaged or was cut off") from None
    return [sheet.finished(content.hidden_styles) for sheet in content.sheets]


class _SheetRead:
    """A sheet as far as it has been read. A row that is repeated is kept once, however often it is given."""

    def __init__(self, name: str, style: str) -> None:
        self.name, self.style = name, style
        self.rows: list[tuple[int, int, list[Any]]] = []  # (row from 0, how often, cells) of those that hold anything
        self.merged: list[Area] = []
        self.hidden_rows: list[int] = []
        self.hidden_columns: list[int] = []
        self.next_row = self.width = self.next_column = 0

    def add_columns(self, times: int, *, is_hidden: bool) -> None:
        """Take in the next columns, as they are told of before the rows."""
        if is_hidden:
            self.hidden_columns += range(self.next_column, min(self.next_column + times, MAX_COLUMNS))
        self.next_column += times

    def add(self, cells: list[Any], times: int, *, is_hidden: bool) -> None:
        if cells:
            self.width = max(self.width, len(cells))
            check_extent(self.next_row + times, self.width)
            if self.next_row + times > _MOST_ROWS:
                raise UnreadableFile("U01", f"a sheet has more than {_MOST_ROWS:,} rows")
            self.rows.append((self.next_row, times, cells))
            self.hidden_rows += range(self.next_row, self.next_row + times) if is_hidden else ()
        self.next_row = min(self.next_row + times, 1 << 40)

    def all_rows(self) -> Iterator[list[Any]]:
        at = 0
        for row, times, cells in self.rows:
            for _ in range(at, row):
                yield []
            for _ in range(times):
                yield list(cells)
            at = row + times

    def finished(self, hidden_styles: set[str]) -> Sheet:
        table = Table(self.all_rows, self.merged, Hidden(self.hidden_rows, self.hidden_columns))
        return Sheet(self.name, self.style in hidden_styles, lambda: table)


class _Content:
    """What has been read of the content: called by the parser for each tag and text."""

    def __init__(self) -> None:
        self.sheets: list[_SheetRead] = []
        self.hidden_styles: set[str] = set()
        self._style = ""
        self._skipped = 0  # depth inside of what is no cell's own text
        self._cells: list[Any] = []
        self._pending = 0  # empty cells, which count only where a filled one follows
        self._row_times = self._cell_times = 1
        self._row_is_hidden = False
        self._cell: dict[str, str] | None = None
        self._paragraphs: list[str] = []
        self._in_paragraph = False
        self._length = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        kind = tag.rpartition(" ")[2]
        said = {key.rpartition(" ")[2]: value for key, value in attributes.items() if _ADDED not in key}
        if self._skipped or kind in _NOT_THE_CELLS:
            self._skipped += 1
        elif kind == "style":
            self._style = said.get("name", "")
        elif kind == "table-properties" and said.get("display") == "false":
            self.hidden_styles.add(self._style)
        elif kind == "table":
            self.sheets.append(_SheetRead(said.get("name", ""), said.get("style-name", "")))
        elif kind == "table-column" and self.sheets:
            self.sheets[-1].add_columns(_times(said, "number-columns-repeated"), is_hidden=_is_hidden(said))
        elif kind == "table-row":
            self._row_is_hidden = _is_hidden(said)
            self._cells, self._pending, self._row_times = [], 0, _times(said, "number-rows-repeated")
        elif kind in ("table-cell", "covered-table-cell"):
            self._cell, self._paragraphs, self._length = said, [], 0
            self._cell_times = _times(said, "number-columns-repeated")
        elif self._cell is not None and kind == "p":
            self._paragraphs.append("")
            self._in_paragraph = True
        elif self._in_paragraph and kind in ("s", "tab", "line-break"):
            marks = {"s": " " * min(_times(said, "c"), LONGEST_TEXT), "tab": "\t", "line-break": "\n"}
            self.text(marks[kind])

    def text(self, said: str) -> None:
        if self._in_paragraph and not self._skipped:
            self._length += len(said)
            if self._length > LONGEST_TEXT:
                raise UnreadableFile("U01", "a cell holds more than a million characters")
            self._paragraphs[-1] += said

    def end(self, tag: str) -> None:
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

    def _put(self, value: Any, said: dict[str, str]) -> None:
        left = len(self._cells) + self._pending
        down, right = _times(said, "number-rows-spanned"), _times(said, "number-columns-spanned")
        if self.sheets and (down > 1 or right > 1):
            top = self.sheets[-1].next_row
            self.sheets[-1].merged.append((top, left, top + down - 1, left + right - 1))
        if value == "":
            self._pending += self._cell_times
            return
        if left + self._cell_times > MAX_COLUMNS:
            raise UnreadableFile("U01", f"a sheet has more than {MAX_COLUMNS:,} columns")
        self._cells += [""] * self._pending + [value] * self._cell_times
        self._pending = 0


def _is_hidden(said: dict[str, str]) -> bool:
    """Whether a row or a column is hidden by hand or by a filter."""
    return said.get("visibility") in ("collapse", "filter")


def _times(said: dict[str, str], name: str) -> int:
    number = said.get(name, "1")
    return max(1, int(number)) if number.isdecimal() and len(number) < 10 else 1


def _value(said: dict[str, str], text: str) -> Any:
    """What a cell holds, by the type it states. Raises ValueError where its value is not of that type."""
    kind = said.get("value-type", "")
    if _ERROR.fullmatch(text):
        return text
    if own := _OWN_ERROR.fullmatch(text):
        return _AS_EXCEL_SAYS.get(own[1], "#VALUE!")
    if kind == "percentage" and "value" in said:
        return as_percentage(float(said["value"]))
    if kind in ("float", "currency") and "value" in said:
        return float(said["value"])
    if kind == "date" and "date-value" in said:
        return datetime.fromisoformat(said["date-value"])
    if kind == "time" and (parts := _DURATION.fullmatch(said.get("time-value", ""))):
        return _time(*parts.groups())
    if kind == "boolean" and "boolean-value" in said:
        return said["boolean-value"] == "true"
    return text or (said.get("string-value", "") if kind == "string" else "")


def _time(days: str | None, hours: str | None, minutes: str | None, seconds: str | None, part: str | None) -> str:
    """A time of day, or the hours of a longer span: 10:30:00, 55:10:10."""
    hour, minute, second = 24 * int(days or 0) + int(hours or 0), int(minutes or 0), int(seconds or 0)
    if hour < 24 and minute < 60 and second < 60:
        return time(hour, minute, second, round(float(part or 0) * 1e6) % 1_000_000).isoformat()
    return f"{hour:02}:{minute:02}:{second:02}"
