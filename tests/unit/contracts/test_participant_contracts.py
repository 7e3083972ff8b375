"""Rules within a row of participants, referrals, randomisation, employment outcomes and contacts.

Every row is made up. A case names its rule by dataset, id, severity and field, so removing the rule fails the test;
so does adding a rule without a case. Rules between rows are in `test_participant_relations.py`.
"""

from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest
from participant_rows import CONTRACTS, CUT_OFF, ROW, VALID_ROWS, WARNING, Address, Row, d, days, find_rule, frame

from schemas._contract.code_lists import fold
from schemas._contract.model import Contract
from schemas._contract.polars_types import polars_type
from schemas._rules.checks import checks_of

# (dataset, rule, severity, field); then rows that satisfy the rule, that break it, and for which it is unknown.
LEEDS = "E08000035"
SEPTEMBER = {"period_start": d("2018-09-01")}
# 16 hours a week for 26 weeks at the wage of the day: 416 hours at £7.83, and at £8.21 from April 2019
WHP = {"outcome_definition_code": "WHP_JO", "earnings_to_date": Decimal("3257.28")}
SINCE_APRIL = {"job_start_date": d("2019-04-01"), "sust_13w_date": None, "sust_26w_date": None}
WITHIN_ROW: list[tuple[Address, list[Row], list[Row], list[Row]]] = [
    (
        ("participants", "V01", ROW, "gp_area_code"),
        [{}, {"programme_code": "MHT", "gp_area_code": None}],
        [{"gp_area_code": None}],
        [],
    ),
    (
        ("participants", "P09", WARNING, "la_code"),
        [
            {},
            {"gp_area_code": LEEDS},
            {"la_code": LEEDS},  # the GP practice is in the area
            {"la_code": LEEDS, "gp_area_code": "E38000146"},
            {"site_code": "MHT-BPL", "la_code": "E06000009", "gp_area_code": None},
            {"site_code": "MHT-BPL", "la_code": LEEDS, "gp_area_code": "E06000009"},
        ],
        [
            {"la_code": LEEDS, "gp_area_code": LEEDS},
            {"la_code": LEEDS, "gp_area_code": "E38000013"},  # of the other trial
            {"site_code": "MHT-BPL", "la_code": LEEDS, "gp_area_code": None},
            {"site_code": "MHT-BPL", "la_code": LEEDS, "gp_area_code": "E08000039"},
        ],
        [
            {"la_code": None},
            {"la_code": "E12000003", "gp_area_code": LEEDS},  # a region, part of which the site serves
            {"site_code": "MHT-BPL", "la_code": LEEDS, "gp_area_code": "E38000146"},  # no groups of its area are known
            {"site_code": "MWW-S4", "la_code": LEEDS, "gp_area_code": None},  # nor the areas of this site
        ],
    ),
    (
        ("participants", "P19", ROW, "consent_data_sharing"),
        [{}],
        [{"consent_data_sharing": False}],
        [{"consent_data_sharing": None}],
    ),
    (
        ("participants", "P19", WARNING, "consent_withdrawn_date"),
        [{"consent_withdrawn_date": d("2018-06-01")}],
        [{"consent_withdrawn_date": d("2018-05-31")}],
        [{"consent_withdrawn_date": None}],
    ),
    (
        ("participants", "P20", ROW, "deceased_date"),
        [{"deceased_date": d("2018-06-01")}],
        [{"deceased_date": d("2018-05-31")}],
        [{"deceased_date": None}, {"deceased_date": d("2018-05-31"), "consent_date": None}],
    ),
    (
        ("referrals", "V01", ROW, "ineligible_reason"),
        [{}, {"eligibility_outcome": "ineligible", "ineligible_reason": "age"}],
        [{"eligibility_outcome": "ineligible", "ineligible_reason": None}],
        [{"eligibility_outcome": None}],
    ),
    (
        ("referrals", "V01", ROW, "start_basis"),
        [{}, {"programme_start_date": None, "start_basis": None}],
        [{"start_basis": None}],
        [],
    ),
    (
        ("referrals", "P13", ROW, "programme_start_date"),
        [{"programme_start_date": d("2018-05-20")}],
        [{"programme_start_date": d("2018-05-19")}],
        [{"programme_start_date": None}],
    ),
    (
        ("referrals", "P14", ROW, "eligibility_date"),
        [{"eligibility_date": d("2018-05-20")}],
        [{"eligibility_date": d("2018-05-19")}],
        [{"eligibility_date": None}],
    ),
    (
        ("referrals", "P14", ROW, "eligibility_outcome"),
        [{}, {"eligibility_outcome": "ineligible", "programme_start_date": None}],
        [{"eligibility_outcome": "ineligible"}],
        [{"eligibility_outcome": None}],
    ),
    (
        ("referrals", "P17", ROW, "exit_reason"),
        [{}, {"exit_date": d("2019-01-04"), "exit_reason": "disengaged"}],
        [{"exit_date": d("2019-01-04")}, {"exit_reason": "disengaged"}],
        [],
    ),
    (
        ("referrals", "P17", ROW, "exit_date"),
        [{"exit_date": d("2018-06-15")}, {"exit_date": d("2018-05-21"), "programme_start_date": None}],
        [{"exit_date": d("2018-06-14")}, {"exit_date": d("2018-05-19"), "programme_start_date": None}],
        [{"exit_date": None}],
    ),
    *(
        (
            ("referrals", "E08", ROW, f"weekly_hours_{moment}"),
            [
                {f"employment_status_{moment}": "01", f"weekly_hours_{moment}": "02"},
                {f"employment_status_{moment}": "04", f"weekly_hours_{moment}": "98"},
                {f"employment_status_{moment}": "04", f"weekly_hours_{moment}": "99"},
            ],
            [
                {f"employment_status_{moment}": "01", f"weekly_hours_{moment}": "98"},
                {f"employment_status_{moment}": "08", f"weekly_hours_{moment}": "04"},
            ],
            [
                {f"employment_status_{moment}": None, f"weekly_hours_{moment}": "02"},
                {f"employment_status_{moment}": "02", f"weekly_hours_{moment}": None},
            ],
        )
        for moment in ("at_start", "at_exit")
    ),
    (
        ("randomisation", "T03", ROW, "baseline_completed_date"),
        [{"baseline_completed_date": d("2018-06-05")}],
        [{"baseline_completed_date": d("2018-06-06")}],
        [{"baseline_completed_date": None}],
    ),
    (
        ("randomisation", "T04", WARNING, "randomised_date"),
        [{"randomised_date": d("2018-05-01")}, {"programme_code": "MHT", "randomised_date": d("2016-05-01")}],
        [{"randomised_date": d("2018-04-30")}, {"randomised_date": d("2019-11-01")}],
        [{"randomised_date": None}],
    ),
    (
        ("randomisation", "T06", ROW, "trial_group"),
        [{"trial_group": "scr_iw"}, {"site_code": "HLT-WMCA", "trial_group": "wmca_oow"}],
        [{"trial_group": "wmca_oow"}, {"site_code": "HLT-WMCA", "trial_group": "scr_iw"}],
        [{"trial_group": None}],
    ),
    *(
        case
        for field, at_least in (("sust_13w_date", 91), ("sust_26w_date", 182))
        for case in (
            (
                ("employment_outcomes", "E03", ROW, field),
                [{field: days("2018-09-03", at_least)}],
                [{field: days("2018-09-03", at_least - 1)}],
                [{field: None}, {"job_start_date": None}],
            ),
            (
                ("employment_outcomes", "E04", ROW, field),
                [{field: CUT_OFF}],
                [{field: days("2020-03-31", 1)}],
                [{field: None}],
            ),
            (
                ("employment_outcomes", "E05", ROW, field),
                [
                    {field: d("2019-06-01"), "job_end_date": d("2019-06-01")},
                    {field: d("2019-06-01"), "job_end_date": d("2019-05-31"), "outcome_definition_code": "SUST_13"},
                ],
                [{field: d("2019-06-01"), "job_end_date": d("2019-05-31")}],
                [{"job_end_date": None}, {field: None, "job_end_date": d("2018-10-01")}],
            ),
        )
    ),
    (
        ("employment_outcomes", "E02", ROW, "sust_26w_date"),
        [{}, {"sust_26w_date": None}, {"sust_13w_date": None, "sust_26w_date": None}],
        [{"sust_13w_date": None}, {"sust_13w_date": d("2019-03-04")}],
        [],
    ),
    (
        ("employment_outcomes", "E16", ROW, "earnings_to_date"),
        [
            WHP,
            WHP | SINCE_APRIL | {"earnings_to_date": Decimal("3415.36")},
            WHP | {"job_type": "self_employed", "earnings_to_date": Decimal("0")},
            {"earnings_to_date": Decimal("0")},  # another definition
        ],
        [
            WHP | {"earnings_to_date": Decimal("3257.27")},
            WHP | SINCE_APRIL | {"earnings_to_date": Decimal("3415.35")},
        ],
        [
            WHP | {"earnings_to_date": None},
            WHP | {"job_start_date": d("2013-09-30"), "earnings_to_date": Decimal("0")},  # before the first wage
        ],
    ),
    (
        ("employment_outcomes", "E21", ROW, "left_job_reason"),
        [{}, {"job_end_date": d("2019-06-01"), "left_job_reason": "resigned"}],
        [{"left_job_reason": "resigned"}, {"left_job_reason": "not_known"}],
        [],
    ),
    (
        ("employment_outcomes", "E21", WARNING, "left_job_reason"),
        [{}, {"job_end_date": d("2019-06-01"), "left_job_reason": "not_known"}, {"left_job_reason": "resigned"}],
        [{"job_end_date": d("2019-06-01")}],
        [],
    ),
    *(
        (
            (dataset, "F57", WARNING, field),
            [SEPTEMBER | {field: d("2018-09-01")}, SEPTEMBER | {field: d("2018-09-30")}],
            [SEPTEMBER | {field: d("2018-08-31")}],
            [SEPTEMBER | {field: None}, {field: d("2010-01-01")}],  # an extract of everything to date
        )
        for dataset, field in (
            ("contacts", "contact_date"),
            ("employment_outcomes", "job_start_date"),
            ("randomisation", "randomised_date"),
            ("referrals", "referral_received_date"),
        )
    ),
    (
        ("employment_outcomes", "E05", ROW, "job_end_date"),
        [{"job_end_date": d("2018-09-03")}],
        [{"job_end_date": d("2018-09-02")}],
        [{"job_end_date": None}],
    ),
    (
        ("employment_outcomes", "E06", WARNING, "paid_hours_week"),
        [{}, {"outcome_definition_code": "WC_JO", "paid_hours_week": Decimal("16.0")}],
        [{"outcome_definition_code": "WC_JO", "paid_hours_week": Decimal("15.9")}],
        [{"outcome_definition_code": "WC_JO", "paid_hours_week": None}],
    ),
    (
        ("employment_outcomes", "E08", ROW, "weekly_hours_worked"),
        [{}, {"weekly_hours_worked": "97"}],
        [{"weekly_hours_worked": "98"}],
        [{"weekly_hours_worked": None}],
    ),
    (
        ("employment_outcomes", "E08", WARNING, "weekly_hours_worked"),
        [
            {"paid_hours_week": Decimal(hours), "weekly_hours_worked": code}
            for hours, code in (("30", "01"), ("29.5", "02"), ("16", "02"), ("5", "03"), ("4.9", "04"), ("40", "97"))
        ],
        [
            {"paid_hours_week": Decimal(hours), "weekly_hours_worked": code}
            for hours, code in (("29.5", "01"), ("30", "02"), ("16", "03"), ("5", "04"), ("37", "04"))
        ],
        [{"paid_hours_week": None}, {"weekly_hours_worked": None}],
    ),
    (
        ("employment_outcomes", "E10", ROW, "outcome_definition_code"),
        [{}, {"outcome_definition_code": "HLT_EMP13"}, {"programme_code": "WC", "outcome_definition_code": "WC_JO"}],
        [
            {"outcome_definition_code": "WC_JO"},
            {"programme_code": "MHT", "outcome_definition_code": "HLT_EMP13"},
            {"outcome_definition_code": "WHP_JO"},
        ],
        [{"outcome_definition_code": None}],
    ),
    (
        ("contacts", "K02", ROW, "duration_minutes"),
        [{}, {"attended": "6"}, {"attended": "3", "duration_minutes": 0}],
        [{"attended": "3"}, {"attended": "7", "duration_minutes": 1}],
        [{"attended": "3", "duration_minutes": None}],
    ),
    (
        ("contacts", "K03", ROW, "duration_minutes"),
        [{}, {"duration_minutes": 1}, {"attended": "3", "duration_minutes": None}],
        [{"duration_minutes": 0}, {"duration_minutes": None}, {"attended": "6", "duration_minutes": None}],
        [{"attended": None, "duration_minutes": None}],
    ),
]


