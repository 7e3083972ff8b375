"""Who is late changes at the moments that `next_calendar_change` gives, and at no other."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from flows.deliveries.validated import ValidatedDelivery
from flows.reporting.overdue import AFTER_THE_LAST_RETURN, next_calendar_change, overdue_returns
from flows.runtime.wording import LONDON
from schemas._contract.registry import due_at, rows
from schemas.audit.deliveries import Counts, Delivery, Result, Standing, Verdict

SENT = ValidatedDelivery(
    Delivery("d", "MHT-BPL", "MHT", "contacts", "201410", 1, "f", "p", "", "s", 1, datetime(2014, 11, 1),
             date(2014, 10, 31)),
    "key", Verdict(Result.ACCEPTED, Counts()), Standing.CURRENT,
)  # fmt: skip
INSTANT = timedelta(microseconds=1)


def owed(moment: datetime) -> list[tuple[str, str]]:
    return [(o.dataset, o.period) for o in overdue_returns([SENT], moment)]


def test_each_turn_of_the_calendar_is_one() -> None:
    moment, turns = datetime(2014, 1, 1), []
    while (turn := next_calendar_change(moment)) < datetime.max:
        assert owed(moment) == owed(turn - INSTANT), f"somebody became late between {moment} and {turn}"
        turns.append(turn)
        moment = turn
    assert owed(moment) == owed(moment + timedelta(days=3650)) == []
    assert len(turns) == len(rows("return_calendar")) + 1
    assert owed(turns[0] - INSTANT) == [] != owed(turns[0])


def test_the_calendar_is_in_london() -> None:
    summer = due_at("201606")
    assert summer is not None and summer.replace(tzinfo=LONDON).astimezone(UTC).hour == summer.hour - 1
    turn = next_calendar_change(summer - timedelta(hours=2))
    assert turn == summer - timedelta(hours=1), "the clocks are an hour ahead"
    assert ("contacts", "201606") not in owed(turn - INSTANT) and ("contacts", "201606") in owed(turn)


def test_a_month_after_the_last_return_nobody_is_late_any_more() -> None:
    last = max(datetime.fromisoformat(r["due_at"]) for r in rows("return_calendar"))
    end = (last + AFTER_THE_LAST_RETURN).replace(tzinfo=LONDON).astimezone(UTC).replace(tzinfo=None)
    assert next_calendar_change(end) == end + INSTANT and next_calendar_change(end + INSTANT) == datetime.max
