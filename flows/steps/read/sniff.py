"""What a file is, by its bytes: its name only confirms it. Source: docs/domain.md 6.1, F15."""

from __future__ import annotations

from pathlib import Path

from flows.deliveries.extract import UnreadableFile
from flows.deliveries.formats import Format, format_named
from flows.steps.read.compound_file import compound_file, is_xls
from flows.steps.read.zip_package import ODS_CONTENT, ODS_MANIFEST, XLSX_BOOK, Package

_ZIP, _EMPTY_ZIP, _COMPOUND, _PARQUET = b"PK\x03\x04", b"PK\x05\x06", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"PAR1"
_BEGINNINGS = {
    Format.XLSX: _ZIP,
    Format.ODS: _ZIP,
    Format.ZIP: _ZIP,
    Format.XLS: _COMPOUND,
    Format.PARQUET: _PARQUET,
}
# What is sent at times and never read: how it begins, and what it is called.
_OTHERS = (
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
_IN_PACKAGES = (
    ("xl/workbook.bin", "a binary Excel workbook (.xlsb)"),
    ("word/document.xml", "a Word document"),
    ("ppt/presentation.xml", "a PowerPoint file"),
)


def format_of(path: Path) -> Format:
    """What a file is. Raises Unreadable: F01 empty, F15 not what its name says, U01 cut off, U02 password."""
    with path.open("rb") as file:
        start = file.read(512)
    if not start:
        raise UnreadableFile("F01")
    ending = path.suffix.casefold()
    named = format_named(path)
    if named in _BEGINNINGS and len(start) < len(_BEGINNINGS[named]) and _BEGINNINGS[named].startswith(start):
        raise UnreadableFile("U01", "it was cut off")
    found = _looked_at(path, start, named)
    if found is not named:
        raise UnreadableFile("F15", f"{found}, {_named(named, ending)}")
    return found


def _named(named: Format | None, ending: str) -> str:
    if named is Format.TEXT:
        return "not CSV"
    return f"not {named}" if named else f"and its name ends in {ending}" if ending else "and its name has no ending"


def _looked_at(path: Path, start: bytes, named: Format | None) -> Format | str:
    if start.startswith((_ZIP, _EMPTY_ZIP)):
        return _in_package(path)
    if start.startswith(_COMPOUND):
        return _in_compound_file(path)
    if start.startswith(_PARQUET):
        return Format.PARQUET
    begins = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return next((what for mark, what in _OTHERS if begins.startswith(mark.lower())), Format.TEXT)


def _in_package(path: Path) -> Format | str:
    package = Package(path)
    for part, what in _IN_PACKAGES:
        if part in package:
            return what
    if XLSX_BOOK in package:
        return Format.XLSX
    if package.holds("mimetype", b"opendocument") or (ODS_CONTENT in package and ODS_MANIFEST in package):
        is_spreadsheet = "mimetype" not in package or package.holds("mimetype", b"opendocument.spreadsheet")
        return Format.ODS if is_spreadsheet else "a word processor's document"
    return Format.ZIP


def _in_compound_file(path: Path) -> Format | str:
    file = compound_file(path)
    if is_xls(file):
        return Format.XLS
    if "encryptedpackage" in file.streams:
        raise UnreadableFile("U02")
    if "worddocument" in file.streams:
        return "a Word document"
    raise UnreadableFile("U01", "it holds no sheets")
