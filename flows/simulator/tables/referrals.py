"""Rows of referrals."""

from __future__ import annotations

import numpy as np
import polars as pl

from flows.simulator.lives.chance import NEVER, dates, random_codes, where_known
from flows.simulator.tables.outcomes import hours_band
from flows.simulator.tables.references import Batch

_STATUSES = {"02": 65, "04": 22, "05": 5, "06": 8}
_SOURCES = {"A1": 30, "B1": 15, "G4": 8, "H2": 4, "M5": 35, "N4": 8}


def statuses_at_start(batch: Batch, rng: np.random.Generator) -> np.ndarray:
    """Employment status of each episode's person at the start."""
    episodes = batch.lives.episodes
    status = random_codes(rng, "employment_status", len(episodes.person), **_STATUSES)
    return np.where(episodes.in_work, "01", status)


def referrals(
    batch: Batch, rng: np.random.Generator, busy: np.ndarray, worker: pl.Series, status: np.ndarray
) -> pl.DataFrame:
    """Rows of referrals.

    `busy` are the episodes that other rows refer to, `worker` is the key worker of each, and `status` the employment
    status at its start.
    """
    people, episodes, jobs, site = batch.lives.people, batch.lives.episodes, batch.lives.jobs, batch.conditions.site
    size = len(episodes.person)
    every = np.arange(size)
    begun, closed = episodes.started < NEVER, episodes.exited < NEVER
    job = jobs.job_on(episodes.exited)
    refused = ~people.takes_part[episodes.person]
    reason = random_codes(rng, "ineligible_reason", size, no_health_condition=3, other_programme=3, other=2)
    on_leave = random_codes(rng, "sick_absence_ind", size, Y=3, N=7)
    return pl.DataFrame(
        {
            "episode_id": batch.episodes(every),
            "participant_ref": batch.people_of(every),
            "referral_received_date": dates(episodes.referred),
            "source_of_referral": random_codes(rng, "source_of_referral", size, **_SOURCES),
            "eligibility_outcome": np.where(episodes.eligible, "eligible", "ineligible"),
            "ineligible_reason": where_known(~episodes.eligible, np.where(refused, "no_consent", reason)),
            "eligibility_date": dates(episodes.decided),
            "programme_start_date": dates(episodes.started),
            "start_basis": where_known(begun, np.full(size, "first_contact")),
            "support_model": np.full(size, site.programme.support_model),
            "employment_status_at_start": status,
            "weekly_hours_at_start": np.where(episodes.in_work, hours_band(jobs.hours[:, 0]), "98"),
            "sick_absence_at_start": where_known(rng.random(size) < 0.9, np.where(episodes.in_work, on_leave, "8")),
            "statutory_sick_pay": where_known(
                rng.random(size) < 0.8, np.where(episodes.in_work & (on_leave == "Y"), "Y", "N")
            ),
            "exit_date": dates(episodes.exited),
            "exit_reason": where_known(closed, episodes.reason),
            "employment_status_at_exit": where_known(
                closed, np.where(job >= 0, "01", np.where(episodes.in_work, "02", status))
            ),
            "weekly_hours_at_exit": where_known(closed, np.where(job >= 0, hours_band(jobs.hours[every, job]), "98")),
            "key_worker_ref": where_known(begun, worker.to_numpy()),
            "_seen": dates(np.maximum(episodes.referred, people.consented[episodes.person])),
            "_leaf": ~np.isin(every, [*busy, *batch.reserved.values()]),
            "_watched": np.zeros(size, dtype=bool),
            "_birth_year": people.birth_year[episodes.person],
            "_refused": refused,
            "_only": np.bincount(episodes.person, minlength=len(people.referred))[episodes.person] == 1,
            **batch.facts(every),
        }
    )
