"""One nightly run without Prefect."""

from __future__ import annotations

import sys
from pathlib import Path

from flows.nightly import nightly_run
from flows.settings import Settings

if __name__ == "__main__":
    nightly_run(Settings.of(Path(sys.argv[1])))
