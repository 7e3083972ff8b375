"""In which order a column's dates are written, and whether a spreadsheet swapped some.

Source: docs/domain.md 6.2 (C02).

03/04/2016 alone may be two days; the other cells of its column, and the other columns of its file, mostly tell which.
A date whose second number is over 12 proves day/month/year or month/day/year. A spreadsheet that reads the one as the
other turns what it can (days up to the 12th) into true dates with day and month swapped, and leaves the rest as text:
so texts that are all past the 12th, beside true dates that are none of them past it, are a sign of that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from datetime import date
from math import comb

from flows.cells.dates import DAY_FIRST, MONTH_FIRST, Slashed, real_day
from schemas._contract.model import Severity
from schemas._rules.cells import MONTH_FIRST_RULE, SWAPPED_RULE

MONTHS = 12  # a number above it is a day
COLUMN_RULES = (SWAPPED_RULE, MONTH_FIRST_RULE)
# In how many ways as many dates can be sorted into texts and true dates. At five or fewer, chance may have sorted them.
LEAST_WAYS = 6
LEAST_MONTH_FIRST = 2  # different dates that can only be month/day/year: one may be a slip
MOST_LEFT_OVER = 0.1  # of the texts: so many may have been typed after the spreadsheet swapped the others
# True dates after the 12th that were typed since: how many at most for each text, and in how many ways the others
# could then be sorted.
MOST_TRUE_SINCE, LEAST_WAYS_SINCE = 0.5, 100
_MOST_COUNTED = 20  # dates of each kind; more prove no more


@dataclass(frozen=True)
class DateReading:
    """How the slashed dates of a column are read, and by which rule they are told.

    `order` is 'dmy', 'mdy', or '' where a date that may be either is not read at all. With a `severity` of warning they
    load. `are_swapped` says that true dates beside them have day and month swapped; without an order, not which.
    """

    order: str = DAY_FIRST
    rule_id: str = "C02"
    severity: Severity = Severity.ROW
    are_swapped: bool = False
    is_mixed: bool = False  # both orders stand in the column: it refuses the file (rule C02)
    last_year: int = 0  # up to which a year of two digits is read; with 0, none is


HELD = DateReading()  # nothing is known of the site: a slashed date is held, with the day that it is in this country
AGREED = DateReading(severity=Severity.WARNING)  # the site's profile says that it writes day/month/year
UNSURE = DateReading(order="")


def swapped(day: date) -> date | None:
    """The day with its day and month exchanged, where that is one."""
    return real_day(day.year, day.day, day.month)


@dataclass
class DatesSeen:
    """What the cells of a date column show, gathered batch by batch: different dates, and numbers of cells."""

    day_first: set[Slashed] = field(default_factory=set)  # texts that can only be day/month/year
    month_first: set[Slashed] = field(default_factory=set)
    either: set[Slashed] = field(default_factory=set)
    up_to_12th: set[date] = field(default_factory=set)  # true dates
    later: set[date] = field(default_factory=set)  # true dates after the 12th of their month
    texts: int = 0  # cells
    true_dates: int = 0

    def add_texts(self, dates: Iterable[Slashed]) -> None:
        """Take in dates with slashes."""
        for one in dates:
            orders = set(one.days)
            if orders == {DAY_FIRST}:
                self.day_first.add(one)
            elif orders == {MONTH_FIRST}:
                self.month_first.add(one)
            elif orders:
                self.either.add(one)

    def add(self, other: DatesSeen) -> None:
        """Take in what another batch shows."""
        self.day_first |= other.day_first
        self.month_first |= other.month_first
        self.either |= other.either
        self.up_to_12th |= other.up_to_12th
        self.later |= other.later
        self.texts += other.texts
        self.true_dates += other.true_dates

    @property
    def in_doubt(self) -> set[Slashed]:
        """The texts that are two different days."""
        return {one for one in self.either if one.first != one.second}

    def proves(self, order: str) -> set[Slashed]:
        """The texts that can only be written in this order."""
        return self.day_first if order == DAY_FIRST else self.month_first

    @property
    def order(self) -> str:
        """The one order that its texts prove; '' where they prove none, or both."""
        if self.day_first and self.month_first:
            return ""
        return DAY_FIRST if self.day_first else MONTH_FIRST if self.month_first else ""


def decided(
    seen: Mapping[str, DatesSeen], agreed: str, cut: date, planned: Set[str], many: float
) -> dict[str, DateReading]:
    """How to read the date columns of a file of which the ordinary reading would be wrong or a guess.

    `agreed` is the order that the site's profile declares; `cut` the date of the extract, after which only the fields
    `planned` may be. Where more than `many` cells of a column are in question the file is refused, else the rows held.
    """
    found = _swapped_columns(seen, cut, planned)
    rest = {name: column for name, column in seen.items() if name not in found}
    found |= _orders(rest, agreed)
    return {
        name: DateReading(
            how.order,
            how.rule_id,
            _severity(how, seen[name], many),
            how.are_swapped,
            how.is_mixed,
            cut.year if how.rule_id != "C02" else 0,
        )
        for name, how in found.items()
    }


def _severity(how: DateReading, column: DatesSeen, many: float) -> Severity:
    in_question = column.texts + (column.true_dates if how.are_swapped else 0)
    return Severity.FILE if how.rule_id != "C02" and in_question > many else how.severity


def _swapped_columns(seen: Mapping[str, DatesSeen], cut: date, planned: Set[str]) -> dict[str, DateReading]:
    """The columns in which a spreadsheet swapped day and month.

    It does so to all columns of a file alike: what they show is taken together, and where they show it, true dates
    alone are in question too, unless one of them is after the 12th.
    """
    found: dict[str, DateReading] = {}
    for order in (DAY_FIRST, MONTH_FIRST):
        sure = {
            name: column
            for name, column in seen.items()
            if column.order == order
            and len(column.either) <= MOST_LEFT_OVER * len(column.proves(order))
            and not _is_one_day_of_each_month(column, order)
            and _were_typed_since(column, order)
            and _may_be_swapped(column, cut, is_planned=name in planned)
        }
        days = sum(len(column.up_to_12th) for column in sure.values())
        texts = sum(len(column.proves(order)) for column in sure.values())
        if comb(min(days, _MOST_COUNTED) + min(texts, _MOST_COUNTED), min(days, _MOST_COUNTED)) < LEAST_WAYS:
            continue
        alone = {
            n for n, c in seen.items() if not (c.texts or c.later) and _may_be_swapped(c, cut, is_planned=n in planned)
        }
        for name in (*sure, *alone):
            found.setdefault(name, _put_back(seen[name], order))
    return found


def _were_typed_since(column: DatesSeen, order: str) -> bool:
    """Whether its true dates after the 12th are none, or so few that they came after the others were swapped."""
    up_to, texts, later = (min(len(d), _MOST_COUNTED) for d in (column.up_to_12th, column.proves(order), column.later))
    ways = comb(up_to + texts + later, up_to) / comb(up_to + later, up_to)
    return not later or (len(column.later) <= MOST_TRUE_SINCE * len(column.proves(order)) and ways >= LEAST_WAYS_SINCE)


def _put_back(column: DatesSeen, order: str) -> DateReading:
    """How to read a column with swapped dates: without an order, and so without suggestions for them, where more than
    a few true dates came since. Of those up to the 12th, nobody can then say which are swapped.
    """
    few = len(column.later) <= MOST_LEFT_OVER * len(column.proves(order))
    return DateReading(order if few else "", SWAPPED_RULE, are_swapped=True)


def _may_be_swapped(column: DatesSeen, cut: date, *, is_planned: bool) -> bool:
    """Whether a column has true dates that could have day and month swapped, and lie before the extract then too."""
    days = column.up_to_12th
    back = [day for d in days if (day := swapped(d))]
    return bool(days) and (is_planned or sum(d > cut for d in back) <= sum(d > cut for d in days))


def _is_one_day_of_each_month(column: DatesSeen, order: str) -> bool:
    """Whether its true dates are all of one day, such as the first of each month, and likelier meant so.

    Swapped back, they would all lie in one month; that is likely only where the texts lie in that month too.
    """
    days = {d.day for d in column.up_to_12th}
    months = {one.second if order == DAY_FIRST else one.first for one in column.proves(order)}
    return len(column.up_to_12th) > 1 and len(days) == 1 and months != days


def _orders(seen: Mapping[str, DatesSeen], agreed: str) -> dict[str, DateReading]:
    """The columns that are written month first, those that mix both orders, and those of which the order is unsure."""
    one_order = not any(column.day_first for column in seen.values())
    proofs = set[Slashed]().union(*(column.month_first for column in seen.values() if not column.day_first))
    of_file = one_order and len(proofs) >= LEAST_MONTH_FIRST
    found: dict[str, DateReading] = {}
    for name, column in seen.items():
        by_itself = column.order == MONTH_FIRST and len(column.month_first) >= LEAST_MONTH_FIRST
        if column.day_first and column.month_first:
            found[name] = DateReading("", is_mixed=True)
        elif by_itself or (of_file and (column.month_first or column.in_doubt)):
            found[name] = DateReading(MONTH_FIRST, MONTH_FIRST_RULE)
        elif column.month_first and column.in_doubt:
            found[name] = DateReading("", is_mixed=agreed == DAY_FIRST)
        elif column.in_doubt and not column.day_first and len(proofs) >= LEAST_MONTH_FIRST:
            found[name] = UNSURE
    return found
