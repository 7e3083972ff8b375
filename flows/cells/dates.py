"""Parse the text of one date, without regard to its column. Source: docs/domain.md 6.2 (C02-C05)."""

from __future__ import annotations

import calendar
import re
from datetime import date, datetime
from typing import NamedTuple

from flows.runtime.wording import LONDON

DAY_FIRST, MONTH_FIRST = "dmy", "mdy"
MAX_DATE_LENGTH, MAX_WORDED_LENGTH = 30, 45  # characters
MOMENT = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:[T ]([0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)(Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)
_NUMERIC_DATE = re.compile(
    r"([0-9]{1,2})[/.\-]([0-9]{1,2})[/.\-]([0-9]{4}|[0-9]{2})"
    r"(?:[ T]([0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?(?: ?[APap][Mm])?))?"
)
_MIDNIGHT = re.compile("0?0:00(:00)?|12:00(:00)? ?am", re.IGNORECASE)
_CLOCK = r"(?:[T ]([0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?))?"
# 20160223 has one reading as well: as day-month-year or month-day-year its year would be before 1900.
_YEAR_FIRST = re.compile(
    rf"((?:19|20)[0-9]{{2}})(?:([/. \-])([0-9]{{1,2}})\2([0-9]{{1,2}})|([0-9]{{2}})([0-9]{{2}})){_CLOCK}"
)
_WEEKDAYS = {name.casefold(): i for names in (calendar.day_name, calendar.day_abbr) for i, name in enumerate(names)}
_WEEKDAYS |= {"tues": 1, "weds": 2, "thur": 3, "thurs": 3}
_MONTHS = {name.casefold(): i for names in (calendar.month_name, calendar.month_abbr) for i, name in enumerate(names)}
_MONTHS |= {"sept": 9}
_ORDINAL, _SIGNS = r"([0-9]{1,2})(?:st|nd|rd|th)?", r"[ ,./\-]*"
_MONTH_ALONE = re.compile(r"([A-Za-z]{3,9})[ ,.\-/']{0,3}(20[0-9]{2}|[0-9]{2})")
_WORDED = re.compile(
    r"(?:([a-z]+)\.?[, ]+(?:the )?)??"
    rf"(?:{_ORDINAL}(?: of)?{_SIGNS}([a-z]+)|([a-z]+){_SIGNS}{_ORDINAL}(?![0-9]))"
    rf"\.?{_SIGNS}([0-9]{{4}}|[0-9]{{2}})?{_CLOCK}",
    re.IGNORECASE,
)
_YEAR_BEFORE_WORD = re.compile(rf"([0-9]{{4}}){_SIGNS}([a-z]+){_SIGNS}{_ORDINAL}", re.IGNORECASE)


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
    return NumericDate(first, second, year, has_time=not is_midnight(match[4] or ""))


def is_midnight(clock: str) -> bool:
    """Whether a time of day is midnight, which spreadsheets add to a date without one; or ''."""
    return not clock or _MIDNIGHT.fullmatch(clock) is not None


def day_in_london(day: date, clock: str, zone: str) -> date | None:
    """The day in London of a date, time and zone; without a zone, the date itself. None if there is no such time."""
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}{zone}")
    except ValueError:
        return None
    if moment.date() != day:  # some versions of Python read 24:00 as midnight of the next day
        return None
    return moment.astimezone(LONDON).date() if zone else day


class YearFirst(NamedTuple):
    """A date of three numbers with the year first: year, month, day, unless its whole column shows another order."""

    year: int
    second: int
    third: int
    clock: str = ""

    @property
    def day(self) -> date | None:
        """The day that it means, read year-month-day; None if there is none."""
        return real_day(self.year, self.second, self.third)

    @property
    def day_by_year_day_month(self) -> date | None:
        """The day that it would mean in that order; None if there is none."""
        return real_day(self.year, self.third, self.second)


def year_first(text: str) -> YearFirst | None:
    """Parse a text such as 2016/02/23, 2016.2.23 or 20160223; None for any other."""
    match = _YEAR_FIRST.fullmatch(text)
    if match is None:
        return None
    year, _, second, third, *together, clock = match.groups()
    return YearFirst(int(year), int(second or together[0]), int(third or together[1]), clock or "")


class MonthAlone(NamedTuple):
    """A month of a year, without a day: its first and last one."""

    first: date
    last: date


def month_alone(text: str) -> MonthAlone | None:
    """Parse a month without a day, such as 'Jun-16' or 'June 2016'; None for any other text."""
    match = _MONTH_ALONE.fullmatch(text) if len(text) <= MAX_WORDED_LENGTH else None
    month = _MONTHS.get(match[1].casefold(), 0) if match else 0
    if not match or not month:
        return None
    year = 2000 + int(match[2]) % 100
    return MonthAlone(date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1]))


class Worded(NamedTuple):
    """A date whose month is a word. `year` is None where it is missing, and below 100 where it has two digits."""

    number: int
    month: int
    year: int | None
    weekday: int | None = None
    clock: str = ""

    def day(self, newest_year: int = 0) -> date | None:
        """The day that it means; None if there is none, if its weekday is another, or without a year.

        A year of two digits is one of this century up to `newest_year`.
        """
        year = self.year
        if year is not None and year < 100:
            year = 2000 + year if 2000 + year <= newest_year else None
        day = real_day(year, self.month, self.number) if year is not None else None
        return day if day and self.weekday in (None, day.weekday()) else None


def worded(text: str) -> Worded | None:
    """Parse a text such as '17th April 2016', 'Sunday 17 Apr 2016' or 'April 17'; None for any other."""
    if len(text) > MAX_WORDED_LENGTH:
        return None
    match = _WORDED.fullmatch(_YEAR_BEFORE_WORD.sub(r"\3 \2 \1", text))
    if match is None:
        return None
    weekday, day_before, month_after, month_before, day_after, year, clock = match.groups()
    month = _MONTHS.get((month_after or month_before).casefold(), 0)
    if not month or (weekday and weekday.casefold() not in _WEEKDAYS):
        return None
    of_week = _WEEKDAYS[weekday.casefold()] if weekday else None
    return Worded(int(day_before or day_after), month, int(year) if year else None, of_week, clock or "")
