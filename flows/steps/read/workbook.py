"""Excel workbooks, sheet by sheet, every cell where it is.

calamine reads the values. It gives nothing for `#REF!` and its kin, so the sheet's own XML is searched for them.
Dates and numbers that Excel knows as such are written as ISO dates and plain digits: no type is guessed from text.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.parsers import expat

import polars as pl
import python_calamine as calamine

from flows.steps.read.heading import LEAST_MATCHES, ROWS_SEARCHED, find_heading, matches
from schemas.codes import fold
from schemas.contract import Severity
from schemas.shapes import Extract, Finding, TextBatch, Unreadable, column_letter

BATCH_ROWS = 50_000
LARGEST_UNPACKED = 2 << 30  # bytes: an honest workbook of a million rows stays well below
MOST_CELLS = 60_000_000  # of the rectangle around all cells: about 2.5 GB of memory
LIKE_THE_BEST = 0.8  # of the best sheet's headings: with as many, another may hold the dataset as well
Errors = dict[tuple[int, int], str]  # (row, column) from 0, and the error's text
_ERROR_CELL = re.compile(rb'<c\s+r="([A-Z]+)(\d+)"[^>]*\bt="e"[^>]*>\s*(?:<f[^<]*(?:</f>\s*)?)?<v>([^<]*)</v>')
# Cells beyond BB1099999, and those that do not say plainly where they are: where there are none of either, the
# rectangle around all cells is small enough, and nothing need be counted.
_FAR_CELL = re.compile(rb'<c(?=[\s/>])(?! r="(?:[A-Z]|A[A-Z]|B[AB])(?:\d{1,6}|10\d{5})")')
_PLAIN_CELL = re.compile(rb'<c r="([A-Z]{1,3})(\d{1,7})"')
_OTHER_CELL = re.compile(rb'<c(?=[\s/>])(?! r="[A-Z]{1,3}\d{1,7}")|:c[\s/>]')
_PREFIXED_CELL = re.compile(rb":c[\s/>]")


@dataclass
class _Sheet:
    """A sheet that may hold the dataset: how many of its headings it has, its rows, and its spreadsheet errors."""

    name: str
    score: int
    rows: list[list[Any]]
    errors: Errors


def read_workbook(path: Path, known_headings: Set[str], sheet: str = "") -> Extract:
    """Open a workbook at the sheet that holds the dataset.

    Raises Unreadable: U01 corrupt or too large, U02 password, U03 no heading, U04 several sheets would do, F01 empty.
    """
    book = _open(path)
    chosen = _sheet_with_data(path, book, known_headings, sheet)
    rows = chosen.rows
    position = find_heading([[_text(c) for c in r] for r in rows[:ROWS_SEARCHED]], known_headings)
    if position is None:
        raise Unreadable("U03" if any(any(c != "" for c in r) for r in rows[:ROWS_SEARCHED]) else "F01")
    headings = [_text(c).strip() for c in rows[position]]
    findings = []
    if position:
        findings.append(
            Finding("F04", Severity.WARNING, source_row=position + 1, found=f"heading on row {position + 1}")
        )
    used = max((i + 1 for i, h in enumerate(headings) if h), default=0)
    width = max(used, _last_used(rows, position, max((len(r) for r in rows), default=0)))
    headings = (headings + [""] * (width - len(headings)))[:width]
    batches = _batches(rows, position + 1, width, chosen.errors)
    return Extract(chosen.name, "", position + 1, tuple(headings), batches, findings)


def _open(path: Path) -> calamine.CalamineWorkbook:
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(i.file_size for i in archive.infolist()) > LARGEST_UNPACKED:
                raise Unreadable("U01", "it unpacks to more than 2 GB")
    except zipfile.BadZipFile:
        pass  # an encrypted workbook is no zip file: calamine knows it
    try:
        return calamine.CalamineWorkbook.from_path(str(path))
    except calamine.PasswordError:
        raise Unreadable("U02") from None
    except (calamine.CalamineError, OSError):
        raise Unreadable("U01") from None


def _sheet_with_data(path: Path, book: calamine.CalamineWorkbook, known: Set[str], wanted: str) -> _Sheet:
    """The visible sheet that looks most like the dataset, if no other looks much like it too."""
    visible = [
        s.name
        for s in book.sheets_metadata
        if s.visible == calamine.SheetVisibleEnum.Visible and s.typ == calamine.SheetTypeEnum.WorkSheet
    ]
    if wanted:
        visible = [n for n in visible if fold(n) == fold(wanted)] or visible
    members = _members(path)
    scores: dict[str, int] = {}
    best: _Sheet | None = None
    for name in visible:
        errors = _searched(path, members.get(name))
        try:
            rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
        except (calamine.CalamineError, ValueError):
            raise Unreadable("U01") from None
        scores[name] = max((matches([_text(c) for c in r], known) for r in rows[:ROWS_SEARCHED]), default=0)
        if best is None or scores[name] > best.score:
            best = _Sheet(name, scores[name], rows, errors)
    if best is None:
        raise Unreadable("F01")
    alike = [n for n, score in scores.items() if score >= max(LEAST_MATCHES, LIKE_THE_BEST * best.score)]
    if len(alike) > 1:
        raise Unreadable("U04", " and ".join(alike))
    return best


def _last_used(rows: Sequence[Sequence[Any]], position: int, width: int) -> int:
    """The number of columns that any row below the heading uses."""
    for column in range(width, 0, -1):
        if any(len(r) >= column and r[column - 1] != "" for r in rows[position:]):
            return column
    return 0


def _batches(rows: list[list[Any]], start: int, width: int, errors: Errors) -> Iterator[TextBatch]:
    names = [str(i) for i in range(width)]
    above = [(n, _text(c)) for n, row in enumerate(rows[: start - 1], 1) for c in row if c != ""]
    for first in range(start, len(rows), BATCH_ROWS):
        part = rows[first : first + BATCH_ROWS]
        columns = [[_text(r[i]) if i < len(r) else "" for r in part] for i in range(width)]
        for (row, column), text in errors.items():
            if first <= row < first + len(part) and column < width:
                columns[column][row - first] = text
        frame = pl.DataFrame(dict(zip(names, columns, strict=True)), schema=dict.fromkeys(names, pl.String))
        source_rows = pl.Series("source_row", range(first + 1, first + 1 + len(part)), pl.Int64)
        yield TextBatch(frame.with_columns(source_rows), beside=above if first == start else [])


def _text(value: Any) -> str:
    """A cell's value as the sender would type it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    return str(value)


