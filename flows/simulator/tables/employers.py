"""Rows of employer_support: help for a participant's employer, and meetings with employers about jobs."""

from __future__ import annotations

import numpy as np
import polars as pl

from flows.simulator.lives.chance import Days, dates, days, random_codes, where_known
from flows.simulator.tables.references import Batch, two_digits

_PER_JOB, _PER_PERSON = 0.5, 0.05  # acts of support for a participant; meetings for none
_ADJUSTED = ("reasonable_adjustment", "job_carve", "access_to_work_help")


def employer_support(batch: Batch, rng: np.random.Generator) -> pl.DataFrame:
    """Rows of employer_support."""
    episodes, jobs, conditions = batch.lives.episodes, batch.lives.jobs, batch.conditions
    day = jobs.start + rng.integers(3, 60, jobs.start.shape)
    until = np.minimum(np.minimum(episodes.exited, episodes.until), conditions.last)[:, None]
    during = (jobs.start >= episodes.started[:, None]) & (day <= np.minimum(until, jobs.end)) & batch.supported[:, None]
    episode, number = np.nonzero(during & (rng.random(day.shape) < _PER_JOB))
    meetings = int(len(batch.lives.people.referred) * _PER_PERSON)
    met = rng.integers(days(conditions.site.programme.intake_from), conditions.last + 1, meetings)
    general = conditions.site.prefix + "G" + two_digits(batch.first + np.arange(meetings), 6)
    ids = batch.series(episode, "XY") + pl.Series(number + 1).cast(pl.String)
    of_job = _rows(rng, ids, batch.episodes(episode), day[episode, number])
    of_job = of_job.with_columns(**batch.facts(episode))
    kinds = random_codes(rng, "employer_support_type", meetings, employer_engagement=7, mental_health_awareness=3)
    none = pl.Series([None] * meetings, dtype=pl.String)
    in_general = _rows(rng, general, none, met).with_columns(support_type=kinds, adjustment_made=none, outcome=none)
    return pl.concat([of_job, in_general], how="diagonal")


def _rows(rng: np.random.Generator, ids: pl.Series, episode_ids: pl.Series, day: Days) -> pl.DataFrame:
    size = len(ids)
    kinds = random_codes(
        rng, "employer_support_type", size, in_work_support=45, reasonable_adjustment=25, access_to_work_help=10,
        mental_health_awareness=15, job_carve=5,
    )  # fmt: skip
    adjusted = np.isin(kinds, _ADJUSTED) & (rng.random(size) < 0.6)
    other = random_codes(rng, "employer_support_outcome", size, job_kept=5, no_change=2, ongoing=3)
    return pl.DataFrame(
        {
            "support_id": ids,
            "episode_id": episode_ids,
            "support_date": dates(day),
            "employer_size_band": where_known(rng.random(size) < 0.85, random_codes(rng, "employer_size_band", size)),
            "sic_section": where_known(
                rng.random(size) < 0.85, random_codes(rng, "sic_section", size, G=30, I=20, Q=20, N=10, C=10, H=10)
            ),
            "support_type": kinds,
            "adjustment_made": where_known(rng.random(size) < 0.9, np.where(adjusted, "Y", "N")),
            "outcome": where_known(rng.random(size) < 0.8, np.where(adjusted, "adjustment_made", other)),
            "_seen": dates(day),
            "_leaf": np.ones(size, dtype=bool),
            "_watched": np.zeros(size, dtype=bool),
        }
    )
