"""Excel workbooks (.xlsx, .xlsm): a zip package of XML. Macros are never run and links are never followed.

A sheet that is written as office programs write it is read by column (`plain_sheet`), any other by calamine, which
also says what each cell holds that is not plain. Every part that is read is looked at before. In a small workbook all
is read by calamine: to import what reads by column takes longer.
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
from flows.steps.read.workbook.sheet import Calamine, Sheet, Table
from flows.steps.read.workbook.xlsx.minimal_xlsx import LINKS, STYLES, TEXTS, MinimalXlsx, NotPlainError
from flows.steps.read.workbook.xlsx.sheet_xml import errors_of_sheet, hidden_in_sheet
from flows.steps.read.zip_package import XLSX_BOOK, Package

_READ_FIRST = (TEXTS, STYLES, "[Content_Types].xml")
MOST_TEXTS = 20_000_000
SMALL_BOOK = 1 << 18  # bytes of all its parts unpacked: some hundred rows, which either reader reads in 10 ms


def sheets_of_xlsx(path: Path, package: Package) -> list[Sheet]:
    """The sheets of an Excel workbook. Raises Unreadable: U01 damaged or hostile, U02 password."""
    members = _members(package)
    for name in _READ_FIRST:
        if name in package:
            texts = sum(piece.count(b"<si") for piece in package.xml_pieces(name))
            if texts > MOST_TEXTS:
                raise UnreadableFile("U01", f"it holds {texts:,} texts")
    careful = cache(lambda: Calamine(path))
    styles = cache(lambda: percent_styles(package.xml_pieces(STYLES)) if STYLES in package else frozenset())
    book = _short(package)

    def member_of(name: str) -> str:
        if name not in members:
            raise UnreadableFile("U01", "a sheet of it is missing")
        return members[name]

    def as_it_is(name: str) -> Table:
        member = member_of(name)
        errors = errors_of_sheet(package, member)
        percent = percent_cells(package.xml_pieces(member), styles())
        return careful().table(name, errors, percent=percent)

    def table(name: str) -> Table:
        member = member_of(name)
        if book is not None:
            texts, number_styles = partial(book.texts, name, member), partial(book.number_styles, name, member)
            with suppress(NotPlainError):
                from flows.steps.read.workbook.xlsx.plain.plain_sheet import (
                    plain_table,  # with it come pyarrow and its functions
                )

                return plain_table(package.xml_pieces(member), texts, number_styles, lambda: as_it_is(name).rows())
        return replace(as_it_is(name), hidden=hidden_in_sheet(package, member))

    sheets = (book or careful()).sheets()
    return [Sheet(name, hidden, partial(table, name), partial(as_it_is, name)) for name, hidden in sheets]


def _short(package: Package) -> MinimalXlsx | None:
    """What its sheets are read by column with; None where they are not."""
    if sum(part.file_size for part in package.members.values()) <= SMALL_BOOK:
        return None
    try:
        return MinimalXlsx(package)
    except NotPlainError:
        return None


def _members(package: Package) -> dict[str, str]:
    """The part of the package that holds each sheet. Raises Unreadable (U01) where one lies outside it."""
    try:
        book, links = (ElementTree.fromstring(package.xml(name)) for name in (XLSX_BOOK, LINKS))
    except (ElementTree.ParseError, ValueError, LookupError):
        raise UnreadableFile("U01", "it is damaged or was cut off") from None
    targets = {link.get("Id", ""): link for link in links}
    found = {}
    for sheet in (e for e in book.iter() if e.tag.endswith("}sheet")):
        link = targets.get(next((v for k, v in sheet.attrib.items() if k.endswith("}id")), ""))
        target = "" if link is None else link.get("Target", "")
        part = posixpath.normpath(target.lstrip("/") if target.startswith(("/", "xl/")) else f"xl/{target}")
        if link is not None and (link.get("TargetMode") == "External" or part.startswith("..") or ":" in target):
            raise UnreadableFile("U01", "a sheet of it lies outside the workbook")
        if part in package:
            found[sheet.get("name", "")] = part
    return found