def _number(value: float) -> str:
    """A number without the noise of its binary form: 12 digits, which are the pence of billions; more where needed."""
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    text = f"{value:.12g}" if abs(value) < 1e10 else f"{value:.15g}"
    return f"{Decimal(text):f}" if 1e-6 <= abs(value) < 1e15 else text


def _members(path: Path) -> dict[str, str]:
    """The name, inside the workbook, of each sheet's XML."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = {n.replace("\\", "/").lstrip("/").casefold(): n for n in archive.namelist()}
            book = ElementTree.fromstring(archive.read(names["xl/workbook.xml"]))
            relations = ElementTree.fromstring(archive.read(names["xl/_rels/workbook.xml.rels"]))
            targets = {r.get("Id", ""): r.get("Target", "") for r in relations}
            found = {}
            for sheet in book.iter():
                if sheet.tag.endswith("}sheet"):
                    key = next((v for k, v in sheet.attrib.items() if k.endswith("}id")), "")
                    target = targets[key]
                    inside = target.lstrip("/") if target.startswith(("/", "xl/")) else f"xl/{target}"
                    found[sheet.get("name", "")] = names[inside.casefold()]
            return found
    except (zipfile.BadZipFile, KeyError, ElementTree.ParseError):
        raise Unreadable("U01") from None


def _searched(path: Path, member: str | None) -> Errors:
    """The spreadsheet errors of a sheet, whose XML is searched before it is opened.

    Raises Unreadable (U01) for one whose cells lie so far apart that the rectangle around them would fill the memory.
    """
    if member is None:
        raise Unreadable("U01")
    try:
        with zipfile.ZipFile(path) as archive:
            xml = archive.read(member)
    except (zipfile.BadZipFile, zlib.error):
        raise Unreadable("U01") from None
    if _FAR_CELL.search(xml) or _PREFIXED_CELL.search(xml):
        rows, columns = (0, 0) if _OTHER_CELL.search(xml) else _plain_extent(xml)
        if not rows or rows * columns > MOST_CELLS:
            rows, columns = _extent(xml)
        if rows * columns > MOST_CELLS:
            raise Unreadable(
                "U01", f"a cell lies in row {rows:,} or column {column_letter(columns - 1)}, far from others"
            )
    return _error_cells(xml)


def _plain_extent(xml: bytes) -> tuple[int, int]:
    """The last row and the last column of cells that say plainly where they are, empty ones among them."""
    columns: set[bytes] = set()
    last_row = 0
    for cell in _PLAIN_CELL.finditer(xml):
        columns.add(cell[1])
        last_row = max(last_row, int(cell[2]))
    return last_row, max((_index(c.decode()) + 1 for c in columns), default=0)


def _extent(xml: bytes) -> tuple[int, int]:
    """The last row and the last column of a sheet's cells, however they are written."""
    row = column = last_row = last_column = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal row, column, last_row, last_column
        kind, at = tag.rpartition(":")[2], attributes.get("r", "")
        if kind == "row":
            row, column = int(at) if at.isdecimal() else row + 1, 0
        elif kind == "c":
            named = re.fullmatch(r"([A-Z]{1,9})(\d{1,18})", at.upper())
            row, column = (int(named[2]), _index(named[1]) + 1) if named else (row, column + 1)
        elif kind in ("v", "is", "f"):  # an empty cell takes no room
            last_row, last_column = max(last_row, row), max(last_column, column)

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    try:
        parser.Parse(xml, True)
    except expat.ExpatError:
        raise Unreadable("U01") from None
    return last_row, last_column


def _error_cells(xml: bytes) -> Errors:
    """The cells of a sheet that hold a spreadsheet error."""
    if b't="e"' not in xml:
        return {}
    return {(int(r) - 1, _index(c.decode())): v.decode() for c, r, v in _ERROR_CELL.findall(xml)}


def _index(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1
