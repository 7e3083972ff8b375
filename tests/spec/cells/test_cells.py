"""Rules for single cells: how a value is read, repaired or refused. Source: docs/domain.md 6.2.

Each table below lists cases of one outcome. The cells of a dataset share a file, each in a row between valid ones:
these must be accepted whatever it holds, and no other finding may appear.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import pytest
from file_validator import Finding, Validator, as_csv, awards, contacts
from shared_file import RowResult, SharedFiles

from flows.cells.code_lookup import likely_code
from flows.cells.parse import read_cell
from flows.cells.reading import fault
from flows.cells.redact import redact_text
from schemas._contract.catalogue import datasets
from schemas._contract.code_lists import CodeList, all_code_lists, code_list
from schemas._contract.expected import expected
from schemas._rules.explain import explain


def displayed(dataset: str, field: str, text: str) -> str | None:
    """Return the cell as a report may show it, or None if it is hidden (see test_redacted_values.py)."""
    contract = datasets()[dataset]
    return redact_text(text, contract.by_name[field], contract, date(2016, 11, 30))


Case = tuple[str, str, str]  # dataset, field, cell


def cell_result(in_shared_file: SharedFiles, cases: Sequence[Case], case: Case) -> RowResult:
    """The result of one cell, from a file that holds those of its dataset."""
    dataset, field, text = case
    return in_shared_file([{f: t} for d, f, t in cases if d == dataset], {field: text}, dataset)


# No month 14: this can only be month-first, which makes other dates of its column doubtful, so it has its own file.
MONTH_FIRST = ("C02", "contacts", "contact_date", "11/14/2016", "2016-11-14")
# rule, dataset, field, cell, suggestion
HELD_CASES = [
    # C01: a spreadsheet's day number is never read as a date, but the date is suggested
    *(("C01", "contacts", "contact_date", text, "2016-11-03") for text in ("42677", "42677.5")),
    # C02: dates are year-month-day unless the site declares another order
    ("C02", "contacts", "contact_date", "03/11/2016", "2016-11-03"),
    ("C02", "contacts", "contact_date", "3-11-2016", "2016-11-03"),
    MONTH_FIRST,
    ("C02", "contacts", "contact_date", "last Tuesday", None),
    # C03: placeholder dates, and two-digit years
    ("C03", "contacts", "contact_date", "1900-01-01", None),
    ("C03", "contacts", "contact_date", "01/01/1900", None),
    ("C03", "contacts", "contact_date", "1899-12-30", None),
    ("C03", "contacts", "contact_date", "9999-12-31", None),
    ("C03", "contacts", "contact_date", "1900-01-00", None),
    ("C03", "contacts", "contact_date", "00/01/1900", None),
    ("C03", "contacts", "contact_date", "0000-00-00", None),
    ("C03", "contacts", "contact_date", "00/00/0000", None),
    ("C03", "contacts", "contact_date", "03/11/16", None),
    ("C03", "contacts", "contact_date", "0016-11-01", None),  # a two-digit year that a spreadsheet padded
    ("C03", "contacts", "contact_date", "1016-11-01", None),
    ("C03", "contacts", "contact_date", "01/11/0016", None),
    ("C03", "participants", "consent_withdrawn_date", "1016-11-01", None),
    # C04: a time that falls on another day in London, or does not exist
    ("C04", "contacts", "contact_date", "2016-06-30T23:00:00Z", "2016-07-01"),
    ("C04", "contacts", "contact_date", "2016-11-03 00:30:00+0100", "2016-11-02"),
    ("C04", "contacts", "contact_date", "2016-11-03T23:00:00-05:00", "2016-11-04"),
    ("C04", "contacts", "contact_date", "2016-11-03T99:99", None),
    ("C04", "contacts", "contact_date", "2016-11-03 24:00", None),
    ("C04", "contacts", "contact_date", "2016-11-03T12:00+99:00", None),
    # C05: dates that do not exist
    *(("C05", "contacts", "contact_date", text, None) for text in ("2016-11-31", "2015-02-29", "31/04/2016")),
    # C06: after the cut-off, here the last day of the month in the file name
    ("C06", "contacts", "contact_date", "2016-12-01", None),
    # C07: suppressed counts, from a copy made for release
    *(("C07", "contacts", "duration_minutes", text, None) for text in ("*", "<5", "[c]")),
    # C08: the field's own placeholder numbers for missing
    ("C08", "contacts", "duration_minutes", "9999", None),
    # C09: a word for 'missing' in a required field
    ("C09", "contacts", "contact_type", "TBC", None),
    ("C09", "contacts", "contact_date", "not recorded", None),
    ("C09", "contacts", "contact_id", "N/A", None),
    # C10: spreadsheet errors, in fields of any kind
    ("C10", "contacts", "contact_id", "#N/A", None),
    ("C10", "contacts", "contact_date", "#REF!", None),
    ("C10", "contacts", "contact_medium", "#NAME?", None),
    ("C10", "contacts", "duration_minutes", "#DIV/0!", None),
    ("C10", "contacts", "with_employer", "#VALUE!", None),
    # C12: a decimal comma
    ("C12", "funding_awards", "amount", "1.200,50", "1200.50"),
    ("C12", "funding_awards", "amount", "1200,50", "1200.50"),  # dropping the comma would multiply it by 100
    ("C12", "funding_awards", "amount", "£1 200,5", "1200.50"),
    ("C12", "contacts", "duration_minutes", "45,0", "45"),
    ("C12", "contacts", "duration_minutes", "45,5", None),  # not a whole number whichever way it is read
    # ... or full stops between thousands: read as a decimal point they would divide the amount by 1,000
    ("C12", "funding_awards", "amount", "1.200", None),
    ("C12", "funding_awards", "amount", "12.500", None),
    ("C12", "funding_awards", "amount", "£1.200.000", None),
    ("C12", "funding_awards", "amount", "(1.200)", None),
    # C15: a long reference that a spreadsheet converted to a number
    ("C15", "contacts", "contact_id", "1.23457E+11", None),
    # C18: neither yes nor no
    ("C18", "contacts", "with_employer", "perhaps", None),
    # C19: a letter for a digit (O for 0) in a code or reference: suggested, never repaired
    ("C19", "contacts", "contact_medium", "O1", "01"),
    ("C19", "contacts", "contact_medium", "0l", "01"),
    ("C19", "contacts", "contact_medium", "oI", "01"),
    ("C19", "contacts", "contact_id", "BPL-C0o0OO2", "BPL-C000OO2"),  # a capital O may be intended
    ("C19", "contacts", "contact_id", "BPL-C00l00l", "BPL-C001001"),
    ("C19", "participants", "la_code", "EO6O00009", "E06000009"),
    # C20: a code that a spreadsheet converted to a date
    *(("C20", "contacts", "contact_medium", text, None) for text in ("01-Apr", "2016-04-01")),
    # C22: negative numbers
    ("C22", "contacts", "duration_minutes", "-45", None),
    # F08 and V01: an empty key, and an empty required field
    ("F08", "contacts", "contact_id", "", None),
    ("V01", "contacts", "contact_date", "", None),
    ("V01", "contacts", "attended", "", None),
    # V02: not on the code list
    ("V02", "contacts", "contact_medium", "carrier pigeon", None),
    ("V02", "contacts", "contact_medium", "001", None),
    ("V02", "contacts", "contact_medium", " zz ", None),  # one fault, one finding: its spaces are not reported too
    ("V02", "contacts", "contact_medium", "'\"01", None),
    # ... with the one listed code within typing distance: up to two slips in six letters
    ("V02", "contacts", "contact_type", "reveiw", "review"),
    ("V02", "contacts", "contact_type", "Job serch", "job_search"),
    ("V02", "contacts", "contact_type", "rveiews", "review"),
    ("V02", "contacts", "contact_type", "rveeiews", None),
    ("V02", "contacts", "contact_medium", "Telefone", "02"),
    ("V02", "contacts", "attended", "9", None),
    ("V02", "contacts", "contact_type", "revi", None),
    # ... a sign, decimal point or hyphen is part of the value: no code is read from what remains without it
    *(("V02", "participants", "gender", text, None) for text in ("-1", "-2", "<1", "2?", "1.1", "+1", "f?")),
    *(("V02", "participants", "ethnic_category", text, None) for text in ("-9", "9.9", "99-")),
    *(("V02", "contacts", "contact_medium", text, None) for text in ("1.1", "1-1", "-1", "1 1", "1.00")),
    *(("V02", "contacts", "attended", text, None) for text in ("-5", "5.5", "5.00")),
    # ... nor from a code followed by another code's label
    *(("V02", "contacts", "contact_medium", text, None) for text in ("01 - 02", "02 - by telephone", "02 - Video")),
    # ... and only ASCII digits count as digits, in fields of any kind
    ("V02", "contacts", "contact_medium", "０１", None),
    ("V02", "contacts", "contact_medium", "٠١", None),
    *(("V05", "contacts", "duration_minutes", text, None) for text in ("٤٥", "４５", "4٥.0")),
    *(("V05", "funding_awards", "amount", text, None) for text in ("١٢٠٠", "£１,２００", "１Ｅ３")),
    *(("C02", "contacts", "contact_date", text, None) for text in ("２０１６-１１-０３", "2016-11-٠٣", "٠٣/١١/٢٠١٦")),
    *(("M06", "funding_awards", "financial_year", text, None) for text in ("2015-１６", "٢٠١٥-16")),
    ("V04", "participants", "lsoa", "E0100000１", None),
    # V03, or the rule that a field names for it (K03): out of range
    ("V03", "participants", "condition_count", "31", None),
    ("V03", "participants", "year_of_birth", "80", "1980"),  # 2080 is out of range
    ("V03", "participants", "year_of_birth", "05", "2005"),
    ("V03", "participants", "year_of_birth", "29", None),
    ("K03", "contacts", "duration_minutes", "481", None),
    *(("V03", "contacts", "duration_minutes", text, None) for text in ("1E400", "1e30", "9" * 29, "1" * 16)),
    *(("V03", "funding_awards", "amount", text, None) for text in ("1E400", "1e30", "9" * 29)),
    # V04: a reference that does not match its pattern
    ("V04", "contacts", "contact_id", "BPL/C000002", None),
    # ... or a number with more decimals than the field has
    ("V04", "funding_awards", "amount", "1100.505", None),
    ("V04", "funding_awards", "amount", "1E-400", None),
    # V05: not a number
    ("V05", "contacts", "duration_minutes", "about an hour", None),
    ("V06", "contacts", "duration_minutes", "45.5", None),
    ("V05", "contacts", "duration_minutes", "1,045", None),  # as a thousands comma, out of range
    ("C12", "participants", "months_out_of_work", "1,0", "1"),
    ("V05", "funding_awards", "amount", "1E99999999999999999999", None),
    ("V05", "funding_awards", "amount", "1,10,000", None),  # a comma that does not separate thousands is ambiguous
    # ... spaces may only separate thousands, and one pound sign may come first
    *(("V05", "funding_awards", "amount", t, None) for t in ("10 20", "7 50", "1 1000", "1 00 000", "- 5")),
    *(("V05", "funding_awards", "amount", t, None) for t in ("£1 £2", "££5", "5£", "1£200", "£")),
    # M06: not a financial year
    *(("M06", "funding_awards", "financial_year", text, None) for text in ("2015", "2015-17")),
    # F14: a line break inside a cell
    ("F14", "contacts", "contact_id", "BPL-\nC000002", None),
]

# rule, dataset, field, cell, value read, suggestion (the value as the sender would write it)
REPAIRED_CASES = [
    # C03: a placeholder date in an optional field
    *(
        ("C03", "participants", "consent_withdrawn_date", text, None, None)
        for text in ("1900-01-01", "9999-12-31", "00/01/1900")
    ),
    # C04: a time of day
    ("C04", "contacts", "contact_date", "2016-11-03T23:00:00Z", date(2016, 11, 3), "2016-11-03"),
    ("C04", "contacts", "contact_date", "2016-11-03 00:00", date(2016, 11, 3), "2016-11-03"),
    ("C04", "contacts", "contact_date", "2016-06-30T22:59:59Z", date(2016, 6, 30), "2016-06-30"),
    ("C04", "contacts", "contact_date", "2016-06-30 23:59:59.5+01:00", date(2016, 6, 30), "2016-06-30"),
    # C09: a word for 'missing' in an optional field
    *(("C09", "contacts", "with_employer", text, None, None) for text in ("N/K", ".")),
    # C11: currency signs and thousands separators, in money only
    ("C11", "funding_awards", "amount", "£1,100,000", Decimal("1100000.00"), "1100000.00"),
    *(("C11", "funding_awards", "amount", t, Decimal("1100.50"), "1100.50") for t in ("1 100.50", "£ 1,100.50")),
    ("C11", "funding_awards", "amount", "£1 100 000", Decimal("1100000.00"), "1100000.00"),
    # C13: scientific notation, exact to the penny
    ("C13", "funding_awards", "amount", "1.1E+06", Decimal("1100000.00"), "1100000.00"),
    # C14: a lost leading zero restored
    ("C14", "contacts", "contact_medium", "1", "01", "01"),
    # ... or a trailing .0 removed, where the number is a listed code
    *(("C14", "contacts", "contact_medium", text, code, code) for text, code in (("98.0", "98"), ("1.0", "01"))),
    ("C14", "contacts", "attended", "5.0", "5", "5"),
    # C16: a label, an alias, or a code with its label
    ("C16", "contacts", "contact_medium", "Telephone", "02", "02"),
    ("C16", "contacts", "contact_medium", "f2f", "01", "01"),
    ("C16", "contacts", "contact_medium", "02 - telephone", "02", "02"),
    ("C16", "contacts", "contact_medium", "02 - Phone", "02", "02"),
    *(("C16", "contacts", "contact_type", text, "job_search", "job_search") for text in ("Job search", "job-search")),
    *(("C16", "participants", "gender", text, "X", "X") for text in ("0", "unknown")),
    # C17: spaces, capitals and invisible characters
    ("C17", "contacts", "attended", " 5 ", "5", "5"),
    ("C17", "contacts", "contact_medium", "01\u00a0", "01", "01"),
    ("C17", "contacts", "contact_type", "re\u200bview", "review", "review"),
    *(
        ("C17", "contacts", "contact_id", f"BPL-{mark}C00100{n}", f"BPL-C00100{n}", f"BPL-C00100{n}")
        for n, mark in enumerate("\u00ad\u200e\u200f\u202a\u202e\u2066\u2069\u200b\u2060")
    ),
    ("C17", "contacts", "contact_medium", "\u200e01\u202c", "01", "01"),
    ("C17", "contacts", "contact_date", "\u200e2016-11-03", date(2016, 11, 3), "2016-11-03"),
    ("C17", "funding_awards", "funding_org_name", "A tru\u00adst", "A trust", "A trust"),
    ("C17", "contacts", "contact_type", "Review", "review", "review"),
    ("C17", "contacts", "contact_type", "JOB_SEARCH", "job_search", "job_search"),
    # ... quotation marks around a value, and a spreadsheet's leading apostrophe for text
    *(("C17", "contacts", "contact_medium", text, "01", "01") for text in ("“01”", "‘01’", "'01", "’01")),
    ("C17", "contacts", "duration_minutes", "“45”", 45, "45"),
    ("C17", "contacts", "with_employer", "“Y”", True, "Y"),
    ("C17", "contacts", "contact_date", "'2016-11-03", date(2016, 11, 3), "2016-11-03"),
    ("C17", "contacts", "contact_date", "2016-11-03 ", date(2016, 11, 3), "2016-11-03"),
    ("C17", "contacts", "duration_minutes", " 45", 45, "45"),
    ("C17", "contacts", "contact_id", "BPL-C002000 ", "BPL-C002000", "BPL-C002000"),
    # C18: other words for yes and no
    *(("C18", "contacts", "with_employer", word, True, "Y") for word in ("y", "Yes", "TRUE", "1", "✓")),
    *(("C18", "contacts", "with_employer", word, False, "N") for word in ("n", "No", "false", "0")),
    # C23: text that a spreadsheet would run as a formula
    ("C23", "funding_awards", "funding_org_name", "=1+1", "=1+1", "=1+1"),
    ("C23", "funding_awards", "funding_org_name", "@A trust", "@A trust", "@A trust"),
    # F14: a line break whose removal leaves a listed code
    ("F14", "contacts", "contact_medium", "0\n1", "01", "01"),
    ("F14", "contacts", "contact_type", "review\r\n", "review", "review"),
    # M06: a financial year in another form
    *(
        ("M06", "funding_awards", "financial_year", text, "2015-16", "2015-16")
        for text in ("2015/16", "FY 15-16", "2015-2016")
    ),
    # P08 and P10: codes that newer ones have replaced
    ("P08", "participants", "ethnic_category", "T", "C", "C"),
    ("P10", "participants", "gp_area_code", "E08000016", "E08000038", "E08000038"),
    ("P10", "participants", "gp_area_code", "e08000016", "E08000038", "E08000038"),
]

# dataset, field, cell, value read: no finding
VALID_CASES = [
    ("contacts", "contact_date", "2016-11-30", date(2016, 11, 30)),
    ("contacts", "contact_date", "2016-02-29", date(2016, 2, 29)),
    ("contacts", "duration_minutes", "480", 480),
    ("contacts", "duration_minutes", "1", 1),
    ("contacts", "duration_minutes", "45.0", 45),
    ("contacts", "contact_id", "GRTRMANC-C000000000000001"[:25], "GRTRMANC-C000000000000001"[:25]),
    ("contacts", "with_employer", "", None),
    ("contacts", "with_employer", "Y", True),
    ("funding_awards", "amount", "1100000", Decimal("1100000.00")),
    ("funding_awards", "amount", "1100000.5", Decimal("1100000.50")),
    ("funding_awards", "financial_year", "1999-00", "1999-00"),
    ("funding_awards", "end_date", "2030-03-31", date(2030, 3, 31)),  # a planned date may be in the future
    ("participants", "condition_count", "0", 0),
    ("participants", "ethnic_category", "99", "99"),
]


@pytest.mark.parametrize(("rule", "dataset", "field", "text", "suggestion"), HELD_CASES)
def test_a_faulty_cell_holds_its_row(
    in_shared_file: SharedFiles, rule: str, dataset: str, field: str, text: str, suggestion: str | None
) -> None:
    """A hidden cell's suggestion is hidden too, unless it is a listed code (V02)."""
    is_month_first = (rule, dataset, field, text, suggestion) == MONTH_FIRST
    together = [MONTH_FIRST] if is_month_first else [case for case in HELD_CASES if case != MONTH_FIRST]
    result = cell_result(in_shared_file, [case[1:4] for case in together], (dataset, field, text))
    found = displayed(dataset, field, text)
    suggestion = suggestion if found is not None or rule == "V02" else None
    assert result.findings == [Finding(rule, "row", result.row, field, found, suggestion)]
    assert result.is_held and not result.is_accepted
    assert result.file.result == "accepted_with_held_rows"


