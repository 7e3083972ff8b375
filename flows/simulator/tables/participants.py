"""Rows of participants and randomisation."""

from __future__ import annotations

import numpy as np
import polars as pl

from flows.simulator.lives.chance import NEVER, dates, random_codes, random_yes_no, where_known, years_of
from flows.simulator.tables.references import Batch
from schemas._contract.code_lists import code_list

_ETHNIC = {
    "A": 74, "B": 1, "C": 4, "D": 2, "G": 1, "H": 3, "J": 5, "K": 1, "L": 1, "M": 2, "N": 2, "R": 0.5, "Z": 3,
    "99": 0.5,
}  # fmt: skip
_CONDITIONS = {
    "common_mental_disorder": 70,
    "severe_mental_illness": 10,
    "musculoskeletal": 8,
    "multiple": 8,
    "not_stated": 4,
}


def participants(batch: Batch, rng: np.random.Generator) -> pl.DataFrame:
    """Rows of participants: everybody, with an answer to most of the optional questions."""
    people, site = batch.lives.people, batch.conditions.site
    size = len(people.referred)
    number = batch.first + np.arange(size)
    out_of_work = np.clip(rng.exponential(22, size).astype(int), 1, 240)
    benefits = dict.fromkeys(site.programme.benefits, 1.0)
    conditions = rng.integers(1, 5, size)

    def answered(share: float, values: np.ndarray) -> pl.Series:
        return where_known(rng.random(size) < share, values)

    second = random_codes(rng, "primary_condition", size, musculoskeletal=4, other_physical=2, substance_use=1)
    small_area = np.array([f"E01{n:06d}" for n in (number * 7919 + 17) % 1_000_000])
    is_known = rng.random(size) < 0.95
    return pl.DataFrame(
        {
            "participant_ref": batch.people,
            "site_code": np.full(size, site.code),
            "year_of_birth": people.birth_year,
            "age_at_referral": answered(0.9, years_of(people.referred) - people.birth_year),
            "gender": random_codes(rng, "gender", size, **{"1": 48, "2": 50, "9": 0.5, "X": 1.5}),
            "ethnic_category": random_codes(rng, "ethnic_category", size, **_ETHNIC),
            "disability_ea2010": random_codes(
                rng, "disability_ea2010", size, Y=45, N=40, prefer_not_say=10, not_known=5
            ),
            "primary_condition": random_codes(rng, "primary_condition", size, **_CONDITIONS),
            "secondary_condition": where_known(conditions > 2, second),
            "condition_count": answered(0.95, conditions),
            # a different small area for each person, so that no two are taken for the same person (rule P05)
            "lsoa": where_known(is_known, small_area),
            "la_code": np.array(site.areas)[rng.integers(0, len(site.areas), size)],
            "gp_area_code": where_known(
                np.full(size, site.programme.trial), np.array(site.gp_areas)[rng.integers(0, len(site.gp_areas), size)]
            ),
            "imd_decile": where_known(is_known, rng.integers(1, 11, size)),
            "highest_qualification": answered(0.7, random_codes(rng, "highest_qualification", size)),
            "months_out_of_work": where_known(~people.in_work & (rng.random(size) < 0.95), out_of_work),
            "benefit_at_start": np.where(
                people.in_work, "none", random_codes(rng, "benefit_at_start", size, **benefits)
            ),
            "consent_participation": np.where(people.takes_part, "Y", "N"),
            "consent_data_sharing": np.full(size, "Y"),
            "consent_linkage": answered(0.97, random_yes_no(rng, size, 0.8)),
            "consent_date": dates(people.consented),
            "consent_withdrawn_date": dates(np.where(people.withdrew < people.died, people.withdrew, NEVER)),
            "deceased_date": dates(np.where(people.died <= people.withdrew, people.died, NEVER)),
            "_seen": dates(np.maximum(people.referred, people.consented)),
            "_leaf": people.spare,
            "_watched": batch.watched(np.arange(size)),
        }
    )


def randomisation(batch: Batch, busy: np.ndarray) -> pl.DataFrame:
    """Rows of randomisation. `busy` are the episodes that other rows refer to, by index."""
    people, trial, episodes = batch.lives.people, batch.lives.trial, batch.lives.episodes
    assert trial is not None
    rows = np.flatnonzero(trial.randomised < NEVER)
    methods = code_list("allocation_method").codes
    refs = batch.people.gather(rows)
    return pl.DataFrame(
        {
            "randomisation_id": refs + "R1",
            "participant_ref": refs,
            "trial_group": trial.group[rows],
            "baseline_completed_date": dates(trial.baseline[rows]),
            "randomised_date": dates(trial.randomised[rows]),
            "arm": np.where(trial.control[rows], "control", "ips"),
            "allocation_method": np.full(len(rows), "blocked" if "blocked" in methods else methods[0]),
            "notified_date": dates(trial.randomised[rows]),
            "consent_version": np.full(len(rows), "v2.1"),
            "_seen": dates(trial.randomised[rows]),
            "_leaf": ~np.isin(rows, episodes.person[busy]),
            "_watched": batch.watched(rows),
            "_consented": dates(people.consented[rows]),
            "_died": dates(np.where(people.died <= people.withdrew, people.died, NEVER)[rows]),
        }
    )
