"""DuckDB's settings for each kind of work, from the threads and the memory that an installation allows."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

_TO_BUILD, _TO_LOAD = 512, 96  # MB; the latter for each thread

# Any DuckDB since 1.3 opens a file of this version. It packs text in one pass: a third less work, and a smaller file.
_STORAGE = {"storage_compatibility_version": "v1.3.0"}


@dataclass(frozen=True)
class DuckDBOptions:
    """What an installation allows DuckDB. `threads`: 0 is one for each core. `memory_limit`: such as 4GB."""

    threads: int = 0
    memory_limit: str = ""

    def reading(self) -> dict[str, Any]:
        """For questions: in the memory that DuckDB chooses by itself, if none is stated."""
        chosen: dict[str, Any] = {"threads": self.threads} if self.threads else {}
        return chosen | ({"memory_limit": self.memory_limit} if self.memory_limit else {})

    def building(self) -> dict[str, Any]:
        """While a warehouse is built: more memory than this makes ten million contacts no faster.

        What does not fit is put beside the file that is built, and is gone when that is closed.
        """
        return {"memory_limit": f"{_TO_BUILD}MB"} | self.reading()

    def loading(self) -> dict[str, Any]:
        """While rows stream into their tables: more memory would only keep what is written already.

        Each thread needs a group of rows. Where these are wider than any dataset's are now, `loading_wide_rows` helps.
        """
        threads = self.threads or os.cpu_count() or 1
        return _STORAGE | {"memory_limit": f"{min(_TO_LOAD * threads, _TO_BUILD)}MB"} | self.reading()

    def loading_wide_rows(self) -> dict[str, Any]:
        """While rows stream into their tables, with the memory that building may take."""
        return _STORAGE | self.building()
