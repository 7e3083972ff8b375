"""DuckDB's settings for each kind of work, within the threads and memory that an installation allows."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

_TO_BUILD, _TO_LOAD = 512, 96  # MB; the latter for each thread

# DuckDB 1.3 and later open files of this version. It compresses text in one pass: a third less CPU, a smaller file.
_STORAGE = {"storage_compatibility_version": "v1.3.0"}


@dataclass(frozen=True)
class DuckDBOptions:
    """The limits of an installation. `threads`: 0 means one for each core. `memory_limit`: such as '4GB'."""

    threads: int = 0
    memory_limit: str = ""

    def reading(self) -> dict[str, Any]:
        """For queries: DuckDB's own defaults where the installation states no limit."""
        options: dict[str, Any] = {"threads": self.threads} if self.threads else {}
        return options | ({"memory_limit": self.memory_limit} if self.memory_limit else {})

    def building(self) -> dict[str, Any]:
        """For building: with more memory than this, ten million contacts are built no faster.

        What does not fit is spilled to a folder beside the file, which DuckDB deletes when it closes the file.
        """
        return {"memory_limit": f"{_TO_BUILD}MB"} | self.reading()

    def loading(self) -> dict[str, Any]:
        """For loading: rows stream into their tables, and more memory would only cache what is written already.

        Each thread needs memory for one row group. If rows are wider than any dataset's today, use `loading_wide_rows`.
        """
        threads = self.threads or os.cpu_count() or 1
        return _STORAGE | {"memory_limit": f"{min(_TO_LOAD * threads, _TO_BUILD)}MB"} | self.reading()

    def loading_wide_rows(self) -> dict[str, Any]:
        """For loading rows that need as much memory as building."""
        return _STORAGE | self.building()
