"""conform: text becomes typed columns as the contract says; every repair and every unreadable cell is a finding.

A cell in its canonical form is taken a column at a time. What is odd is read by `schemas.cells.read_cell`, once for
each distinct text, so one bad cell never hides another and a clean file costs no Python per cell.
"""

from __future__ import annotations

import polars as pl

from flows.steps.conform.cells import absent_column, cell_findings, day_month_orders, read_column
from flows.steps.conform.heading import fields_by_heading, known_headings, lay_out
from flows.steps.conform.personal import (
    long_ago,
    may_hold_names,
    personal_beside,
    personal_data,
    personal_elsewhere,
    without,
)
from flows.steps.conform.rows import beside_the_table, data_rows, form_versions, without_heading
from schemas.contract import Contract, Severity
from schemas.shapes import Context, Finding, Layout, TextBatch, TypedBatch, findings_frame, findings_of_rows

BESIDE = "a cell to the right of the last heading"
_TORN_TYPES = {"source_row": pl.Int64, "found": pl.String}
__all__ = ["conform", "known_headings", "lay_out", "personal_elsewhere"]


def conform(batch: TextBatch, layout: Layout, contract: Contract, context: Context, sheet: str) -> TypedBatch:
    """Give one batch its types.

    Never raises for bad data: a cell that has no reading is empty in `rows`, and named in `findings` and `unreadable`.
    Personal data (P01-P03) is reported with its address and never with its value.
    """
    rows = data_rows(batch, layout, contract, fields_by_heading(contract, context))
    source_rows, shifted = rows.source_rows, beside_the_table(rows, layout)
    sound = {n: c.where(~shifted) for n, c in rows.cells.items()} if shifted.any() else rows.cells
    found = [rows.findings(sheet), findings_frame(without_heading(sound, layout), sheet)]
    beside = pl.DataFrame({"source_row": source_rows.filter(shifted)}).with_columns(pl.lit(BESIDE).alias("found"))
    found.append(findings_of_rows(beside, Finding("F13", Severity.ROW), sheet))
    torn = pl.DataFrame({"source_row": [*batch.torn], "found": [*batch.torn.values()]}, schema=_TORN_TYPES)
    found.append(findings_of_rows(torn, Finding("F13", Severity.ROW), sheet))
    typed: dict[str, pl.Series] = {"source_row": source_rows}
    unreadable, orders = [], set()
    told_by_status = {
        f.status_of: [text for text, _ in f.status_words]
        for f in contract.fields
        if f.status_of and f.name not in layout.positions
    }
    if contract.participant_level:
        found.append(personal_beside([*batch.beside, *rows.totals], sheet))
        unknown = [i for i in range(len(layout.columns)) if i not in layout.positions.values()]
        named = may_hold_names(rows.cells)
        found += [
            personal_data(rows.cells[c], named[c], source_rows, None, None, layout.columns[int(c)], sheet)
            for c in map(str, unknown)
        ]
    for field in contract.fields:
        column = layout.column_of(field.name)
        if column is None:
            typed[field.name] = absent_column(field, rows.cells, len(source_rows), layout)
            continue
        position = str(layout.positions[field.name])
        cells = rows.cells[position]
        read = read_column(cells, field, context)
        typed[field.name] = read.values
        if contract.participant_level:
            personal = pl.concat(
                [
                    personal_data(cells, named[position], source_rows, read.odd, field, column, sheet),
                    long_ago(typed, field, column, context, sheet),
                ]
            )
            if not personal.is_empty():
                found.append(personal)
                at_fault = personal.filter(pl.col("severity") == Severity.ROW).select("source_row", "field")
                typed[field.name] = without(typed, field, at_fault)
                unreadable.append(at_fault)
        if read.odd is None:
            continue
        odd = read.odd
        if of_status := told_by_status.get(field.name):
            odd = odd.filter(~pl.col("text").is_in(of_status))
        faults = cell_findings(cells, source_rows, odd, field, column, contract, context, sheet)
        found.append(faults)
        unreadable.append(faults.filter(pl.col("severity") != Severity.WARNING).select("source_row", "field"))
        orders |= {(field.name, o) for o in day_month_orders(read.odd, field)}
    return TypedBatch(
        rows=pl.DataFrame(typed),
        cells=rows.cells,
        findings=pl.concat(found),
        unreadable=pl.concat(unreadable)
        if unreadable
        else pl.DataFrame(schema={"source_row": pl.Int64, "field": pl.String}),
        torn=[*batch.torn],
        not_data=len(rows.not_data),
        date_orders=orders,
        form_versions=form_versions(rows.cells, layout),
    )
