"""Build every mart in a warehouse: as the pipeline does, or by the same SQL alone. Arguments: ours|bare FILE."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

OPTIONS: dict[str, Any] = {"threads": 2, "memory_limit": "512MB"}  # the same for both sides
BARE = "marts.sql"  # beside the warehouse


def ours(file: Path) -> None:
    """Build the marts as the pipeline does."""
    from flows.runtime.gc_pause import gc_paused

    with gc_paused():
        from flows.orchestration.build_steps import run_build
        from flows.store.warehouse import DuckDBOptions
        from flows.store.warehouse.new_build import NewBuild

    run_build(NewBuild(file, DuckDBOptions(**OPTIONS)))


def bare(file: Path) -> None:
    """Execute the SQL of the marts and nothing else."""
    import duckdb

    with duckdb.connect(str(file), config=OPTIONS) as db:
        db.execute(file.with_name(BARE).read_text(encoding="utf-8"))


if __name__ == "__main__":
    {"ours": ours, "bare": bare}[sys.argv[1]](Path(sys.argv[2]))
