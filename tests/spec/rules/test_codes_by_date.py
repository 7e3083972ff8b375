"""A code is judged by the day of its row, on the first and last day of its use and the days beside them (rule C37).

Contact medium 03 was in use until 2021-09-30, and 11 took its place on the day after. Work Choice took referrals from
2010-10-25 to 2018-02-28, and nothing took its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from column_files import ROWS
from file_validator import Row, ValidatedFile, Validator, as_csv
from shared_file import OnceValidator

from schemas._contract.catalogue import datasets
from schemas._contract.code_dates import with_code_dates
from schemas._contract.model import Contract
from schemas._rules.explain import explain
from schemas.core.contacts import CONTRACT as CONTACTS

NOTHING: tuple[tuple[str, str, str | None], ...] = ()
READ_AS_NEW, READ_AS_OLD, HELD = ("C37", "warning", "11"), ("C37", "warning", "03"), ("C37", "row", None)
LATER = "2022-06-01"
MEDIUM = [  # day, code as sent, (rule, severity, suggestion) of each finding, code as stored
    ("2021-09-30", "03", NOTHING, "03"),
    ("2021-10-01", "03", [READ_AS_NEW], "11"),
    ("2021-10-01", "11", NOTHING, "11"),
    ("2021-09-30", "11", [READ_AS_OLD], "03"),
    (LATER, "telemedicine (to v4)", [READ_AS_NEW], "11"),  # one fault, one finding: not also C16, which would say 03
    (LATER, " 03 ", [READ_AS_NEW], "11"),
    ("2021-09-30", "Telemedicine", [("C16", "warning", "03")], "03"),
    (LATER, "01", NOTHING, "01"),
    ("", "03", [("V01", "row", None)], None),  # without the day, nobody knows
    ("soon", "03", [("C02", "row", None)], None),
    ("2022-07-01", "03", [("C06", "row", None)], None),
]
MODEL = [
    ("2018-02-28", "work_choice", NOTHING, "work_choice"),
    ("2018-03-01", "work_choice", [HELD], None),
    ("2018-03-01", "ips", NOTHING, "ips"),
    ("2010-10-25", "work_choice", NOTHING, "work_choice"),
    ("2010-10-24", "work_choice", [HELD], None),
    ("2018-03-01", "Work Choice", [("C16", "warning", "work_choice"), HELD], None),
]

SOURCE = [
    ("2024-04-01", "Q1", [("C37", "warning", "Q2")], "Q2"),
    ("2024-03-31", "Q1", NOTHING, "Q1"),
    ("2024-04-01", "Q2", NOTHING, "Q2"),
]


def file_of(dataset: str, cases: Sequence[Row], sound: Row) -> str:
    """A file with these changes to a sound row, one a row from row 2 on, and forty sound rows below them."""
    row, key, reference = ROWS[dataset]
    rows = [*cases, *[sound] * 40]
    return as_csv([{**row, **changes, key: reference.format(n)} for n, changes in enumerate(rows, 1)])


def outcome_of(file: ValidatedFile, row: int, field: str) -> tuple[list[tuple[str, str, str | None]], str | None]:
    """The findings of a row as (rule, severity, suggestion), and what is stored of a field; None for a held row."""
    stored = file.values[file.accepted.index(row)][field] if row in file.accepted else None
    return [(f.rule, f.severity, f.suggestion) for f in file.findings if f.row == row], stored


@pytest.mark.parametrize("case", range(len(MEDIUM)), ids=lambda n: " ".join(MEDIUM[n][:2]))
def test_a_code_that_another_replaced_is_read_as_the_one_of_its_day(validate_once: OnceValidator, case: int) -> None:
    rows = [{"contact_date": day, "contact_medium": code} for day, code, *_ in MEDIUM]
    file = validate_once(file_of("contacts", rows, {"contact_date": LATER}), period="202206")
    *_, findings, stored = MEDIUM[case]
    assert outcome_of(file, case + 2, "contact_medium") == ([*findings], stored)
    assert file.refusals == []


@pytest.mark.parametrize("case", range(len(MODEL)), ids=lambda n: " ".join(MODEL[n][:2]))
def test_a_code_that_nothing_replaced_holds_its_row(validate_once: OnceValidator, case: int) -> None:
    days = ("referral_received_date", "eligibility_date", "programme_start_date")
    rows = [{**dict.fromkeys(days, day), "support_model": model} for day, model, *_ in MODEL]
    sound = dict.fromkeys(days, "2018-05-01")
    file = validate_once(file_of("referrals", rows, sound), "referrals", period="201805")
    *_, findings, stored = MODEL[case]
    assert outcome_of(file, case + 2, "support_model") == ([*findings], stored)
    assert file.refusals == []


@pytest.mark.parametrize("case", range(len(SOURCE)), ids=lambda n: " ".join(SOURCE[n][:2]))
def test_a_source_of_referral_is_read_as_the_one_of_its_day(validate_once: OnceValidator, case: int) -> None:
    days = ("referral_received_date", "eligibility_date", "programme_start_date")
    rows = [{**dict.fromkeys(days, day), "source_of_referral": source} for day, source, *_ in SOURCE]
    file = validate_once(file_of("referrals", rows, dict.fromkeys(days, "2024-04-02")), "referrals", period="202404")
    *_, findings, stored = SOURCE[case]
    assert outcome_of(file, case + 2, "source_of_referral") == ([*findings], stored)


@pytest.fixture(scope="module")
def without_day() -> Contract:
    """Contacts whose date may be empty."""
    fields = [f.replace(required=f.name != "contact_date" and f.required) for f in CONTACTS.fields]
    return with_code_dates(replace(CONTACTS, fields=tuple(fields)))


@pytest.mark.parametrize(("period", "stored"), [("202109", "03"), ("202110", "11")])
def test_without_a_day_the_cut_off_decides(
    validate: Validator, without_day: Contract, period: str, stored: str
) -> None:
    rows = [{"contact_date": "", "contact_medium": "03"}, {"contact_date": "soon", "contact_medium": "03"}]
    content = file_of("contacts", rows, {"contact_date": "2021-09-01"})
    file = validate(content, period=period, contract=without_day)
    assert outcome_of(file, 2, "contact_medium") == ([READ_AS_NEW] if stored == "11" else [], stored)
    assert outcome_of(file, 3, "contact_medium") == ([("C02", "row", None)], None)


def test_an_area_is_read_under_each_code_that_it_has_had(validate: Validator) -> None:
    """Buckinghamshire took the place of Chiltern in 2020: a register of people may have either code at any time."""
    rows = [{"la_code": code} for code in ("E07000005", "E06000060")]
    file = validate(file_of("participants", rows, {}), "participants", period="201611")
    found = [(f.row, f.rule, f.suggestion) for f in file.findings_of("P10")]
    assert found == [(2, "P10", "E06000060")]
    assert [row["la_code"] for row in file.values[:2]] == ["E06000060"] * 2


def test_the_sender_reads_which_code_was_in_use_when_and_what_took_its_place() -> None:
    texts = explain(datasets()["contacts"], "C37", "contact_medium", "warning")
    assert texts.title == "Contact medium is a code that was not in use on the day of the row, read as the one that was"
    assert texts.expected == "a code that was in use on the day of the row (Contact date)"
    assert texts.fix == (
        "Send the code that was in use on the day: 03 (Telemedicine) until 2021-09-30, then 11 (Video) in its place;"
        " 11 (Video) from 2021-10-01. If the date is wrong, correct the date."
    )
    texts = explain(datasets()["referrals"], "C37", "support_model", "row")
    assert texts.expected == (
        "a code that was in use on the day of the row (Referral received):"
        " work_choice (Work Choice) from 2010-10-25 until 2018-02-28"
    )