SUGGESTIONS = sorted({(d, f, o) for _, d, f, _, o in HELD_CASES if o})


@pytest.mark.parametrize(("dataset", "field", "suggestion"), SUGGESTIONS)
def test_a_suggestion_passes_every_rule(in_shared_file: SharedFiles, dataset: str, field: str, suggestion: str) -> None:
    """A sender who enters the suggestion has fixed the cell."""
    result = cell_result(in_shared_file, SUGGESTIONS, (dataset, field, suggestion))
    assert result.findings == [] and result.is_accepted


@pytest.mark.parametrize(("rule", "dataset", "field", "text", "value", "suggestion"), REPAIRED_CASES)
def test_a_repairable_cell_is_repaired_with_a_warning(
    in_shared_file: SharedFiles, rule: str, dataset: str, field: str, text: str, value: object, suggestion: str | None
) -> None:
    result = cell_result(in_shared_file, [case[1:4] for case in REPAIRED_CASES], (dataset, field, text))
    found = displayed(dataset, field, text)
    suggestion = suggestion if found is not None else None
    of_the_cell = [f for f in result.findings if f.rule != "P09"]  # an area that the site does not serve is found too
    assert of_the_cell == [Finding(rule, "warning", result.row, field, found, suggestion)]
    assert result.is_accepted and not result.is_held
    assert result.values[field] == value
    assert result.file.result == "accepted"


