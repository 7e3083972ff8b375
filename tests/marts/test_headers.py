"""Every mart's header says what it is, and its select gives what the header says."""

from __future__ import annotations

import re

import pytest

from schemas._contract import catalogue

MARTS = catalogue.marts()
FIRST_MARTS = {
    "funding.award_position",
    "funding.programme_position",
    "funding.reconciliation",
    "outcomes.cut_offs",
    "outcomes.definitions_by_site",
    "outcomes.episodes",
    "outcomes.funnel_by_site",
    "outcomes.jobs",
    "outcomes.kpi",
    "outcomes.kpi_cases",
    "outcomes.kpi_definitions",
    "outcomes.published_measures",
    "outcomes.reach",
    "outcomes.target_attainment",
    "outcomes.trial_arms",
    "outcomes.volumes",
    "quality.deliveries",
    "quality.findings_by_rule",
}


def test_the_first_marts_are_there():
    assert {m.address for m in MARTS} >= FIRST_MARTS


@pytest.mark.parametrize("mart", MARTS, ids=lambda m: m.address)
def test_header(mart):
    names = [c.name for c in mart.columns]
    assert mart.comment.endswith(".") and mart.grain and len(names) == len(set(names))
    assert all(c.comment.endswith(".") for c in mart.columns), "a column's comment is a sentence"
    assert all(c.required for c in mart.columns if c.name in mart.key), "what identifies a row is never empty"
    assert set(mart.key) <= set(names)
    stated = len(re.findall(r"^--   \S", mart.sql, re.MULTILINE))
    assert stated == len(names), "a line of the header was not read as a column"


def test_selects(warehouse):
    warehouse.build()
    for mart in MARTS:
        given = [(name, kind) for name, kind, *_ in warehouse.rows(f"DESCRIBE {mart.sql}")]
        assert given == [(c.name, c.type) for c in mart.columns], mart.address
        body = re.sub(r"--[^\n]*", "", mart.sql)
        assert not re.search(r"^SELECT\s+\*", body, re.MULTILINE), "the final select names its columns"
        assert len(mart.sql.splitlines()) <= 450


def test_each_mart_comes_after_those_it_reads():
    built: set[str] = set()
    addresses = {m.address for m in MARTS}
    for mart in MARTS:
        assert mart.reads & addresses <= built
        built.add(mart.address)


def test_the_columns_of_kpi_are_as_agreed(warehouse):
    columns = next(m for m in MARTS if m.address == "outcomes.kpi").columns
    assert {c.name for c in columns} == {
        "kpi_code",
        "programme_code",
        "site_code",
        "cohort",
        "basis",
        "definition_code",
        "unit",
        "numerator",
        "denominator",
        "n_immature",
        "n_missing_outcome",
        "value",
        "rate",
        "reason",
        "ci_low",
        "ci_high",
        "ci_method",
        "n_sites",
        "n_sites_missing",
        "n_sites_outdated",
        "data_cut_date",
        "provisional",
        "provisional_reason",
    }
