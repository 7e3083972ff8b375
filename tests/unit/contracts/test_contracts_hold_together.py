"""A rule that could never be validated is refused where it is stated."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import duckdb
import polars as pl
import pytest

from schemas._contract import catalogue
from schemas._contract.model import Rule, Severity
from schemas._rules.files import DELIVERY_RULES
from schemas.core import contacts, participants


@pytest.fixture
def fresh_datasets() -> Iterator[None]:
    """The catalogue as it is stated, before and after the test."""
    catalogue.datasets.cache_clear()
    yield
    catalogue.datasets.cache_clear()


def rule(**said: object) -> Rule:
    return Rule("X01", Severity.ROW, "A rule", "something", "Fix it.", **said)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "vain",
    [
        rule(check=lambda: pl.lit(True)),
        rule(check=lambda: pl.lit(True), field="contact_id", violations_sql="select 1"),
    ],
)
def test_a_rule_that_would_never_be_judged_is_refused(vain: Rule) -> None:
    with pytest.raises(ValueError, match="contacts: X01"):
        replace(contacts.CONTRACT, rules=(vain,))


def test_a_rule_that_needs_an_unknown_dataset_is_refused(monkeypatch: pytest.MonkeyPatch, fresh_datasets: None) -> None:
    wrong = rule(violations_sql="select 1", needs=("referals",))
    monkeypatch.setattr(contacts, "CONTRACT", replace(contacts.CONTRACT, rules=(wrong,)))
    with pytest.raises(ValueError, match="contacts needs referals"):
        catalogue.datasets()


def test_rules_between_deliveries_are_warnings() -> None:
    """They hold no row and refuse no file: `relate` writes their findings and nothing else."""
    assert DELIVERY_RULES and {r.severity for r in DELIVERY_RULES} == {Severity.WARNING}


def test_datasets_that_need_each_other_are_named(monkeypatch: pytest.MonkeyPatch, fresh_datasets: None) -> None:
    circular = rule(violations_sql="select 1", needs=("contacts",))
    stated = participants.CONTRACT
    monkeypatch.setattr(participants, "CONTRACT", replace(stated, rules=(*stated.rules, circular)))
    with pytest.raises(ValueError, match="circle") as refused:
        catalogue.datasets()
    names = str(refused.value).partition(": ")[2].split(" -> ")
    assert names[0] == names[-1]
    assert {"participants", "contacts"} <= set(names)
    assert "participants -> contacts" in " -> ".join((*names, *names[1:]))  # who needs whom, not the other way round


@pytest.mark.parametrize("dataset", catalogue.datasets())
def test_what_a_rule_reads_is_settled_before_unless_it_needs_the_rules_own_dataset(dataset: str) -> None:
    """Else whether a row is held would hang on the order of the alphabet."""
    known = catalogue.datasets()
    before = list(known)[: list(known).index(dataset)]
    read = {table for r in known[dataset].cross_check_rules for table in r.reads}
    read_rows = {name for schema, name in (t.split(".") for t in read) if schema == "core" and name in known}
    assert all(n in before or dataset in known[n].needs for n in read_rows - {dataset})
    assert set(known[dataset].depends_on) <= set(before)


def _tables_parsed(sql: str) -> set[str]:
    """The tables that a query reads from a schema, by DuckDB's own parser."""
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


@pytest.mark.parametrize(("dataset", "stated"), RULES_IN_SQL, ids=lambda v: v if isinstance(v, str) else v.rule_id)
def test_the_tables_of_a_rule_are_those_that_its_sql_reads(dataset: str, stated: Rule) -> None:
    queries = filter(None, (stated.violations_sql, stated.reinstate_sql))
    assert stated.reads == set().union(*map(_tables_parsed, queries))


@pytest.mark.parametrize("stated", DELIVERY_RULES, ids=lambda r: r.rule_id)
def test_and_so_are_those_of_a_rule_of_any_dataset(stated: Rule) -> None:
    parsed = _tables_parsed(stated.violations_sql.format(dataset="contacts", key="contact_id"))
    assert {table.format(dataset="contacts") for table in stated.reads} == parsed


@pytest.mark.parametrize("mart", catalogue.marts(), ids=lambda m: m.address)
def test_the_tables_of_a_mart_are_those_that_its_sql_reads(mart: catalogue.Mart) -> None:
    assert mart.reads == _tables_parsed(mart.sql) - {mart.address}
