"""The made-up people of one site and all that happened to them up to the last cut-off, table by table.

People come in batches, so that a population of any size needs bounded memory. All randomness comes from one generator
per batch: the same seed gives the same people. Columns are the contracts' fields; those that begin with '_' stay here:
`_seen` (the day from which an extract holds the row), `_leaf` (no other row hangs on this one, so a fault in it stays
one fault) and `_watched` (the person is kept for faults that show only between two deliveries).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from flows.simulator.programmes import TRIAL_CLOSED, TRIAL_OPENED, Site, weighted
from flows.simulator.work import job_spells
from schemas.codes import code_list

Days = np.ndarray  # whole days since 1970-01-01; NEVER where there is no such day
NEVER = np.iinfo(np.int64).max // 2
BATCH = 20_000  # people at a time: about 200,000 contacts
WATCHED_EVERY = 8


@dataclass(frozen=True)
class Spells:
    """One batch of episodes: an array per fact, all of one length."""

    person: np.ndarray
    number: np.ndarray  # 1 for the first episode of the person, 2 for the second
    referred: Days
    decided: Days
    eligible: np.ndarray
    started: Days  # first day of support; NEVER for the control arm
    origin: Days  # the day from which a job counts: start, or randomisation for the control arm
    exited: Days
    reason: np.ndarray
    in_work: np.ndarray
    quiet: np.ndarray  # nothing further was recorded of it: no contact, no job


def days(day: date) -> int:
    """A date as whole days since 1970-01-01."""
    return day.toordinal() - date(1970, 1, 1).toordinal()


def dates(numbers: Days) -> pl.Series:
    """Whole days as a column of dates, empty where NEVER."""
    known = numbers < NEVER
    return pl.Series(np.where(known, numbers, 0)).cast(pl.Int32).cast(pl.Date).set(~pl.Series(known), None)


def population(
    site: Site, rng: np.random.Generator, first: int, size: int, cut: date, spare: float
) -> dict[str, pl.DataFrame]:
    """The tables of `size` people of a site, numbered from `first`. `spare` is the share kept free for planted faults."""
    last = days(cut)
    people = _people(site, rng, size, last, spare)
    trial = _trial(site, rng, people, last) if site.programme.trial else None
    spells = _first_spells(site, rng, people, trial, last, spare)
    if trial is None:
        spells = _with_returns(site, rng, people, spells, last, spare)
    ref = pl.Series([f"{site.prefix}{first + i:06d}" for i in range(size)], dtype=pl.String)
    episode = ref.gather(spells.person) + "E" + pl.Series(spells.number).cast(pl.String)
    watched = (np.arange(first, first + size) % WATCHED_EVERY) == 0
    contacts = _contacts(site, rng, spells, episode, ref, last)
    jobs = job_spells(site, rng, spells, episode, ref, last)
    busy = np.isin(np.arange(len(spells.person)), np.concatenate([contacts.pop("_spell"), jobs.pop("_spell")]))
    tables = {
        "participants": _participants(site, rng, people, spells, ref, watched),
        "referrals": _referrals(site, rng, people, spells, ref, episode, ~busy),
        "contacts": pl.DataFrame(contacts),
        "employment_outcomes": pl.DataFrame(jobs),
    }
    if trial is not None:
        tables["randomisation"] = _randomisation(people, trial, spells, ref, watched, busy)
    return tables


# People ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _People:
    referred: Days
    consented: Days
    birth_year: np.ndarray
    in_work: np.ndarray
    spare: np.ndarray  # known to the site, not referred


@dataclass(frozen=True)
class _Trial:
    baseline: Days
    randomised: Days
    control: np.ndarray
    group: np.ndarray


def _people(site: Site, rng: np.random.Generator, size: int, last: int, spare: float) -> _People:
    course = site.programme
    first, final = days(course.intake_from), min(days(course.intake_to), last)
    referred = rng.integers(first, final + 1, size)
    consented = referred + rng.integers(0, 8, size)
    age = np.clip(rng.normal(41, 11, size).astype(int), 20, 63)
    year = (referred.astype("datetime64[D]").astype("datetime64[Y]").astype(int)) + 1970
    can_work = not (course.trial and not _takes_in_work(site))
    in_work = (rng.random(size) < course.in_work) & can_work
    return _People(referred, consented, year - age, in_work, rng.random(size) < spare)


def _takes_in_work(site: Site) -> bool:
    return site.code != "HLT-WMCA"  # the West Midlands recruited out-of-work people only: DOMAIN.md 1.5


def _trial(site: Site, rng: np.random.Generator, people: _People, last: int) -> _Trial:
    size = len(people.referred)
    baseline = people.consented + rng.integers(1, 8, size)
    randomised = np.maximum(baseline + rng.integers(0, 4, size), days(TRIAL_OPENED))
    taken = ~people.spare & (rng.random(size) < 0.88) & (randomised <= min(last, days(TRIAL_CLOSED)))
    baseline, randomised = np.where(taken, baseline, NEVER), np.where(taken, randomised, NEVER)
    group = np.where(people.in_work, "scr_iw", "scr_oow") if _takes_in_work(site) else np.full(size, "wmca_oow")
    # In pairs by group and day: one of each pair to either arm, so that the arms stay in balance at any cut-off.
    order = np.lexsort((randomised, group))
    heads = rng.integers(0, 2, (size + 1) // 2)
    control = np.empty(size, dtype=bool)
    control[order] = (np.repeat(heads, 2)[:size] + np.arange(size)) % 2 == 1
    return _Trial(baseline, randomised, control, group)


# Episodes ----------------------------------------------------------------------------------------------------------


def _first_spells(
    site: Site, rng: np.random.Generator, people: _People, trial: _Trial | None, last: int, spare: float
) -> Spells:
    person = np.flatnonzero(~people.spare)
    size = len(person)
    earliest = np.maximum(people.consented, people.referred)[person]
    decided = earliest + rng.integers(0, 15, size)
    eligible = rng.random(size) < 0.87
    if trial is None:
        started = decided + rng.integers(1, 31, size)
        goes = eligible & (rng.random(size) < site.programme.engaged)
        return _spell(
            site, rng, people, person, 1, decided, eligible, np.where(goes, started, NEVER), None, last, spare
        )
    randomised = trial.randomised[person]
    eligible = randomised < NEVER
    decided = np.where(eligible, trial.baseline[person], decided)
    started = randomised + rng.integers(1, 22, size)
    goes = eligible & ~trial.control[person] & (rng.random(size) < site.programme.engaged)
    origin = np.where(eligible & trial.control[person], randomised, NEVER)
    return _spell(site, rng, people, person, 1, decided, eligible, np.where(goes, started, NEVER), origin, last, spare)


def _with_returns(
    site: Site, rng: np.random.Generator, people: _People, before: Spells, last: int, spare: float
) -> Spells:
    """The episodes with a few second ones: people who come back after their exit."""
    back = np.flatnonzero(
        (before.exited < last - 60) & (before.reason == "disengaged") & (rng.random(len(before.person)) < 0.2)
    )
    referred = before.exited[back] + rng.integers(20, 60, len(back))
    again = _People(referred, referred, people.birth_year, people.in_work, people.spare)
    decided = referred + rng.integers(0, 10, len(back))
    started = np.where(rng.random(len(back)) < 0.7, decided + rng.integers(1, 20, len(back)), NEVER)
    eligible = np.ones(len(back), dtype=bool)
    second = _spell(site, rng, again, before.person[back], 2, decided, eligible, started, None, last, spare, referred)
    return Spells(*(np.concatenate([getattr(before, f), getattr(second, f)]) for f in Spells.__dataclass_fields__))


def _spell(
    site: Site,
    rng: np.random.Generator,
    people: _People,
    person: np.ndarray,
    number: int,
    decided: Days,
    eligible: np.ndarray,
    started: Days,
    origin: Days | None,
    last: int,
    spare: float,
    referred: Days | None = None,
) -> Spells:
    size = len(person)
    quiet = rng.random(size) < spare
    leaves = (started < NEVER) & ((rng.random(size) < 0.75) | quiet)
    stay = np.where(quiet, rng.integers(10, 60, size), rng.integers(45, 390, size))
    exited = np.where(leaves, started + stay, NEVER)
    reasons = ["completed_in_work", "completed_not_in_work", "time_limit_reached", "disengaged", "moved_away"]
    reason = np.where(quiet, "disengaged", rng.choice(reasons, size, p=[0.3, 0.2, 0.15, 0.3, 0.05]))
    return Spells(
        person,
        np.full(size, number),
        people.referred[person] if referred is None else referred,
        decided,
        eligible,
        started,
        started if origin is None else np.minimum(started, origin),
        exited,
        reason,
        people.in_work[person],
        quiet,
    )


# Tables ------------------------------------------------------------------------------------------------------------


def picked(rng: np.random.Generator, name: str, size: int, **weights: float) -> np.ndarray:
    """Random codes of a list, by weight (all alike without weights)."""
    codes, shares = weighted(name, weights)
    return np.array(codes)[rng.choice(len(codes), size, p=shares)]


def _participants(
    site: Site, rng: np.random.Generator, people: _People, spells: Spells, ref: pl.Series, watched: np.ndarray
) -> pl.DataFrame:
    size = len(ref)
    number = ref.str.extract(r"(\d{1,6})$").cast(pl.Int64).to_numpy()
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
            "gp_area_code": _where(np.full(size, site.programme.trial), practice),
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


def picked_letters(rng: np.random.Generator, size: int, share: float) -> np.ndarray:
    """Y for about a share of the rows, else N."""
    return np.where(rng.random(size) < share, "Y", "N")


def _referrals(
    site: Site,
    rng: np.random.Generator,
    people: _People,
    spells: Spells,
    ref: pl.Series,
    episode: pl.Series,
    leaf: np.ndarray,
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
            "ineligible_reason": _where(
                ~spells.eligible,
                picked(rng, "ineligible_reason", size, no_health_condition=3, other_programme=3, other=2),
            ),
            "eligibility_date": dates(spells.decided),
            "programme_start_date": dates(spells.started),
            "start_basis": _where(begun, np.full(size, "first_contact")),
            "support_model": np.full(size, site.programme.support_model),
            "employment_status_at_start": np.where(spells.in_work, "01", status),
            "weekly_hours_at_start": np.where(spells.in_work, hours, "98"),
            "exit_date": dates(spells.exited),
            "exit_reason": _where(spells.exited < NEVER, spells.reason),
            "employment_status_at_exit": _where(spells.exited < NEVER, np.where(finished | spells.in_work, "01", "02")),
            "weekly_hours_at_exit": _where(spells.exited < NEVER, np.where(finished | spells.in_work, hours, "98")),
            "key_worker_ref": [f"W-{w:04d}" for w in rng.integers(1, 40, size)],
            "_seen": dates(np.maximum(spells.referred, consented)),
            "_leaf": leaf,
            "_watched": np.zeros(size, dtype=bool),
            "_birth_year": people.birth_year[spells.person],
        }
    )


def _where(known: np.ndarray, values: np.ndarray) -> pl.Series:
    """The values where known, else empty."""
    return pl.Series(values).set(~pl.Series(known), None)


def _contacts(
    site: Site, rng: np.random.Generator, spells: Spells, episode: pl.Series, ref: pl.Series, last: int
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
        "duration_minutes": _where(came, rng.integers(3, 19, size) * 5),
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
    people: _People, trial: _Trial, spells: Spells, ref: pl.Series, watched: np.ndarray, busy: np.ndarray
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
