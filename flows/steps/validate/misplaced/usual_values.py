"""Columns whose values fit their heading, and are as a whole what no sound file has (F51).

Y and N, or small numbers, fit many headings. Where the contract says what most values of a column are at any site, such
as 1 for the number of a job, a file with few of them holds another column's.
"""

from __future__ import annotations

from collections import Counter
from math import inf

import polars as pl

from flows.deliveries.conformed import Layout, TypedBatch
from flows.deliveries.context import Misplaced
from flows.steps.validate.misplaced.naming import ColumnNames
from schemas._contract.model import Contract

MIN_CELLS = 10


class UsualValues:
    """Counts the filled cells of such columns, and those that are as usual."""

    def __init__(self, contract: Contract, layout: Layout) -> None:
        self._usual = {f.name: f.usual for f in contract.fields if f.usual and f.name in layout.positions}
        self._filled: Counter[str] = Counter()
        self._as_usual: Counter[str] = Counter()

    def add(self, typed: TypedBatch) -> None:
        """Add a batch."""
        for name, usual in self._usual.items():
            numbers = typed.rows[name].drop_nulls().cast(pl.Float64)
            self._filled[name] += len(numbers)
            self._as_usual[name] += int(numbers.is_between(usual.low, inf if usual.high is None else usual.high).sum())

    def decide(self, names: ColumnNames, explained: frozenset[str]) -> list[Misplaced]:
        """The columns with too few usual values, but for those that are explained already."""
        found = []
        for name, usual in self._usual.items():
            filled, as_usual = self._filled[name], self._as_usual[name]
            if name not in explained and filled >= MIN_CELLS and as_usual < usual.least * filled:
                found.append(names.unusual(names.fields.index(name), filled - as_usual, filled))
        return found
