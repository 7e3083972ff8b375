"""Lines that do not fit the heading (F13, F14) hold their own row, and no other row shifts."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from file_validator import AWARD, CONTACT, Finding, Validator, as_csv, awards, contact, contacts
from soak import in_soak

from flows.steps.read import read
from schemas._contract.code_lists import fold


def with_line(number: int, line: str, rows: int = 3) -> str:
    """A valid file with line `number` replaced by `line`."""
    lines = as_csv(contacts(*[{}] * rows)).splitlines()
    lines[number - 1] = line
    return "\n".join(lines) + "\n"


VALID_LINE = as_csv([contact(2)]).splitlines()[1]
UNPAIRED = "quotation marks that do not pair"
CR = "a carriage return in the middle of the line"


def cell_count(number: int, difference: str) -> str:
    """The finding's text for a line with this many cells."""
    return f"{number} cell{'s' if number > 1 else ''}, where the heading has 10: {difference}"


MALFORMED = {
    "a surplus cell": (VALID_LINE + ",more", cell_count(11, "1 too many")),
    "two surplus empty cells": (VALID_LINE + ",,", cell_count(12, "2 too many")),
    "an unquoted comma": (VALID_LINE.replace("review", "review, again"), cell_count(11, "1 too many")),
    "a missing cell": (VALID_LINE.rsplit(",", 1)[0], cell_count(9, "1 too few")),
    "two missing cells": (VALID_LINE.rsplit(",", 2)[0], cell_count(8, "2 too few")),
    "a line cut short": (VALID_LINE[:20], cell_count(2, "8 too few")),
    "a lone word": ("BPL", cell_count(1, "9 too few")),
    "another separator": (VALID_LINE.replace(",", ";"), cell_count(1, "9 too few")),
    "an open quotation mark": (VALID_LINE.replace("review", '"review'), UNPAIRED),
    "a quotation mark that closes too early": (VALID_LINE.replace("review", '"rev" iew'), UNPAIRED),
    "a stray mark in a quoted cell": (VALID_LINE.replace("review", '"rev"iew"'), UNPAIRED),
    "a mark that closes nothing beside a quoted cell": (VALID_LINE.replace("review,01", 'review","01"'), UNPAIRED),
    "an open last cell": (VALID_LINE[:-1] + '"N', UNPAIRED),
    "a quoted comma for a separator": (
        VALID_LINE.replace("review,01", '"review,01"'),
        cell_count(9, "1 too few"),
    ),
    "a carriage return inside a line": (VALID_LINE.replace("review", "rev\riew"), CR),
    "a zero byte": (VALID_LINE.replace("review", "rev\0iew"), "a zero byte, which stands for no character"),
}
EACH_MALFORMED_LINE = pytest.mark.parametrize(("line", "found"), MALFORMED.values(), ids=MALFORMED.keys())


@EACH_MALFORMED_LINE
@pytest.mark.parametrize("number", [3, *in_soak(2, 4)])
def test_a_malformed_line_holds_only_its_own_row(validate: Validator, line: str, found: str, number: int) -> None:
    outcome = validate(with_line(number, line))
    assert outcome.findings == [Finding("F13", "row", number, None, found, None)]
    assert outcome.accepted == [n for n in (2, 3, 4) if n != number]
    assert all(row["staff_role"] == "key_worker" for row in outcome.values)
    assert (outcome.verdict.rows.read, outcome.verdict.rows.held) == (3, 1)


@EACH_MALFORMED_LINE
def test_a_malformed_line_among_quoted_lines_holds_only_its_own_row(validate: Validator, line: str, found: str) -> None:
    lines = as_csv(contacts({}, {}, {}), quoting=csv.QUOTE_ALL).splitlines()
    outcome = validate("\n".join([*lines[:2], line, lines[3]]))
    assert outcome.findings == [Finding("F13", "row", 3, None, found, None)]
    assert outcome.accepted == [2, 4]


@pytest.mark.parametrize(("line", "found"), [MALFORMED["a line cut short"], MALFORMED["an open last cell"]])
def test_a_last_line_without_a_line_end_is_reported_as_cut_off(validate: Validator, line: str, found: str) -> None:
    outcome = validate(with_line(4, line).rstrip("\n"))
    assert outcome.findings == [Finding("F13", "row", 4, None, f"the last line is cut off: {found}", None)]


class TestQuotationMarkInsideCell:
    """In a line where no cell begins with a mark, a quotation mark is an ordinary character."""

    @pytest.mark.parametrize("text", ['12" list', 'a list of 12"', "37'36\" north", 'the "long" list'])
    def test_is_accepted_in_a_text_field(self, validate: Validator, text: str) -> None:
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
    def test_is_refused_in_other_fields(self, validate: Validator, field: str, rule: str) -> None:
        """The fault is the cell's, not the line's."""
        line = ",".join(v[:1] + '"' + v[1:] if k == field else v for k, v in contact(2).items())
        outcome = validate(with_line(3, line))
        assert (outcome.rules, outcome.findings_of(rule)[0].column) == ([(rule, "row", 3)], field)
        assert (outcome.accepted, outcome.held) == ([2, 4], [3])

    def test_is_refused_in_a_reference_without_a_pattern(self, validate: Validator) -> None:
        outcome = validate(as_csv(awards({}, {})).replace("madeup-1", 'made"up-1'), "funding_awards")
        assert outcome.findings == [Finding("V04", "row", 2, "award_id", '360G-made"up-1', None)]


