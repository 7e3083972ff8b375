"""Rules between rows, tables and deliveries of money: which rows break each, and the amounts that its finding shows."""

from __future__ import annotations

from typing import Any

import pytest
from money_rows import AWARD, MONEY, Row, broken, rule_of, sound

from schemas._contract.catalogue import datasets

Q1: Row = {"claim_period_start": "2016-04-01", "claim_period_end": "2016-06-30", "submitted_date": "2016-07-12"}
Q2: Row = {"claim_period_start": "2016-07-01", "claim_period_end": "2016-09-30", "submitted_date": "2016-10-12"}
Q3: Row = {"claim_period_start": "2016-10-01", "claim_period_end": "2016-12-31", "submitted_date": "2017-01-12"}
Q4: Row = {"claim_period_start": "2017-01-01", "claim_period_end": "2017-03-31", "submitted_date": "2017-04-12"}
WHOLE: Row = {"sender": "PMO", "about_site_code": ""}  # recorded by the programme office for all sites
UNDATED: Row = {"award_date": "", "start_date": "", "end_date": ""}
MINUS: Row = {"claim_type": "adjustment", "grant_share": "-10000", "original_claim_id": "C1"}


def claimed(*changes: Row) -> list[Row]:
    """Claims with the references C1, C2 and so on, without a stated year or quarter."""
    rows = sound("claims", *changes)
    return [r | {"claim_id": f"C{n}", "financial_year": "", "quarter": ""} | c
            for n, (r, c) in enumerate(zip(rows, changes, strict=True), 1)]  # fmt: skip


def grants(*shares: int) -> list[Row]:
    """Four claims for the quarters of 2016-17, with these shares of the grant."""
    return claimed(*({**q, "grant_share": s} for q, s in zip((Q1, Q2, Q3, Q4), shares, strict=True)))


def profile(*amounts: int, **changes: Any) -> list[Row]:
    """A profile with these amounts for the quarters from April 2016 on."""
    years = ["2016-17"] * 4 + ["2017-18"] * 4
    rows = ({"financial_year": years[n], "quarter": f"Q{n % 4 + 1}", "profile_amount": a} | changes
            for n, a in enumerate(amounts))  # fmt: skip
    return sound("funding_profile", *rows)


def spent(*changes: Row) -> list[Row]:
    """Spending for June 2016, without a stated year or quarter."""
    blank = {"financial_year": "", "quarter": "", "ledger_period": "", "accrual_amount": ""}
    return sound("expenditure", *(blank | c for c in changes))


def moved(*changes: Row) -> list[Row]:
    """Adjustments."""
    return sound("virements_carry_forward", *changes)


def awarded(*changes: Row) -> list[Row]:
    """Records of awards, the first of them the site's own."""
    return sound("funding_awards", *(AWARD | c for c in changes))


