"""Raw files: their checksums, and the stat that shows without reading whether one has changed."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from schemas.audit.deliveries import Delivery

_BLOCK = 1 << 20  # bytes read at a time
# File times can be as coarse as 2 s (FAT): a file younger than that could change again and keep its times.
STABLE_AFTER_NS = 2_000_000_000


@dataclass(frozen=True)
class FileStat:
    """Size, times and inode of a file, which change whenever it is written to or replaced; and when they were read."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    seen_ns: int = field(default=0, compare=False, repr=False)  # says nothing about the file

    @classmethod
    def of(cls, path: Path | os.DirEntry[str]) -> FileStat:
        """The stat of a file now."""
        seen_ns = time.time_ns()  # before the stat: a slow stat must not make the file look older
        s = path.stat()
        return cls(s.st_size, s.st_mtime_ns, s.st_ctime_ns, s.st_ino, seen_ns)

    @property
    def is_stable(self) -> bool:
        """Whether the file was so old when its stat was read that any later change shows in its times."""
        return self.seen_ns - max(self.mtime_ns, self.ctime_ns) > STABLE_AFTER_NS


KnownFiles = Mapping[str, tuple[FileStat, str, str]]  # path -> (stat, sha256, why it is not usable), from the ledger


def stats_below(raw: Path) -> Iterator[tuple[str, FileStat | None]]:
    """Every entry of a folder and of its subfolders, with its stat; None for a broken link.

    One level deep, as raw files lie in a folder for each site. No file is opened. Raises OSError where a folder cannot
    be read.
    """
    for entry in os.scandir(raw):
        for file in os.scandir(entry.path) if entry.is_dir() else (entry,):
            try:
                yield file.path, FileStat.of(file)
            except FileNotFoundError:
                yield file.path, None


def raw_file_unchanged(delivery: Delivery, raw: Path, known_files: KnownFiles) -> bool:
    """Whether the file of a delivery is still under data/raw with the bytes that were received."""
    file = known_files.get(delivery.path)
    # the ledger may be older than the folder: a file can be deleted while a run is at work
    return file is not None and file[1] == delivery.sha256 and (raw / delivery.path).exists()


def file_digest(path: Path) -> str:
    """The SHA-256 of a file's content, in hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
