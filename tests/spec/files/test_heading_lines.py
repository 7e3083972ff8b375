"""A heading line with separators too few or too many, and lines that are each one quoted cell (rules F43, F44)."""

from __future__ import annotations

from typing import Any

import pytest
import workbook_bytes
from file_validator import Finding, Row, Validator, as_csv, awards, contacts, participants, workbook
from shared_file import OnceValidator
from soak import in_soak

CONTACTS = contacts(*[{"duration_minutes": f"{30 + n}"} for n in range(4)])
PEOPLE = participants({}, {}, {}, {})
AWARDS = awards({}, {}, {}, {})
ALL = {"contacts": CONTACTS, "participants": PEOPLE, "funding_awards": AWARDS}
DATASETS = pytest.mark.parametrize("dataset", ["contacts", *in_soak("participants", "funding_awards")])
ACCEPTED = [2, 3, 4, 5]


def with_heading(rows: list[dict[str, str]], old: str, new: str) -> str:
    """A CSV text whose heading line is changed."""
    heading, rest = as_csv(rows).split("\n", 1)
    assert old in heading
    return f"{heading.replace(old, new, 1)}\n{rest}"


def without_rows(values: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows without their numbers in the file."""
    return [{name: value for name, value in row.items() if name != "source_row"} for row in values]


class TestF43HeadingLine:
    @pytest.mark.parametrize(
        ("dataset", "first", "second"),
        [
            ("contacts", "duration_minutes", "staff_role"),
            ("contacts", "contact_id", "episode_id"),
            ("participants", "gender", "ethnic_category"),
            ("funding_awards", "amount", "financial_year"),
        ],
    )
    @pytest.mark.parametrize("lost", ["", " ", *in_soak(";", "\t")])
    def test_two_headings_that_run_together_are_read_apart(
        self, validate: Validator, validate_once: OnceValidator, dataset: str, first: str, second: str, lost: str
    ) -> None:
        text = with_heading(ALL[dataset], f"{first},{second}", f"{first}{lost}{second}")
        outcome, sound = validate(text, dataset), validate_once(as_csv(ALL[dataset]), dataset)
        [finding] = outcome.findings_of("F43")
        assert (finding.severity, finding.row) == ("warning", 1)
        assert f"between {first} and {second}" in str(finding.found)
        assert outcome.values == sound.values != []
        assert [f for f in outcome.findings if f != finding] == sound.findings

    @DATASETS
    def test_empty_headings_at_the_end_are_dropped(self, validate: Validator, dataset: str) -> None:
        heading, rest = as_csv(ALL[dataset]).split("\n", 1)
        outcome = validate(f"{heading},,\n{rest}", dataset)
        assert outcome.rules == [("F43", "warning", 1)]
        assert outcome.accepted == ACCEPTED

    @pytest.mark.parametrize(
        ("dataset", "old", "new"),
        [
            ("contacts", "contact_type,", "contact_type,,"),
            ("contacts", "contact_type,", "contact_type\n"),
            ("contacts", "contact_type,", "contact_type,\n"),
            ("contacts", "contact_type,", "contact\r\n_type,"),
            *in_soak(("participants", "gender,", "gen\nder,"), ("funding_awards", "amount,", "amount,,")),
        ],
    )
    def test_an_empty_heading_or_a_line_break_too_many_is_left_out(
        self, validate: Validator, dataset: str, old: str, new: str
    ) -> None:
        outcome, sound = (
            validate(with_heading(ALL[dataset], old, new), dataset),
            validate(as_csv(ALL[dataset]), dataset),
        )
        assert [(f.rule, f.severity) for f in outcome.findings] == [("F43", "warning")]
        assert without_rows(outcome.values) == without_rows(sound.values) != []

    def test_a_lost_separator_before_an_empty_last_column(self, validate: Validator) -> None:
        """The lines are only longer by an empty cell, but two headings run together."""
        rows = [{**r, "with_employer": ""} for r in CONTACTS]
        outcome = validate(with_heading(rows, "contact_type,contact_medium", "contact_type contact_medium"))
        assert (outcome.rules, outcome.accepted) == ([("F43", "warning", 1)], ACCEPTED)

    def test_a_column_without_a_heading_is_not_an_extra_heading(self, validate: Validator) -> None:
        lines = as_csv([{**r, "last": "x"} for r in CONTACTS]).replace(",last", ",", 1)
        outcome = validate(lines)
        assert outcome.findings_of("F43") == []
        assert outcome.accepted == ACCEPTED

    @pytest.mark.parametrize(
        ("dataset", "old", "new", "missing"),
        [
            ("contacts", "contact_type,", "", "Contact type"),
            ("contacts", "contact_type,contact_medium", "kind how", "Contact type and Contact medium"),
            ("participants", "gender,", "", "Gender"),
            ("funding_awards", "amount,", "", "Amount"),
        ],
    )
    def test_any_other_heading_is_refused_without_a_word_on_the_rows(
        self, validate: Validator, dataset: str, old: str, new: str, missing: str
    ) -> None:
        outcome = validate(with_heading(ALL[dataset], old, new), dataset)
        n = len(ALL[dataset][0])
        found = f"{n - 1} headings, where the lines below have {n} cells: no heading for {missing}"
        assert outcome.findings == [Finding("F43", "file", None, None, found, None)]
        assert (outcome.result, outcome.verdict.rows.held, outcome.is_conserved) == ("refused", 4, True)

    def test_personal_data_is_found_below_a_heading_at_fault(self, validate: Validator) -> None:
        rows = [{**r, "staff_ref": "943 476 5919"} for r in CONTACTS]
        outcome = validate(with_heading(rows, "contact_type,", ""))
        assert {"F43", "P01"} <= set(outcome.refusals)
        assert outcome.held_values == []

    def test_a_single_line_with_another_number_of_cells_is_at_fault_itself(self, validate: Validator) -> None:
        """Not the heading, and which cell it lacks is not known."""
        lines = as_csv(CONTACTS).splitlines()
        lines[2] = lines[2].replace("review,01", "review01")
        outcome = validate("\n".join(lines))
        found = "9 cells, where the heading has 10: 1 too few"
        assert outcome.findings == [Finding("F13", "row", 3, None, found, None)]
        assert outcome.accepted == [2, 4, 5]


def wrapped(rows: list[Row]) -> list[str]:
    """The lines of a CSV text, each as one quoted cell."""
    return ['"' + line.replace('"', '""') + '"' for line in as_csv(rows).splitlines()]


class TestF44LinesOfOneCell:
    @DATASETS
    @pytest.mark.parametrize("end", ["\n", "\r\n"])
    def test_lines_that_are_one_quoted_cell_are_read(self, validate: Validator, dataset: str, end: str) -> None:
        outcome = validate(end.join(wrapped(ALL[dataset])) + end, dataset)
        assert (outcome.rules, outcome.accepted) == ([("F44", "warning", None)], ACCEPTED)

    @DATASETS
    def test_below_a_heading_that_is_not_quoted(self, validate: Validator, dataset: str) -> None:
        lines = wrapped(ALL[dataset])
        outcome = validate("\n".join([lines[0].strip('"'), *lines[1:]]), dataset)
        assert (outcome.rules, outcome.accepted) == ([("F44", "warning", None)], ACCEPTED)

    def test_cells_with_commas_and_marks_keep_them(self, validate: Validator) -> None:
        rows = awards({"funding_org_name": 'Trust, the "Blue"'}, {"funding_org_name": "Plain"})
        outcome = validate("\n".join(wrapped(rows)), "funding_awards")
        assert [r["funding_org_name"] for r in outcome.values] == ['Trust, the "Blue"', "Plain"]

    def test_another_separator_within_the_cell(self, validate: Validator) -> None:
        lines = [f'"{line}"' for line in as_csv(CONTACTS, ";").splitlines()]
        outcome = validate("\n".join(lines))
        assert ({f.rule for f in outcome.findings}, outcome.accepted) == ({"F44", "F13"}, ACCEPTED)

    def test_a_file_with_other_lines_too_is_not_read(self, validate: Validator) -> None:
        lines = wrapped(CONTACTS)
        lines[3] = "a note"
        assert validate("\n".join(lines)).refusals == ["U03"]

    @DATASETS
    @pytest.mark.parametrize(("suffix", "delimiter"), [("xlsx", ","), *in_soak(("xls", ","), ("ods", ";"))])
    def test_a_workbook_with_its_rows_in_one_column_is_reported(
        self, validate: Validator, dataset: str, suffix: str, delimiter: str
    ) -> None:
        table = [[line] for line in as_csv(ALL[dataset], delimiter).splitlines()]
        contents = {
            "xlsx": workbook({"Data": table}),
            "xls": workbook_bytes.xls({"Data": table}),
            "ods": workbook_bytes.ods("".join(workbook_bytes.ods_row(*row) for row in table)),
        }
        outcome = validate(contents[suffix], dataset, suffix=suffix)
        assert (outcome.result, outcome.rules) == ("unreadable", [("F44", "file", None)])


def test_a_workbook_with_parts_in_unusual_places_is_reported(validate: Validator) -> None:
    """Its content types say what it is; the parts themselves may lie anywhere."""
    book = workbook({"Data": [list(CONTACTS[0])]})
    parts = {
        "[Content_Types].xml": workbook_bytes.read_part(book, "[Content_Types].xml").replace(b"/xl/", b"/book/"),
        "book/workbook.xml": workbook_bytes.read_part(book, "xl/workbook.xml"),
    }
    outcome = validate(workbook_bytes.zip_of(parts), suffix="xlsx")
    [finding] = outcome.findings
    assert (finding.rule, str(finding.found).split(":")[0]) == (
        "U01",
        "an Excel workbook whose parts lie in unusual places",
    )
