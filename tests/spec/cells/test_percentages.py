"""C21: 46%, as text or as 0.46 shown in percent, is read as 46 in a percentage and as 0.46 in a share."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import workbook_bytes
import xlsxwriter
from file_validator import ValidatedFile, Validator
from soak import in_soak
from workbook_bytes import Percentage

from flows.deliveries.formats import Format
from flows.steps.read import sheets_of
from flows.steps.read.raw_sheets import read_raw_sheets
from flows.steps.read.workbook.xlsx.plain.plain_sheet import PlainTable
from schemas._contract.model import SHARE, Contract, Field, Kind

BENCHMARK = {
    "benchmark_id": "MADE-UP",
    "benchmark_name": "A made-up figure",
    "measure_statistic": "percentage",
    "value": "",
    "value_low": "",
    "value_high": "",
    "population": "Nobody",
    "caveat": "Made up for this test",
    "source_document": "This test",
    "source_wording": "none",
}
MEASURE = {
    "organisation_type": "National",
    "organisation_code": "All",
    "organisation_name": "England",
    "reporting_period": "2017-18",
    "measure_name": "recovery",
    "measure_statistic": "percentage",
    "value": "",
}
TARGET = {
    "target_id": "MADE-UP",
    "programme_code": "MHT",
    "metric_code": "people_into_work",
    "unit": "people",
    "target_value": "",
    "source_document": "This test",
    "source_wording": "none",
}
DATASETS = {
    "benchmarks": (BENCHMARK, "benchmark_id", "value", {"site": "PMO", "period": "202404"}),
    "published_measures": (MEASURE, "reporting_period", "value", {"site": "NHSE", "period": "202503"}),
    "targets": (TARGET, "target_id", "target_value", {"site": "PMO", "period": "202404"}),
}
SHARES = Contract(
    "contacts",
    "Shares",
    "A made-up dataset with a share.",
    "one row per reference",
    ("contact_id",),
    (
        Field("contact_id", Kind.REFERENCE, "Reference", "The reference."),
        Field("share", Kind.DECIMAL, "Share", "A share.", unit=SHARE, low=0, high=1),
    ),
)
Table = Sequence[Sequence[Any]]


def table(dataset: str, *values: Any, **changes: str) -> list[list[Any]]:
    """Valid rows of a dataset, one for each value."""
    row, key, field, _ = DATASETS[dataset]
    rows = [{**row, **changes, key: f"{row[key]}-{n}", field: value} for n, value in enumerate(values)]
    return [list(row), *(list(row.values()) for row in rows)]


def csv_of(rows: Table) -> bytes:
    """Write as a spreadsheet saves CSV: each cell as it is displayed."""
    displayed = [
        [f"{Decimal(str(float(c))) * 100:f}%" if isinstance(c, Percentage) else str(c) for c in r] for r in rows
    ]
    return "\n".join(map(",".join, displayed)).encode()


def xlsx_of(rows: Table, number_format: str = "0%") -> bytes:
    """A workbook where `Percentage` cells have `number_format`."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        sheet, percent = book.add_worksheet("Data"), book.add_format({"num_format": number_format})
        for i, row in enumerate(rows):
            for j, cell in enumerate(row):
                if isinstance(cell, Percentage):
                    sheet.write_number(i, j, float(cell), percent)
                elif cell != "":
                    sheet.write(i, j, cell)
    return file.getvalue()


FORMATS: dict[str, Callable[[Table], bytes]] = {
    "csv": csv_of,
    "xlsx": xlsx_of,
    "ods": lambda rows: workbook_bytes.ods("".join(workbook_bytes.ods_row(*row) for row in rows)),
    "xls": lambda rows: workbook_bytes.xls({"Data": rows}),
}
DISPLAYED = {
    Percentage(0.46): 46,
    Percentage(0.145): 14.5,
    Percentage(0.07): 7,
    Percentage(0.29): 29,
    Percentage(1): 100,
}


def validate_as(validate: Validator, content: bytes, dataset: str, suffix: str) -> ValidatedFile:
    """Validate a file of the dataset, sent by a site that sends it."""
    return validate(content, dataset, suffix=suffix, **DATASETS[dataset][3])


@pytest.mark.parametrize("dataset", ["benchmarks", "published_measures"])
@pytest.mark.parametrize("suffix", ["csv", "xlsx", *in_soak("ods", "xls")])
class TestPercentage:
    """A percentage in a field whose row states a percentage as its statistic."""

    def test_is_read_as_displayed_with_a_warning(self, validate: Validator, dataset: str, suffix: str) -> None:
        outcome = validate_as(validate, FORMATS[suffix](table(dataset, *DISPLAYED)), dataset, suffix)
        assert [float(row["value"]) for row in outcome.values] == list(DISPLAYED.values())
        assert [(f.rule, f.severity, f.row) for f in outcome.findings] == [
            ("C21", "warning", n + 2) for n in range(len(DISPLAYED))
        ]
        assert outcome.findings[1].found == "14.5%" or suffix == "csv"

    def test_is_read_from_text(self, validate: Validator, dataset: str, suffix: str) -> None:
        outcome = validate_as(
            validate, FORMATS[suffix](table(dataset, "46%", "46 %", "46 per cent", "7.5%")), dataset, suffix
        )
        assert [float(row["value"]) for row in outcome.values] == [46, 46, 46, 7.5]
        assert {(f.rule, f.severity) for f in outcome.findings} == {("C21", "warning")}

    def test_a_plain_number_is_unchanged(self, validate: Validator, dataset: str, suffix: str) -> None:
        outcome = validate_as(validate, FORMATS[suffix](table(dataset, "0.46", "46")), dataset, suffix)
        assert ([float(row["value"]) for row in outcome.values], outcome.findings) == ([0.46, 46], [])

    def test_is_refused_for_another_statistic(self, validate: Validator, dataset: str, suffix: str) -> None:
        rows = table(dataset, "46%", Percentage(0.46), "46", measure_statistic="count")
        outcome = validate_as(validate, FORMATS[suffix](rows), dataset, suffix)
        assert [(f.rule, f.severity, f.row, f.suggestion) for f in outcome.findings] == [
            ("V05", "row", 2, None),
            ("V05", "row", 3, None),
        ]
        assert outcome.accepted == [4]


