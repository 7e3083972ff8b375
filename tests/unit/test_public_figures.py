"""The real figures of the pilots, and the rules that keep them apart."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl
import pytest

from schemas.cell_rules import checks_of
from schemas.codes import code_list
from schemas.contract import Contract, Kind, Rule
from schemas.core import (
    benchmarks,
    delivery_approaches,
    funding_awards,
    match_funding,
    published_measures,
    targets,
)
from schemas.core._public_figures import MHT_ANNOUNCED, MHT_HEADLINE, MHT_MATCH
from schemas.derive import create_table, polars_type

ROOT = Path(__file__).parents[2]
CONTRACTS = {
    m.CONTRACT.dataset: m.CONTRACT
    for m in (funding_awards, match_funding, targets, benchmarks, delivery_approaches, published_measures)
}
Row = dict[str, object]

BASE: dict[str, Row] = {
    "funding_awards": {
        "award_id": "A-1",
        "award_stage": "awarded",
        "award_version": 1,
        "programme_code": "MHT",
        "about_site_code": "MHT-BPL",
        "funding_org_name": "A department",
        "recipient_org_name": "A council",
        "amount": "1100000",
        "amount_status": "known",
        "currency": "GBP",
        "source_document": "a test",
    },
    "match_funding": {
        "match_id": "M-1",
        "programme_code": "MHT",
        "match_source_type": "nhs",
        "match_kind": "cash",
        "match_stage": "evidenced",
        "amount": "1000000",
        "amount_status": "known",
        "currency": "GBP",
        "source_document": "a test",
    },
    "targets": {
        "target_id": "T-1",
        "programme_code": "MWW",
        "metric_code": "participants",
        "unit": "people",
        "target_value": "340",
        "source_document": "a test",
    },
    "benchmarks": {
        "benchmark_id": "B-1",
        "benchmark_name": "a figure",
        "measure_statistic": "percentage",
        "value": "40",
        "population": "all",
        "caveat": "made up",
        "source_document": "a test",
    },
    "delivery_approaches": {
        "approach_id": "D-1",
        "programme_code": "MHT",
        "delivery_approach": "key_worker",
        "source_document": "a test",
    },
    "published_measures": {
        "organisation_type": "Country",
        "organisation_code": "All",
        "organisation_name": "All",
        "reporting_period": "2017-18",
        "breakdown_type": "Total",
        "breakdown": "All",
        "second_breakdown": "All",
        "measure_name": "recovery",
        "measure_statistic": "percentage",
        "value": "50.8",
        "value_status": "known",
        "source_document": "a test",
    },
}


def real_rows(dataset: str) -> list[dict[str, str]]:
    """The programme office's delivery of a dataset, as text."""
    (path,) = (ROOT / "data/raw/PMO").glob(f"PMO_{dataset}_*_v1.csv")
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def frame(contract: Contract, rows: list[Row], sender: str = "PMO") -> pl.DataFrame:
    """Rows with the types of the contract, and what the judge adds to them."""
    texts = [{f.name: str(r.get(f.name) or "") or None for f in contract.fields} for r in rows]
    typed = pl.DataFrame(texts, schema={f.name: pl.String for f in contract.fields}).select(
        pl.col(f.name).str.to_date() if f.kind is Kind.DATE else pl.col(f.name).cast(polars_type(f))
        for f in contract.fields
    )
    about = [] if "programme_code" in contract.by_name else [pl.lit("").alias("programme_code")]
    return typed.with_columns(
        *about,
        pl.lit(sender).alias("site_code"),
        pl.lit("2024-04-30").str.to_date().alias("data_cut_date"),
        pl.lit("D-1").alias("delivery_id"),
        (pl.int_range(pl.len()) + 2).alias("source_row"),
    )


def keeps(rule: Rule, data: pl.DataFrame) -> bool:
    """Whether every row keeps a rule within a row; an unknown answer keeps it."""
    assert rule.holds is not None
    return bool(data.select(rule.holds().fill_null(True).all()).item())


