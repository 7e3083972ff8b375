"""read: a delivery's bytes become text, each row with its true physical address. It never guesses a type.

Takes a file and the headings that are known for its dataset; gives an `Extract`. Raises `Unreadable`, with the rule
that says why, for a file that cannot be opened or has no heading.
"""

from __future__ import annotations

from collections.abc import Set
from pathlib import Path

from flows.steps.read.delimited import read_delimited
from flows.steps.read.workbook import read_workbook
from schemas.shapes import Extract, Unreadable

WORKBOOK_SUFFIXES = {".xlsx", ".xlsm"}
TEXT_SUFFIXES = {".csv", ".tsv", ".txt"}
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"


def read(path: Path, known_headings: Set[str], sheet: str = "") -> Extract:
    """Open one file. `known_headings` are folded headings (see `schemas.codes.fold`), to find the heading row by."""
    suffix = path.suffix.casefold()
    with path.open("rb") as file:
        start = file.read(8)
    is_workbook = start.startswith((_ZIP, _OLE))
    if suffix in WORKBOOK_SUFFIXES:
        if not is_workbook:
            raise Unreadable("F15" if start else "F01")
        return read_workbook(path, known_headings, sheet)
    if suffix not in TEXT_SUFFIXES or is_workbook:
        raise Unreadable("F15")
    return read_delimited(path, known_headings)
