"""Open and delete DuckDB databases, and interpret DuckDB's errors. No other module imports DuckDB at run time.

DuckDB's messages may quote values of rows; the messages of this module's exceptions never do.
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
    """DuckDB refused a query. `reason` is its message, which may quote values: show it to the user, never log it."""

    def __init__(self, reason: str) -> None:
        super().__init__("the database refused the query")
        self.reason = reason


class ConstraintBroken(Exception):  # noqa: N818 - it says what happened to a statement
    """A row breaks a constraint of its table."""


def connect(file: Path, options: Mapping[str, Any], *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """Open a database file with DuckDB's settings in `options`, and create it unless `read_only`."""
    return duckdb.connect(str(file), read_only=read_only, config=dict(options))


def in_memory() -> duckdb.DuckDBPyConnection:
    """Open a new database in memory. It never spills to disk, because it has rows about people."""
    return duckdb.connect(":memory:", config={"temp_directory": ""})


def discard(file: Path) -> None:
    """Delete a database file with its write-ahead log and temporary folder.

    DuckDB would replay a log that is left into the next database of the same name.
    """
    files_around = (part for ending in ("wal*", "tmp") for part in file.parent.glob(f"{file.name}.{ending}"))
    for part in (*files_around, file):  # the file last: while it exists, the others are known to be its own
        shutil.rmtree(part) if part.is_dir() else part.unlink(missing_ok=True)


def ask(db: duckdb.DuckDBPyConnection, query: str, parameters: Sequence[Any] = ()) -> duckdb.DuckDBPyConnection:
    """Run a user's query. Raises QueryFailed where DuckDB refuses it."""
    try:
        return db.execute(query, list(parameters)) if parameters else db.execute(query)
    except duckdb.Error as error:
        raise QueryFailed(str(error)) from None


@contextmanager
def wrapped_constraint_errors() -> Iterator[None]:
    """Raise ConstraintBroken in place of DuckDB's own error, which quotes the row."""
    try:
        yield
    except duckdb.ConstraintException:
        raise ConstraintBroken from None


def lacks_memory(error: Exception) -> bool:
    """Whether an error means that DuckDB ran out of memory.

    A Prefect stage raises its error again without the message, which may quote data; the original is its context.
    """
    own = [e for e in (error, error.__context__) if isinstance(e, duckdb.Error)]
    # DuckDB has an exception class for this, but during a commit it raises another: there only the message tells
    return any(isinstance(e, duckdb.OutOfMemoryException) or _NO_MEMORY.search(str(e)) for e in own)
