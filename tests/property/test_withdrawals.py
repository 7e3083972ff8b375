"""Withdrawing deliveries gives the others the standings they would have if the withdrawn had never come."""

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

FIRST_NIGHT = datetime(2017, 1, 1)
LATER = FIRST_NIGHT + timedelta(days=99)
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
        st.sampled_from(sorted(VERDICTS)),  # the content, which decides the verdict
        st.integers(10, 12),  # the month
        st.integers(1, 3),  # the version
        st.integers(0, 3),  # the night
        st.sampled_from([*ExtractType]),
    ),
    max_size=9,
)


def received(sent: Sequence[tuple[str, str, int, int, int, ExtractType]]) -> list[Delivery]:
    """Deliveries in order of arrival, each with the earlier delivery of the same content, if any."""
    found: dict[str, Delivery] = {}
    for dataset, sha256, month, version, night, extract_type in sorted(sent, key=lambda s: s[4]):
        name = f"{dataset}_2016{month}_v{version}_{sha256}_{extract_type}"
        known = Delivery(
            name, "A", "", dataset, f"2016{month}", version, name, f"A/{name}", "", sha256, 1,
            FIRST_NIGHT + timedelta(days=night), date(2016, month, 28), extract_type,
        )  # fmt: skip
        found.setdefault(name, known)
    deliveries: list[Delivery] = []
    for d in sorted(found.values(), key=order_of_arrival):
        d = Delivery(**vars(d) | {"same_as": duplicate_of(d, [b for b in deliveries if b.dataset == d.dataset])})
        deliveries.append(d)
    return deliveries


def standings_at(
    deliveries: Sequence[Delivery], withdrawals: Sequence[Withdrawal], moment: datetime
) -> dict[str, object]:
    """By delivery_id: which delivery it repeats, and its standing."""
    remaining, withdrawn = apply_withdrawals(deliveries, withdrawals, moment)
    standing = standings(remaining, {d.delivery_id: VERDICTS[d.sha256] for d in remaining}, withdrawn=withdrawn)
    return {d.delivery_id: (d.same_as, standing[d.delivery_id]) for d in remaining}


CUMULATIVE = ExtractType.CUMULATIVE
# the second 'a' repeats the first only if the 'b' between them never came
REPEAT_OF_AN_EARLIER_FILE = [
    ("contacts", "a", 10, 1, 0, CUMULATIVE),
    ("contacts", "b", 12, 1, 1, CUMULATIVE),
    ("contacts", "a", 11, 1, 2, CUMULATIVE),
]
REPEAT_OF_THE_LAST_FILE = [
    ("contacts", "a", 10, 1, 0, CUMULATIVE),
    ("contacts", "b", 11, 1, 1, CUMULATIVE),
    ("contacts", "b", 12, 1, 2, CUMULATIVE),
]


@pytest.mark.soak
@given(arrivals, st.sets(st.integers(0, 8)), st.integers(0, 5))
@example(REPEAT_OF_AN_EARLIER_FILE, {1}, 3)
@example(REPEAT_OF_THE_LAST_FILE, {1}, 1)
def test_other_deliveries_stand_as_if_the_withdrawn_had_never_come(
    sent: list[tuple[str, str, int, int, int, ExtractType]], withdrawn: set[int], day: int
) -> None:
    deliveries = received(sent)
    to_withdraw = [d for n, d in enumerate(deliveries) if n in withdrawn]
    at = FIRST_NIGHT + timedelta(days=day)
    withdrawals = [Withdrawal(d.delivery_id, at, "why") for d in to_withdraw if d.received_at <= at]
    now = standings_at(deliveries, withdrawals, LATER)
    withdrawn_ids = {i for i, (_, standing) in now.items() if standing is Standing.WITHDRAWN}
    withdrawn_content = {
        (d.dataset, d.sha256) for d in deliveries if d.delivery_id in {w.delivery_id for w in withdrawals}
    }
    assert {w.delivery_id for w in withdrawals} <= withdrawn_ids
    assert all((d.dataset, d.sha256) in withdrawn_content for d in deliveries if d.delivery_id in withdrawn_ids), (
        "only deliveries with the same content"
    )
    remaining = [d for d in sent if not _is_withdrawn(d, withdrawn_ids)]
    assert {i: d for i, d in now.items() if i not in withdrawn_ids} == standings_at(received(remaining), [], LATER)
    day_before = at - timedelta(seconds=1)
    assert standings_at(deliveries, withdrawals, day_before) == standings_at(deliveries, [], day_before)
    undone = [Withdrawal(w.delivery_id, w.withdrawn_at, w.reason, LATER) for w in withdrawals]
    assert standings_at(deliveries, undone, LATER) == standings_at(deliveries, [], LATER)
    assert standings_at(deliveries, undone, LATER - timedelta(seconds=1)) == now


def _is_withdrawn(sent: tuple[str, str, int, int, int, ExtractType], withdrawn_ids: set[str]) -> bool:
    dataset, sha256, month, version, _, extract_type = sent
    return f"{dataset}_2016{month}_v{version}_{sha256}_{extract_type}" in withdrawn_ids
