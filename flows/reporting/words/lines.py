"""The wording that only terminal lines have: `pilots check` looks at one file before it is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows.reporting.words import page
from flows.runtime.wording import counted
from schemas.audit.deliveries import Result

if TYPE_CHECKING:
    from flows.reporting.report import Report
    from flows.reporting.report_item import Item

NOT_CHECKED_HERE = "Not checked here"
ROWS_NOT_CHECKED = "The rows were not checked: the file itself has to be fixed first."
AND_MORE = " and more"
WHERE, FOUND, EXPECTED, WE_DID, NEXT_TIME, FIX = "where", "found", "expected", "we did", "next time", "fix"


def instruction(report: Report) -> str:
    """What to do. A file is not called accepted while some checks could not be made: the run may find more."""
    is_clean = report.result is Result.ACCEPTED and report.not_validated
    return "Nothing to fix was found" if is_clean else page.instruction(report)


def rows_in_short(report: Report) -> str:
    """The counts of rows, as the run would give them."""
    rows = report.rows
    left_out = rows.repeats + rows.not_data
    held = f", {rows.held:,} held back" if rows.held else ""
    left = f", {left_out:,} left out" if left_out else ""
    return f"{rows.accepted:,} of {counted(rows.read, 'row')} would be accepted{held}{left}."


def checks_not_made(report: Report) -> str:
    """How many checks need other files, and so could not be made."""
    return f"{counted(len(report.not_validated), 'check')} could not be made here: see the end."


def title(item: Item) -> str:
    """The problem, and which check found it."""
    return f"{item.title} (check {item.rule_id})"


def more_values(number: int) -> str:
    """How many more distinct values there are."""
    return counted(number, "other value")
