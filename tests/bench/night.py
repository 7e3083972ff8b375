"""One whole night without Prefect."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

from flows.nightly import night
from flows.settings import Settings

if __name__ == "__main__":
    night(Settings.of(Path(sys.argv[1])), datetime.fromisoformat(sys.argv[2]) if sys.argv[2:] else None)
