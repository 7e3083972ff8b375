"""F27: hidden rows and columns of a workbook are read like any other, and reported."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import openpyxl
import pytest
import workbook_bytes
import xlsxwriter
from file_validator import Finding, Validator, as_table, awards, contacts, participants, workbook
from soak import in_soak

from flows.deliveries.formats import Format
from flows.steps.read import sheets_of
from flows.steps.read.workbook.xlsx.plain.plain_sheet import PlainTable

ROWS_OF: dict[str, Callable[..., list[dict[str, str]]]] = {
    "contacts": contacts,
    "participants": participants,
    "funding_awards": awards,
}
SHEET = "xl/worksheets/sheet1.xml"


def xlsx(table: Sequence[Sequence[str]], rows: Sequence[int] = (), columns: str = "") -> bytes:
    """A workbook with hidden rows (by number) and hidden columns (such as C:D)."""
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
    """The same, as openpyxl writes it, with an AutoFilter."""
    book, file = openpyxl.Workbook(), io.BytesIO()
    sheet = book.active
    for cells in table:
        sheet.append(cells)
    sheet.auto_filter.ref = sheet.dimensions
    for row in rows:
        sheet.row_dimensions[row].hidden = True
    for letter in columns.replace("C:D", "CD"):  # openpyxl takes columns one by one
        sheet.column_dimensions[letter].hidden = True
    book.save(file)
    return file.getvalue()


def ods(table: Sequence[Sequence[str]], rows: Sequence[int] = (), columns: str = "") -> bytes:
    """An OpenDocument spreadsheet; every other hidden row is hidden by a filter."""
    visibility = {row: ("filter", "collapse")[n % 2] for n, row in enumerate(rows)}
    visible = '<table:table-column table:number-columns-repeated="2"/>'
    hidden = '<table:table-column table:number-columns-repeated="2" table:visibility="collapse"/>'
    xml = "".join(
        workbook_bytes.ods_row(*cells, visibility=visibility.get(n, "visible")) for n, cells in enumerate(table, 1)
    )
    return workbook_bytes.ods((visible + hidden + visible if columns else "") + xml)


def xls(table: Sequence[Sequence[str]], rows: Sequence[int] = (), columns: str = "") -> bytes:
    """An .xls workbook."""
    records = [workbook_bytes.hidden_row_record(row - 1) for row in rows] + (
        [workbook_bytes.hidden_columns_record(2, 3)] if columns else []
    )
    return workbook_bytes.xls({"Data": table}, extra=b"".join(records))


WRITERS = {"xlsx": xlsx, "xlsm": by_openpyxl, "ods": ods, "xls": xls}
ANY_FORMAT = pytest.mark.parametrize(("suffix", "write"), WRITERS.items())


def hidden_finding(text: str) -> Finding:
    return Finding("F27", "warning", None, None, text, None)


@ANY_FORMAT
@pytest.mark.parametrize("dataset", ["contacts", *in_soak(*(name for name in ROWS_OF if name != "contacts"))])
def test_hidden_rows_are_loaded_with_a_warning(
    validate: Validator, suffix: str, write: Callable[..., bytes], dataset: str
) -> None:
    table = as_table(ROWS_OF[dataset](*[{}] * 20))
    outcome = validate(write(table, [4, 5, 6, 11]), dataset, suffix=suffix)
    assert outcome.findings == [hidden_finding("4 rows: 4 to 6 and 11")]
    assert outcome.accepted == list(range(2, 22))
    assert validate(write(table), dataset, suffix=suffix).findings == []


@ANY_FORMAT
def test_hidden_columns_are_loaded_with_a_warning(
    validate: Validator, suffix: str, write: Callable[..., bytes]
) -> None:
    outcome = validate(write(as_table(contacts({}, {})), columns="C:D"), suffix=suffix)
    assert (outcome.findings, outcome.accepted) == ([hidden_finding("columns C to D")], [2, 3])


@ANY_FORMAT
def test_hidden_blank_rows_and_title_rows_are_not_reported(
    validate: Validator, suffix: str, write: Callable[..., bytes]
) -> None:
    heading, *rows = as_table(contacts({}, {}))
    table = [["Contacts"], heading, rows[0], [""] * len(heading), rows[1]]
    outcome = validate(write(table, [1, 4]), suffix=suffix)
    assert (outcome.findings_of("F27"), outcome.accepted) == ([], [3, 5])


@pytest.mark.parametrize("rows", [20, 5000])
def test_hidden_rows_are_found_in_small_and_large_workbooks(validate: Validator, tmp_path: Path, rows: int) -> None:
    """Small and large workbooks are read by different readers."""
    book = xlsx(as_table(contacts(*[{}] * rows)), [3, 4, rows], "C:D")
    path = tmp_path / "contacts.xlsx"
    path.write_bytes(book)
    assert isinstance(sheets_of(path, Format.XLSX)[0].open(), PlainTable) is (rows == 5000)
    outcome = validate(book, suffix="xlsx")
    assert outcome.findings == [hidden_finding(f"3 rows: 3 to 4 and {rows}"), hidden_finding("columns C to D")]
    assert len(outcome.accepted) == rows


def test_hidden_rows_are_found_in_a_large_workbook_not_read_by_column(validate: Validator) -> None:
    book = xlsx(as_table(contacts(*[{}] * 3000)), [3, 4])
    comment = workbook_bytes.read_part(book, SHEET).replace(b"</row>", b"</row><!-- none of ours -->", 1)
    assert validate(workbook_bytes.replace_parts(book, {SHEET: comment}), suffix="xlsx").findings == [
        hidden_finding("2 rows: 3 to 4")
    ]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'<row r="3"', b'<row hidden="true" r="3"'),
        (b'<row r="3"', b"<row r='3' hidden='1'"),
        (b'<row r="3"', b'<row r="3" ht="0" customHeight="1"'),
        (b'<row r="3"', b'<row r="3" hidden="1" outlineLevel="1"'),
    ],
)
def test_every_way_of_hiding_a_row_is_recognised(validate: Validator, before: bytes, after: bytes) -> None:
    book = workbook({"Data": as_table(contacts({}, {}, {}))})
    sheet = workbook_bytes.read_part(book, SHEET)
    assert validate(
        workbook_bytes.replace_parts(book, {SHEET: sheet.replace(before, after)}), suffix="xlsx"
    ).findings == [hidden_finding("1 row: 3")]
    visible = sheet.replace(before, before + b' hidden="0" ht="15"')
    assert validate(workbook_bytes.replace_parts(book, {SHEET: visible}), suffix="xlsx").findings == []


def test_a_long_list_of_hidden_rows_is_shortened(validate: Validator) -> None:
    book = xlsx(as_table(contacts(*[{}] * 1000)), range(2, 1000, 2))
    [finding] = validate(book, suffix="xlsx").findings
    assert finding.found == "499 rows: 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24 and 487 more places"


def test_hidden_rows_of_other_sheets_are_not_reported(validate: Validator) -> None:
    book, file = openpyxl.Workbook(), io.BytesIO()
    sheet, notes = book.active, book.create_sheet("Notes")
    for cells in as_table(contacts({}, {})):
        sheet.append(cells)
    notes.append(["Nothing to note"])
    notes.row_dimensions[1].hidden = True
    book.save(file)
    assert validate(file.getvalue(), suffix="xlsx").findings == []
