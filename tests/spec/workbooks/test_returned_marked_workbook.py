"""Sheets and columns that marking added to a workbook are ignored when it is sent again."""

from __future__ import annotations

from file_validator import Validator, as_table, contacts, workbook

from schemas._contract.workbook_names import PROBLEMS, READ_ME, ROW_PROBLEMS

TABLE = as_table(contacts({}, {}))
MARKED = [[*TABLE[0], ROW_PROBLEMS], [*TABLE[1], "E2: The code is not in the list"], [*TABLE[2], ""]]
ADDED_SHEETS = {READ_ME: [["What to do"], *TABLE], PROBLEMS: [["Cell", "Problem"], *TABLE]}


def test_added_sheets_and_the_problems_column_are_ignored(validate: Validator) -> None:
    outcome = validate(workbook({"Data": MARKED, **ADDED_SHEETS}), suffix="xlsx")
    assert (outcome.findings, outcome.accepted, outcome.verdict.sheet) == ([], [2, 3], "Data")


def test_the_problems_column_is_ignored_on_a_blank_row(validate: Validator) -> None:
    blank = [*[""] * len(TABLE[0]), "The row is blank"]
    outcome = validate(workbook({"Data": [*MARKED, blank]}), suffix="xlsx")
    assert (outcome.rules, outcome.accepted) == ([("F07", "warning", 4)], [2, 3])


def test_the_problems_column_is_ignored_in_a_csv_file(validate: Validator) -> None:
    text = "\n".join(",".join(row) for row in MARKED)
    assert validate(text).findings == []


def test_the_problems_column_is_ignored_in_any_position(validate: Validator) -> None:
    table = [["contact_id", ROW_PROBLEMS, *TABLE[0][1:]], *([r[0], "x", *r[1:]] for r in TABLE[1:])]
    assert validate(workbook({"Data": table}), suffix="xlsx").findings == []
