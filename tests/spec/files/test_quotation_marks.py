"""Quotation marks of text files that are not as the standard has them (rules F29, F30): nothing is lost, all is told.

One that is not closed in the heading must not swallow the rows below. Marks that a program left around texts, because
it put spaces beside them or used single ones, are no part of the text.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
import workbook_bytes as made
from file_validator import Finding, Row, Validator, as_csv, as_table, awards, contacts, participants, workbook
from soak import in_soak

from flows.deliveries.context import DeliveryContext
from flows.steps.conform import known_headings
from flows.steps.read import read
from flows.steps.read.whole import as_sheets
from schemas._contract.catalogue import datasets

Rows = Callable[..., list[dict[str, str]]]


def people(*changes: Row) -> list[dict[str, str]]:
    """Participants whose consent is of the month of the file: else that would be told too (F19)."""
    return participants(*({"consent_date": "2016-11-02"} | c for c in changes))


KINDS: dict[str, Rows] = {"contacts": contacts, "participants": people, "funding_awards": awards}
KNOWN = known_headings(datasets()["contacts"], DeliveryContext("MHT-BPL", "MHT", date(2016, 11, 30)))
ANY_DATASET = pytest.mark.parametrize("dataset", KINDS)


def with_heading(text: str, heading: str) -> str:
    """A file with another heading line."""
    return heading + text[text.index("\n") :]


class TestF29AMarkInTheHeadingThatIsNotClosed:
    @ANY_DATASET
    @pytest.mark.parametrize("delimiter", [",", "\t", *in_soak(";", "|")])
    @pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
    def test_before_any_heading(self, validate: Validator, dataset: str, delimiter: str, quoting: int) -> None:
        rows = KINDS[dataset](*[{}] * 60)
        names, text = list(rows[0]), as_csv(rows, delimiter, quoting)
        for place, line_end in ((0, "\n"), (1, "\r\n"), (len(names) // 2, "\r"), (len(names) - 1, "\n")):
            heading = delimiter.join(f'"{name}' if i == place else name for i, name in enumerate(names))
            outcome = validate(with_heading(text, heading).replace("\n", line_end), dataset)
            found = f"a quotation mark in the heading of column {chr(65 + place)}"
            assert outcome.findings_of("F29") == [Finding("F29", "warning", 1, None, found, None)], (
                place,
                outcome.findings,
            )
            assert {f.rule for f in outcome.findings} <= {"F13", "F29"}
            assert (outcome.accepted, outcome.verdict.rows.read) == (list(range(2, 62)), 60)

    @ANY_DATASET
    @pytest.mark.parametrize("at", [3, 30, 59])
    def test_that_is_closed_by_luck_further_down(self, validate: Validator, dataset: str, at: int) -> None:
        rows = KINDS[dataset](*[{}] * 60)
        lines = as_csv(rows).splitlines()
        cells = lines[at].rpartition(",")
        lines[at] = f'{cells[0]},"{cells[2]}"'
        lines[0] = lines[0].rpartition(",")[0] + ',"' + list(rows[0])[-1]
        outcome = validate("\n".join(lines) + "\n", dataset)
        assert ([f.rule for f in outcome.findings], len(outcome.accepted)) == (["F29"], 60)

    @pytest.mark.parametrize(
        "heading",
        [
            '"contact_id,episode_id",contact_date',  # closed behind another heading
            'contact_id,"episode_id,"contact_date"',
            '"contact_id","episode_id,"contact_date"',
            '"contact_id", "episode_id, "contact_date"',
            'contact_id,"episode_id,contact_date"',
        ],
    )
    def test_of_several_marks_those_that_pair_are_kept(self, validate: Validator, heading: str) -> None:
        first = as_csv(contacts({}, {})).splitlines()[0]
        rest = first.removeprefix("contact_id,episode_id,contact_date")
        outcome = validate(with_heading(as_csv(contacts({}, {})), heading + rest))
        assert ([f.rule for f in outcome.findings if f.rule != "F30"], outcome.accepted) == (["F29"], [2, 3])

    @pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
    def test_before_a_heading_that_nobody_knows(self, validate: Validator, quoting: int) -> None:
        """The first row begins with a mark: that closes nothing."""
        rows = [{**row, "weather": "fine"} for row in contacts(*[{}] * 12)]
        heading = ",".join(rows[0]).replace("weather", '"weather')
        outcome = validate(with_heading(as_csv(rows, quoting=quoting), heading))
        assert sorted(f.rule for f in outcome.findings) == ["F11", "F29"]
        assert outcome.accepted == list(range(2, 14))

    def test_below_titles_with_stray_marks(self, validate: Validator) -> None:
        text = as_csv(contacts(*[{}] * 12))
        heading = text.splitlines()[0].replace("attended", '"attended')
        for title in ('Contacts "new', '"Contacts of Blackpool', 'Contacts, "new"", list', '"', 'Contacts 12" list'):
            outcome = validate(f"{title}\n{with_heading(text, heading)}")
            assert {f.rule for f in outcome.findings} == {"F04", "F29"}, title
            assert outcome.accepted == list(range(3, 15))

    def test_of_the_kind_that_the_sites_profile_declares(self, tmp_path: Path) -> None:
        file = tmp_path / "contacts.csv"
        file.write_text(as_csv(contacts(*[{}] * 12)).replace("attended", "'attended", 1))
        extract = read(file, KNOWN, quote="'")
        assert [f.rule_id for f in extract.findings] == ["F29"]
        assert sum(len(batch.source_rows) for batch in extract.batches) == 12

    @ANY_DATASET
    @pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
    def test_within_a_heading_or_behind_it(self, validate: Validator, dataset: str, quoting: int) -> None:
        rows = KINDS[dataset]({}, {})
        names, text = list(rows[0]), as_csv(rows, quoting=quoting)
        for place, name in ((0, f'{names[0]}"'), (1, f'{names[1][:4]}"{names[1][4:]}'), (3, f'{names[3]}"')):
            heading = ",".join(name if i == place else other for i, other in enumerate(names))
            outcome = validate(with_heading(text, heading), dataset)
            found = f"a quotation mark in the heading of column {chr(65 + place)}"
            assert outcome.findings == [Finding("F29", "warning", 1, None, found, None)]
            assert outcome.accepted == [2, 3]

    def test_a_heading_that_is_one_quoted_cell_as_a_whole_is_another_fault(self, validate: Validator) -> None:
        lines = as_csv(contacts({}, {})).splitlines()
        outcome = validate("\n".join(f'"{line}"' for line in lines))
        assert (outcome.refusals, outcome.findings_of("F29")) == (["U03"], [])

    def test_an_inch_in_a_heading_of_the_senders_own_is_none(self, validate: Validator) -> None:
        rows = [{**row, 'width 12"': "x"} for row in awards({}, {})]
        text = as_csv(rows).replace('"width 12"""', 'width 12"')
        assert [f.rule for f in validate(text, "funding_awards").findings] == ["F11"]

    def test_in_a_file_without_a_row(self, validate: Validator) -> None:
        outcome = validate(as_csv(contacts({})).splitlines()[0].replace("with_employer", '"with_employer'))
        assert (outcome.refusals, len(outcome.findings_of("F29"))) == (["F01"], 1)

    def test_in_a_zip(self, validate: Validator) -> None:
        text = as_csv(contacts(*[{}] * 60)).replace("with_employer", '"with_employer', 1)
        outcome = validate(made.zip_of({"contacts.csv": text.encode()}), suffix="zip")
        assert ([f.rule for f in outcome.findings], len(outcome.accepted)) == (["F29"], 60)

    def test_the_marked_workbook_has_every_row_where_it_was(self, tmp_path: Path) -> None:
        file = tmp_path / "contacts.csv"
        file.write_text(as_csv(contacts(*[{}] * 12)).replace("with_employer", '"with_employer', 1))
        [sheet] = as_sheets(file, KNOWN, "contacts")
        assert sheet.rows == as_table(contacts(*[{}] * 12))

    @pytest.mark.parametrize(
        "heading", ['"weather_\nhere"', '"weather_\nhere (fine,\nrain, snow)"', '"weather_\n\nhere"', '"weather\n"']
    )
    def test_a_heading_with_a_line_break_is_sound(self, validate: Validator, heading: str) -> None:
        text = as_csv([{**row, "weather": "fine"} for row in contacts({}, {})])
        outcome = validate(text.replace("weather", heading, 1))
        assert (outcome.findings_of("F29"), len(outcome.accepted)) == ([], 2)


