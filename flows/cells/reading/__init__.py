"""The result of reading one cell, and the readers of single kinds of text: numbers, units of time, references."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from schemas._contract.model import Severity

Value = str | int | date | Decimal | bool | None


@dataclass(frozen=True)
class Reading:
    """The result of parsing a cell. `rule_id` is the rule for what was wrong or repaired; '' if nothing was."""

    value: Value = None
    rule_id: str = ""
    severity: Severity = Severity.WARNING
    suggestion: str = ""


def fault(rule_id: str, suggestion: str = "") -> Reading:
    """The result for a cell that cannot be parsed: its row is held."""
    return Reading(None, rule_id, Severity.ROW, suggestion)


def repaired(rule_id: str, value: Value) -> Reading:
    """The result for a cell that was parsed after a repair: its row loads, with a warning that shows the value."""
    return Reading(value, rule_id, Severity.WARNING, as_written(value))


def as_written(value: Value) -> str:
    """A value as text, as a sender would write it; '' for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "Y" if value else "N"
    return value.isoformat() if isinstance(value, date) else str(value)
