"""Checks on each typed cell, derived from its field. The texts of their rules are in `cells.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas._contract.model import Field, Kind

if TYPE_CHECKING:
    import polars as pl


def checks_of(field: Field) -> list[tuple[str, pl.Expr]]:
    """The checks on a field's cells once they are typed: (rule id, polars expression that is true for valid cells)."""
    import polars as pl  # here, so that reading the texts of rules does not import polars

    cell = pl.col(field.name)
    checks: list[tuple[str, pl.Expr]] = []
    if field.kind is Kind.CODE:
        checks.append((field.not_listed_rule, cell.is_in(list(field.code_list.codes))))
    if field.pattern:
        checks.append((field.pattern_rule, cell.str.contains(field.pattern)))
    if field.low is not None:
        checks.append((field.range_rule, cell >= field.low))
    if field.high is not None:
        checks.append((field.range_rule, cell <= field.high))
    if field.kind is Kind.DATE and not field.may_be_future:
        checks.append(("C06", cell <= pl.col("data_cut_date")))
    return checks
