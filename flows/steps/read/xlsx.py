"""Excel workbooks (.xlsx, .xlsm): a zip package of XML. Macros are never run and links are never followed.

calamine reads the values; every part that it reads is looked at before.
"""

from __future__ import annotations

import io
import posixpath
import zipfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

from flows.steps.read.archive import Package
from flows.steps.read.plain_cells import NotPlainError
from flows.steps.read.plain_sheet import plain_table
from flows.steps.read.sheet import Calamine, Sheet, Table, text_of
from flows.steps.read.workbook_xml import errors_in, errors_of_sheet
from schemas.shapes import Unreadable

BOOK = "xl/workbook.xml"
_LINKS = "xl/_rels/workbook.xml.rels"
_STYLES = "xl/styles.xml"
_READ_FIRST = ("xl/sharedStrings.xml", _STYLES, "[Content_Types].xml")
_FRAME = ("_rels/.rels", BOOK, _LINKS)
_ACROSS = 16  # cells in a row of a sheet that is made
MOST_TEXTS = 20_000_000


def sheets_of_xlsx(path: Path, package: Package) -> list[Sheet]:
    """The sheets of an Excel workbook. Raises Unreadable: U01 damaged or hostile, U02 password."""
    members = _members(package)
    for name in _READ_FIRST:
        if name in package:
            texts = sum(piece.count(b"<si") for piece in package.xml_pieces(name))
            if texts > MOST_TEXTS:
                raise Unreadable("U01", f"it holds {texts:,} texts")
    styles = sum(piece.count(b"<xf") for piece in package.xml_pieces(_STYLES)) if _STYLES in package else 0
    book = Calamine(path)

    def as_it_comes(name: str) -> Table:
        return book.table(name, errors_of_sheet(package, members[name]))

    def table(name: str) -> Table:
        if name not in members:
            raise Unreadable("U01", "a sheet of it is missing")
        member = members[name]
        tell = partial(_told, package, name, member)
        try:
            return plain_table(package.xml_pieces(member), styles, tell, lambda: as_it_comes(name).rows())
        except NotPlainError:
            return as_it_comes(name)

    return [Sheet(name, hidden, partial(table, name)) for name, hidden in book.sheets()]


def _told(package: Package, name: str, member: str, opening: bytes, cells: Sequence[bytes]) -> list[str]:
    """What cells of a sheet say, by the same workbook with these alone on it. Raises NotPlainError where it has none.

    A cell is given as it is written, but for its reference.
    """
    if not cells:
        return []
    rows = (cells[n : n + _ACROSS] for n in range(0, len(cells), _ACROSS))
    sheet = b"".join([opening, *(_row(n, row) for n, row in enumerate(rows, 1)), b"</sheetData></worksheet>"])
    short = io.BytesIO()
    with zipfile.ZipFile(short, "w") as parts:
        for part in (*_FRAME, *_READ_FIRST):
            if part in package:
                parts.writestr(package.members[part.casefold()].filename, b"".join(package.pieces(part)))
        parts.writestr(package.members[member.casefold()].filename, sheet)
    short.seek(0)
    try:
        said = list(Calamine(short).table(name, errors_in([sheet])).rows())
    except Unreadable:
        raise NotPlainError from None
    texts = [text_of(cell) for row in said for cell in row + [""] * (_ACROSS - len(row))]
    return (texts + [""] * len(cells))[: len(cells)]


def _row(number: int, cells: Sequence[bytes]) -> bytes:
    said = (b'<c r="%c%d"%s' % (ord("A") + i, number, cell) for i, cell in enumerate(cells))
    return b'<row r="%d">%s</row>' % (number, b"".join(said))


def _members(package: Package) -> dict[str, str]:
    """The part of the package that holds each sheet. Raises Unreadable (U01) where one lies outside it."""
    try:
        book, links = (ElementTree.fromstring(package.xml(name)) for name in (BOOK, _LINKS))
    except (ElementTree.ParseError, ValueError, LookupError):
        raise Unreadable("U01", "it is damaged or was cut off") from None
    targets = {link.get("Id", ""): link for link in links}
    found = {}
    for sheet in (e for e in book.iter() if e.tag.endswith("}sheet")):
        link = targets.get(next((v for k, v in sheet.attrib.items() if k.endswith("}id")), ""))
        target = "" if link is None else link.get("Target", "")
        part = posixpath.normpath(target.lstrip("/") if target.startswith(("/", "xl/")) else f"xl/{target}")
        if link is not None and (link.get("TargetMode") == "External" or part.startswith("..") or ":" in target):
            raise Unreadable("U01", "a sheet of it lies outside the workbook")
        if part in package:
            found[sheet.get("name", "")] = part
    return found