OUT: Row = {"adjustment_type": "virement_out", "pair_id": "V1", "from_fy": "2016-17", "to_fy": "2016-17"}
IN = OUT | {"adjustment_type": "virement_in"}
RETURNED: Row = {"adjustment_type": "clawback", "pair_id": ""}
PAYMENT: Row = {
    "outcome_date": "2016-11-03",
    "outcome_definition_code": "WC_JO",
    "unit_price": "1250",
    "amount": "1250",
}
JOB: Row = {
    "episode_id": "BPL-E000123", "job_start_date": "2016-08-01", "outcome_definition_code": "WC_JO",
    "evidence_type": "payslip", "in_work_at_start": "N", "sust_13w_date": "2016-11-01",
}  # fmt: skip
PRICE: Row = {"outcome_definition_code": "WC_JO", "unit_price": "1250", "valid_from": "2015-04-01", "valid_to": ""}
# The dataset with the rule, the rule, its field, the beginning of its title; the rows; and those that break it.
Tables = dict[str, list[Row]]
CASES: list[tuple[str, str, str, str, Tables, list[int]]] = [
    # M34: the award is not on record
    *(
        (d, "M34", "award_id", "", {"funding_awards": awarded({}), d: sound(d, {}, {"award_id": "BPL-GRANT-2"})}, [3])
        for d in ("claims", "funding_profile", "expenditure", "virements_carry_forward", "payment_schedule",
                  "outcome_payments")
    ),
    ("claims", "M34", "award_id", "", {"funding_awards": awarded({"about_site_code": "MHT-GM"}),
                                       "claims": claimed({})}, [2]),
    ("claims", "M34", "award_id", "", {"funding_awards": awarded({"sender": "PMO", "about_site_code": ""}),
                                       "claims": claimed({}, {"sender": "MHT-GM"})}, []),
    # M07, M15: dates of the award
    ("claims", "M07", "submitted_date", "", {"funding_awards": awarded({}),
                                             "claims": claimed({"submitted_date": "2016-02-29"}, {})}, [2]),
    ("claims", "M15", "claim_period_start", "", {"funding_awards": awarded({}), "claims": claimed(
        {"claim_period_start": "2016-01-01", "claim_period_end": "2016-03-31"},
        {"claim_period_start": "2018-04-01", "claim_period_end": "2018-06-30"}, {})}, [2, 3]),
    ("claims", "M15", "claim_period_start", "", {"funding_awards": awarded(UNDATED), "claims": claimed(
        {"claim_period_start": "2010-01-01", "claim_period_end": "2010-03-31"})}, []),
    ("expenditure", "M15", "period_end", "The spending lies", {"funding_awards": awarded({}), "expenditure": spent(
        {"period_end": "2016-03-31"}, {"period_end": "2018-06-30"}, {"period_end": "2018-07-31"})}, [2, 4]),
    ("expenditure", "M15", "period_end", "The spending is later", {"funding_awards": awarded({}), "expenditure": spent(
        {"period_end": "2018-03-31"}, {"period_end": "2018-06-30"}, {"period_end": "2018-07-31"})}, [3]),
    # M10: corrections
    ("claims", "M10", "original_claim_id", "The claim", {"claims": claimed({}, MINUS, {
        **MINUS, "original_claim_id": "C9"}, MINUS | {"original_claim_id": "C2"})}, [4, 5]),
    ("claims", "M10", "original_claim_id", "The claim", {"claims": claimed({"award_id": "A-2"}, MINUS)}, [3]),
    # M11: overlaps and gaps
    ("claims", "M11", "claim_period_start", "Another", {"claims": claimed(Q1, Q2, Q2)}, [4]),
    ("claims", "M11", "claim_period_start", "Another", {"claims": claimed(Q2, Q1 | {"claim_period_end": "2016-07-01"})},
     [2]),
    ("claims", "M11", "claim_period_start", "Another", {"claims": claimed(
        Q1, Q1 | {"award_id": "A-2"}, Q1 | {"claim_type": "advance"}, Q1 | MINUS, Q1 | {"claim_status": "rejected"},
        Q1 | {"claim_status": "draft"})}, []),
    ("claims", "M11", "claim_period_start", "There is a gap", {"claims": claimed(Q1, Q3, Q4)}, [3]),
    ("claims", "M11", "claim_period_start", "There is a gap", {"claims": claimed(Q1, Q2, Q3)}, []),
    # M12: more than the award; what is out of the sum
    ("claims", "M12", "grant_share", "", {"funding_awards": awarded({}), "claims": grants(50000, 50001, 1, 1)},
     [4, 5]),
    ("claims", "M12", "grant_share", "", {"funding_awards": awarded(
        {}, {"award_stage": "varied", "amount": "20000"}), "claims": grants(50000, 50001, 1, 1)}, []),
    ("claims", "M12", "grant_share", "", {"funding_awards": awarded({}), "claims": claimed(
        Q1 | {"grant_share": "100000"}, Q1 | MINUS, Q2 | {"grant_share": "10000"},
        Q2 | {"grant_share": "9", "claim_status": "draft"}, Q2 | {"grant_share": "9", "claim_type": "advance"})}, []),
    # M01: claims in thousands
    ("claims", "M01", "grant_share", "The claims are", {"funding_awards": awarded({}), "claims": grants(9, 99, 9, 9)},
     [2]),
    ("claims", "M01", "grant_share", "The claims are", {"funding_awards": awarded({}), "claims": grants(9, 101, 9, 9)},
     []),
    # an award of the whole programme, which two sites claim, plan and spend together
    ("claims", "M12", "grant_share", "", {"funding_awards": awarded(WHOLE), "claims": claimed(
        Q1 | {"grant_share": "60000"}, Q2 | {"grant_share": "40002", "sender": "MHT-GM"})}, [3]),
    ("funding_profile", "M43", "profile_amount", "", {"funding_awards": awarded(WHOLE), "funding_profile": [
        *profile(60000), *profile(40000, sender="MHT-GM")]}, []),
    ("expenditure", "M40", "actual_amount", "", {"funding_awards": awarded(WHOLE), "expenditure": spent(
        {"actual_amount": "60000"}, {"actual_amount": "40002", "sender": "MHT-GM"})}, [2, 3]),
    # M13: cumulative claims
    ("claims", "M13", "grant_share", "", {"funding_awards": awarded({}),
                                          "claims": grants(20000, 45000, 70000, 95000)}, [2, 3, 4, 5]),
    ("claims", "M13", "grant_share", "", {"funding_awards": awarded({}),
                                          "claims": grants(10000, 20000, 30000, 40000)}, []),
    ("claims", "M13", "grant_share", "", {"funding_awards": awarded({}),
                                          "claims": grants(50000, 45000, 70000, 95000)}, []),
    # claim lines
    ("claim_lines", "M38", "claim_id", "", {"claims": claimed({}), "claim_lines": sound(
        "claim_lines", {"claim_id": "C1"}, {"claim_id": "C2"})}, [3]),
    ("claim_lines", "M10", "amount", "", {"claims": claimed({}, MINUS), "claim_lines": sound(
        "claim_lines", {"claim_id": "C1", "amount": "-1"}, {"claim_id": "C2", "amount": "-1"})}, [2]),
    ("claim_lines", "M16", "amount", "The lines do not", {"claims": claimed({}, {}), "claim_lines": sound(
        "claim_lines", {"claim_id": "C1", "amount": "12000"}, {"claim_id": "C1", "amount": "498.99", "line_no": "2"},
        {"claim_id": "C2", "amount": "12499"})}, [2, 3]),
    ("claim_lines", "M16", "amount", "The lines differ", {"claims": claimed({}, {}), "claim_lines": sound(
        "claim_lines", {"claim_id": "C1", "amount": "12499.50"}, {"claim_id": "C2", "amount": "12500"})}, [2]),
    # expenditure
    ("expenditure", "M40", "actual_amount", "", {"funding_awards": awarded({}), "expenditure": spent(
        {"actual_amount": "100000"}, {"actual_amount": "1.01", "period_end": "2016-07-31"})}, [3]),
    ("expenditure", "M40", "actual_amount", "", {
        "funding_awards": awarded({}), "match_funding": sound("match_funding", {
            "award_id": AWARD["award_id"], "about_site_code": "", "programme_code": "MHT", "match_stage": "pledged",
            "match_source_type": "nhs", "amount": "50000"}),
        "expenditure": spent({"actual_amount": "150001", "funding_source": "match_cash"})}, []),
    ("expenditure", "M15", "accrual_amount", "", {"expenditure": spent(
        {"period_end": "2016-03-31", "accrual_amount": "500"},
        {"period_end": "2016-03-31", "accrual_amount": "500", "cost_category": "travel"},
        {"period_end": "2016-06-30", "accrual_amount": "-500", "cost_category": "travel"},
        {"period_end": "2017-03-31", "accrual_amount": "500", "cost_category": "training"})}, [2]),
    ("expenditure", "M51", "ledger_ref", "", {"expenditure": spent(
        {}, {"ledger_ref": "R1010-00340"}, {"ledger_ref": "R1010-00340", "cost_category": "travel"},
        {"ledger_ref": "R1010-00340", "period_end": "2016-07-31"})}, [4]),
    # profile
    ("funding_profile", "M43", "profile_amount", "", {"funding_awards": awarded({}),
                                                      "funding_profile": profile(50000, 49998)}, [2]),
    ("funding_profile", "M43", "profile_amount", "", {"funding_awards": awarded({}), "funding_profile": [
        *profile(1, 2), *profile(50000, 50001, profile_version="2")]}, []),
    ("funding_profile", "M19", "profile_amount", "", {"funding_awards": awarded({}),
                                                      "funding_profile": profile(0, 100000, 0)}, [3]),
    ("funding_profile", "M19", "profile_amount", "", {
        "funding_awards": awarded({"end_date": "2016-06-30"}), "funding_profile": profile(100000)}, []),
    ("funding_profile", "M41", "quarter", "", {
        "funding_profile": profile(1, 1, 0, 1, 1, 1, 1),
        "expenditure": spent({}, {"period_end": "2016-07-31"}, {"period_end": "2017-06-30", "actual_amount": "0"})},
     [5, 7]),  # Q4 of 2016-17, and the quarter that ends with the cut-off
    ("funding_profile", "M42", "forecast_amount", "", {
        "funding_profile": profile(1, 1, 1, 1, 1, 1, 1, forecast_amount="5")}, [2, 3, 4, 5, 6, 7]),
    # virements and carry-forward
    ("virements_carry_forward", "M17", "amount", "", {"virements_carry_forward": moved(
        OUT, IN, OUT | {"pair_id": "V2"}, IN | {"pair_id": "V2", "amount": "1998"}, OUT | {"pair_id": "V3"})},
     [4, 5, 6]),
    ("virements_carry_forward", "M17", "amount", "", {"virements_carry_forward": moved(
        OUT, IN | {"approved_date": "2016-09-13"})}, [2, 3]),
    ("virements_carry_forward", "M44", "amount", "", {
        "funding_awards": awarded({}), "funding_profile": profile(5000, 5000), "expenditure": spent(
            {"actual_amount": "7000"}),
        "virements_carry_forward": moved({"from_fy": "2016-17", "to_fy": "2017-18", "amount": "3001.01"})}, [2]),
    ("virements_carry_forward", "M44", "amount", "", {
        "funding_awards": awarded({}), "funding_profile": profile(5000, 5000), "expenditure": spent(
            {"actual_amount": "7000"}, {"actual_amount": "3000", "funding_source": "match_cash"}),
        "virements_carry_forward": moved({"from_fy": "2016-17", "to_fy": "2017-18", "amount": "3001"})}, []),
    ("virements_carry_forward", "M45", "amount", "", {
        "claims": claimed({"paid_amount": "4000"}),
        "virements_carry_forward": moved(RETURNED | {"amount": "3000"}, RETURNED | {"amount": "1001.01"})}, [2, 3]),
    ("virements_carry_forward", "M45", "amount", "", {
        "claims": claimed({"paid_amount": "4000"}), "virements_carry_forward": moved(RETURNED | {"amount": "4000"})},
     []),
    # payment by results
    ("payment_schedule", "M46", "valid_from", "", {"payment_schedule": sound(
        "payment_schedule", PRICE | {"valid_to": "2016-03-31"}, PRICE | {"valid_from": "2016-03-31"},
        PRICE | {"outcome_definition_code": "SUST_13", "valid_from": "2015-06-01"})}, [3]),
    ("payment_schedule", "M46", "valid_from", "", {"payment_schedule": sound(
        "payment_schedule", PRICE, PRICE | {"valid_from": "2016-04-01"})}, [3]),
    ("outcome_payments", "P12", "episode_id", "", {"outcome_payments": sound("outcome_payments", PAYMENT)}, [2]),
    ("outcome_payments", "P12", "episode_id", "", {
        "outcome_payments": sound("outcome_payments", PAYMENT),
        "referrals": sound("referrals", {"episode_id": "BPL-E000123"})}, []),
    *(
        ("outcome_payments", "M47", "episode_id", "",
         {"outcome_payments": sound("outcome_payments", PAYMENT | paid), "employment_outcomes":
          sound("employment_outcomes", JOB | job)}, rows)
        for paid, job, rows in (
            ({}, {}, []),
            ({}, {"evidence_type": "self_report"}, [2]),
            ({}, {"in_work_at_start": "Y"}, [2]),
            ({}, {"job_start_date": "2016-11-04"}, [2]),
            ({}, {"outcome_definition_code": "JOB_START"}, [2]),
            ({"outcome_definition_code": "JOB_START"}, {}, []),
            ({"outcome_definition_code": "SUST_13"}, {}, []),
            ({"outcome_definition_code": "SUST_13"}, {"sust_13w_date": "2016-11-04"}, [2]),
            ({"outcome_definition_code": "SUST_26"}, {}, [2]),
            ({"episode_id": "BPL-E000124"}, {}, [2]),
        )
    ),
    ("outcome_payments", "M48", "payment_id", "", {"outcome_payments": sound(
        "outcome_payments", PAYMENT, PAYMENT | {"outcome_date": "2016-11-04"},
        PAYMENT | {"outcome_definition_code": "SUST_13"})}, [3]),
    ("outcome_payments", "M48", "participant_ref", "", {
        "outcome_payments": sound("outcome_payments", PAYMENT, PAYMENT | {"participant_ref": "BPL-000999"}),
        "referrals": sound("referrals", {"episode_id": "BPL-E000123", "participant_ref": "BPL-000123"})}, [3]),
    *(
        ("outcome_payments", "M49", "unit_price", "",
         {"outcome_payments": sound("outcome_payments", PAYMENT | paid), "payment_schedule":
          sound("payment_schedule", PRICE | price)}, rows)
        for paid, price, rows in (
            ({}, {}, []),
            ({"unit_price": "1251"}, {}, [2]),
            ({}, {"valid_to": "2016-11-02"}, [2]),
            ({}, {"valid_from": "2016-11-04"}, [2]),
            ({}, {"outcome_definition_code": "SUST_13"}, [2]),
            ({}, {"award_id": "A-2"}, [2]),
        )
    ),
    ("deflators", "M50", "index_value", "", {"deflators": sound(
        "deflators", {"vintage": "2016-10", "index_value": "100"},
        {"vintage": "2016-10", "financial_year": "2016-17", "index_value": "101.5"},
        {"vintage": "2017-11", "index_value": "1.5"})}, [4]),
]  # fmt: skip


