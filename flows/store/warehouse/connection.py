"""The one place that imports DuckDB, opens and deletes its databases, and knows what its errors mean.

DuckDB's messages may quote values of rows. The exceptions of this module carry none in theirs.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

DatabaseError = duckdb.Error
CannotOpen = duckdb.IOException
_NO_MEMORY = re.compile("out of memory|could not allocate|failed to (allocate|pin)", re.IGNORECASE)


class QueryFailed(Exception):  # noqa: N818 - it says what happened to a query
    """The database refused a query. `reason` is in its own words, which may quote values: for who asked, for no log."""

    def __init__(self, reason: str) -> None:
        super().__init__("the database refused the query")
        self.reason = reason


class ConstraintBroken(Exception):  # noqa: N818 - it says what happened to a statement
    """A row is not as its table asks."""


def connect(file: Path, options: Mapping[str, Any], *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """Open a database file."""
    return duckdb.connect(str(file), read_only=read_only, config=dict(options))


def in_memory() -> duckdb.DuckDBPyConnection:
    """Open a new database in memory. Rows of people are in it: what does not fit is not to be put on the disk."""
    return duckdb.connect(":memory:", config={"temp_directory": ""})


def discard(file: Path) -> None:
    """Delete a database file and all that DuckDB put beside it: a log that is left would be replayed into the next."""
    files_around = (part for ending in ("wal*", "tmp") for part in file.parent.glob(f"{file.name}.{ending}"))
    for part in (*files_around, file):  # the file last: with it the others are known
        shutil.rmtree(part) if part.is_dir() else part.unlink(missing_ok=True)


def ask(db: duckdb.DuckDBPyConnection, query: str, parameters: Sequence[Any] = ()) -> duckdb.DuckDBPyConnection:
    """The result of somebody's query. Raises QueryFailed."""
    try:
        return db.execute(query, list(parameters)) if parameters else db.execute(query)
    except duckdb.Error as error:
        raise QueryFailed(str(error)) from None


@contextmanager
def wrapped_constraint_errors() -> Iterator[None]:
    """Raise ConstraintBroken where a statement within gives a row that its table does not take."""
    try:
        yield
    except duckdb.ConstraintException:
        raise ConstraintBroken from None


def lacks_memory(error: Exception) -> bool:
    """Whether DuckDB ran out of memory.

    A stage of a flow reports its error without the message, which may quote data: it is that of what came before.
    """
    own = [e for e in (error, error.__context__) if isinstance(e, duckdb.Error)]
    # It has a kind for this, but in the midst of a commit gives one of another kind: there only its words tell.
    return any(isinstance(e, duckdb.OutOfMemoryException) or _NO_MEMORY.search(str(e)) for e in own)
