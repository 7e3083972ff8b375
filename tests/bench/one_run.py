"""One nightly run without Prefect."""

from __future__ import annotations

import sys
from pathlib import Path

from flows.nightly import run_pipeline
from flows.settings import Settings

if __name__ == "__main__":
    run_pipeline(Settings.of(Path(sys.argv[1])))
