"""Two columns of one kind that are the same on every row: one was copied over the other, or may have been.

Values that fit their column do not show by themselves that they are another's. Where rules about such a column are
broken on many rows, it was copied (F51). Otherwise this is only a warning (F55).
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from itertools import combinations

from flows.deliveries.conformed import Layout, TypedBatch
from flows.deliveries.context import Misplaced
from flows.deliveries.findings import Finding
from flows.steps.validate.misplaced.naming import ColumnNames
from schemas._contract.model import Contract, Field, Kind, Severity

MIN_ROWS, MIN_DISTINCT = 10, 5  # filled in: with fewer, two columns are often the same
MIN_FAULTS, MIN_FAULTY_SHARE = 5, 0.2  # of the filled rows, by rules that read the column


class SameColumns:
    """Follows which pairs of columns have been the same so far: mostly none after the first batch."""

    def __init__(self, contract: Contract, layout: Layout) -> None:
        fields = [f for f in contract.fields if f.name in layout.positions]
        self._pairs = [pair for pair in combinations(fields, 2) if _may_be_copied(*pair)]
        self.contract = contract
        self._filled: Counter[str] = Counter()
        self._values: dict[str, set[object]] = {}
        self._faults: Counter[str] = Counter()  # findings of rules that read a field, by field

    def add(self, typed: TypedBatch, faults: Counter[tuple[str, str]]) -> None:
        """Add a batch. `faults`: numbers of findings by rule and field."""
        rows = typed.rows
        self._pairs = [(a, b) for a, b in self._pairs if rows[a.name].eq_missing(rows[b.name]).all()]
        for name in {a.name for a, _ in self._pairs}:
            self._filled[name] += len(rows) - rows[name].null_count()
            values = self._values.setdefault(name, set())
            if len(values) < MIN_DISTINCT:
                values |= set(rows[name].drop_nulls().unique().head(MIN_DISTINCT))
        if self._pairs:
            for rule_id, field, name in _reads(self.contract):
                self._faults[name] += faults[rule_id, field]

    def copied(self, names: ColumnNames, explained: frozenset[str]) -> list[Misplaced]:
        """The columns that were copied over another, as many rows at fault show."""
        found: dict[str, str] = {}
        for a, b in self._same(explained):
            copy, source = (b, a) if (b.comes_later, self._faults[b.name]) >= (a.comes_later, 0) else (a, b)
            if self._faults[copy.name] >= max(MIN_FAULTS, MIN_FAULTY_SHARE * self._filled[a.name]):
                found.setdefault(copy.name, source.name)
        return [names.copied(names.fields.index(c), names.fields.index(s)) for c, s in found.items()]

    def findings(self, names: ColumnNames, layout: Layout, explained: frozenset[str]) -> list[Finding]:
        """A warning for each column that is the same as one before it, unless either is explained already."""
        source_of: dict[str, str] = {}  # of three columns that are the same, the first is the source of both others
        for a, b in self._same(explained):
            source_of.setdefault(b.name, a.name)
        return [
            Finding(
                "F55",
                Severity.WARNING,
                field=name,
                column=layout.column_of(name),
                found=f"the same as in column {names.name(names.fields.index(source))}",
            )
            for name, source in source_of.items()
        ]

    def _same(self, explained: frozenset[str]) -> list[tuple[Field, Field]]:
        """The pairs of columns that are the same on every row, and hold enough different values."""
        return [
            (a, b)
            for a, b in self._pairs
            if self._filled[a.name] >= MIN_ROWS
            and len(self._values.get(a.name, ())) >= MIN_DISTINCT
            and not {a.name, b.name} & explained
        ]


@lru_cache
def _reads(contract: Contract) -> tuple[tuple[str, str, str], ...]:
    """The rules within a row, each with a field that it reads: (rule, the field it is reported on, field)."""
    rules = ((r, {r.field, *r.check().meta.root_names()}) for r in contract.row_rules if r.check)
    return tuple((rule.rule_id, rule.field, name) for rule, read in rules for name in sorted(read))


def _may_be_copied(one: Field, other: Field) -> bool:
    """Whether values of one field fit the other, and would hardly be the same on every row.

    Two dates may well be the same day. Not so one that is empty until something has happened.
    """
    if one.kind is Kind.REFERENCE is other.kind:
        return bool(one.pattern and other.pattern)
    return one.kind is Kind.DATE is other.kind and (one.comes_later or other.comes_later)
