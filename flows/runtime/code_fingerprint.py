"""What runs, as digests: the project's own files by their content, and the libraries that are installed."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).parents[2]


@lru_cache
def source_digest(patterns: tuple[str, ...]) -> str:
    """A digest of the project's own files that match the patterns, by name and content."""
    digest = hashlib.sha256()
    for pattern in patterns:
        for path in sorted(p for p in ROOT.glob(pattern) if p.is_file()):
            digest.update(path.relative_to(ROOT).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


@lru_cache
def all_that_runs() -> str:
    """A digest of everything in `flows` and `schemas`, of each installed library's version, and of Python's.

    It changes with whatever changes any digest of some of these, and may change where none of them does.
    """
    digest = hashlib.sha256(repr((sys.version, sorted(_installed()))).encode())
    for path in (*_files_below(ROOT / "flows"), *_files_below(ROOT / "schemas")):
        digest.update(path.relative_to(ROOT).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _files_below(folder: Path) -> Iterator[Path]:
    for entry in sorted(os.scandir(folder), key=lambda e: e.name):
        if entry.is_file():
            yield Path(entry.path)
        elif entry.name != "__pycache__" and entry.is_dir(follow_symlinks=False):
            yield from _files_below(Path(entry.path))


def _installed() -> set[str]:
    """The names under which libraries say which version they are."""
    named = {e.name for folder in sys.path if Path(folder).is_dir() for e in os.scandir(Path(folder))}
    return {name for name in named if name.endswith((".dist-info", ".egg-info"))}