@pytest.mark.parametrize(("dataset", "field", "text", "value"), VALID_CASES)
def test_a_valid_cell_has_no_finding(
    in_shared_file: SharedFiles, dataset: str, field: str, text: str, value: object
) -> None:
    result = cell_result(in_shared_file, [case[:3] for case in VALID_CASES], (dataset, field, text))
    assert (result.findings, result.is_accepted, result.is_held) == ([], True, False)
    assert result.values[field] == value


@pytest.mark.parametrize(
    ("list_name", "text", "code"),
    [
        *(("weekly_hours_worked", t, "") for t in ("14", "3.0", "-1", "1.6-29", "30", "5.15", "3.0 hours or more")),
        *(("employer_size_band", t, "") for t in ("19", "1.9", "250", "-250+", "1049")),
        *(("trial_arm", t, "") for t in ("-1", "1.0", "<1", "-0")),
        ("weekly_hours_worked", "16-29", "02"),
        ("weekly_hours_worked", "03 - 5-15", "03"),
        ("weekly_hours_worked", "30+", "01"),
        ("weekly_hours_worked", "30 hours, or more", "01"),
        ("trial_arm", "1", "ips"),
    ],
)
def test_a_number_is_not_matched_to_a_band_label(list_name: str, text: str, code: str) -> None:
    """C16, V02: 14 hours is not the band 1-4."""
    assert likely_code(text, code_list(list_name)) == (code, "C16" if code else "")


