"""Infer the order of day and month in a column's dates, and whether a spreadsheet swapped some of them.

Source: docs/domain.md 6.2 (C02).

03/04/2016 alone can be two days; the other cells of its column, and the other columns of the file, mostly show which.
A date with a number over 12 proves day/month/year or month/day/year. A spreadsheet that expects the other order turns
what it can (days up to the 12th) into true dates with day and month swapped, and leaves the rest as text. So texts
that are all past the 12th, beside true dates that are never past it, are evidence of such a swap.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field, replace
from datetime import date
from math import comb

from flows.cells.dates import DAY_FIRST, MONTH_FIRST, NumericDate, YearFirst, real_day
from schemas._contract.model import Severity
from schemas._rules.cells import MONTH_FIRST_RULE, SWAPPED_RULE, YEAR_FIRST_RULE

MONTHS = 12  # a number above it can only be a day
COLUMN_RULES = (SWAPPED_RULE, MONTH_FIRST_RULE, YEAR_FIRST_RULE)
YEAR_MONTH_DAY, YEAR_DAY_MONTH = "ymd", "ydm"
# A binomial coefficient: in how many ways so many different dates can be split into texts and true dates. One of them
# splits at the 12th; of five or fewer, chance may have picked that one.
MIN_WAYS = 6
MIN_MONTH_FIRST = 2  # different dates that can only be month/day/year: a single one may be a slip
MAX_LEFT_OVER = 0.1  # share of the texts: so many may have been typed after the spreadsheet swapped the others
# True dates after the 12th, typed after the swap: their highest ratio to the texts, and the ways then required.
MAX_TRUE_SINCE, MIN_WAYS_SINCE = 0.5, 100
_MAX_COUNTED = 20  # dates of each kind: more are not better evidence, and the coefficients stay small


@dataclass(frozen=True)
class DateReading:
    """How the numeric dates of a column are read, and the rule that reports them.

    `order` is 'dmy', 'mdy', or '' where a date that can be either is not read at all. With the severity of a warning
    they load. `are_swapped`: true dates beside them have day and month swapped; with `order` '', unknown which of them.
    """

    order: str = DAY_FIRST
    rule_id: str = "C02"
    severity: Severity = Severity.ROW
    are_swapped: bool = False
    is_mixed: bool = False  # the column has dates in both orders, which refuses the file (rule C02)
    last_year: int = 0  # the last year that two digits may mean; 0: two-digit years are not read
    newest_year: int = 0  # likewise, for the suggestion for a date whose month is a word
    year_first: str = YEAR_MONTH_DAY  # the order of dates such as 2016/02/23; '' where it is in doubt
    year_first_severity: Severity = Severity.WARNING


HOLD_ROWS = DateReading()  # nothing is agreed with the site: numeric dates are held, and the day/month/year suggested
AGREED_ORDER = DateReading(severity=Severity.WARNING)  # the site's entry in the registry says day/month/year
UNSURE = DateReading(order="")


def swapped(day: date) -> date | None:
    """A date with day and month exchanged; None if there is no such day."""
    return real_day(day.year, day.day, day.month)


@dataclass
class DateEvidence:
    """Evidence for the order of a column's dates, gathered batch by batch: distinct dates, and numbers of cells."""

    day_first: set[NumericDate] = field(default_factory=set)  # texts that can only be day/month/year
    month_first: set[NumericDate] = field(default_factory=set)
    either: set[NumericDate] = field(default_factory=set)
    up_to_12th: set[date] = field(default_factory=set)  # true dates
    later: set[date] = field(default_factory=set)  # true dates after the 12th of their month
    texts: int = 0  # cells
    true_dates: int = 0
    year_first: int = 0  # cells with a date such as 2016/02/23
    day_second: set[YearFirst] = field(default_factory=set)  # those that can only be year/day/month
    month_second: set[YearFirst] = field(default_factory=set)

    def add_texts(self, dates: Iterable[NumericDate]) -> None:
        """Add numeric dates."""
        for one in dates:
            orders = set(one.days)
            if orders == {DAY_FIRST}:
                self.day_first.add(one)
            elif orders == {MONTH_FIRST}:
                self.month_first.add(one)
            elif orders:
                self.either.add(one)

    def add_year_first(self, dates: Iterable[YearFirst]) -> None:
        """Add dates with the year first."""
        for one in dates:
            if one.day is None and one.day_by_year_day_month:
                self.day_second.add(one)
            elif one.day and one.day_by_year_day_month is None:
                self.month_second.add(one)

    def add(self, other: DateEvidence) -> None:
        """Add the evidence of another batch."""
        self.day_first |= other.day_first
        self.month_first |= other.month_first
        self.either |= other.either
        self.up_to_12th |= other.up_to_12th
        self.later |= other.later
        self.texts += other.texts
        self.true_dates += other.true_dates
        self.year_first += other.year_first
        self.day_second |= other.day_second
        self.month_second |= other.month_second

    @property
    def ambiguous(self) -> set[NumericDate]:
        """The texts that can be two different days."""
        return {one for one in self.either if one.first != one.second}

    def proves(self, order: str) -> set[NumericDate]:
        """The texts that can only be in this order."""
        return self.day_first if order == DAY_FIRST else self.month_first

    @property
    def order(self) -> str:
        """The order that the texts prove; '' if they prove none, or both."""
        if self.day_first and self.month_first:
            return ""
        return DAY_FIRST if self.day_first else MONTH_FIRST if self.month_first else ""


