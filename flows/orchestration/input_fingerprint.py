"""Fingerprint of every run input except time: raw files, corrections, confirmations, code and libraries."""

from __future__ import annotations

import hashlib
from pathlib import Path

from flows.runtime.code_fingerprint import all_that_runs
from flows.store.paths import DataPaths
from flows.store.raw_files import FileStat, stats_below


def fingerprint_inputs(paths: DataPaths) -> str:
    """Digest of every run input except time; '' where it would not be reliable.

    Raw files are compared by their stat, not their content. It includes the time of the last change (ctime), which no
    program can set, so two equal fingerprints mean that nothing was written in between. There is no digest while a
    file is too recent for the clock's resolution, or where a folder cannot be listed.
    """
    try:
        files = sorted(stats_below(paths.raw), key=lambda entry: entry[0])
        others = [_stat(path) for path in (paths.corrections, paths.confirmations)]
        # without confirmations nothing depends on their key, which the first marked workbook makes
        others.append(_stat(paths.confirmations_key) if others[-1] else None)
        code = all_that_runs()
    except OSError:
        return ""
    stats = [*others, *(stat for _, stat in files)]
    if not all(stat.is_stable for stat in stats if stat is not None):
        return ""
    return hashlib.sha256(repr((files, others, code)).encode()).hexdigest()


def _stat(path: Path) -> FileStat | None:
    """The stat of a file; None where there is none."""
    return FileStat.of(path) if path.exists() else None
