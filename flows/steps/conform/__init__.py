"""conform: text becomes typed columns as the contract says; every repair and every unreadable cell is a finding.

A cell in its canonical form is taken a column at a time. What is odd is read by `flows.cells.parse.read_cell`, once for
each distinct text, so one bad cell never hides another and a clean file costs no Python per cell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import polars as pl

from flows.cells.date_orders import COLUMN_RULES, DatesSeen
from flows.cells.distinct_column import DistinctColumn
from flows.cells.redact import redact
from flows.deliveries.conformed import Layout, TypedBatch
from flows.deliveries.context import DeliveryContext
from flows.deliveries.extract import TextBatch
from flows.deliveries.findings import NO_FINDINGS, Finding, findings_frame, findings_of_rows
from flows.steps.conform.cells import Place, absent_column, cell_findings, dates_seen, read_column, refused_percentages
from flows.steps.conform.heading import fields_by_heading, known_headings, lay_out
from flows.steps.conform.personal_data import (
    long_ago,
    may_hold_names,
    personal_data,
    personal_in_stray_text,
    personal_on_other_sheets,
    without,
)
from flows.steps.conform.rows import Rows, beside_the_table, data_rows, form_versions, without_heading
from schemas._contract.model import PERCENTAGES, Contract, Field, Kind, Severity
from schemas.audit.deliveries import Column

BESIDE = "a cell to the right of the last heading"
_TORN_TYPES = {"source_row": pl.Int64, "found": pl.String}
__all__ = ["conform", "known_headings", "lay_out", "personal_on_other_sheets"]


def conform(batch: TextBatch, layout: Layout, contract: Contract, context: DeliveryContext, sheet: str) -> TypedBatch:
    """Give one batch its types.

    Never raises for bad data: a cell that has no reading is empty in `rows`, and named in `findings` and `unreadable`.
    Personal data (P01-P03) is reported with its address and never with its value.
    """
    rows = data_rows(batch, layout, contract, fields_by_heading(contract, context))
    named = may_hold_names(rows.cells) if contract.participant_level else {}
    conforming = _Conforming(rows, named, layout, contract, context, sheet)
    columns = {field.name: conforming.column(field) for field in contract.fields}
    like_totals = _like_totals(rows, layout, contract, context, sheet)
    of_cells = pl.concat([NO_FINDINGS, *(found for column in columns.values() for found in column.findings)])
    stray_text = conforming.beside_the_columns(batch) if contract.participant_level else []
    return TypedBatch(
        rows=pl.DataFrame({"source_row": rows.source_rows} | {name: c.values for name, c in columns.items()}),
        cells=rows.cells,
        findings=pl.concat([*_about_lines(batch, rows, layout, sheet), like_totals, *stray_text, of_cells]),
        unreadable=pl.concat([of_cells, like_totals])
        .filter((pl.col("severity") == Severity.ROW) | pl.col("rule_id").is_in(COLUMN_RULES))
        .select("source_row", "field"),
        malformed=[*batch.malformed],
        not_data=len(rows.not_data),
        dates={name: column.dates for name, column in columns.items() if column.dates is not None},
        form_versions=form_versions(rows.cells, layout),
    )


def _about_lines(batch: TextBatch, rows: Rows, layout: Layout, sheet: str) -> list[pl.DataFrame]:
    """What is found of whole lines: which are no data, have a cell too many, or could not be split into columns."""
    shifted = beside_the_table(rows, layout)
    sound = {n: c.where(~shifted) for n, c in rows.cells.items()} if shifted.any() else rows.cells
    lines = []
    if shifted.any():
        lines += [rows.source_rows.filter(shifted).to_frame().with_columns(pl.lit(BESIDE).alias("found"))]
    if batch.malformed:
        malformed = {"source_row": [*batch.malformed], "found": [*batch.malformed.values()]}
        lines += [pl.DataFrame(malformed, schema=_TORN_TYPES)]
    return [
        rows.findings(sheet),
        findings_frame(without_heading(sound, layout), sheet),
        *(findings_of_rows(some, Finding("F13", Severity.ROW), sheet) for some in lines),
    ]


def _like_totals(rows: Rows, layout: Layout, contract: Contract, context: DeliveryContext, sheet: str) -> pl.DataFrame:
    """A finding for each record whose reference reads as a total's (rule F06): one that is no record adds up twice."""
    name = contract.key[0]
    if rows.like_totals.is_empty() or name not in layout.positions:
        return NO_FINDINGS
    texts = rows.cells[str(layout.positions[name])].column.filter(rows.source_rows.is_in(rows.like_totals.implode()))
    told = redact(texts, contract.by_name[name], contract, context.data_cut_date)
    finding = Finding("F06", Severity.ROW, None, name, layout.column_of(name))
    return findings_of_rows(told.with_columns(rows.like_totals.alias("source_row")), finding, sheet)


