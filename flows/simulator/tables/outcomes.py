"""Rows of employment_outcomes, and when jobs had lasted for 13 and 26 weeks."""

from __future__ import annotations

import numpy as np
import polars as pl

from flows.simulator.lives.chance import NEVER, Days, dates, random_codes, where_known
from flows.simulator.lives.jobs import JobSpells
from flows.simulator.tables.references import Batch

# code: days in paid work, and within how many days of the first job start. Source: docs/domain.md 4.2
_LASTING = {"SUST_13": (91, 112), "SUST_26": (182, 210)}
_BANDS = ((30, "01"), (16, "02"), (5, "03"), (0, "04"))  # (least hours, code): docs/domain.md 2.2
_LEFT = {"resigned": 4, "contract_ended": 4, "health": 2, "better_job": 2, "redundancy": 1, "dismissed": 1}


def outcomes(batch: Batch, rng: np.random.Generator) -> tuple[pl.DataFrame, np.ndarray]:
    """Rows of employment_outcomes, and the index of the episode of each."""
    episodes, jobs, site = batch.lives.episodes, batch.lives.jobs, batch.conditions.site
    episode, number = np.nonzero(jobs.start <= batch.conditions.last)
    start, end, hours = jobs.start[episode, number], jobs.end[episode, number], jobs.hours[episode, number]
    size = len(episode)
    kept = episodes.in_work[episode] & (number == 0)
    # A payment by results is by the definition of the contract, by which only one job counts.
    reached, several = _sustained(jobs, episodes.until, add_up=not site.by_results)
    lasted = {code: np.where(kept, NEVER, day[episode, number]) for code, day in reached.items()}
    definition = np.full(size, site.programme.definition, dtype=object)
    for code, by_several in several.items():
        definition[by_several[episode] & (number == 0) & ~kept] = code
    evidence = np.maximum(start, episodes.origin[episode]) + rng.integers(0, 25, size)
    pay = 7.9 + rng.integers(0, 500, size) / 100  # above the minimum wage of every simulated year
    died = end == episodes.died[episode]
    reason = np.where(died, "other", random_codes(rng, "left_job_reason", size, **_LEFT))

    def known(share: float, values: np.ndarray) -> pl.Series:
        return where_known(rng.random(size) < share, values)

    kinds = random_codes(rng, "job_type", size, employee=70, agency_temp=12, zero_hours=12, self_employed=6)
    table = pl.DataFrame(
        {
            "outcome_id": batch.series(episode, "JK") + pl.Series(number + 1).cast(pl.String),
            "episode_id": batch.episodes(episode),
            "job_spell_no": number + 1,
            "job_start_date": dates(start),
            "job_end_date": dates(end),
            "job_type": kinds,
            "paid_hours_week": pl.Series(hours).cast(pl.String) + ".0",
            "weekly_hours_worked": hours_band(hours),
            "hourly_pay": known(0.9, np.array([f"{p:.2f}" for p in pay], dtype=object)),
            "at_least_nmw": np.full(size, "Y"),
            "soc_major": known(0.9, random_codes(rng, "soc_major", size)),
            "sic_section": known(0.9, random_codes(rng, "sic_section", size, G=30, I=20, Q=20, N=10, C=10, H=10)),
            "employer_size_band": known(0.85, random_codes(rng, "employer_size_band", size)),
            "outcome_definition_code": definition.astype(str),
            "sust_13w_date": dates(lasted["SUST_13"]),
            "sust_26w_date": dates(lasted["SUST_26"]),
            "evidence_type": random_codes(
                rng, "evidence_type", size, employer_confirmation=40, payslip=30, self_report=30
            ),
            "evidence_date": dates(evidence),
            "in_work_at_start": np.where(episodes.in_work[episode], "Y", "N"),
            "left_job_reason": where_known(end < NEVER, reason),
            "_seen": dates(np.maximum(start, episodes.origin[episode])),
            "_leaf": np.ones(size, dtype=bool),
            "_watched": np.zeros(size, dtype=bool),
            **batch.facts(episode),
        }
    )
    return table, episode


def _sustained(jobs: JobSpells, until: Days, *, add_up: bool) -> tuple[dict[str, Days], dict[str, np.ndarray]]:
    """The day on which each job had lasted, by definition; and for which episodes several jobs count for the first.

    A job lasts by itself, or if jobs `add_up` and it is the first of its episode, together with those that follow it.
    """
    reached, several = {}, {}
    last = np.where(jobs.start < NEVER, np.minimum(jobs.end, until[:, None]), -1)
    length = np.where(jobs.start < NEVER, last - jobs.start + 1, 0)
    for code, (least, within) in _LASTING.items():
        alone = np.where(length > least, jobs.start + least, NEVER)
        before = np.cumsum(length, axis=1) - length
        lacking = least - before
        together = np.where((lacking > 0) & (length >= lacking), jobs.start + lacking - 1, NEVER).min(axis=1)
        together = np.maximum(together, jobs.start[:, 0] + least)
        in_time = add_up & (alone[:, 0] >= NEVER) & (together <= np.minimum(jobs.start[:, 0] + within - 1, until))
        alone[:, 0] = np.where(in_time, together, alone[:, 0])
        reached[code], several[code] = alone, in_time
    # nothing lasts for 26 weeks that had not lasted for 13
    lacks = reached["SUST_13"] >= NEVER
    reached["SUST_26"] = np.where(lacks, NEVER, reached["SUST_26"])
    several["SUST_26"] &= ~lacks[:, 0]
    return reached, several


def hours_band(hours: np.ndarray) -> np.ndarray:
    """Codes of weekly_hours_worked for hours per week."""
    return np.select([hours >= least for least, _ in _BANDS], [code for _, code in _BANDS], default="99")
