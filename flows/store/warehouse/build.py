"""A finished build: what its name says, and the ways to read it."""

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

_RUN_LETTERS = 6  # of a run's id stand in the name of the build that it made
_STAMP = "%Y%m%dT%H%M%S"


class BuildDamaged(Exception):  # noqa: N818 - it says what is wrong with a file
    """The build that readers see is no database any more: something was written over it."""


def name_of_build(made_at: datetime, run_id: str, made_from: str) -> str:
    """The name of a build: when it was made by the clock, by which run, and from what."""
    return f"{made_at:{_STAMP}}-{run_id[-_RUN_LETTERS:]}_{made_from}"


@dataclass(frozen=True)
class Build:
    """One finished, immutable warehouse file."""

    file: Path
    options: DuckDBOptions

    @property
    def name(self) -> str:
        """The name of its file."""
        return self.file.name

    @property
    def made_at(self) -> datetime:
        """When it was made, by the clock (UTC)."""
        return datetime.strptime(self.file.stem.partition("-")[0], _STAMP)

    @property
    def made_from(self) -> str:
        """The fingerprint of what it was made from."""
        return self.file.stem.rpartition("_")[2]

    @property
    def identity(self) -> str:
        """What tells a build from another, and from itself with something written over it: its name and its stat."""
        return f"{self.name} {FileStat.of(self.file)}"

    @property
    def size_in_bytes(self) -> int:
        """The size of its file."""
        return self.file.stat().st_size

    def is_made_by(self, run_id: str) -> bool:
        """Whether a run made it."""
        return self.file.stem.partition("_")[0].endswith(f"-{run_id[-_RUN_LETTERS:]}")

    def read(self) -> duckdb.DuckDBPyConnection:
        """Open it read-only within a run, in the memory that a run may take."""
        from flows.store.warehouse.connection import connect

        return connect(self.file, self.options.building(), read_only=True)

    def read_locked(self) -> duckdb.DuckDBPyConnection:
        """Open it read-only for anybody's SQL: no file or network can be reached, and this cannot be undone.

        Raises BuildDamaged, and OSError where it may not be read.
        """
        from flows.store.warehouse.connection import CannotOpen, connect

        try:
            db = connect(self.file, self.options.reading(), read_only=True)
        except CannotOpen:
            self.file.open("rb").close()  # where it may not be read, that is what to tell
            raise BuildDamaged("a build of the warehouse cannot be opened: its file is damaged") from None
        db.execute("set enable_external_access = false")
        db.execute("set lock_configuration = true")
        return db

    def can_be_opened(self) -> bool:
        """Whether it is a database still, as far as opening it tells: something may have been written over it."""
        return self.ask_if_sound(lambda _: True) is not None

    def ask_if_sound(self, question: Callable[[duckdb.DuckDBPyConnection], T]) -> T | None:
        """The answer to a question; None where the build cannot be opened, or breaks while it answers."""
        from flows.store.warehouse.connection import DatabaseError

        try:
            with self.read() as db:
                return question(db)
        except DatabaseError:
            return None
