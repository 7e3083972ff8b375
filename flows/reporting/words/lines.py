"""The wording that only terminal lines have: `pilots check` looks at one file before it is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows.runtime.wording import counted
from schemas._contract.workbook_names import CONFIRM

if TYPE_CHECKING:
    from flows.reporting.report_item import Item

WHERE, FOUND, EXPECTED, WE_DID, IMPROVE, FIX = "where", "found", "expected", "we did", "better", "fix"
RIGHT, HOW_TO_CONFIRM = "or right?", f"once the file is sent, say so on the sheet '{CONFIRM}' of its marked workbook"


def title(item: Item) -> str:
    """The problem, and which check found it."""
    return f"{item.title} (check {item.rule_id})"


def more_values(number: int) -> str:
    """How many more distinct values there are."""
    return counted(number, "other value")
