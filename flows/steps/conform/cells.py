"""Convert one column: cells in canonical form with column operations, all other (odd) texts one by one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import polars as pl

from flows.cells.date_orders import AGREED_ORDER, COLUMN_RULES, HOLD_ROWS, MONTHS, DateEvidence, DateReading
from flows.cells.dates import DAY_FIRST, NumericDate, YearFirst
from flows.cells.distinct_column import DistinctColumn
from flows.cells.parse import (
    PLACEHOLDER_DATES,
    canonical_pattern,
    is_spreadsheet_date,
    numeric_date_of_cell,
    read_cell,
    year_first_date,
)
from flows.cells.reading.column_forms import USUAL_FORM, FormEvidence, has_forms, read_in_form
from flows.cells.redact import redact
from flows.deliveries.conformed import Layout
from flows.deliveries.context import DeliveryContext
from flows.deliveries.findings import NO_FINDINGS, ROW_BY_ROW, Finding, findings_of_rows
from schemas._contract.model import Contract, Field, Kind, Severity
from schemas._contract.polars_types import polars_type
from schemas._contract.workbook_names import IN_PLACE_OF_VALUES
from schemas.audit.deliveries import Column


def absent_column(field: Field, cells: Mapping[str, DistinctColumn], rows: int, layout: Layout) -> pl.Series:
    """Values for a field without a column in the file: its default, or the status stated in another field's column."""
    if field.status_of and field.status_of in layout.positions:
        source = cells[str(layout.positions[field.status_of])]
        codes = dict(field.status_words)
        status = source.distinct.str.strip_chars().replace_strict(codes, default=field.default, return_dtype=pl.String)
        return source.expand(status).alias(field.name)
    value = read_cell(field.default, field).value if field.default else None
    return pl.Series(field.name, [value] * rows, dtype=polars_type(field))


class ColumnReading:
    """The result of reading one column.

    `values` are the typed values of its cells, `distinct` those of its distinct texts. `odd` has a row for each
    distinct text that is not in canonical form (text, read, rule_id, severity, suggestion); None if there are none.
    """

    def __init__(self, values: pl.Series, odd: pl.DataFrame | None, distinct: pl.Series) -> None:
        self.values, self.odd, self.distinct = values, odd, distinct

    def intended_days(self, cells: DistinctColumn) -> pl.Series:
        """The values, with the suggested date in place of each that is held because its column's order is in doubt."""
        if self.odd is None or not (held := self.odd.filter(pl.col("rule_id").is_in(COLUMN_RULES))).height:
            return self.values
        meant = held.select("text", pl.col("suggestion").str.to_date("%Y-%m-%d", strict=False).alias("day"))
        days = cells.distinct.to_frame("text").join(meant, on="text", how="left", maintain_order="left")["day"]
        return self.values.to_frame("value").select(pl.coalesce("value", cells.expand(days))).to_series()


def read_column(cells: DistinctColumn, field: Field, context: DeliveryContext) -> ColumnReading:
    """Convert one column to its field's type. Each distinct text is parsed once, however many cells hold it."""
    dates, form = date_reading(field, context), dict(context.known.forms).get(field.name, USUAL_FORM)
    is_doubted = dates.are_swapped or form.in_hours is not None
    frame = cells.distinct.to_frame("text").with_columns(_canonical_value(field, is_doubted=is_doubted))
    value = frame["value"]
    odd = pl.Series([], dtype=pl.String)
    if value.null_count():
        odd = frame.filter((pl.col("text") != "") & pl.col("value").is_null())["text"].sort()
    if odd.is_empty():
        return ColumnReading(cells.expand(value).alias(field.name), None, value)
    own_letters = context.site_code.rpartition("-")[2]
    readings = [
        (read_in_form(t, field, form) if form != USUAL_FORM else None) or read_cell(t, field, dates, own_letters)
        for t in odd
    ]
    looked_up = pl.DataFrame(
        {
            "text": odd,
            "read": pl.Series([r.value for r in readings], dtype=polars_type(field), strict=False),
            "rule_id": pl.Series([r.rule_id for r in readings], dtype=pl.String),
            "severity": pl.Series([str(r.severity) for r in readings], dtype=pl.String),
            "suggestion": pl.Series([r.suggestion or None for r in readings], dtype=pl.String),
        }
    )
    values = frame.join(looked_up, on="text", how="left", maintain_order="left").select(pl.coalesce("value", "read"))
    distinct = values.to_series()
    return ColumnReading(cells.expand(distinct).alias(field.name), looked_up, distinct)


def date_reading(field: Field, context: DeliveryContext) -> DateReading:
    """How a column's dates are read: as the whole file has shown, as heading or profile declare, or by default."""
    agreed = AGREED_ORDER if context.agreed_order(field.name) == DAY_FIRST else HOLD_ROWS
    return replace(dict(context.known.dates).get(field.name) or agreed, newest_year=context.data_cut_date.year)


@cache  # building the expression takes longer than converting a small column
def _canonical_value(field: Field, *, is_doubted: bool) -> pl.Expr:
    """The typed value of each text in canonical form, null for any other.

    With `is_doubted` (day and month exchanged by a spreadsheet, or hours for minutes) no text counts as canonical.
    """
    plain, typed = _canonical_cells(field)
    return pl.when(pl.lit(False) if is_doubted else plain).then(typed).alias("value")


