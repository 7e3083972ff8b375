"""Reader of old Excel workbooks (.xls): BIFF records in a stream of a compound file.

calamine reads the values. But it returns nothing for spreadsheet errors and trusts the sizes that the file states, so
the records are scanned first.

BIFF8 (Excel 97 and later) stores text as UTF-16 whatever its code page record says, and some programs put 1252 there.
calamine would believe the record and read each byte as a letter, so it is given a copy in which the record says UTF-16.
BIFF5 (Excel 5 and 95) does store text in its code page.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from flows.deliveries.extract import UnreadableFile
from flows.steps.read.compound_file import DAMAGED, WORKBOOK_STREAMS, CompoundFile
from flows.steps.read.workbook.percentages import PERCENT_FORMATS, Cells, is_percent_format
from flows.steps.read.workbook.sheet import Area, CalamineReader, Errors, Hidden, Sheet, Table, check_extent

# Record types and flags, as [MS-XLS] and the BIFF5 documentation number them.
_BEGIN, _END, _PASSWORD, _SHEET, _CODE_PAGE = 0x0809, 0x000A, 0x002F, 0x0085, 0x0042
_BIFF8, _UTF_16 = 0x0600, struct.pack("<H", 1200)
_FORMAT, _STYLE, _NUMBERS = 0x041E, 0x00E0, 0x00BD
_DIMENSIONS, _BOOL_OR_ERROR, _FORMULA, _MERGED = 0x0200, 0x0205, 0x0006, 0x00E5
_ROW, _COLUMNS, _HIDDEN_ROW, _HIDDEN_COLUMN = 0x0208, 0x007D, 0x20, 0x01
_CELLS = {0x0203, 0x0204, _BOOL_OR_ERROR, 0x00FD, 0x027E, _NUMBERS, _FORMULA, 0x00D6}
_ERRORS = {0: "#NULL!", 7: "#DIV/0!", 15: "#VALUE!", 23: "#REF!", 29: "#NAME?", 36: "#NUM!", 42: "#N/A"}


def sheets_of_xls(path: Path, file: CompoundFile) -> list[Sheet]:
    """List the sheets of an old Excel workbook. Raises UnreadableFile: U01 damaged or hostile, U02 password."""
    name = next(name for name in WORKBOOK_STREAMS if name in file.streams)
    stream = file.stream(name)
    starts, code_pages = [], []
    for kind, at, content in _records(stream, 0):
        if kind == _PASSWORD:
            raise UnreadableFile("U02")
        if kind == _CODE_PAGE and len(content) == len(_UTF_16):
            code_pages.append(at)
        if kind == _SHEET and len(content) >= 6 and content[5] == 0:  # neither chart nor macro sheet
            starts.append(struct.unpack_from("<I", content)[0])
    is_biff8 = _is_biff8(stream)
    # BIFF5 text without a code page, or with UTF-16 as its code page, could be in any encoding.
    if not is_biff8 and all(stream[at : at + len(_UTF_16)] == _UTF_16 for at in code_pages):
        raise UnreadableFile(
            "U01", "it is of Excel 5 or 95, and does not say how its letters are written: save it as .xlsx"
        )
    percent = _percent_style_indices(stream, is_biff8=is_biff8)
    extras = [_scan_sheet(stream, start, is_biff8=is_biff8, percent=percent) for start in starts]
    workbook = CalamineReader(_in_utf16(file, name, stream, code_pages) if is_biff8 and code_pages else path)
    sheets = workbook.sheets()
    if len(sheets) != len(starts):  # the two lists are matched by position below
        raise UnreadableFile("U01", DAMAGED)

    def table(name: str, extra: _SheetExtras) -> Table:
        return replace(workbook.table(name, extra.errors, extra.merged, extra.percentages), hidden=extra.hidden)

    return [
        Sheet(name, hidden, partial(table, name, extra)) for (name, hidden), extra in zip(sheets, extras, strict=True)
    ]


def _is_biff8(stream: bytes) -> bool:
    """Whether the workbook is from Excel 97 or later, by the version in its first record."""
    return len(stream) >= 6 and struct.unpack_from("<H", stream, 4)[0] == _BIFF8


def _in_utf16(file: CompoundFile, name: str, stream: bytes, code_pages: list[int]) -> io.BytesIO:
    """A copy of the workbook with UTF-16 in each code page record; `code_pages` are the offsets of their content."""
    data = bytearray(stream)
    for at in code_pages:
        data[at : at + len(_UTF_16)] = _UTF_16
    return io.BytesIO(file.with_stream(name, bytes(data)))


def _records(stream: bytes, at: int) -> Iterator[tuple[int, int, bytes]]:
    """Yield the records of a substream (the workbook's or a sheet's): type, offset of the content, content.

    Raises UnreadableFile (U01) if the substream has no end.
    """
    depth = 0
    while at + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, at)
        content = stream[at + 4 : at + 4 + length]
        if len(content) < length or (depth == 0 and kind != _BEGIN):
            break
        depth += (kind == _BEGIN) - (kind == _END)
        if depth == 0:
            return
        if depth == 1:  # charts embedded in a sheet are nested deeper
            yield kind, at + 4, content
        at += 4 + length
    raise UnreadableFile("U01", DAMAGED)


def _percent_style_indices(stream: bytes, *, is_biff8: bool) -> set[int]:
    """The indices of the cell styles that display percentages. Raises UnreadableFile (U01)."""
    formats, of_styles = set(PERCENT_FORMATS), []
    try:
        for kind, _, content in _records(stream, 0):
            if kind == _FORMAT:
                is_wide = is_biff8 and content[4:5] == b"\x01"
                code = content[5 if is_biff8 else 3 :].decode("utf-16-le" if is_wide else "latin-1", "replace")
                if is_percent_format(code):
                    formats.add(struct.unpack_from("<H", content)[0])
            elif kind == _STYLE:
                of_styles.append(struct.unpack_from("<H", content, 2)[0])
    except struct.error:
        raise UnreadableFile("U01", DAMAGED) from None
    return {n for n, number in enumerate(of_styles) if number in formats}


def _styles_in(kind: int, content: bytes) -> Iterator[tuple[int, int]]:
    """Yield the column and style of each cell in a record; a MULRK record holds several cells."""
    _, column, style = struct.unpack_from("<HHH", content)
    yield column, style
    if kind == _NUMBERS:
        for n in range(1, (len(content) - 6) // 6):
            yield column + n, struct.unpack_from("<H", content, 4 + 6 * n)[0]


class _SheetExtras(NamedTuple):
    """What calamine does not give of a sheet. `percentages` are the cells whose style displays a percentage."""

    errors: Errors
    merged: list[Area]
    percentages: Cells
    hidden: Hidden


def _scan_sheet(stream: bytes, start: int, *, is_biff8: bool, percent: set[int]) -> _SheetExtras:
    """Scan a sheet's records for what calamine does not give. Raises UnreadableFile (U01) if they are damaged."""
    errors: Errors = {}
    percentages: set[tuple[int, int]] = set()
    merged: list[Area] = []
    hidden_rows: list[int] = []
    hidden_columns: list[int] = []
    rows = columns = 0
    extent = "<IIHH" if is_biff8 else "<HHHH"
    try:
        for kind, _, content in _records(stream, start):
            if kind == _DIMENSIONS:
                first_row, last_row, first_column, last_column = struct.unpack_from(extent, content)
                if last_row < first_row or last_column < first_column:
                    raise UnreadableFile("U01", DAMAGED)
                check_extent(last_row, last_column)
            elif kind == _MERGED:
                areas = struct.unpack_from(f"<{4 * struct.unpack_from('<H', content)[0]}H", content, 2)
                merged += [(t, le, b, r) for t, b, le, r in zip(*(areas[i::4] for i in range(4)), strict=True)]
            elif kind == _ROW and len(content) >= 14 and struct.unpack_from("<H", content, 12)[0] & _HIDDEN_ROW:
                hidden_rows.append(struct.unpack_from("<H", content)[0])
            elif kind == _COLUMNS and len(content) >= 10 and content[8] & _HIDDEN_COLUMN:
                first, last = struct.unpack_from("<HH", content)
                hidden_columns += range(first, min(last, 255) + 1)
            elif kind in _CELLS:
                row, column = struct.unpack_from("<HH", content)
                if row >= rows or column >= columns:
                    rows, columns = max(rows, row + 1), max(columns, column + 1)
                    check_extent(rows, columns)
                if percent:
                    percentages |= {(row, at) for at, style in _styles_in(kind, content) if style in percent}
                error = _error_in(kind, content)
                if error is not None:
                    errors[row, column] = _ERRORS.get(error, "#VALUE!")
    except (struct.error, IndexError):
        raise UnreadableFile("U01", DAMAGED) from None
    return _SheetExtras(errors, merged, percentages, Hidden(sorted(hidden_rows), sorted(hidden_columns)))


def _error_in(kind: int, content: bytes) -> int | None:
    """The code of the spreadsheet error in a cell; None if there is none."""
    if kind == _BOOL_OR_ERROR and content[7] == 1:
        return content[6]
    if kind == _FORMULA and content[12:14] == b"\xff\xff" and content[6] == 2:
        return content[8]
    return None
