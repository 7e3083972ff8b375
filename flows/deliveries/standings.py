"""Which deliveries count and which have been replaced, for each site and dataset. The only place that decides this.

Among a site's accepted cumulative extracts of a dataset, the one with the latest cut-off counts; on a tie the highest
version, then the last received. Deliveries declared `period` add up: the latest of each period counts. A delivery whose
month is doubtful is held up (F26, see `months.py`). The run, its reports and figures as of a past day all use these
functions. Source: docs/domain.md 6.1 (F17, F18).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Container, Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime

from flows.deliveries.months import is_doubtful, is_future_month, newest_by_month
from flows.deliveries.validated import ValidatedDelivery
from schemas._contract.catalogue import datasets
from schemas.audit.deliveries import Delivery, ExtractType, Hold, Result, Standing, Verdict, never_counted


def extent(delivery: Delivery) -> tuple[date, int]:
    """Sort key for how far a delivery reaches: its cut-off, then its version."""
    return delivery.data_cut_date, delivery.version


def duplicate_of(delivery: Delivery, earlier: Iterable[Delivery]) -> str:
    """The delivery_id of the latest earlier delivery of the series, if this one repeats it (rule F17); '' if not.

    A repeat has the same bytes, the same statements in its manifest, and the same month. The same bytes under another
    month are not a repeat: they are validated by that month, because the first name may have been wrong.
    """
    originals = [d for d in earlier if not d.same_as]
    latest = max(originals, key=_recency, default=None)
    if latest is None or latest.period != delivery.period or is_future_month(latest) != is_future_month(delivery):
        return ""
    return latest.delivery_id if _content(latest) == _content(delivery) else ""


def _content(d: Delivery) -> tuple[object, ...]:
    """The content of a delivery: its bytes, and what its manifest states about them."""
    stated = (d.rows_declared, d.gbp_declared, d.sha256_declared, d.nil_return, d.deletes_declared)
    return d.sha256, d.sheet, d.extract_type, *stated, d.signed_off_by_role, d.signed_off_on


def standings(
    deliveries: Iterable[Delivery],
    verdicts: Mapping[str, Verdict],
    set_aside: Collection[str] = (),
    withdrawn: Container[str] = (),
    newest: Mapping[str, date] | None = None,
    holds: Mapping[str, Hold] | None = None,
) -> dict[str, Standing]:
    """Decide the standing of each delivery, by delivery_id.

    A delivery without accepted rows never replaces one that has some, but for a nil return of a dataset in which it
    says that none is left (deletions). Where a site has none with rows, its nil returns count, because they state that
    nothing happened; a file whose every row is held states nothing, and is empty.

    - `verdicts`: by delivery_id, the verdict of every delivery that does not repeat another (`same_as`).
    - `set_aside`: delivery_ids that may not count because of what the rules between tables found in them. Each is held
      up until a later delivery replaces it.
    - `withdrawn`: delivery_ids that the data team took out. The others are decided as if these had never come.
    - `newest`: the result of `newest_by_month` for all datasets of the sites. Required where `deliveries` has only some
      of the datasets.
    - `holds`: by delivery_id, when a delivery was held up on earlier runs. What came during a hold did not come too
      late, and a delivery that was replaced before it ever counted is not taken as accepted.
    """
    holds = holds or {}
    if newest is None:
        deliveries = list(deliveries)
        originals = (d for d in deliveries if d.delivery_id not in withdrawn and not d.same_as)
        newest = newest_by_month((d, verdicts[d.delivery_id].newest_event) for d in originals)
    by_series: dict[tuple[str, str], list[Delivery]] = defaultdict(list)
    found: dict[str, Standing] = {}
    for d in deliveries:
        if d.delivery_id in withdrawn:
            found[d.delivery_id] = Standing.WITHDRAWN
        else:
            by_series[d.site_code, d.dataset].append(d)
    for series in by_series.values():
        arrivals = sorted(series, key=_arrival)
        may_not_count = set(set_aside)
        # A delivery that was held up until a later one replaced it must not appear as accepted now: rules would look
        # back at it. So find out which of those that never counted would be superseded, and keep them out.
        never = [d.delivery_id for d in arrivals if never_counted(holds.get(d.delivery_id))]
        if never:
            without_them = _standings_of_series(arrivals, verdicts, {*set_aside, *never}, newest, holds)
            may_not_count |= {i for i in never if without_them[i] is Standing.SUPERSEDED}
        found |= _standings_of_series(arrivals, verdicts, may_not_count, newest, holds)
    return found


def _arrival(d: Delivery) -> tuple[datetime, date, int, str]:
    """Sort key: arrival, then cut-off and version. The checksum makes the order the same in every run."""
    return d.received_at, *extent(d), d.sha256


def _standings_of_series(
    arrivals: list[Delivery],
    verdicts: Mapping[str, Verdict],
    may_not_count: Collection[str],
    newest: Mapping[str, date],
    holds: Mapping[str, Hold],
) -> dict[str, Standing]:
    """Decide the standings of one site's deliveries of one dataset, taking them in order of arrival.

    Each is compared only with those that came before it, so nothing that comes later makes it stale or a repeat. Which
    of the accepted deliveries count is decided at the end.
    """
    found: dict[str, Standing] = {}
    accepted: list[Delivery] = []
    nil_returns: list[Delivery] = []
    held_up: list[Delivery] = []  # because they `may_not_count`
    doubtful: list[Delivery] = []  # held up for the month in their name (F26)
    months_sent: set[str] = set()

    def accept(d: Delivery) -> None:
        (held_up if d.delivery_id in may_not_count else accepted).append(d)

    for d in arrivals:
        if d.same_as or _repeats_last_accepted(d, accepted, verdicts):
            found[d.delivery_id] = Standing.SAME
        elif verdicts[d.delivery_id].result.is_rejected:
            found[d.delivery_id] = Standing.REFUSED
        elif made_stale_by(d, accepted, holds):
            found[d.delivery_id] = Standing.STALE
        elif verdicts[d.delivery_id].rows.accepted == 0 and not _says_none_is_left(d, verdicts[d.delivery_id]):
            nil_returns += [] if verdicts[d.delivery_id].rows.held else [d]
            found[d.delivery_id] = Standing.EMPTY
        elif is_doubtful(d, accepted, months_sent, newest):
            doubtful.append(d)
        else:
            accept(d)
        if d not in doubtful and d not in held_up:  # a file that is held up does not show that its month was sent
            months_sent.add(d.period)
        # this delivery may be of the month whose absence made others doubtful; each one accepted may clear another
        while cleared := [w for w in doubtful if not is_doubtful(w, accepted, months_sent, newest)]:
            doubtful.remove(cleared[0])
            accept(cleared[0])
            months_sent |= {a.period for a in accepted}
    # accepted deliveries are superseded but for those that count; nil returns count only where none was accepted
    found |= {d.delivery_id: Standing.SUPERSEDED for d in accepted}
    found |= {d.delivery_id: Standing.HELD_UP for d in doubtful}
    counting = _latest(accepted or nil_returns)
    found |= {d.delivery_id: Standing.CURRENT for d in counting}
    for d in held_up:
        is_replaced = any(_supersedes(later, d) for later in counting)
        found[d.delivery_id] = Standing.SUPERSEDED if is_replaced else Standing.HELD_UP
    return found


def _says_none_is_left(d: Delivery, verdict: Verdict) -> bool:
    """Whether a nil return says that none is left of what was sent before, as of deletions."""
    contract = datasets().get(d.dataset)
    return contract is not None and contract.nil_return_replaces and not verdict.rows.held


def _repeats_last_accepted(d: Delivery, accepted: list[Delivery], verdicts: Mapping[str, Verdict]) -> bool:
    """Whether a delivery has the content of the last accepted one under a later month, and no more accepted rows.

    With more rows accepted under the later month, the month in the first file's name was wrong: it is not a repeat.
    """
    last = max(accepted, key=extent, default=None)
    if last is None or d.period <= last.period or _content(last) != _content(d):
        return False
    return verdicts[d.delivery_id].rows.accepted <= verdicts[last.delivery_id].rows.accepted


def apply_standing(verdict: Verdict, standing: Standing, hold: Hold | None = None) -> Verdict:
    """Adjust a verdict to the standing: a delivery that is stale (F18) or held up is refused, and no row of it counts.

    So is one that was held up on an earlier run and superseded before it ever counted.
    """
    does_not_count = standing in (Standing.STALE, Standing.HELD_UP) or (
        standing is Standing.SUPERSEDED and never_counted(hold)
    )
    if not does_not_count or verdict.result.is_rejected:
        return verdict
    rows = replace(verdict.rows, accepted=0, held=verdict.rows.read - verdict.rows.repeats - verdict.rows.not_data)
    return replace(verdict, result=Result.REFUSED, rows=rows)


def made_stale_by(late: Delivery, accepted: Iterable[Delivery], holds: Mapping[str, Hold]) -> Delivery | None:
    """The accepted delivery that made another one stale before it came (F18); None where it was in time."""
    earlier = [a for a in accepted if _makes_stale(a, late) and _counted_when_received(a, late, holds)]
    return max(earlier, key=extent, default=None)


def _counted_when_received(earlier: Delivery, late: Delivery, holds: Mapping[str, Hold]) -> bool:
    """Whether an accepted delivery was there, and was not held up, when another was received."""
    hold = holds.get(earlier.delivery_id)
    was_held_up = (
        hold is not None and hold.since <= late.received_at and (not hold.until or late.received_at <= hold.until)
    )
    return earlier.received_at < late.received_at and not was_held_up


def _makes_stale(earlier: Delivery, late: Delivery) -> bool:
    """Whether a delivery reaches so far that one received after it cannot count any more."""
    if late.extract_type == ExtractType.CUMULATIVE:
        return extent(earlier) > extent(late)
    if earlier.extract_type == ExtractType.CUMULATIVE:
        return earlier.data_cut_date >= late.data_cut_date
    return earlier.period == late.period and earlier.version > late.version


def _latest(accepted: list[Delivery]) -> list[Delivery]:
    """Of accepted deliveries in order of arrival, those that count: the last extract, and single periods after it."""
    cumulative = [d for d in accepted if d.extract_type == ExtractType.CUMULATIVE]
    latest_of_period: dict[str, Delivery] = {}
    for d in accepted:
        if d.extract_type == ExtractType.PERIOD:
            before = latest_of_period.get(d.period)
            latest_of_period[d.period] = d if before is None or d.version >= before.version else before
    if not cumulative:
        return list(latest_of_period.values())
    base = max(cumulative, key=lambda d: (*_recency(d), d.sha256))
    return [base, *(d for d in latest_of_period.values() if d.data_cut_date > base.data_cut_date)]


def replacements(validated: Iterable[ValidatedDelivery]) -> dict[str, Delivery]:
    """By delivery_id: the delivery that replaced one that does not count, so that its sender need not fix that one.

    A refused file may have been fixed by a later one; a stale one was replaced before it came. A file that is held up
    for its month may also be replaced by a later file of an earlier month whose dates reach as far: then that is the
    month it was about.
    """
    counting: dict[tuple[str, str], list[ValidatedDelivery]] = defaultdict(list)
    others: list[ValidatedDelivery] = []
    for v in validated:
        if v.counts:
            counting[v.delivery.site_code, v.delivery.dataset].append(v)
        elif v.standing is not Standing.WITHDRAWN:
            others.append(v)
    found = {}
    for v in others:
        series = v.delivery.site_code, v.delivery.dataset
        if later := [c.delivery for c in counting[series] if _replaces(c, v)]:
            found[v.delivery.delivery_id] = max(later, key=_recency)
    return found


def _replaces(later: ValidatedDelivery, other: ValidatedDelivery) -> bool:
    if _supersedes(later.delivery, other.delivery):
        return True
    if other.standing is not Standing.HELD_UP or later.delivery.received_at <= other.delivery.received_at:
        return False
    newest, newest_of_other = later.verdict.newest_event, other.verdict.newest_event
    return newest is not None and newest_of_other is not None and newest >= newest_of_other


def _supersedes(later: Delivery, delivery: Delivery) -> bool:
    """Whether a delivery covers the months of another, and is the more recent of the two."""
    same_months = later.extract_type == ExtractType.CUMULATIVE or later.period == delivery.period
    return same_months and _recency(later) > _recency(delivery)


def _recency(delivery: Delivery) -> tuple[date, int, datetime]:
    """Sort key for which of two deliveries is the more recent: cut-off, version, then arrival."""
    return *extent(delivery), delivery.received_at