@pytest.mark.parametrize(("address", "satisfying", "breaking", "unknown"), WITHIN_ROW, ids=lambda a: str(a)[:60])
def test_a_rule_within_a_row_finds_the_rows_that_break_it(
    address: Address, satisfying: list[Row], breaking: list[Row], unknown: list[Row]
) -> None:
    rule = find_rule(*address)
    assert rule.check is not None
    rows = frame(CONTRACTS[address[0]], [*satisfying, *breaking, *unknown])
    answers = rows.select(rule.check().fill_null(True).alias("holds"))["holds"].to_list()
    assert answers == [True] * len(satisfying) + [False] * len(breaking) + [True] * len(unknown)


def test_every_rule_within_a_row_has_a_case() -> None:
    rules = [(name, r.rule_id, r.severity, r.field) for name, contract in CONTRACTS.items() for r in contract.row_rules]
    assert sorted(address for address, *_ in WITHIN_ROW) == sorted(rules)


# dataset, field, a cell that its field does not allow, and the rule that reports it
CELL_CHECKS: list[tuple[str, str, object, str]] = [
    ("randomisation", "arm", "waiting_list", "T05"),
    ("employment_outcomes", "job_type", "volunteering", "E07"),
    ("employment_outcomes", "outcome_definition_code", "MADE_UP", "E10"),
    ("employment_outcomes", "paid_hours_week", Decimal("0.4"), "E06"),
    ("employment_outcomes", "paid_hours_week", Decimal("80.1"), "E06"),
    ("participants", "year_of_birth", 1929, "V03"),
]


