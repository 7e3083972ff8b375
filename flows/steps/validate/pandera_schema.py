"""The pandera schema of a contract: every check of a field and of a row, each named after its rule."""

from __future__ import annotations

from copy import copy
from typing import Self

import pandera.polars as pa
import polars as pl
from pandera.backends.polars.components import ColumnBackend

from schemas._contract.model import Contract, Severity
from schemas._contract.polars_types import polars_type
from schemas._rules.checks import checks_of


class _Column(pa.Column):
    """A column that is copied without its checks.

    pandera copies each column for every frame, which with its checks takes longer than checking a small frame.
    """

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        return copy(self)


_Column.register_backend(pl.LazyFrame, ColumnBackend)  # pandera registers it for its own class only


def pandera_schema(contract: Contract) -> pa.DataFrameSchema:
    """Build the pandera schema that validates a typed frame of this dataset, cell by cell and row by row.

    Every check belongs to the column of the cell to fix and is named 'rule:severity', so that a failure case has all
    three. Cross-field checks read the other columns from the frame. A check that gives null, as for an empty cell,
    passes: whether a cell may be empty is up to `nullable` of its column.
    """
    built: dict[str, pa.Column] = {}
    for field in contract.fields:
        cell = [(f"{rule_id}:{Severity.ROW}", expression) for rule_id, expression in checks_of(field)]
        across = [
            (f"{r.rule_id}:{r.severity}", r.check()) for r in contract.row_rules if r.field == field.name and r.check
        ]
        built[field.name] = _Column(
            polars_type(field),
            nullable=not field.required,
            checks=[_check(name, expression) for name, expression in [*cell, *across]],
        )
    return pa.DataFrameSchema(built, name=contract.dataset)


def _check(name: str, expression: pl.Expr) -> pa.Check:
    def holds(data: pa.PolarsData) -> bool | pl.LazyFrame:
        passed = data.lazyframe.select(expression.fill_null(True).alias("holds")).collect()
        # a plain True where no row fails: from a frame, pandera would go on to look for the rows that do
        return passed["holds"].all() or passed.lazy()

    return pa.Check(holds, name=name, ignore_na=False)
