"""Rules within one row of the datasets of money: each holds for sound rows, and not for a broken one."""

from __future__ import annotations

import polars as pl
import pytest
from money_rows import MONEY, Row, frame, rule_of, sound

from schemas._contract.catalogue import datasets
from schemas._rules.datasets.money import quarter_of, year_of

ADJUSTMENT: Row = {
    "claim_type": "adjustment",
    "original_claim_id": "BPL-CLAIM-06",
    "claimed_amount": "-100",
    "eligible_amount": "-100",
    "grant_share": "-40",
    "match_share": "-60",
}
APPROVED: Row = {"claim_status": "approved", "approved_amount": "4000", "disallowed_amount": "800"}
REASON: Row = {"disallow_reason": "no_evidence"}
PAID: Row = APPROVED | REASON | {"claim_status": "paid", "paid_amount": "4000", "paid_date": "2016-08-01"}
VIREMENT: Row = {
    "adjustment_type": "virement_out", "pair_id": "V1", "cost_category": "staff", "from_fy": "2016-17",
    "to_fy": "2016-17",
}  # fmt: skip
CREDIT: Row = {"actual_amount": "-50", "credit_note": "Y", "credit_reason": "refund"}
CALENDAR: Row = {"period_basis": "calendar", "quarter": "Q2"}  # to 30 June: the second quarter of a calendar year
# dataset, rule, field, the beginning of its title, a row that satisfies it, and one that does not
CASES: list[tuple[str, str, str, str, Row, Row]] = [
    ("claims", "M07", "claim_period_end", "", {}, {"claim_period_end": "2016-03-31"}),
    ("claims", "M36", "financial_year", "", {"financial_year": ""}, {"financial_year": "2015-16"}),
    ("claims", "M36", "quarter", "", CALENDAR, {"quarter": "Q2"}),
    ("claims", "M36", "quarter", "", {"quarter": "Q1"}, CALENDAR | {"quarter": "Q1"}),
    ("claims", "M10", "claimed_amount", "", ADJUSTMENT, {"claimed_amount": "-1"}),
    ("claims", "M10", "claimed_amount", "", {"match_share": "0"}, {"match_share": "-1"}),
    ("claims", "M10", "original_claim_id", "", ADJUSTMENT, ADJUSTMENT | {"original_claim_id": ""}),
    ("claims", "M10", "original_claim_id", "", {}, {"original_claim_id": "BPL-CLAIM-06"}),
    ("claims", "M14", "approved_amount", "", APPROVED, APPROVED | {"approved_amount": "4800.01"}),
    ("claims", "M14", "approved_amount", "", ADJUSTMENT | {"approved_amount": "-40"},
     ADJUSTMENT | {"approved_amount": "-41"}),
    ("claims", "M14", "paid_amount", "", PAID, PAID | {"paid_amount": "4000.01"}),
    ("claims", "M14", "paid_amount", "", PAID | {"paid_amount": "4800", "claim_type": "advance"},
     PAID | {"paid_amount": "4800"}),
    ("claims", "M35", "eligible_amount", "", {"match_share": "7201"}, {"match_share": "7201.01"}),
    ("claims", "M35", "eligible_amount", "", {"claimed_amount": "12000"}, {"claimed_amount": "11999.99"}),
    ("claims", "M35", "grant_share", "", {"grant_share": "4801"}, {"grant_share": "4801.01"}),
    ("claims", "M35", "disallowed_amount", "", APPROVED, APPROVED | {"disallowed_amount": "798.99"}),
    ("claims", "M35", "disallow_reason", "", APPROVED | REASON, APPROVED),
    ("claims", "M35", "disallow_reason", "", {"disallowed_amount": "0"}, {"disallowed_amount": "0"} | REASON),
    ("claims", "M37", "approved_amount", "", APPROVED, APPROVED | {"claim_status": "submitted"}),
    ("claims", "M37", "approved_amount", "", {}, {"claim_status": "approved"}),
    ("claims", "M37", "approved_amount", "", {"claim_status": "rejected", "approved_amount": "0"},
     {"claim_status": "rejected", "approved_amount": "1"}),
    ("claims", "M37", "paid_amount", "", PAID, PAID | {"claim_status": "approved"}),
    ("claims", "M37", "paid_amount", "", PAID, PAID | {"paid_date": ""}),
    ("claims", "M37", "submitted_date", "", {"submitted_date": "2017-12-01"},
     {"submitted_date": "2017-12-02"}),  # 62 days after the cut-off, and 63
    ("claims", "M37", "submitted_date", "", {"submitted_date": "2016-06-30"}, {"submitted_date": "2016-06-29"}),
    ("claims", "M37", "submitted_date", "", {"submitted_date": "2016-03-01", "claim_type": "advance"},
     {"submitted_date": "2016-03-01"}),
    ("claims", "M37", "paid_date", "", PAID, PAID | {"paid_date": "2016-07-11"}),
    ("expenditure", "M36", "financial_year", "", {"financial_year": ""}, {"financial_year": "2017-18"}),
    ("expenditure", "M36", "quarter", "", {"quarter": "Q1"}, {"quarter": "Q2"}),
    ("expenditure", "M36", "ledger_period", "", {"ledger_period": ""}, {"ledger_period": "6"}),
    ("expenditure", "M36", "ledger_period", "", {"ledger_period": "13", "period_end": "2017-03-31"},
     {"ledger_period": "13"}),
    ("expenditure", "M36", "period_end", "", {"period_end": "2016-06-02"}, {"period_end": "2016-06-01"}),
    ("expenditure", "M39", "actual_amount", "", CREDIT, {"actual_amount": "-50"}),
    ("expenditure", "M39", "credit_note", "", CREDIT, CREDIT | {"actual_amount": "50"}),
    ("expenditure", "M39", "credit_reason", "", CREDIT, CREDIT | {"credit_reason": ""}),
    ("expenditure", "M39", "credit_reason", "", {}, {"credit_reason": "refund"}),
    ("virements_carry_forward", "M26", "amount", "", {"amount": "0.01"}, {"amount": "0"}),
    ("virements_carry_forward", "M17", "pair_id", "", VIREMENT, VIREMENT | {"pair_id": ""}),
    ("virements_carry_forward", "M17", "pair_id", "", {}, {"pair_id": "V1"}),
    ("virements_carry_forward", "M17", "cost_category", "", VIREMENT, VIREMENT | {"cost_category": ""}),
    ("virements_carry_forward", "M17", "to_fy", "", VIREMENT, VIREMENT | {"to_fy": "2017-18"}),
    ("virements_carry_forward", "M44", "to_fy", "", {}, {"to_fy": "2015-16"}),
    ("payment_schedule", "M26", "unit_price", "", {}, {"unit_price": "0"}),
    ("payment_schedule", "M46", "valid_to", "", {"valid_to": "2015-04-01"}, {"valid_to": "2015-03-31"}),
    ("outcome_payments", "M47", "verified_date", "", {}, {"verified_date": "2016-11-02"}),
    ("outcome_payments", "F57", "outcome_date", "", {"outcome_date": "2016-01-01"}, {"outcome_date": "2015-12-31"}),
    ("outcome_payments", "M49", "amount", "", {}, {"amount": "1250.01"}),
    ("outcome_payments", "M49", "amount", "", {}, {"amount": "0", "unit_price": "0"}),
]  # fmt: skip


