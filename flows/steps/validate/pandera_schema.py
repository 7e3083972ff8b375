"""The pandera schema of a contract: every check of a field and of a row, each named after its rule."""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from schemas._contract.model import Contract, Severity
from schemas._contract.polars_types import polars_type
from schemas._rules.checks import checks_of


def pandera_schema(contract: Contract) -> pa.DataFrameSchema:
    """The pandera schema that validates a typed frame of this dataset, cell by cell and row by row.

    Every check hangs on the column of the cell to fix and is named 'rule:severity', so a failure case names all three.
    Cross-field checks read the other columns from the frame. A check whose answer is unknown (an empty cell) passes:
    whether a cell may be empty is the column's own business.
    """
    built: dict[str, pa.Column] = {}
    for field in contract.fields:
        cell = [(f"{rule_id}:{Severity.ROW}", expression) for rule_id, expression in checks_of(field)]
        across = [
            (f"{r.rule_id}:{r.severity}", r.check()) for r in contract.row_rules if r.field == field.name and r.check
        ]
        built[field.name] = pa.Column(
            polars_type(field),
            nullable=not field.required,
            checks=[_check(name, expression) for name, expression in [*cell, *across]],
        )
    return pa.DataFrameSchema(built, name=contract.dataset)


def _check(name: str, expression: pl.Expr) -> pa.Check:
    def holds(data: pa.PolarsData) -> bool | pl.LazyFrame:
        held = data.lazyframe.select(expression.fill_null(True).alias("holds")).collect()
        # said in a word where no row breaks the rule: pandera would look for the rows that do
        return held["holds"].all() or held.lazy()

    return pa.Check(holds, name=name, ignore_na=False)
