"""The list of overdue returns changes exactly at the moments that `next_calendar_change` gives."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from flows.deliveries.months import AFTER_THE_LAST_RETURN, next_calendar_change
from flows.deliveries.validated import ValidatedDelivery
from flows.reporting.overdue import overdue_returns
from flows.runtime.wording import LONDON
from schemas._contract.registry import due_at, rows
from schemas.audit.deliveries import Counts, Delivery, Result, Standing, Verdict

DELIVERED = ValidatedDelivery(
    Delivery("d", "MHT-BPL", "MHT", "contacts", "201410", 1, "f", "p", "", "s", 1, datetime(2014, 11, 1),
             date(2014, 10, 31)),
    "key", Verdict(Result.ACCEPTED, Counts()), Standing.CURRENT,
)  # fmt: skip
INSTANT = timedelta(microseconds=1)


def overdue_at(moment: datetime) -> list[tuple[str, str]]:
    """The overdue returns of the site at a moment: (dataset, period)."""
    return [(o.dataset, o.period) for o in overdue_returns([DELIVERED], moment)]


def test_the_overdue_list_changes_only_at_calendar_changes() -> None:
    moment, changes = datetime(2014, 1, 1), []
    while (change := next_calendar_change(moment)) < datetime.max:
        assert overdue_at(moment) == overdue_at(change - INSTANT), (
            f"a return became overdue between {moment} and {change}"
        )
        changes.append(change)
        moment = change
    assert overdue_at(moment) == overdue_at(moment + timedelta(days=3650)) == []
    assert len(changes) == len(rows("return_calendar")) + 1
    assert overdue_at(changes[0] - INSTANT) == [] != overdue_at(changes[0])


def test_deadlines_are_in_london_time() -> None:
    summer = due_at("201606")
    assert summer is not None and summer.replace(tzinfo=LONDON).astimezone(UTC).hour == summer.hour - 1
    change = next_calendar_change(summer - timedelta(hours=2))
    assert change == summer - timedelta(hours=1), "deadlines are in British Summer Time"
    assert ("contacts", "201606") not in overdue_at(change - INSTANT) and ("contacts", "201606") in overdue_at(change)


def test_nothing_is_overdue_a_month_after_the_last_deadline() -> None:
    last = max(datetime.fromisoformat(r["due_at"]) for r in rows("return_calendar"))
    end = (last + AFTER_THE_LAST_RETURN).replace(tzinfo=LONDON).astimezone(UTC).replace(tzinfo=None)
    assert next_calendar_change(end) == end + INSTANT and next_calendar_change(end + INSTANT) == datetime.max
