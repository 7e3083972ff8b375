"""An Excel workbook with other cells on a sheet: so calamine is asked what a few cells say, each as it is written.

All that gives a cell its meaning (shared texts, styles, the calendar) is the workbook's own.
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
from flows.steps.read.zip_package import SMALL, XLSX_BOOK, Package

LINKS, STYLES, TEXTS = "xl/_rels/workbook.xml.rels", "xl/styles.xml", "xl/sharedStrings.xml"
_FRAME = ("[Content_Types].xml", "_rels/.rels", XLSX_BOOK, LINKS, STYLES)
_ACROSS = 16  # cells in a row of the sheet that is made
_OF_ERRORS = (b'"e"', b"'e'", b"<f", b":f")  # without any of these there is no error
_A_NUMBER = 45
_NO_CELLS = b"<worksheet><sheetData>"
_STYLE, _TYPE = re.compile(rb'\bs="(\d+)"'), re.compile(rb'\bt="(\w+)"')


class NotPlainError(Exception):
    """The XML is written in another way than office programs write it."""


class MinimalXlsx:
    """The parts of a workbook that are no sheets."""

    def __init__(self, package: Package) -> None:
        """Raises NotPlainError where they are too large to be copied."""
        self._package = package
        sizes = [package.members[part.casefold()].file_size for part in (*_FRAME, TEXTS) if part in package]
        if sum(sizes) > SMALL:
            raise NotPlainError

    def sheets(self) -> list[tuple[str, bool]]:
        """The sheets of cells: name, and whether it is hidden. Raises Unreadable (U01)."""
        return self._with(_FRAME, {}).sheets()

    @cached_property
    def _percent_styles(self) -> frozenset[str]:
        return percent_styles(self._package.pieces(STYLES)) if STYLES in self._package else frozenset()

    def number_styles(self, sheet: str, member: str, opening: bytes) -> set[bytes]:
        """The styles, by their numbers, that show a number as a number and not as a date, time or percentage."""
        count = b"".join(self._package.pieces(STYLES)).count(b"<xf") if STYLES in self._package else 0
        styles = [b"%d" % n for n in range(count)]
        cells = [b' s="%s"><v>%d</v></c>' % (style, _A_NUMBER) for style in styles]
        said = self._said(_FRAME, sheet, member, opening, cells)
        plain = {style for style, text in zip(styles, said, strict=True) if text == str(_A_NUMBER)}
        return plain - {style.encode() for style in self._percent_styles}

    def texts(self, sheet: str, member: str, opening: bytes, cells: Sequence[bytes]) -> list[str]:
        """What cells say. Each is given as it is written, but for its reference. Raises NotPlainError where one cannot.

        `opening` is the sheet's XML up to its first row.
        """
        if not cells and TEXTS not in self._package:
            return []
        said = self._said((*_FRAME, TEXTS), sheet, member, opening if cells else _NO_CELLS, cells)
        if not self._percent_styles:
            return said
        return [self._as_shown(cell, text) for cell, text in zip(cells, said, strict=True)]

    def _as_shown(self, cell: bytes, text: str) -> str:
        """What a cell says, as a percentage where that is how it shows its number."""
        tag, _, _ = cell.partition(b">")
        style, kind = _STYLE.search(tag), _TYPE.search(tag)
        if style is None or style[1].decode() not in self._percent_styles or (kind and kind[1] != b"n"):
            return text
        try:
            return as_percentage(float(text))
        except ValueError:  # a spreadsheet error
            return text

    def _said(self, parts: Sequence[str], sheet: str, member: str, opening: bytes, cells: Sequence[bytes]) -> list[str]:
        xml = opening + _rows(cells)
        try:
            errors = errors_in([xml]) if any(mark in xml for mark in _OF_ERRORS) else {}
            said = list(self._with(parts, {member: xml}).table(sheet, errors).rows())
        except UnreadableFile:
            raise NotPlainError from None
        texts = [text_of(cell) for row in said for cell in row + [""] * (_ACROSS - len(row))]
        return (texts + [""] * len(cells))[: len(cells)]

    def _with(self, parts: Sequence[str], sheets: Mapping[str, bytes]) -> CalamineReader:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as short:
            for part in (p for p in parts if p in self._package):
                short.writestr(part, b"".join(self._package.pieces(part)))
            for member, xml in sheets.items():
                short.writestr(member, xml)
        file.seek(0)
        return CalamineReader(file)


def _rows(cells: Sequence[bytes]) -> bytes:
    """Cells in rows, to the end of the sheet."""
    rows = [b"".join(_row(n // _ACROSS + 1, cells[n : n + _ACROSS])) for n in range(0, len(cells), _ACROSS)]
    return b"".join([*rows, b"</sheetData></worksheet>"])


def _row(number: int, cells: Sequence[bytes]) -> Iterator[bytes]:
    yield b'<row r="%d">' % number
    for column, cell in enumerate(cells, ord("A")):
        yield b'<c r="%c%d"%s' % (column, number, cell)
    yield b"</row>"