@pytest.mark.parametrize("list_", all_code_lists(), ids=lambda codes: codes.name)
def test_a_numeric_code_with_a_sign_added_matches_no_code(list_: CodeList) -> None:
    """C14, C16, V02: adding a sign to a numeric code or label gives no match, unless the result is itself listed."""
    spellings = {text: e.code for e in reversed(list_.entries) for text in (*e.aliases, e.label, e.code)}
    for text, code in spellings.items():
        if not any(ch.isalpha() for ch in text):
            assert list_.code_for(text) == code
            for variant in (f"-{text}", f"+{text}", f"<{text}", f"{text}?", f"{text}%", ".".join(text)):
                assert variant in spellings or likely_code(variant, list_) == ("", ""), variant


def test_the_expectation_for_a_date_after_the_cut_off_names_the_cut_off() -> None:
    """C06: the expectation is the cut-off, not the year-month-day format, which the date already has."""
    explanation = explain(datasets()["contacts"], "C06", "contact_date", "row")
    assert explanation.expected.startswith(
        "a date no later than the extract's cut-off: the last day of the month in the file"
    )


def test_day_first_dates_are_read_for_a_site_that_declares_them(validate: Validator) -> None:
    """C02: only for a site that declares day-first dates."""
    outcome = validate(as_csv(contacts({"contact_date": "03/11/2016"})), site="MHT-GM")
    assert outcome.findings == [Finding("C02", "warning", 2, "contact_date", "03/11/2016", "2016-11-03")]
    assert outcome.values[0]["contact_date"] == date(2016, 11, 3)


