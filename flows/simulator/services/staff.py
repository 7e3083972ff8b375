"""Staff of a simulated site: posts that two people hold one after the other, and who is in post on a day."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import polars as pl

from flows.simulator.lives.chance import NEVER, Days, days
from flows.simulator.programmes import SimulatedSite

_PEOPLE_OF_A_POST = 40  # over the whole programme: fewer at any time
_CHANGES = 0.4  # of posts change hands


@dataclass(frozen=True)
class Staff:
    """Posts of a site: the day on which the second holder follows the first, NEVER where nobody does."""

    opened: int = 0  # first day of every post
    handover: Days = field(default_factory=lambda: np.full(3, NEVER))

    def holders(self, post: np.ndarray, day: Days) -> pl.Series:
        """References of those who hold some posts on some days."""
        return staff_refs(2 * post + (day >= self.handover[post]))

    def posts(self, rng: np.random.Generator, size: int) -> np.ndarray:
        """Random posts."""
        return rng.integers(0, len(self.handover), size)


def staff_refs(number: np.ndarray) -> pl.Series:
    """References of members of staff, numbered from 0."""
    return "W-" + pl.Series(number + 1).cast(pl.String).str.zfill(4)


def staff_of(site: SimulatedSite, rng: np.random.Generator, people: int, last: int) -> Staff:
    """The staff of a site that supports some number of people, up to the day `last`."""
    opened = days(site.programme.intake_from) - 14
    size = max(3, people // _PEOPLE_OF_A_POST)
    day = rng.integers(opened + 90, max(opened + 91, last), size)
    return Staff(opened, np.where(rng.random(size) < _CHANGES, day, NEVER))