@pytest.mark.parametrize(("dataset", "rule_id", "field", "title", "tables", "rows"), CASES)
def test_a_rule_finds_the_rows_that_break_it(
    dataset: str, rule_id: str, field: str, title: str, tables: Tables, rows: list[int]
) -> None:
    assert [row for row, _ in broken(rule_of(dataset, rule_id, field, title), tables)] == rows


SHOWN = [
    *(
        ("claims", "M34", "award_id", "", {"funding_awards": awarded({"award_id": "BPL-GRANT-10"}),
                                           "claims": claimed({"award_id": sent})}, shown)
        for sent, shown in (
            ("bpl grant 1O", "bpl grant 1O (on record: BPL-GRANT-10)"),
            ("BPL-GRANT-1", "BPL-GRANT-1"),
        )
    ),
    ("claim_lines", "M38", "claim_id", "", {"claims": claimed({}), "claim_lines": sound(
        "claim_lines", {"claim_id": "c1"})}, "c1 (on record: C1)"),
    ("claims", "M12", "grant_share", "", {"funding_awards": awarded({}), "claims": grants(60000, 50000, 1, 1)},
     "claims of 110,000.00 up to this one, 10,000.00 more than the award of 100,000.00"),
    ("claim_lines", "M16", "amount", "The lines do not", {"claims": claimed({}), "claim_lines": sound(
        "claim_lines", {"claim_id": "C1", "amount": "12000"})}, "lines add to 12,000.00, the claim is 12,500.00"),
    ("expenditure", "M40", "actual_amount", "", {"funding_awards": awarded({}), "expenditure": spent(
        {"actual_amount": "111000.50"})}, "spent 111,000.50, 11,000.50 more than the 100,000.00 allowed"),
    ("funding_profile", "M43", "profile_amount", "", {"funding_awards": awarded({}),
                                                      "funding_profile": profile(90000)},
     "profile 90,000.00, award 100,000.00"),
    ("virements_carry_forward", "M17", "amount", "", {"virements_carry_forward": moved(OUT)},
     "out 2,000.00, in 0.00"),
    ("virements_carry_forward", "M45", "amount", "", {"virements_carry_forward": moved(RETURNED)},
     "returned 2,000.00, paid 0.00"),
]  # fmt: skip


