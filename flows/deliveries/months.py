"""Which month a file is about: what its name says, beside its dates and the other files of its site.

A name is all that says to which day an extract is complete, and it is typed by hand. It is believed unless its month
had not begun (F25), its dates contradict it (F19), or it skips months that the site owes and its dates do not reach
beyond them (F26). Source: docs/domain.md 6.1.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

from flows.runtime.wording import LONDON, day, listed, month
from schemas._contract.registry import owed_months
from schemas.audit.deliveries import Delivery

# When a cumulative extract seems to be of an earlier month: what comes ten times a month, and thirty times in all,
# stopped for over a month. Of less, a silence says nothing; for a month that nobody asks for, fewer say enough.
FEW_EVENTS, LEAST_EVENTS, QUARTER, SILENCE = 5, 30, timedelta(92), timedelta(31)
WRONG_MONTH = ("F25", "F26", "F19")  # the rules that doubt the month in the name: told first, they explain the others


def day_received(received_at: datetime) -> date:
    """The day in London on which a file came."""
    return received_at.replace(tzinfo=UTC).astimezone(LONDON).date()


def is_to_come(delivery: Delivery) -> bool:
    """Whether the month in a file's name had not begun on the day it came (rule F25)."""
    return delivery.data_cut_date.replace(day=1) > day_received(delivery.received_at)


def came_too_soon(delivery: Delivery) -> str:
    """When a file came whose month had not begun, in words."""
    return f"the file came on {day(day_received(delivery.received_at))}"


def dates_end_in(newest: date | None) -> str:
    """Where the dates of a file end, in words; '' where it has none."""
    return f"the dates end in {newest:%B %Y}" if newest else ""


def stops_early(delivery: Delivery, newest: date | None, lately: int, *, is_asked_for: bool) -> str:
    """What to say of dates that end over a month before the cut-off (rule F19); '' where there is nothing to say.

    `lately` is how many events lie in the quarter before the newest date. A month for which the site is not asked needs
    fewer: its name is odd by itself.
    """
    least = LEAST_EVENTS if is_asked_for else FEW_EVENTS
    if newest is None or lately < least or delivery.data_cut_date - newest <= SILENCE:
        return ""
    return f"{dates_end_in(newest)}, the extract is cut at {day(delivery.data_cut_date)}"


def skipped(delivery: Delivery, before: Delivery, sent: Collection[str]) -> list[str]:
    """The months between two deliveries that the site owes and has sent no file for."""
    owed = owed_months(delivery.site_code, delivery.dataset)
    return [m for m in owed if before.period < m < delivery.period and m not in sent]


def no_file_for(months: Sequence[str]) -> str:
    """That there is no file for some months; of many the first and the last are named."""
    names = [month(m) for m in months]
    return f"no file for {listed(names) if len(names) < 3 else f'{names[0]} to {names[-1]}'}" if names else ""


def newest_by_month(newest_events: Iterable[tuple[Delivery, date | None]]) -> dict[str, date]:
    """By delivery_id: the newest date in what its site had sent of its month when it came, of whatever dataset.

    Months in which one dataset has no event are common, and its other files then show that the name is right. What
    comes later shows nothing: the true file of that month may.
    """
    of_month: dict[tuple[str, str], list[tuple[Delivery, date | None]]] = defaultdict(list)
    for delivery, newest in newest_events:
        of_month[delivery.site_code, delivery.period].append((delivery, newest))
    found = {}
    for known in of_month.values():
        for d, _ in known:
            dates = [newest for o, newest in known if newest and o.received_at <= d.received_at]
            if dates:
                found[d.delivery_id] = max(dates)
    return found


def is_doubtful(
    delivery: Delivery, accepted: Iterable[Delivery], sent: Collection[str], newest: Mapping[str, date]
) -> bool:
    """Whether a delivery has to wait (rule F26): it skips owed months, and its dates reach no further than the first.

    One that waits goes on waiting where a file of an earlier month came after it and reaches as far: then that is the
    month it was about.
    """
    reached = newest.get(delivery.delivery_id)
    earlier = [a for a in accepted if a.data_cut_date < delivery.data_cut_date]
    if reached is None or not earlier:
        return False
    last = max(earlier, key=lambda a: (a.data_cut_date, a.version))
    if skipped(delivery, last, sent) and reached <= _a_month_after(last.data_cut_date):
        return True
    return any(a.received_at > delivery.received_at and newest.get(a.delivery_id, date.min) >= reached for a in earlier)


def _a_month_after(cut_off: date) -> date:
    """The last day of the next month, for a cut-off at the end of one; else the same day of it, or its last."""
    end_of_next = (cut_off.replace(day=1) + timedelta(62)).replace(day=1) - timedelta(1)
    is_end_of_month = (cut_off + timedelta(1)).day == 1
    return end_of_next if is_end_of_month else end_of_next.replace(day=min(cut_off.day, end_of_next.day))
