"""Simulated people of a site, and their allocation in a trial."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flows.simulator.population.chance import NEVER, Days, days
from flows.simulator.programmes import TRIAL_CLOSED, TRIAL_OPENED, SimulatedSite


@dataclass(frozen=True)
class People:
    """One batch of people: one array per attribute, all of the same length."""

    referred: Days
    consented: Days
    birth_year: np.ndarray
    in_work: np.ndarray
    spare: np.ndarray  # known to the site but never referred


@dataclass(frozen=True)
class Trial:
    """Allocation of a batch of people in a trial; NEVER for those who were not randomised."""

    baseline: Days
    randomised: Days
    control: np.ndarray  # True for the control arm
    group: np.ndarray


def people_of(site: SimulatedSite, rng: np.random.Generator, size: int, last: int, spare: float) -> People:
    """Generate `size` people, referred up to the day `last`. `spare` is the share that is never referred."""
    course = site.programme
    first, final = days(course.intake_from), min(days(course.intake_to), last)
    referred = rng.integers(first, final + 1, size)
    consented = referred + rng.integers(0, 8, size)
    age = np.clip(rng.normal(41, 11, size).astype(int), 20, 63)
    year = (referred.astype("datetime64[D]").astype("datetime64[Y]").astype(int)) + 1970
    can_work = not (course.trial and not _takes_in_work(site))
    in_work = (rng.random(size) < course.in_work) & can_work
    return People(referred, consented, year - age, in_work, rng.random(size) < spare)


def _takes_in_work(site: SimulatedSite) -> bool:
    return site.code != "HLT-WMCA"  # the West Midlands recruited out-of-work people only: docs/domain.md 1.5


def trial_of(site: SimulatedSite, rng: np.random.Generator, people: People, last: int) -> Trial:
    """Randomise the people of a trial's site, up to the day `last`."""
    size = len(people.referred)
    baseline = people.consented + rng.integers(1, 8, size)
    randomised = np.maximum(baseline + rng.integers(0, 4, size), days(TRIAL_OPENED))
    taken = ~people.spare & (rng.random(size) < 0.88) & (randomised <= min(last, days(TRIAL_CLOSED)))
    baseline, randomised = np.where(taken, baseline, NEVER), np.where(taken, randomised, NEVER)
    group = np.where(people.in_work, "scr_iw", "scr_oow") if _takes_in_work(site) else np.full(size, "wmca_oow")
    # In pairs by group and day, one of each pair to either arm: so the arms are balanced at any cut-off.
    order = np.lexsort((randomised, group))
    heads = rng.integers(0, 2, (size + 1) // 2)
    control = np.empty(size, dtype=bool)
    control[order] = (np.repeat(heads, 2)[:size] + np.arange(size)) % 2 == 1
    return Trial(baseline, randomised, control, group)
