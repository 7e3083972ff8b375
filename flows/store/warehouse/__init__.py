"""The warehouse: where it lies, and the only way to open it, to promote a new build and to list the old ones.

Each build is a new, finished, immutable DuckDB file; readers follow a symlink that is swapped at once. A reader who has
the old file open keeps it: nothing is ever renamed over it, and no write-ahead log can be left that would be replayed
into another file.

What builds or reads is given a connection, never a path. Another kind of warehouse is another class with the methods of
`Warehouse`, `Build` and `NewBuild`: see docs/architecture.md. DuckDB is imported when something is opened, not before:
a run with nothing to do opens nothing.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from flows.store.durable import sync
from flows.store.paths import DataPaths
from flows.store.warehouse.build import Build, BuildDamaged, name_of_build
from flows.store.warehouse.options import DuckDBOptions

if TYPE_CHECKING:
    from flows.store.warehouse.new_build import NewBuild

__all__ = ["Build", "BuildDamaged", "DuckDBOptions", "Warehouse"]


@dataclass(frozen=True)
class Warehouse:
    """The builds of one data folder, and the link that readers follow.

    Only members of `reading_group` may read what is promoted; without one, only its owner.
    """

    paths: DataPaths
    options: DuckDBOptions = DuckDBOptions()
    reading_group: str = ""

    @property
    def link(self) -> Path:
        """What readers open: a symlink to the current build."""
        return self.paths.current_link

    def current(self) -> Build | None:
        """The build that readers see now, if there is one."""
        if not self.link.is_symlink():
            return None
        file = self.link.parent / self.link.readlink()
        return Build(file, self.options) if file.exists() else None

    def builds(self) -> list[Build]:
        """Every finished build that is kept, the oldest first."""
        return [Build(file, self.options) for file in sorted(self.paths.builds.glob("*.duckdb"))]

    def new_build(self, made_at: datetime, run_id: str, made_from: str, load_version: str) -> NewBuild:
        """A build to be made by a run; it begins with what was loaded before by the same `load_version`."""
        from flows.store.warehouse.load_cache import LoadCache
        from flows.store.warehouse.new_build import NewBuild

        name = name_of_build(made_at, run_id, made_from)
        unfinished = self.paths.builds / f".{name}.building"  # out of the way of readers and of `builds`
        return NewBuild(unfinished, self.options, name, LoadCache.of(self.paths, load_version))

    def promote(self, new: NewBuild) -> Build:
        """Give a finished build its name and make it the one that readers open."""
        if self.reading_group:
            shutil.chown(new.file, group=self.reading_group)
            shutil.chown(self.paths.builds, group=self.reading_group)
        new.require_whole()
        new.file.chmod(0o640 if self.reading_group else 0o600)
        sync(new.file)
        file = self.paths.builds / f"{new.name}.duckdb"
        new.file.rename(file)
        link = self.paths.builds / f".{new.name}.link"
        link.unlink(missing_ok=True)
        link.symlink_to(file.relative_to(self.link.parent))
        link.replace(self.link)
        sync(self.paths.builds)
        sync(self.link.parent)
        return Build(file, self.options)

    def keep_last(self, count: int) -> list[Build]:
        """Delete all but the newest builds; never the current one. Gives what was deleted."""
        current = self.current()
        deleted = [build for build in self.builds()[:-count] if build != current]
        for build in deleted:
            build.file.unlink()
        return deleted

    @contextmanager
    def export(self, to: Path) -> Iterator[NewBuild]:
        """A build that becomes the file `to`, which its owner alone may read. What readers open stays as it is."""
        from flows.store.warehouse.connection import discard
        from flows.store.warehouse.new_build import NewBuild

        # DuckDB calls a database by the name of its file, and `to` may be named as one that is attached to it
        unfinished = to.with_name(f".unfinished-{to.name}")
        before = os.umask(0o077)  # rows about people are in it from the first moment
        try:
            yield NewBuild(unfinished, self.options)
            unfinished.rename(to)  # not `replacement_of(to)`: DuckDB makes the file, and others beside it
        finally:
            os.umask(before)
            discard(unfinished)
