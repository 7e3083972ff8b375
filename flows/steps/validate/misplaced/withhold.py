"""Remove cells known to be misplaced from a batch, with their findings, and report each cause once."""

from __future__ import annotations

import polars as pl

from flows.cells.redact import redact
from flows.deliveries.conformed import Layout, TypedBatch
from flows.deliveries.context import ROW_WORD, DeliveryContext, FileKnowledge, Misplaced
from flows.deliveries.findings import NO_FINDINGS, NO_HEADING, Finding, findings_of_rows
from schemas._contract.model import Contract, Severity
from schemas._rules.privacy import PERSONAL_DATA_RULE_IDS

GROUPED_RULE, SWAPPED_RULE = "F53", "F50"
EMPTY_RULES = ("V01", "F08")


def withhold_misplaced(typed: TypedBatch, known: FileKnowledge) -> None:
    """Take misplaced values out of a batch, with their findings; what breaks a privacy rule stays reported.

    Rules that read such a cell cannot be checked, as for any unreadable cell.
    """
    for cells in known.misplaced:
        rows = typed.rows["source_row"]
        here = rows >= cells.first_row
        typed.rows = typed.rows.with_columns(pl.when(~here).then(name).alias(name) for name in cells.fields)
        is_theirs = pl.col("field").is_in(list(cells.fields)) & (pl.col("source_row") >= cells.first_row)
        # the last value, moved out of the table
        is_extra_cell = pl.lit(cells.rule_id == "F52") & (
            (pl.col("rule_id") == "F13") | ((pl.col("rule_id") == "F11") & (pl.col("found") == NO_HEADING))
        )
        is_personal = pl.col("rule_id").is_in(PERSONAL_DATA_RULE_IDS)
        typed.findings = typed.findings.filter(is_personal | ~(is_theirs | is_extra_cell).fill_null(value=False))
        unread = [
            pl.DataFrame({"source_row": rows.filter(here)}).with_columns(pl.lit(name).alias("field"))
            for name in cells.fields
        ]
        typed.unreadable = pl.concat([typed.unreadable, *unread]).unique()
        typed.dates = {name: seen for name, seen in typed.dates.items() if name not in cells.fields}


def findings_about_misplaced(known: FileKnowledge, layout: Layout, row: str = "row") -> list[Finding]:
    """One finding about the file for each cause, or for both columns of a swap. `row` is the word for a source row.

    Cells below a heading line that lacks a heading have none: the missing heading has its own (F09).
    """
    return [
        _finding(cells, field, layout, row)
        for cells in known.misplaced
        if cells.rule_id
        for field in (cells.fields if cells.rule_id == SWAPPED_RULE else (cells.field,))
    ]


def _finding(cells: Misplaced, field: str, layout: Layout, row: str) -> Finding:
    found = cells.found.replace(ROW_WORD, row)
    return Finding(cells.rule_id, Severity.FILE, field=field, column=layout.column_of(field), found=found)


def grouped_findings(
    typed: TypedBatch,
    violations: pl.DataFrame,
    layout: Layout,
    contract: Contract,
    context: DeliveryContext,
    sheet: str,
) -> pl.DataFrame:
    """Replace the findings of cells that are empty because their value is on the first row of the group (F53).

    The value above is suggested, unless it may be personal; nothing is filled in.
    """
    known = context.known
    if not known.grouped:
        return violations
    shown_by = typed.rows.select("source_row", empty=_is_empty(known.grouped[0], typed, layout))
    severity = Severity.FILE if known.many_grouped else Severity.ROW
    parts = [NO_FINDINGS]
    for name in known.grouped:
        is_empty = _is_empty(name, typed, layout)
        cells = typed.cells[str(layout.positions[name])].column
        above = pl.select(pl.when(~is_empty).then(cells).alias("above")).to_series().forward_fill()
        field = contract.by_name[name]
        rows = shown_by.with_columns(above=above, is_theirs=is_empty).filter("empty", "is_theirs")
        shown = redact(rows["above"], field, contract, context.data_cut_date)
        rows = rows.select("source_row", suggestion=pl.when(~shown["hidden"]).then(shown["found"]))
        finding = Finding(GROUPED_RULE, severity, field=name, column=layout.column_of(name), found="")
        parts.append(findings_of_rows(rows, finding, sheet))
    replaced = pl.col("rule_id").is_in(EMPTY_RULES) & pl.col("field").is_in(list(known.grouped))
    return pl.concat([violations.filter(~replaced), *parts])


def _is_empty(name: str, typed: TypedBatch, layout: Layout) -> pl.Series:
    column = typed.cells[str(layout.positions[name])]
    return column.expand(column.distinct.str.strip_chars() == "")
