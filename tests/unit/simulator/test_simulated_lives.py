"""Simulated lives have what happens in real ones, their dates follow from each other, and a trial has its effect."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from flows.simulator.lives.chance import NEVER
from flows.simulator.lives.life import Lives, conditions_of, lives_of
from flows.simulator.programmes import cut_off_dates
from flows.simulator.simulate import simulate
from flows.simulator.sites import pilot_sites
from flows.simulator.tables.population import population

LASTING = (("sust_13w_date", 91, 112), ("sust_26w_date", 182, 210))


@cache
def lives(site_code: str, people: int = 4000, effect: float = 4.0) -> Lives:
    [site] = pilot_sites([site_code])
    conditions = conditions_of(
        site, people, cut_off_dates(site.programme, 1)[-1], spare=0.05, trial_effect=effect, seed=1
    )
    return lives_of(conditions, np.random.default_rng(7), people)


def tables(site_code: str, people: int = 4000) -> dict[str, pl.DataFrame]:
    [site] = pilot_sites([site_code])
    conditions = conditions_of(site, people, cut_off_dates(site.programme, 1)[-1], spare=0.05, trial_effect=4, seed=1)
    return population(conditions, np.random.default_rng(7), 0, people)


def has_job_within_a_year(life: Lives) -> np.ndarray:
    return (life.jobs.start <= life.episodes.origin[:, None] + 365).any(axis=1)


@pytest.mark.parametrize("effect", [-5.0, 0.0, 4.0, 12.0])
@pytest.mark.parametrize("site_code", ["HLT-WMCA", "HLT-SCR"])
def test_the_trial_has_the_effect_that_was_asked_for(site_code: str, effect: float) -> None:
    life = lives(site_code, effect=effect)
    found, episodes = has_job_within_a_year(life), life.episodes
    randomised = (episodes.origin < NEVER) & ~episodes.in_work & (episodes.until > episodes.origin + 365)
    control, offered = randomised & episodes.control, randomised & ~episodes.control
    assert abs(100 * (found[offered].mean() - found[control].mean()) - effect) < 1.5
    without_support = offered & (episodes.started >= NEVER)
    assert abs(found[without_support].mean() - found[control].mean()) < 0.04


HAPPENS: dict[str, Callable[[Lives], object]] = {
    "a death during support": lambda x: x.episodes.reason[x.episodes.exited < 20_000].tolist().count("deceased"),
    "consent withdrawn": lambda x: (x.episodes.reason[x.episodes.exited < 20_000] == "withdrew_consent").any(),
    "a second referral": lambda x: (x.episodes.number == 2).any(),
    "several jobs": lambda x: (x.jobs.start[:, 2] < NEVER).any(),
    "one job at once after another": lambda x: (x.jobs.start[:, 1] - x.jobs.end[:, 0] < 4).any(),
    "a gap between jobs": lambda x: (x.jobs.start[:, 1] - x.jobs.end[:, 0] > 30).any(),
    "a job kept": lambda x: (x.jobs.end[x.episodes.in_work, 0] - x.episodes.origin[x.episodes.in_work] > 400).any(),
    "a job lost": lambda x: (x.jobs.end[x.episodes.in_work, 0] - x.episodes.origin[x.episodes.in_work] < 100).any(),
    "no consent to take part": lambda x: ~x.people.takes_part.all(),
    "an episode in error": lambda x: (x.episodes.reason == "admin_error").any(),
}


@pytest.mark.parametrize("what", HAPPENS)
def test_what_happens_in_lives_happens(what: str) -> None:
    assert HAPPENS[what](lives("IPSIAPT-SSX"))


@pytest.mark.parametrize("site_code", ["IPSIAPT-SSX", "HLT-SCR"])
def test_nothing_is_recorded_after_death_or_withdrawal(site_code: str) -> None:
    made = tables(site_code)
    until = made["participants"].select(
        "participant_ref", until=pl.min_horizontal("deceased_date", "consent_withdrawn_date")
    )
    of_episode = made["referrals"].select("episode_id", "participant_ref").join(until, on="participant_ref")
    for name, table in made.items():
        by = "participant_ref" if "participant_ref" in table.columns else "episode_id"
        known = table.join(until if by == "participant_ref" else of_episode, on=by).filter(
            pl.col("until").is_not_null()
        )
        days = [c for c in known.columns if c.endswith("_date") and not c.startswith("_")]
        late = [c for c in days if c != "evidence_date" and (known[c] > known["until"]).any()]
        assert len(known) > 20 and late == ["eligibility_date"][: late == ["eligibility_date"]], name


@pytest.mark.parametrize("site_code", ["IPSIAPT-SSX", "HLT-SCR"])
def test_sustainment_follows_from_days_in_work(site_code: str) -> None:
    """Counted day by day: docs/domain.md 4.2."""
    jobs = tables(site_code)["employment_outcomes"].sort("episode_id", "job_spell_no")
    spells = defaultdict(list)
    for row in jobs.to_dicts():
        spells[row["episode_id"]].append(row)
    by_several, cut_off = 0, jobs["_seen"].max()
    for rows in spells.values():
        if rows[0]["in_work_at_start"] == "Y" or any(row["job_end_date"] is None for row in rows):
            continue
        first = rows[0]["job_start_date"]
        worked = set()
        for row in rows:
            length = (row["job_end_date"] - row["job_start_date"]).days + 1
            worked |= {(row["job_start_date"] - first).days + n for n in range(length)}
        for field, least, within in LASTING:
            if first + timedelta(within) > cut_off:
                continue
            enough = sum(day < within for day in worked) >= least
            alone = (rows[0]["job_end_date"] - first).days >= least
            assert enough >= (rows[0][field] is not None) >= alone, rows
            by_several += enough and not alone and rows[0][field] is not None
    assert by_several > 3


def test_one_site_improves_and_another_does_not() -> None:
    found = {}
    for site_code in ("MHT-WLA", "MHT-GM"):
        life = lives(site_code)
        started = life.episodes.started
        middle = np.median(started[started < NEVER])
        job = has_job_within_a_year(life)
        found[site_code] = [job[(started < middle)].mean(), job[(started >= middle) & (started < NEVER)].mean()]
    assert found["MHT-WLA"][1] > found["MHT-WLA"][0] + 0.1
    assert abs(found["MHT-GM"][1] - found["MHT-GM"][0]) < 0.05


def test_lives_are_written_without_faults(tmp_path: Path) -> None:
    """They are what the last extracts would say if they had no faults."""
    clean, faulty = (tmp_path / name for name in ("clean", "faulty"))
    for folder, rate in ((clean, 0.0), (faulty, 0.05)):
        simulate(
            folder / "raw", rows=2000, seed=9, truth=folder / "t.csv", fault_rate=rate, sites=["PWW-IAPT"], money_of=()
        )
    for path in sorted((clean / "t.lives").glob("*.csv")):
        lived = pl.read_csv(path, infer_schema=False)
        sent = pl.read_csv(clean / "raw" / "PWW-IAPT" / f"PWW-IAPT_{path.stem}_201512_v1.csv", infer_schema=False)
        assert lived.select(sent.columns).equals(sent)
    assert {p.name for p in (faulty / "t.lives").iterdir()} == {p.name for p in (clean / "t.lives").iterdir()}


def test_what_was_known_on_a_day_stays_known() -> None:
    """Every row has the day on which an extract first holds it; a job that was had before is known from the start."""
    for name, table in tables("MHT-GM", 500).items():
        assert table["_seen"].null_count() == 0, name
    jobs = tables("HLT-SCR", 500)["employment_outcomes"]
    had = jobs.filter(pl.col("in_work_at_start") == "Y", pl.col("job_spell_no") == 1)
    assert len(had) > 20 and (had["job_start_date"] < had["_seen"] - timedelta(50)).all()
