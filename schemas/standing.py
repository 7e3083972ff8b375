"""Which deliveries count, and which have been replaced: stated once, for the night, its reports and its tables.

Extracts are cumulative: of those accepted for a site and dataset, the one with the latest cut-off counts (then the
highest version, then the last received). Deliveries declared `period` add up: the latest of each period counts. Figures
are rebuilt as they were once known by the same rule.
Source: DESIGN.md section 3, DOMAIN.md F17, F18.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Container, Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime

from schemas.audit.deliveries import Delivery, ExtractType, Result, Standing, Verdict
from schemas.shapes import Judged


def extent(delivery: Delivery) -> tuple[date, int]:
    """How far a delivery reaches: its cut-off, then its version."""
    return delivery.data_cut_date, delivery.version


def first_sent_as(delivery: Delivery, before: Iterable[Delivery]) -> str:
    """Of a site's deliveries of a dataset before this one, the latest, if it is the same (rule F17); '' if not.

    It is the same if it has these very bytes, and its manifest stated the same of them.
    """
    others = [d for d in before if not d.same_as]
    latest = max(others, key=lambda d: (*extent(d), d.received_at), default=None)
    return latest.delivery_id if latest is not None and _content(latest) == _content(delivery) else ""


def _content(d: Delivery) -> tuple[object, ...]:
    """What a delivery consists of: its bytes, and what its manifest states of them."""
    stated = (d.rows_declared, d.gbp_declared, d.sha256_declared, d.nil_return, d.deletes_declared)
    return d.sha256, d.sheet, d.extract_type, *stated


def standings(
    deliveries: Iterable[Delivery],
    verdicts: Mapping[str, Verdict],
    set_aside: Collection[str] = (),
    withdrawn: Container[str] = (),
) -> dict[str, Standing]:
    """The standing of each delivery. `verdicts` has the verdict of every one that is not the same as another.

    A delivery that brings no row never takes the place of one that does. Where there is no such, a nil return says that
    nothing happened, and counts; one whose every row is held says nothing at all. `set_aside` names deliveries that may
    not count, for what the rules between tables found in them: each is held up until a later one replaces it. What is
    `withdrawn` has no part in what the others are.
    """
    of_dataset: dict[tuple[str, str], list[Delivery]] = defaultdict(list)
    found: dict[str, Standing] = {}
    for d in deliveries:
        if d.delivery_id in withdrawn:
            found[d.delivery_id] = Standing.WITHDRAWN
        else:
            of_dataset[d.site_code, d.dataset].append(d)
    for arrivals in of_dataset.values():
        found |= _standings_of_dataset(sorted(arrivals, key=_arrival), verdicts, set_aside)
    return found


def _arrival(d: Delivery) -> tuple[datetime, date, int, str]:
    return d.received_at, *extent(d), d.sha256


def _standings_of_dataset(
    arrivals: list[Delivery], verdicts: Mapping[str, Verdict], set_aside: Collection[str]
) -> dict[str, Standing]:
    found: dict[str, Standing] = {}
    accepted: list[Delivery] = []
    nil: list[Delivery] = []
    held_up: list[Delivery] = []
    for d in arrivals:
        if d.same_as:
            found[d.delivery_id] = Standing.SAME
        elif verdicts[d.delivery_id].result.stops:
            found[d.delivery_id] = Standing.REFUSED
        elif any(a.received_at < d.received_at and _forestalls(a, d) for a in accepted):
            found[d.delivery_id] = Standing.STALE
        elif verdicts[d.delivery_id].rows.accepted == 0:
            nil += [] if verdicts[d.delivery_id].rows.held else [d]
            found[d.delivery_id] = Standing.EMPTY
        elif d.delivery_id in set_aside:
            held_up.append(d)
        else:
            accepted.append(d)
            found[d.delivery_id] = Standing.SUPERSEDED
    counting = _counting(accepted or nil)
    found |= {d.delivery_id: Standing.CURRENT for d in counting}
    for d in held_up:
        is_replaced = any(_replaces(later, d) for later in counting)
        found[d.delivery_id] = Standing.SUPERSEDED if is_replaced else Standing.HELD_UP
    return found


def as_it_stands(verdict: Verdict, standing: Standing) -> Verdict:
    """A verdict with what the delivery's standing makes of it: of one that is stale (F18) or held up, no row counts."""
    if standing not in (Standing.STALE, Standing.HELD_UP) or verdict.result.stops:
        return verdict
    rows = replace(verdict.rows, accepted=0, held=verdict.rows.read - verdict.rows.repeats - verdict.rows.not_data)
    return replace(verdict, result=Result.REFUSED, rows=rows)


def _forestalls(earlier: Delivery, late: Delivery) -> bool:
    """Whether a delivery could no longer count when it came, for what had been accepted already."""
    if late.extract_type == ExtractType.CUMULATIVE:
        return extent(earlier) > extent(late)
    if earlier.extract_type == ExtractType.CUMULATIVE:
        return earlier.data_cut_date >= late.data_cut_date
    return earlier.period == late.period and earlier.version > late.version


def _counting(accepted: list[Delivery]) -> list[Delivery]:
    """Of the accepted deliveries of one site and dataset, in order of arrival, those that count now."""
    cumulative = [d for d in accepted if d.extract_type == ExtractType.CUMULATIVE]
    latest_of_period: dict[str, Delivery] = {}
    for d in accepted:
        if d.extract_type == ExtractType.PERIOD:
            before = latest_of_period.get(d.period)
            latest_of_period[d.period] = d if before is None or d.version >= before.version else before
    if not cumulative:
        return list(latest_of_period.values())
    base = max(cumulative, key=lambda d: (*extent(d), d.received_at, d.sha256))
    return [base, *(d for d in latest_of_period.values() if d.data_cut_date > base.data_cut_date)]


def replacements(judged: Iterable[Judged]) -> dict[str, Delivery]:
    """By delivery_id: the accepted delivery that has taken a delivery's place, so that nothing need be done about it.

    A refused file may have been mended since; one that came too late was replaced before it came.
    """
    counting: dict[tuple[str, str], list[Delivery]] = defaultdict(list)
    waiting: list[Delivery] = []
    for j in judged:
        if j.counts:
            counting[j.delivery.site_code, j.delivery.dataset].append(j.delivery)
        elif j.standing is not Standing.WITHDRAWN:
            waiting.append(j.delivery)
    found = {}
    for d in waiting:
        if later := [c for c in counting[d.site_code, d.dataset] if _replaces(c, d)]:
            found[d.delivery_id] = max(later, key=_reach)
    return found


def _replaces(later: Delivery, delivery: Delivery) -> bool:
    same_months = later.extract_type == ExtractType.CUMULATIVE or later.period == delivery.period
    return same_months and _reach(later) > _reach(delivery)


def _reach(delivery: Delivery) -> tuple[date, int, datetime]:
    return *extent(delivery), delivery.received_at