@pytest.mark.parametrize(("dataset", "rule_id", "field", "title", "tables", "shown"), SHOWN)
def test_a_finding_says_by_how_much(
    dataset: str, rule_id: str, field: str, title: str, tables: Tables, shown: str
) -> None:
    assert broken(rule_of(dataset, rule_id, field, title), tables)[0][1] == shown


SCALED = [d for d in MONEY if [r for r in datasets()[d].rules if r.rule_id == "M01" and r.reads_history]]


BEFORE = ("1000", "2000", "3000")
# amounts of the next file; the rows that are held as those of a whole file in another unit; those that get a warning
SCALES: dict[str, tuple[tuple[str, str, str], list[int], list[int]]] = {
    "as before": (("1000", "2500", "3000"), [], []),
    "in thousands": (("1", "2", "3"), [2, 3, 4], [2, 3, 4]),
    "in pence, one new amount": (("100000", "200000", "5"), [2, 3, 4], [2, 3, 4]),
    "one mistyped": (("1000", "200000", "3000"), [], [3]),
}


def with_amounts(dataset: str, field: str, amounts: tuple[str, ...]) -> list[Row]:
    """Rows with these amounts, and with the keys of the rows in any other file of the dataset."""
    distinct = {
        "funding_awards": ("award_version", "1", "2", "3"),
        "funding_profile": ("quarter", "Q1", "Q2", "Q3"),
        "expenditure": ("ledger_ref", "R1", "R2", "R3"),
        "payment_schedule": ("valid_from", "2015-04-01", "2016-04-01", "2017-04-01"),
    }
    column, *texts = distinct.get(dataset, ("", "", "", ""))  # the other keys are numbered by `sound`
    keys: list[Row] = [{column: text} if column else {} for text in texts]
    return sound(dataset, *(k | {field: a} for k, a in zip(keys, amounts, strict=True)))


