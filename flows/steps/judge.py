"""judge: pandera judges typed rows by their contract; rows are accepted or held, and every failure is a finding.

A rule that reads a cell which is itself at fault cannot be judged for that row, and says nothing: one fault gives one
finding. Uniqueness and shares are judged over the whole file, once its last batch has been seen.
"""

from __future__ import annotations

from functools import lru_cache

import polars as pl

from schemas.audit.findings import Outcome
from schemas.contract import Contract, Severity
from schemas.derive import pandera_schema
from schemas.personal_data import shown
from schemas.registry import sites
from schemas.shapes import FINDING_TYPES, Context, Layout, TypedBatch

_FAILURE_TYPES = {"source_row": pl.Int64, "field": pl.String, "rule_id": pl.String, "severity": pl.String}


def judge(batch: TypedBatch, layout: Layout, contract: Contract, context: Context, sheet: str) -> pl.DataFrame:
    """Findings for one batch (columns of FINDING_TYPES), one per row, rule and field."""
    failures = pl.concat([_failures(batch.rows, contract, context), _other_sites(batch.rows, contract, context)])
    if failures.is_empty():
        return pl.DataFrame(schema=FINDING_TYPES)
    failures = failures.join(batch.unreadable, on=["source_row", "field"], how="anti")
    failures = _without_consequences(failures, batch.unreadable, contract)
    return _with_addresses(failures, batch.texts, layout, contract, sheet)


@lru_cache
def _schema(dataset: str, contract: Contract):  # type: ignore[no-untyped-def] # noqa: ANN202 - pandera is imported late
    return pandera_schema(contract)


def _failures(rows: pl.DataFrame, contract: Contract, context: Context) -> pl.DataFrame:
    """Every (source_row, field, rule_id, severity) that pandera finds broken."""
    from pandera.errors import SchemaErrors

    told = {"programme_code": context.programme_code, "site_code": context.site_code}
    frame = rows.with_columns(
        pl.lit(context.data_cut_date).alias("data_cut_date"),
        *(pl.lit(v).alias(n) for n, v in told.items() if n not in rows.columns),
    )
    try:
        _schema(contract.dataset, contract).validate(frame, lazy=True)
    except SchemaErrors as errors:
        cases = errors.failure_cases
    else:
        return pl.DataFrame(schema=_FAILURE_TYPES)
    if cases["index"].null_count():
        raise RuntimeError(f"{contract.dataset}: a rule could not be run: {cases['check'].unique().to_list()}")
    key = list(contract.key)
    blank = pl.when(pl.col("column").is_in(key)).then(pl.lit("F08")).otherwise(pl.lit("V01"))
    named = pl.col("check").str.split(":")
    is_blank = pl.col("check") == "not_nullable"
    return cases.select(
        rows["source_row"].gather(cases["index"]).alias("source_row"),
        pl.col("column").alias("field"),
        pl.when(is_blank).then(blank).otherwise(named.list.get(0)).alias("rule_id"),
        pl.when(is_blank)
        .then(pl.lit(str(Severity.ROW)))
        .otherwise(named.list.get(1, null_on_oob=True))
        .alias("severity"),
    ).unique(maintain_order=True)


def _other_sites(rows: pl.DataFrame, contract: Contract, context: Context) -> pl.DataFrame:
    """Rows that say they are another site's (rule F20)."""
    if "site_code" not in contract.by_name:
        return pl.DataFrame(schema=_FAILURE_TYPES)
    others = [code for code in sites() if code != context.site_code]  # a code that is nobody's is V02's business
    return rows.filter(pl.col("site_code").is_in(others)).select(
        "source_row",
        pl.lit("site_code").alias("field"),
        pl.lit("F20").alias("rule_id"),
        pl.lit(str(Severity.FILE)).alias("severity"),
    )


def _without_consequences(failures: pl.DataFrame, unreadable: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """Leave out failures of rules across fields that read a cell which is at fault by itself."""
    across = {(r.rule_id, r.on, str(r.severity)): r.holds().meta.root_names() for r in contract.row_rules if r.holds}
    links = [
        {"rule_id": rule_id, "field": on, "severity": severity, "reads": name}
        for (rule_id, on, severity), names in across.items()
        for name in names
    ]
    if not links:
        return failures
    reads = pl.DataFrame(links)
    of_one_cell = failures.join(reads, on=["rule_id", "field", "severity"], how="anti")
    at_fault = pl.concat([unreadable, of_one_cell.select("source_row", "field")]).rename({"field": "reads"}).unique()
    not_judged = failures.join(reads, on=["rule_id", "field", "severity"]).join(at_fault, on=["source_row", "reads"])
    return failures.join(not_judged, on=["source_row", "rule_id", "field", "severity"], how="anti")


def _with_addresses(
    failures: pl.DataFrame, texts: pl.DataFrame, layout: Layout, contract: Contract, sheet: str
) -> pl.DataFrame:
    """Failures as findings: the sender's heading, the column's letter, and what stood there if it may be shown."""
    parts = [pl.DataFrame(schema=FINDING_TYPES)]
    for (name,), part in failures.group_by("field", maintain_order=True):
        field, column = contract.by_name[str(name)], layout.column_of(str(name))
        cell = pl.lit(None, pl.String) if column is None else pl.col(str(layout.positions[field.name]))
        parts.append(
            part.join(texts, on="source_row", how="left").select(
                "rule_id",
                "severity",
                pl.lit(str(Outcome.BROKEN)).alias("outcome"),
                pl.lit(sheet).alias("sheet"),
                "source_row",
                pl.lit(column.letter if column else None, pl.String).alias("column_letter"),
                pl.lit(column.heading if column else None, pl.String).alias("column_name"),
                "field",
                *shown(cell, field, contract),
                pl.lit(None, pl.String).alias("suggestion"),
            )
        )
    return pl.concat(parts)
