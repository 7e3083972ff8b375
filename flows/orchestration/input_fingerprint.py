"""Fingerprint of every run input except time: raw files, corrections, code and libraries."""

from __future__ import annotations

import hashlib

from flows.runtime.code_fingerprint import all_that_runs
from flows.store.paths import DataPaths
from flows.store.raw_files import FileStat, stats_below


def fingerprint_inputs(places: DataPaths) -> str:
    """Digest of every run input except time; '' where it cannot be relied on.

    Files are told by their stat, in which the time of the last change (ctime) cannot be set by hand: two looks that
    are the same mean that nothing was written in between. A file that is too young for that makes no digest, nor does
    a folder that cannot be looked into.
    """
    try:
        files = sorted(stats_below(places.raw), key=lambda found: found[0])
        agreed = FileStat.of(places.corrections) if places.corrections.exists() else None
        runs = all_that_runs()
    except OSError:
        return ""
    stats = [agreed, *(stat for _, stat in files)]
    if not all(stat.is_settled for stat in stats if stat is not None):
        return ""
    return hashlib.sha256(repr((files, agreed, runs)).encode()).hexdigest()
