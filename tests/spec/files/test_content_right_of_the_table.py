"""A pivot, another table or remarks to the right of the table are named once, and all rows load. Rule F36."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from file_formats import file_of
from file_validator import Finding, ValidatedFile, Validator, as_table, awards, contacts, participants
from soak import in_soak

ROWS = {"contacts": contacts, "participants": participants, "funding_awards": awards}
SITES = {"contacts": "MHT-BPL", "participants": "MHT-BPL", "funding_awards": "PMO"}
FORMATS = ("csv", *in_soak("xlsx"))
PIVOT = [["Row Labels", "Count of records"], ["review", "35"], ["first", "24"], ["Grand Total", "59"]]


def check(validate: Validator, table: Sequence[Sequence[str]], dataset: str, suffix: str) -> ValidatedFile:
    """Validate a table in a format."""
    width = max(map(len, table))
    padded = [[*row, *[""] * (width - len(row))] for row in table]
    outcome = validate(file_of(padded, suffix), dataset, SITES[dataset], suffix=suffix)
    assert outcome.is_conserved
    return outcome


def row_word(suffix: str) -> str:
    """What a row is called: a line of text may be another row in a spreadsheet."""
    return "line" if suffix == "csv" else "row"


def right_of_table(table: list[list[str]], block: Sequence[Sequence[str]], first: int, gap: int = 1) -> list[list[str]]:
    """The table with a block of cells to the right of it, from a row (from 0) on."""
    return [
        [*row, *[""] * gap, *block[n - first]] if first <= n < first + len(block) else row
        for n, row in enumerate(table)
    ]


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("dataset", ROWS)
@pytest.mark.parametrize("gap", [1, *in_soak(2)])
def test_f36_a_pivot_without_a_heading_in_the_first_row(
    validate: Validator, dataset: str, suffix: str, gap: int
) -> None:
    table = as_table(ROWS[dataset](*[{}] * 60))
    outcome = check(validate, right_of_table(table, PIVOT, 2, gap), dataset, suffix)
    [found] = outcome.findings_of("F36")
    assert (found.severity, found.row) == ("warning", None)
    assert str(found.found).startswith("columns ") and str(found.found).endswith(f", {row_word(suffix)}s 3 to 6")
    assert outcome.accepted == list(range(2, 62)) and {f.rule for f in outcome.findings} - {"F19"} == {"F36"}


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("dataset", ROWS)
def test_f36_a_table_with_headings_beside_is_one_finding(validate: Validator, dataset: str, suffix: str) -> None:
    names = [f"measure {letter}" for letter in "abcdefghijklm"]
    table = as_table(ROWS[dataset](*[{}] * 5))
    outcome = check(validate, right_of_table(table, [names, *([str(n)] * 13 for n in range(4))], 0), dataset, suffix)
    [found] = outcome.findings_of("F36")
    assert str(found.found).startswith("13 columns of another table, columns ")
    assert outcome.accepted == [2, 3, 4, 5, 6] and {f.rule for f in outcome.findings} - {"F19"} == {"F36"}


@pytest.mark.parametrize("suffix", ["csv", *in_soak("xlsx")])
def test_f36_a_table_beside_may_repeat_headings(validate: Validator, suffix: str) -> None:
    table = as_table(contacts(*[{}] * 5))
    outcome = check(
        validate, right_of_table(table, [["contact_type", "how many"], ["review", "5"]], 0), "contacts", suffix
    )
    assert outcome.findings == [
        Finding("F36", "warning", None, None, "2 columns of another table, columns L to M", None)
    ]
    assert [row["contact_type"] for row in outcome.values] == ["review"] * 5


@pytest.mark.parametrize("suffix", FORMATS)
def test_f36_remarks_beside_rows_that_are_right(validate: Validator, suffix: str) -> None:
    table = right_of_table(as_table(contacts(*[{}] * 30)), [["to be checked again"], ["late, but right"]], 4, gap=0)
    outcome = check(validate, table, "contacts", suffix)
    assert outcome.findings == [Finding("F36", "warning", None, None, f"column K, {row_word(suffix)}s 5 to 6", None)]
    assert len(outcome.accepted) == 30


@pytest.mark.parametrize("suffix", ["csv", *in_soak("xlsx")])
@pytest.mark.parametrize("text", ["N", "x", "No"])
def test_f13_a_cell_too_many_holds_its_row(validate: Validator, text: str, suffix: str) -> None:
    outcome = check(validate, right_of_table(as_table(contacts(*[{}] * 30)), [[text]], 4, gap=0), "contacts", suffix)
    assert [r for r in outcome.rules if r[0] == "F13"] == [("F13", "row", 5)] and 5 not in outcome.accepted


@pytest.mark.parametrize("suffix", ["csv", *in_soak("xlsx")])
def test_f13_words_beside_a_row_that_was_shifted_hold_it(validate: Validator, suffix: str) -> None:
    table = as_table(contacts(*[{}] * 30))
    table[4] = [*table[4][:3], "", *table[4][3:-1], "not sure yet"]
    outcome = check(validate, table, "contacts", suffix)
    assert ("F13", "row", 5) in outcome.rules and 5 not in outcome.accepted


def test_f11_two_headings_of_the_same_field_with_a_gap_are_still_a_doubt(validate: Validator) -> None:
    table = right_of_table(as_table(contacts(*[{}] * 5)), [["contact_type"], *[["review"]] * 5], 0)
    assert "F12" in check(validate, table, "contacts", "csv").refusals


def test_personal_data_beside_the_table_refuses_the_file(validate: Validator) -> None:
    table = right_of_table(as_table(contacts(*[{}] * 60)), [["ask", "someone@example.org"]], 4)
    assert check(validate, table, "contacts", "xlsx").refusals == ["P01"]
