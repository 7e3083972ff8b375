"""Which month a file is about: the month in its name, compared with its dates and the site's other files.

The name is typed by hand, and usually nothing else says to which day an extract is complete. It is trusted unless the
month had not begun (F25), the dates in the file contradict it (F19), or it skips months for which the site owes files
and its dates reach no further than those (F26). Source: docs/domain.md 6.1. Also here: when the return calendar next
changes what is overdue, and on which days a file can have been signed off.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

from flows.runtime.wording import LONDON, day, listed, month
from schemas._contract.registry import calendar, months_of_a_return, owed_months
from schemas.audit.deliveries import Delivery, ExtractType

# A cumulative extract seems to be of an earlier month where events that come ten times a month stop for over a month.
# With fewer than thirty in the last quarter a gap means nothing. For a month that nobody asked for, five are enough.
MIN_EVENTS_UNASKED, MIN_EVENTS, QUARTER, SILENCE = 5, 30, timedelta(92), timedelta(31)
AFTER_THE_LAST_RETURN = timedelta(days=31)  # from then on, nothing is overdue
WRONG_MONTH = ("F25", "F26", "F19")  # rules that doubt the month: reported first, because they explain other findings


def day_received(received_at: datetime) -> date:
    """The day in London on which a file was received, from a moment in UTC."""
    return received_at.replace(tzinfo=UTC).astimezone(LONDON).date()


def is_future_month(delivery: Delivery) -> bool:
    """Whether the month in a file's name had not begun on the day it was received (rule F25)."""
    return delivery.data_cut_date.replace(day=1) > day_received(delivery.received_at)


def period_start(delivery: Delivery) -> date | None:
    """The first day of the month or quarter that a period extract covers; None for an extract of everything to date."""
    if delivery.extract_type is not ExtractType.PERIOD:
        return None
    before = months_of_a_return(delivery.site_code, delivery.dataset) - 1
    index = delivery.data_cut_date.year * 12 + delivery.data_cut_date.month - 1 - before
    return date(index // 12, index % 12 + 1, 1)


def cannot_be_signed_on(day: date, month_of_file: date, received_on: date) -> str:
    """Why a file cannot have been signed off on a day, in words; '' if it can.

    `month_of_file` is the first day of the month of its cut-off. The cut-off itself is no bound: an extract may be made
    and signed in the last days of its month.
    """
    if day > received_on:
        return "a date after the day on which the file came"
    return "a date before the month of the file" if day < month_of_file else ""


def received_in_words(delivery: Delivery) -> str:
    """The day on which a file was received, in words for a finding."""
    return f"the file came on {day(day_received(delivery.received_at))}"


def next_calendar_change(moment: datetime) -> datetime:
    """The first time after `moment` (both UTC) at which the calendar alone may change what is overdue."""
    due = list(calendar().values())
    changes = [*due, *(at + AFTER_THE_LAST_RETURN + datetime.resolution for at in due[-1:])]
    coming = (at for change in changes if (at := change.replace(tzinfo=LONDON)) > moment.replace(tzinfo=UTC))
    return min((at.astimezone(UTC).replace(tzinfo=None) for at in coming), default=datetime.max)


def dates_end_in(newest: date | None) -> str:
    """The month in which the dates of a file end, in words; '' where it has none."""
    return f"the dates end in {newest:%B %Y}" if newest else ""


def stops_early(delivery: Delivery, newest: date | None, lately: int, *, is_asked_for: bool) -> str:
    """A phrase saying that the dates end over a month before the cut-off (rule F19); '' if they do not.

    `lately` is the number of events in the quarter that ends with the newest date. If the site was not asked for this
    month, fewer are needed, because the month in the name is unusual already.
    """
    least = MIN_EVENTS if is_asked_for else MIN_EVENTS_UNASKED
    if newest is None or lately < least or delivery.data_cut_date - newest <= SILENCE:
        return ""
    return f"{dates_end_in(newest)}, the extract is cut at {day(delivery.data_cut_date)}"


def skipped(delivery: Delivery, before: Delivery, sent: Collection[str]) -> list[str]:
    """The months (yyyymm) between two deliveries for which the site owes a file and has sent none."""
    owed = owed_months(delivery.site_code, delivery.dataset)
    return [m for m in owed if before.period < m < delivery.period and m not in sent]


def no_file_for(months: Sequence[str]) -> str:
    """A phrase saying for which months there is no file; of three or more, only the first and last are named."""
    names = [month(m) for m in months]
    return f"no file for {listed(names) if len(names) < 3 else f'{names[0]} to {names[-1]}'}" if names else ""


def newest_by_month(newest_events: Iterable[tuple[Delivery, date | None]]) -> dict[str, date]:
    """By delivery_id: the newest date in any dataset that its site had sent for the same month when it was received.

    One dataset often has no event in a month, and the other files of that month then show that its name is right. Files
    received later are not counted, because one of them may be the true file of that month.
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
    """Whether a delivery is held up (F26): it skips owed months, and its dates reach no further than the first of them.

    It stays held up if a file of an earlier month is received after it whose dates reach as far: then that is the month
    it was about.
    """
    newest_date = newest.get(delivery.delivery_id)
    earlier = [a for a in accepted if a.data_cut_date < delivery.data_cut_date]
    if newest_date is None or not earlier:
        return False
    last = max(earlier, key=lambda a: (a.data_cut_date, a.version))
    if skipped(delivery, last, sent) and newest_date <= _a_month_after(last.data_cut_date):
        return True
    return any(
        a.received_at > delivery.received_at and newest.get(a.delivery_id, date.min) >= newest_date for a in earlier
    )


def _a_month_after(cut_off: date) -> date:
    """The same day of the next month; its last day if the cut-off is a month's last day, or there is no such day."""
    end_of_next = (cut_off.replace(day=1) + timedelta(62)).replace(day=1) - timedelta(1)
    is_end_of_month = (cut_off + timedelta(1)).day == 1
    return end_of_next if is_end_of_month else end_of_next.replace(day=min(cut_off.day, end_of_next.day))
