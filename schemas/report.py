"""The sender's report: its shape, and how its parts are put into words. Source: REPORTS.md section 1.

`report.schema.json` beside this file states the same shape for the machines that read `report.json`. Nothing here
reads findings (see `flows/steps/report.py`) or knows HTML (see `flows/templates/`).
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from schemas.audit.deliveries import Counts, Result
from schemas.contract import Severity
from schemas.wording import counted, deadline, listed, month, shortened, spans, stamp

SCHEMA_VERSION = "1"
RANGES_SHOWN = 20
CELLS_SHOWN = 5
VALUES_SHOWN = 10
HIDDEN = "hidden (personal data)"


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
        heading = shortened(self.column)
        column = f"column {self.column_letter} ({heading})" if self.column_letter else f"column {heading}"
        shown = self.rows[:RANGES_SHOWN]
        several = len(shown) > 1 or any(first != last for first, last in shown)
        parts = [
            f"sheet {self.sheet}" if self.sheet else "",
            column if heading or self.column_letter else "",
            f"row{'s' if several else ''} {', '.join(spans(shown))}" if shown else "",
        ]
        said = ", ".join(p for p in parts if p) or "the file as a whole"
        return said[0].upper() + said[1:]

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
        """Whether the suggested values were used already: warnings load, held rows do not."""
        return self.severity is Severity.WARNING

    @property
    def said_by_changes(self) -> bool:
        """Whether the values that were read as others tell all that was found."""
        return self.used and bool(self.changes) and not self.hidden

    def to_json(self) -> dict[str, Any]:
        """The item as `report.json` holds it."""
        verb = ("Read {} as {}." if self.used else "Change {} to {}.").format
        changes = [verb(c.found, c.suggestion) for c in self.changes]
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


@dataclass(frozen=True)
class Progress:
    """What became of the faults of the sender's previous file."""

    report_id: str
    fixed: int
    remaining: int
    new: int

    @property
    def in_words(self) -> str:
        """'9 fixed, 1 still wrong, 2 new'."""
        return f"{self.fixed:,} fixed, {self.remaining:,} still wrong, {self.new:,} new"


@dataclass(frozen=True)
class Report:
    """What a sender is told about one delivery."""

    report_id: str
    site: str
    site_name: str
    dataset: str
    dataset_title: str
    period: str
    version: int
    file_name: str
    sha256: str
    sheet: str
    encoding: str
    received_at: datetime
    contract_version: str
    result: Result
    rows: Counts
    rows_judged: bool
    items: tuple[Item, ...]  # biggest fix first
    not_judged: tuple[Item, ...] = ()
    previous: Progress | None = None
    due: datetime | None = None
    run: dict[str, Any] = field(default_factory=dict)

    @property
    def must_fix(self) -> tuple[Item, ...]:
        """What stops the file or holds rows back."""
        return tuple(i for i in self.items if i.severity is not Severity.WARNING)

    @property
    def warnings(self) -> tuple[Item, ...]:
        """What loaded all the same, and is worth a look."""
        return tuple(i for i in self.items if i.severity is Severity.WARNING)

    @property
    def caption(self) -> str:
        """Whose file of what it is."""
        return f"{self.site_name} · {self.dataset_title} · {month(self.period)}"

    @property
    def send_again(self) -> bool:
        """Whether the sender has something to do."""
        return self.result is not Result.ACCEPTED

    @property
    def instruction(self) -> str:
        """The page's title: what to do, and by when."""
        by = f" by {deadline(self.due)}" if self.due else ""
        problems = counted(len(self.must_fix), "problem") if self.must_fix else "what is wrong"
        if self.result is Result.ACCEPTED:
            return "Accepted: nothing to do"
        if self.result is Result.UNREADABLE:
            return f"This file could not be read: send it again{by}"
        if self.result is Result.REFUSED:
            return f"This file was refused: fix {problems} and send it again{by}"
        return f"Fix {problems} and send the file again{by}"

    @property
    def next_name(self) -> str:
        """The file's name with the next version number ('' where its name carries none)."""
        name, replaced = re.subn(r"_v(\d+)(?=\.\w+$)", lambda m: f"_v{int(m[1]) + 1}", self.file_name, flags=re.I)
        return name if replaced else ""

    def to_json(self) -> dict[str, Any]:
        """The report as `report.json` holds it. `not_judged` goes beyond REPORTS.md: the honest third state."""
        run = {k: stamp(v) if isinstance(v, datetime) else v for k, v in self.run.items()}
        return {
            "schema_version": SCHEMA_VERSION,
            "report_id": self.report_id,
            "site": self.site,
            "dataset": self.dataset,
            "period": self.period,
            "file": {
                "name": self.file_name,
                "sha256": self.sha256,
                "sheets": [self.sheet] if self.sheet else [],
                "encoding": self.encoding,
                "received_at": stamp(self.received_at),
            },
            "contract": {"id": self.dataset, "version": self.contract_version},
            "result": str(self.result),
            "rows": asdict(self.rows),
            "rules": [i.to_json() for i in self.items],
            "not_judged": {"rows": not self.rows_judged, "rules": [i.to_json() for i in self.not_judged]},
            "previous": asdict(self.previous) if self.previous else None,
            "run": {k: run.get(k, "") for k in ("id", "code_version", "started_at")},
        }
