"""Measure commands as whole processes: wall time, CPU time, and peak memory of the process tree.

All three come from the operating system. Commands to compare take turns, several times each, and their medians are
compared (for memory, the highest peak). Machines are shared, so only ratios within one run mean anything. Memory is the
resident set: mapped pages of files count too, and shared pages count once per process.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

_PAGE = os.sysconf("SC_PAGE_SIZE")
_SAMPLE_INTERVAL = 0.02  # seconds


@dataclass(frozen=True)
class Cost:
    """Cost of one run of a command."""

    wall: float  # seconds
    cpu: float  # seconds, user and system
    memory: int  # bytes, peak of the process tree
    completed: bool = True  # False: stopped because it took too long


def cost_of(command: Sequence[str], longest: float | None = None) -> Cost:
    """Run a command to its end, or for `longest` seconds. Raises RuntimeError with its output if it fails."""
    # with bytecode: a start without it would measure the compiler
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    started = time.perf_counter()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment, start_new_session=bool(longest)
    ) as process:
        tree = _Tree(process.pid)
        with _stopped_after(process.pid, longest):
            output = process.stdout.read() if process.stdout else b""
            _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
    completed = not (longest and wall >= longest)
    if process.returncode and completed:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{output.decode()[-2000:]}")
    return Cost(wall, used.ru_utime + used.ru_stime, max(tree.peak(), used.ru_maxrss * 1024), completed)


@contextmanager
def _stopped_after(pid: int, seconds: float | None) -> Iterator[None]:
    """Kill a session leader and its process group after so many seconds, if it still runs."""
    if seconds is None:
        yield
        return
    alarm = threading.Timer(seconds, os.killpg, (pid, signal.SIGKILL))
    alarm.start()
    try:
        yield
    finally:
        alarm.cancel()


def compare_costs(commands: dict[str, Callable[[], Sequence[str]]], repeats: int) -> dict[str, Cost]:
    """Median costs of commands that take turns, in alternating order.

    `commands` maps a name to a function that prepares a clean state and returns the command. Disks are synchronised
    before each run, so that none waits for the writes of the one before.
    """
    costs: dict[str, list[Cost]] = {name: [] for name in commands}
    for number in range(repeats):
        for name in list(commands) if number % 2 == 0 else reversed(commands):
            command = commands[name]()
            os.sync()
            costs[name].append(cost_of(command))
    return {name: median_cost(runs) for name, runs in costs.items()}


def median_cost(costs: Sequence[Cost]) -> Cost:
    """Median times of several runs, and the highest peak of memory."""
    return Cost(
        median(c.wall for c in costs),
        median(c.cpu for c in costs),
        max(c.memory for c in costs),
        all(c.completed for c in costs),
    )


def python(*arguments: str | int | Path) -> list[str]:
    """Command that runs a script of this folder with this Python."""
    script, *rest = arguments
    return [sys.executable, str(Path(__file__).with_name(str(script))), *map(str, rest)]


class _Tree:
    """Samples the memory of a process and its descendants while it runs."""

    def __init__(self, pid: int) -> None:
        self._pid, self._peak, self._stopped = pid, 0, threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()

    def peak(self) -> int:
        self._stopped.set()
        self._thread.join()
        return self._peak

    def _sample(self) -> None:
        while not self._stopped.wait(_SAMPLE_INTERVAL):
            self._peak = max(self._peak, sum(_resident(pid) for pid in _descendants(self._pid)))


def _descendants(pid: int) -> list[int]:
    """Ids of a process and its descendants; those that have just ended are left out."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except OSError:
        return [pid]
    return [pid, *(d for child in children for d in _descendants(int(child)))]


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * _PAGE
    except (OSError, IndexError):
        return 0