@pytest.mark.parametrize("dataset", SCALED)
def test_amounts_in_another_unit_than_in_the_file_before_are_found(dataset: str) -> None:
    """Every row of a file in thousands or pence is held; a single amount that changed so only gets a warning."""
    rules = [r for r in datasets()[dataset].rules if r.rule_id == "M01" and r.reads_history]
    field = rules[0].field
    before = {dataset: with_amounts(dataset, field, BEFORE)}
    for name, (amounts, whole_file, single) in SCALES.items():
        now = {dataset: with_amounts(dataset, field, amounts)}
        found = {r.severity: [row for row, _ in broken(r, now, before)] for r in rules}
        expected = {"row": whole_file, "warning": single}
        assert found == {s: rows for s, rows in expected.items() if s in found}, name


AGAINST_ITS_AWARD: list[tuple[str, list[Row], list[int]]] = [  # the award is of £100,000
    ("claims", grants(0, 500000, 0, 500001), [2, 3, 4, 5]),
    ("claims", grants(0, 500000, 0, 500000), []),
    ("expenditure", spent({"actual_amount": "1000001"}), [2]),
    ("expenditure", spent({"actual_amount": "1000000"}), []),  # overspent: it stays in the figures
    ("funding_profile", profile(5000000, 5000000), [2, 3]),
    ("funding_profile", profile(50, 50), [2, 3]),  # in thousands
    ("funding_profile", profile(5000, 5000), []),  # a part of it
]


