"""The real figures in the published record, and the rules of datasets without participants."""

from __future__ import annotations

from decimal import Decimal

import pytest
from public_figure_rows import CONTRACTS, VALID_ROWS, Row, broken_rows, frame, published_record, satisfies

from schemas._contract.code_lists import code_list
from schemas._rules.checks import checks_of
from schemas._rules.datasets.public_figures import MHT_ANNOUNCED, MHT_HEADLINE, MHT_MATCH

# The published record


def pounds(rows: list[dict[str, str]], **where: str) -> Decimal:
    """The sum of the known amounts of rows with these values."""
    return sum((Decimal(r["amount"]) for r in rows if r["amount"] and where.items() <= r.items()), Decimal(0))


def test_trailblazer_amounts_add_up_by_stage() -> None:
    awards, match = published_record("funding_awards"), published_record("match_funding")
    assert pounds(awards, programme_code="MHT", award_stage="indicative_cap") == 7_000_000
    assert pounds(awards, programme_code="MHT", award_stage="announced") == MHT_ANNOUNCED == 6_000_000
    assert pounds(match, programme_code="MHT", match_stage="pledged") == MHT_MATCH == 6_000_000
    assert pounds(match) == 6_000_000
    assert MHT_HEADLINE == 12_000_000
    (headline,) = (r for r in published_record("published_measures") if r["measure_name"] == "headline_investment")
    assert Decimal(headline["value"]) == MHT_HEADLINE


def test_caps_have_a_financial_year_and_announcements_none() -> None:
    years_by_stage = {
        stage: {r["financial_year"] for r in published_record("funding_awards") if r["award_stage"] == stage}
        for stage in ("indicative_cap", "announced")
    }
    assert years_by_stage == {"indicative_cap": {"2015-16"}, "announced": {""}}


def test_the_three_million_award_belongs_to_the_pww_pilots() -> None:
    (award,) = (r for r in published_record("funding_awards") if r["amount"] == "3000000.00")
    assert (award["programme_code"], award["recipient_org_name"]) == ("PWW", "")
    assert "Department for Work and Pensions and the Department of Health" in award["source_wording"]


def test_unknown_amounts_are_empty() -> None:
    for row in published_record("funding_awards") + published_record("match_funding"):
        assert (row["amount"] != "") == (row["amount_status"] == "known")
        assert row["amount"] == "" or Decimal(row["amount"]) > 0


def test_the_target_of_340_people_or_jobs_is_flagged_as_conflicting() -> None:
    targets = {r["target_id"]: r for r in published_record("targets") if r["programme_code"] == "MWW"}
    assert {(r["unit"], r["target_value"]) for r in targets.values()} == {("people", "340"), ("jobs", "340")}
    assert all(targets[r["conflicts_with"]]["conflicts_with"] == r["target_id"] for r in targets.values())


def test_published_targets_are_recorded() -> None:
    values = {
        (r["programme_code"], r["about_site_code"], r["qualifier"], r["target_value"])
        for r in published_record("targets")
    }
    assert values >= {
        ("MHT", "", "", "5000"),
        ("MHT", "MHT-WLA", "", "1040"),
        ("MHT", "MHT-BPL", "more than", "1000"),
        ("HLT", "HLT-WMCA", "around", "5000"),
    }


def test_the_parts_of_the_cost_of_mental_ill_health_add_up() -> None:
    value = {r["benchmark_id"]: Decimal(r["value"]) for r in published_record("benchmarks") if r["value"]}
    parts = sum(value[f"COST-105BN-{part}"] for part in ("CARE", "OUTPUT", "HUMAN"))
    assert parts == value["COST-105BN"] == 105_200_000_000


def test_trial_recruits_add_up_by_site() -> None:
    values = {
        r["organisation_code"]: int(r["value"])
        for r in published_record("published_measures")
        if r["measure_name"] == "people_randomised"
    }
    assert values == {"HLT": 9785, "HLT-SCR": 6110, "HLT-WMCA": 3675}
    assert values["HLT"] == values["HLT-SCR"] + values["HLT-WMCA"]


