"""Files that are whole or not there, and on disk before anything points to them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Windows opens no folder: there it cannot be waited for, and a file only by who may write to it.
_IS_WINDOWS = not hasattr(os, "O_DIRECTORY")


def sync(path: Path) -> None:
    """Wait until a file's content, or a folder's entries, are on disk."""
    if _IS_WINDOWS and path.is_dir():
        return
    handle = os.open(path, os.O_RDWR if _IS_WINDOWS else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_whole(path: Path, text: str) -> Path:
    """Write a text file. Whoever reads `path` sees the old text or the new, never a part."""
    with replacement_of(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8", newline="")
    return path


@contextmanager
def replacement_of(path: Path, mode: int = 0o666) -> Iterator[Path]:
    """A new file beside `path` to write to: at the end it is put in the place of `path`, or is gone if that failed.

    For one writer at a time. Nobody has more rights to the file, from the first moment, than `mode` and the umask give.
    """
    unfinished = path.with_name(f".{path.name}.part")
    unfinished.unlink(missing_ok=True)  # of a process that was killed
    try:
        unfinished.touch(mode, exist_ok=False)
        yield unfinished
        sync(unfinished)
        unfinished.replace(path)
        sync(path.parent)
    finally:
        unfinished.unlink(missing_ok=True)
