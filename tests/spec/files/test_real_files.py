"""Third-party CSV test files are read as their publishers document."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import polars as pl
import pytest
from file_validator import Validator

from flows.deliveries.extract import Extract, UnreadableFile
from flows.steps.read import read
from schemas._contract.code_lists import fold
from schemas._contract.model import Contract, Field, Kind

pytestmark = pytest.mark.real


def read_all(path: Path, *headings: str) -> tuple[Extract, pl.DataFrame, list[int]]:
    """Read a file: the extract, all its rows, and the numbers of its malformed lines."""
    extract = read(path, frozenset(map(fold, headings)))
    batches = list(extract.batches)
    return extract, pl.concat([b.rows for b in batches], how="diagonal"), [r for b in batches for r in b.malformed]


@pytest.mark.parametrize(
    ("name", "malformed"),
    [("few_columns.csv", [1814, 1823, 2378, 2762]), ("many_columns.csv", [1096, 1159, 1206, 2769])],
)
def test_malformed_lines_are_reported_by_physical_line_number(
    real_files: Path, name: str, malformed: list[int]
) -> None:
    path = real_files / "duckdb-rejects" / "rejects" / "incorrect_columns" / name
    _, rows, found = read_all(path, "a", "b", "c", "d")
    assert found == malformed
    assert rows["source_row"].to_list() == [
        n for n in range(2, len(path.read_bytes().splitlines()) + 1) if n not in malformed
    ]
    assert rows.drop("source_row").unique().rows() == [("1", "2", "3", "4")]


def test_few_columns_has_2768_valid_rows(real_files: Path) -> None:
    path = real_files / "duckdb-rejects" / "rejects" / "incorrect_columns" / "few_columns.csv"
    assert len(read_all(path, "a", "b", "c", "d")[1]) == 2768


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
]


@pytest.mark.parametrize("name", SPECTRUM)
def test_csv_spectrum_matches_its_json(real_files: Path, name: str) -> None:
    expected = json.loads((real_files / "csv-spectrum" / "json" / f"{name}.json").read_text(encoding="utf-8"))
    extract, rows, malformed = read_all(real_files / "csv-spectrum" / "csvs" / f"{name}.csv", *expected[0])
    one_line_end = [
        {h: (c or "").replace("\r\n", "\n") for h, c in zip(extract.headings, row, strict=True)}
        for row in rows.drop("source_row").iter_rows()
    ]
    assert one_line_end == [{h: c.replace("\r\n", "\n") for h, c in row.items()} for row in expected]
    assert malformed == []


def test_a_quotation_mark_inside_a_cell_is_text(real_files: Path) -> None:
    """Only the coordinates are compared: the published JSON has another telephone number than the file."""
    expected = json.loads(
        (real_files / "csv-spectrum" / "json" / "location_coordinates.json").read_text(encoding="utf-8")
    )
    _, rows, malformed = read_all(real_files / "csv-spectrum" / "csvs" / "location_coordinates.csv", *expected)
    ((_, *cells, line),) = rows.rows()
    assert (cells, line, malformed) == (list(expected.values())[1:], 2, [])


REJECTS = {
    "frankstein/nightmare.csv": ("abc", {10, 14, 22}),
    "incorrect_columns/mix_columns.csv": ("abcd", {1604, 1671, 2751, 2768}),
    "incorrect_columns/small_mix.csv": ("abcd", {3, 4}),
    "multiple_errors/cast_and_less_col.csv": (("name", "age"), {4, 5}),
    "multiple_errors/cast_and_more_col.csv": (("name", "age"), {4, 5}),
    "multiple_errors/invalid_utf_less.csv": (("name", "age"), {3}),
    "multiple_errors/invalid_utf_more.csv": (("name", "age"), {3}),
    "multiple_errors/invalid_utf_unquoted.csv": (("name", "age"), {3}),
    "multiple_errors/less_col_and_max_line.csv": (("name", "age"), {4}),
    "multiple_errors/more_col_and_max_line.csv": (("name", "age"), {4}),
    "multiple_errors/multiple_errors.csv": (("name", "age"), {4, 5, 6, 7, 8}),
    "multiple_errors/unquoted_cast.csv": (("name", "age"), {3}),
    "multiple_errors/unquoted_less.csv": (("name", "age"), {3}),
    "multiple_errors/unquoted_more.csv": (("name", "age"), {3}),
    "unquoted/basic.csv": ("ab", {5}),
    "unquoted/unquoted_new_line.csv": ("ab", {5, 6}),
    "unquoted/unquoted_last_value.csv": (("blaaaaaaaaaaaaaa",), {5}),
    "multiple_errors/cast_and_maxline.csv": (
        ("name", "age"),
        set(),
    ),  # a wrong type is a fault of the cell, not the line
    "multiple_errors/multiple_casts_flush.csv": (("name", "age"), set()),
    "dr_who.csv": (("date", "time"), set()),
    "flush.csv": (("number",), set()),
    "maximum_line/max_10.csv": ("ab", set()),
}


@pytest.mark.parametrize(
    ("name", "headings", "malformed"), [(n, *expected) for n, expected in REJECTS.items()], ids=REJECTS
)
def test_lines_that_duckdb_rejects_are_malformed_unless_only_a_type_is_wrong(
    real_files: Path, name: str, headings: tuple[str, ...], malformed: set[int]
) -> None:
    """Every other line is a row with its own line number."""
    path = real_files / "duckdb-rejects" / "rejects" / name
    _, rows, found = read_all(path, *headings)
    assert set(found) == malformed
    assert set(rows["source_row"]) == {*range(2, len(path.read_bytes().splitlines()) + 1)} - malformed


@pytest.mark.parametrize(
    ("name", "encoding", "rows", "first"),
    [
        ("latin1.csv", "cp1252", 12, "José Álvarez"),
        ("utf16.csv", "utf-16", 20, "José Álvarez"),
        ("only_latin1.csv", "cp1252", 5, "ýýý ýýýýýýýýý"),
        ("only_utf16.csv", "utf-16", 5, "ŁŁŁ ŁŁŁŁŁŁŁŁŁ"),
    ],
)
def test_encodings_are_reported_and_converted(
    real_files: Path, name: str, encoding: str, rows: int, first: str
) -> None:
    path = real_files / "duckdb-rejects" / "encodings" / name
    heading = path.read_text(encoding=encoding).splitlines()[0].split(",")
    extract, found, malformed = read_all(path, *heading)
    assert (extract.encoding, len(found), found["0"][0], malformed) == (encoding, rows, first, [])
    assert [f.rule_id for f in extract.findings] == ["F02"]


def test_every_utf_16_character_is_read(real_files: Path) -> None:
    path = real_files / "duckdb-rejects" / "encodings" / "all_utf16.csv"
    _, rows, malformed = read_all(path, "\x01")
    with path.open(encoding="utf-16", newline="") as file:
        expected = [row[0] for row in csv.reader(line for line in file if line) if row]
    assert malformed == []
    assert {c for c in rows["0"] if c} >= {c for c in expected[1:] if c.strip() and "\r" not in c}


def test_shift_jis_is_refused(real_files: Path) -> None:
    """Some of its bytes are undefined in Windows-1252."""
    with pytest.raises(UnreadableFile) as refused:
        read_all(real_files / "duckdb-rejects" / "encodings" / "shift_jis.csv", "name", "age")
    assert refused.value.rule_id == "F02"


MALFORMED_LINES = {
    "countries": {
        4: "5 cells, where the heading has 4: 1 too many",
        7: "1 cell, where the heading has 4: 3 too few",
    },
    "defective-rows": {
        2: "2 cells, where the heading has 3: 1 too few",
        3: "4 cells, where the heading has 3: 1 too many",
    },
    "schema-errors": {5: "6 cells, where the heading has 3: 3 too many"},
    "structure-errors": {5: "6 cells, where the heading has 3: 3 too many"},
    "blank-cells": {},
    "blank-rows": {},
    "bom": {},
    "leading-zeros": {},
    "number-test": {},
    "timezone": {},
}


@pytest.mark.parametrize("name", MALFORMED_LINES)
def test_frictionless_files_are_read_line_by_line(real_files: Path, name: str) -> None:
    path = real_files / "frictionless" / f"{name}.csv"
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    heading = lines[name == "countries"]
    extract = read(path, frozenset(map(fold, heading.split(","))))
    batches = list(extract.batches)
    assert {row: reason for b in batches for row, reason in b.malformed.items()} == MALFORMED_LINES[name]
    found = {line: cells for b in batches for *cells, line in b.rows.fill_null("").iter_rows()}
    first = extract.header_row + 1
    assert found == {
        n: text.split(",") for n, text in enumerate(lines[first - 1 :], first) if n not in MALFORMED_LINES[name]
    }


def test_frictionless_spaces_beside_quotation_marks_are_not_text(real_files: Path) -> None:
    """A line whose marks are escaped by backslashes is left as it is."""
    extract = read(real_files / "frictionless" / "escaping.csv", frozenset({"id", "test"}))
    [batch] = extract.batches
    assert batch.rows.rows() == [("1", "Test line 1", 2), ("2", 'Test " line 2', 3), ("3", ' "Test \\" line 3"', 4)]
    assert [f.rule_id for f in extract.row_findings()] == ["F30"]


TWO_COLUMNS = Contract(
    "contacts",  # a dataset that sites send, so that the file is accepted for validation
    "A toy",
    "A table of two columns.",
    "a row",
    key=("id",),
    fields=(Field("id", Kind.TEXT, "Id", "An id.", required=False), Field("name", Kind.TEXT, "Name", "A name.")),
)


def test_the_eight_errors_of_invalid_csv_are_found_in_one_pass(validate: Validator, real_files: Path) -> None:
    outcome = validate((real_files / "frictionless" / "invalid.csv").read_bytes(), contract=TWO_COLUMNS)
    missing = "2 cells, where the heading has 4: 2 too few"
    assert [(f.row, f.found) for f in outcome.findings_of("F13")] == [
        (2, missing),
        (3, missing),
        (5, "5 cells, where the heading has 4: 1 too many"),
    ]
    assert [f.row for f in outcome.findings_of("F07")] == [4]
    of_heading = outcome.stored_findings.filter(pl.col("rule_id").is_in(["F11", "F12"]))
    assert set(of_heading.select("rule_id", "column_letter").iter_rows()) >= {("F12", "D"), ("F11", "C")}
