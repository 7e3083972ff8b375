"""A heading in other words, with a hint after it, or of another dataset is one cause, reported once.

Source: docs/domain.md 6.1, F09-F12. F40: a hint after a heading; F41: a column may be a missing one under another
heading; F42: the columns of another dataset.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from file_formats import file_of
from file_validator import (
    JOB,
    REFERRAL,
    Finding,
    Row,
    ValidatedFile,
    Validator,
    as_csv,
    as_table,
    awards,
    contacts,
    participants,
    workbook,
)
from shared_file import OnceValidator
from soak import in_soak

from schemas._contract.catalogue import datasets

FORMATS = ["csv", "xlsx", "xls", "ods"]
ROWS = 4
JOBS = [{**JOB, "outcome_id": f"BPL-J{n:06}", "episode_id": f"BPL-E{n:06}"} for n in range(1, ROWS + 1)]
REFERRALS = [{**REFERRAL, "episode_id": f"BPL-E{n:06}"} for n in range(1, ROWS + 1)]
PEOPLE = participants(*[{}] * ROWS)
CONTACTS = contacts(*[{"contact_date": f"2016-11-{n:02}", "duration_minutes": f"{30 + n}"} for n in range(1, ROWS + 1)])
AWARDS = awards(*[{"amount": f"{n}000.00"} for n in range(1, ROWS + 1)])
ALL = {
    "contacts": CONTACTS,
    "participants": PEOPLE,
    "referrals": REFERRALS,
    "employment_outcomes": JOBS,
    "funding_awards": AWARDS,
}


def file_of_rows(rows: Sequence[Row], suffix: str) -> bytes:
    """Rows as a file of a format."""
    return file_of(as_table(rows), suffix)


def renamed(rows: Sequence[Row], names: Mapping[str, str]) -> list[dict[str, str]]:
    """Rows with other headings."""
    return [{names.get(name, name): text for name, text in row.items()} for row in rows]


def fields_asked(outcome: ValidatedFile, severity: str = "file") -> dict[str, str]:
    """The field that each column may be (F41), by the column's letter."""
    found = outcome.stored_findings.filter(rule_id="F41", severity=severity)
    assert found["source_row"].null_count() == len(found)
    return dict(found.select("column_letter", "field").iter_rows())


class TestF41RenamedHeadings:
    @pytest.mark.parametrize(
        ("dataset", "field", "heading", "suffix"),
        [
            ("contacts", "staff_role", "Staff grade", "csv"),
            *in_soak(*(("contacts", "staff_role", "Staff grade", suffix) for suffix in FORMATS[1:])),
            ("contacts", "contact_date", "Seen on", "csv"),
            ("contacts", "episode_id", "Case", "csv"),
            ("contacts", "contact_medium", "Method", "csv"),
            ("contacts", "attended", "DNA?", "csv"),
            ("participants", "consent_date", "When agreed", "csv"),
            ("participants", "gender", "Sex recorded", "csv"),
            ("participants", "year_of_birth", "Birth yr", "csv"),
            ("referrals", "programme_start_date", "Began", "csv"),
            ("referrals", "source_of_referral", "Who sent them", "csv"),
            ("employment_outcomes", "job_type", "Employed how", "csv"),
            ("employment_outcomes", "job_start_date", "First day", "csv"),
            ("employment_outcomes", "evidence_type", "Proof", "csv"),
        ],
    )
    def test_a_renamed_column_is_asked_about_once(
        self, validate: Validator, dataset: str, field: str, heading: str, suffix: str
    ) -> None:
        outcome = validate(file_of_rows(renamed(ALL[dataset], {field: heading}), suffix), dataset, suffix=suffix)
        assert [(f.rule, f.severity, f.row) for f in outcome.findings] == [("F41", "file", None)]
        assert [*fields_asked(outcome).values()] == [field]
        assert (outcome.result, outcome.verdict.rows.held, outcome.is_conserved) == ("refused", ROWS, True)

    def test_many_renamed_columns_are_each_asked_about(self, validate: Validator) -> None:
        names = {
            "contact_id": "ID",
            "episode_id": "Episode",
            "contact_date": "Date of contact",
            "contact_type": "Type of contact",
            "contact_medium": "Method",
            "attended": "DNA?",
            "duration_minutes": "Mins",
            "staff_role": "Role",
            "staff_ref": "Worker",
            "with_employer": "Employer?",
        }
        outcome = validate(as_csv(renamed(CONTACTS, names)))
        refused = ["contact_id", "episode_id", "contact_medium", "attended", "duration_minutes"]
        assert [*fields_asked(outcome).values()] == refused
        assert [*fields_asked(outcome, "warning").values()] == ["staff_ref", "with_employer"]
        assert {f.rule for f in outcome.findings} == {"F41", "F10"}

    def test_two_renamed_dates_are_distinguished_by_their_names(self, validate: Validator) -> None:
        rows = [{**r, "exit_date": "2016-10-01", "exit_reason": "completed"} for r in REFERRALS]
        names = {"referral_received_date": "Got referral on", "programme_start_date": "Start of programme on"}
        assert [*fields_asked(validate(as_csv(renamed(rows, names)), "referrals")).values()] == [
            "referral_received_date",
            "programme_start_date",
        ]

    def test_a_slip_of_the_keyboard_is_recognised(self, validate: Validator) -> None:
        outcome = validate(as_csv(renamed(CONTACTS, {"duration_minutes": "duraton_minuts"})))
        assert [*fields_asked(outcome).values()] == ["duration_minutes"]

    def test_after_renaming_all_rows_load(self, validate: Validator) -> None:
        before = validate(as_csv(renamed(CONTACTS, {"staff_role": "Staff grade"})))
        [field] = fields_asked(before).values()
        after = validate(as_csv(renamed(CONTACTS, {"Staff grade": field})))
        assert (after.result, len(after.accepted), after.findings) == ("accepted", ROWS, [])

    @pytest.mark.parametrize("suffix", ["csv", *in_soak("xlsx")])
    def test_a_column_that_holds_something_else_is_not_linked(self, validate: Validator, suffix: str) -> None:
        rows = [{**r, "Bus line": f"line {n} from the station"} for n, r in enumerate(CONTACTS)]
        rows = [{name: text for name, text in r.items() if name != "staff_role"} for r in rows]
        outcome = validate(file_of_rows(rows, suffix), suffix=suffix)
        assert sorted(outcome.rules) == [("F09", "file", None), ("F11", "warning", None)]

    def test_an_extra_column_of_a_sound_file_is_not_linked(self, validate: Validator) -> None:
        """A file may lack optional columns, and have others of its own."""
        optional = ("staff_ref", "with_employer")
        rows = [{n: t for n, t in r.items() if n not in optional} for r in CONTACTS]
        rows = [{**r, "Batch": f"{n}", "Team": "north"} for n, r in enumerate(rows)]
        outcome = validate(as_csv(rows))
        assert outcome.rules == [("F11", "warning", None)] * 2
        assert (outcome.result, len(outcome.accepted)) == ("accepted", ROWS)

    def test_a_heading_that_may_be_personal_still_refuses_the_file(self, validate: Validator) -> None:
        rows = renamed(CONTACTS, {"staff_role": "Date of birth"})
        rows = [{**r, "Date of birth": "1980-02-03"} for r in rows]
        outcome = validate(as_csv(rows))
        assert {"F09", "F11"} <= set(outcome.refusals)
        assert fields_asked(outcome) == {}