def infer_date_readings(
    evidence: Mapping[str, DateEvidence], agreed: Mapping[str, str], cut_off: date, planned: Set[str], many: float
) -> dict[str, DateReading]:
    """How to read those date columns of a file, by name, for which the default reading would be wrong or a guess.

    `agreed` is the order declared for each, by its heading or for the site; `cut_off` the cut-off, after which only the
    fields `planned` may have dates. A column with more than `many` affected cells refuses the file; otherwise the rows
    are held.
    """
    readings = _swapped_columns(evidence, cut_off, planned)
    rest = {name: column for name, column in evidence.items() if name not in readings}
    readings |= _orders(rest, agreed)
    found = {
        name: DateReading(
            reading.order,
            reading.rule_id,
            _severity(reading, evidence[name], many),
            reading.are_swapped,
            reading.is_mixed,
            cut_off.year if reading.rule_id != "C02" else 0,
        )
        for name, reading in readings.items()
    }
    usual = {name: AGREED_ORDER if agreed.get(name) == DAY_FIRST else HOLD_ROWS for name in evidence}
    return found | {
        name: _year_first_reading(column, found.get(name, usual[name]), many)
        for name, column in evidence.items()
        if column.day_second
    }


def _year_first_reading(column: DateEvidence, reading: DateReading, many: float) -> DateReading:
    """The reading of a column in which some dates with the year first can only be year/day/month: none is read."""
    is_sure = len(column.day_second) >= MIN_MONTH_FIRST and not column.month_second
    return replace(
        reading,
        year_first=YEAR_DAY_MONTH if is_sure else "",
        year_first_severity=Severity.FILE if column.year_first > many else Severity.ROW,
    )


def _severity(reading: DateReading, column: DateEvidence, many: float) -> Severity:
    affected = column.texts + (column.true_dates if reading.are_swapped else 0)
    return Severity.FILE if reading.rule_id != "C02" and affected > many else reading.severity


