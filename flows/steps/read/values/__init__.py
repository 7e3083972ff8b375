"""A cell's value as text, of files whose cells are numbers, dates and truths besides texts."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any


def text_of(value: Any) -> str:
    """A cell's value as the sender would type it."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, datetime):
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
    """A number without the noise of its binary form: 12 digits, which are the pence of billions; more where needed."""
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    text = f"{value:.12g}" if abs(value) < 1e10 else f"{value:.15g}"
    return f"{Decimal(text):f}" if 1e-6 <= abs(value) < 1e15 else text
