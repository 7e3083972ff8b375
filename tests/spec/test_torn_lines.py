"""Lines that are not what the heading says (rules F13, F14): each costs its own row, and no other row may shift."""

from __future__ import annotations

import csv

import pytest
from judging import CONTACT, Found, Judge, as_csv, contact, contacts


def with_line(number: int, line: str, rows: int = 3) -> str:
    """A sound file of some rows, one of whose lines is another."""
    lines = as_csv(contacts(*[{}] * rows)).splitlines()
    lines[number - 1] = line
    return "\n".join(lines) + "\n"


SOUND = as_csv([contact(2)]).splitlines()[1]
BREAKS = {
    "a surplus cell": SOUND + ",more",
    "a surplus empty cell": SOUND + ",",
    "an unquoted comma": SOUND.replace("review", "review, again"),
    "a missing cell": SOUND.rsplit(",", 1)[0],
    "a line cut short": SOUND[:20],
    "a lone word": "BPL",
    "a stray quotation mark": SOUND.replace("review", 'rev"iew'),
    "an open quotation mark": SOUND.replace("review", '"review'),
    "a quotation mark that closes too early": SOUND.replace("review", '"rev" iew'),
    "an open last cell": SOUND[:-1] + '"N',
    "a carriage return inside a line": SOUND.replace("review", "rev\riew"),
}


@pytest.mark.parametrize("line", BREAKS.values(), ids=BREAKS.keys())
@pytest.mark.parametrize("number", [2, 3, 4])
def test_a_broken_line_costs_itself_alone(judge: Judge, line: str, number: int) -> None:
    outcome = judge(with_line(number, line))
    assert outcome.findings == [Found("F13", "row", number, None, None, None)]
    assert outcome.accepted == [n for n in (2, 3, 4) if n != number]
    assert all(row["staff_role"] == "key_worker" for row in outcome.values)
    assert (outcome.verdict.rows.read, outcome.verdict.rows.held) == (3, 1)


@pytest.mark.parametrize("line", BREAKS.values(), ids=BREAKS.keys())
def test_quoted_neighbours_do_not_change_that(judge: Judge, line: str) -> None:
    lines = as_csv(contacts({}, {}, {}), quoting=csv.QUOTE_ALL).splitlines()
    outcome = judge("\n".join([*lines[:2], line, lines[3]]))
    assert (outcome.rules, outcome.accepted) == ([("F13", "row", 3)], [2, 4])


@pytest.mark.parametrize("good", [SOUND, SOUND[:-1] + '""'], ids=["plain", "with an empty quoted cell"])
def test_two_broken_lines_never_swallow_a_good_one_between(judge: Judge, good: str) -> None:
    """Read by the letter, the three lines are one record whose last cell has two line breaks."""
    lines = as_csv(contacts({}, {}, {}, {}, {})).splitlines()
    lines[2:5] = [lines[2][:-1] + '"N', good, 'N"']
    outcome = judge("\n".join(lines))
    assert outcome.rules == [("F13", "row", 3), ("F13", "row", 5)]
    assert outcome.accepted == [2, 4, 6]


def test_a_quoted_line_break_is_one_record(judge: Judge) -> None:
    """F14: the row is held, and what follows keeps its physical line."""
    outcome = judge(as_csv(contacts({}, {"staff_ref": "W-\n\n0012"}, {})))
    assert outcome.rules == [("F14", "row", 3)]
    assert (outcome.accepted, outcome.held) == ([2, 6], [3])


def test_ten_broken_lines_in_a_small_file_refuse_it(judge: Judge) -> None:
    """Over 1% of the rows and at least ten (DOMAIN.md amendment 6)."""
    nine = judge(as_csv(contacts(*[{}] * 30)) + "torn\n" * 9)
    assert (nine.refusals, nine.verdict.rows.held) == ([], 9)
    ten = judge(as_csv(contacts(*[{}] * 50)) + "torn\n" * 10)
    assert ten.of("F13")[-1] == Found("F13", "file", None, None, "10 of 60 rows", None)
    assert (ten.result, ten.accepted, ten.verdict.rows.held) == ("refused", [], 60)


def test_ten_broken_lines_in_a_thousand_do_not(judge: Judge) -> None:
    outcome = judge(as_csv(contacts(*[{}] * 990)) + "torn\n" * 10)
    assert (outcome.refusals, len(outcome.accepted), outcome.verdict.rows.held) == ([], 990, 10)


@pytest.mark.parametrize(
    ("delimiter", "name", "suffix"),
    [(";", "semicolons", "csv"), ("\t", "tabs", "tsv"), ("|", "vertical bars", "txt")],
)
def test_another_separator_is_read_and_told(judge: Judge, delimiter: str, name: str, suffix: str) -> None:
    outcome = judge(as_csv(contacts({}, {}), delimiter), suffix=suffix)
    assert outcome.findings == [Found("F13", "warning", None, None, f"separated by {name}", None)]
    assert outcome.accepted == [2, 3]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("at_the_end", [True, False])
def test_every_kind_of_line_end_is_read(judge: Judge, line_end: str, at_the_end: bool) -> None:
    lines = as_csv(contacts({}, {"contact_medium": "zz"}, {})).splitlines()
    outcome = judge(line_end.join(lines) + line_end * at_the_end)
    assert (outcome.rules, outcome.accepted) == ([("V02", "row", 3)], [2, 4])


def test_a_file_of_one_column_is_not_mistaken_for_another(judge: Judge) -> None:
    outcome = judge("\n".join(CONTACT))
    assert outcome.result in ("unreadable", "refused")
    assert outcome.accepted == []