def broken_rows(rule: Rule, tables: dict[str, pl.DataFrame], past: pl.DataFrame | None = None) -> list[int]:
    """The source rows that break a rule between rows, over tables made from the contracts."""
    with duckdb.connect() as db:
        db.execute("create schema core; create schema history")
        db.execute(
            "create table core.sites as from read_csv(?, all_varchar = true)", [str(ROOT / "schemas/core/sites.csv")]
        )
        for name, contract in CONTRACTS.items():
            db.execute(create_table("core", contract, sent_by_sites=True))
            db.execute(f"create table history.{name} as select *, now()::timestamp received_at from core.{name}")
            db.execute(f"alter table history.{name} add column data_cut_date date")
        for name, data in tables.items():
            db.register("sent", data)
            db.execute(f"insert into core.{name} by name select * exclude (data_cut_date) from sent")
            db.execute(f"insert into history.{name} by name select *, timestamp '2017-01-02' received_at from sent")
            if past is not None:
                db.register("sent_before", past)
                db.execute(
                    f"insert into history.{name} by name select *, timestamp '2016-01-02' received_at from sent_before"
                )
        return sorted(row for _, row in db.execute(rule.breaks_sql).fetchall())


# The figures


def pounds(rows: list[dict[str, str]], **where: str) -> Decimal:
    return sum((Decimal(r["amount"]) for r in rows if r["amount"] and where.items() <= r.items()), Decimal(0))


def test_trailblazer_sums() -> None:
    awards, match = real_rows("funding_awards"), real_rows("match_funding")
    assert pounds(awards, programme_code="MHT", award_stage="indicative_cap") == 7_000_000
    assert pounds(awards, programme_code="MHT", award_stage="announced") == MHT_ANNOUNCED == 6_000_000
    assert pounds(match, programme_code="MHT", match_stage="pledged") == MHT_MATCH == 6_000_000
    assert pounds(match) == 6_000_000
    assert MHT_HEADLINE == 12_000_000
    (headline,) = (r for r in real_rows("published_measures") if r["measure_name"] == "headline_investment")
    assert Decimal(headline["value"]) == MHT_HEADLINE


def test_caps_have_a_financial_year_and_announcements_none() -> None:
    of_stage = {
        stage: {r["financial_year"] for r in real_rows("funding_awards") if r["award_stage"] == stage}
        for stage in ("indicative_cap", "announced")
    }
    assert of_stage == {"indicative_cap": {"2015-16"}, "announced": {""}}


def test_the_three_million_stands_apart() -> None:
    (award,) = (r for r in real_rows("funding_awards") if r["amount"] == "3000000.00")
    assert (award["programme_code"], award["recipient_org_name"]) == ("PWW", "")
    assert "Department for Work and Pensions and the Department of Health" in award["source_wording"]


def test_unknown_amounts_are_empty() -> None:
    for row in real_rows("funding_awards") + real_rows("match_funding"):
        assert (row["amount"] != "") == (row["amount_status"] == "known")
        assert row["amount"] == "" or Decimal(row["amount"]) > 0


def test_340_is_stated_as_people_and_as_jobs_and_flagged() -> None:
    stated = {r["target_id"]: r for r in real_rows("targets") if r["programme_code"] == "MWW"}
    assert {(r["unit"], r["target_value"]) for r in stated.values()} == {("people", "340"), ("jobs", "340")}
    assert all(stated[r["conflicts_with"]]["conflicts_with"] == r["target_id"] for r in stated.values())


def test_target_figures() -> None:
    found = {
        (r["programme_code"], r["about_site_code"], r["qualifier"], r["target_value"]) for r in real_rows("targets")
    }
    assert found >= {
        ("MHT", "", "", "5000"),
        ("MHT", "MHT-WLA", "", "1040"),
        ("MHT", "MHT-BPL", "more than", "1000"),
        ("HLT", "HLT-WMCA", "around", "5000"),
    }


def test_cost_of_mental_ill_health_adds_up_to_what_it_really_is() -> None:
    value = {r["benchmark_id"]: Decimal(r["value"]) for r in real_rows("benchmarks")}
    parts = sum(value[f"COST-105BN-{part}"] for part in ("CARE", "OUTPUT", "HUMAN"))
    assert parts == value["COST-105BN"] == 105_200_000_000


