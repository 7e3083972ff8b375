"""What there is to tell of a delivery for how it stands beside the others of its site: rules F17-F19 and F26.

It is found anew whenever the warehouse is made, for it changes with what else came. A warning about a month is told
once: extracts hold everything to date, and a service that has closed goes on sending.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from flows.deliveries.findings import Finding
from flows.deliveries.months import (
    LEAST_EVENTS,
    dates_end_in,
    is_doubtful,
    newest_by_month,
    no_file_for,
    skipped,
    stops_early,
)
from flows.deliveries.standings import extent, replaced_before_counting
from flows.deliveries.validated import ValidatedDelivery
from flows.runtime.wording import day
from schemas._contract.catalogue import datasets
from schemas._contract.model import Severity
from schemas._contract.registry import is_asked_for
from schemas.audit.deliveries import Delivery, ExtractType, Hold, Standing

# What is told here and nowhere else: (rule, severity). A result finds F19 too, for a check, which knows no others.
TOLD_HERE = (
    ("F17", Severity.WARNING),
    ("F18", Severity.FILE),
    ("F19", Severity.WARNING),
    ("F26", Severity.FILE),
    ("F26", Severity.WARNING),
)


class _Others(NamedTuple):
    """The deliveries of a site and dataset: those that came before one, those accepted, and the months of all."""

    before: Sequence[ValidatedDelivery]
    accepted: Sequence[Delivery]
    sent: Collection[str]
    newest: Mapping[str, date]  # see `newest_by_month`
    holds: Mapping[str, Hold]


def findings_against_others(validated: Sequence[ValidatedDelivery]) -> Iterator[tuple[ValidatedDelivery, Finding]]:
    """What follows from how each delivery stands beside the others, and from its month."""
    newest = newest_by_month((v.delivery, v.verdict.newest_event) for v in validated if not v.withdrawal)
    of_dataset: dict[tuple[str, str], list[ValidatedDelivery]] = defaultdict(list)
    left = (v for v in validated if not v.withdrawal)  # what was withdrawn is as if it had never come
    for v in sorted(left, key=lambda v: (v.delivery.received_at, *extent(v.delivery), v.delivery.sha256)):
        of_dataset[v.delivery.site_code, v.delivery.dataset].append(v)
    for arrivals in of_dataset.values():
        accepted = [v.delivery for v in arrivals if v.was_accepted]
        holds = {v.delivery.delivery_id: v.hold for v in arrivals if v.hold}
        sent = {v.delivery.period for v in arrivals if v.standing is not Standing.HELD_UP}
        for n, v in enumerate(arrivals):
            others = _Others(arrivals[:n], accepted, sent, newest, holds)
            if finding := _of_the_standing(v, others) or _of_the_month(v, others):
                yield v, finding


def _of_the_standing(v: ValidatedDelivery, others: _Others) -> Finding | None:
    """Why a delivery does not count, where another file or the month in its name is the reason."""
    if v.standing is Standing.SAME:
        return Finding("F17", Severity.WARNING)
    blocking = replaced_before_counting(v.delivery, others.accepted, others.holds)
    if v.standing is Standing.STALE and blocking is not None:
        said = f"{blocking.file_name} was accepted, to {day(blocking.data_cut_date)}"
        return Finding("F18", Severity.FILE, found=said)
    if v.standing is Standing.HELD_UP and is_doubtful(v.delivery, others.accepted, others.sent, others.newest):
        parts = (dates_end_in(others.newest[v.delivery.delivery_id]), no_file_for(_months_left_out(v.delivery, others)))
        return Finding("F26", Severity.FILE, found="; ".join(filter(None, parts)))
    return None


def _of_the_month(v: ValidatedDelivery, others: _Others) -> Finding | None:
    """A warning that the dates stop early (F19) or that a month was left out (F26), unless it was told before."""
    if not _may_be_told(v):
        return None
    if said := _stops_early(v):
        newest = v.verdict.newest_event
        alike = (b for b in others.before if b.verdict.newest_event == newest and _may_be_told(b))
        if any(map(_stops_early, alike)):
            return None
        field = datasets()[v.delivery.dataset].month_shown_by
        column = next((c for c in v.verdict.columns if c.field == field), None)
        return Finding("F19", Severity.WARNING, field=field, column=column, found=said)
    is_first = not any(b.delivery.period == v.delivery.period for b in others.before)
    if not v.was_accepted or v.verdict.events_lately < LEAST_EVENTS or not is_first:
        return None
    left_out = no_file_for(_months_left_out(v.delivery, others))
    return Finding("F26", Severity.WARNING, found=left_out) if left_out else None


def _may_be_told(v: ValidatedDelivery) -> bool:
    """Whether nothing else is told of the month of a delivery, or of its being there."""
    return v.standing not in (Standing.SAME, Standing.STALE, Standing.HELD_UP)


def _stops_early(v: ValidatedDelivery) -> str:
    if v.delivery.extract_type is ExtractType.PERIOD:
        return ""
    is_asked = is_asked_for(v.delivery.site_code, v.delivery.period)
    return stops_early(v.delivery, v.verdict.newest_event, v.verdict.events_lately, is_asked_for=is_asked)


def _months_left_out(delivery: Delivery, others: _Others) -> list[str]:
    """The months that a delivery skips, after the last that was accepted before its own."""
    earlier = (a for a in others.accepted if a.data_cut_date < delivery.data_cut_date)
    last = max(earlier, key=extent, default=None)
    return skipped(delivery, last, others.sent) if last else []
