"""A finished build of the warehouse: what its file name says, and how it is opened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from flows.store.raw_files import FileStat
from flows.store.warehouse.options import DuckDBOptions

if TYPE_CHECKING:
    import duckdb

T = TypeVar("T")

_RUN_LETTERS = 6  # how many letters of the run's id a build's name ends with
_STAMP = "%Y%m%dT%H%M%S"


class BuildDamaged(Exception):  # noqa: N818 - it says what is wrong with a file
    """The current build cannot be opened as a database: something was written over it."""


def name_of_build(made_at: datetime, run_id: str, made_from: str) -> str:
    """The name of a build: the time of the clock, the end of the run's id, and the fingerprint of its inputs."""
    return f"{made_at:{_STAMP}}-{run_id[-_RUN_LETTERS:]}_{made_from}"


@dataclass(frozen=True)
class Build:
    """One finished, immutable warehouse file. What it says of itself is read from the name, without opening it."""

    file: Path
    options: DuckDBOptions

    @property
    def name(self) -> str:
        """The file's name."""
        return self.file.name

    @property
    def made_at(self) -> datetime:
        """When it was made, by the clock (UTC), whatever moment the run took for now."""
        return datetime.strptime(self.file.stem.partition("-")[0], _STAMP)

    @property
    def made_from(self) -> str:
        """The fingerprint of its inputs: see `build_fingerprint.py`."""
        return self.file.stem.rpartition("_")[2]

    @property
    def file_stamp(self) -> str:
        """Name and stat of the file: it differs between builds, and once something is written over the file."""
        return f"{self.name} {FileStat.of(self.file)}"

    @property
    def size_in_bytes(self) -> int:
        """The file's size in bytes."""
        return self.file.stat().st_size

    def is_made_by(self, run_id: str) -> bool:
        """Whether a run made it."""
        return self.file.stem.partition("_")[0].endswith(f"-{run_id[-_RUN_LETTERS:]}")

    def read(self) -> duckdb.DuckDBPyConnection:
        """Open it read-only within a run, with the memory that building may take."""
        from flows.store.warehouse.connection import connect

        return connect(self.file, self.options.building(), read_only=True)

    def read_locked(self) -> duckdb.DuckDBPyConnection:
        """Open it read-only for any SQL that a user types: without access to files or network, which SQL cannot regain.

        Raises BuildDamaged, and OSError where the file may not be read.
        """
        from flows.store.warehouse.connection import CannotOpen, connect

        try:
            db = connect(self.file, self.options.reading(), read_only=True)
        except CannotOpen:
            self.file.open("rb").close()  # raises the OSError of a file that may not be read: it is not damaged
            raise BuildDamaged("a build of the warehouse cannot be opened: its file is damaged") from None
        db.execute("set enable_external_access = false")
        db.execute("set lock_configuration = true")  # last: SQL can then change no setting, this one included
        return db

    def can_be_opened(self) -> bool:
        """Whether DuckDB can open it. Damage that opening does not show is not found."""
        return self.query_or_none(lambda _: True) is not None

    def query_or_none(self, query: Callable[[duckdb.DuckDBPyConnection], T]) -> T | None:
        """The result of a query function; None where the build cannot be opened or DuckDB fails while it runs."""
        from flows.store.warehouse.connection import DatabaseError

        try:
            with self.read() as db:
                return query(db)
        except DatabaseError:
            return None
