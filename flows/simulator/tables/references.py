"""References of people, episodes and jobs, and who is reserved for faults between two deliveries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from flows.simulator.lives.chance import NEVER, dates
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

    @cached_property
    def supported(self) -> np.ndarray:
        """Whether each episode is one of support that was given."""
        episodes = self.lives.episodes
        return (episodes.started <= self.conditions.last) & ~episodes.quiet

    @cached_property
    def reserved(self) -> Mapping[str, int]:
        """Episodes that no fault may hold, by what faults refer to them for: -1 where there is none."""
        episodes, last = self.lives.episodes, self.conditions.last
        found = {"_ineligible": ~episodes.eligible & ~episodes.in_work & (episodes.referred < last - 60)}
        found["_control"] = episodes.control & (episodes.until > last)
        earliest = {name: np.where(fit, episodes.referred, NEVER) for name, fit in found.items()}
        return {name: int(day.argmin()) if (day < NEVER).any() else -1 for name, day in earliest.items()}

    def facts(self, episode: np.ndarray) -> dict[str, pl.Series]:
        """What no extract has, but faults in the rows of some episodes are made of, as columns."""
        lives, size = self.lives, len(episode)
        episodes = lives.episodes
        known = {"_referred": episodes.referred, "_start": episodes.started, "_exited": episodes.exited}
        known["_died"] = np.where(episodes.died <= episodes.until, episodes.died, NEVER)
        columns = {name: dates(day[episode]) for name, day in known.items()}
        randomised = np.full(len(episodes.person), NEVER) if lives.trial is None else episodes.origin
        others = {
            name: pl.Series([None if at < 0 else self.episodes(np.array([at]))[0]] * size, dtype=pl.String)
            for name, at in self.reserved.items()
        }
        since = episodes.referred[self.reserved["_control"]] if self.reserved["_control"] >= 0 else NEVER
        columns |= {"_randomised": dates(randomised[episode]), "_control_referred": dates(np.full(size, since))}
        return columns | others

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