def test_the_first_quarter_of_work_choice_is_recorded() -> None:
    values = [
        int(r["value"])
        for r in published_record("published_measures")
        if (r["programme_code"], r["reporting_period"]) == ("WC", "April to June 2015")
    ]
    assert values == [3800, 3690, 2900, 2890, 2530, 2520]


def test_every_programme_has_published_figures_and_awards() -> None:
    programmes = {r["programme_code"] for name in CONTRACTS for r in published_record(name)} - {""}
    assert programmes == set(code_list("programmes").codes)
    awarded = {r["programme_code"] for r in published_record("funding_awards")}
    assert awarded == set(code_list("programmes").codes)


@pytest.mark.parametrize("name", CONTRACTS)
def test_every_published_row_has_a_source_and_a_unique_key(name: str) -> None:
    contract, rows = CONTRACTS[name], published_record(name)
    assert list(rows[0]) == [f.name for f in contract.fields]
    assert all(r["source_document"] for r in rows)
    keys = [tuple(r[k] for k in contract.key) for r in rows]
    assert len(set(keys)) == len(keys)
    assert all(all(key) for key in keys)


@pytest.mark.parametrize("name", CONTRACTS)
def test_the_published_record_breaks_no_rule(name: str) -> None:
    contract = CONTRACTS[name]
    data = frame(contract, published_record(name))  # type: ignore[arg-type]
    for field in contract.fields:
        assert not field.required or data[field.name].null_count() == 0, field.name
        for rule_id, valid in checks_of(field):
            assert data.filter(~valid.fill_null(True)).is_empty(), (field.name, rule_id)
    for rule in contract.row_rules:
        assert satisfies(rule, data), (rule.rule_id, rule.field)
    for rule in contract.cross_check_rules:
        assert broken_rows(rule, {name: data}) == [], (rule.rule_id, rule.title)


# The rules: dataset, rule, field, a row that satisfies the rule and one that breaks it

