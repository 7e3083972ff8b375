"""The words of a report that only a terminal has: of a file that is checked alone, before it is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows.reporting.words import page
from flows.runtime.wording import counted
from schemas.audit.deliveries import Result

if TYPE_CHECKING:
    from flows.reporting.report import Report
    from flows.reporting.report_item import Item

NOT_CHECKED_HERE = "Could not be checked here: whether any of this is so"
ROWS_NOT_CHECKED = "The rows were not checked: the file itself has to be fixed first."
AND_MORE = " and more"
WHERE, FOUND, EXPECTED, WE_DID, NEXT_TIME, FIX = "where", "found", "expected", "we did", "next time", "fix"


def instruction(report: Report) -> str:
    """What to do. A file of which some checks could not be made is not accepted by that: nothing was found in it."""
    is_sound = report.result is Result.ACCEPTED and report.not_validated
    return "Nothing to fix was found" if is_sound else page.instruction(report)


def rows_in_short(report: Report) -> str:
    """Where the rows would go."""
    rows = report.rows
    left_out = rows.repeats + rows.not_data
    held = f", {rows.held:,} held back" if rows.held else ""
    left = f", {left_out:,} left out" if left_out else ""
    return f"{rows.accepted:,} of {counted(rows.read, 'row')} would be accepted{held}{left}."


def checks_not_made(report: Report) -> str:
    """That some checks could not be made for a file alone."""
    return f"{counted(len(report.not_validated), 'check')} could not be made here: see the end."


def title(item: Item) -> str:
    """The problem, and which check found it."""
    return f"{item.title} (check {item.rule_id})"


def more_values(number: int) -> str:
    """How many more different values there are."""
    return counted(number, "other value")
