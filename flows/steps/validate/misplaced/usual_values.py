"""Columns whose values fit their heading, and are as a whole what no sound file has (F51).

Y and N, or small numbers, fit many headings. Where the contract says what most values of a column are at any site, such
as 1 for the number of a job, a file with few of them holds another column's.
"""

from __future__ import annotations

from collections import Counter

import polars as pl

from flows.deliveries.conformed import Layout, TypedBatch
from flows.deliveries.context import Misplaced
from flows.steps.validate.misplaced.naming import ColumnNames
from schemas._contract.model import Contract

MIN_CELLS = 10


class UsualValues:
    """Counts the filled cells of such columns, and those that are as usual."""

    def __init__(self, contract: Contract, layout: Layout) -> None:
        self._fields = [f for f in contract.fields if f.usual and f.name in layout.positions]
        self._filled: Counter[str] = Counter()
        self._usual: Counter[str] = Counter()

    def add(self, typed: TypedBatch) -> None:
        """Add a batch."""
        for field in self._fields:
            values = typed.rows[field.name].drop_nulls()
            self._filled[field.name] += len(values)
            if field.usual and len(values):
                numbers = values.cast(pl.Float64)
                high = numbers.max() if field.usual.high is None else field.usual.high
                self._usual[field.name] += int(numbers.is_between(field.usual.low, high).sum())

    def decide(self, names: ColumnNames, explained: frozenset[str]) -> list[Misplaced]:
        """The columns with too few usual values, but for those that are explained already."""
        found = []
        for field in (f for f in self._fields if f.name not in explained):
            filled, usual = self._filled[field.name], self._usual[field.name]
            if field.usual and filled >= MIN_CELLS and usual < field.usual.least * filled:
                found.append(names.unusual(names.fields.index(field.name), filled - usual, filled))
        return found