def _swapped_columns(evidence: Mapping[str, DateEvidence], cut_off: date, planned: Set[str]) -> dict[str, DateReading]:
    """The columns in which a spreadsheet swapped day and month.

    A spreadsheet treats all columns of a file alike, so their evidence is added up. Where it suffices, columns of true
    dates alone are affected too, unless one of their dates is after the 12th.
    """
    readings: dict[str, DateReading] = {}
    for order in (DAY_FIRST, MONTH_FIRST):
        sure = {
            name: column
            for name, column in evidence.items()
            if column.order == order
            and len(column.either) <= MAX_LEFT_OVER * len(column.proves(order))
            and not _is_one_day_of_each_month(column, order)
            and _were_typed_since(column, order)
            and _may_be_swapped(column, cut_off, is_planned=name in planned)
        }
        days = sum(len(column.up_to_12th) for column in sure.values())
        texts = sum(len(column.proves(order)) for column in sure.values())
        if comb(min(days, _MAX_COUNTED) + min(texts, _MAX_COUNTED), min(days, _MAX_COUNTED)) < MIN_WAYS:
            continue
        alone = {
            n
            for n, c in evidence.items()
            if not (c.texts or c.later) and _may_be_swapped(c, cut_off, is_planned=n in planned)
        }
        for name in (*sure, *alone):
            readings.setdefault(name, _swapped_reading(evidence[name], order))
    return readings


def _were_typed_since(column: DateEvidence, order: str) -> bool:
    """Whether there are no true dates after the 12th, or so few that they were typed after the swap."""
    up_to, texts, later = (min(len(d), _MAX_COUNTED) for d in (column.up_to_12th, column.proves(order), column.later))
    ways = comb(up_to + texts + later, up_to) / comb(up_to + later, up_to)
    return not later or (len(column.later) <= MAX_TRUE_SINCE * len(column.proves(order)) and ways >= MIN_WAYS_SINCE)


def _swapped_reading(column: DateEvidence, order: str) -> DateReading:
    """The reading of a column with swapped dates.

    Without an order, and so without suggestions, where more than a few true dates were typed after the swap: of those
    up to the 12th it is then unknown which are swapped.
    """
    few = len(column.later) <= MAX_LEFT_OVER * len(column.proves(order))
    return DateReading(order if few else "", SWAPPED_RULE, are_swapped=True)


def _may_be_swapped(column: DateEvidence, cut_off: date, *, is_planned: bool) -> bool:
    """Whether a column has true dates up to the 12th, of which swapping back would put no more after the cut-off."""
    days = column.up_to_12th
    back = [day for d in days if (day := swapped(d))]
    return bool(days) and (is_planned or sum(d > cut_off for d in back) <= sum(d > cut_off for d in days))


def _is_one_day_of_each_month(column: DateEvidence, order: str) -> bool:
    """Whether the true dates are all on one day of the month, such as the first, and probably right.

    Swapped back, they would all be in one month, which is only likely if the texts are in that month too.
    """
    days = {d.day for d in column.up_to_12th}
    months = {one.second if order == DAY_FIRST else one.first for one in column.proves(order)}
    return len(column.up_to_12th) > 1 and len(days) == 1 and months != days


def _orders(evidence: Mapping[str, DateEvidence], agreed: Mapping[str, str]) -> dict[str, DateReading]:
    """The columns that are month first, that mix both orders, or whose order is uncertain."""
    one_order = not any(column.day_first for column in evidence.values())
    proofs = set[NumericDate]().union(*(column.month_first for column in evidence.values() if not column.day_first))
    of_file = one_order and len(proofs) >= MIN_MONTH_FIRST
    readings: dict[str, DateReading] = {}
    for name, column in evidence.items():
        by_itself = column.order == MONTH_FIRST and len(column.month_first) >= MIN_MONTH_FIRST
        as_agreed = agreed.get(name) == MONTH_FIRST and bool(column.month_first or column.ambiguous)
        if column.day_first and column.month_first:
            readings[name] = DateReading("", is_mixed=True)
        elif (
            by_itself or (as_agreed and not column.day_first) or (of_file and (column.month_first or column.ambiguous))
        ):
            readings[name] = DateReading(MONTH_FIRST, MONTH_FIRST_RULE)
        elif column.month_first and column.ambiguous:
            readings[name] = DateReading("", is_mixed=agreed.get(name) == DAY_FIRST)
        elif column.ambiguous and not column.day_first and len(proofs) >= MIN_MONTH_FIRST:
            readings[name] = UNSURE
    return readings
