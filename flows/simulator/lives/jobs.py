"""Jobs in people's lives: when they found paid work, how long it lasted, and what came after.

A life has up to JOBS of them in an episode, with or without a gap between them. Somebody in work at the start has that
job first, and keeps or loses it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flows.simulator.lives.chance import NEVER, Days, spell
from flows.simulator.lives.entries import Entries
from flows.simulator.programmes import SimulatedSite

JOBS = 4  # at most, in one episode
_GOES_ON, _AT_ONCE = 0.55, 0.3  # of those whose job ends, another job follows; of these, within days
_DAYS_IN_JOB, _DAYS_TO_LOSS = 300, 900  # means, of a new job and of one that somebody had already


@dataclass(frozen=True)
class JobSpells:
    """Jobs of a batch of episodes: arrays with a row per episode and a column per job, NEVER where there is none."""

    start: Days
    end: Days  # last day; NEVER where it is not known
    hours: np.ndarray  # a week

    def job_on(self, day: Days, episode: np.ndarray | None = None) -> np.ndarray:
        """Column of the job that somebody is in on a day, by episode (default: one day for each); -1 for none."""
        chosen = slice(None) if episode is None else episode
        at_work = (self.start[chosen] <= day[:, None]) & (day[:, None] <= self.end[chosen])
        return np.where(at_work.any(axis=1), at_work.argmax(axis=1), -1)

    def cut(self, until: Days) -> JobSpells:
        """The jobs that began by a day, for each episode."""
        begun = self.start <= until[:, None]
        return JobSpells(np.where(begun, self.start, NEVER), np.where(begun, self.end, NEVER), self.hours)


def job_spells(site: SimulatedSite, rng: np.random.Generator, entries: Entries) -> JobSpells:
    """Jobs of people in the given episodes, as long as anything is recorded of them."""
    size = len(entries.person)
    wait = 1 - entries.days_to_job * np.log1p(-entries.luck)
    begin = np.where(entries.in_work, entries.referred - rng.integers(60, 2500, size), entries.origin)
    begin = np.where(entries.in_work, begin, entries.origin + np.minimum(wait, NEVER / 2).astype(int))
    begin = np.where(entries.origin < NEVER, begin, NEVER)
    had = np.where(entries.in_work, entries.origin - begin + 20, 7)
    lasts = had + np.where(entries.in_work, spell(rng, size, _DAYS_TO_LOSS), spell(rng, size, _DAYS_IN_JOB))
    starts, ends = [], []
    for _ in range(JOBS):
        end = begin + lasts
        starts.append(begin)
        ends.append(end)
        gap = np.where(rng.random(size) < _AT_ONCE, rng.integers(1, 4, size), rng.integers(14, 120, size))
        begin = np.where((rng.random(size) < _GOES_ON) & (begin < NEVER), end + gap, NEVER)
        lasts = 7 + spell(rng, size, _DAYS_IN_JOB)
    least = 16 if site.programme.definition == "WC_JO" else 4
    start, end, hours = np.stack(starts, axis=1), np.stack(ends, axis=1), rng.integers(least, 41, (size, JOBS))
    # A death ends a job; of somebody who withdrew consent, the end of the job is not known.
    died, until = entries.died[:, None], entries.until[:, None]
    end = np.where(end <= until, end, np.where(died == until, died, NEVER))
    return JobSpells(start, np.where(start < NEVER, end, NEVER), hours).cut(entries.until)
