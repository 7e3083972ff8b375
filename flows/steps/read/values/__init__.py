"""Convert typed cell values (workbooks, Parquet) to the text that a sender would have typed."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any


def text_of(value: Any) -> str:
    """Convert a cell's value to text: ISO dates, plain decimals, TRUE or FALSE; '' for an empty cell."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, datetime):  # before date, its base class; Excel stores a plain date as midnight
        return value.date().isoformat() if value.time() == time() else value.isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, timedelta):
        minutes, seconds = divmod(round(value.total_seconds()), 60)
        return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}"
    return str(value)


def _number(value: float) -> str:
    """Format a float without binary noise (0.1 + 0.2 is 0.3): 12 significant digits, or 15 from ten billion up."""
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    text = f"{value:.12g}" if abs(value) < 1e10 else f"{value:.15g}"
    return f"{Decimal(text):f}" if 1e-6 <= abs(value) < 1e15 else text
