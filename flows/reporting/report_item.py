"""One item of a sender's report: its place, what was found there, and how these are put into words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flows.cells.garbled import RULES_OF_GARBLED_TEXT
from flows.runtime.wording import counted, listed, shortened, spans
from flows.store.ledger.report_snapshots import SnapshotItem
from schemas._contract.model import Severity

RANGES_SHOWN = 20
CELLS_SHOWN = 5
VALUES_SHOWN = 10
HIDDEN = "hidden (may be personal data)"


@dataclass(frozen=True)
class Found:
    """A value that stood in some cells; the value is None where it is hidden, '' where the cells were empty."""

    value: str | None
    count: int


@dataclass(frozen=True)
class Change:
    """A value that was found, with the one that is suggested or was used instead."""

    found: str
    suggestion: str
    count: int


@dataclass(frozen=True)
class Item:
    """One thing to say: all findings of one rule at one severity in one column."""

    rule_id: str
    severity: Severity
    title: str
    expected: str
    fix: str
    field: str = ""  # of the contract; '' for the file or an unknown column
    needs: tuple[str, ...] = ()  # titles of the datasets that the rule compares with
    lacks: str = ""  # where it could not be checked for a file that is checked alone: what that would need, in words
    column: str = ""  # the heading as the sender wrote it
    column_letter: str = ""
    sheet: str = ""
    rows_affected: int = 0
    rows: tuple[tuple[int, int], ...] = ()  # runs of neighbouring rows
    found: tuple[Found, ...] = ()  # commonest first
    values_left_out: int = 0
    hidden_rows: tuple[tuple[int, int], ...] = ()
    changes: tuple[Change, ...] = ()  # commonest first
    changes_left_out: int = 0

    @property
    def told(self) -> SnapshotItem:
        """The item in numbers, for later reports to be compared with."""
        must_fix = self.severity is not Severity.WARNING
        return SnapshotItem(self.rule_id, self.field or self.column, must_fix, self.title, self.rows_affected)

    @property
    def where_in_short(self) -> str:
        """The place in a few words: 'column I, 42 rows'."""
        size = counted(self.rows_affected, "row") if self.rows_affected else ""
        return ", ".join(part for part in (self._column_in_short, size) if part) or "whole file"

    @property
    def _column_in_short(self) -> str:
        if self.column_letter:
            return f"column {self.column_letter}"
        return f"column {shortened(self.column, 40)}" if self.column else ""

    @property
    def where(self) -> str:
        """The place in full: sheet, column letter and heading as the sender wrote it, rows."""
        return "".join(said for said, _ in self.where_in_pieces)

    @property
    def where_in_pieces(self) -> tuple[tuple[str, bool], ...]:
        """The place in full, each piece with whether the sender wrote it: such text may run from right to left."""
        shown = self.rows[:RANGES_SHOWN]
        several = len(shown) > 1 or any(first != last for first, last in shown)
        parts = [
            (("sheet ", False), (self.sheet, True)) if self.sheet else (),
            self._column_in_pieces,
            ((f"row{'s' if several else ''} {', '.join(spans(shown))}", False),) if shown else (),
        ]
        pieces: list[tuple[str, bool]] = []
        for part in filter(None, parts):
            pieces += [(", ", False), *part] if pieces else part
        first = pieces[0][0] if pieces else "the file as a whole"
        return ((first[0].upper() + first[1:], False), *pieces[1:])

    @property
    def _column_in_pieces(self) -> tuple[tuple[str, bool], ...]:
        heading = shortened(self.column)
        if not self.column_letter:
            return (("column ", False), (heading, True)) if heading else ()
        lettered = (f"column {self.column_letter}", False)
        if heading == lettered[0]:  # the heading may be personal: it is told by its place
            return (lettered,)
        return (lettered, (" (", False), (heading, True), (")", False)) if heading else (lettered,)

    @property
    def more_rows(self) -> bool:
        """Whether the rows are too many to be shown."""
        return len(self.rows) > RANGES_SHOWN

    @property
    def hidden(self) -> str:
        """What is said in place of values that may be personal ('' where none is hidden)."""
        if not self.hidden_rows:
            return HIDDEN if any(f.value is None for f in self.found) else ""
        noun = "cell" if self.column_letter else "row"
        places = spans(self.hidden_rows[:CELLS_SHOWN], self.column_letter)
        several = len(places) > 1 or " to " in places[0]
        more = ", ..." if len(self.hidden_rows) > CELLS_SHOWN else ""
        text = ", ".join(places) + more if more else listed(places)
        return f"{HIDDEN} - see {noun}{'s' if several else ''} {text} in your own file"

    @property
    def shown(self) -> tuple[Found, ...]:
        """The values that may be shown, cut to a length that fits a page."""
        safe = [Found(shortened(f.value), f.count) for f in self.found if f.value is not None]
        return tuple(safe[:VALUES_SHOWN])

    @property
    def more_values(self) -> int:
        """How many different values are not shown."""
        return self.values_left_out + sum(f.value is not None for f in self.found) - len(self.shown)

    @property
    def used(self) -> bool:
        """Whether the suggested values were used already: warnings load, held rows do not.

        Garbled text loads as it stands: what it was may be guessed wrongly.
        """
        return self.severity is Severity.WARNING and self.rule_id not in RULES_OF_GARBLED_TEXT

    @property
    def said_by_changes(self) -> bool:
        """Whether the values that were read as others tell all that was found."""
        return self.used and bool(self.changes) and not self.hidden

    def to_json(self) -> dict[str, Any]:
        """The item as `report.json` holds it."""
        verb = ("Read {} as {}." if self.used else "Change {} to {}.").format
        changes = [verb("⏎".join(c.found.splitlines()), c.suggestion) for c in self.changes]
        return {
            "rule_id": self.rule_id,
            "severity": str(self.severity),
            "title": self.title,
            "column": self.column,
            "column_letter": self.column_letter,
            "sheet": self.sheet,
            "rows_affected": self.rows_affected,
            "row_ranges": [f"{a}" if a == b else f"{a}-{b}" for a, b in self.rows],
            "found": [{"value": "hidden" if f.value is None else f.value, "count": f.count} for f in self.found],
            "expected": self.expected,
            "fix": " ".join(t for t in (self.fix, *changes) if t),
        }