def test_trial_recruits_add_up() -> None:
    found = {
        r["organisation_code"]: int(r["value"])
        for r in real_rows("published_measures")
        if r["measure_name"] == "people_randomised"
    }
    assert found == {"HLT": 9785, "HLT-SCR": 6110, "HLT-WMCA": 3675}
    assert found["HLT"] == found["HLT-SCR"] + found["HLT-WMCA"]


def test_work_choice_first_quarter() -> None:
    found = [
        int(r["value"])
        for r in real_rows("published_measures")
        if (r["programme_code"], r["reporting_period"]) == ("WC", "April to June 2015")
    ]
    assert found == [3800, 3690, 2900, 2890, 2530, 2520]


def test_every_programme_has_rows() -> None:
    named = {r["programme_code"] for name in CONTRACTS for r in real_rows(name)} - {""}
    assert named == set(code_list("programmes").codes)
    awarded = {r["programme_code"] for r in real_rows("funding_awards")}
    assert awarded == set(code_list("programmes").codes)


@pytest.mark.parametrize("name", CONTRACTS)
def test_every_real_row_has_its_source_and_its_own_key(name: str) -> None:
    contract, rows = CONTRACTS[name], real_rows(name)
    assert list(rows[0]) == [f.name for f in contract.fields]
    assert all(r["source_document"] for r in rows)
    keys = [tuple(r[k] for k in contract.key) for r in rows]
    assert len(set(keys)) == len(keys)
    assert all(all(key) for key in keys)


@pytest.mark.parametrize("name", CONTRACTS)
def test_real_rows_break_no_rule(name: str) -> None:
    contract = CONTRACTS[name]
    data = frame(contract, real_rows(name))  # type: ignore[arg-type]
    for field in contract.fields:
        assert not field.required or data[field.name].null_count() == 0, field.name
        for rule_id, good in checks_of(field):
            assert data.filter(~good.fill_null(True)).is_empty(), (field.name, rule_id)
    for rule in contract.row_rules:
        assert keeps(rule, data), (rule.rule_id, rule.on)
    for rule in contract.relation_rules:
        assert broken_rows(rule, {name: data}) == [], (rule.rule_id, rule.title)


# The rules, each with a row that keeps it and one that breaks it

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
    ("funding_awards", "M02", "amount", {"amount": "6000000"}, {"amount": "13000000"}),
    ("funding_awards", "M04", "funding_org_name", {}, {"recipient_org_name": "a department "}),
    (
        "funding_awards",
        "M04",
        "funding_org_name",
        {"funding_org_id": "GB-GOR-D4"},
        {"funding_org_id": "GB-LAE-BPL", "recipient_org_id": "GB-LAE-BPL"},
    ),
    ("funding_awards", "M04", "amount", {}, {"amount": "12000000"}),
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
    ("targets", "M20", "unit", {"metric_code": "population", "unit": "events"}, {"metric_code": "jobs"}),
    ("benchmarks", "C21", "value", {}, {"value": "101"}),
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


@pytest.mark.parametrize(("name", "rule_id", "on", "good", "bad"), ROW_CASES)
def test_rule_within_a_row(name: str, rule_id: str, on: str, good: Row, bad: Row) -> None:
    contract = CONTRACTS[name]
    rules = [r for r in contract.row_rules if (r.rule_id, r.on) == (rule_id, on)]
    assert rules
    assert all(keeps(r, frame(contract, [BASE[name] | good])) for r in rules)
    assert not all(keeps(r, frame(contract, [BASE[name] | bad])) for r in rules)


def test_every_rule_within_a_row_has_a_case() -> None:
    stated = {(c.dataset, r.rule_id, r.on) for c in CONTRACTS.values() for r in c.row_rules}
    assert stated == {case[:3] for case in ROW_CASES}


