"""The lives of a batch of people: who they are, their episodes of support, and their jobs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import numpy as np

from flows.simulator.lives.chance import NEVER, days
from flows.simulator.lives.entries import first_entries
from flows.simulator.lives.episodes import Episodes, both, returns, with_exits
from flows.simulator.lives.jobs import JobSpells, job_spells
from flows.simulator.lives.people import People, people_of
from flows.simulator.lives.trial import Trial, trial_of
from flows.simulator.programmes import SimulatedSite
from flows.simulator.services.staff import Staff, staff_of


@dataclass(frozen=True)
class SiteConditions:
    """What holds for everybody at a site: its programme and staff, and to which day lives are known."""

    site: SimulatedSite
    cut_off: date
    spare: float  # share of people, and of episodes, that no other row refers to
    trial_effect: float  # percentage points more in the arm that is offered support who find a job within a year
    staff: Staff = field(default_factory=Staff)

    @property
    def last(self) -> int:
        """The day to which lives are known."""
        return days(self.cut_off)


@dataclass(frozen=True)
class Lives:
    """The lives of a batch of people."""

    people: People
    trial: Trial | None
    episodes: Episodes
    jobs: JobSpells  # a row per episode


def lives_of(conditions: SiteConditions, rng: np.random.Generator, size: int) -> Lives:
    """Generate the lives of `size` people of a site."""
    site, last, spare = conditions.site, conditions.last, conditions.spare
    people = people_of(site, rng, size, last, spare)
    trial = trial_of(site, rng, people, last) if site.programme.trial else None
    entries = first_entries(site, rng, people, trial, conditions.trial_effect)
    jobs = job_spells(site, rng, entries)
    episodes = with_exits(site, rng, entries, jobs, last, spare)
    if trial is not None:  # nobody is randomised twice
        return Lives(people, trial, episodes, jobs)
    back, again = returns(site, rng, people, episodes, jobs, last)
    until = np.full(len(episodes.person), NEVER)
    until[back] = again.referred - 1  # a later job belongs to the second episode
    jobs = jobs.cut(until)
    more = job_spells(site, rng, again)
    second = with_exits(site, rng, again, more, last, spare)
    arrays = (np.concatenate([getattr(jobs, n), getattr(more, n)]) for n in ("start", "end", "hours"))
    return Lives(people, None, both(episodes, second), JobSpells(*arrays))


def conditions_of(
    site: SimulatedSite, people: int, cut_off: date, *, spare: float, trial_effect: float, seed: int
) -> SiteConditions:
    """What holds for everybody at a site that has some number of people."""
    staff = staff_of(site, np.random.default_rng([seed, *f"{site.code} staff".encode()]), people, days(cut_off))
    return SiteConditions(site, cut_off, spare, trial_effect, staff)
