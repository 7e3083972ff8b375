"""Third-party workbooks are read as openpyxl reads them and as their publishers document."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
from openpyxl.utils.escape import unescape

from flows.deliveries.extract import Extract, UnreadableFile
from flows.steps.read import read, sheets_of
from flows.steps.read.sniff import format_of
from flows.steps.read.values import text_of
from flows.steps.read.workbook import xlsx
from flows.steps.read.workbook.xlsx.plain.plain_sheet import PlainTable
from schemas._contract.code_lists import fold

pytestmark = pytest.mark.real

WORKBOOKS = [
    *(f"calamine/{n}.xlsx" for n in ("any_sheets", "date", "date_1904", "date_iso", "empty_sheet", "errors")),
    *(f"calamine/{n}.xlsx" for n in ("has_x000D_", "header-row", "inventory-table", "merge_cells", "merged_range")),
    "calamine/table-multiple.xlsx",
    *(f"sheetjs-1904/{n}.xlsx" for n in ("1900", "1904", "merge_cells")),
    *(f"frictionless/{n}.xlsx" for n in ("adjust-floating-point-error", "cast-int-to-string-issue-1251")),
    *(f"frictionless/{n}.xlsx" for n in ("merged-cells", "multiline-headers", "number-format-multicode")),
    *(f"frictionless/{n}.xlsx" for n in ("preserve-formatting-percentage", "sheets", "skip-rows")),
    *(f"360giving/fixtures/{n}.xlsx" for n in ("GeoCodePostcode", "badfile_all_validation_errors", "dei_extension")),
    "360giving/fixtures/ids-unexpected-chars.xlsx",
    "360giving/360-giving-schema-titles-with-dei-extension-2024.xlsx",
    "360giving/360-giving-schema-titles-with-meta-tab-2023.xlsx",
    "360giving/360-giving-schema-titles-with-meta-tab.xlsx",
    "360giving/real/ABCT_a001p00000zgyHZAAY.xlsx",
]


@pytest.fixture(scope="module", autouse=True)
def read_by_column() -> Iterator[None]:
    """Have small workbooks read by column too, so that both readers are tested."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(xlsx, "SMALL_WORKBOOK_BYTES", -1)
        yield


def read_all(path: Path, *headings: str, sheet: str = "") -> tuple[Extract, pl.DataFrame]:
    """Read a file: the extract and all its rows."""
    extract = read(path, frozenset(map(fold, headings)), sheet)
    return extract, pl.concat([b.rows for b in extract.batches])


def openpyxl_text(value: Any, number_format: str = "") -> str:
    """Write a value that openpyxl read as a sender would type it."""
    if isinstance(value, int | float) and number_format in ("0%", "0.00%"):
        return f"{100 * value:.10g}%"
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        hours, rest = divmod(int(value.total_seconds()), 3600)
        return f"{hours:02}:{rest // 60:02}:{rest % 60:02}"
    if isinstance(value, float):
        return f"{value:.12g}"
    return "" if value is None else unescape(str(value))


@pytest.mark.parametrize("name", WORKBOOKS)
@pytest.mark.filterwarnings("ignore::UserWarning")  # openpyxl warns about what it does not support
def test_every_cell_is_read_as_openpyxl_reads_it(real_files: Path, name: str) -> None:
    path = real_files / name
    book = openpyxl.load_workbook(path, data_only=True)
    sheets = sheets_of(path, format_of(path))
    assert [(s.name, s.hidden) for s in sheets] == [(w.title, w.sheet_state != "visible") for w in book.worksheets]
    for sheet, worksheet in zip(sheets, book.worksheets, strict=True):
        table = sheet.open()
        actual = {
            (i, j): text_of(cell)
            for i, row in enumerate(table.rows(), 1)
            for j, cell in enumerate(row, 1)
            if cell != ""
        }
        texts = [row for frame in table.texts(0, 100) for row in frame.iter_rows()]
        assert {(i, j): text for i, row in enumerate(texts, 1) for j, text in enumerate(row, 1) if text} == actual
        assert isinstance(table, PlainTable)
        expected = {
            (c.row, c.column): openpyxl_text(c.value, c.number_format)
            for row in worksheet.iter_rows()
            for c in row
            if c.value not in (None, "")
        }
        assert actual == expected


@pytest.mark.parametrize("name", ["date.xlsx", "date_1904.xlsx"])
def test_dates_are_the_same_in_both_calendars(real_files: Path, name: str) -> None:
    extract, rows = read_all(
        real_files / "calamine" / name, "2021-01-01"
    )  # the file has no heading, so its first row is used
    assert extract.headings == ("2021-01-01", "15")
    assert rows.rows() == [("2021-01-02", "16", 2), ("255:10:10", "17", 3)]


@pytest.mark.parametrize(
    ("name", "days"),
    [
        ("1900.xlsx", ["1900-01-01", "1900-01-11", "1900-04-20"]),
        ("1904.xlsx", ["1904-01-02", "1904-01-12", "1904-04-21"]),
        ("1904.ods", ["1904-01-02", "1904-01-12", "1904-04-21"]),
    ],
)
def test_day_1_11_and_111_of_each_calendar(real_files: Path, name: str, days: list[str]) -> None:
    extract, rows = read_all(real_files / "sheetjs-1904" / name, "1")
    assert [extract.headings[0], *rows["0"][:2]] == ["1", "11", "111"]
    assert [extract.headings[1], *rows["1"][:2]] == days


