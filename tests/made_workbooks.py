"""Workbooks made by hand, byte by byte, as no office program would write them or as none here can."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape, quoteattr

import polars as pl
from judging import workbook

Cell = str | int | float | None


class Percentage(float):
    """A number that its cell shows as a percentage."""


ERRORS = {"#NULL!": 0, "#DIV/0!": 7, "#VALUE!": 15, "#REF!": 23, "#NAME?": 29, "#NUM!": 36, "#N/A": 42}


def changed(package: bytes, changes: Mapping[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip package with some of its parts exchanged, or added."""
    whole = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as sound, zipfile.ZipFile(whole, "w", how, compresslevel=1) as other:
        parts = {name: sound.read(name) for name in sound.namelist()} | dict(changes)
        for name, data in parts.items():
            other.writestr(name, data)
    return whole.getvalue()


def part(package: bytes, name: str) -> bytes:
    """One part of a zip package."""
    with zipfile.ZipFile(io.BytesIO(package)) as sound:
        return sound.read(name)


def zipped(files: Mapping[str, bytes]) -> bytes:
    """A zip of files."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as other:
        for name, data in files.items():
            other.writestr(name, data)
    return whole.getvalue()


def xlsx(table: Sequence[Sequence[Cell]], name: str = "Data") -> bytes:
    """An Excel workbook of one sheet."""
    return workbook({name: table})


def parquet(table: Sequence[Sequence[str]]) -> bytes:
    """A Parquet file of texts."""
    out = io.BytesIO()
    pl.DataFrame(list(table[1:]), schema=list(table[0]), orient="row").write_parquet(out)
    return out.getvalue()


_ODS = """<?xml version="1.0" encoding="UTF-8"?>
<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"
 xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0"
 xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0">
<office:automatic-styles><style:style style:name="away"><style:table-properties table:display="false"/></style:style>
</office:automatic-styles><office:body><office:spreadsheet>{sheets}</office:spreadsheet></office:body>
</office:document-content>"""
_MIMETYPE = b"application/vnd.oasis.opendocument.spreadsheet"


def ods(rows: str, name: str = "Data", more: str = "") -> bytes:
    """An OpenDocument spreadsheet with rows as its XML has them."""
    content = _ODS.format(sheets=f"<table:table table:name={quoteattr(name)}>{rows}</table:table>{more}")
    return zipped({"mimetype": _MIMETYPE, "content.xml": content.encode(), "META-INF/manifest.xml": b"<manifest/>"})


def ods_row(*cells: Cell, times: int = 1, visibility: str = "visible") -> str:
    """A row of an OpenDocument sheet. A text that begins with '<' is a cell's XML as it stands."""
    said = f'table:number-rows-repeated="{times}" table:visibility="{visibility}"'
    return f"<table:table-row {said}>{''.join(map(_ods_cell, cells))}</table:table-row>"


def _ods_cell(cell: Cell) -> str:
    if cell in (None, ""):
        return "<table:table-cell/>"
    if isinstance(cell, str) and cell.startswith("<"):
        return cell
    if isinstance(cell, str):
        text = f"<text:p>{escape(cell)}</text:p>"
        return f'<table:table-cell office:value-type="string" calcext:value-type="string">{text}</table:table-cell>'
    kind = "percentage" if isinstance(cell, Percentage) else "float"
    return f'<table:table-cell office:value-type="{kind}" office:value="{cell}"><text:p>?</text:p></table:table-cell>'


