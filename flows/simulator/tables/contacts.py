"""Rows of contacts: when somebody met a worker, what for, and whether they came."""

from __future__ import annotations

import numpy as np
import polars as pl

from flows.simulator.lives.chance import dates, random_codes, random_yes_no, where_known
from flows.simulator.tables.references import Batch, two_digits

_LONGEST = 540  # days of contacts in an episode
_LOOKING = {"job_search": 50, "employer_contact": 10, "benefits_advice": 8, "clinical_liaison": 6, "review": 20}
_WORKING = {"in_work_support": 75, "review": 15, "employer_contact": 5, "benefits_advice": 5}
_ATTENDED = {"2": 8, "3": 10, "4": 3, "5": 70, "6": 8, "7": 1}


def contacts(batch: Batch, rng: np.random.Generator, post: np.ndarray) -> tuple[pl.DataFrame, np.ndarray]:
    """Rows of contacts, and the index of the episode of each. `post` is that of each episode's key worker.

    Each episode has its own interval, so that none has two contacts on one day (rule K04).
    """
    episodes, conditions = batch.lives.episodes, batch.conditions
    going = np.flatnonzero((episodes.started <= conditions.last) & ~episodes.quiet)
    started = episodes.started[going]
    end = np.minimum(np.minimum(episodes.exited[going], conditions.last), started + _LONGEST)
    gap = rng.integers(7, 22, len(going))
    count = 1 + (end - started) // gap
    episode, wait = np.repeat(going, count), np.repeat(gap, count)
    turn = np.arange(len(episode)) - np.repeat(np.cumsum(count) - count, count)
    day = episodes.started[episode] + turn * wait - np.where(turn > 0, rng.integers(0, 5, len(episode)), 0)
    size = len(episode)
    works = batch.lives.jobs.job_on(day, episode) >= 0
    kind = np.where(
        works, random_codes(rng, "contact_type", size, **_WORKING), random_codes(rng, "contact_type", size, **_LOOKING)
    )
    kind = np.select([turn == 0, turn == 1, turn == 2], ["first", "vocational_profile", "action_plan"], kind)
    attended = np.where(turn == 0, "5", random_codes(rng, "attendance", size, **_ATTENDED))
    came = np.isin(attended, ["5", "6"])
    # Now and then somebody else than the key worker meets the person.
    worker = np.where(rng.random(size) < 0.9, post[episode], conditions.staff.posts(rng, size))
    table = pl.DataFrame(
        {
            "contact_id": batch.series(episode, "CD") + two_digits(turn + 1, 3),
            "episode_id": batch.episodes(episode),
            "contact_date": dates(day),
            "contact_type": kind,
            "contact_medium": random_codes(rng, "contact_medium", size, **{"01": 65, "02": 33, "98": 2}),
            "attended": attended,
            "duration_minutes": where_known(came, rng.integers(3, 19, size) * 5),
            "staff_role": np.full(size, conditions.site.programme.staff_role),
            "staff_ref": conditions.staff.holders(worker, day),
            "with_employer": where_known(rng.random(size) < 0.97, random_yes_no(rng, size, 0.08)),
            "_seen": dates(day),
            "_leaf": np.ones(size, dtype=bool),
            "_watched": np.zeros(size, dtype=bool),
            **batch.facts(episode),
        }
    )
    return table, episode
