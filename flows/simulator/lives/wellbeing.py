"""How people feel in the course of their lives: when they are asked, and what they answer.

Somebody's distress is one number, 0 on average at the start, which all measures share: so scores go together, and
improve together. Being in work helps, and so does support.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flows.simulator.lives.chance import NEVER, Days
from flows.simulator.lives.episodes import Episodes
from flows.simulator.lives.jobs import JobSpells
from flows.simulator.lives.trial import Trial

WAVES = ("baseline", "wk4", "mth4", "mth12", "exit")
_SINCE_START = {"wk4": (28, 4), "mth4": (122, 12), "mth12": (365, 15)}  # (days, most days more or fewer)
_ANSWERED = {"wk4": 0.8, "mth4": 0.65, "mth12": 0.5, "exit": 0.6}  # share of those who can be asked
_BY_SURVEY = ("mth4", "mth12")  # in a trial both arms are asked, in support or not
_FULLY = 240  # days until most of the improvement
_BETTER, _BETTER_WITH_SUPPORT, _BETTER_IN_WORK, _SPREAD = 0.25, 0.25, 0.35, 0.4


@dataclass(frozen=True)
class Occasions:
    """Days on which people were asked how they feel, and how they felt: one array per attribute."""

    episode: np.ndarray
    wave: np.ndarray  # index into WAVES
    day: Days
    distress: np.ndarray


def occasions_of(
    rng: np.random.Generator, episodes: Episodes, jobs: JobSpells, trial: Trial | None, last: int
) -> Occasions:
    """When everybody in support, and everybody in a trial, was asked, up to the day `last`."""
    size = len(episodes.person)
    in_support = (episodes.started < NEVER) & ~episodes.quiet
    asked = {"baseline": np.where(in_support, episodes.started + rng.integers(0, 8, size), NEVER)}
    if trial is not None:  # before allocation
        randomised = trial.randomised[episodes.person] < NEVER
        asked["baseline"] = np.where(randomised, trial.baseline[episodes.person], NEVER)
    for wave, (after, spread) in _SINCE_START.items():
        day = episodes.origin + after + rng.integers(-spread, spread + 1, size)
        can = in_support & (day <= episodes.exited)
        if trial is not None and wave in _BY_SURVEY:
            can = episodes.origin < NEVER
        asked[wave] = np.where(can, day, NEVER)
    leaves = in_support & ~np.isin(episodes.reason, ["deceased", "withdrew_consent", "disengaged"])
    asked["exit"] = np.where(leaves & (episodes.exited > asked["baseline"] + 7), episodes.exited, NEVER)
    start, slope = rng.normal(0, 1, size), rng.normal(0, _SPREAD, size)
    slope += _BETTER + _BETTER_WITH_SUPPORT * in_support
    parts = []
    for number, wave in enumerate(WAVES):
        answered = (rng.random(size) < _ANSWERED.get(wave, 1.0)) & (asked[wave] <= np.minimum(last, episodes.until))
        episode = np.flatnonzero(answered)
        day = asked[wave][episode]
        passed = 1 - np.exp(-np.maximum(0, day - asked["baseline"][episode]) / _FULLY)
        gain = slope[episode] + _BETTER_IN_WORK * (jobs.job_on(day, episode) >= 0)
        noise = rng.normal(0, 0.25, len(episode))
        parts.append((episode, np.full(len(episode), number), day, start[episode] - gain * passed + noise))
    return Occasions(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))
