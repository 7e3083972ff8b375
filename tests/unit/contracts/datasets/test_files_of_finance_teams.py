"""Whole files as finance teams send them: totals, certificates, headings with a unit, columns that turn signs."""

from __future__ import annotations

import pytest
from file_validator import Validator, as_csv
from money_rows import Row, sound

from schemas._rules.explain import explain_headings

QUARTERS: list[Row] = [{"quarter": q} for q in ("Q1", "Q2", "Q3", "Q4")]
Found = list[tuple[str, str, int | None]]


def found_in(validate: Validator, dataset: str, rows: list[Row], **changed: str) -> Found:
    """The findings of a file with these rows: rule, severity and row. `changed` are other headings, by field."""
    heading, *lines = as_csv([{k: str(v) for k, v in row.items()} for row in rows]).splitlines()
    headings = ",".join(changed.get(name, name) for name in heading.split(","))
    return [r[:3] for r in validate("\n".join([headings, *lines, ""]), dataset=dataset).rules]


def test_a_row_with_the_total_of_a_category_is_no_record(validate: Validator) -> None:
    total: Row = {"quarter": "Total", "financial_year": "", "approved_date": "", "profile_amount": "32000"}
    assert found_in(validate, "funding_profile", sound("funding_profile", *QUARTERS, total)) == [("F06", "warning", 6)]
    of_quarter: Row = {"cost_category": "Total", "profile_amount": "8000"}
    assert found_in(validate, "funding_profile", sound("funding_profile", *QUARTERS, of_quarter)) == [
        ("F06", "warning", 6)
    ]


def test_a_certificate_below_the_claims_is_a_note(validate: Validator) -> None:
    rows = sound("claims", {})
    certificate = dict.fromkeys(rows[0], "") | {"claim_id": "I certify that the above is correct"}
    assert found_in(validate, "claims", [*rows, certificate]) == [("F33", "warning", 3)]


@pytest.mark.parametrize("unit", ["£000", "£'000", "000s", "£k", "thousands", "pence", "p", "£m"])
def test_a_heading_in_another_unit_than_pounds_refuses_the_file(validate: Validator, unit: str) -> None:
    heading = f"Actual ({unit})"
    assert found_in(validate, "expenditure", sound("expenditure", {}), actual_amount=heading) == [("F40", "file", None)]


@pytest.mark.parametrize("hint", ["£", "GBP", "in pounds", "up to 1000"])
def test_a_heading_in_pounds_is_read(validate: Validator, hint: str) -> None:
    found = found_in(validate, "expenditure", sound("expenditure", {}), actual_amount=f"Actual ({hint})")
    assert [severity for _, severity, _ in found] == ["warning"]


@pytest.mark.parametrize("heading", ["DR/CR", "Dr / Cr", "Debit/Credit"])
def test_a_column_that_turns_signs_is_not_left_out(validate: Validator, heading: str) -> None:
    rows = sound("expenditure", {"credit_note": "C"})
    assert ("C18", "row", 2) in found_in(validate, "expenditure", rows, credit_note=heading)


def test_years_that_cannot_be_read_do_not_make_rows_the_same(validate: Validator) -> None:
    rows = sound("funding_profile", {"financial_year": "FY17"}, {"financial_year": "FY18"})
    assert {rule for rule, *_ in found_in(validate, "funding_profile", rows)} == {"M06"}


@pytest.mark.parametrize(("dataset", "field"), [
    ("expenditure", "ledger_ref"), ("claim_lines", "description_code"), ("virements_carry_forward", "approved_by_role"),
])  # fmt: skip
def test_a_name_in_a_field_for_codes_is_held_and_not_shown(validate: Validator, dataset: str, field: str) -> None:
    rows = [{k: str(v) for k, v in r.items()} for r in sound(dataset, {field: "Jo Made-Up"})]
    outcome = validate(as_csv(rows), dataset=dataset)
    (finding,) = outcome.findings
    assert (finding.severity, finding.column, finding.found) == ("row", field, None)


def test_a_column_for_each_quarter_is_named_as_the_cause() -> None:
    missing = [("quarter", "Quarter"), ("profile_amount", "Profile")]
    assert "a column for each quarter" in explain_headings(0, missing, ["C", "D", "E"]).fix
    assert "a column for each quarter" not in explain_headings(0, missing, ["C", "D"]).fix
    assert "a column for each quarter" not in explain_headings(0, missing[:1], ["C", "D", "E"]).fix
