"""Simulated episodes of a site's people: how support ended, and who came back for a second time."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from flows.simulator.lives.chance import NEVER, Days, spell
from flows.simulator.lives.entries import Entries, recorded
from flows.simulator.lives.jobs import JobSpells
from flows.simulator.lives.people import People
from flows.simulator.programmes import SimulatedSite

# mean days from the start of support to an exit for each reason, if no other comes first
_EXITS = {
    "disengaged": 700,
    "completed_not_in_work": 900,
    "moved_away": 5000,
    "transferred": 7000,
    "health_deterioration": 7000,
    "ineligible_after_start": 12000,
}
_IN_ERROR = 0.03  # of episodes without any contact, that were recorded by mistake
_COME_BACK = 0.15  # of those who may


@dataclass(frozen=True)
class Episodes(Entries):
    """One batch of episodes, with how they ended."""

    exited: Days
    reason: np.ndarray
    quiet: np.ndarray  # support began, but no contact and no job was recorded


def with_exits(
    site: SimulatedSite, rng: np.random.Generator, entries: Entries, jobs: JobSpells, last: int, spare: float
) -> Episodes:
    """Add how each episode ended. `spare` is the share of all episodes that are to be quiet.

    They are chosen among those without a job up to the day `last`, so that nobody's job goes unrecorded.
    """
    size = len(entries.person)
    may = (entries.started < NEVER) & (jobs.start > last).all(axis=1)
    quiet = may & (rng.random(size) < min(0.8, spare * size / max(1, may.sum())))
    ends = {reason: entries.started + 20 + spell(rng, size, mean) for reason, mean in _EXITS.items()}
    ends["time_limit_reached"] = entries.started + site.programme.support_days
    ends["completed_in_work"] = _helped(rng, entries, jobs)
    exited, reason = _earliest(ends)
    at_work = (jobs.job_on(exited) >= 0) & np.isin(reason, ["completed_not_in_work", "time_limit_reached"])
    reason = np.where(at_work, "completed_in_work", reason)
    exited = np.where(quiet, entries.started + rng.integers(10, 60, size), exited)
    reason = np.where(quiet, np.where(rng.random(size) < _IN_ERROR, "admin_error", "disengaged"), reason)
    never_came = entries.eligible & (entries.started >= NEVER) & ~entries.control
    exited = np.where(never_came, entries.decided + rng.integers(40, 121, size), exited)
    reason = np.where(never_came, "disengaged", reason)
    cut_short = entries.eligible & (entries.until < exited)
    exited = np.where(cut_short, entries.until, exited)
    gone = np.where(entries.died == entries.until, "deceased", "withdrew_consent")
    reason = np.where(cut_short, gone, reason)
    begun = {f.name: getattr(entries, f.name) for f in fields(Entries)}
    return Episodes(**begun, exited=np.where(exited < NEVER, exited, NEVER), reason=reason, quiet=quiet)


def _helped(rng: np.random.Generator, entries: Entries, jobs: JobSpells) -> Days:
    """The day on which support ends because somebody has been in work long enough."""
    day = np.maximum(entries.started, jobs.start[:, 0]) + rng.integers(90, 200, len(entries.person))
    return np.where(jobs.job_on(day) >= 0, day, NEVER)


def _earliest(ends: dict[str, Days]) -> tuple[Days, np.ndarray]:
    """The first of several days, and its name."""
    table = np.stack(list(ends.values()), axis=1)
    first = table.argmin(axis=1)
    return table[np.arange(len(table)), first], np.array(list(ends))[first]


def returns(
    site: SimulatedSite, rng: np.random.Generator, people: People, episodes: Episodes, jobs: JobSpells, last: int
) -> tuple[np.ndarray, Entries]:
    """Second episodes of some people, who are out of work when they come back, and the index of their first ones."""
    willing = people.takes_part[episodes.person]
    closed = np.where(episodes.eligible, episodes.exited, episodes.decided)
    referred = closed + 20 + spell(rng, len(closed), 120)
    may = willing & (referred < np.minimum(last, episodes.until - 40)) & (jobs.job_on(referred) < 0)
    may &= ~np.isin(episodes.reason, ["admin_error", "deceased", "withdrew_consent"]) | ~episodes.eligible
    back = np.flatnonzero(may & (rng.random(len(may)) < _COME_BACK))
    size = len(back)
    decided = referred[back] + rng.integers(0, 10, size)
    started = np.where(rng.random(size) < 0.7, decided + rng.integers(1, 20, size), NEVER)
    entries = Entries(
        person=episodes.person[back],
        number=np.full(size, 2),
        referred=referred[back],
        decided=decided,
        eligible=np.ones(size, dtype=bool),
        started=started,
        origin=started,
        control=np.zeros(size, dtype=bool),
        in_work=np.zeros(size, dtype=bool),
        days_to_job=site.days_to_job_from(started),
        luck=rng.random(size),
        died=episodes.died[back],
        until=episodes.until[back],
    )
    return back, recorded(entries)


def both(first: Episodes, second: Episodes) -> Episodes:
    """First and second episodes in one batch."""
    return replace(
        first, **{f.name: np.concatenate([getattr(first, f.name), getattr(second, f.name)]) for f in fields(Episodes)}
    )
