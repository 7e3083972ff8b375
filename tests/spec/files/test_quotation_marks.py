"""Non-standard quotation marks in CSV files (F29, F30) lose no data and are reported.

An unclosed mark in the heading must not swallow the rows below it. Single marks around texts, and marks with spaces
beside them, are not part of the text.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
import workbook_bytes
from file_validator import Finding, Row, Validator, as_csv, as_table, awards, contacts, participants, workbook
from shared_file import OnceValidator, SharedFiles
from soak import in_soak

from flows.deliveries.context import DeliveryContext
from flows.steps.conform import known_headings
from flows.steps.read import read
from flows.steps.read.raw_sheets import read_raw_sheets
from schemas._contract.catalogue import datasets

Rows = Callable[..., list[dict[str, str]]]


def people(*changes: Row) -> list[dict[str, str]]:
    """Participants who consented in the file's month, as older dates would be reported too (F19)."""
    return participants(*({"consent_date": "2016-11-02"} | c for c in changes))


ROWS_OF: dict[str, Rows] = {"contacts": contacts, "participants": people, "funding_awards": awards}
KNOWN_HEADINGS = known_headings(datasets()["contacts"], DeliveryContext("MHT-BPL", "MHT", date(2016, 11, 30)))
ANY_DATASET = pytest.mark.parametrize("dataset", ["contacts", *in_soak("participants", "funding_awards")])


def with_heading(text: str, heading: str) -> str:
    """Replace the heading line of a file."""
    return heading + text[text.index("\n") :]