ROW_CASES: list[tuple[str, str, str, Row, Row]] = [
    ("funding_awards", "M01", "amount", {}, {"amount": "1100"}),
    ("funding_awards", "M01", "amount", {"programme_code": "MWW", "amount": "1100"}, {"amount": "110000000"}),
    ("funding_awards", "M02", "award_stage", {"source_wording": "will get £1.2m"}, {"source_wording": "Up to £1.2m"}),
    (
        "funding_awards",
        "M02",
        "award_stage",
        {"award_stage": "indicative_cap", "source_wording": "up to £1.2m"},
        {"award_stage": "announced", "source_wording": "up to £1.2m"},
    ),
    (
        "funding_awards",
        "M02",
        "award_stage",
        {"award_stage": "prospective", "source_wording": "up to £1.2m"},
        {"award_stage": "awarded", "source_wording": "up to £1.2m"},
    ),
    ("funding_awards", "M02", "amount", {"amount": "6000000"}, {"amount": "13000000"}),
    ("funding_awards", "M04", "funding_org_name", {}, {"recipient_org_name": "a department "}),
    (
        "funding_awards",
        "M04",
        "funding_org_name",
        {"funding_org_id": "GB-GOR-D4"},
        {"funding_org_id": "GB-LAE-BPL", "recipient_org_id": "GB-LAE-BPL"},
    ),
    (
        "funding_awards",
        "M04",
        "funding_org_name",
        {"funding_org_name": "A department; another"},
        {"funding_org_name": "A department; a council"},
    ),
    ("funding_awards", "M04", "amount", {}, {"amount": "12000000"}),
    ("funding_awards", "V01", "source_document", {}, {"source_document": "the funder's own file of grants"}),
    ("funding_awards", "V04", "la_codes", {"la_codes": "E06000009;E08000003"}, {"la_codes": "Blackpool"}),
    ("funding_awards", "V04", "la_codes", {"programme_code": None}, {"programme_code": None, "la_codes": "N1 9AL"}),
    ("funding_awards", "M05", "award_id", {"award_id": "360G-abc-1"}, {"award_id": "360G-abc/1"}),
    ("funding_awards", "M05", "award_id", {"award_id": "MHT-1"}, {"award_id": "360g abc 1"}),
    (
        "funding_awards",
        "M05",
        "recipient_org_id",
        {"recipient_org_id": "GB-COH-09506232"},
        {"recipient_org_id": "GB-COH-9506232"},
    ),
    (
        "funding_awards",
        "M05",
        "funding_org_id",
        {"funding_org_id": "360G-ABCT-ORG:0065"},
        {"funding_org_id": "GB-CHC 279417"},
    ),
    (
        "funding_awards",
        "M07",
        "end_date",
        {"end_date": "2016-03-31"},
        {"start_date": "2016-04-01", "end_date": "2016-03-31"},
    ),
    (
        "funding_awards",
        "M07",
        "award_date",
        {"award_date": "2015-04-01", "end_date": "2016-03-31"},
        {"award_date": "2016-04-01", "end_date": "2016-03-31"},
    ),
    ("funding_awards", "M07", "award_month", {"award_month": "2014-07-01"}, {"award_month": "2014-07-15"}),
    (
        "funding_awards",
        "M07",
        "award_month",
        {"award_month": "2014-07-01", "award_date": "2014-07-31"},
        {"award_month": "2014-07-01", "award_date": "2014-08-01"},
    ),
    ("funding_awards", "M25", "amount", {}, {"amount": None}),
    (
        "funding_awards",
        "M25",
        "amount",
        {"amount": None, "amount_status": "unknown"},
        {"amount_status": "not_published"},
    ),
    ("funding_awards", "M26", "amount", {"award_stage": "varied", "amount": "-100000"}, {"amount": "-100000"}),
    ("funding_awards", "M26", "amount", {"programme_code": None, "amount": "0"}, {"amount": "0"}),
    ("match_funding", "M01", "amount", {}, {"amount": "6000"}),
    (
        "match_funding",
        "M08",
        "valuation_basis",
        {"match_kind": "in_kind", "valuation_basis": "rent"},
        {"match_kind": "in_kind"},
    ),
    ("match_funding", "M08", "amount", {}, {"amount": "-5"}),
    ("match_funding", "M25", "amount", {}, {"amount": None}),
    ("targets", "M20", "unit", {}, {"unit": "jobs"}),
    (
        "targets",
        "M21",
        "outcome_definition_code",
        {"outcome_definition_code": ""},
        {"outcome_definition_code": "WC_JO"},
    ),
    (
        "targets",
        "M21",
        "outcome_definition_code",
        {"outcome_definition_code": "SUST_26"},
        {"outcome_definition_code": "WHP_JO"},
    ),
    ("targets", "M20", "unit", {"metric_code": "population", "unit": "events"}, {"metric_code": "jobs"}),
    ("benchmarks", "C21", "value", {}, {"value": "101"}),
    ("benchmarks", "M25", "value", {"value": None, "value_status": "in_words"}, {"value_status": "in_words"}),
    (
        "benchmarks",
        "V03",
        "value_low",
        {"value_low": "30", "value_high": "50"},
        {"value_low": "41", "value_high": "50"},
    ),
    ("published_measures", "M25", "value", {}, {"value": None}),
    (
        "published_measures",
        "M25",
        "value",
        {"value": None, "value_status": "suppressed"},
        {"value_status": "suppressed"},
    ),
    ("published_measures", "C21", "value", {"measure_statistic": "count", "value": "101"}, {"value": "101"}),
    (
        "published_measures",
        "M07",
        "end_date",
        {"start_date": "2017-04-01", "end_date": "2018-03-31"},
        {"start_date": "2017-04-01", "end_date": "2016-03-31"},
    ),
    ("published_measures", "M28", "numerator", {"numerator": 5, "denominator": 9}, {"numerator": 9, "denominator": 5}),
]


@pytest.mark.parametrize(("name", "rule_id", "field", "valid", "invalid"), ROW_CASES)
def test_a_rule_within_a_row_finds_the_row_that_breaks_it(
    name: str, rule_id: str, field: str, valid: Row, invalid: Row
) -> None:
    contract = CONTRACTS[name]
    rules = [r for r in contract.row_rules if (r.rule_id, r.field) == (rule_id, field)]
    assert rules
    assert all(satisfies(r, frame(contract, [VALID_ROWS[name] | valid])) for r in rules)
    assert not all(satisfies(r, frame(contract, [VALID_ROWS[name] | invalid])) for r in rules)


