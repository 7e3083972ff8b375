"""Reader of Excel workbooks (.xlsx, .xlsm): zip packages of XML. Macros are not run and links are not followed.

A sheet in the XML that office programs write is read column by column (`plain_sheet`), which is much faster; calamine
reads any other sheet, and the unusual cells of a plain one. calamine reads small workbooks entirely, because importing
the faster reader takes longer. Each part is checked for size and hostile XML before it is parsed.
"""

from __future__ import annotations

import posixpath
from contextlib import suppress
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from xml.etree import ElementTree

from flows.deliveries.extract import UnreadableFile
from flows.steps.read.workbook.percentages import percent_cells, percent_styles
from flows.steps.read.workbook.sheet import CalamineReader, Sheet, Table
from flows.steps.read.workbook.xlsx.far_blanks import blank_shared_texts, without_blanks
from flows.steps.read.workbook.xlsx.minimal_xlsx import LINKS, SHARED_STRINGS, STYLES, MinimalXlsx, NotPlainError
from flows.steps.read.workbook.xlsx.sheet_xml import errors_in, errors_of_sheet, hidden_in_sheet, whole_cells
from flows.steps.read.zip_package import XLSX_BOOK, Package

_READ_FIRST = (SHARED_STRINGS, STYLES, "[Content_Types].xml")
MAX_SHARED_STRINGS = 20_000_000
MAX_REWRITTEN_BYTES = 256 << 20  # of a sheet that is rewritten without its blank cells
SMALL_WORKBOOK_BYTES = 1 << 18  # unpacked: a few hundred rows, which either reader reads in 10 ms


def sheets_of_xlsx(path: Path, package: Package) -> list[Sheet]:
    """List the sheets of an Excel workbook. Raises UnreadableFile: U01 damaged or hostile, U02 password."""
    members = _members(package)
    # calamine reads these parts whole: going through them first refuses hostile XML before it gets there.
    for name in _READ_FIRST:
        if name in package:
            texts = sum(piece.count(b"<si") for piece in package.xml_pieces(name))
            if texts > MAX_SHARED_STRINGS:
                raise UnreadableFile("U01", f"it holds {texts:,} texts")
    calamine_reader = cache(lambda: CalamineReader(path))  # opened only if a sheet needs it
    styles = cache(lambda: percent_styles(package.xml_pieces(STYLES)) if STYLES in package else frozenset())
    minimal = _minimal_workbook(package)

    def member_of(name: str) -> str:
        if name not in members:
            raise UnreadableFile("U01", "a sheet of it is missing")
        return members[name]

    def raw_table(name: str) -> Table:
        member = member_of(name)
        percent = percent_cells(package.xml_pieces(member), styles())
        try:
            errors = errors_of_sheet(package, member)
        except UnreadableFile:
            # perhaps only because of a blank far away; if not, the second search raises the same
            smaller = _without_blank_cells(package, member)
            errors = errors_in([smaller])
            with suppress(NotPlainError):
                return MinimalXlsx(package).reader(member, smaller).table(name, errors, percent=percent)
            raise
        return calamine_reader().table(name, errors, percent=percent)

    def table(name: str) -> Table:
        member = member_of(name)
        if minimal is not None:
            texts, number_styles = partial(minimal.texts, name, member), partial(minimal.number_styles, name, member)
            with suppress(NotPlainError):
                # Imported here, because it brings pyarrow with it, which a small workbook does not need.
                from flows.steps.read.workbook.xlsx.plain.plain_sheet import plain_table

                return plain_table(package.xml_pieces(member), texts, number_styles, lambda: raw_table(name).rows())
        return replace(raw_table(name), hidden=hidden_in_sheet(package, member))

    sheets = (minimal or calamine_reader()).sheets()
    return [Sheet(name, hidden, partial(table, name), partial(raw_table, name)) for name, hidden in sheets]


def _minimal_workbook(package: Package) -> MinimalXlsx | None:
    """The minimal workbook that the column reader needs; None if calamine is to read everything."""
    if sum(part.file_size for part in package.members.values()) <= SMALL_WORKBOOK_BYTES:
        return None
    try:
        return MinimalXlsx(package)
    except NotPlainError:
        return None


def _without_blank_cells(package: Package, member: str) -> bytes:
    """The XML of a sheet without its blank cells. Raises UnreadableFile (U01) if it is too large all the same."""
    shared = b"".join(package.xml_pieces(SHARED_STRINGS)) if SHARED_STRINGS in package else b""
    smaller, size = [], 0
    for piece in without_blanks(whole_cells(package.xml_pieces(member)), blank_shared_texts(shared)):
        size += len(piece)
        if size > MAX_REWRITTEN_BYTES:
            raise UnreadableFile("U01", "a cell lies far from others")
        smaller.append(piece)
    return b"".join(smaller)


def _members(package: Package) -> dict[str, str]:
    """The package part of each sheet, by sheet name. Raises UnreadableFile (U01) for a link out of the package."""
    try:
        workbook, links = (ElementTree.fromstring(package.xml(name)) for name in (XLSX_BOOK, LINKS))
    except (ElementTree.ParseError, ValueError, LookupError):
        raise UnreadableFile("U01", "it is damaged or was cut off") from None
    targets = {link.get("Id", ""): link for link in links}
    found = {}
    for sheet in (e for e in workbook.iter() if e.tag.endswith("}sheet")):
        link = targets.get(next((v for k, v in sheet.attrib.items() if k.endswith("}id")), ""))
        target = "" if link is None else link.get("Target", "")
        part = posixpath.normpath(target.lstrip("/") if target.startswith(("/", "xl/")) else f"xl/{target}")
        if link is not None and (link.get("TargetMode") == "External" or part.startswith("..") or ":" in target):
            raise UnreadableFile("U01", "a sheet of it lies outside the workbook")
        if part in package:
            found[sheet.get("name", "")] = part
    return found