class TestF29UnclosedMarkInTheHeading:
    @ANY_DATASET
    @pytest.mark.parametrize(
        ("delimiter", "quoting"),
        [
            *((",", csv.QUOTE_MINIMAL), ("\t", csv.QUOTE_ALL)),
            *in_soak((",", csv.QUOTE_ALL), (";", csv.QUOTE_MINIMAL), ("|", csv.QUOTE_ALL)),
        ],
    )
    def test_before_any_heading_loses_no_row(
        self, validate: Validator, dataset: str, delimiter: str, quoting: int
    ) -> None:
        rows = ROWS_OF[dataset](*[{}] * 60)
        names, text = list(rows[0]), as_csv(rows, delimiter, quoting)
        for position, line_end in ((0, "\n"), (1, "\r\n"), (len(names) // 2, "\r"), (len(names) - 1, "\n")):
            heading = delimiter.join(f'"{name}' if i == position else name for i, name in enumerate(names))
            outcome = validate(with_heading(text, heading).replace("\n", line_end), dataset)
            found = f"a quotation mark in the heading of column {chr(65 + position)}"
            assert outcome.findings_of("F29") == [Finding("F29", "warning", 1, None, found, None)], (
                position,
                outcome.findings,
            )
            assert {f.rule for f in outcome.findings} <= {"F13", "F29"}
            assert (outcome.accepted, outcome.verdict.rows.read) == (list(range(2, 62)), 60)

    @ANY_DATASET
    @pytest.mark.parametrize("line", [3, *in_soak(30, 59)])
    def test_closed_by_chance_in_a_later_row_loses_no_row(self, validate: Validator, dataset: str, line: int) -> None:
        rows = ROWS_OF[dataset](*[{}] * 60)
        lines = as_csv(rows).splitlines()
        cells = lines[line].rpartition(",")
        lines[line] = f'{cells[0]},"{cells[2]}"'
        lines[0] = lines[0].rpartition(",")[0] + ',"' + list(rows[0])[-1]
        outcome = validate("\n".join(lines) + "\n", dataset)
        assert ([f.rule for f in outcome.findings], len(outcome.accepted)) == (["F29"], 60)

    @pytest.mark.parametrize(
        "heading",
        [
            '"contact_id,episode_id",contact_date',  # closed after another heading
            'contact_id,"episode_id,"contact_date"',
            '"contact_id","episode_id,"contact_date"',
            '"contact_id", "episode_id, "contact_date"',
            'contact_id,"episode_id,contact_date"',
        ],
    )
    def test_beside_paired_marks_is_found(self, validate: Validator, heading: str) -> None:
        first = as_csv(contacts({}, {})).splitlines()[0]
        rest = first.removeprefix("contact_id,episode_id,contact_date")
        outcome = validate(with_heading(as_csv(contacts({}, {})), heading + rest))
        assert ([f.rule for f in outcome.findings if f.rule != "F30"], outcome.accepted) == (["F29"], [2, 3])

    @pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, *in_soak(csv.QUOTE_ALL)])
    def test_before_an_unknown_heading_is_found(self, validate: Validator, quoting: int) -> None:
        """A mark that opens the first row must not close the one in the heading."""
        rows = [{**row, "weather": "fine"} for row in contacts(*[{}] * 12)]
        heading = ",".join(rows[0]).replace("weather", '"weather')
        outcome = validate(with_heading(as_csv(rows, quoting=quoting), heading))
        assert sorted(f.rule for f in outcome.findings) == ["F11", "F29"]
        assert outcome.accepted == list(range(2, 14))

    def test_below_a_title_with_stray_marks_is_found(self, validate: Validator) -> None:
        text = as_csv(contacts(*[{}] * 12))
        heading = text.splitlines()[0].replace("attended", '"attended')
        for title in ('Contacts "new', '"Contacts of Blackpool', 'Contacts, "new"", list', '"', 'Contacts 12" list'):
            outcome = validate(f"{title}\n{with_heading(text, heading)}")
            assert {f.rule for f in outcome.findings} == {"F04", "F29"}, title
            assert outcome.accepted == list(range(3, 15))

    def test_of_the_kind_that_a_site_declares_is_found(self, tmp_path: Path) -> None:
        file = tmp_path / "contacts.csv"
        file.write_text(as_csv(contacts(*[{}] * 12)).replace("attended", "'attended", 1))
        extract = read(file, KNOWN_HEADINGS, quote="'")
        assert [f.rule_id for f in extract.findings] == ["F29"]
        assert sum(len(batch.source_rows) for batch in extract.batches) == 12

    @ANY_DATASET
    @pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, *in_soak(csv.QUOTE_ALL)])
    def test_inside_or_after_a_heading_is_found(self, validate: Validator, dataset: str, quoting: int) -> None:
        rows = ROWS_OF[dataset]({}, {})
        names, text = list(rows[0]), as_csv(rows, quoting=quoting)
        for position, name in ((0, f'{names[0]}"'), (1, f'{names[1][:4]}"{names[1][4:]}'), (3, f'{names[3]}"')):
            heading = ",".join(name if i == position else other for i, other in enumerate(names))
            outcome = validate(with_heading(text, heading), dataset)
            found = f"a quotation mark in the heading of column {chr(65 + position)}"
            assert outcome.findings == [Finding("F29", "warning", 1, None, found, None)]
            assert outcome.accepted == [2, 3]

    def test_lines_quoted_as_one_cell_are_no_unclosed_mark(self, validate: Validator) -> None:
        lines = as_csv(contacts({}, {})).splitlines()
        outcome = validate("\n".join(f'"{line}"' for line in lines))
        assert (outcome.rules, outcome.accepted) == ([("F44", "warning", None)], [2, 3])

    def test_an_inch_sign_in_an_unknown_heading_is_not_reported(self, validate: Validator) -> None:
        rows = [{**row, 'width 12"': "x"} for row in awards({}, {})]
        text = as_csv(rows).replace('"width 12"""', 'width 12"')
        assert [f.rule for f in validate(text, "funding_awards").findings] == ["F11"]

    def test_in_a_file_without_rows_is_found(self, validate: Validator) -> None:
        outcome = validate(as_csv(contacts({})).splitlines()[0].replace("with_employer", '"with_employer'))
        assert (outcome.refusals, len(outcome.findings_of("F29"))) == (["F01"], 1)

    def test_in_a_zip_loses_no_row(self, validate: Validator) -> None:
        text = as_csv(contacts(*[{}] * 60)).replace("with_employer", '"with_employer', 1)
        outcome = validate(workbook_bytes.zip_of({"contacts.csv": text.encode()}), suffix="zip")
        assert ([f.rule for f in outcome.findings], len(outcome.accepted)) == (["F29"], 60)

    def test_keeps_every_row_in_place_in_the_marked_workbook(self, tmp_path: Path) -> None:
        file = tmp_path / "contacts.csv"
        file.write_text(as_csv(contacts(*[{}] * 12)).replace("with_employer", '"with_employer', 1))
        [sheet] = read_raw_sheets(file, KNOWN_HEADINGS, "contacts")
        assert sheet.rows == as_table(contacts(*[{}] * 12))

    @pytest.mark.parametrize(
        "heading", ['"weather_\nhere"', '"weather_\nhere (fine,\nrain, snow)"', '"weather_\n\nhere"', '"weather\n"']
    )
    def test_a_quoted_line_break_in_a_heading_is_not_reported(self, validate: Validator, heading: str) -> None:
        text = as_csv([{**row, "weather": "fine"} for row in contacts({}, {})])
        outcome = validate(text.replace("weather", heading, 1))
        assert (outcome.findings_of("F29"), len(outcome.accepted)) == ([], 2)


