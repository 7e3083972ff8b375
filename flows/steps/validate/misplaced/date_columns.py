"""Two date columns that are swapped: nearly every row contradicts their order, and an exchange puts it right (F50)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from itertools import combinations

import polars as pl

from flows.deliveries.conformed import Layout, TypedBatch
from flows.deliveries.context import Misplaced
from flows.steps.validate.misplaced.forms import fields_in_order
from flows.steps.validate.misplaced.naming import ColumnNames
from schemas._contract.model import Contract, Kind, Rule, Severity

MIN_ROWS = 5  # that contradict the order
NEARLY_ALL = 0.9
_Pair = tuple[str, str]


class DateOrderEvidence:
    """Numbers of rows, by pair of date fields: in all, contradicting, and put right if the two are exchanged."""

    def __init__(self, contract: Contract, layout: Layout) -> None:
        self.rules = tuple(r for r in date_rules(contract) if set(_reads(r)) <= set(layout.positions))
        self._ids = [(rule.rule_id, rule.field) for rule in self.rules]
        self.fields = fields_in_order(layout)
        self._rows: Counter[_Pair] = Counter()
        self._contradicting: Counter[_Pair] = Counter()
        self._put_right: Counter[_Pair] = Counter()

    def add(self, typed: TypedBatch, faults: Counter[tuple[str, str]]) -> None:
        """Add a batch, if enough of its rows break a rule about the order of dates. `faults`: by rule and field."""
        if not any(faults[one] >= MIN_ROWS for one in self._ids):
            return
        for a, b in self._pairs():
            rows = typed.rows.filter(pl.col(a) != pl.col(b))
            about_both = [rule for rule in self.rules if {a, b} <= set(_reads(rule))]
            contradicting = rows.filter(~pl.all_horizontal(_holds(rule) for rule in about_both))
            exchanged = contradicting.with_columns(pl.col(b).alias(a), pl.col(a).alias(b))
            self._rows[a, b] += len(rows)
            self._contradicting[a, b] += len(contradicting)
            self._put_right[a, b] += len(exchanged.filter(pl.all_horizontal(_holds(rule) for rule in self.rules)))

    def _pairs(self) -> Iterator[_Pair]:
        """The pairs of fields that some rule reads together."""
        yield from sorted({pair for rule in self.rules for pair in combinations(sorted(set(_reads(rule))), 2)})

    def decide(self, names: ColumnNames, others: frozenset[str]) -> list[Misplaced]:
        """The finding about swapped date columns; none where several pairs could be meant, or `others` explain them."""
        found = [
            pair
            for pair, n in self._contradicting.items()
            if n >= max(MIN_ROWS, NEARLY_ALL * self._rows[pair]) and self._put_right[pair] >= NEARLY_ALL * n
        ]
        if len(found) != 1 or others & {*found[0]}:
            return []
        i, j = sorted(self.fields.index(name) for name in found[0])
        return [names.swapped(i, j, f"{self._contradicting[found[0]]:,} of {self._rows[found[0]]:,} rows")]


@lru_cache
def date_rules(contract: Contract) -> tuple[Rule, ...]:
    """The rules that read nothing but dates of the same row, and hold rows."""
    return tuple(
        rule
        for rule in contract.row_rules
        if rule.severity is Severity.ROW
        and len(set(_reads(rule))) > 1
        and all(n in contract.by_name and contract.by_name[n].kind is Kind.DATE for n in _reads(rule))
    )


def _reads(rule: Rule) -> list[str]:
    return rule.check().meta.root_names() if rule.check else []


def _holds(rule: Rule) -> pl.Expr:
    return rule.check().fill_null(value=True) if rule.check else pl.lit(value=True)