class TestF30SpacesBesideTheMarks:
    @ANY_DATASET
    @pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
    @pytest.mark.parametrize(("before", "behind"), [(" ", ""), ("   ", " "), *in_soak(("", " "))])
    def test_they_are_no_part_of_the_text(
        self, validate: Validator, dataset: str, delimiter: str, before: str, behind: str
    ) -> None:
        rows = KINDS[dataset](*[{}] * 3)
        text = as_csv(rows, "\x1f", csv.QUOTE_ALL).replace("\x1f", f"{behind}{delimiter}{before}")
        outcome = validate(text, dataset)
        assert {f.rule for f in outcome.findings} - {"F13"} == {"F30"}
        assert outcome.findings_of("F30")[0].found == "spaces beside the quotation marks on 4 lines"
        plain = validate(as_csv(rows), dataset)
        assert (outcome.accepted, outcome.values) == (plain.accepted, plain.values)

    @pytest.mark.parametrize("text", ["Smith, Jones and sons", 'The ""Best"" trust', "Two, three, four", '12"" pipe'])
    def test_commas_and_marks_within_stay(self, validate: Validator, text: str) -> None:
        lines = as_csv(awards({}, {}, {})).replace(",", ", ").replace("A made-up funder", f'"{text}"').splitlines()
        outcome = validate("\n".join(lines) + "\n", "funding_awards")
        assert [row["funding_org_name"] for row in outcome.values] == [text.replace('""', '"')] * 3
        assert [f.rule for f in outcome.findings] == ["F30"]

    def test_a_line_break_within_is_one_record(self, validate: Validator) -> None:
        text = as_csv(awards({}, {}, {})).replace("A made-up funder", ' "A made-up\nfunder"')
        outcome = validate(text, "funding_awards")
        assert {f.rule for f in outcome.findings} == {"F14"}
        assert (outcome.held, outcome.verdict.rows.read) == ([2, 4, 6], 3)

    def test_a_word_in_marks_behind_a_space_is_text(self, validate: Validator) -> None:
        text = as_csv(awards({}, {})).replace("A made-up funder", ' "Best" trust', 1)
        outcome = validate(text, "funding_awards")
        assert outcome.values[0]["funding_org_name"] == '"Best" trust'
        assert (outcome.rules, outcome.accepted) == ([("C17", "warning", 2)], [2, 3])

    def test_a_mark_behind_a_space_that_is_not_closed_costs_no_other_row(self, validate: Validator) -> None:
        text = as_csv(awards(*[{}] * 6)).replace("A made-up funder", ' "Best trust', 1)
        outcome = validate(text, "funding_awards")
        assert (outcome.accepted, {f.row for f in outcome.findings}) == ([2, 3, 4, 5, 6, 7], {2})


