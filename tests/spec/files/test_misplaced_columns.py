"""Columns that hold another's values (F50 to F52), and values given on the first row of a group alone (F53).

Each file is made from a sound one. The first finding has to name the cause, nothing that it explains is reported, no
value loads under the wrong heading, and doing what it says gives the sound file's rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta

import pytest
import workbook_bytes
from file_validator import JOB, PARTICIPANT, REFERRAL, ValidatedFile, Validator, as_csv, as_table, contact, workbook
from shared_file import OnceValidator
from soak import in_soak

ROWS = 24
Rows = list[dict[str, str]]
TYPES = ("first", "review", "job_search", "action_plan")


def _day(n: int) -> str:
    return (date(2016, 3, 1) + timedelta(n)).isoformat()


def sound_contacts() -> Rows:
    """Contacts of eight episodes, in the order of their episodes."""
    return [
        contact(
            n + 1,
            episode_id=f"BPL-E{n // 3:06}",
            contact_date=_day(20 * (n // 3 % 4) + n % 3),
            contact_type=TYPES[n % 4],
            contact_medium=("01", "02", "98")[n % 3],
            attended="56"[n % 2],
            duration_minutes=str(20 + 5 * (n % 6)),
            staff_role=("key_worker", "therapist")[n % 2],
            staff_ref=f"W-{n % 5:04}",
            with_employer="YN"[n % 3 == 0],
        )
        for n in range(ROWS)
    ]


def sound_referrals() -> Rows:
    """Referrals of as many participants, some of whom have left."""
    return [
        {
            **REFERRAL,
            "episode_id": f"BPL-E{n:06}",
            "participant_ref": f"BPL-{n:06}",
            "referral_received_date": _day(n),
            "source_of_referral": ("M5", "A1")[n % 2],
            "eligibility_date": _day(n + 4 + n % 3),
            "programme_start_date": _day(n + 9 + n % 4),
            "exit_date": _day(n + 90) if n % 2 else "",
            "exit_reason": "completed_in_work" if n % 2 else "",
        }
        for n in range(ROWS)
    ]


def sound_jobs() -> Rows:
    """Jobs of as many episodes, half of which have ended."""
    return [
        {
            **JOB,
            "outcome_id": f"BPL-J{n:06}",
            "episode_id": f"BPL-E{n:06}",
            "job_start_date": _day(n),
            "job_end_date": _day(n + 30 + n % 5) if n % 2 else "",
            "paid_hours_week": str(16 + n % 7),
            "evidence_type": ("payslip", "self_report")[n % 2],
        }
        for n in range(ROWS)
    ]


def sound_participants() -> Rows:
    """Participants of different ages."""
    return [
        {**PARTICIPANT, "participant_ref": f"BPL-{n:06}", "year_of_birth": str(1960 + n), "gender": "12"[n % 2],
         "ethnic_category": "ABC"[n % 3], "benefit_at_start": ("esa_wrag", "jsa")[n % 2], "consent_date": _day(n)}
        for n in range(ROWS)
    ]  # fmt: skip


SOUND: Mapping[str, Callable[[], Rows]] = {
    "contacts": sound_contacts,
    "referrals": sound_referrals,
    "employment_outcomes": sound_jobs,
    "participants": sound_participants,
}


def swapped(rows: Rows, one: str, other: str) -> Rows:
    """The rows with the values of two columns exchanged."""
    return [{**row, one: row[other], other: row[one]} for row in rows]


def moved(rows: Rows, column: str, to_the: str, first: int = 0) -> Rows:
    """The rows with the cells from a column on moved by one column, from one row on. The last value is lost."""
    names = list(rows[0])
    k = names.index(column)

    def move(row: Mapping[str, str]) -> dict[str, str]:
        cells = list(row.values())
        cells = [*cells[:k], "", *cells[k:-1]] if to_the == "right" else [*cells[:k], *cells[k + 1 :], ""]
        return dict(zip(names, cells, strict=True))

    return [move(row) if n >= first else {**row} for n, row in enumerate(rows)]


def check(validate: Validator, rows: Sequence[Mapping[str, str]], dataset: str, suffix: str = "csv") -> ValidatedFile:
    """Validate rows as a file of one format."""
    content: str | bytes
    if suffix == "csv":
        content = as_csv(rows)
    elif suffix == "xls":
        content = workbook_bytes.xls({dataset: as_table(rows)})
    elif suffix == "ods":
        content = workbook_bytes.ods("".join(workbook_bytes.ods_row(*row) for row in as_table(rows)))
    else:
        content = workbook({dataset: as_table(rows)})
    return validate(content, dataset, suffix=suffix)


def must_fix(outcome: ValidatedFile) -> list[tuple[str, str | None]]:
    """The findings that hold rows back or refuse the file: rule and heading."""
    return [(f.rule, f.column) for f in outcome.findings if f.severity != "warning"]


@pytest.mark.parametrize("suffix", ["csv", *in_soak("xlsx")])
@pytest.mark.parametrize("dataset", SOUND)
def test_the_sound_files_are_accepted(validate: Validator, dataset: str, suffix: str) -> None:
    outcome = check(validate, SOUND[dataset](), dataset, suffix)
    assert (must_fix(outcome), len(outcome.accepted)) == ([], ROWS)


SWAPS = [
    ("contacts", "contact_id", "episode_id", "A and B (Contact reference, Episode reference)"),
    ("contacts", "contact_type", "staff_role", "D and H (Contact type, Staff role)"),
    ("contacts", "contact_medium", "attended", "E and F (Contact medium, Attendance)"),
    ("contacts", "episode_id", "contact_date", "B and C (Episode reference, Contact date)"),
    ("referrals", "episode_id", "participant_ref", "A and B (Episode reference, Participant reference)"),
    ("referrals", "referral_received_date", "programme_start_date", "C and G (Referral received, Start of support)"),
    ("referrals", "source_of_referral", "support_model", "D and I (Source of referral, Support model)"),
    ("employment_outcomes", "outcome_id", "episode_id", "A and B (Outcome reference, Episode reference)"),
    ("employment_outcomes", "job_start_date", "job_end_date", "D and E (Start of the job, End of the job)"),
    ("employment_outcomes", "job_type", "evidence_type", "F and M (Kind of job, Evidence)"),
    ("participants", "participant_ref", "site_code", "A and B (Participant reference, Site code)"),
    ("participants", "gender", "ethnic_category", "D and E (Gender, Ethnic category)"),
]


class TestF50SwappedColumns:
    """Two columns whose values fit each other's heading have a finding each, and no other."""

    @pytest.mark.parametrize(
        ("dataset", "one", "other", "named", "suffix"),
        [
            *((*swap, "csv") for swap in SWAPS[::2]),
            *in_soak(*((*swap, "csv") for swap in SWAPS[1::2]), *((*swap, "xlsx") for swap in SWAPS[::4])),
        ],
    )
    def test_is_the_only_finding(
        self, validate: Validator, dataset: str, one: str, other: str, named: str, suffix: str
    ) -> None:
        outcome = check(validate, swapped(SOUND[dataset](), one, other), dataset, suffix)
        assert must_fix(outcome) == [("F50", one), ("F50", other)]
        assert str(outcome.findings_of("F50")[0].found).startswith(f"columns {named}, on ")
        assert (outcome.accepted, len(outcome.held), outcome.is_conserved) == ([], ROWS, True)
        assert all(row[one] is None and row[other] is None for row in outcome.held_values)

    @pytest.mark.parametrize("suffix", in_soak("xls", "ods"))
    def test_in_other_workbooks(self, validate: Validator, suffix: str) -> None:
        outcome = check(validate, swapped(sound_contacts(), "contact_id", "episode_id"), "contacts", suffix)
        assert must_fix(outcome) == [("F50", "contact_id"), ("F50", "episode_id")]
        outcome = check(validate, moved(sound_contacts(), "contact_type", "right"), "contacts", suffix)
        assert [rule for rule, _ in must_fix(outcome)] == ["F52"]

    @pytest.mark.parametrize(("dataset", "one", "other", "_"), [*SWAPS[::2], *in_soak(*SWAPS[1::2])])
    def test_exchanging_the_headings_gives_the_sound_rows(
        self, validate: Validator, validate_once: OnceValidator, dataset: str, one: str, other: str, _: str
    ) -> None:
        names = {one: other, other: one}
        put_right = [
            {names.get(name, name): cell for name, cell in row.items()} for row in swapped(SOUND[dataset](), one, other)
        ]
        sound = validate_once(as_csv(SOUND[dataset]()), dataset)
        assert check(validate, put_right, dataset).values == sound.values

    def test_faults_of_other_columns_are_reported_too(self, validate: Validator) -> None:
        rows = swapped(sound_contacts(), "contact_type", "staff_role")
        rows[5]["contact_date"] = "2016-02-30"
        assert must_fix(check(validate, rows, "contacts")) == [
            ("C05", "contact_date"), ("F50", "contact_type"), ("F50", "staff_role")
        ]  # fmt: skip

    @pytest.mark.parametrize("dataset", ["contacts", "referrals", "employment_outcomes"])
    def test_not_for_a_few_rows(self, validate: Validator, dataset: str) -> None:
        one, other = next((a, b) for d, a, b, _ in SWAPS if d == dataset and not a.endswith("_id"))
        rows = SOUND[dataset]()
        rows = [*swapped(rows[:3], one, other), *rows[3:]]
        outcome = check(validate, rows, dataset)
        assert not {f.rule for f in outcome.findings} & {"F50", "F51", "F52", "F53"}

    def test_not_for_a_case_whose_references_have_another_letter(self, validate: Validator) -> None:
        """C may stand for a case and E for an encounter: a key that is unique says that all is well."""
        rows = [
            {**row, "contact_id": f"BPL-E{n:06}", "episode_id": row["episode_id"].replace("E", "C")}
            for n, row in enumerate(sound_contacts())
        ]
        assert len(check(validate, rows, "contacts").accepted) == ROWS
        each_once = [{**row, "episode_id": f"BPL-C{n:06}"} for n, row in enumerate(rows)]
        assert len(check(validate, each_once, "contacts").accepted) == ROWS

    def test_not_for_answers_in_another_code(self, validate: Validator) -> None:
        """Y and N under attendance are the site's own code, not the values of another column."""
        rows = [{**row, "attended": "YN"[n % 2]} for n, row in enumerate(sound_contacts())]
        assert {rule for rule, _ in must_fix(check(validate, rows, "contacts"))} == {"V02", "L01"}


