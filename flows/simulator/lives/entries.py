"""How episodes begin: eligibility decision, start or allocation, and how soon a job is to be expected."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from flows.simulator.lives.chance import NEVER, Days
from flows.simulator.lives.people import People
from flows.simulator.lives.trial import Trial, days_to_job_with_support, luck
from flows.simulator.programmes import SimulatedSite

_ELIGIBLE = 0.87  # of people who agreed to take part, where there is no trial


@dataclass(frozen=True)
class Entries:
    """How episodes begin: one array per attribute, all of the same length."""

    person: np.ndarray  # index of the person in the batch
    number: np.ndarray  # 1 for the person's first episode, 2 for the second
    referred: Days
    decided: Days
    eligible: np.ndarray
    started: Days  # first day of support; NEVER for the control arm
    origin: Days  # the day from which a job counts: start, or randomisation in a trial
    control: np.ndarray  # in the control arm of a trial
    in_work: np.ndarray
    days_to_job: np.ndarray  # mean
    luck: np.ndarray  # 0 finds a job at once, 1 never
    died: Days
    until: Days  # last day of which anything is recorded


def first_entries(
    site: SimulatedSite, rng: np.random.Generator, people: People, trial: Trial | None, effect: float
) -> Entries:
    """The first episode of everyone who was referred. `effect` is that of the trial, in percentage points."""
    person = np.flatnonzero(~people.spare)
    size = len(person)
    decided = np.maximum(people.consented, people.referred)[person] + rng.integers(0, 15, size)
    engages = people.engages[person]
    control = np.zeros(size, dtype=bool)
    if trial is None:
        eligible = (rng.random(size) < _ELIGIBLE) & people.takes_part[person]
        started = origin = np.where(eligible & engages, decided + rng.integers(1, 31, size), NEVER)
        days_to_job = site.days_to_job_from(started)
    else:
        origin, control = trial.randomised[person], trial.control[person]
        eligible = origin < NEVER
        control &= eligible
        decided = np.where(eligible, trial.baseline[person], decided)
        started = np.where(eligible & engages & ~control, origin + rng.integers(1, 22, size), NEVER)
        with_support = days_to_job_with_support(site.programme, effect)
        days_to_job = np.where(started < NEVER, with_support, site.programme.days_to_job)
    strata = control + 2 * engages + 4 * people.in_work[person]
    return recorded(
        Entries(
            person=person,
            number=np.ones(size, int),
            referred=people.referred[person],
            decided=decided,
            eligible=eligible,
            started=started,
            origin=origin,
            control=control,
            in_work=people.in_work[person],
            days_to_job=days_to_job,
            luck=luck(rng, strata, origin),
            died=people.died[person],
            until=people.until[person],
        )
    )


def recorded(entries: Entries) -> Entries:
    """The entries without what would have come after the last day of which anything is recorded."""
    day = {name: getattr(entries, name) for name in ("started", "origin")}
    kept = {name: np.where(value < entries.until, value, NEVER) for name, value in day.items()}
    return Entries(**{f.name: kept.get(f.name, getattr(entries, f.name)) for f in fields(Entries)})