@pytest.mark.parametrize(("dataset", "rule_id", "field", "title", "valid", "invalid"), CASES)
def test_a_rule_holds_for_a_sound_row_and_not_for_a_broken_one(
    dataset: str, rule_id: str, field: str, title: str, valid: Row, invalid: Row
) -> None:
    rule = rule_of(dataset, rule_id, field, title, within_row=True)
    assert rule.check is not None
    rows = frame(datasets()[dataset], sound(dataset, {}, valid, invalid))
    assert rows.select(rule.check().fill_null(True)).to_series().to_list() == [True, True, False]


def test_every_rule_within_a_row_has_a_case() -> None:
    stated = {(d, r.rule_id, r.field, r.title) for d in MONEY[2:] for r in datasets()[d].row_rules}
    assert stated == {(d, i, f, rule_of(d, i, f, t, within_row=True).title) for d, i, f, t, *_ in CASES}


def test_years_and_quarters_are_those_of_the_date() -> None:
    days = pl.DataFrame({"d": ["2016-03-31", "2016-04-01", "2016-12-31", "2000-01-01", "1999-07-01"]})
    days = days.select(pl.col("d").str.to_date())
    assert days.select(year_of("d")).to_series().to_list() == ["2015-16", "2016-17", "2016-17", "1999-00", "1999-00"]
    assert days.select(quarter_of("d")).to_series().to_list() == ["Q4", "Q1", "Q3", "Q4", "Q2"]
    assert days.select(quarter_of("d", first_month=1)).to_series().to_list() == ["Q1", "Q2", "Q4", "Q1", "Q3"]
