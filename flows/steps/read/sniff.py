"""Detect a file's format from its bytes, and check that its name agrees. Source: docs/domain.md 6.1, F15."""

from __future__ import annotations

import re
from pathlib import Path

from flows.deliveries.extract import UnreadableFile
from flows.deliveries.formats import Format, format_named
from flows.steps.read.compound_file import compound_file, is_xls
from flows.steps.read.zip_package import ODS_CONTENT, ODS_MANIFEST, XLSX_BOOK, Package

_ZIP, _EMPTY_ZIP, _COMPOUND, _PARQUET = b"PK\x03\x04", b"PK\x05\x06", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"PAR1"
_SIGNATURES = {
    Format.XLSX: _ZIP,
    Format.ODS: _ZIP,
    Format.ZIP: _ZIP,
    Format.XLS: _COMPOUND,
    Format.PARQUET: _PARQUET,
}
# Formats that are sent at times and cannot be read: (signature, name for the report).
_UNSUPPORTED = (
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"\x1f\x8b", "a file packed by gzip"),
    (b"7z\xbc\xaf", "a file packed by 7-Zip"),
    (b"Rar!", "a file packed by RAR"),
    (b"{\\rtf", "a word processor's document"),
    (b"<!doctype html", "a web page (HTML)"),
    (b"<html", "a web page (HTML)"),
    (b"<table", "a web page (HTML)"),
    (b"<?xml", "an XML file"),
)
# An object or a list of JSON. A heading in brackets, as of some databases, is followed by none of these.
_JSON = re.compile(rb"\{\s*[\"}]|\[\s*[\[{\]]")
# The same for zip packages, which are told apart by the parts in them.
_UNSUPPORTED_PACKAGES = (
    ("xl/workbook.bin", "a binary Excel workbook (.xlsb)"),
    ("word/document.xml", "a Word document"),
    ("ppt/presentation.xml", "a PowerPoint file"),
)
# A workbook says so here, wherever its own parts lie. calamine finds them only where Excel puts them.
_CONTENT_TYPES = "[Content_Types].xml"
_WORKBOOK_TYPES = (b"spreadsheetml.sheet.main+xml", b"sheet.macroEnabled.main+xml")


def format_of(path: Path) -> Format:
    """Detect a file's format.

    Raises UnreadableFile: F01 empty, F15 another format than its name says, U01 cut off, U02 password.
    """
    with path.open("rb") as file:
        start = file.read(512)
    if not start:
        raise UnreadableFile("F01")
    ending = path.suffix.casefold()
    named = format_named(path)
    # Less than a whole signature, but the right one so far: the upload stopped there.
    if named in _SIGNATURES and len(start) < len(_SIGNATURES[named]) and _SIGNATURES[named].startswith(start):
        raise UnreadableFile("U01", "it was cut off")
    found = _detect(path, start)
    if found is not named:
        raise UnreadableFile("F15", f"{found}, {_contradicted_name(named, ending)}")
    return found


def _contradicted_name(named: Format | None, ending: str) -> str:
    """What the file name claims, as the second half of a finding's text."""
    if named is Format.TEXT:
        return "not CSV"
    return f"not {named}" if named else f"and its name ends in {ending}" if ending else "and its name has no ending"


def _detect(path: Path, start: bytes) -> Format | str:
    """The format by the first bytes; for one that cannot be read, its name in words."""
    if start.startswith((_ZIP, _EMPTY_ZIP)):
        return _detect_package(path)
    if start.startswith(_COMPOUND):
        return _detect_compound_file(path)
    if start.startswith(_PARQUET):
        return Format.PARQUET
    first_bytes = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if _JSON.match(first_bytes) or (format_named(path) is Format.JSON and first_bytes.startswith((b"{", b"["))):
        return Format.JSON
    return next((name for mark, name in _UNSUPPORTED if first_bytes.startswith(mark.lower())), Format.TEXT)


def _detect_package(path: Path) -> Format | str:
    """The format of a zip package, by the parts in it; a plain zip if they are of no office program.

    Raises UnreadableFile (U01) for a workbook that can be recognised but not read.
    """
    package = Package(path)
    for part, name in _UNSUPPORTED_PACKAGES:
        if part in package:
            return name
    if XLSX_BOOK in package:
        return Format.XLSX
    if any(package.holds(_CONTENT_TYPES, kind) for kind in _WORKBOOK_TYPES):
        raise UnreadableFile("U01", "an Excel workbook whose parts lie in unusual places: Excel puts them right")
    # The `mimetype` part is what tells a spreadsheet from a text document, but some programs leave it out.
    if package.holds("mimetype", b"opendocument") or (ODS_CONTENT in package and ODS_MANIFEST in package):
        is_spreadsheet = "mimetype" not in package or package.holds("mimetype", b"opendocument.spreadsheet")
        return Format.ODS if is_spreadsheet else "a word processor's document"
    return Format.ZIP


def _detect_compound_file(path: Path) -> Format | str:
    """The format of a compound file, by its streams. Raises UnreadableFile: U01 no workbook, U02 password."""
    file = compound_file(path)
    if is_xls(file):
        return Format.XLS
    if "encryptedpackage" in file.streams:  # a password-protected .xlsx is a compound file around the encrypted zip
        raise UnreadableFile("U02")
    if "worddocument" in file.streams:
        return "a Word document"
    raise UnreadableFile("U01", "it holds no sheets")
