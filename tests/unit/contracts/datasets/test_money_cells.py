"""How finance teams write amounts, months, quarters and years: what is read, and what is suggested."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from flows.cells.parse import read_cell, suggested
from flows.cells.reading import Value
from schemas._contract.catalogue import datasets

COSTS, MATCH, ACCRUAL = ("expenditure", "actual_amount"), ("claims", "match_share"), ("expenditure", "accrual_amount")
START, END = ("claims", "claim_period_start"), ("expenditure", "period_end")
YEAR, LEDGER = ("funding_profile", "financial_year"), ("expenditure", "ledger_period")
READ: list[tuple[tuple[str, str], str, str, Value, str]] = [  # the field, a text, and its rule, value and suggestion
    *((COSTS, text, "C11", Decimal("-1200.00"), "-1200.00") for text in (
        "1,200.00-", "1200-", "£1,200.00-", "1 200.00 -", "\u22121200.00", "\u20131,200.00", "(£1,200.00)")),
    *((COSTS, text, "C36", None, "-1200.00") for text in ("1200.00CR", "1,200.00 cr.", "£1,200.00 CR", "CR 1,200")),
    (COSTS, "2,000.00 DR", "C36", None, "2000.00"),
    (COSTS, "DR 1,200 CR", "V05", None, ""),
    (COSTS, "<1200.00>", "V05", None, ""),
    *((MATCH, text, "C09", None, "0.00") for text in ("-", "\u2013", "£ -", "£-", " -   ")),
    *((ACCRUAL, text, "C09", None, "") for text in ("-", "£-")),
    *((LEDGER, text, "C29", 3, "3") for text in ("P03", "Period 3", "p3", "M03")),
    (LEDGER, "June", "V05", None, ""),
    *((END, text, "C28", None, "2016-06-30") for text in ("Jun-16", "June 2016", "Jun 16", "Jun '16")),
    *((START, text, "C28", None, "2016-04-01") for text in ("Apr-16", "April 2016")),
    (END, "30 June 2016", "C28", date(2016, 6, 30), "2016-06-30"),
    (("claims", "paid_date"), "Jun-16", "C28", None, ""),  # it begins or ends no period: which day is not known
    *((YEAR, text, "M06", None, "2016-17") for text in ("FY17", "FY2017", "fy 17")),
    *((YEAR, text, "M06", "2016-17", "2016-17") for text in ("2016/17", "16-17", "FY16/17", "2016/2017")),
    (YEAR, "2016", "M06", None, ""),
]  # fmt: skip


@pytest.mark.parametrize(("field", "text", "rule", "value", "suggestion"), READ)
def test_a_cell_of_accounts_is_read(
    field: tuple[str, str], text: str, rule: str, value: Value, suggestion: str
) -> None:
    dataset, name = field
    reading = read_cell(text, datasets()[dataset].by_name[name])
    assert (reading.rule_id, reading.value, reading.suggestion) == (rule, value, suggestion)


SUGGESTED = [
    *(("funding_profile", "quarter", text, "Q1") for text in (
        "Q1 16/17", "Q1 2016/17", "Q1 FY16/17", "2016-17 Q1", "Apr-Jun 2016", "April to June 2016", "Quarter 1 16/17")),
    ("funding_profile", "quarter", "Q1 2016", ""),  # perhaps of the calendar year
    ("virements_carry_forward", "adjustment_type", "Virement", ""),  # out or in
    ("virements_carry_forward", "adjustment_type", "Clawbak", "clawback"),
    ("claims", "intervention_rate", "50", "0.5"),
    ("claims", "intervention_rate", "1.2", ""),
    ("claims", "intervention_rate", "150", ""),
]  # fmt: skip


@pytest.mark.parametrize(("dataset", "field", "text", "meant"), SUGGESTED)
def test_what_is_meant_is_suggested_where_it_is_certain(dataset: str, field: str, text: str, meant: str) -> None:
    assert suggested(text, datasets()[dataset].by_name[field]) == meant