def test_every_rule_within_a_row_has_a_case() -> None:
    defined = {(c.dataset, r.rule_id, r.field) for c in CONTRACTS.values() for r in c.row_rules}
    assert defined == {case[:3] for case in ROW_CASES}


def test_a_funder_file_must_have_360giving_identifiers() -> None:
    contract = CONTRACTS["funding_awards"]
    (rule,) = (r for r in contract.row_rules if (r.rule_id, r.field) == ("M05", "award_id"))
    assert satisfies(rule, frame(contract, [{"award_id": "A-1"}], sender="PMO"))
    assert not satisfies(rule, frame(contract, [{"award_id": "A-1"}], sender="GRANTNAV"))


PLEDGE: Row = {"match_stage": "pledged"}
RELATION_CASES: list[tuple[str, str, str, list[Row], list[int]]] = [
    ("funding_awards", "M03", "amount", [{"award_stage": "announced", "amount": "6000000"}], []),
    ("funding_awards", "M03", "amount", [{"award_stage": "announced", "amount": "5000000"}], [2]),
    ("funding_awards", "M03", "amount", [{"award_stage": "indicative_cap", "amount": "6000000"}], [2]),
    ("funding_awards", "M27", "about_site_code", [{}, {"about_site_code": "HLT-SCR"}, {"about_site_code": None}], [3]),
    ("match_funding", "M03", "amount", [PLEDGE | {"amount": "6000000"}], []),
    ("match_funding", "M03", "amount", [PLEDGE | {"amount": "7000000"}], [2]),
    ("match_funding", "M08", "amount", [PLEDGE, {"match_id": "M-2", "amount": "1500000"}], []),
    ("match_funding", "M08", "amount", [PLEDGE, {"match_id": "M-2", "amount": "1500001"}], [3]),
    (
        "match_funding",
        "M09",
        "evidence_ref",
        [
            {"evidence_ref": "E-1", "award_id": "A-1"},
            {"evidence_ref": "E-1", "award_id": "A-2"},
            {"evidence_ref": "E-2", "award_id": "A-2"},
            {"evidence_ref": "E-2", "award_id": "A-2"},
            {"evidence_ref": "E-3", "match_stage": "confirmed"},
            {"evidence_ref": "E-3"},
            {},
            {},
        ],
        [3, 5],
    ),
    ("match_funding", "M27", "about_site_code", [{"about_site_code": "MWW-LIN"}, {}], [2]),
    ("targets", "M20", "unit", [{}, {"target_id": "T-2", "metric_code": "jobs", "unit": "jobs"}], [2, 3]),
    (
        "targets",
        "M20",
        "unit",
        [
            {"conflicts_with": "T-2"},
            {"target_id": "T-2", "metric_code": "jobs", "unit": "jobs", "conflicts_with": "T-1"},
        ],
        [],
    ),
    ("targets", "M20", "programme_code", [{}, {"target_id": "T-2", "programme_code": "HLT"}], [2, 3]),
    ("targets", "M20", "programme_code", [{}, {"programme_code": "HLT", "source_document": "another"}], []),
    ("targets", "M27", "about_site_code", [{"about_site_code": "MHT-GM"}, {}], [2]),
    ("delivery_approaches", "M27", "about_site_code", [{"about_site_code": "MWW-LIN"}, {}], [2]),
    ("published_measures", "M27", "about_site_code", [{"about_site_code": "MWW-LIN"}, {}], [2]),
    ("published_statements", "M27", "about_site_code", [{"about_site_code": "MWW-LIN"}, {}], [2]),
]


@pytest.mark.parametrize(("name", "rule_id", "field", "rows", "broken"), RELATION_CASES)
def test_a_rule_between_rows_finds_the_rows_that_break_it(
    name: str, rule_id: str, field: str, rows: list[Row], broken: list[int]
) -> None:
    contract = CONTRACTS[name]
    data = frame(contract, [VALID_ROWS[name] | r for r in rows])
    rules = [r for r in contract.cross_check_rules if (r.rule_id, r.field) == (rule_id, field)]
    assert sorted({row for r in rules for row in broken_rows(r, {name: data})}) == broken
