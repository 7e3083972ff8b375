"""Findings from comparing a delivery with the others of its site and dataset: rules F17-F19, F26 and F54.

They are found anew in every build, because they change with what else was sent. A warning about a month is given once:
extracts hold everything to date, and a service that has closed goes on sending the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from flows.deliveries.findings import Finding
from flows.deliveries.months import (
    MIN_EVENTS,
    dates_end_in,
    is_doubtful,
    newest_by_month,
    no_file_for,
    skipped,
    stops_early,
)
from flows.deliveries.standings import extent, made_stale_by
from flows.deliveries.validated import ValidatedDelivery
from flows.runtime.wording import day, month
from schemas._contract.catalogue import datasets
from schemas._contract.model import Severity
from schemas._contract.registry import expects_return
from schemas._rules.months import OTHER_MONTH_RULE
from schemas.audit.deliveries import Delivery, ExtractType, Hold, Standing

# The findings that come from here alone: (rule, severity). A validation result may hold F19 too, for `pilots check`,
# which knows no other deliveries; the one from here replaces it.
FOUND_BY_COMPARISON = (
    ("F17", Severity.WARNING),
    ("F18", Severity.FILE),
    ("F19", Severity.WARNING),
    ("F26", Severity.FILE),
    ("F26", Severity.WARNING),
    (OTHER_MONTH_RULE, Severity.WARNING),
)


class _Others(NamedTuple):
    """What one delivery is compared with: the other deliveries of its site and dataset."""

    before: Sequence[ValidatedDelivery]  # that were received before it
    accepted: Sequence[Delivery]
    months_sent: Collection[str]
    newest: Mapping[str, date]  # see `newest_by_month`
    holds: Mapping[str, Hold]


def comparison_findings(validated: Sequence[ValidatedDelivery]) -> Iterator[tuple[ValidatedDelivery, Finding]]:
    """At most one finding per delivery: why it does not count, or a warning about its month."""
    # deliveries that were withdrawn are left out, as if they had never come
    left = [v for v in validated if not v.withdrawal]
    newest = newest_by_month((v.delivery, v.verdict.newest_event) for v in left)
    by_series: dict[tuple[str, str], list[ValidatedDelivery]] = defaultdict(list)
    for v in sorted(left, key=lambda v: (v.delivery.received_at, *extent(v.delivery), v.delivery.sha256)):
        by_series[v.delivery.site_code, v.delivery.dataset].append(v)
    for arrivals in by_series.values():
        accepted = [v.delivery for v in arrivals if v.was_accepted]
        holds = {v.delivery.delivery_id: v.hold for v in arrivals if v.hold}
        months_sent = {v.delivery.period for v in arrivals if v.standing is not Standing.HELD_UP}
        for n, v in enumerate(arrivals):
            others = _Others(arrivals[:n], accepted, months_sent, newest, holds)
            if finding := _standing_finding(v, others) or _month_finding(v, others):
                yield v, finding


def _standing_finding(v: ValidatedDelivery, others: _Others) -> Finding | None:
    """Why a delivery does not count, where another file or the month in its name is the reason."""
    if v.standing is Standing.SAME:
        return _of_earlier_month(v, others) or Finding("F17", Severity.WARNING)
    newer = made_stale_by(v.delivery, others.accepted, others.holds)
    if v.standing is Standing.STALE and newer is not None:
        found = f"{newer.file_name} was accepted, to {day(newer.data_cut_date)}"
        return Finding("F18", Severity.FILE, found=found)
    if v.standing is Standing.HELD_UP and is_doubtful(v.delivery, others.accepted, others.months_sent, others.newest):
        dates_end = dates_end_in(others.newest[v.delivery.delivery_id])
        parts = (dates_end, no_file_for(_skipped_months(v.delivery, others)))
        return Finding("F26", Severity.FILE, found="; ".join(filter(None, parts)))
    return None


def _month_finding(v: ValidatedDelivery, others: _Others) -> Finding | None:
    """A warning that the dates stop early (F19) or that a month was skipped (F26), unless it was given before."""
    if not _may_warn_of_month(v):
        return None
    if of_earlier := _of_earlier_month(v, others):
        return of_earlier
    if found := _stops_early(v):
        newest = v.verdict.newest_event
        same_newest = (b for b in others.before if b.verdict.newest_event == newest and _may_warn_of_month(b))
        if any(map(_stops_early, same_newest)):
            return None
        field = datasets()[v.delivery.dataset].month_shown_by
        column = next((c for c in v.verdict.columns if c.field == field), None)
        return Finding("F19", Severity.WARNING, field=field, column=column, found=found)
    is_first_of_month = not any(b.delivery.period == v.delivery.period for b in others.before)
    if not v.was_accepted or v.verdict.events_lately < MIN_EVENTS or not is_first_of_month:
        return None
    found = no_file_for(_skipped_months(v.delivery, others))
    return Finding("F26", Severity.WARNING, found=found) if found else None


def _of_earlier_month(v: ValidatedDelivery, others: _Others) -> Finding | None:
    """A warning that these are the rows of an earlier month's file (F54), unless it was given before.

    Where more rows are accepted under this month, the month in the first file's name was wrong.
    """
    was_used = (b for b in others.before if b.was_accepted or (b.standing is Standing.SAME and not b.delivery.same_as))
    same = [b for b in was_used if v.verdict.content and b.verdict.content == v.verdict.content]
    if v.delivery.same_as or len({b.delivery.period for b in same}) != 1:
        return None
    first = same[0]
    is_later = v.delivery.period > first.delivery.period
    if not is_later or v.verdict.rows.accepted > first.verdict.rows.accepted:
        return None
    return Finding(
        OTHER_MONTH_RULE, Severity.WARNING, found=same_rows_as(first.delivery.file_name, first.delivery.period)
    )


def same_rows_as(file_name: str, period: str) -> str:
    """Which earlier file has the same rows, in words for a finding."""
    return f"the file of {month(period)}: {file_name}"


def _may_warn_of_month(v: ValidatedDelivery) -> bool:
    """Whether the sender learns nothing else of the delivery's month, or that it does not count."""
    return v.standing not in (Standing.SAME, Standing.STALE, Standing.HELD_UP)


def _stops_early(v: ValidatedDelivery) -> str:
    if v.delivery.extract_type is ExtractType.PERIOD:
        return ""
    is_asked = expects_return(v.delivery.site_code, v.delivery.period)
    return stops_early(v.delivery, v.verdict.newest_event, v.verdict.events_lately, is_asked_for=is_asked)


def _skipped_months(delivery: Delivery, others: _Others) -> list[str]:
    """The months without a file between the last delivery that was accepted for an earlier cut-off and this one."""
    earlier = (a for a in others.accepted if a.data_cut_date < delivery.data_cut_date)
    last = max(earlier, key=extent, default=None)
    return skipped(delivery, last, others.months_sent) if last else []
