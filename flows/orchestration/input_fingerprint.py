"""Fingerprint of every run input except time: raw files, corrections, code and libraries."""

from __future__ import annotations

import hashlib

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
        corrections = FileStat.of(paths.corrections) if paths.corrections.exists() else None
        code = all_that_runs()
    except OSError:
        return ""
    stats = [corrections, *(stat for _, stat in files)]
    if not all(stat.is_stable for stat in stats if stat is not None):
        return ""
    return hashlib.sha256(repr((files, corrections, code)).encode()).hexdigest()
