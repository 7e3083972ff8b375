"""The made-up people of one site and all that happened to them up to the last cut-off, table by table.

People come in batches, so that a population of any size needs bounded memory. All randomness comes from one generator
per batch: the same seed gives the same people. Columns are the contracts' fields; those that begin with '_' stay here:
`_seen` (the day from which an extract holds the row), `_leaf` (no other row hangs on this one, so a fault in it stays
one fault) and `_watched` (the person is kept for faults that show only between two deliveries).
"""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from flows.simulator.population.chance import NEVER, dates, days, filled, picked, picked_letters
from flows.simulator.population.episodes import Episodes, first_episodes, with_returns
from flows.simulator.population.jobs import job_spells
from flows.simulator.population.people import People, Trial, people_of, trial_of
from flows.simulator.programmes import SimulatedSite
from schemas._contract.code_lists import code_list

BATCH = 20_000  # people at a time: about 200,000 contacts
WATCHED_EVERY = 8


def population(
    site: SimulatedSite, rng: np.random.Generator, first: int, size: int, cut: date, spare: float
) -> dict[str, pl.DataFrame]:
    """The tables of `size` people of a site, numbered from `first`. `spare` is the share kept free for faults."""
    last = days(cut)
    people = people_of(site, rng, size, last, spare)
    trial = trial_of(site, rng, people, last) if site.programme.trial else None
    spells = first_episodes(site, rng, people, trial, spare)
    if trial is None:
        spells = with_returns(spells, rng, last, spare)
    ref = pl.Series([f"{site.prefix}{first + i:06d}" for i in range(size)], dtype=pl.String)
    episode = ref.gather(spells.person) + "E" + pl.Series(spells.number).cast(pl.String)
    watched = (np.arange(first, first + size) % WATCHED_EVERY) == 0
    contacts = _contacts(site, rng, spells, episode, ref, last)
    jobs = job_spells(site, rng, spells, episode, ref, last)
    busy = np.isin(np.arange(len(spells.person)), np.concatenate([contacts.pop("_spell"), jobs.pop("_spell")]))
    tables = {
        "participants": _participants(site, rng, people, first, ref, watched),
        "referrals": _referrals(site, rng, people, spells, ref, episode).with_columns(_leaf=~busy),
        "contacts": pl.DataFrame(contacts),
        "employment_outcomes": pl.DataFrame(jobs),
    }
    if trial is not None:
        tables["randomisation"] = _randomisation(people, trial, spells, ref, watched, busy)
    return tables


def _participants(
    site: SimulatedSite, rng: np.random.Generator, people: People, first: int, ref: pl.Series, watched: np.ndarray
) -> pl.DataFrame:
    size = len(ref)
    number = first + np.arange(size)
    out_of_work = np.clip(rng.exponential(22, size).astype(int), 1, 240)
    area = np.array(site.areas)[rng.integers(0, len(site.areas), size)]
    year = people.referred.astype("datetime64[D]").astype("datetime64[Y]").astype(int) + 1970
    benefits = dict.fromkeys(site.programme.benefits, 1.0)
    practice = np.array(site.gp_areas)[rng.integers(0, len(site.gp_areas), size)]
    return pl.DataFrame(
        {
            "participant_ref": ref,
            "site_code": np.full(size, site.code),
            "year_of_birth": people.birth_year,
            "age_at_referral": year - people.birth_year,
            "gender": picked(rng, "gender", size, **{"1": 48, "2": 50, "9": 0.5, "X": 1.5}),
            "ethnic_category": picked(rng, "ethnic_category", size, **_ETHNIC),
            "disability_ea2010": picked(rng, "disability_ea2010", size, Y=45, N=40, prefer_not_say=10, not_known=5),
            "primary_condition": picked(rng, "primary_condition", size, **_CONDITIONS),
            "condition_count": rng.integers(1, 5, size),
            # Each made-up person has a small area alone, so that no two look like one person (rule P05).
            "lsoa": pl.Series([f"E01{n:06d}" for n in (number * 7919 + 17) % 1_000_000]),
            "la_code": area,
            "gp_area_code": filled(np.full(size, site.programme.trial), practice),
            "imd_decile": rng.integers(1, 11, size),
            "months_out_of_work": pl.Series(out_of_work).set(pl.Series(people.in_work), None),
            "benefit_at_start": np.where(people.in_work, "none", picked(rng, "benefit_at_start", size, **benefits)),
            "consent_participation": np.full(size, "Y"),
            "consent_data_sharing": np.full(size, "Y"),
            "consent_linkage": picked_letters(rng, size, 0.8),
            "consent_date": dates(people.consented),
            "_seen": dates(np.maximum(people.referred, people.consented)),
            "_leaf": people.spare,
            "_watched": watched,
        }
    )


_ETHNIC = {
    "A": 74,
    "B": 1,
    "C": 4,
    "D": 2,
    "G": 1,
    "H": 3,
    "J": 5,
    "K": 1,
    "L": 1,
    "M": 2,
    "N": 2,
    "R": 0.5,
    "Z": 3,
    "99": 0.5,
}
_CONDITIONS = {
    "common_mental_disorder": 70,
    "severe_mental_illness": 10,
    "musculoskeletal": 8,
    "multiple": 8,
    "not_stated": 4,
}
_SOURCES = {"A1": 30, "B1": 15, "G4": 8, "H2": 4, "M5": 35, "N4": 8}


