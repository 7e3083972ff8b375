"""Which deliveries are withdrawn at a moment, and the other deliveries as if those had never come.

A withdrawal applies to the bytes of a file: the same bytes sent again under another version or month are withdrawn too.
Without the withdrawn file, another delivery may be the first with some content, so repeats (rule F17) are found anew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from flows.deliveries.standings import duplicate_of
from schemas.audit.deliveries import Delivery
from schemas.audit.withdrawals import Withdrawal

_Bytes = tuple[str, str, str, str]


def apply_withdrawals(
    deliveries: Iterable[Delivery], withdrawals: Sequence[Withdrawal], moment: datetime
) -> tuple[list[Delivery], dict[str, Withdrawal]]:
    """The deliveries received by a moment, and by delivery_id the withdrawals that are in force among them.

    Withdrawn deliveries are in the first list too. The others have `same_as` as if those had never come.
    """
    received = [d for d in deliveries if d.received_at <= moment]
    withdrawn = _withdrawals_in_force(received, withdrawals, moment)
    return _as_if_never_sent(received, withdrawn), withdrawn


def _withdrawals_in_force(
    deliveries: Iterable[Delivery], withdrawals: Iterable[Withdrawal], moment: datetime
) -> dict[str, Withdrawal]:
    """By delivery_id: the withdrawal that keeps a delivery out of the figures at a moment.

    It is the delivery's own, or that of an earlier one with the same bytes. The later of two such deliveries can be
    reinstated alone: its own withdrawal is undone, while that of the first stays in force.
    """
    known = [w.as_of(moment) for w in withdrawals if w.withdrawn_at <= moment]
    by_delivery: dict[str, list[Withdrawal]] = defaultdict(list)
    for w in known:
        by_delivery[w.delivery_id].append(w)
    found: dict[str, Withdrawal] = {}
    of_bytes: dict[_Bytes, Withdrawal] = {}
    for d in sorted(deliveries, key=order_of_arrival):
        own = next((w for w in by_delivery[d.delivery_id] if w.is_active), None)
        of_same_bytes = of_bytes.get(_bytes(d))
        if own is not None:
            found[d.delivery_id] = of_bytes[_bytes(d)] = own
        elif of_same_bytes is not None and not _undone_since(by_delivery[d.delivery_id], of_same_bytes):
            found[d.delivery_id] = of_same_bytes
    return found


def _as_if_never_sent(deliveries: Sequence[Delivery], withdrawn: Iterable[str]) -> list[Delivery]:
    """The deliveries with `same_as` as if the withdrawn ones (by delivery_id) had never been sent.

    Only series (site and dataset) with a withdrawn delivery change. The withdrawn deliveries themselves do not.
    """
    withdrawn = set(withdrawn)
    affected = {(d.site_code, d.dataset) for d in deliveries if d.delivery_id in withdrawn}
    if not affected:
        return list(deliveries)
    found: dict[str, Delivery] = {}
    before: dict[tuple[str, str], list[Delivery]] = defaultdict(list)
    for d in sorted(deliveries, key=order_of_arrival):
        series = d.site_code, d.dataset
        if d.delivery_id in withdrawn or series not in affected:
            found[d.delivery_id] = d
            continue
        found[d.delivery_id] = replace(d, same_as=duplicate_of(d, before[series]))
        before[series].append(found[d.delivery_id])
    return [found[d.delivery_id] for d in deliveries]


def order_of_arrival(d: Delivery) -> tuple[datetime, str, str]:
    """Sort key for the order in which deliveries are received: by run, then by path."""
    return d.received_at, d.path, d.delivery_id


def _bytes(d: Delivery) -> _Bytes:
    return d.site_code, d.dataset, d.sha256, d.sheet


def _undone_since(own: Iterable[Withdrawal], other: Withdrawal) -> bool:
    """Whether a delivery's own withdrawal was undone after another delivery with the same bytes was withdrawn."""
    return any(w.undone_at is not None and w.undone_at >= other.withdrawn_at for w in own)