def xls(
    sheets: Mapping[str, Sequence[Sequence[Cell]]],
    hidden: Sequence[str] = (),
    extra: bytes = b"",
    password: bool = False,
    extent: tuple[int, int] | None = None,
    code_page: int = 0,
) -> bytes:
    """An old Excel workbook (BIFF8 in a compound file). Texts such as '#REF!' become errors; floats become dates,
    but for percentages.

    `extra` are further records of the first sheet; `extent` is what it says of its own rows and columns. With a
    `code_page`, it says that its letters are of that one, though they are not: BIFF8 knows no code pages.
    """
    begin = record(0x0809, struct.pack("<HHHHII", 0x0600, 5, 0, 0, 0, 6))
    said = record(0x0042, struct.pack("<H", code_page)) if code_page else b""
    formats = b"".join(record(0x00E0, struct.pack("<HH16x", 0, number)) for number in (0, 14, 9))  # plain, date, 0%
    head = begin + (record(0x002F, bytes(6)) if password else b"") + said + formats
    bodies = [_xls_sheet(t, extra if i == 0 else b"", extent) for i, t in enumerate(sheets.values())]
    size = len(head) + sum(len(_bound_sheet(n, 0, False)) for n in sheets) + 4
    listed = b""
    for name, body in zip(sheets, bodies, strict=True):
        listed += _bound_sheet(name, size, name in hidden)
        size += len(body)
    return compound(head + listed + record(0x000A) + b"".join(bodies), "Workbook")


def xls_of_1995(table: Sequence[Sequence[str]], code_page: int = 1252, encoding: str = "cp1252") -> bytes:
    """A workbook of Excel 5 or 95 (BIFF5) with one sheet of texts, which are written in a code page."""
    begin = record(0x0809, struct.pack("<HHHH", 0x0500, 5, 0, 0))
    head = begin + (record(0x0042, struct.pack("<H", code_page)) if code_page else b"")
    listed = struct.pack("<HBB", 0, 0, 4) + b"Data"
    body = record(0x0809, struct.pack("<HHHH", 0x0500, 0x10, 0, 0))
    body += record(0x0200, struct.pack("<5H", 0, len(table), 0, max(map(len, table)), 0))
    for i, row in enumerate(table):
        for j, cell in enumerate(row):
            text = cell.encode(encoding)
            body += record(0x0204, struct.pack("<HHHH", i, j, 0, len(text)) + text) if cell else b""
    start = len(head) + 4 + 4 + len(listed) + 4
    sheets = record(0x0085, struct.pack("<I", start) + listed) + record(0x000A)
    return compound(head + sheets + body + record(0x000A), "Book")


def record(kind: int, content: bytes = b"") -> bytes:
    """A record of an old Excel workbook."""
    return struct.pack("<HH", kind, len(content)) + content


def _bound_sheet(name: str, start: int, hidden: bool) -> bytes:
    return record(0x0085, struct.pack("<IBBBB", start, hidden, 0, len(name), 1) + name.encode("utf-16-le"))


def _xls_sheet(table: Sequence[Sequence[Cell]], extra: bytes, extent: tuple[int, int] | None) -> bytes:
    rows, columns = extent or (len(table), max((len(r) for r in table), default=0))
    body = record(0x0809, struct.pack("<HHHHII", 0x0600, 0x10, 0, 0, 0, 6))
    body += record(0x0200, struct.pack("<IIHHH", 0, rows, 0, columns, 0))
    for i, row in enumerate(table):
        body += b"".join(_xls_cell(i, j, cell) for j, cell in enumerate(row) if cell not in (None, ""))
    return body + extra + record(0x000A)


def _xls_cell(row: int, column: int, cell: Cell) -> bytes:
    """A cell; a text of Latin letters alone is written in one byte a letter, as Excel does."""
    if cell in ERRORS:
        return record(0x0205, struct.pack("<HHHBB", row, column, 0, ERRORS[str(cell)], 1))
    if isinstance(cell, str):
        is_wide = max(map(ord, cell)) > 0xFF
        text = cell.encode("utf-16-le" if is_wide else "latin-1")
        return record(0x0204, struct.pack("<HHHHB", row, column, 0, len(cell), is_wide) + text)
    assert cell is not None
    style = 2 if isinstance(cell, Percentage) else int(isinstance(cell, float))
    return record(0x0203, struct.pack("<HHHd", row, column, style, cell))


