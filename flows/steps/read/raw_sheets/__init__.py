"""Read every sheet of a file with all its cells, for the marked workbook that goes back to the sender.

Nothing is validated or left out. A line that cannot be split into the heading's columns is split at every delimiter, so
that its sender finds it in its place.
"""

from __future__ import annotations

from collections.abc import Set
from pathlib import Path
from typing import Any

from flows.deliveries.extract import SheetCells
from flows.deliveries.formats import Format
from flows.steps.read import WORKBOOKS, read, sheets_of
from flows.steps.read.sniff import format_of
from flows.steps.read.text.encoding import as_utf8
from flows.steps.read.zip_package import Package, only_file_in_zip, unpack_to_temp


def read_raw_sheets(
    path: Path, known_headings: Set[str], name: str, delimiter: str = "", quote: str = ""
) -> list[SheetCells]:
    """Read all sheets of a workbook; a file of another format becomes one sheet, called `name`.

    The other parameters are those of `read`. Raises UnreadableFile for a file that cannot be opened.
    """
    kind = format_of(path)
    if kind in WORKBOOKS:
        tables = [(sheet, sheet.open_raw()) for sheet in sheets_of(path, kind)]
        return [SheetCells(s.name, _trimmed(list(t.rows())), s.hidden, tuple(t.merged)) for s, t in tables]
    if kind is Format.ZIP:
        package = Package(path)
        folder, inside = unpack_to_temp(package, only_file_in_zip(package))
        with folder:
            return read_raw_sheets(inside, known_headings, name, delimiter, quote)
    lines: dict[int, list[Any]] = {}
    extract = read(path, known_headings, "", delimiter, quote)
    if kind in (Format.PARQUET, Format.JSON):
        lines[extract.header_row] = list(extract.headings)
    else:
        lines, delimiter = _heading_lines(path, known_headings, delimiter, quote)
    columns = [*map(str, range(len(extract.headings))), "source_row"]
    for batch in extract.batches:
        lines |= {line: cells for *cells, line in batch.rows.select(columns).iter_rows()}
        lines |= {line: text.rstrip("\r\n").split(delimiter) for line, text in batch.stray_text}
    return [SheetCells(name, _trimmed([lines.get(line, []) for line in range(1, max(lines) + 1)]))]


def _heading_lines(path: Path, known: Set[str], delimiter: str, quote: str) -> tuple[dict[int, list[Any]], str]:
    """The heading's records by the number of their first line, and the delimiter.

    A single record is given as it was read: with a lost separator put back (F43), every cell is under its heading.
    """
    from flows.steps.read.text.delimited import heading_of_text  # a workbook is marked without the reader of text

    data, _, _ = as_utf8(path)
    data, heading, _ = heading_of_text(data, known, delimiter, quote)
    data.close()
    if len(heading.records) == 1:
        return {heading.first + 1: list(heading.cells)}, heading.delimiter
    return {line + 1: list(cells) for line, cells in heading.records}, heading.delimiter


def _trimmed(rows: list[list[Any]]) -> list[list[Any]]:
    """The rows without the empty rows at the end."""
    end = len(rows)
    while end and all(c is None or c == "" for c in rows[end - 1]):
        end -= 1
    return rows[:end]
