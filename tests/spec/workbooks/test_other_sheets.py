"""Other sheets of a workbook are sent too: where it is about people they are searched.

Source: docs/domain.md 2.4, P01, P03.

Every name and number is made up.
"""

from __future__ import annotations

from datetime import date

import pytest
from file_validator import ValidatedFile, Validator, as_table, awards, contacts, workbook
from workbook_bytes import read_part, replace_parts

TABLE = as_table(contacts({}, {}))
PEOPLE = (("Name", "NHS number", "Phone"), ("Jane Smith", "943 476 5919", "07700 900123"))


def validated(validate: Validator, sheets: dict, **more: object) -> ValidatedFile:
    """The outcome of a workbook of contacts."""
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
def test_p01_and_p03_personal_data_there_refuses_the_file(validate: Validator, row: list, rule: str) -> None:
    outcome = validated(validate, {"Data": TABLE, "Sheet2": [["For the team"], row]})
    assert (outcome.rules, outcome.refusals, outcome.accepted) == ([(rule, "file", 2)], [rule], [])
    assert (outcome.stored_findings["sheet"].to_list(), outcome.stored_findings["found"].to_list()) == (
        ["sheet 2"],
        [None],
    )
    assert outcome.verdict.holds_personal_data


def test_p01_also_on_a_hidden_one_whose_name_is_told_by_its_place(validate: Validator) -> None:
    content = workbook({"Data": TABLE, "Jane Smith": PEOPLE})
    shown = read_part(content, "xl/workbook.xml")
    hidden = shown.replace(b'name="Jane Smith"', b'name="Jane Smith" state="hidden"')
    assert hidden != shown
    outcome = validate(replace_parts(content, {"xl/workbook.xml": hidden}), suffix="xlsx")
    assert (outcome.refusals, outcome.stored_findings["sheet"].unique().to_list()) == (["P01"], ["sheet 2"])


def test_p01_also_in_a_whole_return(validate: Validator) -> None:
    """A sheet with somebody's number refuses what stands on every other."""
    other = as_table(contacts({"staff_ref": "943 476 5919"}))
    outcome = validated(validate, {"Contacts": TABLE, "Referrals": other}, sheet="Contacts")
    assert (outcome.refusals, outcome.stored_findings["sheet"].unique().to_list()) == (["P01"], ["Referrals"])


def test_p01_of_very_many_a_hundred_are_told(validate: Validator) -> None:
    assert len(validated(validate, {"Data": TABLE, "Sheet2": [["Jane Smith"]] * 150}).findings_of("P01")) == 100


def test_what_is_about_nobody_is_passed_over(validate: Validator) -> None:
    """Notes, sums and days; and no sheet beside a dataset that is not about people is searched."""
    notes = [["Rows", 2, 1234567890.5], ["made on", date(2016, 12, 1)], ["BPL-C000001", "MHT-BPL", True]]
    assert validated(validate, {"Data": TABLE, "Sheet2": notes}).findings == []
    sheets = {"Awards": as_table(awards({})), "Contact": PEOPLE}
    assert validated(validate, sheets, dataset="funding_awards").findings == []


def test_u01_one_that_cannot_be_searched_refuses_the_file(validate: Validator) -> None:
    content = workbook({"Data": TABLE, "Sheet2": [["a"]]})
    far = read_part(content, "xl/worksheets/sheet2.xml").replace(b'r="A1"', b'r="XFD1048576"')
    outcome = validate(replace_parts(content, {"xl/worksheets/sheet2.xml": far}), suffix="xlsx")
    assert (outcome.refusals, outcome.accepted) == (["U01"], [])
