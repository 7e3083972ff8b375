"""A build that is being made: a file that readers never see, opened and closed by each step.

Each step has a connection of its own, so that its memory is free when the step ends and its rows are on disk.
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
    """A database file that is being made. `cache`: the load cache to start from, if any."""

    file: Path
    options: DuckDBOptions
    name: str = ""  # of the build once it is promoted
    cache: LoadCache | None = None

    def fill(self, load: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
        """Create the file with the tables that `load` makes in the database it is given. Returns what `load` returns.

        With a cache, `load` brings the cache up to date, and the file becomes a copy of it. Raises CacheInvalid, or an
        error of DuckDB, where the cache cannot be used.
        """
        discard(self.file)
        if self.cache is None:
            return self._load_into(self.file, load)
        if not self.cache.exists():
            self.cache.discard()  # the files beside one that is missing
        try:
            loaded = self._load_into(self.cache.rows, load)
        except CacheExpired:
            self.cache.discard()
            loaded = self._load_into(self.cache.rows, load)
        shutil.copyfile(self.cache.rows, self.file)
        return loaded

    def _load_into(self, file: Path, load: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
        """Load with little memory; again with the memory for building if wide rows need more."""
        little, more = self.options.loading(), self.options.loading_wide_rows()
        try:
            with connect(file, little) as db:
                return load(db)
        except DatabaseError as error:
            if more == little or not lacks_memory(error):
                raise
        # `load` continues: what it had not committed is rolled back, and what it had is not loaded twice
        with connect(file, more) as db:
            return load(db)

    def with_full_reload_fallback(self, attempt: Callable[[], T]) -> tuple[T, Exception | None]:
        """Run an attempt to fill the file; with a cache, retry it once without: see `LoadCache`."""
        return self.cache.with_full_reload_fallback(attempt) if self.cache else (attempt(), None)

    def open(self) -> duckdb.DuckDBPyConnection:
        """Open the file for writing."""
        return connect(self.file, self.options.building())

    @contextmanager
    def open_with_history(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open the file for writing with the database `history_rows` attached, for datasets whose rules need history.

        Without a cache, `history_rows` is empty and in memory.
        """
        with self.open() as db:
            db.execute(f"attach {quoted(str(self.cache.history) if self.cache else ':memory:')} as history_rows")
            yield db

    def read(self) -> duckdb.DuckDBPyConnection:
        """Open the file read-only, to prove what is on disk."""
        return connect(self.file, self.options.building(), read_only=True)

    def require_whole(self) -> None:
        """Raise RuntimeError where a write-ahead log is left beside the file: the file alone would lack its rows."""
        if any(part.suffix == ".wal" for part in self.file.parent.glob(f"{self.file.name}.*")):
            raise RuntimeError(f"a write-ahead log is left beside {self.file.name}: the build is not whole")
