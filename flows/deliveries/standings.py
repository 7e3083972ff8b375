"""Which deliveries count, and which have been replaced: stated once, for the run, its reports and its tables.

Extracts are cumulative: of those accepted for a site and dataset, the one with the latest cut-off counts (then the
highest version, then the last received). Deliveries declared `period` add up: the latest of each period counts. One
with a doubtful month in its name is held up (F26, see `months.py`). Figures are rebuilt as they were once known by the
same rule.
Source: docs/domain.md 6.1 (F17, F18).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Container, Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime

from flows.deliveries.months import is_doubtful, is_to_come, newest_by_month
from flows.deliveries.validated import ValidatedDelivery
from schemas.audit.deliveries import Delivery, ExtractType, Hold, Result, Standing, Verdict, never_counted


def extent(delivery: Delivery) -> tuple[date, int]:
    """How far a delivery reaches: its cut-off, then its version."""
    return delivery.data_cut_date, delivery.version


def first_sent_as(delivery: Delivery, before: Iterable[Delivery]) -> str:
    """Of a site's deliveries of a dataset before this one, the latest, if it is the same (rule F17); '' if not.

    It is the same if it has these very bytes, its manifest stated the same of them, and it is of the same month. Under
    another month they are validated by that: the first name may have been wrong.
    """
    others = [d for d in before if not d.same_as]
    latest = max(others, key=lambda d: (*extent(d), d.received_at), default=None)
    if latest is None or latest.period != delivery.period or is_to_come(latest) != is_to_come(delivery):
        return ""
    return latest.delivery_id if _content(latest) == _content(delivery) else ""


def _content(d: Delivery) -> tuple[object, ...]:
    """What a delivery consists of: its bytes, and what its manifest states of them."""
    stated = (d.rows_declared, d.gbp_declared, d.sha256_declared, d.nil_return, d.deletes_declared)
    return d.sha256, d.sheet, d.extract_type, *stated


def standings(
    deliveries: Iterable[Delivery],
    verdicts: Mapping[str, Verdict],
    set_aside: Collection[str] = (),
    withdrawn: Container[str] = (),
    newest: Mapping[str, date] | None = None,
    holds: Mapping[str, Hold] | None = None,
) -> dict[str, Standing]:
    """The standing of each delivery. `verdicts` has the verdict of every one that is not the same as another.

    A delivery that brings no row never takes the place of one that does. Where there is no such, a nil return says that
    nothing happened, and counts; one whose every row is held says nothing at all. `set_aside` names deliveries that may
    not count, for what the rules between tables found in them: each is held up until a later one replaces it. What is
    `withdrawn` has no part in what the others are. `newest` is what `newest_by_month` gives for all datasets of the
    site, where these deliveries are not of all. `holds` tells which were held up on earlier runs: what came meanwhile
    did not come too late, and one that was replaced before it ever counted does not count as accepted.
    """
    holds = holds or {}
    if newest is None:
        deliveries = list(deliveries)
        left = (d for d in deliveries if d.delivery_id not in withdrawn and not d.same_as)
        newest = newest_by_month((d, verdicts[d.delivery_id].newest_event) for d in left)
    of_dataset: dict[tuple[str, str], list[Delivery]] = defaultdict(list)
    found: dict[str, Standing] = {}
    for d in deliveries:
        if d.delivery_id in withdrawn:
            found[d.delivery_id] = Standing.WITHDRAWN
        else:
            of_dataset[d.site_code, d.dataset].append(d)
    for arrivals in of_dataset.values():
        in_order = sorted(arrivals, key=_arrival)
        waited = [d.delivery_id for d in in_order if never_counted(holds.get(d.delivery_id))]
        aside = set(set_aside)
        if waited:
            as_before = _standings_of_dataset(in_order, verdicts, {*set_aside, *waited}, newest, holds)
            aside |= {i for i in waited if as_before[i] is Standing.SUPERSEDED}
        found |= _standings_of_dataset(in_order, verdicts, aside, newest, holds)
    return found


def _arrival(d: Delivery) -> tuple[datetime, date, int, str]:
    return d.received_at, *extent(d), d.sha256


def _standings_of_dataset(
    arrivals: list[Delivery],
    verdicts: Mapping[str, Verdict],
    set_aside: Collection[str],
    newest: Mapping[str, date],
    holds: Mapping[str, Hold],
) -> dict[str, Standing]:
    found: dict[str, Standing] = {}
    accepted: list[Delivery] = []
    nil: list[Delivery] = []
    held_up: list[Delivery] = []
    doubtful: list[Delivery] = []
    sent: set[str] = set()
    for d in arrivals:
        if d.same_as or _is_sent_again(d, accepted, verdicts):
            found[d.delivery_id] = Standing.SAME
        elif verdicts[d.delivery_id].result.stops:
            found[d.delivery_id] = Standing.REFUSED
        elif replaced_before_counting(d, accepted, holds):
            found[d.delivery_id] = Standing.STALE
        elif verdicts[d.delivery_id].rows.accepted == 0:
            nil += [] if verdicts[d.delivery_id].rows.held else [d]
            found[d.delivery_id] = Standing.EMPTY
        elif is_doubtful(d, accepted, sent, newest):
            doubtful.append(d)
        else:
            (held_up if d.delivery_id in set_aside else accepted).append(d)
        if d not in doubtful and d not in held_up:  # what is held up is as if it had not come
            sent.add(d.period)
        # a month that was missing may have come with this one
        while cleared := [w for w in doubtful if not is_doubtful(w, accepted, sent, newest)]:
            doubtful.remove(cleared[0])
            (held_up if cleared[0].delivery_id in set_aside else accepted).append(cleared[0])
            sent |= {a.period for a in accepted}
    found |= {d.delivery_id: Standing.SUPERSEDED for d in accepted}
    found |= {d.delivery_id: Standing.HELD_UP for d in doubtful}
    counting = _counting(accepted or nil)
    found |= {d.delivery_id: Standing.CURRENT for d in counting}
    for d in held_up:
        is_replaced = any(_reaches_beyond(later, d) for later in counting)
        found[d.delivery_id] = Standing.SUPERSEDED if is_replaced else Standing.HELD_UP
    return found


def _is_sent_again(d: Delivery, accepted: list[Delivery], verdicts: Mapping[str, Verdict]) -> bool:
    """Whether the last accepted file was sent again for a later month: the same bytes, and no row more in them.

    By its own month a file may fare better: then the first one had the wrong month in its name.
    """
    last = max(accepted, key=extent, default=None)
    if last is None or d.period <= last.period or _content(last) != _content(d):
        return False
    return verdicts[d.delivery_id].rows.accepted <= verdicts[last.delivery_id].rows.accepted


def apply_standing(verdict: Verdict, standing: Standing, hold: Hold | None = None) -> Verdict:
    """A verdict with what the delivery's standing makes of it: of one that is stale (F18) or held up, no row counts."""
    waits = standing in (Standing.STALE, Standing.HELD_UP) or (standing is Standing.SUPERSEDED and never_counted(hold))
    if not waits or verdict.result.stops:
        return verdict
    rows = replace(verdict.rows, accepted=0, held=verdict.rows.read - verdict.rows.repeats - verdict.rows.not_data)
    return replace(verdict, result=Result.REFUSED, rows=rows)