class TestF40HintsAfterHeadings:
    @pytest.mark.parametrize("suffix", ["csv", *in_soak("xlsx")])
    @pytest.mark.parametrize(
        ("dataset", "field", "heading"),
        [
            ("contacts", "contact_date", "Contact date (yyyy-mm-dd)"),
            ("contacts", "contact_date", "contact_date [required]"),
            ("contacts", "duration_minutes", "Duration (whole number) *"),
            ("contacts", "with_employer", "with_employer (Y/N)"),
            ("participants", "year_of_birth", "Year of birth (yyyy)"),
            ("participants", "consent_date", "consent_date: YYYY-MM-DD"),
            ("employment_outcomes", "job_start_date", "Job start date {see guidance}"),
            ("funding_awards", "amount", "Amount (GBP)"),
            ("funding_awards", "amount", "amount [£ pounds]"),
        ],
    )
    def test_a_hint_is_not_part_of_a_heading(
        self,
        validate: Validator,
        validate_once: OnceValidator,
        dataset: str,
        field: str,
        heading: str,
        suffix: str,
    ) -> None:
        content = file_of_rows(renamed(ALL[dataset], {field: heading}), suffix)
        outcome = validate(content, dataset, suffix=suffix, site="PMO" if dataset == "funding_awards" else "MHT-BPL")
        sound = validate_once(as_csv(ALL[dataset]), dataset, site="PMO" if dataset == "funding_awards" else "MHT-BPL")
        assert {(f.rule, f.severity) for f in outcome.findings} - {(f.rule, f.severity) for f in sound.findings} <= {
            ("F40", "warning"),
            ("F10", "warning"),
        }
        assert outcome.values == sound.values != []

    @pytest.mark.parametrize("suffix", ["csv", *in_soak("xlsx")])
    @pytest.mark.parametrize("hint", ["dd/mm/yyyy", "DD-MM-YYYY", "d/m/yyyy", "day/month/year"])
    def test_an_order_of_dates_in_the_hint_is_used_and_reported(
        self, validate: Validator, hint: str, suffix: str
    ) -> None:
        rows = [{**r, "contact_date": f"0{n}/11/2016"} for n, r in enumerate(CONTACTS, 1)]
        heading = f"Contact date ({hint})"
        outcome = validate(file_of_rows(renamed(rows, {"contact_date": heading}), suffix), suffix=suffix)
        found = f"{heading}: dates such as 03/04/2016 are taken as day/month/year"
        assert outcome.findings_of("F40") == [Finding("F40", "warning", None, heading, found, None)]
        assert [f"{row['contact_date']}" for row in outcome.values] == [f"2016-11-0{n}" for n in range(1, ROWS + 1)]

    def test_dates_are_held_as_month_first_where_the_hint_says_so(self, validate: Validator) -> None:
        rows = [{**r, "contact_date": f"11/0{n}/2016"} for n, r in enumerate(CONTACTS, 1)]
        outcome = validate(as_csv(renamed(rows, {"contact_date": "Contact date (mm/dd/yyyy)"})))
        assert [f.suggestion for f in outcome.findings_of("C26")] == [f"2016-11-0{n}" for n in range(1, ROWS + 1)]
        assert outcome.accepted == []

    def test_dates_decide_against_a_wrong_hint(self, validate: Validator) -> None:
        rows = [{**r, "contact_date": f"1{n}/11/2016"} for n, r in enumerate(CONTACTS, 3)]
        outcome = validate(as_csv(renamed(rows, {"contact_date": "Contact date (mm/dd/yyyy)"})))
        assert outcome.findings_of("C26") == []
        assert [f.suggestion for f in outcome.findings_of("C02")] == [f"2016-11-1{n}" for n in range(3, 3 + ROWS)]

    def test_a_column_beside_the_field_itself_is_another_column(self, validate: Validator) -> None:
        rows = [{**r, "contact_type (other)": "review"} for r in CONTACTS]
        outcome = validate(as_csv(rows))
        assert outcome.rules == [("F11", "warning", None)]
        assert len(outcome.accepted) == ROWS

    def test_a_hint_that_names_another_field_is_not_a_hint(self, validate: Validator) -> None:
        outcome = validate(as_csv(renamed(REFERRALS, {"weekly_hours_at_start": "weekly_hours_at_start (exit)"})),
                           "referrals")  # fmt: skip
        assert outcome.findings_of("F40") == []

    def test_a_name_in_a_hint_is_not_shown(self, validate: Validator) -> None:
        outcome = validate(as_csv(renamed(CONTACTS, {"staff_role": "Staff role (ask Zebedee Quill)"})))
        assert "Quill" not in str(outcome.stored_findings.to_dicts())


