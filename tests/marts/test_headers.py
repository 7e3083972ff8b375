"""Every mart's header is complete, and its select returns the columns that the header states."""

from __future__ import annotations

import re

import pytest

from schemas._contract import catalogue
from schemas._contract.meanings import meaning_in_mart, says_when_empty

MARTS = catalogue.marts()
PUBLIC_MARTS = {
    "funding.award_funders",
    "funding.award_position",
    "funding.budget_lines",
    "funding.budget_years",
    "funding.claims_position",
    "funding.match_position",
    "funding.outcome_payments",
    "funding.profile_vs_actual",
    "funding.programme_position",
    "funding.readings",
    "funding.reconciliation",
    "funding.unit_costs",
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


def test_the_public_marts_exist():
    assert {m.address for m in MARTS} >= PUBLIC_MARTS


@pytest.mark.parametrize("mart", MARTS, ids=lambda m: m.address)
def test_the_header_documents_every_column(mart):
    names = [c.name for c in mart.columns]
    assert mart.comment.endswith(".") and mart.grain and len(names) == len(set(names))
    assert all(c.comment.endswith(".") for c in mart.columns), "a column's comment is a sentence"
    assert all(c.required for c in mart.columns if c.name in mart.key), "key columns are required"
    assert set(mart.key) <= set(names)
    stated = len(re.findall(r"^--   \S", mart.sql, re.MULTILINE))
    assert stated == len(names), "a line of the header was not read as a column"


@pytest.mark.parametrize("mart", MARTS, ids=lambda m: m.address)
def test_the_header_says_when_a_column_is_empty(mart):
    """In words with 'empty', such as '; empty if none was sent', for the warehouse's comments and the data dictionary.

    Amounts need not: they all are empty where no amount is known.
    """
    meanings = {c.name: meaning_in_mart(mart, c) for c in mart.columns}
    assert not [name for name, m in meanings.items() if not m.empty and not says_when_empty(m.text)]


def test_each_select_returns_the_columns_of_its_header(warehouse):
    warehouse.build()
    for mart in MARTS:
        columns = [(name, kind) for name, kind, *_ in warehouse.rows(f"DESCRIBE {mart.sql}")]
        assert columns == [(c.name, c.type) for c in mart.columns], mart.address
        body = re.sub(r"--[^\n]*", "", mart.sql)
        assert not re.search(r"^SELECT\s+\*", body, re.MULTILINE), "the final select names its columns"
        assert len(mart.sql.splitlines()) <= 450


def test_marts_are_ordered_after_those_they_read():
    built: set[str] = set()
    addresses = {m.address for m in MARTS}
    for mart in MARTS:
        assert mart.reads & addresses <= built
        built.add(mart.address)


def test_kpi_has_its_public_columns(warehouse):
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
