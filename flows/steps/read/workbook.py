"""Excel workbooks, sheet by sheet, every cell where it is.

calamine reads the values. It gives nothing for `#REF!` and its kin, so the sheet's own XML is searched for them.
Dates and numbers that Excel knows as such are written as ISO dates and plain digits: no type is guessed from text.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Sequence, Set
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import python_calamine as calamine

from flows.steps.read.heading import ROWS_SEARCHED, find_heading, matches
from schemas.codes import fold
from schemas.contract import Severity
from schemas.shapes import Extract, Finding, TextBatch, Unreadable

BATCH_ROWS = 50_000
LARGEST_UNPACKED = 2 << 30  # bytes: an honest workbook of a million rows stays well below
_ERROR_CELL = re.compile(rb'<c\s+r="([A-Z]+)(\d+)"[^>]*\bt="e"[^>]*>.*?<v>([^<]*)</v>', re.DOTALL)


def read_workbook(path: Path, known_headings: Set[str], sheet: str = "") -> Extract:
    """Open a workbook at the sheet that holds the dataset.

    Raises Unreadable: U01 corrupt, U02 password, U03 no heading, U04 several sheets would do, F01 empty.
    """
    book = _open(path)
    name, rows = _sheet_with_data(book, known_headings, sheet)
    position = find_heading([[_text(c) for c in r] for r in rows[:ROWS_SEARCHED]], known_headings)
    if position is None:
        raise Unreadable("U03" if any(any(c != "" for c in r) for r in rows[:ROWS_SEARCHED]) else "F01")
    headings = [_text(c).strip() for c in rows[position]]
    width = max((i + 1 for i, h in enumerate(headings) if h), default=0)
    errors = _error_cells(path, name)
    findings = []
    if position:
        findings.append(
            Finding("F04", Severity.WARNING, source_row=position + 1, found=f"heading on row {position + 1}")
        )
    beyond = max((len(r) for r in rows), default=0)
    headings += [""] * (max(width, _last_used(rows, position, beyond)) - len(headings))
    headings = headings[: max(width, _last_used(rows, position, beyond))]
    return Extract(
        name, "", position + 1, tuple(headings), _batches(rows, position + 1, len(headings), errors), findings
    )


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


def _sheet_with_data(book: calamine.CalamineWorkbook, known: Set[str], wanted: str) -> tuple[str, list[list[Any]]]:
    visible = [
        s.name
        for s in book.sheets_metadata
        if s.visible == calamine.SheetVisibleEnum.Visible and s.typ == calamine.SheetTypeEnum.WorkSheet
    ]
    if wanted:
        named = [n for n in visible if fold(n) == fold(wanted)]
        visible = named or visible
    found: list[tuple[int, str, list[list[Any]]]] = []
    for name in visible:
        try:
            rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
        except (calamine.CalamineError, ValueError):
            raise Unreadable("U01") from None
        score = max((matches([_text(c) for c in r], known) for r in rows[:ROWS_SEARCHED]), default=0)
        found.append((score, name, rows))
    found.sort(key=lambda f: -f[0])
    if not found:
        raise Unreadable("F01")
    if len(found) > 1 and found[0][0] == found[1][0] > 1:
        raise Unreadable("U04", " and ".join(f[1] for f in found if f[0] == found[0][0]))
    return found[0][1], found[0][2]


def _last_used(rows: Sequence[Sequence[Any]], position: int, width: int) -> int:
    """The number of columns that any row below the heading uses."""
    for column in range(width, 0, -1):
        if any(len(r) >= column and r[column - 1] != "" for r in rows[position:]):
            return column
    return 0


def _batches(rows: list[list[Any]], start: int, width: int, errors: dict[tuple[int, int], str]) -> Iterator[TextBatch]:
    names = [str(i) for i in range(width)]
    for first in range(start, len(rows), BATCH_ROWS):
        part = rows[first : first + BATCH_ROWS]
        columns = [[_text(r[i]) if i < len(r) else "" for r in part] for i in range(width)]
        for (row, column), text in errors.items():
            if first <= row < first + len(part) and column < width:
                columns[column][row - first] = text
        frame = pl.DataFrame(dict(zip(names, columns, strict=True)), schema=dict.fromkeys(names, pl.String))
        yield TextBatch(frame.with_columns(pl.Series("source_row", range(first + 1, first + 1 + len(part)), pl.Int64)))


def _text(value: Any) -> str:
    """A cell's value as the sender would type it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    return str(value)


def _error_cells(path: Path, sheet: str) -> dict[tuple[int, int], str]:
    """The cells of a sheet that hold a spreadsheet error: (row, column) from 0, and the error's text."""
    try:
        with zipfile.ZipFile(path) as archive:
            xml = archive.read(_member(archive, sheet))
    except (zipfile.BadZipFile, KeyError):
        return {}
    if b't="e"' not in xml:
        return {}
    return {(int(r) - 1, _index(c.decode())): v.decode() for c, r, v in _ERROR_CELL.findall(xml)}


def _member(archive: zipfile.ZipFile, sheet: str) -> str:
    """The name, inside the workbook, of a sheet's XML."""
    book = archive.read("xl/workbook.xml").decode("utf-8", "replace")
    relations = archive.read("xl/_rels/workbook.xml.rels").decode("utf-8", "replace")
    for tag in re.findall(r"<(?:\w+:)?sheet\s[^>]*>", book):
        name = re.search(r'\bname="([^"]*)"', tag)
        key = re.search(r'\br:id="([^"]*)"', tag)
        if name and key and _unescaped(name[1]) == sheet:
            for relation in re.findall(r"<(?:\w+:)?Relationship\s[^>]*>", relations):
                if f'Id="{key[1]}"' in relation and (target := re.search(r'Target="([^"]*)"', relation)):
                    return target[1].lstrip("/") if target[1].startswith("/") else f"xl/{target[1]}"
    raise KeyError(sheet)


def _unescaped(text: str) -> str:
    for entity, character in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'"), ("&amp;", "&")):
        text = text.replace(entity, character)
    return text


def _index(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1