@pytest.mark.parametrize(("dataset", "name", "cell", "rule_id"), CELL_CHECKS)
def test_a_cell_check_has_the_rule_id_that_its_field_names(dataset: str, name: str, cell: object, rule_id: str) -> None:
    contract = CONTRACTS[dataset]
    rows = pl.DataFrame({name: [VALID_ROWS[dataset][name], cell]}, schema={name: polars_type(contract.by_name[name])})
    answers = [(i, rows.select(check).to_series().to_list()) for i, check in checks_of(contract.by_name[name])]
    assert [i for i, (_, invalid) in answers if not invalid] == [rule_id]
    assert all(valid for _, (valid, _) in answers)


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)
def test_headings_and_report_keys_are_unique(contract: Contract) -> None:
    headings: dict[str, str] = {}
    for f in contract.fields:
        for heading in {fold(text) for text in (f.name, f.title, *f.aliases)}:
            assert headings.setdefault(heading, f.name) == f.name
    report_keys = [(r.rule_id, r.severity, r.field) for r in contract.rules]
    assert len(report_keys) == len(set(report_keys)), "a report would merge two rules with the same key"


def test_only_t02_reinstates_an_earlier_row() -> None:
    assert {r.rule_id for c in CONTRACTS.values() for r in c.rules if r.reinstate_sql} == {"T02"}
