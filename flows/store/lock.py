"""The writer lock: one process at a time changes a data folder.

It is a `flock`: the operating system frees it when its holder ends, even by `kill -9`, so no stale lock is ever left.
"""

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
    """Commands that read or write the warehouse need `flock`, which Windows does not have."""

    def __init__(self) -> None:
        super().__init__(
            "on Windows only `pilots check` and `pilots template` work: what reads or writes the warehouse needs Linux"
            " or macOS"
        )


class Busy(Exception):  # noqa: N818 - a state, not a defect
    """Another process holds the lock."""


@contextmanager
def writer_lock(path: Path) -> Iterator[None]:
    """Hold the writer lock. Raises Busy at once, without waiting, if another process holds it."""
    require_locks()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="ascii") as file:
        _take(file, exclusive=True)
        file.truncate(0)  # opened with "a+": the holder's process id stays readable until the lock is taken
        file.write(str(os.getpid()))
        file.flush()
        yield


@contextmanager
def no_writer(path: Path) -> Iterator[None]:
    """Keep writers out while something is read; readers share the lock. Raises Busy if a writer holds it."""
    require_locks()
    if not path.exists():  # there never was a writer; a reader creates nothing
        yield
        return
    with path.open(encoding="ascii") as file:
        _take(file, exclusive=False)
        yield


def require_locks() -> None:
    """Raise RunsNeedUnix on Windows."""
    if sys.platform == "win32":
        raise RunsNeedUnix


def _take(file: TextIO, *, exclusive: bool) -> None:
    require_locks()
    if sys.platform != "win32":  # repeated for mypy, which knows that Windows has no fcntl
        try:
            fcntl.flock(file, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise Busy(f"another run is at work (process {file.read().strip() or 'unknown'})") from None
