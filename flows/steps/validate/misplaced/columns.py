"""Columns that hold the values of another: two that are swapped, or one that was copied over (F50, F51).

Evidence is gathered only from batches with many rows at fault, and decided for the file. A column counts as another's
where nearly all its cells are in the other field's form, and most of them cannot be values of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from flows.deliveries.context import Misplaced
from flows.steps.validate.misplaced.forms import Sample
from flows.steps.validate.misplaced.naming import ColumnNames
from schemas._contract.model import Contract, Field, Kind

MIN_CELLS = 5  # in a smaller column, slips and another's values look the same
NEARLY_ALL, MOST = 0.9, 0.5
WIDE_RANGE, MIN_IN_A_WIDE_RANGE = 100, 20  # so many numbers do not fall within a narrow range by chance
MIN_ROWS_SEEN = 0.9  # share of the file's rows in batches with many rows at fault


@dataclass
class ColumnEvidence:
    """Weighted numbers of cells, by field, and by field and other field."""

    fields: tuple[str, ...]
    rows: float = 0
    filled: np.ndarray = field(init=False)
    misfits: np.ndarray = field(init=False)  # cells that cannot be values of the field
    sure: np.ndarray = field(init=False)  # cells that are in the field's own form for certain
    others: np.ndarray = field(init=False)  # cells that are in the other field's form
    only_others: np.ndarray = field(init=False)  # of these, the misfits
    distinctive: np.ndarray = field(init=False)  # of these, those in a form that nothing else has by chance
    uncommon: np.ndarray = field(init=False)  # rows in which one of the two does not have its commonest text
    equal: np.ndarray = field(init=False)  # of these, the rows in which both texts are the same

    def __post_init__(self) -> None:
        n = len(self.fields)
        self.filled, self.misfits, self.sure = np.zeros((3, n))
        self.others, self.only_others, self.distinctive, self.uncommon, self.equal = np.zeros((5, n, n))

    def add(self, sample: Sample, rows: int) -> None:
        """Add the sample of a batch of so many rows."""
        weight = rows / len(sample.source_rows)
        misfits, filled = sample.misfits, sample.is_filled
        self.rows += rows
        self.filled += weight * filled.sum(axis=1)
        self.misfits += weight * misfits.sum(axis=1)
        for i in np.flatnonzero(misfits.sum(axis=1) > MOST * filled.sum(axis=1)).tolist():
            distinctive = misfits[i] & sample.distinctive[sample.texts[i]]
            common = np.bincount(sample.texts[i]).argmax()
            for j in range(len(self.fields)):
                fits = sample.fits(i, j)
                self.only_others[i, j] += weight * (fits & misfits[i]).sum()
                self.distinctive[i, j] += weight * (fits & distinctive).sum()
                uncommon = (sample.texts[i] != common) | (sample.texts[j] != np.bincount(sample.texts[j]).argmax())
                self.uncommon[i, j] += weight * uncommon.sum()
                self.equal[i, j] += weight * (uncommon & (sample.texts[i] == sample.texts[j]) & filled[i]).sum()
        for i in range(len(self.fields)):
            self.sure[i] += weight * sample.fits(i, i).sum()
            self.others[i] += weight * np.array([sample.fits(i, j).sum() for j in range(len(self.fields))])

    def _is_anothers(self, i: int, j: int) -> bool:
        """Whether column i holds values of field j, most of which cannot be its own."""
        return i != j and self._could_be_anothers(i, j) and self.only_others[i, j] > MOST * self.filled[i]

    def _could_be_anothers(self, i: int, j: int) -> bool:
        return bool(self.filled[i] >= MIN_CELLS and self.others[i, j] >= NEARLY_ALL * self.filled[i])

    def _is_partner(self, i: int, j: int, contract: Contract) -> bool:
        """Whether column i holds values of field j, which could be its own after a repair (5 for 05), or by chance.

        Chance is ruled out where its own form is loose: a reference of any kind, or a number in a wide range.
        """
        one, other = contract.by_name[self.fields[i]], contract.by_name[self.fields[j]]
        is_loose = one.kind is other.kind is Kind.REFERENCE or (_is_wide(one) and self.filled[i] >= MIN_IN_A_WIDE_RANGE)
        return self._could_be_anothers(i, j) and (is_loose or self.sure[i] <= MOST * self.filled[i])

    def _is_nearly_empty(self, i: int, j: int) -> bool:
        """Whether column i is empty but for a few values of field j."""
        return bool(self.filled[i] < MIN_CELLS and self.others[i, j] >= self.filled[i])

    def _is_copy(self, i: int, j: int) -> bool:
        """Whether column i has the texts of column j, row by row, which are not its own."""
        is_foreign = self.filled[i] >= MIN_CELLS and self.misfits[i] > MOST * self.filled[i]
        return bool(i != j and is_foreign and self.equal[i, j] >= max(MIN_CELLS, NEARLY_ALL * self.uncommon[i, j]))

    def _anothers(self, i: int) -> list[int]:
        return [j for j in range(len(self.fields)) if self._is_anothers(i, j)]

    def decide(self, rows: int, names: ColumnNames) -> list[Misplaced]:
        """The columns that hold another's values."""
        if self.rows < MIN_ROWS_SEEN * rows:
            return []
        required = {i for i, name in enumerate(self.fields) if names.contract.by_name[name].required}
        left = range(len(self.fields))
        copies = {i: j for i in left for j in range(len(self.fields)) if self._is_copy(i, j)}
        found: list[Misplaced] = []
        swapped: set[int] = set()
        for i in left:
            others = self._anothers(i)
            # an optional column may have been empty before the swap
            may_be_empty = i not in required
            emptied = [j for j in others if may_be_empty and j in required and self._is_nearly_empty(j, i)]
            partners = emptied or [j for j in others if self._is_partner(j, i, names.contract)]
            if len(partners) == 1 and (emptied or i not in copies) and not {i, partners[0]} & swapped:
                swapped |= {i, partners[0]}
                first, second = sorted((i, partners[0]))
                if emptied and second - first == 1:  # as likely, the cells of one of them were moved or deleted
                    found.append(names.of_empty(i, partners[0]))
                else:
                    found.append(names.swapped(first, second, self._share(first, second)))
        for i in left:
            if i in swapped:
                continue
            if i in copies:
                found.append(names.copied(i, copies[i]))
            elif by_form := [j for j in self._anothers(i) if self.distinctive[i, j] > MOST * self.filled[i]]:
                found.append(names.of_others(i, by_form))
        return found

    def _share(self, i: int, j: int) -> str:
        n = round(max(self.only_others[i, j], self.only_others[j, i]))
        return f"{n:,} of {round(max(self.filled[i], self.filled[j])):,} rows"


def _is_wide(field: Field) -> bool:
    """Whether a field holds numbers in a wide range, or in none."""
    is_number = field.kind in (Kind.INTEGER, Kind.DECIMAL, Kind.MONEY)
    return is_number and (field.low is None or field.high is None or field.high - field.low >= WIDE_RANGE)