def test_a_funder_file_must_have_360giving_identifiers() -> None:
    contract = CONTRACTS["funding_awards"]
    (rule,) = (r for r in contract.row_rules if (r.rule_id, r.on) == ("M05", "award_id"))
    assert keeps(rule, frame(contract, [{"award_id": "A-1"}], sender="PMO"))
    assert not keeps(rule, frame(contract, [{"award_id": "A-1"}], sender="GRANTNAV"))


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
    ("match_funding", "M27", "about_site_code", [{"about_site_code": "MWW-LIN"}], [2]),
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
    ("targets", "M27", "about_site_code", [{"about_site_code": "MHT-GM"}], [2]),
    ("delivery_approaches", "M27", "about_site_code", [{"about_site_code": "MWW-LIN"}], [2]),
    ("published_measures", "M27", "about_site_code", [{"about_site_code": "MWW-LIN"}], [2]),
]


@pytest.mark.parametrize(("name", "rule_id", "on", "rows", "broken"), RELATION_CASES)
def test_rule_between_rows(name: str, rule_id: str, on: str, rows: list[Row], broken: list[int]) -> None:
    contract = CONTRACTS[name]
    data = frame(contract, [BASE[name] | r for r in rows])
    rules = [r for r in contract.relation_rules if (r.rule_id, r.on) == (rule_id, on)]
    assert sorted({row for r in rules for row in broken_rows(r, {name: data})}) == broken


def test_an_amount_sent_in_another_scale_than_before_is_warned_of() -> None:
    contract = CONTRACTS["funding_awards"]
    (rule,) = (r for r in contract.relation_rules if r.rule_id == "M01")
    now = frame(contract, [BASE["funding_awards"], BASE["funding_awards"] | {"award_id": "A-2"}])
    past = frame(contract, [BASE["funding_awards"] | {"amount": "1100"}]).with_columns(
        pl.lit("D-0").alias("delivery_id")
    )
    assert broken_rows(rule, {"funding_awards": now}, past) == [2]
    assert broken_rows(rule, {"funding_awards": now}) == []


# What several senders say of one sum. Each row names its sender; the first is row 2