def test_an_ambiguous_date_beside_a_month_first_one_refuses_the_file(validate: Validator) -> None:
    """C02: 03/11 was read as 3 November and may have been 11 March."""
    rows = contacts({"contact_date": "03/11/2016"}, {"contact_date": "11/14/2016"}, {})
    outcome = validate(as_csv(rows), site="MHT-GM")
    assert (outcome.refusals, outcome.result) == (["C02"], "refused")


@pytest.mark.parametrize("dates", [["11/14/2016"], ["03/11/2016"], ["2016-11-03", "11/14/2016"]])
def test_dates_in_one_order_do_not_refuse_the_file(validate: Validator, dates: list[str]) -> None:
    assert validate(as_csv(contacts(*({"contact_date": d} for d in dates), {})), site="MHT-GM").refusals == []


def test_the_expectation_for_a_number_states_its_decimals() -> None:
    hours = datasets()["employment_outcomes"].by_name["paid_hours_week"]
    assert read_cell("37.333", hours) == fault("V04") and "at most 1 decimal, from 0.5 to 80" in expected(hours)
    assert "at most 2 decimals" in expected(datasets()["funding_awards"].by_name["amount"])


def test_dates_in_both_orders_refuse_the_file(validate: Validator) -> None:
    """C02: 14/11 can only be day-first and 11/14 only month-first, so no date in the column can be trusted."""
    rows = contacts({"contact_date": "14/11/2016"}, {"contact_date": "11/14/2016"}, {})
    outcome = validate(as_csv(rows), site="MHT-GM")
    assert ("C02", "file", None) in outcome.rules
    assert (outcome.result, outcome.accepted, outcome.verdict.rows.held) == ("refused", [], 3)


