"""Rows of fidelity_reviews and fidelity_items: teams are reviewed twice a year, and most come closer to the model."""

from __future__ import annotations

import numpy as np
import polars as pl

from flows.simulator.lives.chance import dates, days
from flows.simulator.lives.life import SiteConditions
from flows.simulator.tables.references import two_digits
from schemas._rules.datasets.fidelity import HIGHEST, ITEMS, LOWEST, band_of

_TEAMS, _DAYS_BETWEEN = 3, 170
_KINDS = ("self_assessment", "independent", "guided", "independent")  # one after the other
_AT_START, _AT_LAST = 3.4, 4.3  # mean score of an item, of a team that gets better


def fidelity(conditions: SiteConditions, rng: np.random.Generator) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows of fidelity_reviews and of fidelity_items."""
    site = conditions.site
    first = days(site.programme.intake_from)
    rounds = 1 + max(0, (conditions.last - first - 60) // _DAYS_BETWEEN)
    team, turn = (part.ravel() for part in np.meshgrid(np.arange(_TEAMS), np.arange(rounds)))
    day = first + 60 + turn * _DAYS_BETWEEN + rng.integers(-20, 21, len(turn))
    passed = (day - first) / max(1, conditions.last - first)
    mean = _AT_START + (_AT_LAST - _AT_START) * passed * (team != 1)  # one team of three stays as it was
    scores = np.clip(np.round(rng.normal(mean[:, None], 0.8, (len(day), ITEMS))), LOWEST, HIGHEST).astype(int)
    ids = site.prefix + "FR" + two_digits(np.arange(1, len(day) + 1), 3)
    kind = np.array(_KINDS)[turn % len(_KINDS)]
    every = {"_seen": dates(day), "_leaf": np.ones(len(day), dtype=bool), "_watched": np.zeros(len(day), dtype=bool)}
    reviews = pl.DataFrame(
        {
            "review_id": ids,
            "team_name": pl.Series([f"Made-up team {n + 1}" for n in team]),
            "review_date": dates(day),
            "review_type": kind,
            "scale_version": np.full(len(day), "UK_CFMH"),
            "reviewers": np.where(kind == "independent", 2, rng.integers(1, 3, len(day))),
            "total_score": scores.sum(axis=1),
            **every,
        }
    ).with_columns(band=band_of("total_score"))
    items = pl.DataFrame({"review_id": ids, "score": pl.Series(scores.tolist()), **every})
    numbers = pl.int_range(1, ITEMS + 1).over("review_id").alias("item_no")
    return reviews, items.explode("score").with_columns(numbers)
