"""The cells of one column: read a column at a time where they are in canonical form, the odd ones text by text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import polars as pl

from flows.cells.date_orders import AGREED, COLUMN_RULES, HELD, MONTHS, DateReading, DatesSeen
from flows.cells.dates import DAY_FIRST, Slashed
from flows.cells.distinct_column import DistinctColumn
from flows.cells.parse import PLACEHOLDER_DATES, canonical, is_spreadsheet_date, read_cell, slashed_date
from flows.cells.redact import redact
from flows.deliveries.conformed import Layout
from flows.deliveries.context import DeliveryContext
from flows.deliveries.findings import NO_FINDINGS, ROW_BY_ROW, Finding, findings_of_rows
from schemas._contract.model import Contract, Field, Kind, Severity
from schemas._contract.polars_types import polars_type
from schemas.audit.deliveries import Column


def absent_column(field: Field, cells: Mapping[str, DistinctColumn], rows: int, layout: Layout) -> pl.Series:
    """The values of a field that the file has no column for: its default, or the status of another field's text."""
    if field.status_of and field.status_of in layout.positions:
        source = cells[str(layout.positions[field.status_of])]
        codes = dict(field.status_words)
        status = source.distinct.str.strip_chars().replace_strict(codes, default=field.default, return_dtype=pl.String)
        return source.of_cells(status).alias(field.name)
    value = read_cell(field.default, field).value if field.default else None
    return pl.Series(field.name, [value] * rows, dtype=polars_type(field))


class _Read:
    """One column read: its typed values, and what was odd in it (text, rule_id, severity, suggestion), if anything.

    `distinct` is the typed value of each distinct text.
    """

    def __init__(self, values: pl.Series, odd: pl.DataFrame | None, distinct: pl.Series) -> None:
        self.values, self.odd, self.distinct = values, odd, distinct

    def days_meant(self, cells: DistinctColumn) -> pl.Series:
        """The values, and in place of dates that are held for how their column is written, what they are taken for."""
        if self.odd is None or not (asked := self.odd.filter(pl.col("rule_id").is_in(COLUMN_RULES))).height:
            return self.values
        meant = asked.select("text", pl.col("suggestion").str.to_date("%Y-%m-%d", strict=False).alias("day"))
        days = cells.distinct.to_frame("text").join(meant, on="text", how="left", maintain_order="left")["day"]
        return self.values.to_frame("value").select(pl.coalesce("value", cells.of_cells(days))).to_series()


def read_column(cells: DistinctColumn, field: Field, context: DeliveryContext) -> _Read:
    """One column's values; a text is read once, however many cells hold it."""
    dates = dates_of(field, context)
    frame = cells.distinct.to_frame("text").with_columns(_canonical_value(field, are_swapped=dates.are_swapped))
    value = frame["value"]
    odd = pl.Series([], dtype=pl.String)
    if value.null_count():
        odd = frame.filter((pl.col("text") != "") & pl.col("value").is_null())["text"].sort()
    if odd.is_empty():
        return _Read(cells.of_cells(value).alias(field.name), None, value)
    readings = [read_cell(t, field, dates) for t in odd]
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
    return _Read(cells.of_cells(distinct).alias(field.name), looked_up, distinct)


def dates_of(field: Field, context: DeliveryContext) -> DateReading:
    """How the dates of a column are read: as the whole file shows, as the site's profile declares, or by default."""
    return dict(context.dates).get(field.name) or (AGREED if context.date_order == DAY_FIRST else HELD)


@cache  # to put an expression together costs more than a small column
def _canonical_value(field: Field, *, are_swapped: bool) -> pl.Expr:
    """The typed value of each text in canonical form; none of another, nor of any date that is swapped."""
    plain, typed = _canonical_cells(field)
    return pl.when(pl.lit(False) if are_swapped else plain).then(typed).alias("value")


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
    if field.kind in (Kind.INTEGER, Kind.DECIMAL, Kind.MONEY):
        return plain & ~text.is_in(list(field.sentinels)), text.cast(polars_type(field), strict=False)
    return plain, text


@dataclass(frozen=True)
class Place:
    """Where in the sender's file the findings of a column are. No field: one that nobody asked for."""

    field: Field | None
    column: Column
    sheet: str

    def finding(self, *, hidden: bool = False) -> Finding:
        """What the findings of the column have in common."""
        field = self.field.name if self.field else ""
        return Finding(ROW_BY_ROW, ROW_BY_ROW, field=field, column=self.column, hidden=hidden)


def cell_findings(
    cells: DistinctColumn,
    source_rows: pl.Series,
    odd: pl.DataFrame,
    place: Place,
    contract: Contract,
    context: DeliveryContext,
) -> pl.DataFrame:
    """One finding for each row whose cell was repaired or could not be read. What is meant is hidden as the cell is."""
    told = odd.filter(pl.col("rule_id") != "")
    if told.is_empty():
        return NO_FINDINGS
    hits = cells.rows_with(told["text"], source_rows).join(told, on="text", maintain_order="left")
    hits = hits.hstack(redact(hits["text"], place.field, contract, context.data_cut_date))  # by how many rows hold it
    hits = hits.with_columns(pl.when(~pl.col("hidden")).then("suggestion").alias("suggestion"))
    return findings_of_rows(hits, place.finding(), place.sheet)


def refused_percentages(findings: pl.DataFrame, rows: pl.Series) -> pl.DataFrame:
    """The findings of a column, with its percentages in these rows as what is no number there (V05)."""
    is_refused = (pl.col("rule_id") == "C21") & pl.col("source_row").is_in(rows.implode())
    return findings.with_columns(
        pl.when(is_refused).then(pl.lit("V05")).otherwise("rule_id").alias("rule_id"),
        pl.when(is_refused).then(pl.lit(str(Severity.ROW))).otherwise("severity").alias("severity"),
        pl.when(~is_refused).then("suggestion").alias("suggestion"),
    )


def dates_seen(cells: DistinctColumn, read: _Read, context: DeliveryContext) -> DatesSeen:
    """What the cells of a date column show of how its dates are written."""
    frame = pl.DataFrame({"text": cells.distinct, "day": read.distinct})
    texts: dict[str, Slashed] = {}
    if read.odd is not None:
        texts = {t: one for t in read.odd["text"] if (one := slashed_date(t, context.data_cut_date.year))}
        by_name = [t for t in read.odd["text"] if is_spreadsheet_date(t)]
        unread = read.odd.filter((pl.col("rule_id") == "C01") | pl.col("text").is_in(by_name)).select(
            "text", pl.col("suggestion").str.to_date("%Y-%m-%d", strict=False)
        )
        frame = frame.join(unread, on="text", how="left", maintain_order="left").select(
            "text", pl.when(~pl.col("text").is_in(list(texts))).then(pl.coalesce("day", "suggestion")).alias("day")
        )
    days = frame["day"]
    times = np.bincount(cells.places.to_numpy(), minlength=len(frame))
    seen = DatesSeen(
        texts=int(times[frame["text"].is_in(list(texts)).to_numpy()].sum()),
        true_dates=int(times[days.is_not_null().to_numpy()].sum()),
    )
    seen.add_texts(texts.values())
    for day in days.unique().drop_nulls():
        (seen.up_to_12th if day.day <= MONTHS else seen.later).add(day)
    return seen
