"""The other sheets of a workbook: searched for personal data (P01, P03), and left out if they are copies (F46).

Source: docs/domain.md 2.4. Every name and number is made up.
"""

from __future__ import annotations

from datetime import date

import pytest
from file_validator import ValidatedFile, Validator, as_table, awards, contacts, participants, workbook
from workbook_bytes import read_part, replace_parts

TABLE = as_table(contacts({}, {}))
PEOPLE = (("Name", "NHS number", "Phone"), ("Jane Smith", "943 476 5919", "07700 900123"))


def validate_book(validate: Validator, sheets: dict, **more: object) -> ValidatedFile:
    """Validate a workbook of contacts."""
    return validate(workbook(sheets), suffix="xlsx", **more)


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        (["Jane Smith"], "P01"),
        (["943 476 5919"], "P01"),
        ([9434765919], "P01"),
        (["call 07700 900123"], "P01"),
        (["lives at FY1 4AB"], "P03"),
    ],
)
def test_p01_and_p03_personal_data_on_another_sheet_refuses_the_file(validate: Validator, row: list, rule: str) -> None:
    outcome = validate_book(validate, {"Data": TABLE, "Sheet2": [["For the team"], row]})
    assert (outcome.rules, outcome.refusals, outcome.accepted) == ([(rule, "file", 2)], [rule], [])
    assert (outcome.stored_findings["sheet"].to_list(), outcome.stored_findings["found"].to_list()) == (
        ["sheet 2"],
        [None],
    )
    assert outcome.verdict.holds_personal_data


def test_p01_a_hidden_sheet_is_searched_and_reported_by_number(validate: Validator) -> None:
    content = workbook({"Data": TABLE, "Jane Smith": PEOPLE})
    visible = read_part(content, "xl/workbook.xml")
    hidden = visible.replace(b'name="Jane Smith"', b'name="Jane Smith" state="hidden"')
    assert hidden != visible
    outcome = validate(replace_parts(content, {"xl/workbook.xml": hidden}), suffix="xlsx")
    assert (outcome.refusals, outcome.stored_findings["sheet"].unique().to_list()) == (["P01"], ["sheet 2"])


def test_p01_personal_data_in_one_dataset_refuses_the_whole_return(validate: Validator) -> None:
    """An NHS number on one dataset's sheet refuses the datasets on all others."""
    other = as_table(contacts({"staff_ref": "943 476 5919"}))
    outcome = validate_book(validate, {"Contacts": TABLE, "Referrals": other}, sheet="Contacts")
    assert (outcome.refusals, outcome.stored_findings["sheet"].unique().to_list()) == (["P01"], ["Referrals"])


def test_p01_at_most_a_hundred_cells_are_reported(validate: Validator) -> None:
    assert len(validate_book(validate, {"Data": TABLE, "Sheet2": [["Jane Smith"]] * 150}).findings_of("P01")) == 100


def test_other_sheets_without_personal_data_are_ignored(validate: Validator) -> None:
    """Notes, sums and dates are accepted, and other sheets of published figures are not searched."""
    notes = [["Rows", 2, 1234567890.5], ["made on", date(2016, 12, 1)], ["BPL-C000001", "MHT-BPL", True]]
    assert validate_book(validate, {"Data": TABLE, "Sheet2": notes}).findings == []
    sheets = {"Awards": as_table(awards({})), "Contact": PEOPLE}
    assert validate_book(validate, sheets, dataset="funding_awards").findings == []


def test_u01_a_sheet_that_cannot_be_searched_refuses_the_file(validate: Validator) -> None:
    content = workbook({"Data": TABLE, "Sheet2": [["a"]]})
    far = read_part(content, "xl/worksheets/sheet2.xml").replace(b'r="A1"', b'r="XFD1048576"')
    outcome = validate(replace_parts(content, {"xl/worksheets/sheet2.xml": far}), suffix="xlsx")
    assert (outcome.refusals, outcome.accepted) == (["U01"], [])


@pytest.mark.parametrize("dataset", ["contacts", "participants", "funding_awards"])
def test_f46_a_copy_of_the_sheet_is_left_out(validate: Validator, dataset: str) -> None:
    rows = {"contacts": contacts, "participants": participants, "funding_awards": awards}[dataset]({}, {})
    content = workbook({dataset: as_table(rows), f"{dataset} (2)": as_table(rows)})
    outcome = validate(content, dataset, suffix="xlsx")
    assert [(f.rule, f.severity) for f in outcome.findings] == [("F46", "warning")]
    assert (outcome.accepted, outcome.verdict.sheet) == ([2, 3], dataset)


def test_f46_a_copy_in_a_return_is_distinguished_from_other_sheets(validate: Validator) -> None:
    book = {"contacts": TABLE, "contacts (2)": TABLE, "contacts (3)": [*TABLE, *TABLE[1:]]}
    outcome = validate_book(validate, book, sheet="contacts")
    assert [f.rule for f in outcome.findings] == ["F46", "U04"]
    assert outcome.accepted == [2, 3]
