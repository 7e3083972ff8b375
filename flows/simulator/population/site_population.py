"""The simulated people of one site, as the tables of its datasets up to the last cut-off.

People come in batches, so that memory is bounded whatever their number. Each batch has one random generator: the same
seed gives the same people. Columns are the fields of the contracts, and some that no extract has:

    _seen     first day on which an extract holds the row
    _leaf     no other row refers to this one, so a fault in it causes one finding only
    _watched  the person is reserved for faults that show only between two deliveries
"""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from flows.simulator.population.chance import NEVER, dates, days, random_codes, random_yes_no, where_known
from flows.simulator.population.episodes import Episodes, first_episodes, with_second_episodes
from flows.simulator.population.jobs import job_spells
from flows.simulator.population.people import People, Trial, people_of, trial_of
from flows.simulator.programmes import SimulatedSite
from schemas._contract.code_lists import code_list

BATCH = 20_000  # people at a time: about 200,000 contacts
WATCHED_EVERY = 8


def population(
    site: SimulatedSite, rng: np.random.Generator, first: int, size: int, cut_off: date, spare: float
) -> dict[str, pl.DataFrame]:
    """Generate the tables of `size` people of a site, numbered from `first`, up to the day `cut_off`, by dataset.

    `spare` is the share of people, and of episodes, that no other row refers to.
    """
    last = days(cut_off)
    people = people_of(site, rng, size, last, spare)
    trial = trial_of(site, rng, people, last) if site.programme.trial else None
    episodes = first_episodes(site, rng, people, trial, spare)
    if trial is None:
        episodes = with_second_episodes(episodes, rng, last, spare)
    refs = pl.Series([f"{site.prefix}{first + i:06d}" for i in range(size)], dtype=pl.String)
    episode_ids = refs.gather(episodes.person) + "E" + pl.Series(episodes.number).cast(pl.String)
    watched = (np.arange(first, first + size) % WATCHED_EVERY) == 0
    contacts = _contacts(site, rng, episodes, episode_ids, refs, last)
    jobs = job_spells(site, rng, episodes, episode_ids, refs, last)
    busy = np.isin(np.arange(len(episodes.person)), np.concatenate([contacts.pop("_episode"), jobs.pop("_episode")]))
    tables = {
        "participants": _participants(site, rng, people, first, refs, watched),
        "referrals": _referrals(site, rng, people, episodes, refs, episode_ids).with_columns(_leaf=~busy),
        "contacts": pl.DataFrame(contacts),
        "employment_outcomes": pl.DataFrame(jobs),
    }
    if trial is not None:
        tables["randomisation"] = _randomisation(people, trial, episodes, refs, watched, busy)
    return tables


