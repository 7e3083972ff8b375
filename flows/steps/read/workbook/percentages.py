"""Read a workbook's percentage cells as the text that is displayed.

A spreadsheet stores 46% as 0.46 with a number format; without the format it would be read as less than half of one per
cent. As the text '46%' it falls under one rule (C21) in every file format.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from decimal import Decimal
from math import isfinite
from typing import Any
from xml.parsers import expat

from flows.cells.column_letters import index_of

PERCENT_FORMATS = frozenset({9, 10})  # Excel's built-in number formats 0% and 0.00%, which need no definition
_NOT_SHOWN = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|[_*].')  # parts of a format: literals, colours, padding
_CELL_ADDRESS = re.compile(r"([A-Z]{1,3})(\d{1,7})")
Cells = Collection[tuple[int, int]]  # (row, column) from 0


def is_percent_format(code: str) -> bool:
    """Whether a number format displays percentages."""
    return "%" in _NOT_SHOWN.sub("", code)


def as_percentage(value: float) -> str:
    """Format a number as a percentage without binary noise: 0.07 is 7%, 0.145 is 14.5%."""
    if not isfinite(value):
        return str(value)
    return f"{(Decimal(f'{value:.12g}') * 100).normalize():f}%"


def with_percentages(rows: Iterator[list[Any]], cells: Cells) -> Iterator[list[Any]]:
    """Yield the rows of a sheet, with the numbers in `cells` replaced by percentage texts."""
    if not cells:
        yield from rows
        return
    for n, row in enumerate(rows):
        yield [
            as_percentage(value)
            if isinstance(value, int | float) and not isinstance(value, bool) and (n, column) in cells
            else value
            for column, value in enumerate(row)
        ]


def percent_styles(pieces: Iterable[bytes]) -> frozenset[str]:
    """The indices of the cell styles that display percentages, as an .xlsx cell's `s` attribute gives them.

    `pieces` is the XML of the workbook's styles.
    """
    formats, found = {str(number) for number in PERCENT_FORMATS}, set[str]()
    number, is_inside = 0, False

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal number, is_inside
        kind = tag.rpartition(":")[2]
        if kind == "numFmt" and is_percent_format(attributes.get("formatCode", "")):
            formats.add(attributes.get("numFmtId", ""))
        elif kind == "cellXfs":
            is_inside = True
        elif kind == "xf" and is_inside:
            if attributes.get("numFmtId") in formats:
                found.add(str(number))
            number += 1

    def end(tag: str) -> None:
        nonlocal is_inside
        is_inside = is_inside and tag.rpartition(":")[2] != "cellXfs"

    _parse(pieces, start, end)
    return frozenset(found)


def percent_cells(pieces: Iterable[bytes], styles: Collection[str]) -> Cells:
    """The number cells of an .xlsx sheet with one of these styles; if its XML is damaged, those before the damage."""
    if not styles:
        return ()
    found: set[tuple[int, int]] = set()
    row = column = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal row, column
        kind, at = tag.rpartition(":")[2], attributes.get("r", "")
        if kind == "row":
            row, column = int(at) if at.isdecimal() and len(at) < 12 else row + 1, 0
        elif kind == "c":
            named = _CELL_ADDRESS.fullmatch(at.upper())
            row, column = (int(named[2]), index_of(named[1]) + 1) if named else (row, column + 1)
            if attributes.get("s") in styles and attributes.get("t", "n") == "n":
                found.add((row - 1, column - 1))

    _parse(pieces, start)
    return found


def _parse(
    pieces: Iterable[bytes], start: Callable[[str, dict[str, str]], None], end: Callable[[str], None] | None = None
) -> None:
    """Parse XML as far as it is well-formed. Errors are ignored here: the reader of the cells reports them."""
    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = start, end
    with suppress(expat.ExpatError, LookupError, ValueError):
        for piece in pieces:
            parser.Parse(piece, False)
        parser.Parse(b"", True)