class _Conformed(NamedTuple):
    """One field's column: its typed values, what was found in its cells, and what its dates show of their order."""

    values: pl.Series
    findings: Sequence[pl.DataFrame] = ()
    dates: DatesSeen | None = None


@dataclass(frozen=True)
class _Conforming:
    """The rows of one batch, and all that is known of how to read them.

    `named` says of each column which of its texts may hold a person's name; it is empty where no row is about anyone.
    """

    rows: Rows
    named: Mapping[str, pl.Series]
    layout: Layout
    contract: Contract
    context: DeliveryContext
    sheet: str

    def beside_the_columns(self, batch: TextBatch) -> list[pl.DataFrame]:
        """Personal data where no field of ours is: on lines that are no rows, and in columns nobody asked for."""
        known = self.layout.positions.values()
        unknown = [(str(i), column) for i, column in enumerate(self.layout.columns) if i not in known]
        cells, named, source_rows = self.rows.cells, self.named, self.rows.source_rows
        return [
            personal_in_stray_text([*batch.stray_text, *self.rows.totals], self.sheet),
            *(
                personal_data(cells[i], named[i], source_rows, odd=None, place=Place(None, column, self.sheet))
                for i, column in unknown
            ),
        ]

    def column(self, field: Field) -> _Conformed:
        """One field's column, or what stands for it where the file has none."""
        column, source_rows = self.layout.column_of(field.name), self.rows.source_rows
        if column is None:
            return _Conformed(absent_column(field, self.rows.cells, len(source_rows), self.layout))
        cells = self.rows.cells[str(self.layout.positions[field.name])]
        read = read_column(cells, field, self.context)
        no_percentage = self._no_percentage(field, cells, read.odd)
        personal = self._personal(field, column, read.days_meant(cells), read.odd)
        values = without(read.values, source_rows, personal)
        dates = dates_seen(cells, read, self.context) if field.kind is Kind.DATE else None
        if read.odd is None:
            return _Conformed(values, personal, dates)
        told = self._told_by_status(field)
        odd = read.odd.filter(~pl.col("text").is_in(told)) if told else read.odd
        faults = cell_findings(cells, source_rows, odd, Place(field, column, self.sheet), self.contract, self.context)
        if no_percentage is not None:
            values = values.to_frame().select(pl.when(~no_percentage).then(values.name)).to_series()
            faults = refused_percentages(faults, source_rows.filter(no_percentage))
        return _Conformed(values, [*personal, faults], dates)

    def _no_percentage(self, field: Field, cells: DistinctColumn, odd: pl.DataFrame | None) -> pl.Series | None:
        """In which rows a percentage stands that the row's statistic is not; none where the column has none."""
        if not field.statistic or odd is None:
            return None
        percentages = odd.filter((pl.col("rule_id") == "C21") & (pl.col("severity") == Severity.WARNING))["text"]
        if percentages.is_empty():
            return None
        is_written = cells.of_cells(cells.distinct.is_in(percentages.implode()))
        position = self.layout.positions.get(field.statistic)
        if position is None:
            return is_written
        statistic = read_column(self.rows.cells[str(position)], self.contract.by_name[field.statistic], self.context)
        return is_written & ~statistic.values.is_in(list(PERCENTAGES)).fill_null(False)

    def _personal(self, field: Field, column: Column, days: pl.Series, odd: pl.DataFrame | None) -> list[pl.DataFrame]:
        """The findings of personal data in one field's column, if there are any."""
        if not self.contract.participant_level:
            return []
        position, source_rows = str(self.layout.positions[field.name]), self.rows.source_rows
        cells, named = self.rows.cells[position], self.named[position]
        place = Place(field, column, self.sheet)
        told = personal_data(cells, named, source_rows, odd, place)
        births = long_ago(days, source_rows, place, self.context)
        return [found for found in (told, births) if not found.is_empty()]

    def _told_by_status(self, field: Field) -> list[str]:
        """The texts of a field's column that are the status of a field which the file has no column for."""
        told = (f for f in self.contract.fields if f.status_of == field.name and f.name not in self.layout.positions)
        return [text for f in told for text, _ in f.status_words]
