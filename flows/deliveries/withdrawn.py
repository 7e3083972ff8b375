"""Which deliveries are withdrawn at a moment, and what the others are without them.

A withdrawal is of bytes: whoever sends them again, under another version or month, sends what was taken out. What is
left is as if the withdrawn file had never come, so also which delivery is the same as which (rule F17).
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


def in_force(
    deliveries: Iterable[Delivery], withdrawals: Sequence[Withdrawal], moment: datetime
) -> tuple[list[Delivery], dict[str, Withdrawal]]:
    """The deliveries received by a moment, as they are without those that were withdrawn; and which are (by id)."""
    received = [d for d in deliveries if d.received_at <= moment]
    withdrawn = withdrawn_among(received, withdrawals, moment)
    return as_if_never_sent(received, withdrawn), withdrawn


def withdrawn_among(
    deliveries: Iterable[Delivery], withdrawals: Iterable[Withdrawal], moment: datetime
) -> dict[str, Withdrawal]:
    """By delivery_id: the withdrawal that keeps a delivery out of the figures at a moment; its own, or of its bytes.

    Where the same bytes came again, that one may be let back alone: its own withdrawal is undone, the first one stands.
    """
    known = [w.as_of(moment) for w in withdrawals if w.withdrawn_at <= moment]
    own: dict[str, list[Withdrawal]] = defaultdict(list)
    for w in known:
        own[w.delivery_id].append(w)
    found: dict[str, Withdrawal] = {}
    of_bytes: dict[_Bytes, Withdrawal] = {}
    for d in sorted(deliveries, key=order_of_arrival):
        its_own = next((w for w in own[d.delivery_id] if w.is_active), None)
        of_the_first = of_bytes.get(_bytes(d))
        if its_own is not None:
            found[d.delivery_id] = of_bytes[_bytes(d)] = its_own
        elif of_the_first is not None and not _let_back_since(own[d.delivery_id], of_the_first):
            found[d.delivery_id] = of_the_first
    return found


def as_if_never_sent(deliveries: Sequence[Delivery], withdrawn: Iterable[str]) -> list[Delivery]:
    """The deliveries as they are when some (by delivery_id) were never sent; those themselves stay as they are.

    Of a site and dataset that has one of those, it is found anew which of the others is the same as which.
    """
    out = set(withdrawn)
    touched = {(d.site_code, d.dataset) for d in deliveries if d.delivery_id in out}
    if not touched:
        return list(deliveries)
    found: dict[str, Delivery] = {}
    before: dict[tuple[str, str], list[Delivery]] = defaultdict(list)
    for d in sorted(deliveries, key=order_of_arrival):
        series = d.site_code, d.dataset
        if d.delivery_id in out or series not in touched:
            found[d.delivery_id] = d
            continue
        found[d.delivery_id] = replace(d, same_as=duplicate_of(d, before[series]))
        before[series].append(found[d.delivery_id])
    return [found[d.delivery_id] for d in deliveries]


def order_of_arrival(d: Delivery) -> tuple[datetime, str, str]:
    """In which order deliveries are taken in: by run, then by path."""
    return d.received_at, d.path, d.delivery_id


def _bytes(d: Delivery) -> _Bytes:
    return d.site_code, d.dataset, d.sha256, d.sheet


def _let_back_since(own: Iterable[Withdrawal], of_the_first: Withdrawal) -> bool:
    return any(w.undone_at is not None and w.undone_at >= of_the_first.withdrawn_at for w in own)
