"""Whatever came in whatever order: without what is withdrawn, the rest stands as if that had never come."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flows.deliveries.standings import duplicate_of, standings
from flows.deliveries.withdrawn import apply_withdrawals, order_of_arrival
from schemas.audit.deliveries import Counts, Delivery, ExtractType, Result, Standing, Verdict
from schemas.audit.withdrawals import Withdrawal

NIGHT = datetime(2017, 1, 1)
LATER = NIGHT + timedelta(days=99)
VERDICTS = {
    "a": Verdict(Result.ACCEPTED, Counts(3, 3)),
    "b": Verdict(Result.HELD_ROWS, Counts(3, 2, 1)),
    "c": Verdict(Result.REFUSED, Counts(3, 0, 3)),
    "d": Verdict(Result.ACCEPTED, Counts()),
    "e": Verdict(Result.HELD_ROWS, Counts(3, 0, 3)),
}
arrivals = st.lists(
    st.tuples(
        st.sampled_from(["contacts", "referrals"]),
        st.sampled_from(sorted(VERDICTS)),  # the bytes: each has a verdict of its own
        st.integers(10, 12),  # the month
        st.integers(1, 3),  # the version
        st.integers(0, 3),  # the night
        st.sampled_from([*ExtractType]),
    ),
    max_size=9,
)


def received(said: Sequence[tuple[str, str, int, int, int, ExtractType]]) -> list[Delivery]:
    """The deliveries as they are taken in, night by night: each knows which it is the same as."""
    found: dict[str, Delivery] = {}
    for dataset, sha256, month, version, night, extract_type in sorted(said, key=lambda s: s[4]):
        name = f"{dataset}_2016{month}_v{version}_{sha256}_{extract_type}"
        known = Delivery(
            name, "A", "", dataset, f"2016{month}", version, name, f"A/{name}", "", sha256, 1,
            NIGHT + timedelta(days=night), date(2016, month, 28), extract_type,
        )  # fmt: skip
        found.setdefault(name, known)
    taken_in: list[Delivery] = []
    for d in sorted(found.values(), key=order_of_arrival):
        d = Delivery(**vars(d) | {"same_as": duplicate_of(d, [b for b in taken_in if b.dataset == d.dataset])})
        taken_in.append(d)
    return taken_in


def disposed(deliveries: Sequence[Delivery], withdrawals: Sequence[Withdrawal], moment: datetime) -> dict[str, object]:
    """By delivery_id: what a delivery is the same as, and whether it counts."""
    left, withdrawn = apply_withdrawals(deliveries, withdrawals, moment)
    standing = standings(left, {d.delivery_id: VERDICTS[d.sha256] for d in left}, withdrawn=withdrawn)
    return {d.delivery_id: (d.same_as, standing[d.delivery_id]) for d in left}


ALL = ExtractType.CUMULATIVE
# the second 'a' is the same as the first only where the 'b' between them never came
A_COPY_OF_WHAT_WAS_BEFORE = [
    ("contacts", "a", 10, 1, 0, ALL),
    ("contacts", "b", 12, 1, 1, ALL),
    ("contacts", "a", 11, 1, 2, ALL),
]
SENT_AGAIN = [("contacts", "a", 10, 1, 0, ALL), ("contacts", "b", 11, 1, 1, ALL), ("contacts", "b", 12, 1, 2, ALL)]


@pytest.mark.soak
@given(arrivals, st.sets(st.integers(0, 8)), st.integers(0, 5))
@example(A_COPY_OF_WHAT_WAS_BEFORE, {1}, 3)
@example(SENT_AGAIN, {1}, 1)
def test_the_rest_stands_as_if_what_is_withdrawn_had_never_come(
    said: list[tuple[str, str, int, int, int, ExtractType]], withdrawn: set[int], day: int
) -> None:
    deliveries = received(said)
    chosen = [d for n, d in enumerate(deliveries) if n in withdrawn]
    at = NIGHT + timedelta(days=day)
    withdrawals = [Withdrawal(d.delivery_id, at, "why") for d in chosen if d.received_at <= at]
    now = disposed(deliveries, withdrawals, LATER)
    out = {i for i, (_, standing) in now.items() if standing is Standing.WITHDRAWN}
    again = {(d.dataset, d.sha256) for d in deliveries if d.delivery_id in {w.delivery_id for w in withdrawals}}
    assert {w.delivery_id for w in withdrawals} <= out
    assert all((d.dataset, d.sha256) in again for d in deliveries if d.delivery_id in out), "the same bytes, no others"
    left = [d for d in said if not _is_out(d, out)]
    assert {i: d for i, d in now.items() if i not in out} == disposed(received(left), [], LATER)
    day_before = at - timedelta(seconds=1)
    assert disposed(deliveries, withdrawals, day_before) == disposed(deliveries, [], day_before)
    undone = [Withdrawal(w.delivery_id, w.withdrawn_at, w.reason, LATER) for w in withdrawals]
    assert disposed(deliveries, undone, LATER) == disposed(deliveries, [], LATER)
    assert disposed(deliveries, undone, LATER - timedelta(seconds=1)) == now


def _is_out(said: tuple[str, str, int, int, int, ExtractType], out: set[str]) -> bool:
    dataset, sha256, month, version, _, extract_type = said
    return f"{dataset}_2016{month}_v{version}_{sha256}_{extract_type}" in out
