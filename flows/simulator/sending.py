"""On which night each simulated file arrives: every month's on the day on which it is due, some later.

A corrected version (v2) comes a month after the first. What other programmes sent long before arrives on the first
night, and what they send later on the last.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, time
from pathlib import Path

from schemas._contract import registry

# The last months of the Trailblazers (`programmes.py`): a night each.
PERIODS = ("201704", "201705", "201706", "201707", "201708", "201709")
LAST_NIGHT = datetime(2019, 11, 4, 3, 30)  # after the last simulated month of any programme, before its return is due
# In how many of these months a site is late, and by how many nights. The one gets better, and the other does not.
LATE = {"MHT-WLA": (3, 1), "MHT-GM": (len(PERIODS), 2)}


def arrivals(files: Sequence[Path]) -> dict[datetime, list[Path]]:
    """The files by the night on which they arrive, the earliest night first."""
    nights = [_night_of(period) for period in PERIODS] + [LAST_NIGHT]
    found: dict[datetime, list[Path]] = defaultdict(list)
    for file in files:
        found[nights[_place(file)]].append(file)
    return dict(sorted(found.items()))


def _night_of(period: str) -> datetime:
    """The night before the return of a month is due: what comes with a later one is late."""
    return datetime.combine(registry.calendar()[period].date(), time(3, 30))


def _place(file: Path) -> int:
    """The number of the night on which a file arrives, from 0."""
    beginning, period, version = file.name.partition(".")[0].rsplit("_", 2)
    if period < PERIODS[0]:
        return 0
    if period not in PERIODS:
        return len(PERIODS)
    month = PERIODS.index(period)
    months_late, nights_late = LATE.get(beginning.partition("_")[0], (0, 0))
    late = nights_late if month < months_late else 0
    return min(month + late + int(version.removeprefix("v")) - 1, len(PERIODS))