def _canonical_cells(field: Field) -> tuple[pl.Expr, pl.Expr]:
    """Expressions for whether a text is in canonical form, and for its typed value."""
    text = pl.col("text")
    if field.kind is Kind.CODE:
        # A retired code is not canonical: `read_cell` replaces it by the active one and reports that (P10).
        retired = field.code_list.replaced
        return text.is_in([c for c in field.code_list.codes if c not in retired]), text
    plain = text.str.contains(canonical_pattern(field))
    if field.kind is Kind.DATE:
        day = text.str.to_date("%Y-%m-%d", strict=False)  # strict=False: 2016-02-30 is null, and so not canonical
        return plain & ~day.is_in(list(PLACEHOLDER_DATES)), day
    if field.kind is Kind.YES_NO:
        return plain, text == "Y"
    if field.kind is Kind.FINANCIAL_YEAR:
        start, end = (text.str.slice(i, 2).cast(pl.Int8, strict=False) for i in (2, 5))
        return plain & ((start + 1) % 100 == end), text  # the second year has to follow the first, as 00 follows 99
    if field.kind in (Kind.INTEGER, Kind.DECIMAL, Kind.MONEY):
        return plain & ~text.is_in(list(field.sentinels)), text.cast(polars_type(field), strict=False)
    return plain & ~text.is_in(list(IN_PLACE_OF_VALUES)), text


@dataclass(frozen=True)
class FindingLocation:
    """Where in the sender's file a column's findings are. `field` is None for a column outside the contract."""

    field: Field | None
    column: Column
    sheet: str

    def finding(self, *, hidden: bool = False) -> Finding:
        """A template for the column's findings, whose rule and severity differ from row to row."""
        field = self.field.name if self.field else ""
        return Finding(ROW_BY_ROW, ROW_BY_ROW, field=field, column=self.column, hidden=hidden)


def cell_findings(
    cells: DistinctColumn,
    source_rows: pl.Series,
    odd: pl.DataFrame,
    location: FindingLocation,
    contract: Contract,
    context: DeliveryContext,
) -> pl.DataFrame:
    """A finding for each row whose cell was repaired or could not be read.

    If the cell's text is withheld, so is the suggestion.
    """
    at_fault = odd.filter(pl.col("rule_id") != "")
    if at_fault.is_empty():
        return NO_FINDINGS
    hits = cells.rows_with(at_fault["text"], source_rows).join(at_fault, on="text", maintain_order="left")
    # One row per cell, not per distinct text: whether a text may be shown depends on how many rows hold it.
    hits = hits.hstack(redact(hits["text"], location.field, contract, context.data_cut_date))
    hits = hits.with_columns(pl.when(~pl.col("hidden")).then("suggestion").alias("suggestion"))
    return findings_of_rows(hits, location.finding(), location.sheet)


def reject_percentages(findings: pl.DataFrame, rows: pl.Series) -> pl.DataFrame:
    """Turn the percentage warnings (C21) in these rows into held rows: the cell is not a number there (V05)."""
    is_refused = (pl.col("rule_id") == "C21") & pl.col("source_row").is_in(rows.implode())
    return findings.with_columns(
        pl.when(is_refused).then(pl.lit("V05")).otherwise("rule_id").alias("rule_id"),
        pl.when(is_refused).then(pl.lit(str(Severity.ROW))).otherwise("severity").alias("severity"),
        pl.when(~is_refused).then("suggestion").alias("suggestion"),
    )


def dates_seen(cells: DistinctColumn, read: ColumnReading, context: DeliveryContext) -> DateEvidence:
    """Gather from a date column the evidence of the order in which its dates are written."""
    frame = pl.DataFrame({"text": cells.distinct, "day": read.distinct})
    texts: dict[str, NumericDate] = {}
    years_first: dict[str, YearFirst] = {}
    if read.odd is not None:
        years_first = {t: written for t in read.odd["text"] if (written := year_first_date(t))}
        texts = {t: one for t in read.odd["text"] if (one := numeric_date_of_cell(t, context.data_cut_date.year))}
        by_name = [t for t in read.odd["text"] if is_spreadsheet_date(t)]
        # Serial numbers (C01) and dates such as 03-Nov-2016 come from cells that the spreadsheet holds as true dates;
        # any other date in words was typed.
        typed = read.odd.filter((pl.col("rule_id") == "C28") & ~pl.col("text").is_in(by_name))["text"]
        unread = read.odd.filter((pl.col("rule_id") == "C01") | pl.col("text").is_in(by_name)).select(
            "text", pl.col("suggestion").str.to_date("%Y-%m-%d", strict=False)
        )
        frame = frame.join(unread, on="text", how="left", maintain_order="left").select(
            "text", pl.when(~pl.col("text").is_in([*texts, *typed])).then(pl.coalesce("day", "suggestion")).alias("day")
        )
    days = frame["day"]
    times = np.bincount(cells.indices.to_numpy(), minlength=len(frame))  # the number of cells with each distinct text
    seen = DateEvidence(
        texts=int(times[frame["text"].is_in(list(texts)).to_numpy()].sum()),
        true_dates=int(times[days.is_not_null().to_numpy()].sum()),
        year_first=int(times[frame["text"].is_in(list(years_first)).to_numpy()].sum()),
    )
    seen.add_texts(texts.values())
    seen.add_year_first(years_first.values())
    for day in days.unique().drop_nulls():
        (seen.up_to_12th if day.day <= MONTHS else seen.later).add(day)
    return seen


def form_seen(cells: DistinctColumn, field: Field) -> FormEvidence | None:
    """Gather from a column the evidence of the form in which it is written; None where it has one form."""
    if not has_forms(field):
        return None
    seen = FormEvidence()
    times = np.bincount(cells.indices.to_numpy(), minlength=len(cells.distinct))
    for text, number in zip(cells.distinct, times.tolist(), strict=True):
        seen.add_cells(text, number, field)
    return seen