@pytest.mark.parametrize(("dataset", "rows", "expected"), AGAINST_ITS_AWARD)
def test_amounts_of_another_size_than_the_award_are_in_another_unit(
    dataset: str, rows: list[Row], expected: list[int]
) -> None:
    (rule,) = (r for r in datasets()[dataset].rules if (r.rule_id, r.found_column) == ("M01", "found"))
    assert [row for row, _ in broken(rule, {"funding_awards": awarded({}), dataset: rows})] == expected


AHEAD = profile(*[0] * 6, 10, 10, forecast_amount="10")[6:]  # two quarters after the cut-off
# dataset, rule, field; the rows, those of the file before, and which of the rows break the rule
SINCE_BEFORE: list[tuple[str, str, str, list[Row], list[Row], list[int]]] = [
    ("claims", "M10", "claimed_amount", claimed(Q1 | {"claimed_amount": "13000"}), claimed(Q1), [2]),
    ("claims", "M10", "claimed_amount", claimed(Q1), claimed(Q1), []),
    ("claims", "M10", "claimed_amount", claimed(Q1 | {"claimed_amount": "13000"}),
     claimed(Q1 | {"claim_status": "draft"}), []),
    ("funding_profile", "M19", "forecast_amount", AHEAD, AHEAD, [2]),
    ("funding_profile", "M19", "forecast_amount", [AHEAD[0] | {"forecast_amount": "11"}, AHEAD[1]], AHEAD, []),
    ("funding_profile", "M19", "forecast_amount", AHEAD[:1], AHEAD[:1], []),
]  # fmt: skip


