"""Other sheets of a workbook are sent too: where it is about people they are searched.

Source: docs/domain.md 2.4, P01, P03.

Every name and number is made up.
"""

from __future__ import annotations

from datetime import date

import pytest
from judging import Judge, Outcome, as_table, awards, contacts, workbook
from made_workbooks import changed, part

TABLE = as_table(contacts({}, {}))
PEOPLE = (("Name", "NHS number", "Phone"), ("Jane Smith", "943 476 5919", "07700 900123"))


def validated(judge: Judge, sheets: dict, **more: object) -> Outcome:
    """The outcome of a workbook of contacts."""
    return judge(workbook(sheets), suffix="xlsx", **more)


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
def test_p01_and_p03_personal_data_there_refuses_the_file(judge: Judge, row: list, rule: str) -> None:
    outcome = validated(judge, {"Data": TABLE, "Sheet2": [["For the team"], row]})
    assert (outcome.rules, outcome.refusals, outcome.accepted) == ([(rule, "file", 2)], [rule], [])
    assert (outcome.texts["sheet"].to_list(), outcome.texts["found"].to_list()) == (["sheet 2"], [None])
    assert outcome.verdict.holds_personal_data


def test_p01_also_on_a_hidden_one_whose_name_is_told_by_its_place(judge: Judge) -> None:
    content = workbook({"Data": TABLE, "Jane Smith": PEOPLE})
    shown = part(content, "xl/workbook.xml")
    hidden = shown.replace(b'name="Jane Smith"', b'name="Jane Smith" state="hidden"')
    assert hidden != shown
    outcome = judge(changed(content, {"xl/workbook.xml": hidden}), suffix="xlsx")
    assert (outcome.refusals, outcome.texts["sheet"].unique().to_list()) == (["P01"], ["sheet 2"])


def test_p01_also_in_a_whole_return(judge: Judge) -> None:
    """A sheet with somebody's number refuses what stands on every other."""
    other = as_table(contacts({"staff_ref": "943 476 5919"}))
    outcome = validated(judge, {"Contacts": TABLE, "Referrals": other}, sheet="Contacts")
    assert (outcome.refusals, outcome.texts["sheet"].unique().to_list()) == (["P01"], ["Referrals"])


def test_p01_of_very_many_a_hundred_are_told(judge: Judge) -> None:
    assert len(validated(judge, {"Data": TABLE, "Sheet2": [["Jane Smith"]] * 150}).of("P01")) == 100


def test_what_is_about_nobody_is_passed_over(judge: Judge) -> None:
    """Notes, sums and days; and no sheet beside a dataset that is not about people is searched."""
    notes = [["Rows", 2, 1234567890.5], ["made on", date(2016, 12, 1)], ["BPL-C000001", "MHT-BPL", True]]
    assert validated(judge, {"Data": TABLE, "Sheet2": notes}).findings == []
    sheets = {"Awards": as_table(awards({})), "Contact": PEOPLE}
    assert validated(judge, sheets, dataset="funding_awards").findings == []


def test_u01_one_that_cannot_be_searched_refuses_the_file(judge: Judge) -> None:
    content = workbook({"Data": TABLE, "Sheet2": [["a"]]})
    far = part(content, "xl/worksheets/sheet2.xml").replace(b'r="A1"', b'r="XFD1048576"')
    outcome = judge(changed(content, {"xl/worksheets/sheet2.xml": far}), suffix="xlsx")
    assert (outcome.refusals, outcome.accepted) == (["U01"], [])
