"""Files that nobody here made, read in place and held to what others say of them (shared/real/INDEX.md)."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from flows.steps.read import read
from flows.steps.read.workbook import _members, _searched
from schemas.codes import fold
from schemas.shapes import Extract

pytestmark = pytest.mark.real


def opened(path: Path, *headings: str) -> tuple[Extract, pl.DataFrame, list[int]]:
    """A file as it is read: the extract, all its rows, and its torn lines."""
    extract = read(path, frozenset(map(fold, headings)))
    batches = list(extract.batches)
    return extract, pl.concat([b.rows for b in batches], how="diagonal"), [r for b in batches for r in b.torn]


@pytest.mark.parametrize(
    ("name", "torn"),
    [("few_columns.csv", [1814, 1823, 2378, 2762]), ("many_columns.csv", [1096, 1159, 1206, 2769])],
)
def test_bad_lines_are_named_by_their_physical_number(real: Path, name: str, torn: list[int]) -> None:
    path = real / "duckdb-rejects" / "rejects" / "incorrect_columns" / name
    _, rows, found = opened(path, "a", "b", "c", "d")
    assert found == torn
    assert rows["source_row"].to_list() == [
        n for n in range(2, len(path.read_bytes().splitlines()) + 1) if n not in torn
    ]
    assert rows.drop("source_row").unique().rows() == [("1", "2", "3", "4")]


def test_few_columns_has_2768_good_rows(real: Path) -> None:
    path = real / "duckdb-rejects" / "rejects" / "incorrect_columns" / "few_columns.csv"
    assert len(opened(path, "a", "b", "c", "d")[1]) == 2768


SPECTRUM = [
    "comma_in_quotes",
    "empty",
    "empty_crlf",
    "escaped_quotes",
    "json",
    "newlines",
    "newlines_crlf",
    "quotes_and_newlines",
    "simple",
    "simple_crlf",
    "utf8",
]  # location_coordinates has stray quotation marks: its line is torn


@pytest.mark.parametrize("name", SPECTRUM)
def test_csv_spectrum_means_what_its_json_says(real: Path, name: str) -> None:
    meant = json.loads((real / "csv-spectrum" / "json" / f"{name}.json").read_text(encoding="utf-8"))
    extract, rows, torn = opened(real / "csv-spectrum" / "csvs" / f"{name}.csv", *meant[0])
    one_line_end = [
        {h: (c or "").replace("\r\n", "\n") for h, c in zip(extract.headings, row, strict=True)}
        for row in rows.drop("source_row").iter_rows()
    ]
    assert one_line_end == [{h: c.replace("\r\n", "\n") for h, c in row.items()} for row in meant]
    assert torn == []


def test_dates_are_the_same_in_both_calendars(real: Path) -> None:
    one, rows, _ = opened(real / "calamine" / "date.xlsx", "2021-01-01")
    other, same, _ = opened(real / "calamine" / "date_1904.xlsx", "2021-01-01")
    assert one.headings == other.headings == ("2021-01-01", "15")  # the file has no heading: its first row serves
    assert rows.equals(same)
    assert rows.row(0) == ("2021-01-02", "16", 2)


def test_the_seven_errors_of_a_spreadsheet_are_seen(real: Path) -> None:
    path = real / "calamine" / "errors.xlsx"
    errors = _searched(path, _members(path)["Feuil1"])
    assert list(errors) == [(row, 0) for row in range(7)]
    assert set(errors.values()) == {"#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!"}


def test_a_heading_on_row_9_is_found(real: Path) -> None:
    extract, rows, _ = opened(real / "calamine" / "header-row.xlsx", "Column A", "Column B", "Column C")
    assert (extract.header_row, extract.headings) == (9, ("Columns", "Column A", "Column B", "Column C"))
    assert rows.rows() == [("put data here", "1", "2", "3", 10)]
