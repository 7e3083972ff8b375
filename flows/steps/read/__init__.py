"""read: a delivery's bytes become text, each row with its true physical address. It never guesses a type.

Takes a file and the headings that are known for its dataset; gives an `Extract`. Raises `UnreadableFile`, with the rule
that says why, for a file that cannot be opened or has no heading. What a file is, its bytes say: its name only
confirms it (rule F15).
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from flows.deliveries.extract import Extract, TextBatch, UnreadableFile
from flows.deliveries.formats import Format
from flows.steps.read.compound_file import compound_file
from flows.steps.read.sniff import format_of
from flows.steps.read.workbook.dataset_sheet import read_workbook
from flows.steps.read.workbook.ods import sheets_of_ods
from flows.steps.read.workbook.sheet import NameOfSheet, Sheet, by_place
from flows.steps.read.workbook.xls import sheets_of_xls
from flows.steps.read.workbook.xlsx import sheets_of_xlsx
from flows.steps.read.zip_package import Package, the_only_file, unpacked

WORKBOOKS = (Format.XLSX, Format.ODS, Format.XLS)


def read(
    path: Path,
    known_headings: Set[str],
    sheet: str = "",
    delimiter: str = "",
    quote: str = "",
    name_of: NameOfSheet = by_place,
) -> Extract:
    """Open one file. `known_headings` are folded headings (see `fold`), to find the heading row by.

    A site's profile may declare what parts the cells of its text files, and what quotes them. `name_of` says how a
    report may call the sheets of a workbook.
    """
    kind = format_of(path)
    if kind in WORKBOOKS:
        return read_workbook(sheets_of(path, kind), known_headings, sheet, name_of)
    if kind is Format.PARQUET:
        from flows.steps.read.parquet import read_parquet  # whoever checks a workbook need not import Parquet

        return read_parquet(path, known_headings)
    if kind is Format.ZIP:
        return _read_zipped(path, known_headings, sheet, delimiter, quote, name_of)
    from flows.steps.read.text.delimited import read_delimited  # nor what reads text

    return read_delimited(path, known_headings, delimiter, quote)


def sheets_of(path: Path, kind: Format) -> list[Sheet]:
    """The sheets of a workbook. Raises Unreadable: U01 damaged or hostile, U02 password."""
    if kind is Format.XLS:
        return sheets_of_xls(path, compound_file(path))
    return sheets_of_ods(Package(path)) if kind is Format.ODS else sheets_of_xlsx(path, Package(path))


def _read_zipped(
    path: Path, known_headings: Set[str], sheet: str, delimiter: str, quote: str, name_of: NameOfSheet
) -> Extract:
    """Read the one file that a zip holds, from a copy that lasts as long as it is read."""
    package = Package(path)
    folder, inside = unpacked(package, the_only_file(package))
    if inside.stat().st_size and format_of(inside) is Format.ZIP:
        raise UnreadableFile("U01", "a zip within a zip")
    extract = read(inside, known_headings, sheet, delimiter, quote, name_of)
    return replace(extract, batches=_while_it_lasts(extract.batches, folder))


def _while_it_lasts(batches: Iterator[TextBatch], folder: TemporaryDirectory[str]) -> Iterator[TextBatch]:
    with folder:
        yield from batches
