"""What was loaded, kept from run to run in files that no reader sees: a run then loads only what has changed.

It follows from what is in the store, so nothing is lost with it: where it is in doubt, all of it is made anew.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from flows.store.paths import DataPaths
from flows.store.warehouse.connection import discard, lacks_memory

T = TypeVar("T")


class CacheInvalid(Exception):  # noqa: N818 - it says what the file is
    """What is kept of earlier runs cannot be relied on."""


class CacheExpired(Exception):  # noqa: N818 - it says what the file is
    """What is kept of earlier runs is sound, and must not be kept."""


@dataclass(frozen=True)
class LoadCache:
    """`rows`: what was loaded, before any rule between tables. `sent`: what rules look back at, beside it."""

    rows: Path

    @classmethod
    def of(cls, paths: DataPaths, version: str) -> LoadCache:
        """What is kept by the code and contracts of this version. What any other kept is deleted."""
        paths.load_cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        kept = cls(paths.load_cache / f"{version}.duckdb")
        for other in paths.load_cache.iterdir():
            if other.is_dir() or not other.name.startswith(kept.rows.name):
                shutil.rmtree(other) if other.is_dir() else other.unlink()
        return kept

    @property
    def sent(self) -> Path:
        """The rows of every delivery that was ever accepted, of the datasets that rules look back at."""
        return self.rows.with_name(f"{self.rows.name}.sent")

    def exists(self) -> bool:
        """Whether anything is kept."""
        return self.rows.exists()

    def discard(self) -> None:
        """Keep nothing."""
        discard(self.sent)
        discard(self.rows)  # last: with it the others are known

    def with_full_reload_fallback(self, attempt: Callable[[], T]) -> tuple[T, Exception | None]:
        """What an attempt gives that begins with what is kept, and why that was not relied on, if it was not.

        Where it comes to nothing, what is kept may be at fault: it is tried once more, with nothing kept. Raises what
        the attempt raised where nothing was kept, and errors of the operating system or lack of memory in any case.
        """
        there = self.exists()
        try:
            return attempt(), None
        except Exception as error:
            if not there or isinstance(error, OSError) or lacks_memory(error):
                raise
            doubt = error
        self.discard()
        return attempt(), doubt
