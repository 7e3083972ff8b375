"""Allocation of a site's people in a trial, and how much sooner the offer of support leads to a job."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flows.simulator.lives.chance import NEVER, Days, days
from flows.simulator.lives.people import People, takes_in_work
from flows.simulator.programmes import TRIAL_CLOSED, TRIAL_OPENED, SimulatedProgramme, SimulatedSite

EFFECT_AFTER = 365  # days from randomisation


@dataclass(frozen=True)
class Trial:
    """Allocation of a batch of people in a trial; NEVER for those who were not randomised."""

    baseline: Days
    randomised: Days
    control: np.ndarray  # True for the control arm
    group: np.ndarray


def trial_of(site: SimulatedSite, rng: np.random.Generator, people: People, last: int) -> Trial:
    """Randomise the people of a trial's site, up to the day `last`."""
    size = len(people.referred)
    baseline = people.consented + rng.integers(1, 8, size)
    randomised = np.maximum(baseline + rng.integers(0, 4, size), days(TRIAL_OPENED))
    taken = ~people.spare & people.takes_part & (rng.random(size) < 0.88)
    taken &= (randomised <= min(last, days(TRIAL_CLOSED))) & (randomised < people.until)
    baseline, randomised = np.where(taken, baseline, NEVER), np.where(taken, randomised, NEVER)
    group = np.where(people.in_work, "scr_iw", "scr_oow") if takes_in_work(site) else np.full(size, "wmca_oow")
    # In pairs by group and day, one of each pair to either arm: so the arms are balanced at any cut-off.
    order = np.lexsort((randomised, group))
    heads = rng.integers(0, 2, (size + 1) // 2)
    control = np.empty(size, dtype=bool)
    control[order] = (np.repeat(heads, 2)[:size] + np.arange(size)) % 2 == 1
    return Trial(baseline, randomised, control, group)


def days_to_job_with_support(course: SimulatedProgramme, effect: float) -> float:
    """Mean days from randomisation to a job for people who start support.

    Of all who are offered it, `effect` percentage points more than of the others find a job within EFFECT_AFTER days.
    Who does not start finds one as if nothing had been offered, so the difference is larger among those who do.
    """
    without = 1 - np.exp(-EFFECT_AFTER / course.days_to_job)
    return float(-EFFECT_AFTER / np.log(1 - np.clip(without + effect / 100 / course.engaged, 0.001, 0.999)))


def luck(rng: np.random.Generator, strata: np.ndarray, order: Days) -> np.ndarray:
    """Numbers from 0 to 1 that are spread evenly over each stratum, in any stretch of `order`.

    So the share with a job in each arm is close to what the effect says, even among few people.
    """
    rank = np.empty(len(order), dtype=int)
    by = np.lexsort((order, strata))
    rank[by] = np.arange(len(order))
    _, stratum = np.unique(strata, return_inverse=True)
    return (rank * _GOLDEN + rng.random(stratum.max(initial=0) + 1)[stratum]) % 1


_GOLDEN = (5**0.5 - 1) / 2  # its multiples, modulo 1, fill the interval evenly