def formula_error(row: int, column: int, error: str) -> bytes:
    """The record of a formula whose result is an error."""
    result = struct.pack("<BxBxxxH", 2, ERRORS[error], 0xFFFF)
    return record(0x0006, struct.pack("<HHH", row, column, 0) + result + struct.pack("<HIH", 0, 0, 0))


def merged(top: int, bottom: int, left: int, right: int) -> bytes:
    """The record of merged cells."""
    return record(0x00E5, struct.pack("<5H", 1, top, bottom, left, right))


def hidden_row(row: int) -> bytes:
    """The record of a row that is hidden."""
    return record(0x0208, struct.pack("<6HI", row, 0, 1, 255, 0, 0, 0x20))


def hidden_columns(first: int, last: int) -> bytes:
    """The record of columns that are hidden."""
    return record(0x007D, struct.pack("<6H", first, last, 2048, 0, 1, 0))


def number(row: int, column: int) -> bytes:
    """The record of a cell that holds 1."""
    return record(0x0203, struct.pack("<HHHd", row, column, 0, 1))


def compound(stream: bytes, *names: str) -> bytes:
    """A compound file whose streams, by whatever names, all are this one."""
    stream = stream.ljust(4096, b"\x00")
    sectors = -(-len(stream) // 512)
    tables = -(-(sectors + 2) // 127)
    first = tables + 1
    chain = [0xFFFFFFFD] * tables + [0xFFFFFFFE] + [first + i + 1 for i in range(sectors - 1)] + [0xFFFFFFFE]
    table = struct.pack(f"<{128 * tables}I", *chain, *[0xFFFFFFFF] * (128 * tables - len(chain)))
    entries = [_entry("Root Entry", 5, 0xFFFFFFFE, 0), *(_entry(n, 2, first, len(stream)) for n in names)]
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".ljust(24, b"\x00") + struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    header += struct.pack("<9I", 0, tables, tables, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    header += struct.pack("<109I", *range(tables), *[0xFFFFFFFF] * (109 - tables))
    return header + table + b"".join(entries).ljust(512, b"\x00") + stream.ljust(512 * sectors, b"\x00")


def small_compound(stream: bytes, name: str) -> bytes:
    """A compound file with one stream that is so small that it lies in small sectors, out of order."""
    places = -(-len(stream) // 64)
    parts = [stream[64 * n : 64 * n + 64].ljust(64, b"\x00") for n in range(places)]
    small = b"".join(reversed(parts)).ljust(-(-places // 8) * 512, b"\x00")  # the last part first
    sectors = len(small) // 512
    chain = [0xFFFFFFFD, 0xFFFFFFFE, 0xFFFFFFFE, *range(4, 3 + sectors), 0xFFFFFFFE]
    small_chain = [0xFFFFFFFE, *range(places - 1)]
    tables = [struct.pack("<128I", *c, *[0xFFFFFFFF] * (128 - len(c))) for c in (chain, small_chain)]
    entries = _entry("Root Entry", 5, 3, len(small)) + _entry(name, 2, places - 1, len(stream))
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".ljust(24, b"\x00") + struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    header += struct.pack("<9I", 0, 1, 1, 0, 4096, 2, 1, 0xFFFFFFFE, 0)
    header += struct.pack("<109I", 0, *[0xFFFFFFFF] * 108)
    return header + tables[0] + entries.ljust(512, b"\x00") + tables[1] + small


def _entry(name: str, kind: int, start: int, size: int) -> bytes:
    text = name.encode("utf-16-le") + b"\x00\x00"
    child = 1 if kind == 5 else 0xFFFFFFFF
    ends = struct.pack("<HBBIII", len(text), kind, 1, 0xFFFFFFFF, 0xFFFFFFFF, child)
    return text.ljust(64, b"\x00") + ends + bytes(36) + struct.pack("<IQ", start, size)
