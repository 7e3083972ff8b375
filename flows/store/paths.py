"""The layout of the data folder.

raw/<site>/                the files that sites sent, never changed
reports/<site>/            the reports to senders; reports/nights/ has the summaries for the duty engineer
logs/                      the log of operations, JSON lines (docs/logging.md)
corrections.csv            corrections of sent files that the sites agreed to, if there are any
confirmations.csv          warnings that sites have confirmed, if there are any; confirmations.key is its secret
warehouse/pilots.duckdb    a symlink to the current build, for readers
warehouse/builds/          the last few builds, each a finished, immutable file
warehouse/store/           validation results (Parquet), the load cache (DuckDB), the ledger of deliveries and runs
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from flows.runtime.data_folder import CONFIRMATIONS, CONFIRMATIONS_KEY, CORRECTIONS

_FORMER_RESULTS = ("validation results", "judgements")  # what earlier code called the folder of validation results
VERDICT = "verdict.json"  # written last: a validation result that has it is complete


class NoDataFolder(Exception):  # noqa: N818 - it says what is missing
    """There are no raw files.

    More likely a wrong path or a disk that is not mounted than a true state, so the run stops rather than promote empty
    figures.
    """


@dataclass(frozen=True)
class DataPaths:
    """The paths of one data folder."""

    # cached properties: the same few paths are used for every delivery

    data: Path

    @cached_property
    def raw(self) -> Path:
        """The files that sites sent, a folder for each site."""
        return self.data / "raw"

    @cached_property
    def corrections(self) -> Path:
        """The file of corrections that sites agreed to; it may be missing."""
        return self.data / CORRECTIONS

    @cached_property
    def confirmations(self) -> Path:
        """The file of warnings that sites have confirmed to be right all the same; it may be missing."""
        return self.data / CONFIRMATIONS

    @cached_property
    def confirmations_key(self) -> Path:
        """The file with the secret of the keyed hashes in it; it may be missing."""
        return self.data / CONFIRMATIONS_KEY

    @cached_property
    def reports(self) -> Path:
        """Reports to senders, and summaries for the duty engineer."""
        return self.data / "reports"

    def summary(self, run_id: str) -> Path:
        """The summary of one run, for the duty engineer."""
        return self.reports / "nights" / f"{run_id}.md"

    @cached_property
    def logs(self) -> Path:
        """The log of operations."""
        return self.data / "logs"

    @cached_property
    def warehouse(self) -> Path:
        """Everything that runs make, except reports and logs."""
        return self.data / "warehouse"

    @cached_property
    def current_link(self) -> Path:
        """The symlink to the current build, which readers open."""
        return self.warehouse / "pilots.duckdb"

    @cached_property
    def builds(self) -> Path:
        """The folder of finished builds."""
        return self.warehouse / "builds"

    @cached_property
    def results(self) -> Path:
        """The folder of validation results, each in a folder of its own."""
        return self.warehouse / "store" / "validation_results"

    def result(self, key: str) -> Path:
        """The folder of one validation result."""
        return Path(f"{self.results}/{key[:2]}/{key}")

    def missing_results(self, keys: Iterable[str]) -> set[str]:
        """Those of some result keys that have no complete validation result."""
        folder = str(self.results)
        exists = os.path.exists  # for thousands of keys, making each a Path would take longer than the check itself
        return {key for key in keys if not exists(f"{folder}/{key[:2]}/{key}/{VERDICT}")}

    @cached_property
    def load_cache(self) -> Path:
        """The folder of the load cache: see `load_cache.py`."""
        return self.warehouse / "store" / "loaded"

    @cached_property
    def unfinished(self) -> Path:
        """The folder of work in progress. What an interrupted run leaves here is deleted by the next."""
        return self.warehouse / "store" / "unfinished"

    @cached_property
    def ledger(self) -> Path:
        """The SQLite file of deliveries, reports and runs."""
        return self.warehouse / "store" / "ledger.sqlite"

    @cached_property
    def lock(self) -> Path:
        """The file whose lock a writer holds."""
        return self.warehouse / "writer.lock"

    @cached_property
    def prefect(self) -> Path:
        """Prefect's own database and files, so that none lie in a home folder."""
        return self.data / "prefect"

    def require(self) -> None:
        """Raise NoDataFolder unless there is a folder of raw files, or a warehouse made from some."""
        if not (self.raw.is_dir() or self.warehouse.is_dir()):
            raise self._no_raw_folder

    def require_raw(self, *, received_before: bool) -> None:
        """Raise NoDataFolder unless there is a folder of raw files, which has a file if any was received before."""
        if not self.raw.is_dir():
            raise self._no_raw_folder
        if received_before and not _has_files(self.raw):
            raise NoDataFolder(f"there is no file under {self.raw}, and some were received before: is its disk there?")

    @property
    def _no_raw_folder(self) -> NoDataFolder:
        return NoDataFolder(f"there is no folder {self.raw}: is this the data folder, and is its disk there?")

    @property
    def has_products(self) -> bool:
        """Whether any earlier run left a build or a validation result."""
        return any(self.builds.glob("*.duckdb")) or any(self.results.glob("*/*"))

    def make(self) -> None:
        """Create the folders that runs write into. Those with rows about people are for owner and group alone."""
        # Results are moved, not made again: a delivery whose raw file is gone has no other source, and a folder that
        # nobody sweeps would keep personal data.
        for name in _FORMER_RESULTS:
            if not self.results.exists() and (former := self.results.with_name(name)).is_dir():
                former.rename(self.results)
        for folder in (self.reports, self.builds, self.results, self.unfinished):
            folder.mkdir(parents=True, exist_ok=True)
        for folder in (self.builds, self.results, self.unfinished):
            folder.chmod(0o750)

    def clear_unfinished(self) -> None:
        """Delete what an interrupted run left. Only for the holder of the writer lock."""
        # hidden files among the builds are unfinished ones and links; *.tmp are folders that DuckDB spills into
        for path in (*self.unfinished.iterdir(), *self.builds.glob(".*"), *self.load_cache.glob("*.tmp")):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _has_files(folder: Path | str) -> bool:
    """Whether a folder has any file in it or below it, except hidden ones. Stops at the first.

    True also of a folder that may not be read: its disk is there, and `receive` reports what is wrong with it.
    """
    try:
        with os.scandir(folder) as entries:
            visible = (entry for entry in entries if not entry.name.startswith("."))
            return any(_has_files(entry.path) if entry.is_dir() else True for entry in visible)
    except PermissionError:
        return True
