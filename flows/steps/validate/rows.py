"""Validate typed rows against their contract with pandera, and make a finding of every failure.

A rule that reads a cell which is itself at fault cannot be checked for that row and gives no finding: one fault, one
finding. Uniqueness and shares of rows are checked over the whole file (`whole_file.py`).
"""

from __future__ import annotations

from functools import lru_cache

import polars as pl

from flows.cells.parse import suggested
from flows.cells.redact import is_private, redact
from flows.deliveries.conformed import Layout, TypedBatch
from flows.deliveries.context import DeliveryContext
from flows.deliveries.findings import NO_FINDINGS, ROW_BY_ROW, Finding, findings_of_rows
from schemas._contract.model import Contract, Field, Severity
from schemas._contract.registry import sites
from schemas._rules.checks import checks_of

PLACEHOLDER_RULE = "F39"
FEW_ROWS = 1000
MAX_SUGGESTED = 200  # distinct texts of a column and batch for which a similar code is searched
_FAILURE_TYPES = {
    "place": pl.Int64,  # of the row in its batch
    "source_row": pl.Int64,
    "field": pl.String,
    "rule_id": pl.String,
    "severity": pl.String,
}
_NO_FAILURES = pl.DataFrame(schema=_FAILURE_TYPES)


def validate_rows(
    batch: TypedBatch, layout: Layout, contract: Contract, context: DeliveryContext, sheet: str
) -> pl.DataFrame:
    """Return the findings of one batch (columns of FINDING_TYPES): one per row, rule and field."""
    failures = pl.concat([_failures(batch.rows, contract, context), _other_sites(batch.rows, contract, context)])
    if failures.is_empty():
        return NO_FINDINGS
    failures = failures.join(batch.unreadable, on=["source_row", "field"], how="anti")
    failures = _of_present_columns(failures, layout, contract)
    failures = _without_consequences(failures, batch.unreadable, contract)
    if len(batch.unfilled):
        failures = _of_placeholders(failures, batch.unfilled)
    return _with_addresses(failures, batch, layout, contract, context, sheet)


def without_repeated_placeholders(findings: pl.DataFrame) -> pl.DataFrame:
    """Leave out the warning about a row's unfilled choices (F39) where one of them holds the row, and says so."""
    placeholders = findings.filter(pl.col("rule_id") == PLACEHOLDER_RULE)
    held = placeholders.filter(pl.col("severity") == Severity.ROW)["source_row"].implode()
    is_repeated = (
        (pl.col("rule_id") == PLACEHOLDER_RULE)
        & (pl.col("severity") == Severity.WARNING)
        & pl.col("source_row").is_in(held)
    )
    return findings.filter(~is_repeated)


def _of_placeholders(failures: pl.DataFrame, unfilled: pl.DataFrame) -> pl.DataFrame:
    """Report a required cell that is empty only because a placeholder was read so as that (F39)."""
    is_empty = pl.col("rule_id").is_in(["V01", "F08"])
    cells = unfilled.select("source_row", "field", is_unfilled=True)
    return (
        failures.join(cells, on=["source_row", "field"], how="left", maintain_order="left")
        .with_columns(
            pl.when(is_empty & pl.col("is_unfilled"))
            .then(pl.lit(PLACEHOLDER_RULE))
            .otherwise("rule_id")
            .alias("rule_id")
        )
        .drop("is_unfilled")
    )


@lru_cache
def _schema(dataset: str, contract: Contract):  # type: ignore[no-untyped-def] # noqa: ANN202 - pandera is imported late
    from flows.steps.validate.pandera_schema import pandera_schema

    return pandera_schema(contract)


