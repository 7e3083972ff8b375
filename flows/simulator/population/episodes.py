"""Simulated episodes of a site's people: eligibility decision, start, exit, and sometimes a second referral."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from flows.simulator.population.chance import NEVER, Days
from flows.simulator.population.people import People, Trial
from flows.simulator.programmes import SimulatedSite

_EXIT_REASONS = {
    "completed_in_work": 0.3,
    "completed_not_in_work": 0.2,
    "time_limit_reached": 0.15,
    "disengaged": 0.3,
    "moved_away": 0.05,
}


@dataclass(frozen=True)
class Entries:
    """How episodes begin: one array per attribute, all of the same length."""

    person: np.ndarray  # index of the person in the batch
    number: np.ndarray  # 1 for the person's first episode, 2 for the second
    referred: Days
    decided: Days
    eligible: np.ndarray
    started: Days  # first day of support; NEVER for the control arm
    origin: Days  # the day from which a job counts: start, or randomisation for the control arm
    in_work: np.ndarray


@dataclass(frozen=True)
class Episodes(Entries):
    """One batch of episodes, with how they ended."""

    exited: Days
    reason: np.ndarray
    quiet: np.ndarray  # no contact and no job was recorded


def first_episodes(
    site: SimulatedSite, rng: np.random.Generator, people: People, trial: Trial | None, spare: float
) -> Episodes:
    """First episode of everyone who was referred. `spare` is the share of episodes without contacts and jobs."""
    person = np.flatnonzero(~people.spare)
    size = len(person)
    decided = np.maximum(people.consented, people.referred)[person] + rng.integers(0, 15, size)
    engages = rng.random(size) < site.programme.engaged
    if trial is None:
        eligible = rng.random(size) < 0.87
        started = np.where(eligible & engages, decided + rng.integers(1, 31, size), NEVER)
        origin = started
    else:
        randomised, control = trial.randomised[person], trial.control[person]
        eligible = randomised < NEVER
        decided = np.where(eligible, trial.baseline[person], decided)
        started = np.where(eligible & engages & ~control, randomised + rng.integers(1, 22, size), NEVER)
        origin = np.where(eligible & control, randomised, started)
    entries = Entries(
        person=person,
        number=np.ones(size, int),
        referred=people.referred[person],
        decided=decided,
        eligible=eligible,
        started=started,
        origin=origin,
        in_work=people.in_work[person],
    )
    return _with_exits(entries, rng, spare)


def with_second_episodes(first: Episodes, rng: np.random.Generator, last: int, spare: float) -> Episodes:
    """Add a few second episodes: people who return some weeks after they disengaged."""
    left = (first.exited < last - 60) & (first.reason == "disengaged")
    back = np.flatnonzero(left & (rng.random(len(left)) < 0.2))
    size = len(back)
    referred = first.exited[back] + rng.integers(20, 60, size)
    decided = referred + rng.integers(0, 10, size)
    started = np.where(rng.random(size) < 0.7, decided + rng.integers(1, 20, size), NEVER)
    entries = Entries(
        person=first.person[back],
        number=np.full(size, 2),
        referred=referred,
        decided=decided,
        eligible=np.ones(size, dtype=bool),
        started=started,
        origin=started,
        in_work=first.in_work[back],
    )
    second = _with_exits(entries, rng, spare)
    return Episodes(*(np.concatenate([getattr(first, f.name), getattr(second, f.name)]) for f in fields(Episodes)))


def _with_exits(entries: Entries, rng: np.random.Generator, spare: float) -> Episodes:
    size = len(entries.person)
    quiet = rng.random(size) < spare
    leaves = (entries.started < NEVER) & ((rng.random(size) < 0.75) | quiet)
    stay = np.where(quiet, rng.integers(10, 60, size), rng.integers(45, 390, size))
    exited = np.where(leaves, entries.started + stay, NEVER)
    reason = np.where(quiet, "disengaged", rng.choice(list(_EXIT_REASONS), size, p=list(_EXIT_REASONS.values())))
    return Episodes(
        **{f.name: getattr(entries, f.name) for f in fields(Entries)}, exited=exited, reason=reason, quiet=quiet
    )
