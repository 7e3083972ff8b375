"""Values that are one column away from their headings, from some column on, on every row or from one row on (F52)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from flows.deliveries.conformed import Layout
from flows.deliveries.context import ROW_WORD, Misplaced
from flows.runtime.wording import counted
from flows.steps.validate.misplaced.forms import Sample
from flows.steps.validate.misplaced.naming import ColumnNames

MIN_ROWS, MIN_SHARE = 10, 0.5  # fewer rows are reported one by one, unless they are at least this share of the file
MIN_COLUMNS = 2  # that must hold their neighbour's values, and cannot hold their own
SURE_COLUMNS = 3  # so many cannot be chance, even with codes that occur in many lists
NEARLY_ALL, MOST, FEW = 0.9, 0.5, 0.1
RIGHT, LEFT = -1, 1  # offset from a cell's column to the column where its value belongs
_DIRECTIONS = {RIGHT: "right", LEFT: "left"}


@dataclass
class ShiftEvidence:
    """Numbers of cells by field and direction, in those rows in which several cells do not fit their own field."""

    fields: tuple[str, ...]
    layout: Layout
    seen: list[np.ndarray] = field(default_factory=list)  # source rows that were sampled
    odd: list[np.ndarray] = field(default_factory=list)  # of these, the rows in which several cells do not fit
    filled: np.ndarray = field(init=False)
    neighbours: dict[int, np.ndarray] = field(init=False)  # cells in the form of the field beside theirs
    only_neighbours: dict[int, np.ndarray] = field(init=False)  # of these, the ones that cannot be values of their own
    distinctive: dict[int, np.ndarray] = field(init=False)
    proving: frozenset[str] = frozenset()  # fields whose columns prove the shift, once it is decided

    def __post_init__(self) -> None:
        n = len(self.fields)
        self.filled = np.zeros(n)
        self.neighbours, self.only_neighbours, self.distinctive = (
            {d: np.zeros(n) for d in _DIRECTIONS} for _ in range(3)
        )

    def add(self, sample: Sample) -> None:
        """Add the sample of a batch."""
        misfits = sample.misfits
        odd = misfits.sum(axis=0) >= MIN_COLUMNS
        self.seen.append(sample.source_rows)
        self.odd.append(sample.source_rows[odd])
        self.filled += sample.is_filled[:, odd].sum(axis=1)
        for direction in _DIRECTIONS:
            for i in range(len(self.fields)):
                if (j := self._beside(i, direction)) is not None:
                    fits = sample.fits(i, j) & odd
                    only = fits & misfits[i]
                    self.neighbours[direction][i] += fits.sum()
                    self.only_neighbours[direction][i] += only.sum()
                    self.distinctive[direction][i] += (only & sample.distinctive[sample.texts[i]]).sum()

    def _beside(self, i: int, direction: int) -> int | None:
        """The field of the next column on one side; None if that column is unknown."""
        j = i + direction
        if not 0 <= j < len(self.fields):
            return None
        positions = self.layout.positions
        return j if positions[self.fields[j]] == positions[self.fields[i]] + direction else None

    def decide(self, rows: int, names: ColumnNames) -> Misplaced | None:
        """The finding about shifted values; None where there are none."""
        odd, seen = np.concatenate([*self.odd, []]), np.concatenate([*self.seen, []])
        if len(odd) < MIN_COLUMNS or (len(odd) < MIN_ROWS and len(odd) < MIN_SHARE * rows):
            return None
        runs = [(self._run(direction, len(odd)), direction) for direction in _DIRECTIONS]
        run, direction = max(runs, key=lambda one: len(one[0]))
        if not run:
            return None
        self.proving = frozenset(self.fields[i] for i in run if self._proves(direction)[i])
        first_row, where = _rows(np.sort(odd), np.sort(seen), rows)
        fields = tuple(self.fields[i] for i in self._with_empty(run, len(odd)))
        return names.shifted(run[0], fields, _DIRECTIONS[direction], where, first_row)

    def _run(self, direction: int, odd: int) -> range:
        """The longest run of columns that hold their neighbours' values; empty where there is none."""
        is_empty = self.filled < FEW * odd
        supports = ~is_empty & (self.neighbours[direction] >= NEARLY_ALL * self.filled)
        proves = supports & self._proves(direction)
        runs, start = [range(0)], 0
        for stop in range(1, len(self.fields) + 1):
            is_next = stop < len(self.fields) and self._beside(stop - 1, LEFT) is not None
            if is_next and (supports | is_empty)[stop] and (supports | is_empty)[stop - 1]:
                continue
            members = [i for i in range(start, stop) if supports[i]]
            is_sure = sum(proves[members]) >= SURE_COLUMNS or self._is_distinctive(members, direction)
            if sum(proves[members]) >= MIN_COLUMNS and is_sure:
                runs.append(range(self._first(members, proves, is_empty, direction), members[-1] + 1))
            start = stop
        return max(runs, key=len)

    def _first(self, members: list[int], proves: np.ndarray, is_empty: np.ndarray, direction: int) -> int:
        """The first column that holds its neighbour's values.

        Cells that move to the right leave an empty column behind. What is to the left of that did not move, although a
        reference there may have the form of the reference beside it.
        """
        proving = next(i for i in members if proves[i])
        empty = [i for i in range(members[0], proving) if is_empty[i]]
        return next(i for i in members if i > empty[-1]) if direction == RIGHT and empty else members[0]

    def _proves(self, direction: int) -> np.ndarray:
        """By field, whether most cells of its column cannot be its own, but are its neighbour's."""
        only = self.only_neighbours[direction]
        return (only > 0) & (only > MOST * self.filled)

    def _is_distinctive(self, members: list[int], direction: int) -> bool:
        return any(self.distinctive[direction][i] > MOST * self.filled[i] for i in members)

    def _with_empty(self, run: range, odd: int) -> range:
        """The run, with the empty columns beside it: one was left empty when the values moved."""
        first, last = run[0], run[-1]
        while first > 0 and self.filled[first - 1] < FEW * odd:
            first -= 1
        while last + 1 < len(self.fields) and self.filled[last + 1] < FEW * odd:
            last += 1
        return range(first, last + 1)


def _rows(odd: np.ndarray, seen: np.ndarray, rows: int) -> tuple[int, str]:
    """The first row that is shifted, and which rows are, in words. `odd` and `seen` are in order."""
    if len(odd) >= NEARLY_ALL * len(seen):
        return 0, "on every row" if len(odd) == len(seen) else "on nearly every row"
    odd_from_here = len(odd) - np.arange(len(odd))
    seen_from_here = len(seen) - np.searchsorted(seen, odd)
    to_the_end = (odd_from_here >= NEARLY_ALL * len(odd)) & (odd_from_here >= NEARLY_ALL * seen_from_here)
    if to_the_end.any():
        first = int(odd[to_the_end.argmax()])
        return first, f"from {ROW_WORD} {first} on"
    n = round(len(odd) * rows / len(seen))
    # rows between may be shifted too, where they have hardly a value in these columns
    return 0, f"on {counted(n, 'row')} or more, from {ROW_WORD} {int(odd[0])}"