def _participants(
    site: SimulatedSite, rng: np.random.Generator, people: People, first: int, refs: pl.Series, watched: np.ndarray
) -> pl.DataFrame:
    size = len(refs)
    number = first + np.arange(size)
    out_of_work = np.clip(rng.exponential(22, size).astype(int), 1, 240)
    area = np.array(site.areas)[rng.integers(0, len(site.areas), size)]
    year = people.referred.astype("datetime64[D]").astype("datetime64[Y]").astype(int) + 1970
    benefits = dict.fromkeys(site.programme.benefits, 1.0)
    practice = np.array(site.gp_areas)[rng.integers(0, len(site.gp_areas), size)]
    return pl.DataFrame(
        {
            "participant_ref": refs,
            "site_code": np.full(size, site.code),
            "year_of_birth": people.birth_year,
            "age_at_referral": year - people.birth_year,
            "gender": random_codes(rng, "gender", size, **{"1": 48, "2": 50, "9": 0.5, "X": 1.5}),
            "ethnic_category": random_codes(rng, "ethnic_category", size, **_ETHNIC),
            "disability_ea2010": random_codes(
                rng, "disability_ea2010", size, Y=45, N=40, prefer_not_say=10, not_known=5
            ),
            "primary_condition": random_codes(rng, "primary_condition", size, **_CONDITIONS),
            "condition_count": rng.integers(1, 5, size),
            # a different small area for each person, so that no two are taken for the same person (rule P05)
            "lsoa": pl.Series([f"E01{n:06d}" for n in (number * 7919 + 17) % 1_000_000]),
            "la_code": area,
            "gp_area_code": where_known(np.full(size, site.programme.trial), practice),
            "imd_decile": rng.integers(1, 11, size),
            "months_out_of_work": pl.Series(out_of_work).set(pl.Series(people.in_work), None),
            "benefit_at_start": np.where(
                people.in_work, "none", random_codes(rng, "benefit_at_start", size, **benefits)
            ),
            "consent_participation": np.full(size, "Y"),
            "consent_data_sharing": np.full(size, "Y"),
            "consent_linkage": random_yes_no(rng, size, 0.8),
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
    episodes: Episodes,
    refs: pl.Series,
    episode_ids: pl.Series,
) -> pl.DataFrame:
    size = len(episodes.person)
    status = random_codes(rng, "employment_status", size, **{"02": 65, "04": 22, "05": 5, "06": 8})
    hours = random_codes(rng, "weekly_hours_worked", size, **{"01": 40, "02": 45, "03": 15})
    begun = episodes.started < NEVER
    finished = np.isin(episodes.reason, ["completed_in_work"])
    consented = people.consented[episodes.person]
    return pl.DataFrame(
        {
            "episode_id": episode_ids,
            "participant_ref": refs.gather(episodes.person),
            "referral_received_date": dates(episodes.referred),
            "source_of_referral": random_codes(rng, "source_of_referral", size, **_SOURCES),
            "eligibility_outcome": np.where(episodes.eligible, "eligible", "ineligible"),
            "ineligible_reason": where_known(
                ~episodes.eligible,
                random_codes(rng, "ineligible_reason", size, no_health_condition=3, other_programme=3, other=2),
            ),
            "eligibility_date": dates(episodes.decided),
            "programme_start_date": dates(episodes.started),
            "start_basis": where_known(begun, np.full(size, "first_contact")),
            "support_model": np.full(size, site.programme.support_model),
            "employment_status_at_start": np.where(episodes.in_work, "01", status),
            "weekly_hours_at_start": np.where(episodes.in_work, hours, "98"),
            "exit_date": dates(episodes.exited),
            "exit_reason": where_known(episodes.exited < NEVER, episodes.reason),
            "employment_status_at_exit": where_known(
                episodes.exited < NEVER, np.where(finished | episodes.in_work, "01", "02")
            ),
            "weekly_hours_at_exit": where_known(
                episodes.exited < NEVER, np.where(finished | episodes.in_work, hours, "98")
            ),
            "key_worker_ref": [f"W-{w:04d}" for w in rng.integers(1, 40, size)],
            "_seen": dates(np.maximum(episodes.referred, consented)),
            "_watched": np.zeros(size, dtype=bool),
            "_birth_year": people.birth_year[episodes.person],
        }
    )


def _contacts(
    site: SimulatedSite,
    rng: np.random.Generator,
    episodes: Episodes,
    episode_ids: pl.Series,
    refs: pl.Series,
    last: int,
) -> dict[str, object]:
    """Columns of contacts, at each episode's own interval, so that none has two on one day (rule K04)."""
    going = np.flatnonzero((episodes.started <= last) & ~episodes.quiet)
    end = np.minimum(np.minimum(episodes.exited[going], last), episodes.started[going] + 400)
    gap = rng.integers(7, 22, len(going))
    count = 1 + (end - episodes.started[going]) // gap
    episode = np.repeat(going, count)
    turn = np.arange(len(episode)) - np.repeat(np.cumsum(count) - count, count)
    wait = np.repeat(gap, count)
    day = episodes.started[episode] + turn * wait - np.where(turn > 0, rng.integers(0, 5, len(episode)), 0)
    first = turn == 0
    size = len(episode)
    attended = np.where(
        first, "5", random_codes(rng, "attendance", size, **{"2": 8, "3": 10, "4": 3, "5": 70, "6": 8, "7": 1})
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
        "contact_id": refs.gather(episodes.person[episode]) + _series_letter(episodes.number[episode]) + numbers,
        "episode_id": episode_ids.gather(episode),
        "contact_date": dates(day),
        "contact_type": np.where(first, "first", random_codes(rng, "contact_type", size, **kinds)),
        "contact_medium": random_codes(rng, "contact_medium", size, **{"01": 65, "02": 33, "98": 2}),
        "attended": attended,
        "duration_minutes": where_known(came, rng.integers(3, 19, size) * 5),
        "staff_role": np.full(size, site.programme.staff_role),
        "staff_ref": pl.Series(_STAFF).gather(rng.integers(0, len(_STAFF), size)),
        "with_employer": random_yes_no(rng, size, 0.08),
        "_seen": dates(day),
        "_leaf": np.ones(size, dtype=bool),
        "_watched": np.zeros(size, dtype=bool),
        "_start": dates(episodes.started[episode]),
        "_episode": episode,
    }


_STAFF = [f"W-{n:04d}" for n in range(1, 40)]


def _series_letter(number: np.ndarray) -> pl.Series:
    """Letter of contact numbers: C001, C002 ... in a person's first episode, D001 ... in the second."""
    return pl.Series(np.where(number == 1, "C", "D"))


def _randomisation(
    people: People, trial: Trial, episodes: Episodes, refs: pl.Series, watched: np.ndarray, busy: np.ndarray
) -> pl.DataFrame:
    rows = np.flatnonzero(trial.randomised < NEVER)
    quiet = ~np.isin(rows, episodes.person[busy])
    methods = code_list("allocation_method").codes
    return pl.DataFrame(
        {
            "randomisation_id": refs.gather(rows) + "R1",
            "participant_ref": refs.gather(rows),
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
