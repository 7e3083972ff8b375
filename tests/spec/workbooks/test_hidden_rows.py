"""Rows and columns that are hidden in a workbook (rule F27): they are read like all others, and are told."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import openpyxl
import pytest
import workbook_bytes as made
import xlsxwriter
from file_validator import Finding, Validator, as_table, awards, contacts, participants, workbook

from flows.deliveries.formats import Format
from flows.steps.read import sheets_of
from flows.steps.read.workbook.xlsx.plain.plain_sheet import PlainTable

KINDS: dict[str, Callable[..., list[dict[str, str]]]] = {
    "contacts": contacts,
    "participants": participants,
    "funding_awards": awards,
}
SHEET = "xl/worksheets/sheet1.xml"


def xlsx(table: Sequence[Sequence[str]], rows: Sequence[int] = (), columns: str = "") -> bytes:
    """A workbook with some rows hidden, by their numbers, and some columns, such as C:D."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Data")
        for i, cells in enumerate(table):
            sheet.write_row(i, 0, cells)
        for row in rows:
            sheet.set_row(row - 1, None, None, {"hidden": True})
        if columns:
            sheet.set_column(columns, None, None, {"hidden": True})
    return file.getvalue()


def by_openpyxl(table: Sequence[Sequence[str]], rows: Sequence[int] = (), columns: str = "") -> bytes:
    """The same as another program writes it, with a filter."""
    book, file = openpyxl.Workbook(), io.BytesIO()
    sheet = book.active
    for cells in table:
        sheet.append(cells)
    sheet.auto_filter.ref = sheet.dimensions
    for row in rows:
        sheet.row_dimensions[row].hidden = True
    for letter in columns.replace("C:D", "CD"):
        sheet.column_dimensions[letter].hidden = True
    book.save(file)
    return file.getvalue()


def ods(table: Sequence[Sequence[str]], rows: Sequence[int] = (), columns: str = "") -> bytes:
    """An OpenDocument spreadsheet; of the hidden rows, every other one by a filter."""
    of = {row: ("filter", "collapse")[n % 2] for n, row in enumerate(rows)}
    seen = '<table:table-column table:number-columns-repeated="2"/>'
    gone = '<table:table-column table:number-columns-repeated="2" table:visibility="collapse"/>'
    xml = "".join(made.ods_row(*cells, visibility=of.get(n, "visible")) for n, cells in enumerate(table, 1))
    return made.ods((seen + gone + seen if columns else "") + xml)


def xls(table: Sequence[Sequence[str]], rows: Sequence[int] = (), columns: str = "") -> bytes:
    """An old Excel workbook."""
    records = [made.hidden_row_record(row - 1) for row in rows] + (
        [made.hidden_columns_record(2, 3)] if columns else []
    )
    return made.xls({"Data": table}, extra=b"".join(records))


WRITERS = {"xlsx": xlsx, "xlsm": by_openpyxl, "ods": ods, "xls": xls}
ANY_FORMAT = pytest.mark.parametrize(("suffix", "write"), WRITERS.items())


def told(text: str) -> Finding:
    return Finding("F27", "warning", None, None, text, None)


@ANY_FORMAT
@pytest.mark.parametrize("dataset", KINDS)
def test_hidden_rows_are_loaded_and_told(
    validate: Validator, suffix: str, write: Callable[..., bytes], dataset: str
) -> None:
    table = as_table(KINDS[dataset](*[{}] * 20))
    outcome = validate(write(table, [4, 5, 6, 11]), dataset, suffix=suffix)
    assert outcome.findings == [told("4 rows: 4 to 6 and 11")]
    assert outcome.accepted == list(range(2, 22))
    assert validate(write(table), dataset, suffix=suffix).findings == []


@ANY_FORMAT
def test_so_are_hidden_columns(validate: Validator, suffix: str, write: Callable[..., bytes]) -> None:
    outcome = validate(write(as_table(contacts({}, {})), columns="C:D"), suffix=suffix)
    assert (outcome.findings, outcome.accepted) == ([told("columns C to D")], [2, 3])


@ANY_FORMAT
def test_rows_that_hold_nothing_or_stand_above_are_not(
    validate: Validator, suffix: str, write: Callable[..., bytes]
) -> None:
    heading, *rows = as_table(contacts({}, {}))
    table = [["Contacts"], heading, rows[0], [""] * len(heading), rows[1]]
    outcome = validate(write(table, [1, 4]), suffix=suffix)
    assert (outcome.findings_of("F27"), outcome.accepted) == ([], [3, 5])


@pytest.mark.parametrize("rows", [20, 5000])
def test_in_large_workbooks_and_in_small_ones(validate: Validator, tmp_path: Path, rows: int) -> None:
    """They are read in different ways."""
    book = xlsx(as_table(contacts(*[{}] * rows)), [3, 4, rows], "C:D")
    path = tmp_path / "contacts.xlsx"
    path.write_bytes(book)
    assert isinstance(sheets_of(path, Format.XLSX)[0].open(), PlainTable) is (rows == 5000)
    outcome = validate(book, suffix="xlsx")
    assert outcome.findings == [told(f"3 rows: 3 to 4 and {rows}"), told("columns C to D")]
    assert len(outcome.accepted) == rows


def test_a_large_workbook_that_is_not_read_by_column(validate: Validator) -> None:
    book = xlsx(as_table(contacts(*[{}] * 3000)), [3, 4])
    comment = made.read_part(book, SHEET).replace(b"</row>", b"</row><!-- none of ours -->", 1)
    assert validate(made.replace_parts(book, {SHEET: comment}), suffix="xlsx").findings == [told("2 rows: 3 to 4")]


@pytest.mark.parametrize(
    ("before", "behind"),
    [
        (b'<row r="3"', b'<row hidden="true" r="3"'),
        (b'<row r="3"', b"<row r='3' hidden='1'"),
        (b'<row r="3"', b'<row r="3" ht="0" customHeight="1"'),
        (b'<row r="3"', b'<row r="3" hidden="1" outlineLevel="1"'),
    ],
)
def test_however_it_is_written(validate: Validator, before: bytes, behind: bytes) -> None:
    book = workbook({"Data": as_table(contacts({}, {}, {}))})
    sheet = made.read_part(book, SHEET)
    assert validate(made.replace_parts(book, {SHEET: sheet.replace(before, behind)}), suffix="xlsx").findings == [
        told("1 row: 3")
    ]
    shown = sheet.replace(before, before + b' hidden="0" ht="15"')
    assert validate(made.replace_parts(book, {SHEET: shown}), suffix="xlsx").findings == []


def test_of_very_many_places_the_first_are_told(validate: Validator) -> None:
    book = xlsx(as_table(contacts(*[{}] * 1000)), range(2, 1000, 2))
    [found] = validate(book, suffix="xlsx").findings
    assert found.found == "499 rows: 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24 and 487 more places"


def test_of_a_sheet_that_is_not_read_nothing_is_told(validate: Validator) -> None:
    book, file = openpyxl.Workbook(), io.BytesIO()
    sheet, notes = book.active, book.create_sheet("Notes")
    for cells in as_table(contacts({}, {})):
        sheet.append(cells)
    notes.append(["Nothing to note"])
    notes.row_dimensions[1].hidden = True
    book.save(file)
    assert validate(file.getvalue(), suffix="xlsx").findings == []
