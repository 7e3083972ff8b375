"""Identifier checks agree with published test data (NHS numbers, postcodes)."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from flows.cells.identifiers import is_nhs_number, personal_rule
from flows.steps.read import read
from schemas._contract.code_lists import fold

pytestmark = pytest.mark.real
WRONGLY_FLAGGED = "13"  # flagged false only because it repeats another row: its check digit is valid


def test_nhs_number_check_digits_agree_with_the_published_flags(real_files: Path) -> None:
    headings = frozenset(map(fold, ("Key", "NHS_Number", "NHS_Number_Valid")))
    extract = read(real_files / "ids" / "dve_basic_demographics.csv", headings)
    rows = pl.concat([b.rows for b in extract.batches])
    assert rows["source_row"].to_list() == list(range(2, 15))
    flags = {key: (is_nhs_number(number), flag == "TRUE") for key, number, flag in rows.select("0", "1", "2").rows()}
    assert {key for key, (valid, flag) in flags.items() if valid != flag} == {WRONGLY_FLAGGED}


@pytest.mark.parametrize("name", ["validation", "normalisation"])
def test_postcodes_are_recognised_in_any_spelling(real_files: Path, name: str) -> None:
    cases = json.loads((real_files / "ids" / f"{name}.json").read_text(encoding="utf-8"))["tests"]
    assert cases
    wrong = [c["base"] for c in cases if (personal_rule(c["base"]) == "P03") != bool(c["expected"])]
    assert wrong == []


@pytest.mark.parametrize("name", ["outcodes", "sectors"])
def test_a_partial_postcode_is_not_personal(real_files: Path, name: str) -> None:
    cases = json.loads((real_files / "ids" / f"{name}.json").read_text(encoding="utf-8"))["tests"]
    assert [c["expected"] for c in cases if personal_rule(c["expected"])] == []


@pytest.mark.parametrize(
    ("name", "headings"),
    [(f"{n}.csv", h) for n in ("half1", "half2") for h in [("num", "str")]]
    + [(f"{n}.csv", ("COL1", "COL2")) for n in ("part1", "part2", "part3", "small1", "small2")],
)
def test_files_with_mismatched_columns_are_read_completely(
    real_files: Path, name: str, headings: tuple[str, ...]
) -> None:
    path = real_files / "duckdb-rejects" / "error" / "mismatch" / name
    batches = list(read(path, frozenset(map(fold, headings))).batches)
    lines = [n for b in batches for n in (*b.rows["source_row"], *b.malformed)]
    assert sorted(lines) == list(range(2, len(path.read_bytes().splitlines()) + 1))
