"""The cells of one column: read a column at a time where they are in canonical form, the odd ones text by text."""

from __future__ import annotations

import re
from collections.abc import Mapping

import polars as pl

from schemas.audit.deliveries import Column
from schemas.audit.findings import Outcome
from schemas.cells import PLACEHOLDER_DATES, canonical, read_cell
from schemas.contract import Contract, Field, Kind, Severity
from schemas.derive import polars_type
from schemas.shapes import FINDING_TYPES, Context, Layout
from schemas.shown import shown
from schemas.texts import Texts


def absent_column(field: Field, cells: Mapping[str, Texts], rows: int, layout: Layout) -> pl.Series:
    """The values of a field that the file has no column for: its default, or the status of another field's text."""
    if field.status_of and field.status_of in layout.positions:
        source = cells[str(layout.positions[field.status_of])]
        codes = dict(field.status_words)
        status = source.distinct.str.strip_chars().replace_strict(codes, default=field.default, return_dtype=pl.String)
        return source.of_cells(status).alias(field.name)
    value = read_cell(field.default, field).value if field.default else None
    return pl.Series(field.name, [value] * rows, dtype=polars_type(field))


class _Read:
    """One column read: its typed values, and what was odd in it (text, rule_id, severity, suggestion), if anything."""

    def __init__(self, values: pl.Series, odd: pl.DataFrame | None) -> None:
        self.values, self.odd = values, odd


def read_column(cells: Texts, field: Field, context: Context) -> _Read:
    """One column's values; a text is read once, however many cells hold it."""
    kind = polars_type(field)
    plain, typed = _canonical_cells(field)
    frame = pl.DataFrame({"text": cells.distinct}).with_columns(
        pl.when(plain).then(typed).otherwise(None).alias("value")
    )
    odd = frame.filter((pl.col("text") != "") & pl.col("value").is_null())["text"].sort()
    if odd.is_empty():
        return _Read(cells.of_cells(frame["value"]).alias(field.name), None)
    readings = [read_cell(t, field, context.date_order) for t in odd]
    looked_up = pl.DataFrame(
        {
            "text": odd,
            "read": pl.Series([r.value for r in readings], dtype=kind, strict=False),
            "rule_id": pl.Series([r.rule_id for r in readings], dtype=pl.String),
            "severity": pl.Series([str(r.severity) for r in readings], dtype=pl.String),
            "suggestion": pl.Series([r.suggestion or None for r in readings], dtype=pl.String),
        }
    )
    values = frame.join(looked_up, on="text", how="left", maintain_order="left").select(pl.coalesce("value", "read"))
    return _Read(cells.of_cells(values.to_series()).alias(field.name), looked_up)


def _canonical_cells(field: Field) -> tuple[pl.Expr, pl.Expr]:
    """Which texts are in canonical form, and their typed value."""
    text = pl.col("text")
    if field.kind is Kind.CODE:
        retired = [e.code for e in field.code_list.entries if e.active_code and e.active_code != e.code]
        return text.is_in([c for c in field.code_list.codes if c not in retired]), text
    plain = text.str.contains(canonical(field))
    if field.kind is Kind.DATE:
        day = text.str.to_date("%Y-%m-%d", strict=False)
        return plain & ~day.is_in(list(PLACEHOLDER_DATES)), day
    if field.kind is Kind.YES_NO:
        return plain, text == "Y"
    if field.kind is Kind.FINANCIAL_YEAR:
        start, end = (text.str.slice(i, 2).cast(pl.Int8, strict=False) for i in (2, 5))
        return plain & ((start + 1) % 100 == end), text
    if field.kind in (Kind.WHOLE, Kind.DECIMAL, Kind.MONEY):
        return plain & ~text.is_in(list(field.sentinels)), text.cast(polars_type(field), strict=False)
    return plain, text


def cell_findings(
    cells: Texts,
    source_rows: pl.Series,
    odd: pl.DataFrame,
    field: Field,
    column: Column,
    contract: Contract,
    context: Context,
    sheet: str,
) -> pl.DataFrame:
    """One finding for each row whose cell was repaired or could not be read. What is meant is hidden as the cell is."""
    told = odd.filter(pl.col("rule_id") != "")
    if told.is_empty():
        return pl.DataFrame(schema=FINDING_TYPES)
    hits = cells.rows_with(told["text"], source_rows).join(told, on="text", maintain_order="left")
    hits = hits.hstack(shown(hits["text"], field, contract, context.data_cut_date))  # by how many rows hold it
    return hits.select(
        "rule_id",
        "severity",
        pl.lit(str(Outcome.BROKEN)).alias("outcome"),
        pl.lit(sheet).alias("sheet"),
        "source_row",
        pl.lit(column.letter).alias("column_letter"),
        pl.lit(column.heading).alias("column_name"),
        pl.lit(field.name).alias("field"),
        "found",
        "hidden",
        pl.when(~pl.col("hidden")).then("suggestion").alias("suggestion"),
    )


def day_month_orders(odd: pl.DataFrame, field: Field) -> set[str]:
    """In which orders the odd dates of a column are written: 'dmy', 'mdy' or both.

    Where the site's profile read one as day-month, that is its order, whatever else it might have meant.
    """
    if field.kind is not Kind.DATE:
        return set()
    read = odd.filter((pl.col("rule_id") == "C02") & (pl.col("severity") == Severity.WARNING))
    return {o for t in odd["text"] if (o := _day_month_order(t))} | ({"dmy"} if len(read) else set())


def _day_month_order(text: str) -> str:
    """'dmy' or 'mdy' where a date with slashes can only be the one or the other."""
    parts = re.match(r"\s*(\d{1,2})[/.\-](\d{1,2})[/.\-]\d{4}", text)
    if not parts:
        return ""
    first, second = int(parts[1]), int(parts[2])
    return "dmy" if first > 12 >= second else "mdy" if second > 12 >= first else ""