GRANT: Row = {"award_id": "360G-abc-1", "award_stage": "announced", "amount": "2600000", "about_site_code": None}
PLEDGED: Row = {"match_stage": "pledged", "amount": "1100000", "about_site_code": "MHT-BPL"}
WHOLE: Row = {"match_id": "M-0", "match_stage": "pledged", "amount": "6000000"}
CAP: Row = {"award_stage": "indicative_cap"}
OF_GM: Row = {"sender": "MHT-GM", "match_id": "G-1", "about_site_code": None}
SENDERS_CASES: list[tuple[str, str, list[Row], list[int]]] = [
    # one identifier, another amount: both senders are told
    ("funding_awards", "M29", [GRANT, GRANT | {"sender": "GRANTNAV", "amount": "2500000"}], [2, 3]),
    ("funding_awards", "M29", [GRANT, GRANT | {"sender": "MHT-GM", "amount": "2600000.50"}], []),
    ("funding_awards", "M29", [GRANT, GRANT | {"sender": "MHT-GM", "award_version": 2, "amount": "2500000"}], []),
    ("funding_awards", "M29", [GRANT, GRANT | {"sender": "MHT-GM", "amount": None, "amount_status": "unknown"}], []),
    ("funding_awards", "M29", [{}, {"sender": "MHT-BPL", "amount": "1000000"}], [2, 3]),  # one reference, one site
    ("funding_awards", "M29", [{}, {"sender": "MHT-GM", "about_site_code": None, "amount": "1000000"}], []),
    # another identifier, the same sum
    ("funding_awards", "M30", [GRANT, GRANT | {"sender": "MHT-GM", "award_id": "360G-abc-2"}], []),  # whose area?
    ("funding_awards", "M30", [{}, {"sender": "MHT-BPL", "award_id": "A-2", "about_site_code": None}], [2, 3]),
    ("funding_awards", "M30", [{}, {"award_id": "A-2", "funding_org_name": "a Department "}], [2, 3]),
    ("funding_awards", "M30", [{}, {"award_id": "A-2", "amount": "1100001"}], []),
    ("funding_awards", "M30", [{}, {"award_id": "A-2", "award_stage": "announced"}], []),
    ("funding_awards", "M30", [{}, {"award_id": "A-2", "funding_org_name": "Another department"}], []),
    ("funding_awards", "M30", [{}, {"award_id": "A-2", "about_site_code": "MHT-GM"}], []),
    ("funding_awards", "M30", [{}, {"award_id": "A-2", "programme_code": "HLT"}], []),
    ("funding_awards", "M30", [{}, {"award_id": "A-2", "supersedes_award_id": "A-1"}], []),
    ("funding_awards", "M30", [{"financial_year": "2015-16"}, {"award_id": "A-2", "financial_year": "2016-17"}], []),
    ("funding_awards", "M30", [{"programme_code": None}, {"programme_code": None, "award_id": "A-2"}], []),
    # above the cap
    ("funding_awards", "M31", [CAP, {"amount": "1100001"}], []),
    ("funding_awards", "M31", [CAP, {"amount": "1100002"}], [3]),
    ("funding_awards", "M31", [CAP, {"award_stage": "announced", "amount": "2000000"}], [3]),
    (
        "funding_awards",
        "M31",
        [CAP, {"amount": "1050000"}, {"award_stage": "varied", "amount": "60000"}],
        [4],
    ),
    ("funding_awards", "M31", [CAP, {"sender": "MHT-BPL", "amount": "1200000"}], [3]),
    ("funding_awards", "M31", [CAP, {"award_id": "A-2", "amount": "1200000"}], []),
    # two programmes
    ("funding_awards", "M33", [GRANT, GRANT | {"sender": "HLT-SCR", "programme_code": "HLT"}], [3]),
    ("funding_awards", "M33", [GRANT, GRANT | {"sender": "GRANTNAV", "programme_code": None}], []),
    # match
    ("match_funding", "M29", [PLEDGED, PLEDGED | {"sender": "MHT-BPL", "amount": "1000000"}], [2, 3]),
    ("match_funding", "M29", [PLEDGED, PLEDGED | {"sender": "MHT-BPL", "about_site_code": None}], []),
    ("match_funding", "M30", [PLEDGED, PLEDGED | {"sender": "MHT-BPL", "match_id": "B-1"}], [2, 3]),
    ("match_funding", "M30", [PLEDGED, PLEDGED | {"match_id": "M-2", "match_source_type": "esf"}], []),
    ("match_funding", "M30", [{"evidence_ref": "E-1"}, {"match_id": "M-2", "evidence_ref": "E-2"}], []),
    ("match_funding", "M32", [WHOLE, PLEDGED | {"amount": "6000000"}], []),
    ("match_funding", "M32", [WHOLE, PLEDGED | {"amount": "5000000"}, PLEDGED | OF_GM], [3, 4]),
    ("match_funding", "M03", [WHOLE, PLEDGED], []),  # a part of the pledge is not added to it
]  # fmt: skip


@pytest.mark.parametrize(("name", "rule_id", "rows", "broken"), SENDERS_CASES)
def test_rule_between_senders(name: str, rule_id: str, rows: list[Row], broken: list[int]) -> None:
    contract = CONTRACTS[name]
    senders = [str(r.get("sender", "PMO")) for r in rows]
    data = frame(contract, [BASE[name] | r for r in rows]).with_columns(
        pl.Series("site_code", senders), pl.Series("delivery_id", senders)
    )
    rules = [r for r in contract.relation_rules if r.rule_id == rule_id]
    assert rules and sorted({row for r in rules for row in broken_rows(r, {name: data})}) == broken


def test_an_award_restated_is_not_added_to_what_it_was() -> None:
    (rule,) = (r for r in CONTRACTS["funding_awards"].relation_rules if r.rule_id == "M03")
    announced = BASE["funding_awards"] | {"award_stage": "announced", "amount": "6000000"}
    data = frame(CONTRACTS["funding_awards"], [announced | {"amount": "5000000"}, announced | {"award_version": 2}])
    assert broken_rows(rule, {"funding_awards": data}) == []
