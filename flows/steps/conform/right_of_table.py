"""Recognise cells to the right of the table, such as a pivot or notes, that belong to no row (rule F36)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from flows.cells.column_letters import column_letter
from flows.cells.distinct_column import DistinctColumn
from flows.deliveries.conformed import Layout
from flows.deliveries.findings import Finding
from flows.runtime.wording import counted
from flows.steps.conform.stray_rows import distinguishing_columns, fits, has_form
from schemas._contract.model import Contract, Severity

MIN_COLUMNS = 2  # with headings of their own; a single column is named by its heading (F11)
_WORDS = re.compile(r"\w+\W+\w+")


def group_columns_beside(layout: Layout) -> Layout:
    """Replace the findings about a second table, right of this one past a column without a heading, by one (F36).

    It may repeat headings of the table itself: its columns are not read. If any of its headings may be personal, or
    that of a missing field, all findings are left as they are.
    """
    firsts: dict[str, int] = {}
    for i, column in enumerate(layout.columns):
        if column.field:
            firsts.setdefault(column.field, i)
    last = max(firsts.values(), default=len(layout.columns))
    block = [i for i in range(last + 1, len(layout.columns)) if layout.columns[i].heading]
    if layout.is_marked or len(block) < MIN_COLUMNS or block[0] == last + 1:
        return layout
    letters = {layout.columns[i].letter for i in block}
    about = [f for f in layout.findings if f.column and f.column.letter in letters]
    is_unknown = any(f.rule_id == "F11" for f in about)
    if not is_unknown or any(
        f.rule_id != "F12" and (f.rule_id, f.severity) != ("F11", Severity.WARNING) for f in about
    ):
        return layout
    found = f"{counted(len(block), 'column')} of another table, {_letters(block)}"
    findings = [f for f in layout.findings if f not in about] + [Finding("F36", Severity.WARNING, found=found)]
    twice = {f.field for f in findings if f.rule_id == "F12"}
    columns = tuple(replace(c, field="") if i in block else c for i, c in enumerate(layout.columns))
    positions = {name: i for name, i in firsts.items() if name not in twice}
    return replace(layout, columns=columns, findings=findings, positions=positions, right_of_table=block[0])


def cells_beside(
    cells: dict[str, DistinctColumn], source_rows: pl.Series, layout: Layout, contract: Contract, sheet: str
) -> tuple[list[int], list[Finding]]:
    """The columns without a heading whose cells lie right of the table, and a finding about them.

    They follow an empty column, or are remarks beside complete rows. Empty if rows may have been shifted.
    """
    end = len(layout.columns) if layout.right_of_table is None else layout.right_of_table
    last = max((i for i in range(end) if layout.as_written[i]), default=end)
    flags = {i: _filled(cells[str(i)]) for i in range(last + 1, end)}
    columns = [i for i, filled in flags.items() if filled.any()]
    if layout.is_marked or not columns:
        return [], []
    if columns[0] == last + 1 and not _are_remarks(cells, flags[last + 1], last, layout, contract):
        return [], []
    rows = source_rows.filter(
        pl.DataFrame([flags[i].alias(str(i)) for i in columns]).select(pl.any_horizontal("*")).to_series()
    )
    row = "row" if sheet else "line"  # a line of text may be another row in a spreadsheet
    where = f"{row} {rows[0]}" if len(rows) == 1 else f"{row}s {rows[0]} to {rows[-1]}"
    return columns, [Finding("F36", Severity.WARNING, found=f"{_letters(columns)}, {where}")]


def _are_remarks(
    cells: dict[str, DistinctColumn], filled: pl.Series, last: int, layout: Layout, contract: Contract
) -> bool:
    """Whether the cells right of the last column are remarks: words that cannot be its values, beside complete rows."""
    field = contract.by_name.get(layout.columns[last].field)
    if field is None or not has_form(field):
        return False
    remarks = cells[str(last + 1)].where(filled).distinct
    if not all(_WORDS.search(text) and not fits(text, field) for text in remarks):
        return False
    distinguishing = distinguishing_columns(layout, contract)
    return bool(distinguishing) and all(
        fits(text, f) for i, f in distinguishing.items() for text in cells[str(i)].where(filled).distinct
    )


def _letters(columns: Sequence[int]) -> str:
    """The letters of columns: 'column M', 'M to Y'."""
    first, last = column_letter(columns[0]), column_letter(columns[-1])
    return f"column {first}" if first == last else f"columns {first} to {last}"


def _filled(column: DistinctColumn) -> pl.Series:
    return column.expand(column.distinct.str.strip_chars() != "")
