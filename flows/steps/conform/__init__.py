"""conform: convert text batches to typed columns by the contract; each repair or unreadable cell becomes a finding.

Cells in canonical form are converted a column at a time. Every other distinct text is parsed once by
`flows.cells.parse.read_cell`. So one bad cell never hides another, and a clean file needs no Python per cell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import polars as pl

from flows.cells.date_orders import COLUMN_RULES, DateEvidence
from flows.cells.distinct_column import DistinctColumn
from flows.cells.reading.column_forms import FormEvidence
from flows.cells.redact import redact
from flows.deliveries.conformed import Layout, TypedBatch
from flows.deliveries.context import DeliveryContext
from flows.deliveries.extract import TextBatch
from flows.deliveries.findings import NO_FINDINGS, Finding, findings_frame, findings_of_rows
from flows.steps.conform.cells import (
    FindingLocation,
    absent_column,
    cell_findings,
    dates_seen,
    form_seen,
    read_column,
    reject_percentages,
)
from flows.steps.conform.data_rows import DataRows, data_rows, form_versions, shifted_rows, unheaded_column_findings
from flows.steps.conform.examples import filled_in_on_examples
from flows.steps.conform.form_version import layout_of_form
from flows.steps.conform.heading import fields_by_heading, heading_line_findings, known_headings, match_headings
from flows.steps.conform.other_dataset import headings_of_any_dataset, layout_of_nothing, layout_of_other, other_dataset
from flows.steps.conform.personal_data import (
    birth_date_findings,
    blank_personal_values,
    may_hold_names,
    personal_data_findings,
    personal_in_stray_text,
    personal_on_other_sheets,
)
from flows.steps.conform.placeholders import placeholder_findings
from flows.steps.conform.renamed import link_renamed
from flows.steps.conform.right_of_table import cells_beside, group_columns_beside
from flows.steps.conform.stray_rows import stray_lines
from schemas._contract.model import PERCENTAGES, Contract, Field, Kind, Severity
from schemas._rules.cells import CLOCK_RULE, HOURS_RULE, NUMBERED_CODES_RULE
from schemas.audit.deliveries import Column

EXTRA_CELL = "a cell to the right of the last heading"
_MALFORMED_TYPES = {"source_row": pl.Int64, "found": pl.String}
__all__ = [
    "conform",
    "filled_in_on_examples",
    "headings_of_any_dataset",
    "known_headings",
    "layout_of_form",
    "layout_of_nothing",
    "layout_of_other",
    "group_columns_beside",
    "heading_line_findings",
    "link_renamed",
    "match_headings",
    "other_dataset",
    "personal_on_other_sheets",
]


def conform(batch: TextBatch, layout: Layout, contract: Contract, context: DeliveryContext, sheet: str) -> TypedBatch:
    """Convert one batch of text to the contract's types.

    Bad data never raises: a cell that cannot be read is null in `rows` and listed in `findings` and `unreadable`.
    Personal data (P01-P03) is reported by its address, never with its value.
    """
    rows = data_rows(batch, layout, contract, fields_by_heading(contract, context))
    batch, stray = _without_stray_lines(batch, rows, layout, contract)
    named = may_hold_names(rows.cells) if contract.participant_level else {}
    conformer = _BatchConformer(rows, named, layout, contract, context, sheet)
    columns = {field.name: conformer.column(field) for field in contract.fields}
    total_like = _total_like_findings(rows, layout, contract, context, sheet)
    # NO_FINDINGS, because polars cannot concatenate an empty list.
    of_cells = pl.concat([NO_FINDINGS, *(frame for column in columns.values() for frame in column.findings)])
    stray_text = conformer.unmapped_text_findings(batch) if contract.participant_level else []
    return TypedBatch(
        rows=pl.DataFrame({"source_row": rows.source_rows} | {name: c.values for name, c in columns.items()}),
        cells=rows.cells,
        findings=pl.concat(
            [
                *_row_findings(batch, rows, layout, contract, sheet),
                findings_frame(stray, sheet),
                total_like,
                placeholder_findings(rows.unfilled, layout, contract, context.data_cut_date, sheet),
                *stray_text,
                of_cells,
            ]
        ),
        # A date whose column's order is in doubt has no value even where that refuses the whole file, not just the row.
        unreadable=pl.concat([of_cells, total_like])
        .filter(
            (pl.col("severity") == Severity.ROW)
            | (
                pl.col("rule_id").is_in([*COLUMN_RULES, CLOCK_RULE, HOURS_RULE, NUMBERED_CODES_RULE])
                & (pl.col("severity") == Severity.FILE)
            )
        )
        .select("source_row", "field"),
        malformed=[*batch.malformed],
        not_data=len(rows.not_data) + len(stray),
        dates={name: column.dates for name, column in columns.items() if column.dates is not None},
        forms={name: column.form for name, column in columns.items() if column.form is not None},
        unfilled=rows.unfilled,
        form_versions=form_versions(rows.cells, layout),
    )


def _without_stray_lines(
    batch: TextBatch, rows: DataRows, layout: Layout, contract: Contract
) -> tuple[TextBatch, list[Finding]]:
    """Drop the lines that could not be split and are not records; return the batch, and a finding for each."""
    if not batch.malformed:
        return batch, []
    lines = {row: text for row, text in batch.stray_text if row in batch.malformed}
    blank = rows.not_data.filter(pl.col("rule_id") == "F07")["source_row"].to_list()
    rules = stray_lines(lines, blank, ",;|\t", layout, contract)
    malformed = {row: why for row, why in batch.malformed.items() if row not in rules}
    return replace(batch, malformed=malformed), [Finding(r, Severity.WARNING, row) for row, r in rules.items()]


def _row_findings(
    batch: TextBatch, rows: DataRows, layout: Layout, contract: Contract, sheet: str
) -> list[pl.DataFrame]:
    """Findings about whole rows: not data, a cell too many, or not split into columns; and columns without heading."""
    right_of_table, about_beside = cells_beside(rows.cells, rows.source_rows, layout, contract, sheet)
    shifted = shifted_rows(rows, layout, right_of_table)
    # An extra cell is reported once, as a shifted row, and not also as a column without a heading.
    sound = {n: c.where(~shifted) for n, c in rows.cells.items()} if shifted.any() else rows.cells
    lines = []
    if shifted.any():
        lines += [rows.source_rows.filter(shifted).to_frame().with_columns(pl.lit(EXTRA_CELL).alias("found"))]
    if batch.malformed:
        malformed = {"source_row": [*batch.malformed], "found": [*batch.malformed.values()]}
        lines += [pl.DataFrame(malformed, schema=_MALFORMED_TYPES)]
    return [
        rows.findings(sheet),
        findings_frame([*unheaded_column_findings(sound, layout, right_of_table), *about_beside], sheet),
        *(findings_of_rows(some, Finding("F13", Severity.ROW), sheet) for some in lines),
    ]


def _total_like_findings(
    rows: DataRows, layout: Layout, contract: Contract, context: DeliveryContext, sheet: str
) -> pl.DataFrame:
    """Hold each row whose reference reads like a total's (rule F06): if it is one, it would be counted twice."""
    name = contract.key[0]
    if rows.total_like.is_empty() or name not in layout.positions:
        return NO_FINDINGS
    texts = rows.cells[str(layout.positions[name])].column.filter(rows.source_rows.is_in(rows.total_like.implode()))
    redacted = redact(texts, contract.by_name[name], contract, context.data_cut_date)
    finding = Finding("F06", Severity.ROW, None, name, layout.column_of(name))
    return findings_of_rows(redacted.with_columns(rows.total_like.alias("source_row")), finding, sheet)


