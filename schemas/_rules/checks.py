"""The checks of every typed cell, which follow from what its field states. What to tell of one is in `cells.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas._contract.model import Field, Kind

if TYPE_CHECKING:
    import polars as pl


def checks_of(field: Field) -> list[tuple[str, pl.Expr]]:
    """What every cell of a field must satisfy once it is typed: (rule id, expression true for good cells)."""
    import polars as pl

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
