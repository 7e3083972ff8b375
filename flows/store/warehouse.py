"""Builds of the warehouse: each a new, finished, immutable file; readers follow a symlink that is swapped at once.

A reader who has the old file open keeps it: nothing is ever renamed over it, and no `.wal` can be left to be replayed
into another file.
"""

from __future__ import annotations

import re
import shutil
from datetime import datetime
from pathlib import Path

from flows.store.durable import sync
from flows.store.paths import DataPaths
from flows.store.raw_files import FileStat

_RUN_LETTERS = 6  # of a run's id stand in the name of the build that it made
_STAMP = "%Y%m%dT%H%M%S"
_NO_MEMORY = re.compile("out of memory|could not allocate|failed to (allocate|pin)", re.IGNORECASE)


class BuildDamaged(Exception):  # noqa: N818 - it says what is wrong with a file
    """The build that readers see is no database any more: something was written over it."""


def name_of_build(made_at: datetime, run_id: str, made_from: str) -> str:
    """The name of a build: when it was made by the clock, by which run, and from what."""
    return f"{made_at:{_STAMP}}-{run_id[-_RUN_LETTERS:]}_{made_from}"


def made_at(build: Path) -> datetime:
    """When a build was made, by the clock (UTC)."""
    return datetime.strptime(build.stem.partition("-")[0], _STAMP)


def is_made_by(build: Path, run_id: str) -> bool:
    """Whether a run made a build."""
    return build.stem.partition("_")[0].endswith(f"-{run_id[-_RUN_LETTERS:]}")


def unfinished_build(places: DataPaths, name: str) -> Path:
    """Where a build is written while it is being made; out of the way of readers and of `published`."""
    return places.builds / f".{name}.building"


def lacks_memory(error: Exception) -> bool:
    """Whether DuckDB ran out of memory.

    A stage of a flow tells its error without the message, which may quote data: it is that of what came before.
    """
    import duckdb  # a run with nothing to do comes here for builds alone, and needs none of it

    own = [e for e in (error, error.__context__) if isinstance(e, duckdb.Error)]
    # It has a kind for this, but in the midst of a commit gives one of another kind: there only its words tell.
    return any(isinstance(e, duckdb.OutOfMemoryException) or _NO_MEMORY.search(str(e)) for e in own)


def discard(file: Path) -> None:
    """Delete a database file and all that DuckDB put beside it: a log that is left would be replayed into the next."""
    stray_text = (part for ending in ("wal*", "tmp") for part in file.parent.glob(f"{file.name}.{ending}"))
    for part in (*stray_text, file):  # the file last: with it the others are known
        shutil.rmtree(part) if part.is_dir() else part.unlink(missing_ok=True)


def current_build(places: DataPaths) -> Path | None:
    """The build that readers see now, if there is one."""
    if not places.current_link.is_symlink():
        return None
    build = places.current_link.parent / places.current_link.readlink()
    return build if build.exists() else None


def fingerprint_of(build: Path) -> str:
    """What a build was made from: the last part of its name."""
    return build.stem.rpartition("_")[2]


def identity_on_disk(build: Path) -> str:
    """What tells a build from another, and from itself with something written over it: its name and its stat."""
    return f"{build.name} {FileStat.of(build)}"


def promote_build(places: DataPaths, finished: Path, name: str, mode: int) -> Path:
    """Give a finished build its name and make it the one that readers open."""
    leftovers = [p for p in finished.parent.glob(f"{finished.name}.*") if p.suffix == ".wal"]
    if leftovers:
        raise RuntimeError(f"a write-ahead log is left beside {finished.name}: the build is not whole")
    finished.chmod(mode)
    sync(finished)
    build = places.builds / f"{name}.duckdb"
    finished.rename(build)
    link = places.builds / f".{name}.link"
    link.unlink(missing_ok=True)
    link.symlink_to(build.relative_to(places.current_link.parent))
    link.replace(places.current_link)
    sync(places.builds)
    sync(places.current_link.parent)
    return build


def keep_last(places: DataPaths, count: int) -> list[Path]:
    """Delete all but the newest builds; never the published one. Gives what was deleted."""
    current = current_build(places)
    old = sorted(places.builds.glob("*.duckdb"), key=lambda p: p.name)[:-count]
    gone = [p for p in old if p != current]
    for build in gone:
        build.unlink()
    return gone
