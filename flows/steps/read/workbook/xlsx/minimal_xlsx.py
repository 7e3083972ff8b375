"""Build a minimal .xlsx of a few unusual cells, so that calamine interprets them.

The minimal workbook has the original's shared strings, styles and date system, so each cell means the same in it.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from flows.deliveries.extract import UnreadableFile
from flows.steps.read.values import text_of
from flows.steps.read.workbook.percentages import as_percentage, percent_styles
from flows.steps.read.workbook.sheet import CalamineReader
from flows.steps.read.workbook.xlsx.sheet_xml import errors_in
from flows.steps.read.zip_package import SMALL_PART_BYTES, XLSX_BOOK, Package

LINKS, STYLES, SHARED_STRINGS = "xl/_rels/workbook.xml.rels", "xl/styles.xml", "xl/sharedStrings.xml"
_WORKBOOK_PARTS = ("[Content_Types].xml", "_rels/.rels", XLSX_BOOK, LINKS, STYLES)
_CELLS_PER_ROW = 16  # in the minimal workbook's sheet
_ERROR_MARKS = (b'"e"', b"'e'", b"<f", b":f")  # XML without any of these has no spreadsheet error
_PROBE = 45  # a number that reads differently as a date, a time or a percentage
_EMPTY_SHEET = b"<worksheet><sheetData>"
_STYLE, _TYPE = re.compile(rb'\bs="(\d+)"'), re.compile(rb'\bt="(\w+)"')


class NotPlainError(Exception):
    """The XML is not in the form that office programs write, so calamine has to read the sheet."""


class MinimalXlsx:
    """A workbook without its sheets, from which minimal workbooks are built."""

    def __init__(self, package: Package) -> None:
        """Raises NotPlainError if the parts are too large to be copied."""
        self._package = package
        sizes = [
            package.members[part.casefold()].file_size for part in (*_WORKBOOK_PARTS, SHARED_STRINGS) if part in package
        ]
        if sum(sizes) > SMALL_PART_BYTES:
            raise NotPlainError

    def sheets(self) -> list[tuple[str, bool]]:
        """The worksheets: (name, is hidden). Raises UnreadableFile (U01)."""
        return self._build(_WORKBOOK_PARTS, {}).sheets()

    def reader(self, member: str, xml: bytes) -> CalamineReader:
        """A reader of the workbook with this XML for one of its sheets, and without the others."""
        return self._build((*_WORKBOOK_PARTS, SHARED_STRINGS), {member: xml})

    @cached_property
    def _percent_styles(self) -> frozenset[str]:
        return percent_styles(self._package.pieces(STYLES)) if STYLES in self._package else frozenset()

    def number_styles(self, sheet: str, member: str, opening: bytes) -> set[bytes]:
        """The indices of the styles that display numbers as numbers, and not as dates, times or percentages."""
        count = b"".join(self._package.pieces(STYLES)).count(b"<xf") if STYLES in self._package else 0
        styles = [b"%d" % n for n in range(count)]
        cells = [b' s="%s"><v>%d</v></c>' % (style, _PROBE) for style in styles]
        texts = self._read_cells(_WORKBOOK_PARTS, sheet, member, opening, cells)
        plain = {style for style, text in zip(styles, texts, strict=True) if text == str(_PROBE)}
        return plain - {style.encode() for style in self._percent_styles}

    def texts(self, sheet: str, member: str, opening: bytes, cells: Sequence[bytes]) -> list[str]:
        """The texts of some cells, given as their XML after the cell reference. `opening` is the XML before the rows.

        Raises NotPlainError if calamine cannot read one of them.
        """
        if not cells and SHARED_STRINGS not in self._package:
            return []
        texts = self._read_cells(
            (*_WORKBOOK_PARTS, SHARED_STRINGS), sheet, member, opening if cells else _EMPTY_SHEET, cells
        )
        if not self._percent_styles:
            return texts
        return [self._displayed(cell, text) for cell, text in zip(cells, texts, strict=True)]

    def _displayed(self, cell: bytes, text: str) -> str:
        """A cell's text, converted to a percentage if its style displays one."""
        tag, _, _ = cell.partition(b">")
        style, kind = _STYLE.search(tag), _TYPE.search(tag)
        if style is None or style[1].decode() not in self._percent_styles or (kind and kind[1] != b"n"):
            return text
        try:
            return as_percentage(float(text))
        except ValueError:  # a spreadsheet error, or an empty cell
            return text

    def _read_cells(
        self, parts: Sequence[str], sheet: str, member: str, opening: bytes, cells: Sequence[bytes]
    ) -> list[str]:
        """Have calamine read the cells from a minimal workbook of these parts."""
        xml = opening + _rows(cells)
        try:
            errors = errors_in([xml]) if any(mark in xml for mark in _ERROR_MARKS) else {}
            rows = list(self._build(parts, {member: xml}).table(sheet, errors).rows())
        except UnreadableFile:
            raise NotPlainError from None
        texts = [text_of(cell) for row in rows for cell in row + [""] * (_CELLS_PER_ROW - len(row))]
        return (texts + [""] * len(cells))[: len(cells)]

    def _build(self, parts: Sequence[str], sheets: Mapping[str, bytes]) -> CalamineReader:
        """A workbook in memory with some parts of the original and these sheets."""
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as short:
            for part in (p for p in parts if p in self._package):
                short.writestr(part, b"".join(self._package.pieces(part)))
            for member, xml in sheets.items():
                short.writestr(member, xml)
        file.seek(0)
        return CalamineReader(file)


def _rows(cells: Sequence[bytes]) -> bytes:
    """The XML of the cells, arranged in rows, up to the end of the sheet."""
    rows = [
        b"".join(_row(n // _CELLS_PER_ROW + 1, cells[n : n + _CELLS_PER_ROW]))
        for n in range(0, len(cells), _CELLS_PER_ROW)
    ]
    return b"".join([*rows, b"</sheetData></worksheet>"])


def _row(number: int, cells: Sequence[bytes]) -> Iterator[bytes]:
    yield b'<row r="%d">' % number
    for column, cell in enumerate(cells, ord("A")):
        yield b'<c r="%c%d"%s' % (column, number, cell)
    yield b"</row>"
