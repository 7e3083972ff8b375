"""A verdict once rules between tables have held some of its accepted rows."""

from __future__ import annotations

import pytest

from schemas.audit.deliveries import Counts, Result, Verdict


@pytest.mark.parametrize(
    ("result", "accepted", "expected"),
    [
        (Result.ACCEPTED, 8, Result.ACCEPTED),
        (Result.ACCEPTED, 7, Result.HELD_ROWS),
        (Result.ACCEPTED, 0, Result.HELD_ROWS),
        (Result.HELD_ROWS, 5, Result.HELD_ROWS),
        (Result.REFUSED, 0, Result.REFUSED),
        (Result.UNREADABLE, 0, Result.UNREADABLE),
    ],
)
def test_rows_no_longer_accepted_are_held_and_only_an_accepted_result_changes(
    result: Result, accepted: int, expected: Result
) -> None:
    before = Verdict(result, Counts(read=10, accepted=8, held=0, repeats=1, not_data=1), sheet="Contacts")
    after = before.with_accepted(accepted)
    assert after == Verdict(expected, Counts(10, accepted, 8 - accepted, 1, 1), sheet="Contacts")


def test_rows_held_by_the_file_itself_stay_held() -> None:
    verdict = Verdict(Result.HELD_ROWS, Counts(read=10, accepted=6, held=4))
    assert verdict.with_accepted(6) == verdict
    assert verdict.with_accepted(5).rows == Counts(read=10, accepted=5, held=5)


def test_a_nil_return_stays_accepted() -> None:
    assert Verdict(Result.ACCEPTED, Counts()).with_accepted(0) == Verdict(Result.ACCEPTED, Counts())
