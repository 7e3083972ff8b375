"""Simulated people of a site: when they were referred, whether they engage, and when they die or withdraw consent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flows.simulator.lives.chance import Days, days, spell, years_of
from flows.simulator.programmes import SimulatedSite

_STEADY = 0.5  # of referrals come evenly until the last month; the others more and more rarely
_REFUSE = 0.01  # of people do not agree to take part
_YEARS_TO_DEATH, _YEARS_TO_WITHDRAWAL = 140, 30  # means


@dataclass(frozen=True)
class People:
    """One batch of people: one array per attribute, all of the same length."""

    referred: Days
    consented: Days
    birth_year: np.ndarray
    in_work: np.ndarray
    takes_part: np.ndarray  # agreed to take part
    engages: np.ndarray  # would start if offered support
    spare: np.ndarray  # known to the site but never referred
    died: Days
    withdrew: Days  # consent to share data

    @property
    def until(self) -> Days:
        """Last day of which anything is recorded: that of death, or on which consent was withdrawn."""
        return np.minimum(self.died, self.withdrew)


def people_of(site: SimulatedSite, rng: np.random.Generator, size: int, last: int, spare: float) -> People:
    """Generate `size` people, referred up to the day `last`. `spare` is the share that is never referred."""
    course = site.programme
    referred = _referred(days(course.intake_from), last, rng, size)
    consented = referred + rng.integers(0, 8, size)
    age = np.clip(rng.normal(41, 11, size).astype(int), 20, 63)
    decided = consented + 40  # nobody dies or withdraws before it is decided whether they are eligible
    return People(
        referred=referred,
        consented=consented,
        birth_year=years_of(referred) - age,
        in_work=(rng.random(size) < course.in_work) & takes_in_work(site),
        takes_part=rng.random(size) >= _REFUSE,
        engages=rng.random(size) < course.engaged,
        spare=rng.random(size) < spare,
        died=decided + spell(rng, size, 365 * _YEARS_TO_DEATH),
        withdrew=decided + spell(rng, size, 365 * _YEARS_TO_WITHDRAWAL),
    )


def _referred(first: int, last: int, rng: np.random.Generator, size: int) -> Days:
    """Days of referral: most early, so that many can be followed for a year, and some in every month."""
    evenly = (rng.permutation(size) + rng.random(size)) / max(1, size)
    share = np.where(np.arange(size) < _STEADY * size, evenly, rng.beta(1, 2, size))
    return first + (share * (last + 1 - first)).astype(int)


def takes_in_work(site: SimulatedSite) -> bool:
    """Whether a site takes people in work. The West Midlands trial did not: docs/domain.md 1.5."""
    return site.code != "HLT-WMCA"
