"""Overdue returns by the return calendar."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from flows.deliveries.months import AFTER_THE_LAST_RETURN, is_future_month
from flows.deliveries.validated import ValidatedDelivery
from flows.runtime.wording import LONDON
from schemas._contract.catalogue import datasets
from schemas._contract.registry import OverdueReturn, calendar, returns_for, was_running
from schemas.audit.deliveries import Standing


def overdue_returns(validated: Sequence[ValidatedDelivery], moment: datetime) -> list[OverdueReturn]:
    """The datasets missing from the last return due at `moment` (UTC), of each site that has sent files before."""
    due = list(calendar().items())
    london = moment.replace(tzinfo=UTC).astimezone(LONDON).replace(tzinfo=None)  # the calendar's times are London's
    past = [(period, at) for period, at in due if at <= london]
    if not past or london > due[-1][1] + AFTER_THE_LAST_RETURN:
        return []
    period, at = past[-1]
    # a site of a programme that had not started, or was over, owes nothing
    senders = {v.delivery.site_code for v in validated if was_running(v.delivery.programme_code, int(period[:4]))}
    received = {
        (v.delivery.site_code, v.delivery.dataset)
        for v in validated
        if v.delivery.period >= period and not v.withdrawal and not _month_is_doubtful(v)
    }
    return [
        OverdueReturn(site, dataset, period, at)
        for site in sorted(senders)
        for dataset, need in returns_for(site).items()
        if need == "required" and (site, dataset) not in received and dataset in datasets()
    ]


def _month_is_doubtful(v: ValidatedDelivery) -> bool:
    """Whether the month in the file's name may be wrong: then it is not a return for earlier months."""
    return v.standing is Standing.HELD_UP or is_future_month(v.delivery)