def _failures(rows: pl.DataFrame, contract: Contract, context: DeliveryContext) -> pl.DataFrame:
    """Every cell that fails a check in pandera, with the rule (columns of _FAILURE_TYPES)."""
    # imported late, for pandera takes long to import
    from pandera.errors import SchemaErrors

    frame = _with_delivery(rows, context)
    # a small file costs twice as much in the streaming engine, which is polars' default, as all its checks
    pl.Config.set_engine_affinity("in-memory" if len(rows) < FEW_ROWS else "auto")
    try:
        _schema(contract.dataset, contract).validate(frame, lazy=True)
    except SchemaErrors as errors:
        cases = errors.failure_cases
    else:
        return _NO_FAILURES
    if cases["index"].null_count():  # a failure without a row: the check itself raised an error
        raise RuntimeError(f"{contract.dataset}: a rule could not be run: {cases['check'].unique().to_list()}")
    # pandera reports an empty required cell as `not_nullable`, which is F08 in a key and V01 elsewhere
    key = list(contract.key)
    blank = pl.when(pl.col("column").is_in(key)).then(pl.lit("F08")).otherwise(pl.lit("V01"))
    named = pl.col("check").str.split(":")
    is_blank = pl.col("check") == "not_nullable"
    return cases.select(
        pl.col("index").cast(pl.Int64).alias("place"),
        rows["source_row"].gather(cases["index"]).alias("source_row"),
        pl.col("column").alias("field"),
        pl.when(is_blank).then(blank).otherwise(named.list.get(0)).alias("rule_id"),
        pl.when(is_blank)
        .then(pl.lit(str(Severity.ROW)))
        .otherwise(named.list.get(1, null_on_oob=True))
        .alias("severity"),
    ).unique(maintain_order=True)


def _with_delivery(rows: pl.DataFrame, context: DeliveryContext) -> pl.DataFrame:
    """The rows with what rules across fields may read as columns, whether or not the file has them."""
    of_delivery = {"programme_code": context.programme_code, "site_code": context.site_code}
    return rows.with_columns(
        pl.lit(context.data_cut_date).alias("data_cut_date"),
        pl.lit(context.period_start, pl.Date).alias("period_start"),
        *(pl.lit(v).alias(n) for n, v in of_delivery.items() if n not in rows.columns),
    )


def _other_sites(rows: pl.DataFrame, contract: Contract, context: DeliveryContext) -> pl.DataFrame:
    """Failures of rows whose `site_code` is another site's (rule F20)."""
    if "site_code" not in contract.by_name:
        return _NO_FAILURES
    others = [code for code in sites() if code != context.site_code]  # V02 reports a code of no site
    return (
        rows.with_row_index("place")
        .filter(pl.col("site_code").is_in(others))
        .select(
            pl.col("place").cast(pl.Int64),
            "source_row",
            pl.lit("site_code").alias("field"),
            pl.lit("F20").alias("rule_id"),
            pl.lit(str(Severity.FILE)).alias("severity"),
        )
    )


_ONE_RULE = ["rule_id", "field", "severity"]


@lru_cache
def _reads(contract: Contract) -> pl.DataFrame:
    """The fields that each rule across fields reads: columns rule_id, field, severity, reads."""
    links = [
        (r.rule_id, r.field, str(r.severity), name)
        for r in contract.row_rules
        if r.check is not None
        for name in r.check().meta.root_names()
    ]
    return pl.DataFrame(links, schema=dict.fromkeys([*_ONE_RULE, "reads"], pl.String), orient="row")


def _of_present_columns(failures: pl.DataFrame, layout: Layout, contract: Contract) -> pl.DataFrame:
    """Leave out failures that follow from a missing column, which the heading's own finding reports once (F09, F12).

    A check of a single cell stays even if a rule of the same id reads the missing column: it does not depend on it.
    """
    if not layout.unread:
        return failures
    unread = list(layout.unread)
    of_cells = [(rule_id, f.name, str(Severity.ROW)) for f in contract.fields for rule_id, _ in checks_of(f)]
    own = pl.DataFrame(of_cells, schema=dict.fromkeys(_ONE_RULE, pl.String), orient="row")
    not_validated = _reads(contract).filter(pl.col("reads").is_in(unread)).join(own, on=_ONE_RULE, how="anti")
    return failures.filter(~pl.col("field").is_in(unread)).join(not_validated, on=_ONE_RULE, how="anti")