COPIED = (  # dataset, a column, and the one whose values it has
    ("contacts", "staff_role", "contact_type"),
    ("contacts", "contact_id", "episode_id"),
    ("referrals", "source_of_referral", "referral_received_date"),
    ("employment_outcomes", "evidence_type", "job_start_date"),
)


class TestF51AnothersValues:
    """A column that was filled with another's values is one finding."""

    @pytest.mark.parametrize("suffix", ["csv", *in_soak("xlsx")])
    @pytest.mark.parametrize(("dataset", "column", "source"), COPIED)
    def test_copied_over(self, validate: Validator, dataset: str, column: str, source: str, suffix: str) -> None:
        rows = [{**row, column: row[source]} for row in SOUND[dataset]()]
        outcome = check(validate, rows, dataset, suffix)
        assert must_fix(outcome) == [("F51", column)]
        assert str(outcome.findings_of("F51")[0].found).startswith("the same as in column ")
        assert not outcome.accepted and all(row[column] is None for row in outcome.held_values)

    def test_values_whose_own_column_has_others(self, validate: Validator) -> None:
        rows = sound_contacts()
        rows = [{**row, "staff_role": rows[n - 1]["contact_type"]} for n, row in enumerate(rows)]
        outcome = check(validate, rows, "contacts")
        assert must_fix(outcome) == [("F51", "staff_role")]
        assert outcome.findings_of("F51")[0].found == "values that belong under Contact type"

    def test_of_the_empty_column_beside_it(self, validate: Validator) -> None:
        """Whether headings were exchanged or a cell was deleted cannot be known."""
        rows = [{**row, "duration_minutes": row["staff_role"], "staff_role": ""} for row in sound_contacts()]
        outcome = check(validate, rows, "contacts")
        assert must_fix(outcome) == [("F51", "duration_minutes")]
        assert outcome.findings_of("F51")[0].found == "values that belong under Staff role, which is empty"

    def test_not_for_two_columns_that_may_be_alike(self, validate: Validator) -> None:
        rows = [{**row, "eligibility_date": row["referral_received_date"]} for row in sound_referrals()]
        assert len(check(validate, rows, "referrals").accepted) == ROWS


