"""Rows of employment_status_history: status at the start of support, when a job begins or ends, and at exit."""

from __future__ import annotations

import numpy as np
import polars as pl

from flows.simulator.lives.chance import NEVER, Days, dates, random_codes, where_known
from flows.simulator.tables.outcomes import hours_band
from flows.simulator.tables.references import Batch, two_digits


def statuses(batch: Batch, rng: np.random.Generator, out_of_work: np.ndarray) -> pl.DataFrame:
    """Rows of employment_status_history. `out_of_work` is the status of each episode's person while without a job."""
    jobs = batch.lives.jobs
    episode, day = _recorded(batch)
    size = len(episode)
    job = jobs.job_on(day, episode)
    works = job >= 0
    since = jobs.start[episode, job]
    benefit = random_codes(rng, "benefit_ind", size, Y=70, N=28, U=2)

    def known(share: float, values: np.ndarray) -> pl.Series:
        return where_known(rng.random(size) < share, values)

    def named(share: float) -> pl.Series:
        """One of several benefits: received only by those who receive any."""
        return known(0.9, np.where((benefit == "Y") & (rng.random(size) < share), "Y", "N"))

    number = np.arange(size) - np.searchsorted(episode, episode)
    status = np.where(works, "01", np.where(out_of_work[episode] == "01", "02", out_of_work[episode]))
    return pl.DataFrame(
        {
            "status_id": batch.series(episode, "ST") + two_digits(number + 1),
            "episode_id": batch.episodes(episode),
            "recorded_date": dates(day),
            "employment_status": status,
            "weekly_hours_worked": known(0.97, np.where(works, hours_band(jobs.hours[episode, job]), "98")),
            "status_start_date": dates(np.where(works & (rng.random(size) < 0.9), since, NEVER)),
            "self_employed_ind": known(0.9, np.where(works, _yes(rng, size, 0.06), "8")),
            "sick_absence_ind": known(0.9, np.where(works, _yes(rng, size, 0.05), "8")),
            "ssp_ind": known(0.8, np.where(works, _yes(rng, size, 0.03), "N")),
            "benefit_ind": benefit,
            "esa_ind": named(0.4),
            "uc_ind": named(0.4),
            "pip_ind": named(0.2),
            "recorded_by": known(0.9, np.full(size, batch.conditions.site.programme.staff_role)),
            "_seen": dates(day),
            "_leaf": np.ones(size, dtype=bool),
            "_watched": np.zeros(size, dtype=bool),
            **batch.facts(episode),
        }
    )


def _yes(rng: np.random.Generator, size: int, share: float) -> np.ndarray:
    return np.where(rng.random(size) < share, "Y", "N")


def _recorded(batch: Batch) -> tuple[np.ndarray, Days]:
    """Episodes, in order, and the days on which something was recorded of each, none twice."""
    episodes, jobs = batch.lives.episodes, batch.lives.jobs
    every = np.arange(len(episodes.person))
    times = [episodes.started, episodes.exited]
    for number in range(jobs.start.shape[1]):
        times += [jobs.start[:, number], np.where(jobs.end[:, number] < NEVER, jobs.end[:, number] + 1, NEVER)]
    episode, day = np.tile(every, len(times)), np.concatenate(times)
    until = np.minimum(np.minimum(episodes.exited, episodes.until), batch.conditions.last)[episode]
    kept = batch.supported[episode] & (day >= episodes.started[episode]) & (day <= until)
    pairs = np.unique(np.stack([episode[kept], day[kept]], axis=1), axis=0)
    return pairs[:, 0], pairs[:, 1]