class TestF42AnotherDataset:
    @pytest.mark.parametrize(
        ("name", "sent", "suffix"),
        [
            *(("contacts", sent, "csv") for sent in ALL),
            *in_soak(*((name, sent, "csv") for name in ("referrals", "employment_outcomes") for sent in ALL)),
            ("contacts", "referrals", "xlsx"),
            ("participants", "contacts", "xls"),
            ("employment_outcomes", "participants", "ods"),
        ],
    )
    def test_the_columns_of_another_dataset_are_named(
        self, validate: Validator, name: str, sent: str, suffix: str
    ) -> None:
        outcome = validate(file_of_rows(ALL[sent], suffix), name, suffix=suffix)
        if name == sent:
            assert outcome.findings_of("F42") == []
            return
        found = f"the columns of {datasets()[sent].title}"
        assert outcome.findings == [Finding("F42", "file", None, None, found, None)]
        assert (outcome.result, outcome.verdict.rows.held, outcome.is_conserved) == ("refused", ROWS, True)

    def test_on_a_sheet_of_a_return(self, validate: Validator) -> None:
        book = workbook({"contacts": as_table(REFERRALS), "participants": as_table(PEOPLE)})
        outcome = validate(book, suffix="xlsx", sheet="contacts")
        assert [(f.rule, f.found) for f in outcome.findings] == [("F42", "the columns of Referrals")]
        assert validate(book, "participants", suffix="xlsx", sheet="participants").result == "accepted"

    def test_below_a_title_and_with_titles_as_headings(self, validate: Validator) -> None:
        titles = {f.name: f.title for f in datasets()["referrals"].fields}
        outcome = validate("Referrals of Blackpool\n\n" + as_csv(renamed(REFERRALS, titles)))
        assert [f.rule for f in outcome.findings if f.severity == "file"] == ["F42"]

    def test_personal_data_is_found_all_the_same(self, validate: Validator) -> None:
        rows = [{**r, "participant_ref": "943 476 5919"} for r in REFERRALS]
        outcome = validate(as_csv(rows))
        assert {"F42", "P01"} <= {f.rule for f in outcome.findings}
        assert outcome.verdict.holds_personal_data
        assert outcome.held_values == []

    @pytest.mark.parametrize("heading", ["a,b,c\n1,2,3\n", "Name of course,Length,Cost\nExcel,3,4\n"])
    def test_a_file_of_no_dataset_has_no_heading(self, validate: Validator, heading: str) -> None:
        assert validate(heading).refusals == ["U03"]
