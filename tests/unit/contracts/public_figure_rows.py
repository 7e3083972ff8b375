"""Made-up rows of published figures, and helpers that evaluate rules on them."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import duckdb
import polars as pl

from schemas._contract.derive import create_table
from schemas._contract.model import Contract, Kind, Rule
from schemas._contract.polars_types import polars_type
from schemas.core import (
    benchmarks,
    delivery_approaches,
    funding_awards,
    match_funding,
    published_measures,
    published_statements,
    targets,
)

ROOT = Path(__file__).parents[3]
CONTRACTS = {
    m.CONTRACT.dataset: m.CONTRACT
    for m in (
        funding_awards,
        match_funding,
        targets,
        benchmarks,
        delivery_approaches,
        published_measures,
        published_statements,
    )
}
Row = dict[str, object]

VALID_ROWS: dict[str, Row] = {
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
        "value_status": "known",
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
    "published_statements": {
        "statement_id": "S-1",
        "programme_code": "MHT",
        "statement_type": "claim",
        "statement": "made up",
        "stated_by": "a test",
        "caveat": "made up",
        "source_document": "a test",
        "source_wording": "made up",
    },
}


def published_record(dataset: str) -> list[dict[str, str]]:
    """The rows of a dataset in the published record (data/raw/PMO), as text."""
    (path,) = (ROOT / "data/raw/PMO").glob(f"PMO_{dataset}_*_v1.csv")
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def frame(contract: Contract, rows: list[Row], sender: str = "PMO") -> pl.DataFrame:
    """Typed rows of a contract, with the columns that validation adds."""
    texts = [{f.name: str(r.get(f.name) or "") or None for f in contract.fields} for r in rows]
    typed = pl.DataFrame(texts, schema={f.name: pl.String for f in contract.fields}).select(
        pl.col(f.name).str.to_date() if f.kind is Kind.DATE else pl.col(f.name).cast(polars_type(f))
        for f in contract.fields
    )
    programme = [] if "programme_code" in contract.by_name else [pl.lit("").alias("programme_code")]
    return typed.with_columns(
        *programme,
        pl.lit(sender).alias("site_code"),
        pl.lit("2024-04-30").str.to_date().alias("data_cut_date"),
        pl.lit("D-1").alias("delivery_id"),
        (pl.int_range(pl.len()) + 2).alias("source_row"),
    )


def satisfies(rule: Rule, data: pl.DataFrame) -> bool:
    """Whether every row satisfies a rule within a row; null counts as satisfied."""
    assert rule.check is not None
    return bool(data.select(rule.check().fill_null(True).all()).item())


@cache
def _empty_tables() -> duckdb.DuckDBPyConnection:
    """A database with the tables that a rule between rows may read, without a row."""
    db = duckdb.connect()
    db.execute("create schema core; create schema history")
    db.execute(
        "create table core.sites as from read_csv(?, all_varchar = true)", [str(ROOT / "schemas/core/sites.csv")]
    )
    for name, contract in CONTRACTS.items():
        db.execute(create_table("core", contract, sent_by_sites=True))
        db.execute(f"create table history.{name} as select *, now()::timestamp received_at from core.{name}")
        db.execute(f"alter table history.{name} add column data_cut_date date")
    return db


def broken_rows(rule: Rule, tables: dict[str, pl.DataFrame], past: pl.DataFrame | None = None) -> list[int]:
    """The source rows that break a rule between rows; `past` are rows of an earlier delivery."""
    db = _empty_tables()
    db.execute("begin")
    try:
        for name, data in tables.items():
            db.register("sent", data)
            db.execute(f"insert into core.{name} by name select * exclude (data_cut_date) from sent")
            db.execute(f"insert into history.{name} by name select *, timestamp '2017-01-02' received_at from sent")
            if past is not None:
                db.register("sent_before", past)
                db.execute(
                    f"insert into history.{name} by name select *, timestamp '2016-01-02' received_at from sent_before"
                )
        return sorted(row for _, row, *_ in db.execute(rule.violations_sql).fetchall())
    finally:
        db.execute("rollback")
