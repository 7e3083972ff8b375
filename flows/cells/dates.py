"""Parse the text of one date, without regard to its column. Source: docs/domain.md 6.2 (C02-C05)."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import NamedTuple

from flows.runtime.wording import LONDON

DAY_FIRST, MONTH_FIRST = "dmy", "mdy"
MAX_DATE_LENGTH = 30  # characters
MOMENT = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:[T ]([0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)(Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)
_NUMERIC_DATE = re.compile(
    r"([0-9]{1,2})[/.\-]([0-9]{1,2})[/.\-]([0-9]{4}|[0-9]{2})"
    r"(?:[ T]([0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?(?: ?[APap][Mm])?))?"
)
_MIDNIGHT = re.compile("0?0:00(:00)?|12:00(:00)? ?am", re.IGNORECASE)


def real_day(year: int, month: int, day: int) -> date | None:
    """The date with these numbers; None if there is no such day."""
    try:
        return date(year, month, day)
    except ValueError:
        return None


class NumericDate(NamedTuple):
    """A date of three numbers with the year last, where either of the first two may be the day."""

    first: int
    second: int
    year: int
    has_time: bool = False

    @property
    def days(self) -> dict[str, date]:
        """The real days that it can be, by order: DAY_FIRST or MONTH_FIRST."""
        read = {
            DAY_FIRST: real_day(self.year, self.second, self.first),
            MONTH_FIRST: real_day(self.year, self.first, self.second),
        }
        return {order: day for order, day in read.items() if day is not None}

    def day(self, order: str) -> date | None:
        """The day that it means: the only possible one, or else the one in this order (None if `order` is '')."""
        days = self.days
        return next(iter(days.values())) if len({*days.values()}) == 1 else days.get(order)


def parse_numeric_date(text: str, last_year: int) -> NumericDate | None:
    """Parse a text such as 03/04/2016; None for any other. A two-digit year after `last_year` gives None too."""
    match = _NUMERIC_DATE.fullmatch(text)
    if match is None:
        return None
    first, second, year = (int(n) for n in match.groups()[:3])
    if len(match[3]) == 2:
        year += 2000
        if year > last_year:
            return None
    return NumericDate(first, second, year, has_time=not _MIDNIGHT.fullmatch(match[4] or "0:00"))


def day_in_london(day: date, clock: str, zone: str) -> date | None:
    """The day in London of a date, time and zone; without a zone, the date itself. None if there is no such time."""
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}{zone}")
    except ValueError:
        return None
    if moment.date() != day:  # some versions of Python read 24:00 as midnight of the next day
        return None
    return moment.astimezone(LONDON).date() if zone else day


def named_month(text: str) -> str:
    """Parse a text such as '3 November 2016' into '2016-11-03'; '' for any other text."""
    if len(text) > MAX_DATE_LENGTH:
        return ""
    for form in ("%d %B %Y", "%d %b %Y", "%d-%b-%Y"):
        try:
            return datetime.strptime(text, form).date().isoformat()
        except ValueError:
            continue
    return ""