def test_the_statistic_is_taken_row_by_row(validate: Validator) -> None:
    rows = table("benchmarks", "46%", "46%", "46%")
    position = rows[0].index("measure_statistic")
    for row, statistic in zip(rows[1:], ("count", "percent", "percentage_points"), strict=True):
        row[position] = statistic
    outcome = validate_as(validate, csv_of(rows), "benchmarks", "csv")
    assert (outcome.held, [row["value"] for row in outcome.values]) == ([2], [46, 46])


@pytest.mark.parametrize("suffix", ["csv", "xlsx", *in_soak("ods", "xls")])
def test_a_percentage_in_a_count_holds_the_row(validate: Validator, suffix: str) -> None:
    outcome = validate_as(validate, FORMATS[suffix](table("targets", "46%", Percentage(0.46), "46")), "targets", suffix)
    assert [(f.rule, f.severity, f.row) for f in outcome.findings] == [("V05", "row", 2), ("V05", "row", 3)]


@pytest.mark.parametrize("suffix", ["csv", "xlsx", *in_soak("ods", "xls")])
def test_a_percentage_in_a_share_is_divided_by_100(validate: Validator, suffix: str) -> None:
    rows = [["contact_id", "share"], ["A1", "46%"], ["A2", Percentage(0.14)], ["A3", "0.46"], ["A4", "46"]]
    outcome = validate(FORMATS[suffix](rows), contract=SHARES, suffix=suffix)
    assert [float(row["share"]) for row in outcome.values] == [0.46, 0.14, 0.46]
    assert outcome.rules == [("C21", "warning", 2), ("C21", "warning", 3), ("V03", "row", 5)]


@pytest.mark.parametrize(
    ("number_format", "stored", "value", "rules"),
    [
        ("0.00%", 0.4567, 45.67, ["C21"]),
        ('[Red]0.0" of all "%;-0%', 0.5, 50, ["C21"]),
        ('0"%"', 46, 46, []),  # a literal percent sign does not scale the number
        (r"0\%", 46, 46, []),
        ("0.00", 0.46, 0.46, []),
    ],
)
@pytest.mark.parametrize("is_large", [False, *in_soak(True)])
def test_the_number_format_decides_what_is_a_percentage(
    validate: Validator, number_format: str, stored: float, value: float, rules: list[str], is_large: bool
) -> None:
    rows = table("benchmarks", Percentage(stored), *[Percentage(stored)] * (600 if is_large else 0))
    outcome = validate_as(validate, xlsx_of(rows, number_format), "benchmarks", "xlsx")
    assert {float(row["value"]) for row in outcome.values} == {value}
    assert sorted({f.rule for f in outcome.findings}) == rules


def test_percentages_are_read_by_the_columnar_reader_too(validate: Validator, tmp_path: Path) -> None:
    rows = table("benchmarks", *[Percentage(n / 1000) for n in range(1, 1001)])
    path = tmp_path / "large.xlsx"
    path.write_bytes(xlsx_of(rows))
    assert isinstance(sheets_of(path, Format.XLSX)[0].open(), PlainTable)
    outcome = validate_as(validate, path.read_bytes(), "benchmarks", "xlsx")
    assert [row["value"] for row in outcome.values] == [Decimal(n) / 10 for n in range(1, 1001)]


def test_percentages_in_a_multi_number_xls_record_are_read(validate: Validator) -> None:
    rows = table("benchmarks", Percentage(0.5))
    low, high = (rows[0].index(name) for name in ("value_low", "value_high"))
    numbers = [(2, (n << 2) | 3) for n in (46, 54)]  # hundredths, in the percentage cell style
    record = struct.pack("<HH", 1, low) + b"".join(struct.pack("<HI", *n) for n in numbers) + struct.pack("<H", high)
    outcome = validate_as(
        validate, workbook_bytes.xls({"Data": rows}, extra=workbook_bytes.record(0x00BD, record)), "benchmarks", "xls"
    )
    [row] = outcome.values
    assert (row["value_low"], row["value"], row["value_high"]) == (46, 50, 54)


def test_the_marked_workbook_shows_percentages_as_the_sender_saw_them(tmp_path: Path) -> None:
    """Without its percent format the number would be read as 0.46 when the file is sent again."""
    path = tmp_path / "a.xlsx"
    path.write_bytes(xlsx_of(table("benchmarks", Percentage(0.46))))
    assert openpyxl.load_workbook(path).active["D2"].value == 0.46
    [sheet] = read_raw_sheets(path, frozenset(), "benchmarks")
    assert sheet.rows[1][3] == "46%"
