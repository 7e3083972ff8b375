"""Nights of resubmissions, one after another in one process: only what comes after them is measured."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from pathlib import Path

from small_files import resubmit

from flows.nightly import nightly_run
from flows.settings import Settings

FIRST_NIGHT = datetime(2017, 1, 1)


def live_through(data: Path, first: int, nights: int) -> None:
    """So many nights, each with the next version of one file; `first` is the number of the first version."""
    for n in range(nights):
        resubmit(data, first + n)
        nightly_run(Settings.of(data), FIRST_NIGHT + timedelta(days=n))


if __name__ == "__main__":
    live_through(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
