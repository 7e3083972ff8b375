"""`make bench` measures what it says: a whole process tree, a command that is stopped; and what a target means."""

from __future__ import annotations

import sys
import time

import pytest
from measure import cost_of
from works import GIB, Outcome

# A parent that keeps little itself, and waits for a child that fills 200 MB and works for half a second.
CHILD = """
import time
kept = bytearray(b'x') * 200_000_000
while time.process_time() < 0.5: pass
"""
PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {CHILD!r}], check=True)"


def test_what_a_child_uses_is_counted() -> None:
    cost = cost_of([sys.executable, "-c", PARENT])
    assert 0.2e9 < cost.memory < GIB
    assert cost.cpu >= 0.5
    assert cost.final_state


def test_a_command_that_takes_too_long_is_stopped_with_all_that_it_started() -> None:
    begun = time.monotonic()
    cost = cost_of(["sh", "-c", "sleep 60 & sleep 60"], longest=0.3)
    assert not cost.final_state
    assert time.monotonic() - begun < 30


def test_a_command_that_fails_is_no_cost() -> None:
    with pytest.raises(RuntimeError, match="of no use"):
        cost_of([sys.executable, "-c", "raise SystemExit('of no use')"])


def test_a_target_is_the_most_or_the_least_or_none() -> None:
    assert [Outcome("a", v, 1.5).holds for v in (1.4, 1.5, 1.6)] == [True, True, False]
    assert [Outcome("a", v, least=4.0).holds for v in (3.9, 4.0)] == [False, True]
    assert Outcome("a", 7.0).holds is None
    assert Outcome("a", 3.9, least=4.0).as_row("1m") == "| a | 1m | >= 4x | 3.90x | **no** |\n"
