"""Quarters and financial years of simulated money, and sums in pence. A quarter is named by its last day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import accumulate, pairwise


def month_end(year: int, month: int) -> date:
    """Last day of a month; month 13 is January of the next year, and so on."""
    return date(year + month // 12, month % 12 + 1, 1) - timedelta(1)


def quarter_ends(first: date, last: date) -> list[date]:
    """Last days of the quarters that end between two days."""
    ends = (month_end(year, month) for year in range(first.year, last.year + 1) for month in (3, 6, 9, 12))
    return [day for day in ends if first <= day <= last]


def quarter_start(end: date) -> date:
    """First day of a quarter."""
    return date(end.year, end.month - 2, 1)


def quarter_end_after(day: date, quarters: int) -> date:
    """Last day of the quarter that is so many quarters after the one of a day."""
    return month_end(day.year, 3 * ((day.month - 1) // 3 + 1 + quarters))


def quarter_code(day: date, *, calendar: bool = False) -> str:
    """Quarter of a day, such as Q1: of the financial year, or of the calendar year."""
    return f"Q{(day.month - (1 if calendar else 4)) % 12 // 3 + 1}"


def year_start(day: date) -> date:
    """First day of the financial year of a day."""
    return date(day.year - (day.month < 4), 4, 1)


def financial_year(day: date) -> str:
    """Financial year of a day, such as 2015-16."""
    first = year_start(day).year
    return f"{first}-{(first + 1) % 100:02}"


def pounds(pence: int) -> str:
    """Text of an amount in pence, such as 1100.00."""
    sign = "-" if pence < 0 else ""
    return f"{sign}{abs(pence) // 100}.{abs(pence) % 100:02}"


def share_out(total: int, weights: Sequence[float]) -> list[int]:
    """Share out an amount by weights, to the penny: the parts add up to it."""
    whole = sum(weights)
    ends = [round(total * so_far / whole) for so_far in accumulate(weights, initial=0.0)]
    return [end - start for start, end in pairwise(ends)]
