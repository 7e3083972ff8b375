"""A build in the making: a file that no reader sees, opened and closed once for each step.

Each step has a connection of its own: its memory is free again when the step ends, and what it wrote is on the disk.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from flows.store.warehouse.connection import DatabaseError, connect, discard, lacks_memory
from flows.store.warehouse.load_cache import CacheExpired, LoadCache
from flows.store.warehouse.options import DuckDBOptions
from schemas._contract.derive import quoted

if TYPE_CHECKING:
    import duckdb

T = TypeVar("T")


@dataclass(frozen=True)
class NewBuild:
    """A database file that is being made. `cache`: what was loaded by earlier runs, if it is to begin with that."""

    file: Path
    options: DuckDBOptions
    name: str = ""  # that it has once it is promoted
    cache: LoadCache | None = None

    def fill(self, load: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
        """Begin the file with what `load` leaves in the database whose connection it is given. Gives what it gives.

        With a cache, `load` brings that up to date, and the file is a copy of it. Raises CacheInvalid, or what DuckDB
        raises, where the cache cannot be relied on.
        """
        discard(self.file)
        if self.cache is None:
            return self._load_into(self.file, load)
        if not self.cache.exists():
            self.cache.discard()  # what is left beside a file that is gone
        try:
            loaded = self._load_into(self.cache.rows, load)
        except CacheExpired:
            self.cache.discard()
            loaded = self._load_into(self.cache.rows, load)
        shutil.copyfile(self.cache.rows, self.file)
        return loaded

    def _load_into(self, file: Path, load: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
        """Load in little memory; where that is too little for the width of the rows, in what building may take."""
        little, more = self.options.loading(), self.options.loading_wide_rows()
        try:
            with connect(file, little) as db:
                return load(db)
        except DatabaseError as error:
            if more == little or not lacks_memory(error):
                raise
        # what was not committed is rolled back, and what was is found there
        with connect(file, more) as db:
            return load(db)

    def with_full_reload_fallback(self, attempt: Callable[[], T]) -> tuple[T, Exception | None]:
        """What an attempt gives that fills it, and why the cache was not relied on, if it was not."""
        return self.cache.with_full_reload_fallback(attempt) if self.cache else (attempt(), None)

    def open(self) -> duckdb.DuckDBPyConnection:
        """Open it for writing."""
        return connect(self.file, self.options.building())

    @contextmanager
    def open_with_sent(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open it for writing, with a database `sent`: every row that was ever accepted, of datasets looked back at.

        Without a cache, `sent` is empty and in memory.
        """
        with self.open() as db:
            db.execute(f"attach {quoted(str(self.cache.sent) if self.cache else ':memory:')} as sent")
            yield db

    def finish(self) -> None:
        """Put all that was written into the file itself: no write-ahead log is left beside it."""
        with self.open() as db:
            db.execute("checkpoint")

    def read(self) -> duckdb.DuckDBPyConnection:
        """Open it as it lies on the disk, read-only."""
        return connect(self.file, self.options.building(), read_only=True)

    def require_whole(self) -> None:
        """Raise RuntimeError where a write-ahead log is left beside the file: it would be replayed into another."""
        if any(part.suffix == ".wal" for part in self.file.parent.glob(f"{self.file.name}.*")):
            raise RuntimeError(f"a write-ahead log is left beside {self.file.name}: the build is not whole")
