"""Every path of the data folder, in one place.

raw/<site>/                what sites sent: never changed
reports/<site>/            what the senders are told; reports/nights/ what the duty engineer is told
logs/                      what each run did, as lines of JSON (docs/logging.md)
corrections.csv            errors in what sites sent that they agreed to, if there are any
warehouse/pilots.duckdb    a symlink to the build that readers should open
warehouse/builds/          the last few builds, each a finished, immutable file
warehouse/store/           validation results (Parquet), what is kept of what was loaded, the ledger of deliveries and
runs
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from flows.runtime.data_folder import CORRECTIONS

VERDICT = "verdict.json"  # the last part of a validation result: where it is, all of it is


class NoDataFolder(Exception):  # noqa: N818 - it says what is missing
    """There are no raw files to be seen: a wrong path, or a disk that is away, must not look like an empty world."""


@dataclass(frozen=True)
class DataPaths:
    """The layout of one data folder."""

    data: Path

    @cached_property
    def raw(self) -> Path:
        """What sites sent."""
        return self.data / "raw"

    @cached_property
    def corrections(self) -> Path:
        """The corrections that sites agreed to."""
        return self.data / CORRECTIONS

    @cached_property
    def reports(self) -> Path:
        """What senders and the duty engineer read."""
        return self.data / "reports"

    def summary(self, run_id: str) -> Path:
        """What the duty engineer reads of one run."""
        return self.reports / "nights" / f"{run_id}.md"

    @cached_property
    def logs(self) -> Path:
        """What each run did, for whoever operates this."""
        return self.data / "logs"

    @cached_property
    def warehouse(self) -> Path:
        """Everything the run makes for readers and for itself."""
        return self.data / "warehouse"

    @cached_property
    def current_link(self) -> Path:
        """The symlink that readers open."""
        return self.warehouse / "pilots.duckdb"

    @cached_property
    def builds(self) -> Path:
        """Finished builds."""
        return self.warehouse / "builds"

    @cached_property
    def judgements(self) -> Path:
        """One folder for each validation result."""
        return self.warehouse / "store" / "validation results"

    def judgement(self, key: str) -> Path:
        """The folder of one validation result."""
        return Path(f"{self.judgements}/{key[:2]}/{key}")

    def lost(self, keys: Iterable[str]) -> set[str]:
        """Which of some validation results are not there."""
        home = str(self.judgements)
        there = os.path.exists  # a Path for each of thousands would cost more than the looking
        return {key for key in keys if not there(f"{home}/{key[:2]}/{key}/{VERDICT}")}

    @cached_property
    def loaded(self) -> Path:
        """What is kept from run to run: see `load_cache.py`."""
        return self.warehouse / "store" / "loaded"

    @cached_property
    def unfinished(self) -> Path:
        """Work in progress: anything here after a run was cut off is rubbish."""
        return self.warehouse / "store" / "unfinished"

    @cached_property
    def ledger(self) -> Path:
        """The SQLite file of deliveries and runs."""
        return self.warehouse / "store" / "ledger.sqlite"

    @cached_property
    def lock(self) -> Path:
        """The file whose lock the writer holds."""
        return self.warehouse / "writer.lock"

    @cached_property
    def prefect(self) -> Path:
        """Prefect's own files, so that nothing leaks into a home folder."""
        return self.data / "prefect"

    def require(self) -> None:
        """Raise NoDataFolder unless there is a folder of raw files, or what earlier runs made of some."""
        if not (self.raw.is_dir() or self.warehouse.is_dir()):
            raise self._no_raw_folder

    def require_raw(self, *, received_before: bool) -> None:
        """Raise NoDataFolder unless there is a folder of raw files, with a file in it if any was received before."""
        if not self.raw.is_dir():
            raise self._no_raw_folder
        if received_before and not _has_files(self.raw):
            raise NoDataFolder(f"there is no file under {self.raw}, and some were received before: is its disk there?")

    @property
    def _no_raw_folder(self) -> NoDataFolder:
        return NoDataFolder(f"there is no folder {self.raw}: is this the data folder, and is its disk there?")

    @property
    def has_products(self) -> bool:
        """Whether any run made something that readers or later runs rely on."""
        return any(self.builds.glob("*.duckdb")) or any(self.judgements.glob("*/*"))

    def make(self) -> None:
        """Create the folders that runs write into. Row-level data is for its owner and group alone."""
        for folder in (self.reports, self.builds, self.judgements, self.unfinished):
            folder.mkdir(parents=True, exist_ok=True)
        for folder in (self.builds, self.judgements, self.unfinished):
            folder.chmod(0o750)

    def clear_unfinished(self) -> None:
        """Throw away what a run that was cut off left behind. Only for the holder of the lock."""
        for left in (*self.unfinished.iterdir(), *self.builds.glob(".*"), *self.loaded.glob("*.tmp")):
            shutil.rmtree(left) if left.is_dir() else left.unlink()


def _has_files(folder: Path | str) -> bool:
    """Whether any file lies in a folder or below it, but for hidden ones. It looks no further than the first.

    A folder that may not be looked into is there, and so is its disk: `receive` says what is wrong with it.
    """
    try:
        with os.scandir(folder) as entries:
            seen = (entry for entry in entries if not entry.name.startswith("."))
            return any(_has_files(entry.path) if entry.is_dir() else True for entry in seen)
    except PermissionError:
        return True