@pytest.mark.parametrize("valid_line", [VALID_LINE, VALID_LINE[:-1] + '""'], ids=["plain", "with an empty quoted cell"])
def test_two_malformed_lines_do_not_swallow_a_valid_one_between_them(validate: Validator, valid_line: str) -> None:
    """Read strictly, the three lines would be one record whose last cell has two line breaks."""
    lines = as_csv(contacts({}, {}, {}, {}, {})).splitlines()
    lines[2:5] = [lines[2][:-1] + '"N', valid_line, 'N"']
    outcome = validate("\n".join(lines))
    assert outcome.rules == [("F13", "row", 3), ("F13", "row", 5)]
    assert outcome.accepted == [2, 4, 6]


def test_a_quoted_line_break_is_one_record(validate: Validator) -> None:
    """F14: the row is held, and the rows below keep their physical line numbers."""
    outcome = validate(as_csv(contacts({}, {"staff_ref": "W-\n\n0012"}, {})))
    assert outcome.rules == [("F14", "row", 3)]
    assert (outcome.accepted, outcome.held) == ([2, 6], [3])


def test_ten_malformed_lines_in_a_small_file_refuse_it(validate: Validator) -> None:
    """Over 1% of the rows and at least ten (docs/domain.md 6.0)."""
    nine = validate(as_csv(contacts(*[{}] * 30)) + "torn\n" * 9)
    assert (nine.refusals, nine.verdict.rows.held) == ([], 9)
    ten = validate(as_csv(contacts(*[{}] * 50)) + "torn\n" * 10)
    assert ten.findings_of("F13")[-1] == Finding("F13", "file", None, None, "10 of 60 rows", None)
    assert (ten.result, ten.accepted, ten.verdict.rows.held) == ("refused", [], 60)


def test_ten_malformed_lines_in_a_thousand_do_not_refuse_the_file(validate: Validator) -> None:
    outcome = validate(as_csv(contacts(*[{}] * 990)) + "torn\n" * 10)
    assert (outcome.refusals, len(outcome.accepted), outcome.verdict.rows.held) == ([], 990, 10)


def test_a_record_whose_first_cell_has_a_line_break_is_one_record(validate: Validator) -> None:
    """With its quotation mark read as text, the second line would be a record of ten cells."""
    outcome = validate(as_csv(contacts({}, {"contact_id": "BPL-\nC000002"}, {})))
    assert outcome.rules == [("F14", "row", 3)]
    assert (outcome.accepted, outcome.held) == ([2, 5], [3])


def test_a_malformed_line_does_not_affect_a_record_with_a_line_break_after_it(validate: Validator) -> None:
    """Read strictly, line 2 would swallow the first line of the next record and orphan its second."""
    rows = [list(r.values()) for r in awards({}, {})]
    column = list(AWARD).index("source_document")
    assert column == len(AWARD) - 1
    rows[1][column] = "\nMade up"
    text = as_csv([dict(zip(AWARD, r, strict=True)) for r in rows])
    outcome = validate(text.replace("Made up for this test", '"Made up for this test', 1), "funding_awards")
    assert outcome.findings_of("F13") == [Finding("F13", "row", 2, None, UNPAIRED, None)]
    assert outcome.held + outcome.accepted == [3]


def test_an_ambiguous_quotation_mark_is_read_as_standard_csv(validate: Validator) -> None:
    """Either an unclosed cell and then one that ends in a quotation mark, or one cell over two lines (valid CSV).

    The bytes do not show which. No cell is read from the wrong column, and the row is held with a finding.
    """
    lines = as_csv(contacts({}, {}, {}, {})).splitlines()
    lines[2] = lines[2].replace("W-0012", '"W-0012')
    lines[3] = lines[3].replace("W-0012", 'W-0012"')
    outcome = validate("\n".join(lines))
    assert outcome.rules == [("F14", "row", 3)]
    assert (outcome.accepted, outcome.held) == ([2, 5], [3])


class TestSeparator:
    @pytest.mark.parametrize(
        ("delimiter", "name", "suffix"),
        [(";", "semicolons", "csv"), ("\t", "tabs", "tsv"), ("|", "vertical bars", "txt")],
    )
    def test_another_separator_is_read_with_a_warning(
        self, validate: Validator, delimiter: str, name: str, suffix: str
    ) -> None:
        outcome = validate(as_csv(contacts({}, {}), delimiter), suffix=suffix)
        found = f"separated by {name}: 10 of 10 headings found that way"
        assert outcome.findings == [Finding("F13", "warning", None, None, found, None)]
        assert outcome.accepted == [2, 3]

    def test_a_separator_declared_by_the_site_has_no_finding(self, tmp_path: Path) -> None:
        """Both are declared in schemas/core/sites.csv, the quotation mark too."""
        path = tmp_path / "contacts.csv"
        path.write_text(as_csv(contacts({}, {"staff_role": "key^worker"}), "^").replace('"', "'"))
        known = frozenset(map(fold, CONTACT))
        extract = read(path, known, delimiter="^", quote="'")
        assert (extract.findings, [r[7] for b in extract.batches for r in b.rows.iter_rows()]) == (
            [],
            ["key_worker", "key^worker"],
        )
        path.write_text(as_csv(contacts({})))  # commas are always accepted
        assert not read(path, known, delimiter="^").findings


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("at_the_end", [True, False])
def test_every_kind_of_line_end_is_read(validate: Validator, line_end: str, at_the_end: bool) -> None:
    lines = as_csv(contacts({}, {"contact_medium": "zz"}, {})).splitlines()
    outcome = validate(line_end.join(lines) + line_end * at_the_end)
    assert (outcome.rules, outcome.accepted) == ([("V02", "row", 3)], [2, 4])


def test_a_file_of_one_column_is_refused(validate: Validator) -> None:
    outcome = validate("\n".join(CONTACT))
    assert outcome.result in ("unreadable", "refused")
    assert outcome.accepted == []