class TestF30SpacesBesideMarks:
    @ANY_DATASET
    @pytest.mark.parametrize("delimiter", [",", "\t", *in_soak(";", "|")])
    @pytest.mark.parametrize(("before", "after"), [(" ", ""), ("   ", " "), *in_soak(("", " "))])
    def test_spaces_beside_marks_are_not_part_of_the_text(
        self,
        validate: Validator,
        validate_once: OnceValidator,
        dataset: str,
        delimiter: str,
        before: str,
        after: str,
    ) -> None:
        rows = ROWS_OF[dataset](*[{}] * 3)
        text = as_csv(rows, "\x1f", csv.QUOTE_ALL).replace("\x1f", f"{after}{delimiter}{before}")
        outcome = validate(text, dataset)
        assert {f.rule for f in outcome.findings} - {"F13"} == {"F30"}
        assert outcome.findings_of("F30")[0].found == "spaces beside the quotation marks on 4 lines"
        plain = validate_once(as_csv(rows), dataset)
        assert (outcome.accepted, outcome.values) == (plain.accepted, plain.values)

    @pytest.mark.parametrize("text", ["Smith, Jones and sons", 'The ""Best"" trust', "Two, three, four", '12"" pipe'])
    def test_commas_and_marks_inside_the_text_stay(self, validate: Validator, text: str) -> None:
        lines = as_csv(awards({}, {}, {})).replace(",", ", ").replace("A made-up funder", f'"{text}"').splitlines()
        outcome = validate("\n".join(lines) + "\n", "funding_awards")
        assert [row["funding_org_name"] for row in outcome.values] == [text.replace('""', '"')] * 3
        assert [f.rule for f in outcome.findings] == ["F30"]

    def test_a_line_break_inside_is_one_record(self, validate: Validator) -> None:
        text = as_csv(awards({}, {}, {})).replace("A made-up funder", ' "A made-up\nfunder"')
        outcome = validate(text, "funding_awards")
        assert {f.rule for f in outcome.findings} == {"F14"}
        assert (outcome.held, outcome.verdict.rows.read) == ([2, 4, 6], 3)

    def test_a_quoted_word_after_a_space_is_text(self, validate: Validator) -> None:
        text = as_csv(awards({}, {})).replace("A made-up funder", ' "Best" trust', 1)
        outcome = validate(text, "funding_awards")
        assert outcome.values[0]["funding_org_name"] == '"Best" trust'
        assert (outcome.rules, outcome.accepted) == ([("C17", "warning", 2)], [2, 3])

    def test_an_unclosed_mark_after_a_space_affects_no_other_row(self, validate: Validator) -> None:
        text = as_csv(awards(*[{}] * 6)).replace("A made-up funder", ' "Best trust', 1)
        outcome = validate(text, "funding_awards")
        assert (outcome.accepted, {f.row for f in outcome.findings}) == ([2, 3, 4, 5, 6, 7], {2})


