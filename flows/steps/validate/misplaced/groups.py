"""Columns that are filled in only on the first row of each group, as a spreadsheet leaves merged cells (F53).

What shows a group: a reference on its first row, each used once, and empty cells on most rows below. In a file sorted
by date there are no groups, only isolated gaps.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from flows.deliveries.conformed import Layout, TypedBatch
from flows.deliveries.context import FileKnowledge
from flows.steps.validate.misplaced.forms import fields_in_order
from schemas._contract.model import Contract, Kind

MIN_EMPTY, MIN_GROUPS, MOST, NEARLY_ALL = 5, 2, 0.5, 0.9


@dataclass
class _Group:
    """Numbers of rows by one reference that may be given on the first row of each group alone."""

    empty: int = 0
    filled: int = 0
    different: int = 0
    begins_filled: bool = True  # the first row of data has the reference
    in_order: int = 0  # filled rows, but the first, whose date is not before that of the row above
    dated: int = 0  # filled rows, but the first, with a date on both
    also_empty: Counter[str] = field(default_factory=Counter)  # other columns, on the rows without the reference
    also_filled: Counter[str] = field(default_factory=Counter)  # on the rows with it


class GroupEvidence:
    """Gathers which columns are filled in on the first row of each group alone."""

    def __init__(self, contract: Contract, layout: Layout) -> None:
        self.contract, self.layout = contract, layout
        self.fields = fields_in_order(layout)
        required = [f for f in contract.fields if f.required and f.name in layout.positions]
        self._groups = {f.name: _Group() for f in required if f.kind is Kind.REFERENCE or f.name in contract.key}
        self._is_first_batch = True

    def add(self, typed: TypedBatch, faults: Counter[tuple[str, str]]) -> None:
        """Add a batch, if a reference is empty on most of its rows. `faults`: findings by rule and field."""
        is_first, self._is_first_batch = self._is_first_batch, False
        for name, group in self._groups.items():
            empty = faults["V01", name] + faults["F08", name]
            if empty >= MIN_EMPTY and empty > MOST * len(typed.rows):
                self._add(group, name, typed, is_first=is_first)

    def _add(self, group: _Group, name: str, typed: TypedBatch, *, is_first: bool) -> None:
        is_filled = self._filled(name, typed)
        group.begins_filled &= not is_first or bool(is_filled[0])
        group.empty += int((~is_filled).sum())
        group.filled += int(is_filled.sum())
        group.different += len(typed.cells[str(self.layout.positions[name])].distinct) - 1
        for other in self.fields:
            if other != name:
                filled = self._filled(other, typed)
                group.also_empty[other] += int((~filled & ~is_filled).sum())
                group.also_filled[other] += int((filled & is_filled).sum())
        if self.contract.event_date and self.contract.event_date != name:
            day = pl.col(self.contract.event_date)
            dated = typed.rows.select((day >= day.shift(1)).alias("in_order")).with_columns(
                is_filled=pl.Series(is_filled)
            )
            restarts = dated.filter("is_filled")["in_order"].drop_nulls()
            group.dated += len(restarts)
            group.in_order += int(restarts.sum())

    def _filled(self, name: str, typed: TypedBatch) -> np.ndarray:
        column = typed.cells[str(self.layout.positions[name])]
        return column.expand(column.distinct.str.strip_chars() != "").to_numpy()

    def decide(self, rows: int) -> FileKnowledge:
        """The columns filled in only on the first row of each group; the first is the one that shows the groups."""
        for name, group in self._groups.items():
            if not _shows_groups(group, rows):
                continue
            alike = [
                other
                for other in self.fields
                if group.also_empty[other] >= NEARLY_ALL * group.empty
                and group.also_filled[other] >= NEARLY_ALL * group.filled
            ]
            many = group.empty > rows * self.contract.bad_share_limit
            return FileKnowledge(grouped=(name, *alike), many_grouped=many)
        return FileKnowledge()


def _shows_groups(group: _Group, rows: int) -> bool:
    are_many = group.empty >= MIN_EMPTY and group.empty > MOST * rows and group.filled >= MIN_GROUPS
    is_a_log = group.dated >= MIN_GROUPS and group.in_order >= NEARLY_ALL * group.dated
    return are_many and group.begins_filled and group.different >= NEARLY_ALL * group.filled and not is_a_log