def test_an_amount_in_brackets_is_negative(validate: Validator) -> None:
    """C11 reads the brackets as a minus sign; M26 then refuses the negative amount."""
    outcome = validate(as_csv(awards({"amount": "(1,200)"})), "funding_awards")
    assert outcome.findings_of("C11") == [Finding("C11", "warning", 2, "amount", "(1,200)", "-1200.00")]
    assert [f.rule for f in outcome.findings if f.severity == "row"] == ["M26"]


@pytest.mark.parametrize(
    ("rule", "field", "text"), [("C07", "duration_minutes", "*"), ("C10", "duration_minutes", "#REF!")]
)
def test_ten_suppressed_or_error_cells_refuse_the_file(validate: Validator, rule: str, field: str, text: str) -> None:
    """Nine only hold their rows (docs/domain.md 6.0)."""
    nine = validate(as_csv(contacts(*[{field: text}] * 9, *[{}] * 11)))
    assert (nine.refusals, len(nine.held), len(nine.accepted)) == ([], 9, 11)
    ten = validate(as_csv(contacts(*[{field: text}] * 10, *[{}] * 11)))
    assert (ten.refusals, ten.result, ten.accepted) == ([rule], "refused", [])
    assert ten.verdict.rows_judged


class TestContacts:
    """K02 and K03: attendance and duration of a contact agree."""

    MISSED = ("2", "3", "4", "7")
    ATTENDED = ("5", "6")

    @pytest.mark.parametrize("attended", MISSED)
    def test_a_missed_appointment_has_no_duration(self, in_shared_file: SharedFiles, attended: str) -> None:
        cases = [{"attended": a, "duration_minutes": d} for a in self.MISSED for d in ("45", "", "0")]
        timed, *untimed = (in_shared_file(cases, case) for case in cases if case["attended"] == attended)
        assert timed.findings == [Finding("K02", "row", timed.row, "duration_minutes", "45", None)]
        assert timed.is_held and all(result.is_accepted and not result.findings for result in untimed)

    @pytest.mark.parametrize("attended", ATTENDED)
    @pytest.mark.parametrize("duration", ["", "0"])
    def test_an_attended_contact_has_a_duration(
        self, in_shared_file: SharedFiles, attended: str, duration: str
    ) -> None:
        cases = [{"attended": a, "duration_minutes": d} for a in self.ATTENDED for d in ("", "0")]
        result = in_shared_file(cases, {"attended": attended, "duration_minutes": duration})
        assert result.findings == [Finding("K03", "row", result.row, "duration_minutes", duration, None)]
        assert result.is_held

    def test_a_rule_that_needs_a_faulty_cell_is_not_evaluated(self, validate: Validator) -> None:
        """One fault, one finding: an unreadable duration is not also reported as missing."""
        rows = contacts({"duration_minutes": "long"}, {"attended": "8"}, {"duration_minutes": "900"})
        assert validate(as_csv(rows)).rules == [("V05", "row", 2), ("V02", "row", 3), ("K03", "row", 4)]


def test_a_personal_cell_is_reported_by_address_only(validate: Validator) -> None:
    """An episode reference may identify a person, so the finding has the cell's address and not its value."""
    outcome = validate(as_csv(contacts({"episode_id": "MR-X"}, {"episode_id": "BPL-E000001 "})))
    assert outcome.findings == [
        Finding("V04", "row", 2, "episode_id", None, None),
        Finding("C17", "warning", 3, "episode_id", None, None),
    ]
    assert outcome.stored_findings["hidden"].all()
    assert outcome.cells == ["B2", "B3"]


def test_two_faults_in_a_row_are_both_reported(validate: Validator) -> None:
    outcome = validate(as_csv(contacts({"contact_date": "soon", "contact_medium": "zz"})))
    assert outcome.rules == [("C02", "row", 2), ("V02", "row", 2)]
