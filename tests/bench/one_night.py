"""One whole night without Prefect."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from flows.settings import Settings

if __name__ == "__main__":
    os.environ["PILOTS_ENGINE"] = "plain"
    from flows.nightly import nightly_run

    nightly_run(Settings.of(Path(sys.argv[1])))
