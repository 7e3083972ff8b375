"""Overdue returns by the return calendar, and when that list next changes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from flows.deliveries.months import is_to_come
from flows.deliveries.validated import ValidatedDelivery
from flows.runtime.wording import LONDON
from schemas._contract.catalogue import datasets
from schemas._contract.registry import OverdueReturn, calendar, returns_for, was_running
from schemas.audit.deliveries import Standing

AFTER_THE_LAST_RETURN = timedelta(days=31)


def overdue_returns(validated: Sequence[ValidatedDelivery], moment: datetime) -> list[OverdueReturn]:
    """The last return that was due by the moment of the run, for each site that has ever sent."""
    due = list(calendar().items())
    london = moment.replace(tzinfo=UTC).astimezone(LONDON).replace(tzinfo=None)  # the calendar's times are London's
    past = [(period, at) for period, at in due if at <= london]
    if not past or london > due[-1][1] + AFTER_THE_LAST_RETURN:
        return []
    period, at = past[-1]
    senders = {j.delivery.site_code for j in validated if was_running(j.delivery.programme_code, int(period[:4]))}
    had = {
        (j.delivery.site_code, j.delivery.dataset)
        for j in validated
        if j.delivery.period >= period and not j.withdrawal and not _is_of_a_doubtful_month(j)
    }
    return [
        OverdueReturn(site, dataset, period, at)
        for site in sorted(senders)
        for dataset, need in returns_for(site).items()
        if need == "required" and (site, dataset) not in had and dataset in datasets()
    ]


def next_calendar_change(moment: datetime) -> datetime:
    """The first moment after this one at which the calendar alone may change who is late."""
    due = list(calendar().values())
    turns = [*due, *(at + AFTER_THE_LAST_RETURN + datetime.resolution for at in due[-1:])]
    coming = (at for turn in turns if (at := turn.replace(tzinfo=LONDON)) > moment.replace(tzinfo=UTC))
    return min((at.astimezone(UTC).replace(tzinfo=None) for at in coming), default=datetime.max)


def _is_of_a_doubtful_month(j: ValidatedDelivery) -> bool:
    """Whether the month in a file's name is in doubt: then it is no return of the months before that one."""
    return j.standing is Standing.HELD_UP or is_to_come(j.delivery)
