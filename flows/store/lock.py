"""The writer's lock: the operating system frees it when its holder dies, however it dies."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

if sys.platform != "win32":
    import fcntl


class RunsNeedUnix(Exception):  # noqa: N818 - it says what a system lacks
    """Runs keep each other out by a lock that Windows does not have."""

    def __init__(self) -> None:
        super().__init__(
            "on Windows only `pilots check` and `pilots template` work: what reads or writes the warehouse needs Linux"
            " or macOS"
        )


class Busy(Exception):  # noqa: N818 - a state, not a defect
    """Another run holds the lock."""


@contextmanager
def writer_lock(path: Path) -> Iterator[None]:
    """Hold the one lock for writing. Raises Busy at once if another process has it."""
    require_locks()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="ascii") as file:
        _take(file, exclusive=True)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


@contextmanager
def no_writer(path: Path) -> Iterator[None]:
    """Keep writers away while somebody looks, and leave the lock's file as it is. Raises Busy if one is at work."""
    require_locks()
    if not path.exists():  # nobody ever wrote
        yield
        return
    with path.open(encoding="ascii") as file:
        _take(file, exclusive=False)
        yield


def require_locks() -> None:
    """Raise RunsNeedUnix on a system without the lock."""
    if sys.platform == "win32":
        raise RunsNeedUnix


def _take(file: TextIO, *, exclusive: bool) -> None:
    require_locks()
    if sys.platform != "win32":  # said again for mypy, which knows what a platform lacks
        try:
            fcntl.flock(file, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise Busy(f"another run is at work (process {file.read().strip() or 'unknown'})") from None