class TestF52ShiftedValues:
    """Values that are one column away from their headings are one finding."""

    MOVES = (
        ("contacts", "contact_date", "right"),
        ("contacts", "contact_type", "left"),
        ("referrals", "referral_received_date", "right"),
        ("referrals", "source_of_referral", "left"),
        ("employment_outcomes", "job_start_date", "right"),
        ("employment_outcomes", "job_type", "left"),
        ("participants", "site_code", "right"),
    )

    @pytest.mark.parametrize(
        ("dataset", "column", "to_the", "first", "suffix"),
        [
            *((*move, 0, "csv") for move in MOVES[:4]),
            *((*move, ROWS // 2, "csv") for move in MOVES[:2]),
            *in_soak(*((*move, 0, "csv") for move in MOVES[4:])),
            *in_soak(*((*move, ROWS // 2, "csv") for move in MOVES[2:]), *((*move, 0, "xlsx") for move in MOVES[1:3])),
        ],
    )
    def test_is_the_only_finding(
        self, validate: Validator, dataset: str, column: str, to_the: str, first: int, suffix: str
    ) -> None:
        outcome = check(validate, moved(SOUND[dataset](), column, to_the, first), dataset, suffix)
        assert [rule for rule, _ in must_fix(outcome)] == ["F52"]
        found = str(outcome.findings_of("F52")[0].found)
        assert f"one to the {to_the}, {f'from row {first + 2} on' if first else 'on every row'}" in found
        assert (outcome.accepted, len(outcome.held), outcome.is_conserved) == ([], ROWS, True)

    def test_on_single_rows(self, validate: Validator) -> None:
        shifted = moved(sound_contacts(), "contact_date", "right")
        rows = [row if n % 2 else one for n, (row, one) in enumerate(zip(sound_contacts(), shifted, strict=True))]
        outcome = check(validate, rows, "contacts")
        assert [rule for rule, _ in must_fix(outcome)] == ["F52"] and not outcome.accepted
        assert "on 12 rows or more, from row 2" in str(outcome.findings_of("F52")[0].found)

    def test_not_for_a_few_rows(self, validate: Validator) -> None:
        rows = moved(sound_contacts(), "contact_date", "right", ROWS - 2)
        outcome = check(validate, rows, "contacts")
        assert not outcome.findings_of("F52") and len(outcome.accepted) == ROWS - 2


def grouped(rows: Rows, columns: Sequence[str], size: int = 3) -> Rows:
    """The rows with the values of some columns on the first row of each group alone."""
    return [{name: "" if n % size and name in columns else cell for name, cell in row.items()}
            for n, row in enumerate(rows)]  # fmt: skip


class TestF53ValuesOfAGroup:
    """A value that is given on the first row of each group alone is to be repeated, in whatever column."""

    @pytest.mark.parametrize("suffix", ["csv", *in_soak("xlsx")])
    def test_is_the_only_finding_of_each_column(self, validate: Validator, suffix: str) -> None:
        rows = grouped(sound_contacts(), ["episode_id", "staff_role", "staff_ref"])
        outcome = check(validate, rows, "contacts", suffix)
        columns = ["episode_id", "staff_role", "staff_ref"]
        assert sorted({*must_fix(outcome)}) == sorted(("F53", c) for c in columns)
        assert outcome.refusals == ["F53"] and not outcome.accepted
        empty = [n + 2 for n in range(ROWS) if n % 3]
        for column in columns:
            assert [f.row for f in outcome.findings_of("F53") if f.column == column] == empty
        roles = {f.suggestion for f in outcome.findings_of("F53") if f.column == "staff_role"}
        assert roles == {"key_worker", "therapist"}
        assert not [f for f in outcome.findings_of("F53") if f.suggestion and f.column != "staff_role"]

    def test_of_the_participant_and_in_jobs(self, validate: Validator) -> None:
        jobs = [{**row, "episode_id": f"BPL-E{n // 4:06}", "job_spell_no": str(n % 4 + 1),
                 "job_start_date": _day(40 * (n % 4) + n // 4)} for n, row in enumerate(sound_jobs())]  # fmt: skip
        for row in jobs:
            row["job_end_date"] = ""
        outcome = check(validate, grouped(jobs, ["episode_id"], 4), "employment_outcomes")
        assert {*must_fix(outcome)} == {("F53", "episode_id")}

    def test_not_for_single_gaps_in_a_log(self, validate: Validator) -> None:
        """Contacts in the order of their dates are no groups: nothing says whose the rows without reference are."""
        rows = [{**row, "episode_id": "" if n % 3 else f"BPL-E{n:06}", "contact_date": _day(n)}
                for n, row in enumerate(sound_contacts())]  # fmt: skip
        assert {rule for rule, _ in must_fix(check(validate, rows, "contacts"))} == {"V01"}

    def test_not_where_a_reference_comes_again(self, validate: Validator) -> None:
        rows = [{**row, "episode_id": "" if n % 3 else f"BPL-E{n % 2:06}"} for n, row in enumerate(sound_contacts())]
        assert {rule for rule, _ in must_fix(check(validate, rows, "contacts"))} == {"V01"}