def _referrals(
    site: SimulatedSite,
    rng: np.random.Generator,
    people: People,
    spells: Episodes,
    ref: pl.Series,
    episode: pl.Series,
) -> pl.DataFrame:
    size = len(spells.person)
    status = picked(rng, "employment_status", size, **{"02": 65, "04": 22, "05": 5, "06": 8})
    hours = picked(rng, "weekly_hours_worked", size, **{"01": 40, "02": 45, "03": 15})
    begun = spells.started < NEVER
    finished = np.isin(spells.reason, ["completed_in_work"])
    consented = people.consented[spells.person]
    return pl.DataFrame(
        {
            "episode_id": episode,
            "participant_ref": ref.gather(spells.person),
            "referral_received_date": dates(spells.referred),
            "source_of_referral": picked(rng, "source_of_referral", size, **_SOURCES),
            "eligibility_outcome": np.where(spells.eligible, "eligible", "ineligible"),
            "ineligible_reason": filled(
                ~spells.eligible,
                picked(rng, "ineligible_reason", size, no_health_condition=3, other_programme=3, other=2),
            ),
            "eligibility_date": dates(spells.decided),
            "programme_start_date": dates(spells.started),
            "start_basis": filled(begun, np.full(size, "first_contact")),
            "support_model": np.full(size, site.programme.support_model),
            "employment_status_at_start": np.where(spells.in_work, "01", status),
            "weekly_hours_at_start": np.where(spells.in_work, hours, "98"),
            "exit_date": dates(spells.exited),
            "exit_reason": filled(spells.exited < NEVER, spells.reason),
            "employment_status_at_exit": filled(spells.exited < NEVER, np.where(finished | spells.in_work, "01", "02")),
            "weekly_hours_at_exit": filled(spells.exited < NEVER, np.where(finished | spells.in_work, hours, "98")),
            "key_worker_ref": [f"W-{w:04d}" for w in rng.integers(1, 40, size)],
            "_seen": dates(np.maximum(spells.referred, consented)),
            "_watched": np.zeros(size, dtype=bool),
            "_birth_year": people.birth_year[spells.person],
        }
    )


def _contacts(
    site: SimulatedSite, rng: np.random.Generator, spells: Episodes, episode: pl.Series, ref: pl.Series, last: int
) -> dict[str, object]:
    """Contacts at a steady rhythm of each episode's own, so that no two of one episode fall on one day (rule K04)."""
    going = np.flatnonzero((spells.started <= last) & ~spells.quiet)
    end = np.minimum(np.minimum(spells.exited[going], last), spells.started[going] + 400)
    gap = rng.integers(7, 22, len(going))
    count = 1 + (end - spells.started[going]) // gap
    spell = np.repeat(going, count)
    turn = np.arange(len(spell)) - np.repeat(np.cumsum(count) - count, count)
    wait = np.repeat(gap, count)
    day = spells.started[spell] + turn * wait - np.where(turn > 0, rng.integers(0, 5, len(spell)), 0)
    first = turn == 0
    size = len(spell)
    attended = np.where(
        first, "5", picked(rng, "attendance", size, **{"2": 8, "3": 10, "4": 3, "5": 70, "6": 8, "7": 1})
    )
    came = np.isin(attended, ["5", "6"])
    kinds = {
        "vocational_profile": 6,
        "action_plan": 8,
        "job_search": 40,
        "employer_contact": 8,
        "benefits_advice": 6,
        "in_work_support": 14,
        "review": 18,
    }
    numbers = pl.Series(turn + 1).cast(pl.String).str.zfill(3)
    return {
        "contact_id": ref.gather(spells.person[spell]) + _series_letter(spells.number[spell]) + numbers,
        "episode_id": episode.gather(spell),
        "contact_date": dates(day),
        "contact_type": np.where(first, "first", picked(rng, "contact_type", size, **kinds)),
        "contact_medium": picked(rng, "contact_medium", size, **{"01": 65, "02": 33, "98": 2}),
        "attended": attended,
        "duration_minutes": filled(came, rng.integers(3, 19, size) * 5),
        "staff_role": np.full(size, site.programme.staff_role),
        "staff_ref": pl.Series(_STAFF).gather(rng.integers(0, len(_STAFF), size)),
        "with_employer": picked_letters(rng, size, 0.08),
        "_seen": dates(day),
        "_leaf": np.ones(size, dtype=bool),
        "_watched": np.zeros(size, dtype=bool),
        "_start": dates(spells.started[spell]),
        "_spell": spell,
    }


_STAFF = [f"W-{n:04d}" for n in range(1, 40)]


def _series_letter(number: np.ndarray) -> pl.Series:
    """Contacts of a first episode are numbered C001, ..., those of a second D001, ..."""
    return pl.Series(np.where(number == 1, "C", "D"))


def _randomisation(
    people: People, trial: Trial, spells: Episodes, ref: pl.Series, watched: np.ndarray, busy: np.ndarray
) -> pl.DataFrame:
    rows = np.flatnonzero(trial.randomised < NEVER)
    quiet = ~np.isin(rows, spells.person[busy])
    methods = code_list("allocation_method").codes
    return pl.DataFrame(
        {
            "randomisation_id": ref.gather(rows) + "R1",
            "participant_ref": ref.gather(rows),
            "trial_group": trial.group[rows],
            "baseline_completed_date": dates(trial.baseline[rows]),
            "randomised_date": dates(trial.randomised[rows]),
            "arm": np.where(trial.control[rows], "control", "ips"),
            "allocation_method": np.full(len(rows), "blocked" if "blocked" in methods else methods[0]),
            "notified_date": dates(trial.randomised[rows]),
            "consent_version": np.full(len(rows), "v2.1"),
            "_seen": dates(trial.randomised[rows]),
            "_leaf": quiet,
            "_watched": watched[rows],
            "_consented": dates(people.consented[rows]),
        }
    )