class TestF30SingleMarks:
    @ANY_DATASET
    @pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", ", "])
    def test_all_texts_in_them(self, validate: Validator, dataset: str, delimiter: str) -> None:
        rows = KINDS[dataset](*[{}] * 3)
        text = as_csv(rows, "\x1f", csv.QUOTE_ALL).replace('"', "'").replace("\x1f", delimiter)
        outcome = validate(text, dataset)
        assert {f.rule for f in outcome.findings} - {"F13"} == {"F30"}
        assert outcome.findings_of("F30")[0].found == "single quotation marks around texts"
        plain = validate(as_csv(rows), dataset)
        assert (outcome.accepted, outcome.values) == (plain.accepted, plain.values)

    def test_some_columns_in_them(self, validate: Validator) -> None:
        text = as_csv(awards({}, {})).replace("A made-up funder", "'Smith, Jones and ''sons'' here'")
        outcome = validate(text, "funding_awards")
        assert [row["funding_org_name"] for row in outcome.values] == ["Smith, Jones and 'sons' here"] * 2
        assert [f.rule for f in outcome.findings] == ["F30"]

    @pytest.mark.parametrize(
        "name", ["King's fund", "'t Hooft trust", "The players' fund", "12' by 6\"", "'Best' trust"]
    )
    def test_apostrophes_and_inches_are_text(self, validate: Validator, name: str) -> None:
        rows = awards({"funding_org_name": name}, {"funding_org_name": name}, {})
        for suffix, content in (("csv", as_csv(rows).encode()), ("xlsx", workbook({"Data": as_table(rows)}))):
            outcome = validate(content, "funding_awards", suffix=suffix)
            assert ([row["funding_org_name"] for row in outcome.values[:2]], outcome.findings) == ([name, name], [])

    def test_titles_in_them_beside_an_apostrophe(self, validate: Validator) -> None:
        """A column that is all in single marks is no sign that apostrophes elsewhere are marks."""
        rows = awards(*[{"source_document": "'Improving Lives'", "funding_org_name": "King's fund"}] * 3)
        outcome = validate(as_csv(rows), "funding_awards")
        assert {row["funding_org_name"] for row in outcome.values} == {"King's fund"}
        assert [(f.rule, f.column) for f in outcome.findings] == [("C17", "source_document")] * 3


@pytest.mark.parametrize("mark", ['"', "'"])
@pytest.mark.parametrize(
    ("dataset", "field", "text"),
    [
        ("funding_awards", "funding_org_name", "A made-up funder, limited"),
        ("funding_awards", "award_id", "360G-made-up"),
        ("funding_awards", "amount", "1100.50"),
        ("contacts", "contact_date", "2016-11-04"),
        ("contacts", "contact_medium", "02"),
        ("contacts", "staff_ref", "W-0013"),
        ("participants", "year_of_birth", "1981"),
    ],
)
def test_c17_marks_that_a_spreadsheet_left_around_a_cell(
    validate: Validator, dataset: str, field: str, text: str, mark: str
) -> None:
    """Excel opens `1, "a"` so that the marks stand in the cells."""
    rows, plain = (KINDS[dataset]({field: t}, {}) for t in (f" {mark}{text}{mark}", text))
    outcome = validate(workbook({"Data": as_table(rows)}), dataset, suffix="xlsx")
    assert [(f.rule, f.severity, f.row, f.column) for f in outcome.findings] == [("C17", "warning", 2, field)]
    assert outcome.values == validate(as_csv(plain), dataset).values
