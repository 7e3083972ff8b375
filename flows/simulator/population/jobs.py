"""Simulated jobs: when people of a site found paid work, how long it lasted, and what was recorded."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl

from flows.simulator.population.chance import NEVER, dates, random_codes
from flows.simulator.population.episodes import Episodes
from flows.simulator.programmes import SimulatedSite

WEEKS_13, WEEKS_26 = 91, 182  # days in paid work: docs/domain.md 4.2, SUST_13 and SUST_26
_BANDS = ((30, "01"), (16, "02"), (5, "03"), (0, "04"))  # (least hours, code): docs/domain.md 2.2


def job_spells(
    site: SimulatedSite,
    rng: np.random.Generator,
    episodes: Episodes,
    episode_ids: pl.Series,
    refs: pl.Series,
    last: int,
) -> dict[str, object]:
    """Columns of employment_outcomes: a first job for some episodes, and for some of those a second after a gap."""
    open_to_work = np.flatnonzero((episodes.origin <= last) & ~episodes.quiet)
    wait = 1 + rng.exponential(site.programme.days_to_job, len(open_to_work)).astype(int)
    control = episodes.started[open_to_work] >= NEVER
    start = episodes.origin[open_to_work] + np.where(control, wait + wait // 10, wait)
    length = 3 + rng.exponential(300, len(start)).astype(int)
    again = start + length + rng.integers(14, 90, len(start))
    second = rng.random(len(start)) < 0.25
    episode = np.concatenate([open_to_work, open_to_work[second]])
    number = np.concatenate([np.full(len(start), 1), np.full(second.sum(), 2)])
    start = np.concatenate([start, again[second]])
    length = np.concatenate([length, 3 + rng.exponential(300, second.sum()).astype(int)])
    happened = start <= last
    jobs = _Jobs(episode[happened], number[happened], start[happened], length[happened])
    return _rows(site, rng, episodes, jobs, episode_ids, refs)


class _Jobs(NamedTuple):
    """Jobs: one array per attribute, all of the same length."""

    episode: np.ndarray  # index of the episode in the batch
    number: np.ndarray  # 1 for the first job of the episode, 2 for the second
    start: np.ndarray  # days since 1970-01-01
    length: np.ndarray  # days


def _rows(
    site: SimulatedSite,
    rng: np.random.Generator,
    episodes: Episodes,
    jobs: _Jobs,
    episode_ids: pl.Series,
    refs: pl.Series,
) -> dict[str, object]:
    episode, number, start, length = jobs
    size = len(episode)
    hours = rng.integers(16 if site.programme.definition == "WC_JO" else 6, 41, size)
    pay = 7.9 + rng.integers(0, 500, size) / 100  # above the minimum wage of every simulated year
    evidence = start + rng.integers(0, 25, size)
    reached_13, reached_26 = length >= WEEKS_13, length >= WEEKS_26
    end = start + length
    marks = pl.Series(episodes.number[episode] * 2 + number - 2).cast(pl.String)
    return {
        "outcome_id": refs.gather(episodes.person[episode]) + "J" + marks,
        "episode_id": episode_ids.gather(episode),
        "job_spell_no": number,
        "job_start_date": dates(start),
        "job_end_date": dates(end),
        "job_type": random_codes(rng, "job_type", size, employee=70, agency_temp=12, zero_hours=12, self_employed=6),
        "paid_hours_week": pl.Series(hours).cast(pl.String) + ".0",
        "weekly_hours_worked": hours_band(hours),
        "hourly_pay": pl.Series([f"{p:.2f}" for p in pay], dtype=pl.String),
        "at_least_nmw": np.full(size, "Y"),
        "soc_major": random_codes(rng, "soc_major", size),
        "sic_section": random_codes(rng, "sic_section", size, G=30, I=20, Q=20, N=10, C=10, H=10),
        "employer_size_band": random_codes(rng, "employer_size_band", size),
        "outcome_definition_code": np.full(size, site.programme.definition),
        "sust_13w_date": dates(np.where(reached_13, start + WEEKS_13, NEVER)),
        "sust_26w_date": dates(np.where(reached_26, start + WEEKS_26, NEVER)),
        "evidence_type": random_codes(rng, "evidence_type", size, employer_confirmation=40, payslip=30, self_report=30),
        "evidence_date": dates(evidence),
        "in_work_at_start": np.where(episodes.in_work[episode], "Y", "N"),
        "left_job_reason": random_codes(rng, "left_job_reason", size, resigned=4, contract_ended=4, health=2),
        "_seen": dates(start),
        "_leaf": np.ones(size, dtype=bool),
        "_watched": np.zeros(size, dtype=bool),
        "_referred": dates(episodes.referred[episode]),
        "_episode": episode,
    }


def hours_band(hours: np.ndarray) -> np.ndarray:
    """Codes of weekly_hours_worked for hours per week."""
    return np.select([hours >= least for least, _ in _BANDS], [code for _, code in _BANDS], default="99")
