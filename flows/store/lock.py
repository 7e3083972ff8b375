"""The writer's lock: the operating system frees it when its holder dies, however it dies."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO


class Busy(Exception):  # noqa: N818 - a state, not a defect
    """Another run holds the lock."""


@contextmanager
def writer_lock(path: Path) -> Iterator[None]:
    """Hold the one lock for writing. Raises Busy at once if another process has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        _take(file, fcntl.LOCK_EX)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


@contextmanager
def no_writer(path: Path) -> Iterator[None]:
    """Keep writers away while somebody looks, and leave the lock's file as it is. Raises Busy if one is at work."""
    if not path.exists():  # nobody ever wrote
        yield
        return
    with path.open() as file:
        _take(file, fcntl.LOCK_SH)
        yield


def _take(file: TextIO, how: int) -> None:
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        raise Busy(f"another run is at work (process {file.read().strip() or 'unknown'})") from None
