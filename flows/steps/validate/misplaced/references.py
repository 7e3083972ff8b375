"""A key and another reference that are swapped, although both have the same form (F50).

Their form alone shows nothing, so a swapped file would load, with the wrong key on every row. There are
three kinds of evidence: a key that is shared by most rows, while the other reference is different on every row;
references that contain the other one, as that of an episode often begins with its participant's; and the letter that
marks what a reference is for, as in our own examples. No evidence counts if the key is unique and
the other reference is not: then all is well.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from flows.deliveries.conformed import Layout, TypedBatch
from flows.deliveries.context import Misplaced
from flows.steps.validate.misplaced.forms import fields_in_order
from flows.steps.validate.misplaced.naming import ColumnNames
from schemas._contract.model import Contract, Field, Kind

MIN_ROWS = 10
MAX_SAMPLED = 200  # rows of a batch
NEARLY_ALL, UNIQUE, MOSTLY_SHARED = 0.95, 0.99, 0.5
_OF_ANY_REFERENCE = {"reference", "ref", "id", "number"}
_MARK = re.compile(r"^[A-Z]{2,8}-(?:.*?([A-Z]+))?[0-9]+$")


@dataclass
class _Pair:
    """Numbers of rows in which the references of a key (`key`) and of another field (`other`) speak for a swap."""

    key: Field
    other: Field
    rows: int = 0
    filled: int = 0
    keys: int = 0  # different ones, batch by batch
    others: int = 0
    sampled: int = 0
    contained: int = 0  # the other begins with the key, and is longer
    marked: int = 0  # each has the mark of the other's example
    equal: int = 0

    @property
    def is_sound(self) -> bool:
        """Whether the keys differ and the others do not all."""
        return self.keys == self.rows and self.others < UNIQUE * self.rows

    @property
    def is_reversed(self) -> bool:
        """Whether the others differ on every row and some keys are shared."""
        return self.keys < self.rows and self.others >= UNIQUE * self.rows

    @property
    def is_copied(self) -> bool:
        """Whether the key's column has the other's references, most of which are on several rows."""
        are_equal = self.rows >= MIN_ROWS and self.equal >= NEARLY_ALL * self.sampled
        return are_equal and self.keys <= MOSTLY_SHARED * self.rows

    @property
    def is_swapped(self) -> bool:
        """Whether the columns are swapped."""
        if self.rows < MIN_ROWS or self.filled < UNIQUE * self.rows or self.is_sound:
            return False
        if self.is_reversed and self.keys <= MOSTLY_SHARED * self.rows:
            return True
        may_abbreviate = _may_stand_for(self.other, self.key) or _may_stand_for(self.key, self.other)
        marked = self.marked if self.is_reversed or not may_abbreviate else 0
        return max(self.contained, marked) >= NEARLY_ALL * self.sampled


class ReferenceEvidence:
    """Gathers from every batch what two reference columns show: counts that are known already, and a small sample."""

    def __init__(self, contract: Contract, layout: Layout) -> None:
        self.layout = layout
        self.fields = fields_in_order(layout)
        key = contract.by_name[contract.key[0]]
        others = [f for f in contract.fields if f.kind is Kind.REFERENCE and f.required and f.name != key.name]
        is_one = len(contract.key) == 1 and bool(key.pattern)
        self._pairs = [
            _Pair(key, other)
            for other in others
            if is_one and other.pattern and {key.name, other.name} <= {*layout.positions}
        ]

    def add(self, typed: TypedBatch) -> None:
        """Add a batch."""
        n = len(typed.rows)
        if not n:
            return
        rows = np.unique(np.linspace(0, n - 1, min(n, MAX_SAMPLED)).astype(np.int64))
        for pair in self._pairs:
            keys, others = (typed.cells[str(self.layout.positions[f.name])] for f in (pair.key, pair.other))
            pair.rows += n
            pair.keys += len(keys.distinct)
            pair.others += len(others.distinct)
            # empty cells are null in a typed column, and their number is already known
            pair.filled += n - max(typed.rows[f.name].null_count() for f in (pair.key, pair.other))
            pair.sampled += len(rows)
            for key, other in zip(*(c.distinct.gather(c.indices.gather(rows)) for c in (keys, others)), strict=True):
                pair.contained += len(other) > len(key) > 0 and other.startswith(key)
                pair.equal += key == other
                pair.marked += _has_marks_of(pair, key, other)

    def decide(self, names: ColumnNames, others: frozenset[str]) -> list[Misplaced]:
        """The finding about a key that is swapped or has another's values, if `others` do not explain it already."""
        pairs = [p for p in self._pairs if not others & {p.key.name, p.other.name}]
        if copied := [p for p in pairs if p.is_copied]:
            return [names.copied(self.fields.index(copied[0].key.name), self.fields.index(copied[0].other.name))]
        swapped = [p for p in pairs if p.is_swapped]
        if len(swapped) != 1:  # which of several is meant is not clear
            return []
        [pair] = swapped
        i, j = sorted((self.fields.index(pair.key.name), self.fields.index(pair.other.name)))
        return [names.swapped(i, j, f"{pair.rows:,} of {pair.rows:,} rows")]


def _mark(reference: str) -> str | None:
    """The letters before a reference's last digits, such as C in BPL-C000123; '' for none, None for another form."""
    found = _MARK.match(reference)
    return (found[1] or "") if found else None


def _has_marks_of(pair: _Pair, key: str, other: str) -> bool:
    """Whether two references have each other's marks. Marks that are the same in both examples show nothing."""
    own, others = _mark(pair.key.example), _mark(pair.other.example)
    return own != others and _mark(key) == others and _mark(other) == own


def _may_stand_for(field: Field, other: Field) -> bool:
    """Whether the letter that marks another field's references could abbreviate this field's name: C for 'case'."""
    mark = _mark(other.example) or ""
    words = {word.casefold() for text in (field.title, *field.aliases) for word in text.split()} - _OF_ANY_REFERENCE
    return bool(mark) and any(word.upper().startswith(mark[0]) for word in words)
