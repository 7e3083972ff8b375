"""The load cache: loaded rows, kept between runs in files that readers never see, so a run loads only what changed.

It can be rebuilt from the stored results: where it is in doubt, it is dropped and everything is loaded again.
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
    """The cache does not agree with what it should hold: the whole attempt has to start without it."""


class CacheExpired(Exception):  # noqa: N818 - it says what the file is
    """The cache is sound, but holds personal data or mostly unused rows: loading starts again with an empty one."""


@dataclass(frozen=True)
class LoadCache:
    """Two database files: `rows`, loaded before any rule between tables is asked, and `history`, beside it."""

    rows: Path

    @classmethod
    def of(cls, paths: DataPaths, version: str) -> LoadCache:
        """The cache of one version of the code and contracts. The files of any other version are deleted."""
        paths.load_cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        cache = cls(paths.load_cache / f"{version}.duckdb")
        for other in paths.load_cache.iterdir():
            # folders are DuckDB's temporary ones, of whatever version
            if other.is_dir() or not other.name.startswith(cache.rows.name):
                shutil.rmtree(other) if other.is_dir() else other.unlink()
        return cache

    @property
    def history(self) -> Path:
        """The rows of every delivery that was ever accepted, of the datasets whose rules need their history."""
        return self.rows.with_name(f"{self.rows.name}.history")

    def exists(self) -> bool:
        """Whether there is a cache."""
        return self.rows.exists()

    def discard(self) -> None:
        """Delete the cache."""
        discard(self.history)
        discard(self.rows)  # last: while it exists, the others are known to be its own

    def with_full_reload_fallback(self, attempt: Callable[[], T]) -> tuple[T, Exception | None]:
        """Run an attempt with the cache; if it fails, delete the cache and retry once.

        Returns its result, and the error of the first attempt if there was one. Raises at once where there was no
        cache that could be at fault, and for an OSError or a lack of memory, which a full reload would only make worse.
        """
        was_cached = self.exists()
        try:
            return attempt(), None
        except Exception as error:
            if not was_cached or isinstance(error, OSError) or lacks_memory(error):
                raise
            cache_error = error
        self.discard()
        return attempt(), cache_error
