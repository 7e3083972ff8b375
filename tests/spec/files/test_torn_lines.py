"""Lines that are not what the heading says (rules F13, F14): each costs its own row, and no other row may shift."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from file_validator import AWARD, CONTACT, Finding, Validator, as_csv, awards, contact, contacts

from flows.steps.read import read
from schemas._contract.code_lists import fold


def with_line(number: int, line: str, rows: int = 3) -> str:
    """A sound file of some rows, one of whose lines is another."""
    lines = as_csv(contacts(*[{}] * rows)).splitlines()
    lines[number - 1] = line
    return "\n".join(lines) + "\n"


SOUND = as_csv([contact(2)]).splitlines()[1]
UNPAIRED = "quotation marks that do not pair"
CR = "a carriage return in the middle of the line"


def cells(number: int, difference: str) -> str:
    """What is told of a line with so many cells."""
    return f"{number} cell{'s' if number > 1 else ''}, where the heading has 10: {difference}"


BREAKS = {
    "a surplus cell": (SOUND + ",more", cells(11, "1 too many")),
    "two surplus empty cells": (SOUND + ",,", cells(12, "2 too many")),
    "an unquoted comma": (SOUND.replace("review", "review, again"), cells(11, "1 too many")),
    "a missing cell": (SOUND.rsplit(",", 1)[0], cells(9, "nothing for column J")),
    "two missing cells": (SOUND.rsplit(",", 2)[0], cells(8, "nothing for columns I and J")),
    "a line cut short": (SOUND[:20], cells(2, "nothing for columns C to J")),
    "a lone word": ("BPL", cells(1, "nothing for columns B to J")),
    "another separator": (SOUND.replace(",", ";"), cells(1, "nothing for columns B to J")),
    "an open quotation mark": (SOUND.replace("review", '"review'), UNPAIRED),
    "a quotation mark that closes too early": (SOUND.replace("review", '"rev" iew'), UNPAIRED),
    "a stray mark in a quoted cell": (SOUND.replace("review", '"rev"iew"'), UNPAIRED),
    "a mark that closes nothing beside a quoted cell": (SOUND.replace("review,01", 'review","01"'), UNPAIRED),
    "an open last cell": (SOUND[:-1] + '"N', UNPAIRED),
    "a quoted comma for a separator": (SOUND.replace("review,01", '"review,01"'), cells(9, "nothing for column J")),
    "a carriage return inside a line": (SOUND.replace("review", "rev\riew"), CR),
    "a zero byte": (SOUND.replace("review", "rev\0iew"), "a zero byte, which stands for no character"),
}
LINES = pytest.mark.parametrize(("line", "why"), BREAKS.values(), ids=BREAKS.keys())


@LINES
@pytest.mark.parametrize("number", [2, 3, 4])
def test_a_broken_line_costs_itself_alone(validate: Validator, line: str, why: str, number: int) -> None:
    outcome = validate(with_line(number, line))
    assert outcome.findings == [Finding("F13", "row", number, None, why, None)]
    assert outcome.accepted == [n for n in (2, 3, 4) if n != number]
    assert all(row["staff_role"] == "key_worker" for row in outcome.values)
    assert (outcome.verdict.rows.read, outcome.verdict.rows.held) == (3, 1)


@LINES
def test_quoted_neighbours_do_not_change_that(validate: Validator, line: str, why: str) -> None:
    lines = as_csv(contacts({}, {}, {}), quoting=csv.QUOTE_ALL).splitlines()
    outcome = validate("\n".join([*lines[:2], line, lines[3]]))
    assert outcome.findings == [Finding("F13", "row", 3, None, why, None)]
    assert outcome.accepted == [2, 4]


@pytest.mark.parametrize(("line", "why"), [BREAKS["a line cut short"], BREAKS["an open last cell"]])
def test_a_last_line_without_its_end_is_said_to_be_cut_off(validate: Validator, line: str, why: str) -> None:
    outcome = validate(with_line(4, line).rstrip("\n"))
    assert outcome.findings == [Finding("F13", "row", 4, None, f"the last line is cut off: {why}", None)]


class TestAQuotationMarkInsideACell:
    """In a line none of whose cells begins with one, it is that character itself."""

    @pytest.mark.parametrize("text", ['12" list', 'a list of 12"', "37'36\" north", 'the "long" list'])
    def test_a_text_may_hold_it(self, validate: Validator, text: str) -> None:
        text_of = {"funding_org_name": "A made-up funder", "source_document": "Made up for this test"}
        outcome = validate(as_csv(awards({}, {}, {})).replace(text_of["source_document"], text, 2), "funding_awards")
        assert (outcome.findings, outcome.accepted) == ([], [2, 3, 4])
        assert [r["source_document"] for r in outcome.values] == [text, text, text_of["source_document"]]

    @pytest.mark.parametrize(
        ("field", "rule"),
        [
            ("contact_id", "V04"),
            ("staff_ref", "V04"),
            ("contact_date", "C02"),
            ("contact_type", "V02"),
            ("duration_minutes", "V05"),
            ("with_employer", "C18"),
        ],
    )
    def test_nothing_else_may(self, validate: Validator, field: str, rule: str) -> None:
        """The cell is at fault, not the line."""
        line = ",".join(v[:1] + '"' + v[1:] if k == field else v for k, v in contact(2).items())
        outcome = validate(with_line(3, line))
        assert (outcome.rules, outcome.findings_of(rule)[0].column) == ([(rule, "row", 3)], field)
        assert (outcome.accepted, outcome.held) == ([2, 4], [3])

    def test_not_even_a_reference_without_a_form_of_its_own(self, validate: Validator) -> None:
        outcome = validate(as_csv(awards({}, {})).replace("madeup-1", 'made"up-1'), "funding_awards")
        assert outcome.findings == [Finding("V04", "row", 2, "award_id", '360G-made"up-1', None)]


@pytest.mark.parametrize("good", [SOUND, SOUND[:-1] + '""'], ids=["plain", "with an empty quoted cell"])
def test_two_broken_lines_never_swallow_a_good_one_between(validate: Validator, good: str) -> None:
    """Read by the letter, the three lines are one record whose last cell has two line breaks."""
    lines = as_csv(contacts({}, {}, {}, {}, {})).splitlines()
    lines[2:5] = [lines[2][:-1] + '"N', good, 'N"']
    outcome = validate("\n".join(lines))
    assert outcome.rules == [("F13", "row", 3), ("F13", "row", 5)]
    assert outcome.accepted == [2, 4, 6]


def test_a_quoted_line_break_is_one_record(validate: Validator) -> None:
    """F14: the row is held, and what follows keeps its physical line."""
    outcome = validate(as_csv(contacts({}, {"staff_ref": "W-\n\n0012"}, {})))
    assert outcome.rules == [("F14", "row", 3)]
    assert (outcome.accepted, outcome.held) == ([2, 6], [3])


def test_ten_broken_lines_in_a_small_file_refuse_it(validate: Validator) -> None:
    """Over 1% of the rows and at least ten (docs/domain.md 6.0)."""
    nine = validate(as_csv(contacts(*[{}] * 30)) + "torn\n" * 9)
    assert (nine.refusals, nine.verdict.rows.held) == ([], 9)
    ten = validate(as_csv(contacts(*[{}] * 50)) + "torn\n" * 10)
    assert ten.findings_of("F13")[-1] == Finding("F13", "file", None, None, "10 of 60 rows", None)
    assert (ten.result, ten.accepted, ten.verdict.rows.held) == ("refused", [], 60)


def test_ten_broken_lines_in_a_thousand_do_not(validate: Validator) -> None:
    outcome = validate(as_csv(contacts(*[{}] * 990)) + "torn\n" * 10)
    assert (outcome.refusals, len(outcome.accepted), outcome.verdict.rows.held) == ([], 990, 10)


def test_a_record_whose_first_cell_has_a_line_break_is_one_record(validate: Validator) -> None:
    """Its second line would be a line of ten cells, were its quotation mark a character like any other."""
    outcome = validate(as_csv(contacts({}, {"contact_id": "BPL-\nC000002"}, {})))
    assert outcome.rules == [("F14", "row", 3)]
    assert (outcome.accepted, outcome.held) == ([2, 5], [3])


def test_a_break_before_a_record_with_a_line_break_does_not_cost_that(validate: Validator) -> None:
    """Read by the letter, line 2 runs over the first line of the next record and leaves its second line over."""
    rows = [list(r.values()) for r in awards({}, {})]
    at = list(AWARD).index("source_document")
    assert at == len(AWARD) - 1
    rows[1][at] = "\nMade up"
    text = as_csv([dict(zip(AWARD, r, strict=True)) for r in rows])
    outcome = validate(text.replace("Made up for this test", '"Made up for this test', 1), "funding_awards")
    assert outcome.findings_of("F13") == [Finding("F13", "row", 2, None, UNPAIRED, None)]
    assert outcome.held + outcome.accepted == [3]


def test_where_the_bytes_allow_two_readings_the_standard_decides(validate: Validator) -> None:
    """An unclosed cell, and then a cell that ends in a quotation mark; or one cell over two lines, which is sound CSV.

    Nothing in the bytes says which. No cell of either is read from the wrong column, and the row is held and named.
    """
    lines = as_csv(contacts({}, {}, {}, {})).splitlines()
    lines[2] = lines[2].replace("W-0012", '"W-0012')
    lines[3] = lines[3].replace("W-0012", 'W-0012"')
    outcome = validate("\n".join(lines))
    assert outcome.rules == [("F14", "row", 3)]
    assert (outcome.accepted, outcome.held) == ([2, 5], [3])


class TestTheSeparator:
    @pytest.mark.parametrize(
        ("delimiter", "name", "suffix"),
        [(";", "semicolons", "csv"), ("\t", "tabs", "tsv"), ("|", "vertical bars", "txt")],
    )
    def test_another_is_read_and_told_with_the_reason(
        self, validate: Validator, delimiter: str, name: str, suffix: str
    ) -> None:
        outcome = validate(as_csv(contacts({}, {}), delimiter), suffix=suffix)
        told = f"separated by {name}: 10 of 10 headings found that way"
        assert outcome.findings == [Finding("F13", "warning", None, None, told, None)]
        assert outcome.accepted == [2, 3]

    def test_one_that_the_site_declares_is_as_agreed(self, tmp_path: Path) -> None:
        """So is its quotation mark: schemas/core/sites.csv says so of a site."""
        path = tmp_path / "contacts.csv"
        path.write_text(as_csv(contacts({}, {"staff_role": "key^worker"}), "^").replace('"', "'"))
        known = frozenset(map(fold, CONTACT))
        extract = read(path, known, delimiter="^", quote="'")
        assert (extract.findings, [r[7] for b in extract.batches for r in b.rows.iter_rows()]) == (
            [],
            ["key_worker", "key^worker"],
        )
        path.write_text(as_csv(contacts({})))  # and commas always are
        assert not read(path, known, delimiter="^").findings


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("at_the_end", [True, False])
def test_every_kind_of_line_end_is_read(validate: Validator, line_end: str, at_the_end: bool) -> None:
    lines = as_csv(contacts({}, {"contact_medium": "zz"}, {})).splitlines()
    outcome = validate(line_end.join(lines) + line_end * at_the_end)
    assert (outcome.rules, outcome.accepted) == ([("V02", "row", 3)], [2, 4])


def test_a_file_of_one_column_is_not_mistaken_for_another(validate: Validator) -> None:
    outcome = validate("\n".join(CONTACT))
    assert outcome.result in ("unreadable", "refused")
    assert outcome.accepted == []