class TestF30SingleMarks:
    @ANY_DATASET
    @pytest.mark.parametrize("delimiter", [",", "\t", ", ", *in_soak(";", "|")])
    def test_around_every_text_are_removed(
        self, validate: Validator, validate_once: OnceValidator, dataset: str, delimiter: str
    ) -> None:
        rows = ROWS_OF[dataset](*[{}] * 3)
        text = as_csv(rows, "\x1f", csv.QUOTE_ALL).replace('"', "'").replace("\x1f", delimiter)
        outcome = validate(text, dataset)
        assert {f.rule for f in outcome.findings} - {"F13"} == {"F30"}
        assert outcome.findings_of("F30")[0].found == "single quotation marks around texts"
        plain = validate_once(as_csv(rows), dataset)
        assert (outcome.accepted, outcome.values) == (plain.accepted, plain.values)

    def test_around_the_texts_of_some_columns_are_removed(self, validate: Validator) -> None:
        text = as_csv(awards({}, {})).replace("A made-up funder", "'Smith, Jones and ''sons'' here'")
        outcome = validate(text, "funding_awards")
        assert [row["funding_org_name"] for row in outcome.values] == ["Smith, Jones and 'sons' here"] * 2
        assert [f.rule for f in outcome.findings] == ["F30"]

    @pytest.mark.parametrize(
        "name", ["King's fund", "'t Hooft trust", "The players' fund", "12' by 6\"", "'Best' trust"]
    )
    def test_apostrophes_and_feet_and_inches_are_text(self, validate: Validator, name: str) -> None:
        rows = awards({"funding_org_name": name}, {"funding_org_name": name}, {})
        for suffix, content in (("csv", as_csv(rows).encode()), ("xlsx", workbook({"Data": as_table(rows)}))):
            outcome = validate(content, "funding_awards", suffix=suffix)
            assert ([row["funding_org_name"] for row in outcome.values[:2]], outcome.findings) == ([name, name], [])

    def test_apostrophes_beside_a_quoted_column_are_text(self, validate: Validator) -> None:
        """A column in single marks does not turn apostrophes in other columns into marks."""
        rows = awards(*[{"source_document": "'Improving Lives'", "funding_org_name": "King's fund"}] * 3)
        outcome = validate(as_csv(rows), "funding_awards")
        assert {row["funding_org_name"] for row in outcome.values} == {"King's fund"}
        assert [(f.rule, f.column) for f in outcome.findings] == [("C17", "source_document")] * 3


IN_CELLS = (
    ("funding_awards", "funding_org_name", "A made-up funder, limited"),
    ("funding_awards", "award_id", "360G-made-up"),
    ("funding_awards", "amount", "1100.50"),
    ("contacts", "contact_date", "2016-11-04"),
    ("contacts", "contact_medium", "02"),
    ("contacts", "staff_ref", "W-0013"),
    ("participants", "year_of_birth", "1981"),
)


@pytest.mark.parametrize("mark", ['"', "'"])
@pytest.mark.parametrize(("dataset", "field", "text"), IN_CELLS)
def test_c17_marks_around_a_workbook_cell_are_removed(
    in_shared_file: SharedFiles, dataset: str, field: str, text: str, mark: str
) -> None:
    """Excel opens `1, "a"` with the marks inside the cell."""
    plain = [{f: t} for d, f, t in IN_CELLS if d == dataset]
    marked = [{f: f" {mark}{t}{mark}" for f, t in case.items()} for case in plain]
    case = plain.index({field: text})
    result = in_shared_file(marked, marked[case], dataset, "xlsx")
    assert [(f.rule, f.severity, f.column) for f in result.findings] == [("C17", "warning", field)]
    assert result.values == in_shared_file(plain, plain[case], dataset).values
