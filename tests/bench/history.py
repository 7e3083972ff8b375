"""Prepare a long history: runs with one resubmitted file each, in one process. The runs themselves are not measured."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from pathlib import Path

from small_files import resubmit

from flows.nightly import run_pipeline
from flows.settings import Settings

FIRST_RUN = datetime(2017, 1, 1)


def run_many(data: Path, first: int, runs: int) -> None:
    """Run `runs` times, each on the next day with the next version of one file, from version number `first`."""
    for n in range(runs):
        resubmit(data, first + n)
        run_pipeline(Settings.of(data), FIRST_RUN + timedelta(days=n))


if __name__ == "__main__":
    run_many(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
