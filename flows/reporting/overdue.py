"""Overdue returns by the return calendar."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice

from flows.deliveries.months import AFTER_THE_LAST_RETURN, is_future_month
from flows.deliveries.validated import ValidatedDelivery
from flows.runtime.wording import LONDON
from schemas._contract.catalogue import datasets
from schemas._contract.registry import OverdueReturn, calendar, expects_return, owes
from schemas.audit.deliveries import Standing


def overdue_returns(validated: Sequence[ValidatedDelivery], moment: datetime) -> list[OverdueReturn]:
    """The datasets missing from the last returns due at `moment` (UTC), of each site that has sent files before.

    A site of a programme that had not started, or was over, owes nothing.
    """
    due = list(calendar().items())
    london = moment.replace(tzinfo=UTC).astimezone(LONDON).replace(tzinfo=None)  # the calendar's times are London's
    past = [(period, at) for period, at in due if at <= london]
    if not past or london > due[-1][1] + AFTER_THE_LAST_RETURN:
        return []
    latest: dict[tuple[str, str], str] = {}
    for v in validated:
        if not v.withdrawal and not _month_is_doubtful(v):
            sent = v.delivery.site_code, v.delivery.dataset
            latest[sent] = max(latest.get(sent, ""), v.delivery.period)
    # A quarterly dataset was last due up to two months before a monthly one.
    return [
        OverdueReturn(site, dataset, period, at)
        for site in sorted({v.delivery.site_code for v in validated})
        if expects_return(site, past[-1][0])
        for dataset in datasets()
        for period, at in islice((due for due in reversed(past) if owes(site, dataset, due[0])), 1)
        if latest.get((site, dataset), "") < period
    ]


def _month_is_doubtful(v: ValidatedDelivery) -> bool:
    """Whether the month in the file's name may be wrong: then it is not a return for earlier months."""
    return v.standing is Standing.HELD_UP or is_future_month(v.delivery)