def test_the_seven_spreadsheet_errors_are_read(real_files: Path) -> None:
    path = real_files / "calamine" / "errors.xlsx"
    cells = [row[0] for row in sheets_of(path, format_of(path))[0].open().rows()]
    assert cells == ["#DIV/0!", "#NAME?", "#VALUE!", "#NULL!", "#REF!", "#NUM!", "#N/A"]
    extract, rows = read_all(path, "#DIV/0!")
    assert [*extract.headings, *rows["0"]] == cells


def test_a_protected_workbook_is_refused(real_files: Path) -> None:
    with pytest.raises(UnreadableFile) as refused:
        read_all(real_files / "calamine" / "pass_protected.xlsx", "a")
    assert refused.value.rule_id == "U02"


def test_hidden_sheets_and_charts_are_not_read(real_files: Path) -> None:
    extract, rows = read_all(real_files / "calamine" / "any_sheets.xlsx", "1", "2")
    assert (extract.sheet, rows["0"].to_list()[:2]) == ("Visible", ["3", "5"])


def test_a_heading_on_row_9_is_found(real_files: Path) -> None:
    extract, rows = read_all(real_files / "calamine" / "header-row.xlsx", "Column A", "Column B", "Column C")
    assert (extract.header_row, extract.headings) == (9, ("Columns", "Column A", "Column B", "Column C"))
    assert rows.rows() == [("put data here", "1", "2", "3", 10)]


def test_a_merged_heading_of_five_rows_is_one_heading(real_files: Path) -> None:
    known = ("Region", "Caloric contribution (%)", "from previous quarter", "from baseline (%)")
    extract, rows = read_all(real_files / "frictionless" / "multiline-headers.xlsx", *known)
    assert (extract.header_row, extract.headings) == (1, known)
    assert [(f.rule_id, f.found) for f in extract.findings] == [("F04", "heading on rows 1 to 5")]
    assert rows.rows() == [("A", "B", "C", "D", 6)]


def test_an_escaped_carriage_return_is_unescaped(real_files: Path) -> None:
    extract = read(real_files / "calamine" / "has_x000D_.xlsx", {fold("ABCDEF")})
    assert extract.headings == ("ABC\r\nDEF",)


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        (
            "calamine/date.ods",
            ["2021-01-01 15", "2021-01-01T10:10:10 16", "10:10:10 17", "10:10:10.123456 18"],
        ),
        ("calamine/merged_cells.ods", ["A B C", "A B C", "  C"]),
        (
            "frictionless/table-with-ints-floats-dates.ods",
            [
                "Int Float Date Datetime",
                "2013 3.3 2009-08-16 2009-08-16T05:43:21",
                "1997 5.6 2009-09-20 2009-09-20T15:30:00",
                "1969 11.7 2012-08-23 2012-08-23T20:40:59",
            ],
        ),
    ],
)
def test_opendocument_cells_are_read(real_files: Path, name: str, cells: list[str]) -> None:
    [sheet] = sheets_of(real_files / name, format_of(real_files / name))
    assert [" ".join(text_of(c) for c in row) for row in sheet.open().rows()] == cells


@pytest.mark.parametrize("name", ["sheets.xlsx", "skip-rows.xlsx"])
def test_ambiguous_sheets_are_refused_and_title_rows_are_skipped(real_files: Path, name: str) -> None:
    path = real_files / "frictionless" / name
    if name == "sheets.xlsx":
        with pytest.raises(UnreadableFile) as refused:
            read_all(path, "id", "name")
        assert (refused.value.rule_id, refused.value.found) == ("U04", "sheet 1 and sheet 2 and sheet 3")
        assert read_all(path, "id", "name", sheet="Sheet2")[1].rows() == [("2", "paris", 2)]
    else:
        extract, rows = read_all(path, "A", "B")
        assert (extract.header_row, rows.row(0)) == (2, ("8", "9", 3))


def test_a_funders_grants_are_all_read(real_files: Path) -> None:
    """783 grants, GBP 12,785,625 in total."""
    extract, rows = read_all(
        real_files / "360giving" / "real" / "ABCT_a001p00000zgyHZAAY.xlsx", "Identifier", "Title", "Amount Awarded"
    )
    amounts = rows[str(extract.headings.index("Amount Awarded"))].cast(pl.Decimal(18, 2), strict=False).drop_nulls()
    assert (len(amounts), amounts.sum()) == (783, 12_785_625)


@pytest.mark.parametrize("name", ["dei-extension-2024", "meta-tab-2023", "meta-tab"])
def test_the_360giving_template_workbooks_are_read(real_files: Path, name: str) -> None:
    path = real_files / "360giving" / f"360-giving-schema-titles-with-{name}.xlsx"
    known = ("Identifier", "Title", "Description", "Currency", "Amount Awarded", "Award Date")
    extract = read(path, frozenset(map(fold, known)))
    assert set(known) <= set(extract.headings)
