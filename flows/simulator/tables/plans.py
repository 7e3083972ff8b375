"""Rows of action_plans: profiles and plans made at a meeting, and plans for support in a new job."""

from __future__ import annotations

import numpy as np
import polars as pl

from flows.simulator.lives.chance import NEVER, Days, dates, days_of, random_codes, random_yes_no, where_known
from flows.simulator.tables.references import Batch

_REVIEWED, _WITH_JOB_PLAN = 0.6, 0.7  # of plans; of jobs during support


def plans(batch: Batch, rng: np.random.Generator, met: pl.DataFrame, of_contact: np.ndarray) -> pl.DataFrame:
    """Rows of action_plans. `met` are the contacts, and `of_contact` the episode of each, by index."""
    came = met["attended"].is_in(["5", "6"]).to_numpy()
    parts: list[tuple[np.ndarray, Days, str, np.ndarray]] = []
    for turn, kind in enumerate(("vocational_profile", "action_plan"), start=1):
        made = came & (met["contact_type"] == kind).to_numpy()
        parts.append((of_contact[made], days_of(met["contact_date"])[made], kind, np.full(made.sum(), turn)))
    episode, number, day = _in_work(batch, rng)
    parts.append((episode, day, "in_work_support_plan", number + 3))
    return pl.concat([_rows(batch, rng, *part) for part in parts])


def _in_work(batch: Batch, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, Days]:
    """Episode and number of the jobs that begin during support, and the day of a plan for each."""
    episodes, jobs = batch.lives.episodes, batch.lives.jobs
    day = jobs.start + rng.integers(0, 15, jobs.start.shape)
    until = np.minimum(np.minimum(episodes.exited, episodes.until), batch.conditions.last)[:, None]
    during = (jobs.start >= episodes.started[:, None]) & (day <= until) & batch.supported[:, None]
    episode, number = np.nonzero(during & (rng.random(day.shape) < _WITH_JOB_PLAN))
    return episode, number, day[episode, number]


def _rows(
    batch: Batch, rng: np.random.Generator, episode: np.ndarray, day: Days, kind: str, number: np.ndarray
) -> pl.DataFrame:
    episodes, size = batch.lives.episodes, len(episode)
    reviewed = day + rng.integers(60, 121, size)
    until = np.minimum(episodes.exited, episodes.until)[episode]
    reviewed = np.where((reviewed <= until) & (rng.random(size) < _REVIEWED), reviewed, NEVER)

    def known(share: float, values: np.ndarray) -> pl.Series:
        return where_known(rng.random(size) < share, values)

    return pl.DataFrame(
        {
            "plan_id": batch.series(episode, "PQ") + pl.Series(number).cast(pl.String),
            "episode_id": batch.episodes(episode),
            "plan_type": np.full(size, kind),
            "completed_date": dates(day),
            "reviewed_date": dates(reviewed),
            "preferred_hours": known(0.9, random_codes(rng, "preferred_hours", size)),
            "disclosure_preference": known(0.85, random_codes(rng, "disclosure_preference", size)),
            "benefits_calc_done": known(0.9, random_yes_no(rng, size, 0.6)),
            "goal_count": known(0.9, rng.integers(1, 7, size)).cast(pl.String),
            "_seen": dates(day),
            "_leaf": np.ones(size, dtype=bool),
            "_watched": np.zeros(size, dtype=bool),
            **batch.facts(episode),
        }
    )
