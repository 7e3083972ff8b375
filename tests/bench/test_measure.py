"""`make bench` measures whole process trees and stops slow commands, and targets are evaluated correctly."""

from __future__ import annotations

import sys
import time

import pytest
from benchmarks import GIB, Outcome
from measure import cost_of

# a parent that uses little itself, and waits for a child that fills 200 MB and computes for half a second
CHILD = """
import time
filled = bytearray(b'x') * 200_000_000
while time.process_time() < 0.5: pass
"""
PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {CHILD!r}], check=True)"


def test_resources_of_child_processes_are_counted() -> None:
    cost = cost_of([sys.executable, "-c", PARENT])
    assert 0.2e9 < cost.memory < GIB
    assert cost.cpu >= 0.5
    assert cost.completed


def test_a_command_that_takes_too_long_is_killed_with_its_children() -> None:
    started = time.monotonic()
    cost = cost_of(["sh", "-c", "sleep 60 & sleep 60"], longest=0.3)
    assert not cost.completed
    assert time.monotonic() - started < 30


def test_a_failed_command_raises() -> None:
    with pytest.raises(RuntimeError, match="of no use"):
        cost_of([sys.executable, "-c", "raise SystemExit('of no use')"])


def test_a_target_is_a_maximum_a_minimum_or_none() -> None:
    assert [Outcome("a", v, 1.5).holds for v in (1.4, 1.5, 1.6)] == [True, True, False]
    assert [Outcome("a", v, least=4.0).holds for v in (3.9, 4.0)] == [False, True]
    assert Outcome("a", 7.0).holds is None
    assert Outcome("a", 3.9, least=4.0).as_row("1m") == "| a | 1m | >= 4x | 3.90x | **no** |\n"
