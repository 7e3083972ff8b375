"""The rows of a text file as a spreadsheet numbers them, where it shows a cell with line breaks in one row.

Everything else knows a row by its line (`source_row`). Only reports, which are for people with a spreadsheet, turn
lines into rows, by the shifts in the verdict.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import polars as pl

from flows.deliveries.extract import SheetCells
from flows.reporting.report import DatasetReport
from schemas.audit.deliveries import LineShift


def spreadsheet_rows(lines: pl.Series, shifts: Sequence[LineShift]) -> pl.Series:
    """The row of each line in a spreadsheet; null where it is not known, or where there is no line."""
    if not shifts:
        return lines
    by = pl.Series([0, *(s.rows for s in shifts)], dtype=pl.Int64)
    starts = pl.Series([0, *(s.line for s in shifts)], dtype=pl.Int64)
    at = starts.search_sorted(lines.fill_null(0), side="right").cast(pl.Int64) - 1
    return (lines - by.gather(at)).alias(lines.name)


def in_spreadsheet_rows(
    sheets: Sequence[SheetCells], parts: Sequence[DatasetReport]
) -> tuple[list[SheetCells], list[DatasetReport]]:
    """A text file as the one sheet that a spreadsheet makes of it: without the lines that are part of the row above.

    Where the rows are not known, each line is a row. Anything but a text file is returned unchanged.
    """
    shifts = _always_known(parts[0].verdict.line_shifts)
    if not shifts:
        return list(sheets), list(parts)
    joined: set[int] = set()
    for before, shift in pairwise([LineShift(0, 0), *shifts]):
        joined.update(range(shift.line - (shift.rows or 0) + (before.rows or 0), shift.line))
    of_rows = [replace(s, rows=[row for line, row in enumerate(s.rows, 1) if line not in joined]) for s in sheets]
    return of_rows, [_in_rows(part, shifts) for part in parts]


def _always_known(shifts: Sequence[LineShift]) -> list[LineShift]:
    return [s for s in shifts if s.rows is not None]


def _in_rows(part: DatasetReport, shifts: Sequence[LineShift]) -> DatasetReport:
    header = spreadsheet_rows(pl.Series([part.verdict.header_row], dtype=pl.Int64), shifts)[0]
    rows = spreadsheet_rows(part.findings["source_row"], shifts)
    findings = part.findings.with_columns(rows, line=pl.col("source_row"))
    return replace(part, verdict=replace(part.verdict, header_row=header), findings=findings)
