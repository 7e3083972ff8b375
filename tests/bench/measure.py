"""What a command costs as a whole process: wall time, CPU time, and the peak memory of its whole process tree.

All three come from the operating system. Commands that are compared run in turn, several times each, and are told by
their medians (memory by its highest peak): machines are shared, and only a ratio within one run means anything. Memory
is what is resident: pages of files that are mapped count too, and pages that processes share count for each of them.
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
_BETWEEN_LOOKS = 0.02  # seconds


@dataclass(frozen=True)
class Cost:
    """Seconds of wall and CPU time, and the peak memory of the process tree in bytes."""

    wall: float
    cpu: float
    memory: int
    final_state: bool = True  # by itself, not stopped because it took too long


def cost_of(command: Sequence[str], longest: float | None = None) -> Cost:
    """Run a command to its end, or for `longest` seconds. Raises RuntimeError, with what it said, if it fails."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    begun = time.perf_counter()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment, start_new_session=bool(longest)
    ) as process:
        tree = _Tree(process.pid)
        with _stopped_after(process.pid, longest):
            said = process.stdout.read() if process.stdout else b""
            _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
    final_state = not (longest and wall >= longest)
    if process.returncode and final_state:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{said.decode()[-2000:]}")
    return Cost(wall, used.ru_utime + used.ru_stime, max(tree.peak(), used.ru_maxrss * 1024), final_state)


@contextmanager
def _stopped_after(pid: int, seconds: float | None) -> Iterator[None]:
    """Stop a process that leads a session, with all that it started, if it is still there after so many seconds."""
    if seconds is None:
        yield
        return
    alarm = threading.Timer(seconds, os.killpg, (pid, signal.SIGKILL))
    alarm.start()
    try:
        yield
    finally:
        alarm.cancel()


def compared(commands: dict[str, Callable[[], Sequence[str]]], repeats: int) -> dict[str, Cost]:
    """The median costs of commands that take turns, each round in the other order than the one before.

    Each is made anew before it runs: it finds a clean place, and what the one before it wrote is on the disk.
    """
    costs: dict[str, list[Cost]] = {name: [] for name in commands}
    for number in range(repeats):
        for name in list(commands) if number % 2 == 0 else reversed(commands):
            command = commands[name]()
            os.sync()
            costs[name].append(cost_of(command))
    return {name: middle(all_) for name, all_ in costs.items()}


def middle(costs: Sequence[Cost]) -> Cost:
    """The medians of several runs, and the highest peak of memory."""
    return Cost(
        median(c.wall for c in costs),
        median(c.cpu for c in costs),
        max(c.memory for c in costs),
        all(c.final_state for c in costs),
    )


def python(*arguments: str | int | Path) -> list[str]:
    """A command that runs a file of this folder with this Python."""
    script, *rest = arguments
    return [sys.executable, str(Path(__file__).with_name(str(script))), *map(str, rest)]


class _Tree:
    """The memory of a process and all that it started, looked at all the while it runs."""

    def __init__(self, pid: int) -> None:
        self._pid, self._peak, self._over = pid, 0, threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def peak(self) -> int:
        self._over.set()
        self._thread.join()
        return self._peak

    def _look(self) -> None:
        while not self._over.wait(_BETWEEN_LOOKS):
            self._peak = max(self._peak, sum(_resident(pid) for pid in _descendants(self._pid)))


def _descendants(pid: int) -> list[int]:
    """A process and everything below it, as far as it can be seen at this moment."""
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