def _without_consequences(failures: pl.DataFrame, unreadable: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """Leave out failures of rules across fields that read a cell which is itself at fault."""
    reads = _reads(contract)
    if reads.is_empty():
        return failures
    of_one_cell = failures.join(reads, on=_ONE_RULE, how="anti")
    at_fault = pl.concat([unreadable, of_one_cell.select("source_row", "field")]).rename({"field": "reads"}).unique()
    not_validated = failures.join(reads, on=_ONE_RULE).join(at_fault, on=["source_row", "reads"])
    return failures.join(not_validated, on=["source_row", *_ONE_RULE], how="anti")


def _with_addresses(
    failures: pl.DataFrame,
    batch: TypedBatch,
    layout: Layout,
    contract: Contract,
    context: DeliveryContext,
    sheet: str,
) -> pl.DataFrame:
    """Turn failures into findings, with the sender's heading, the column's letter and the redacted text of the cell."""
    parts = [NO_FINDINGS]
    for (name,), part in failures.group_by("field", maintain_order=True):
        field, column = contract.by_name[str(name)], layout.column_of(str(name))
        nothing = pl.Series([None], dtype=pl.String).new_from_index(0, len(part))
        text = (
            nothing if column is None else batch.cells[str(layout.positions[field.name])].column.gather(part["place"])
        )
        rows = part.with_columns(text.alias("text"))
        if len(batch.unfilled):
            sent = batch.unfilled.rename({"text": "sent"})
            rows = rows.join(sent, on=["source_row", "field"], how="left", maintain_order="left")
            rows = rows.with_columns(pl.coalesce("sent", "text").alias("text")).drop("sent")
        rows = rows.hstack(redact(rows["text"], field, contract, context.data_cut_date))
        rows = rows.with_columns(_suggestions(rows, field, contract))
        rows = rows.with_columns(_derived_suggestions(rows, batch, field, contract, context))
        parts.append(findings_of_rows(rows, Finding(ROW_BY_ROW, ROW_BY_ROW, field=field.name, column=column), sheet))
    return pl.concat(parts)


def _derived_suggestions(
    rows: pl.DataFrame, batch: TypedBatch, field: Field, contract: Contract, context: DeliveryContext
) -> pl.Series:
    """The suggestions, with those that a rule derives from the rest of its row (`Rule.suggested`)."""
    suggestions = rows["suggestion"]
    for rule in contract.row_rules:
        if rule.field == field.name and rule.suggested is not None and not is_private(field, contract):
            found = (rows["rule_id"] == rule.rule_id) & (rows["severity"] == rule.severity)
            frame = _with_delivery(batch.rows[rows["place"]], context)
            derived = frame.select(rule.suggested().cast(pl.String)).to_series()
            suggestions = derived.zip_with(found, suggestions).alias("suggestion")
    return suggestions


def repair_rows(batch: TypedBatch, findings: pl.DataFrame, contract: Contract, context: DeliveryContext) -> None:
    """Put what a warning suggests in place of the cell, where its rule says so (`Rule.stores_suggestion`).

    A warning about how the cell was written is left out then: the other one says what to write instead.
    """
    for rule in contract.repairing_rules:
        cells = (pl.col("rule_id") == rule.rule_id) & (pl.col("severity") == rule.severity)
        found = findings.filter(cells & (pl.col("field") == rule.field))["source_row"]
        if rule.suggested is None or found.is_empty():
            continue
        at_fault = pl.col("source_row").is_in(found.implode())
        read = pl.when(at_fault).then(rule.suggested()).otherwise(rule.field).alias(rule.field)
        batch.rows = batch.rows.with_columns(_with_delivery(batch.rows, context).select(read).to_series())
        batch.findings = batch.findings.filter(
            ~((pl.col("field") == rule.field) & (pl.col("severity") == Severity.WARNING) & at_fault)
        )


def _suggestions(rows: pl.DataFrame, field: Field, contract: Contract) -> pl.Series:
    """The values that may be meant by a column's faulty texts, searched once per distinct text, for a limited number.

    A code of a list is suggested even for a hidden text: it is our own word and repeats nothing of the cell.
    """
    is_public = pl.lit(not is_private(field, contract))
    may_suggest = (is_public & (pl.col("rule_id") == field.not_listed_rule)) | (
        ~pl.col("hidden") & (pl.col("rule_id") == field.range_rule)
    )
    texts = rows.filter(may_suggest)["text"].drop_nulls().unique().sort().head(MAX_SUGGESTED)
    meant = pl.DataFrame(
        {"text": texts, "meant": [suggested(text, field) or None for text in texts]},
        schema={"text": pl.String, "meant": pl.String},
    )
    rows = rows.join(meant, on="text", how="left", maintain_order="left")
    return rows.select(pl.when(may_suggest).then("meant").alias("suggestion")).to_series()
