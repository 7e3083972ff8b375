"""Raw files: their fingerprints, and what tells without reading that one is as it was."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_BLOCK = 1 << 20
SETTLED_NS = 2_000_000_000  # a clock may be as coarse as this: a younger file could change again and look the same


@dataclass(frozen=True)
class FileStat:
    """Size, times and inode: they change whenever a file is written to or replaced. And when that was looked at."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    seen_ns: int = field(default=0, compare=False, repr=False)  # no part of how a file is told from another

    @classmethod
    def of(cls, path: Path | os.DirEntry[str]) -> FileStat:
        """The stat of a file now."""
        seen_ns = time.time_ns()  # before the look: a slow one makes no file older
        s = path.stat()
        return cls(s.st_size, s.st_mtime_ns, s.st_ctime_ns, s.st_ino, seen_ns)

    @property
    def is_settled(self) -> bool:
        """Whether the file was old enough, when it was looked at, that its next change will be seen in its times."""
        return self.seen_ns - max(self.mtime_ns, self.ctime_ns) > SETTLED_NS


def stats_below(raw: Path) -> Iterator[tuple[str, FileStat | None]]:
    """All that lies in a folder and in the folders of it, each with its stat; None for a link that leads nowhere.

    Nothing is passed over, and nothing is read. Raises OSError where a folder cannot be looked into.
    """
    for entry in os.scandir(raw):
        for found in os.scandir(entry.path) if entry.is_dir() else (entry,):
            try:
                yield found.path, FileStat.of(found)
            except FileNotFoundError:
                yield found.path, None


def file_digest(path: Path) -> str:
    """The SHA-256 of a file's bytes, as hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