class _ConformedColumn(NamedTuple):
    """One field's column: typed values, findings, and for dates the evidence of the order in which they are written."""

    values: pl.Series
    findings: Sequence[pl.DataFrame] = ()
    dates: DateEvidence | None = None
    form: FormEvidence | None = None


@dataclass(frozen=True)
class _BatchConformer:
    """Conforms the columns of one batch.

    `named` marks, for each column, the distinct texts that may hold a person's name. It is empty for a dataset whose
    rows are not about people.
    """

    rows: DataRows
    named: Mapping[str, pl.Series]
    layout: Layout
    contract: Contract
    context: DeliveryContext
    sheet: str

    def unmapped_text_findings(self, batch: TextBatch) -> list[pl.DataFrame]:
        """Findings of personal data outside the contract's fields: in text that is not data, and in other columns."""
        known = self.layout.positions.values()
        unknown = [(str(i), column) for i, column in enumerate(self.layout.columns) if i not in known]
        cells, named, source_rows = self.rows.cells, self.named, self.rows.source_rows
        return [
            personal_in_stray_text([*batch.stray_text, *self.rows.stray_text], self.sheet),
            *(
                personal_data_findings(
                    cells[i], named[i], source_rows, odd=None, location=FindingLocation(None, column, self.sheet)
                )
                for i, column in unknown
            ),
        ]

    def column(self, field: Field) -> _ConformedColumn:
        """Conform one field's column; if the file has no such column, its default values."""
        column, source_rows = self.layout.column_of(field.name), self.rows.source_rows
        if column is None:
            return _ConformedColumn(absent_column(field, self.rows.cells, len(source_rows), self.layout))
        cells = self.rows.cells[str(self.layout.positions[field.name])]
        read = read_column(cells, field, self.context)
        misplaced = self._misplaced_percentages(field, cells, read.odd)
        personal = self._personal(field, column, read.intended_days(cells), read.odd)
        values = blank_personal_values(read.values, source_rows, personal)
        # How the dates are written may only show once the whole file is read: gathered here, decided at the end.
        dates = dates_seen(cells, read, self.context) if field.kind is Kind.DATE else None
        form = form_seen(cells, field)
        if read.odd is None:
            return _ConformedColumn(values, personal, dates, form)
        statuses = self._status_texts(field)
        odd = read.odd.filter(~pl.col("text").is_in(statuses)) if statuses else read.odd
        faults = cell_findings(
            cells, source_rows, odd, FindingLocation(field, column, self.sheet), self.contract, self.context
        )
        if misplaced is not None:
            values = values.to_frame().select(pl.when(~misplaced).then(values.name)).to_series()
            faults = reject_percentages(faults, source_rows.filter(misplaced))
        return _ConformedColumn(values, [*personal, faults], dates, form)

    def _misplaced_percentages(self, field: Field, cells: DistinctColumn, odd: pl.DataFrame | None) -> pl.Series | None:
        """Which rows have a percentage although their statistic is not one; None if the column has no percentages."""
        if not field.statistic or odd is None:
            return None
        percentages = odd.filter((pl.col("rule_id") == "C21") & (pl.col("severity") == Severity.WARNING))["text"]
        if percentages.is_empty():
            return None
        is_written = cells.expand(cells.distinct.is_in(percentages.implode()))
        position = self.layout.positions.get(field.statistic)
        if position is None:  # without a statistic's name, nothing says that a percentage is meant
            return is_written
        statistic = read_column(self.rows.cells[str(position)], self.contract.by_name[field.statistic], self.context)
        return is_written & ~statistic.values.is_in(list(PERCENTAGES)).fill_null(False)

    def _personal(self, field: Field, column: Column, days: pl.Series, odd: pl.DataFrame | None) -> list[pl.DataFrame]:
        """Findings of personal data in one field's column."""
        if not self.contract.participant_level:
            return []
        position, source_rows = str(self.layout.positions[field.name]), self.rows.source_rows
        cells, named = self.rows.cells[position], self.named[position]
        location = FindingLocation(field, column, self.sheet)
        identifiers = personal_data_findings(cells, named, source_rows, odd, location)
        births = birth_date_findings(days, source_rows, location, self.context)
        return [frame for frame in (identifiers, births) if not frame.is_empty()]

    def _status_texts(self, field: Field) -> list[str]:
        """Texts in a field's column that state the status of another field, for which the file has no column.

        They are not faults in this column: `absent_column` reads them.
        """
        absent = (f for f in self.contract.fields if f.status_of == field.name and f.name not in self.layout.positions)
        return [text for f in absent for text, _ in f.status_words]