def replaced_before_counting(
    late: Delivery, accepted: Iterable[Delivery], holds: Mapping[str, Hold]
) -> Delivery | None:
    """The accepted delivery for which another could no longer count when it came."""
    earlier = [a for a in accepted if _replaces_before_counting(a, late) and _counted_when_came(a, late, holds)]
    return max(earlier, key=extent, default=None)


def _counted_when_came(earlier: Delivery, late: Delivery, holds: Mapping[str, Hold]) -> bool:
    """Whether an accepted delivery was there, and was not held up, when another came."""
    hold = holds.get(earlier.delivery_id)
    waited = hold is not None and hold.since <= late.received_at and (not hold.until or late.received_at <= hold.until)
    return earlier.received_at < late.received_at and not waited


def _replaces_before_counting(earlier: Delivery, late: Delivery) -> bool:
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


def replacements(validated: Iterable[ValidatedDelivery]) -> dict[str, Delivery]:
    """By delivery_id: the accepted delivery that has taken a delivery's place, so that nothing need be done about it.

    A refused file may have been fixed since; one that came too late was replaced before it came; one that is held up
    is replaced by a file of an earlier month, too, that came after it and whose dates reach as far.
    """
    counting: dict[tuple[str, str], list[ValidatedDelivery]] = defaultdict(list)
    waiting: list[ValidatedDelivery] = []
    for v in validated:
        if v.counts:
            counting[v.delivery.site_code, v.delivery.dataset].append(v)
        elif v.standing is not Standing.WITHDRAWN:
            waiting.append(v)
    found = {}
    for v in waiting:
        if later := [c.delivery for c in counting[v.delivery.site_code, v.delivery.dataset] if _replaces(c, v)]:
            found[v.delivery.delivery_id] = max(later, key=_reach)
    return found


def _replaces(later: ValidatedDelivery, other: ValidatedDelivery) -> bool:
    if _reaches_beyond(later.delivery, other.delivery):
        return True
    if other.standing is not Standing.HELD_UP or later.delivery.received_at <= other.delivery.received_at:
        return False
    newest, reached = later.verdict.newest_event, other.verdict.newest_event
    return newest is not None and reached is not None and newest >= reached


def _reaches_beyond(later: Delivery, delivery: Delivery) -> bool:
    same_months = later.extract_type == ExtractType.CUMULATIVE or later.period == delivery.period
    return same_months and _reach(later) > _reach(delivery)


def _reach(delivery: Delivery) -> tuple[date, int, datetime]:
    return *extent(delivery), delivery.received_at
