"""Contracts, rules and marts are consistent: rules can be evaluated, and declare the tables that they read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from schemas._contract import catalogue
from schemas._contract.model import Contract, Rule, Severity
from schemas._rules.explain import RULES_OF_ANY_DATASET, rules_of
from schemas._rules.files import DELIVERY_RULES
from schemas.core import contacts, participants

BAD_DATA = Path(__file__).parents[3] / "docs" / "domain" / "bad-data.md"


@pytest.fixture
def fresh_datasets() -> Iterator[None]:
    """Clear the catalogue's cache before and after the test."""
    catalogue.datasets.cache_clear()
    yield
    catalogue.datasets.cache_clear()


def rule(**attributes: object) -> Rule:
    return Rule("X01", Severity.ROW, "A rule", "something", "Fix it.", **attributes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "invalid",
    [
        rule(check=lambda: pl.lit(True)),
        rule(check=lambda: pl.lit(True), field="contact_id", violations_sql="select 1"),
    ],
)
def test_a_rule_that_is_never_evaluated_is_refused(invalid: Rule) -> None:
    with pytest.raises(ValueError, match="contacts: X01"):
        replace(contacts.CONTRACT, rules=(invalid,))


def test_a_rule_that_needs_an_unknown_dataset_is_refused(monkeypatch: pytest.MonkeyPatch, fresh_datasets: None) -> None:
    wrong = rule(violations_sql="select 1", needs=("referals",))
    monkeypatch.setattr(contacts, "CONTRACT", replace(contacts.CONTRACT, rules=(wrong,)))
    with pytest.raises(ValueError, match="contacts needs referals"):
        catalogue.datasets()


def test_rules_between_deliveries_are_warnings() -> None:
    """The cross-check step only writes their findings; it neither holds rows nor refuses files for them."""
    assert DELIVERY_RULES and {r.severity for r in DELIVERY_RULES} == {Severity.WARNING}


@pytest.mark.parametrize("contract", catalogue.datasets().values(), ids=catalogue.datasets())
def test_a_dataset_of_events_finds_those_outside_a_period_extract(contract: Contract) -> None:
    """F57, on the date of the event alone: other dates of its row may be of any month."""
    fields = [r.field for r in contract.rules if r.rule_id == "F57"]
    assert fields == ([contract.event_date] if contract.event_date else [])


def test_every_kind_of_fault_of_the_domain_is_a_rule() -> None:
    """The ids that docs/domain.md 6.6 lists: each is stated by a contract, or by the rules of any dataset."""
    section = " ".join(BAD_DATA.read_text(encoding="utf-8").partition('<a id="6.6"></a>')[2].split())
    ranges = re.findall(r"\b([A-Z])(\d\d) to \1(\d\d)\b", section)
    listed = {f"{family}{n:02}" for family, first, last in ranges for n in range(int(first), int(last) + 1)}
    stated = {rule.rule_id for c in catalogue.datasets().values() for rule, _, _ in rules_of(c)}
    assert len(listed) == 133
    assert listed - stated - {r.rule_id for r in RULES_OF_ANY_DATASET} == set()


def test_a_cycle_of_datasets_that_need_each_other_is_named(
    monkeypatch: pytest.MonkeyPatch, fresh_datasets: None
) -> None:
    circular = rule(violations_sql="select 1", needs=("contacts",))
    contract = participants.CONTRACT
    monkeypatch.setattr(participants, "CONTRACT", replace(contract, rules=(*contract.rules, circular)))
    with pytest.raises(ValueError, match="circle") as raised:
        catalogue.datasets()
    names = str(raised.value).partition(": ")[2].split(" -> ")
    assert names[0] == names[-1]
    assert {"participants", "contacts"} <= set(names)
    assert "participants -> contacts" in " -> ".join((*names, *names[1:]))  # the dataset that has the rule comes first


@pytest.mark.parametrize("dataset", catalogue.datasets())
def test_a_rule_only_reads_datasets_that_are_cross_checked_before_it(dataset: str) -> None:
    """Otherwise the alphabetical order of datasets would decide which rows are held."""
    known = catalogue.datasets()
    before = list(known)[: list(known).index(dataset)]
    read = {table for r in known[dataset].cross_check_rules for table in r.reads}
    read_rows = {name for schema, name in (t.split(".") for t in read) if schema == "core" and name in known}
    assert all(n in before or dataset in known[n].needs for n in read_rows - {dataset})
    assert set(known[dataset].depends_on) <= set(before)


def _tables_parsed(sql: str) -> set[str]:
    """The schema-qualified tables that a query reads, as parsed by DuckDB."""
    parsed = duckdb.execute("select json_serialize_sql(?)", [sql]).fetchall()[0][0]

    def found(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            if node.get("type") == "BASE_TABLE" and node["schema_name"]:
                yield f"{node['schema_name']}.{node['table_name']}"
            node = list(node.values())
        if isinstance(node, list):
            for part in node:
                yield from found(part)

    tables = json.loads(parsed)
    assert not tables["error"], tables
    return set(found(tables))


RULES_IN_SQL = [(c.dataset, r) for c in catalogue.datasets().values() for r in c.cross_check_rules]


@pytest.mark.parametrize(("dataset", "rule_in_sql"), RULES_IN_SQL, ids=lambda v: v if isinstance(v, str) else v.rule_id)
def test_a_rule_declares_the_tables_that_its_sql_reads(dataset: str, rule_in_sql: Rule) -> None:
    queries = filter(None, (rule_in_sql.violations_sql, rule_in_sql.reinstate_sql))
    assert rule_in_sql.reads == set().union(*map(_tables_parsed, queries))


@pytest.mark.parametrize("rule_in_sql", DELIVERY_RULES, ids=lambda r: r.rule_id)
def test_a_rule_between_deliveries_declares_the_tables_that_its_sql_reads(rule_in_sql: Rule) -> None:
    parsed = _tables_parsed(rule_in_sql.violations_sql.format(dataset="contacts", key="contact_id"))
    assert {table.format(dataset="contacts") for table in rule_in_sql.reads} == parsed


@pytest.mark.parametrize("mart", catalogue.marts(), ids=lambda m: m.address)
def test_a_mart_declares_the_tables_that_its_sql_reads(mart: catalogue.Mart) -> None:
    assert mart.reads == _tables_parsed(mart.sql) - {mart.address}
