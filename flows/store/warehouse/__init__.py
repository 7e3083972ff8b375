"""The warehouse: list, open and promote its builds. Nothing else knows where they are.

Each build is a new, immutable DuckDB file, and readers follow a symlink that is replaced atomically. A reader who has
the old file open keeps it. Nothing is ever renamed over a build, so no write-ahead log can be replayed into another.

Steps, reports and commands are given a connection, never a path. Another kind of warehouse would be another class with
the methods of `Warehouse`, `Build` and `NewBuild`: see docs/architecture.md. DuckDB is only imported when something is
opened: a no-op run opens nothing, and is quicker without it.
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

    Promoted builds are readable by members of `reading_group`; without one, only by their owner.
    """

    paths: DataPaths
    options: DuckDBOptions = DuckDBOptions()
    reading_group: str = ""

    @property
    def link(self) -> Path:
        """The symlink to the current build, which readers open."""
        return self.paths.current_link

    def current(self) -> Build | None:
        """The build that readers see now; None before the first, or where the link leads nowhere."""
        if not self.link.is_symlink():
            return None
        file = self.link.parent / self.link.readlink()
        return Build(file, self.options) if file.exists() else None

    def builds(self) -> list[Build]:
        """Every finished build on disk, oldest first."""
        return [Build(file, self.options) for file in sorted(self.paths.builds.glob("*.duckdb"))]

    def new_build(self, made_at: datetime, run_id: str, made_from: str, load_version: str) -> NewBuild:
        """A build for a run to make. It starts from the load cache of the same `load_version`, if there is one."""
        from flows.store.warehouse.load_cache import LoadCache
        from flows.store.warehouse.new_build import NewBuild

        name = name_of_build(made_at, run_id, made_from)
        unfinished = self.paths.builds / f".{name}.building"  # hidden from readers and from `builds`
        return NewBuild(unfinished, self.options, name, LoadCache.of(self.paths, load_version))

    def promote(self, new: NewBuild) -> Build:
        """Give a finished build its name, and make it the current one."""
        if self.reading_group:
            shutil.chown(new.file, group=self.reading_group)
            shutil.chown(self.paths.builds, group=self.reading_group)
        new.require_whole()
        new.file.chmod(0o640 if self.reading_group else 0o600)
        sync(new.file)
        file = self.paths.builds / f"{new.name}.duckdb"
        new.file.rename(file)
        # a symlink cannot be changed in place: a new one is renamed over it, so readers always find one or the other
        link = self.paths.builds / f".{new.name}.link"
        link.unlink(missing_ok=True)
        link.symlink_to(file.relative_to(self.link.parent))
        link.replace(self.link)
        sync(self.paths.builds)
        sync(self.link.parent)
        return Build(file, self.options)

    def keep_last(self, count: int) -> list[Build]:
        """Delete all but the newest `count` builds, but never the current one. Returns the deleted ones."""
        current = self.current()
        # names begin with the time, so they sort by age; the current build stays even if it is not among the newest
        deleted = [build for build in self.builds()[:-count] if build != current]
        for build in deleted:
            build.file.unlink()
        return deleted

    @contextmanager
    def export(self, to: Path) -> Iterator[NewBuild]:
        """Give a build that becomes the file `to`, readable by its owner alone. The current build stays as it is."""
        from flows.store.warehouse.connection import discard
        from flows.store.warehouse.new_build import NewBuild

        # DuckDB names a database after its file; named `to`, it could clash with a database that is attached to it
        unfinished = to.with_name(f".unfinished-{to.name}")
        before = os.umask(0o077)  # the file has rows about people from the first moment
        try:
            yield NewBuild(unfinished, self.options)
            unfinished.rename(to)  # not `replacement_of(to)`: DuckDB has to create the file, and others beside it
        finally:
            os.umask(before)
            discard(unfinished)
