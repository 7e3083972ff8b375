"""Findings are built in one place, with the columns of their contract."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import polars as pl

from flows.deliveries.findings import FINDING_TYPES, ROW_BY_ROW, Finding, findings_frame, findings_of_rows
from flows.store.findings_table import insert_findings, select_findings
from schemas._contract.derive import create_table
from schemas._contract.model import Severity
from schemas.audit.deliveries import Column
from schemas.audit.findings import CONTRACT, Outcome

FLOWS = Path(__file__).parents[2] / "flows"
AGE = Column("C", "Age", "age")


def test_findings_have_the_columns_of_the_contract() -> None:
    assert ["delivery_id", *FINDING_TYPES] == [f.name for f in CONTRACT.fields]
    assert set(Finding("V01", Severity.ROW).to_row("")) == set(FINDING_TYPES)


def test_findings_of_rows_take_rule_and_severity_from_each_row() -> None:
    rows = pl.DataFrame({"source_row": [2, 5], "rule_id": ["V01", "V03"], "severity": ["row", "warning"]})
    found = findings_of_rows(rows, Finding(ROW_BY_ROW, ROW_BY_ROW, field="age", column=AGE, found="-1"), "Sheet1")
    by_hand = [
        Finding("V01", Severity.ROW, 2, "age", AGE, "-1"),
        Finding("V03", Severity.WARNING, 5, "age", AGE, "-1"),
    ]
    assert found.equals(findings_frame(by_hand, "Sheet1")) and dict(found.schema) == FINDING_TYPES
    assert dict(findings_of_rows(rows.clear(), by_hand[0], "").schema) == FINDING_TYPES


def test_a_hidden_finding_never_stores_the_value() -> None:
    found = findings_frame([Finding("P01", Severity.FILE, 3, found="Ann Other", hidden=True)], "")
    assert found["found"].to_list() == [None] and found["hidden"].to_list() == [True]


def test_findings_read_from_the_warehouse_equal_those_inserted() -> None:
    unchecked = Finding("T01", Severity.WARNING, field="age", outcome=Outcome.NOT_CHECKED)
    found = findings_frame([Finding("V01", Severity.ROW, 2, "age", AGE, "-1", suggestion="1"), unchecked], "Sheet1")
    with duckdb.connect() as db:
        db.execute("create schema audit")
        db.execute(create_table("audit", CONTRACT))
        for delivery in ("one", "another"):
            insert_findings(db, found.with_columns(pl.lit(delivery).alias("delivery_id")))
        assert select_findings(db, ["one"]).equals(found)
        assert len(select_findings(db, ["one", "another"])) == 4


def test_no_other_module_builds_findings() -> None:
    by_hand = re.compile(r'insert into audit\.findings|"outcome":|alias\("(outcome|column_letter|sheet)"\)', re.I)
    modules = {p.relative_to(FLOWS).as_posix() for p in FLOWS.rglob("*.py") if by_hand.search(p.read_text("utf-8"))}
    modules.discard("simulator/tables/employers.py")  # employer_support has a field of that name
    assert modules == {"deliveries/findings.py", "store/findings_table.py"}
