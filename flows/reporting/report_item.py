"""One item of a report: a rule broken in one column or, by one cause, in several. Its words are in `words/items.py`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flows.cells.garbled import RULES_OF_GARBLED_TEXT
from flows.reporting.words.items import RANGES_SHOWN, change, nearest, others, renaming
from flows.reporting.words.pieces import plain
from flows.runtime.wording import shortened
from flows.store.ledger.report_snapshots import SnapshotItem
from schemas._contract.model import Severity
from schemas._rules.deletions import DELETED_RULE
from schemas._rules.headings import RENAMED_RULE

VALUES_SHOWN = 10
VALUES_REPEATED = 5  # so many are listed both as found and as to be changed
HEADING_LINE_RULES = ("F29", "F43")  # a broken heading line puts every row in doubt: first of its severity
TOO_MANY_ROWS_RULE = "L01"  # a sum of what other rules found
Ranges = tuple[tuple[int, int], ...]  # of consecutive rows, first and last


@dataclass(frozen=True)
class Found:
    """A value found in some cells: None where it is hidden, '' where the cells were empty."""

    value: str | None
    count: int  # of cells


@dataclass(frozen=True)
class Change:
    """A value that was found, and the one that is suggested or was used instead."""

    found: str
    suggestion: str
    count: int
    cell: str = ""  # where it was found, if in one cell only


@dataclass(frozen=True)
class Nearest:
    """A value that is not on its list, and the entries of the list that are most like it."""

    found: str
    entries: tuple[str, ...]


@dataclass(frozen=True)
class Item:
    """All findings of one rule at one severity in one column; of a rule of form, in all columns.

    An item of several columns has no column of its own: its `parts` are the items of the single columns.
    """

    rule_id: str
    severity: Severity
    title: str
    expected: str
    fix: str
    field: str = ""  # of the contract; '' for the file or an unknown column
    field_title: str = ""
    confirmable: bool = False  # the sender can confirm that the rows are right all the same
    needs: tuple[str, ...] = ()  # titles of the datasets that the rule compares with
    lacks: str = ""  # what `pilots check` would need to check the rule, in words
    column: str = ""  # the heading as the sender wrote it
    column_letter: str = ""
    heading_row: int | None = None  # in a spreadsheet
    sheet: str = ""
    rows_affected: int = 0
    rows: Ranges = ()  # lines of a text file, rows of a sheet
    spreadsheet_rows: Ranges | None = None  # where a spreadsheet shows other rows; () where that is not known
    found: tuple[Found, ...] = ()  # commonest first
    values_left_out: int = 0
    in_json: bool = False  # its rows are grants of a JSON file: row 2 is grant 1
    hidden_rows: Ranges = ()  # as a spreadsheet shows them, where that is known
    changes: tuple[Change, ...] = ()  # commonest first
    changes_left_out: int = 0
    cells_suggested: int = 0  # with a suggestion ...
    cells_as_suggested: int = 0  # ... and those that hold it already
    only_month_first: int = 0  # dates that can only be month first, of rule C26
    holds: str = ""  # what the cells below a renamed heading hold
    nearest: tuple[Nearest, ...] = ()  # of values that are not on a long list
    parts: tuple[Item, ...] = ()  # by column, where it has several

    @property
    def by_column(self) -> tuple[Item, ...]:
        """The items of the single columns: itself, where it has one."""
        return self.parts or (self,)

    @property
    def is_deletion(self) -> bool:
        """Whether its rows are held only because the sender has deleted their records."""
        return self.rule_id == DELETED_RULE

    @property
    def must_fix(self) -> bool:
        """Whether it refuses the file or holds rows until something is fixed."""
        return self.severity is not Severity.WARNING and not self.is_deletion

    @property
    def snapshot(self) -> SnapshotItem:
        """The counts of an item of one column, with which later reports are compared."""
        return SnapshotItem(self.rule_id, self.field or self.column, self.must_fix, self.title, self.rows_affected)

    @property
    def snapshots(self) -> tuple[SnapshotItem, ...]:
        """The counts for each column."""
        return tuple(part.snapshot for part in self.by_column)

    @property
    def more_rows(self) -> int:
        """How many of its rows are not shown."""
        return sum(last - first + 1 for first, last in self.rows[RANGES_SHOWN:])

    @property
    def renamed(self) -> tuple[Item, ...]:
        """By column, the headings to change, where there are several."""
        return tuple(part for part in self.parts if part.rule_id == RENAMED_RULE)

    @property
    def hides_values(self) -> bool:
        """Whether any value is hidden because it may be personal."""
        return bool(self.hidden_rows) or any(f.value is None for f in self.found)

    @property
    def shown_values(self) -> tuple[Found, ...]:
        """The values that are not hidden: the commonest, shortened to fit a page."""
        safe = [Found(shortened(f.value), f.count) for f in self.found if f.value is not None]
        return tuple(safe[:VALUES_SHOWN])

    @property
    def more_values(self) -> int:
        """How many distinct values are neither shown nor hidden."""
        return self.values_left_out + sum(f.value is not None for f in self.found) - len(self.shown_values)

    @property
    def suggestions_used(self) -> bool:
        """Whether the suggested values were loaded already: so it is with warnings, but not with held rows.

        Garbled text is loaded unchanged, because the guess at what it was may be wrong.
        """
        return self.severity is Severity.WARNING and self.rule_id not in RULES_OF_GARBLED_TEXT

    @property
    def changes_suffice(self) -> bool:
        """Whether the list of changed values already shows everything that was found."""
        return self.suggestions_used and bool(self.changes) and not self.hides_values

    @property
    def changes_show_found(self) -> bool:
        """Whether every value found is in the list of changes, which would repeat a long list."""
        listed = {c.found for c in self.changes}
        is_long = len(listed) > VALUES_REPEATED
        is_cut = self.changes_left_out or self.values_left_out or self.hides_values
        return self.changes_suffice or (is_long and not is_cut and listed >= {f.value for f in self.found})

    @property
    def first_cell(self) -> str:
        """The cell below the heading; '' where it is not known."""
        return f"{self.column_letter}{self.heading_row + 1}" if self.column_letter and self.heading_row else ""

    @property
    def fills_its_column(self) -> bool:
        """Whether every row from the heading down to the last of them has a suggestion."""
        if self.parts:
            return False
        ranges = self.rows if self.spreadsheet_rows is None else self.spreadsheet_rows
        starts_at_top = len(ranges) == 1 and self.heading_row is not None and ranges[0][0] == self.heading_row + 1
        return starts_at_top and self.cells_suggested == self.rows_affected and not self.hides_values

    @property
    def replaces_without_clash(self) -> bool:
        """Whether the pairs can be replaced one after another: each value once, and none by another one of them."""
        found = {c.found for c in self.changes}
        return len(found) == len(self.changes) and not found & {c.suggestion for c in self.changes}

    def to_json(self) -> dict[str, Any]:
        """The item as `report.json` holds it."""
        changes = [f"{plain(change(self, '⏎'.join(c.found.splitlines()), c.suggestion))}." for c in self.changes]
        changes += [f"{others(self.changes_left_out, 'value')}.".capitalize()] if self.changes_left_out else []
        changes += [f"{renaming(part)}." for part in self.renamed]
        changes += [f"{plain(nearest(n.found, n.entries))}." for n in self.nearest]
        return {
            "rule_id": self.rule_id,
            "severity": str(self.severity),
            "title": self.title,
            "field": self.field,
            "field_title": self.field_title,
            "column": self.column,
            "column_letter": self.column_letter,
            "columns": [
                {
                    "field": part.field,
                    "field_title": part.field_title,
                    "column": part.column,
                    "column_letter": part.column_letter,
                    "rows_affected": part.rows_affected,
                }
                for part in self.parts
            ],
            "sheet": self.sheet,
            "rows_affected": self.rows_affected,
            "row_ranges": _ranges_json(self.rows),
            "spreadsheet_row_ranges": self._spreadsheet_rows_json(),
            "found": [{"value": "hidden" if f.value is None else f.value, "count": f.count} for f in self.found],
            "expected": self.expected,
            "fix": " ".join(t for t in (self.fix, *changes) if t),
        }

    def _spreadsheet_rows_json(self) -> list[str] | None:
        if self.spreadsheet_rows is None:
            return _ranges_json(self.rows)
        return _ranges_json(self.spreadsheet_rows) or None


def _ranges_json(rows: Ranges) -> list[str]:
    return [f"{a}" if a == b else f"{a}-{b}" for a, b in rows]
