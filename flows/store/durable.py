"""Durable, atomic writing: a file is complete or absent, and on disk before anything refers to it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Windows cannot open a folder to sync it, and syncs a file only through a handle that may write.
_IS_WINDOWS = not hasattr(os, "O_DIRECTORY")


def sync(path: Path) -> None:
    """Wait until a file's content, or a folder's entries, are on disk (fsync)."""
    if _IS_WINDOWS and path.is_dir():
        return
    handle = os.open(path, os.O_RDWR if _IS_WINDOWS else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_whole(path: Path, text: str) -> Path:
    """Write a text file atomically: readers of `path` see the old text or the new one, never a part. Returns `path`."""
    with replacement_of(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8", newline="")  # line ends as they are in the text
    return path


@contextmanager
def replacement_of(path: Path, mode: int = 0o666) -> Iterator[Path]:
    """Give a temporary file beside `path` that replaces `path` at the end; it is deleted if an error is raised.

    For one writer at a time. The file has the permissions `mode`, less the umask, from the first moment.
    """
    unfinished = path.with_name(f".{path.name}.part")
    unfinished.unlink(missing_ok=True)  # left by a process that was killed
    try:
        unfinished.touch(mode, exist_ok=False)
        yield unfinished
        sync(unfinished)
        unfinished.replace(path)
        sync(path.parent)
    finally:
        unfinished.unlink(missing_ok=True)
