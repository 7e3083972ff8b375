"""Name columns in findings about misplaced values: by letter and title, never by their values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flows.deliveries.conformed import Layout
from flows.deliveries.context import Misplaced
from flows.runtime.wording import listed
from schemas._contract.model import Contract, Kind

MAX_NAMED = 2  # columns in which values may belong


@dataclass(frozen=True)
class ColumnNames:
    """The columns of a file's fields, by their number in the order of the file."""

    contract: Contract
    layout: Layout
    fields: tuple[str, ...]

    def letter(self, i: int) -> str:
        """The letter of a column."""
        column = self.layout.column_of(self.fields[i])
        return column.letter if column else ""

    def name(self, i: int) -> str:
        """The letter and the title of a column: 'A (Contact reference)'."""
        return f"{self.letter(i)} ({self.title(i)})"

    def title(self, i: int) -> str:
        """The title of a column's field."""
        return self.contract.by_name[self.fields[i]].title

    def swapped(self, i: int, j: int, share: str) -> Misplaced:
        """Two columns whose values fit each other's heading."""
        found = f"columns {self.letter(i)} and {self.letter(j)} ({self.title(i)}, {self.title(j)}), on {share}"
        return Misplaced("F50", self.fields[i], (self.fields[i], self.fields[j]), found)

    def copied(self, i: int, source: int) -> Misplaced:
        """A column with the same values as another, row by row."""
        return Misplaced("F51", self.fields[i], (self.fields[i],), f"the same as in column {self.name(source)}")

    def of_others(self, i: int, others: Sequence[int]) -> Misplaced:
        """A column whose values are in the form of others."""
        kinds = {self.contract.by_name[self.fields[j]].kind for j in others}
        if len(others) > MAX_NAMED and kinds <= {Kind.DATE, Kind.REFERENCE} and len(kinds) == 1:
            found = "dates" if kinds == {Kind.DATE} else "references"
        else:
            found = f"values that belong under {listed([self.title(j) for j in others[:MAX_NAMED]], 'or')}"
        return Misplaced("F51", self.fields[i], (self.fields[i],), found)

    def unusual(self, i: int, number: int, filled: int) -> Misplaced:
        """A column with values that most of its kind never are."""
        usual = self.contract.by_name[self.fields[i]].usual
        found = f"{number:,} of {filled:,} values are not {usual.in_words if usual else ''}"
        return Misplaced("F51", self.fields[i], (self.fields[i],), found)

    def of_empty(self, i: int, other: int) -> Misplaced:
        """A column with the values of another, which is empty."""
        found = f"values that belong under {self.title(other)}, which is empty"
        return Misplaced("F51", self.fields[i], (self.fields[i], self.fields[other]), found)

    def shifted(self, first: int, fields: tuple[str, ...], direction: str, rows: str, first_row: int) -> Misplaced:
        """Columns from one on, whose values are each under the heading beside their own."""
        found = f"from column {self.name(first)} on, one to the {direction}, {rows}"
        return Misplaced("F52", self.fields[first], fields, found, first_row)
