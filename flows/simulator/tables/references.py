"""References of people, episodes and jobs, and who is reserved for faults between two deliveries."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from flows.simulator.lives.life import Lives, SiteConditions

WATCHED_EVERY = 8


@dataclass(frozen=True)
class Batch:
    """A batch of a site's people: their lives, and the references by which extracts name them."""

    conditions: SiteConditions
    first: int  # number of the first person
    lives: Lives

    @cached_property
    def people(self) -> pl.Series:
        """References of the people."""
        numbers = pl.Series(self.first + np.arange(len(self.lives.people.referred)))
        return self.conditions.site.prefix + numbers.cast(pl.String).str.zfill(6)

    def people_of(self, episode: np.ndarray) -> pl.Series:
        """References of the people who have some episodes, by index."""
        return self.people.gather(self.lives.episodes.person[episode])

    def episodes(self, index: np.ndarray) -> pl.Series:
        """References of some episodes, by index."""
        return self.people_of(index) + "E" + pl.Series(self.lives.episodes.number[index]).cast(pl.String)

    def series(self, episode: np.ndarray, letters: str) -> pl.Series:
        """Begin references of the rows of some episodes: one of two letters after that of the person."""
        first = self.lives.episodes.number[episode] == 1
        return self.people_of(episode) + pl.Series(np.where(first, letters[0], letters[1]))

    def watched(self, person: np.ndarray) -> np.ndarray:
        """Whether some people, by index, are reserved for faults that show only between two deliveries."""
        return (self.first + person) % WATCHED_EVERY == 0


def two_digits(number: np.ndarray, width: int = 2) -> pl.Series:
    """Numbers with leading zeros."""
    return pl.Series(number).cast(pl.String).str.zfill(width)
