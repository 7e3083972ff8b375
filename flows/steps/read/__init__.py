"""read: turn a file of any supported format into batches of text rows, each with its physical row number.

Takes a file and the headings known for its dataset, and returns an `Extract`. Every cell stays text: types are given by
conform. A file that cannot be opened or has no heading raises `UnreadableFile` with the rule that says why. The format
is detected from the bytes; the file name only has to agree with it (rule F15).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from traceback import clear_frames

from flows.deliveries.extract import Extract, TextBatch, UnreadableFile
from flows.deliveries.formats import Format
from flows.steps.read.compound_file import compound_file
from flows.steps.read.sniff import format_of
from flows.steps.read.text_formulas import without_text_formulas
from flows.steps.read.workbook.dataset_sheet import read_workbook
from flows.steps.read.workbook.nil_return import nil_return_boxes
from flows.steps.read.workbook.ods import sheets_of_ods
from flows.steps.read.workbook.sheet import Sheet, SheetNamer, sheet_by_number
from flows.steps.read.workbook.xls import sheets_of_xls
from flows.steps.read.workbook.xlsx import sheets_of_xlsx
from flows.steps.read.zip_package import Package, only_file_in_zip, unpack_to_temp

WORKBOOKS = (Format.XLSX, Format.ODS, Format.XLS)


def read(
    path: Path,
    known_headings: Set[str],
    sheet: str = "",
    delimiter: str = "",
    quote: str = "",
    name_sheet: SheetNamer = sheet_by_number,
) -> Extract:
    """Open one file with the reader for its format.

    `known_headings` are folded headings (see `fold`), by which the heading row is found. `sheet` names the sheet to
    read; without it, the one that looks most like the dataset is read. `delimiter` and `quote` are what the site's
    profile declares for its text files; without them, both are detected. `name_sheet` gives the name by which a report
    may mention a sheet of a workbook.
    """
    return without_text_formulas(
        _read_as(
            format_of(path), path, known_headings, sheet=sheet, delimiter=delimiter, quote=quote, name_sheet=name_sheet
        )
    )


def _read_as(  # parameters: those of `read`
    kind: Format,
    path: Path,
    known_headings: Set[str],
    sheet: str,
    delimiter: str,
    quote: str,
    name_sheet: SheetNamer,
) -> Extract:
    """Open one file with the reader for a format."""
    if kind in WORKBOOKS:
        return read_workbook(sheets_of(path, kind), known_headings, sheet, name_sheet)
    if kind is Format.PARQUET:
        # Readers are imported when they are needed: `pilots check` of a workbook should not load pyarrow's Parquet.
        from flows.steps.read.parquet import read_parquet

        return read_parquet(path, known_headings)
    if kind is Format.JSON:
        from flows.steps.read.grants import read_grants

        return read_grants(path, known_headings)
    if kind is Format.ZIP:
        return _read_zipped(path, known_headings, sheet, delimiter, quote, name_sheet)
    from flows.steps.read.text.delimited import read_delimited

    return read_delimited(path, known_headings, delimiter, quote)


def nil_boxes(path: Path) -> Mapping[str, str]:
    """The boxes 'nothing to send' of a workbook in which no table was found; empty for any other file."""
    kind = format_of(path)
    return nil_return_boxes(sheets_of(path, kind)) if kind in WORKBOOKS else {}


def sheets_of(path: Path, kind: Format) -> list[Sheet]:
    """List the sheets of a workbook. Raises UnreadableFile: U01 damaged or hostile, U02 password."""
    if kind is Format.XLS:
        return sheets_of_xls(path, compound_file(path))
    return sheets_of_ods(Package(path)) if kind is Format.ODS else sheets_of_xlsx(path, Package(path))


def _read_zipped(
    path: Path, known_headings: Set[str], sheet: str, delimiter: str, quote: str, name_sheet: SheetNamer
) -> Extract:
    """Read the only file in a zip, from a temporary copy that is deleted when the last batch has been read."""
    package = Package(path)
    folder, inside = unpack_to_temp(package, only_file_in_zip(package))
    kind = format_of(inside)
    if inside.stat().st_size and kind is Format.ZIP:
        raise UnreadableFile("U01", "a zip within a zip")
    try:
        extract = _read_as(
            kind, inside, known_headings, sheet=sheet, delimiter=delimiter, quote=quote, name_sheet=name_sheet
        )
    except UnreadableFile as unreadable:
        clear_frames(unreadable.__traceback__)  # they hold the copy open, and Windows deletes no open file
        raise
    # read now, so that nothing holds the copy open when it is deleted: Windows deletes no open file
    on_examples, boxes, signed = extract.rows_on_examples(), extract.nil_boxes(), extract.sign_off_lines()
    batches = _then_delete(folder, extract.batches)
    return replace(
        extract,
        batches=batches,
        rows_on_examples=lambda: on_examples,
        nil_boxes=lambda: boxes,
        sign_off_lines=lambda: signed,
    )


def _then_delete(folder: TemporaryDirectory[str], batches: Iterator[TextBatch]) -> Iterator[TextBatch]:
    with folder:  # batches are read lazily, so the copy has to outlive this call
        yield from batches