@pytest.mark.parametrize(("dataset", "rule_id", "field", "now", "before", "rows"), SINCE_BEFORE)
def test_what_has_changed_since_the_file_before_is_asked_about(
    dataset: str, rule_id: str, field: str, now: list[Row], before: list[Row], rows: list[int]
) -> None:
    """A claim that was submitted must stay the same, and a forecast must not."""
    assert [row for row, _ in broken(rule_of(dataset, rule_id, field), {dataset: now}, {dataset: before})] == rows


def test_the_finding_says_what_a_claim_was_before() -> None:
    before, now = claimed(Q1), claimed(Q1 | {"claimed_amount": "13000"})
    shown = "costs 13,000.00 and grant 4,800.00, before 12,500.00 and 4,800.00"
    assert broken(rule_of("claims", "M10", "claimed_amount"), {"claims": now}, {"claims": before}) == [(2, shown)]


def test_two_rules_that_name_one_cell_have_one_text() -> None:
    """A report finds a text by rule, field and severity: of two texts the second would never be read."""
    for dataset in MONEY[2:]:
        texts: dict[tuple[str, str, str], set[tuple[str, ...]]] = {}
        for r in datasets()[dataset].rules:
            texts.setdefault((r.rule_id, r.field, r.severity), set()).add((r.title, r.expected, r.fix))
        assert [key for key, different in texts.items() if len(different) > 1] == [], dataset


def numbered(number: int, **changes: str) -> list[Row]:
    """Claims with the references C1, C2 and so on; the changes are those of the first."""
    return claimed(changes, *({} for _ in range(number - 1)))


PAID: Row = {"claim_status": "paid", "approved_amount": "4800", "paid_amount": "4800", "paid_date": "2017-09-01"}
# dataset, rule, field; the rows of a file, those of the file before, and what is found of the whole file
NEARLY_ALIKE: list[tuple[str, str, str, list[Row], list[Row], str]] = [
    ("claims", "M24", "claim_id", numbered(20, **PAID), numbered(20),
     "19 of 20 claims are as in the extract to 30 June 2017"),
    ("claims", "M24", "claim_id", numbered(21, **PAID), numbered(20), ""),  # one is new
    ("claims", "M24", "claim_id", numbered(19, **PAID), numbered(19), ""),  # 18 of 19 are less than 95%
    ("claims", "M24", "claim_id", numbered(20), numbered(20), ""),  # F54 says so
    ("claims", "M24", "claim_id", numbered(20, **PAID), [], ""),
]  # fmt: skip


@pytest.mark.parametrize(("dataset", "rule_id", "field", "now", "before", "says"), NEARLY_ALIKE)
def test_a_file_that_is_nearly_that_of_an_earlier_quarter_is_asked_about(
    dataset: str, rule_id: str, field: str, now: list[Row], before: list[Row], says: str
) -> None:
    found = broken(rule_of(dataset, rule_id, field), {dataset: now}, {dataset: before} if before else {})
    assert found == ([(0, says)] if says else [])


def test_every_rule_between_rows_has_a_case() -> None:
    tried = {(d, i, f, rule_of(d, i, f, t).title) for d, i, f, t, *_ in CASES}
    stated = {(d, r.rule_id, r.field, r.title) for d in MONEY[2:] for r in datasets()[d].cross_check_rules
              if not r.whole_file}  # fmt: skip
    others = {(d, i, f) for d, i, f, _ in stated - tried}
    assert {(d, i, f) for d, i, f in others if i != "M01"} == {case[:3] for case in SINCE_BEFORE}
    assert {d for d, i, _ in others if i == "M01"} <= set(SCALED)
