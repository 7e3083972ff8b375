"""Raw files: their fingerprints, and what tells without reading that one is as it was."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_BLOCK = 1 << 20
SETTLED_NS = 2_000_000_000  # a clock may be as coarse as this: a younger file could change again and look the same


@dataclass(frozen=True)
class FileStat:
    """Size, times and inode: they change whenever a file is written to or replaced."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int

    @classmethod
    def of(cls, path: Path | os.DirEntry[str]) -> FileStat:
        """The stat of a file now."""
        s = path.stat()
        return cls(s.st_size, s.st_mtime_ns, s.st_ctime_ns, s.st_ino)

    @property
    def is_settled(self) -> bool:
        """Whether the file is old enough that its next change will be seen in its times."""
        return time.time_ns() - max(self.mtime_ns, self.ctime_ns) > SETTLED_NS


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


def fingerprint(path: Path) -> str:
    """The SHA-256 of a file's bytes, as hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
