"""Rows of training_events: events of a site for several audiences, and how many different people came so far."""

from __future__ import annotations

import numpy as np
import polars as pl

from flows.simulator.lives.chance import dates, days, random_codes, where_known
from flows.simulator.lives.life import SiteConditions
from flows.simulator.tables.references import two_digits

_DAYS_BETWEEN = 12
_AUDIENCES = {
    "gp": 30,
    "practice_staff": 15,
    "employment_adviser": 20,
    "employment_specialist": 10,
    "clinical_team": 15,
}
_TOPICS = {"work_is_good": 30, "spot_mental_health": 25, "ips_model": 15, "fit_note": 10, "referral_route": 20}


def training_events(conditions: SiteConditions, rng: np.random.Generator) -> pl.DataFrame:
    """Rows of training_events, from the first month of the programme on."""
    site = conditions.site
    first = days(site.programme.intake_from)
    size = 3 + (conditions.last - first) // _DAYS_BETWEEN
    day = np.sort(rng.integers(first, conditions.last + 1, size))
    audience = random_codes(rng, "training_audience", size, **_AUDIENCES)
    came = rng.integers(4, 30, size)
    different = np.zeros(size, dtype=int)
    for one in np.unique(audience):  # about one in five has been at an event before
        chosen = audience == one
        new = came[chosen] - rng.binomial(came[chosen], 0.2)
        new[0] = came[chosen][0]
        different[chosen] = np.maximum(np.cumsum(new), came[chosen])
    before = rng.integers(30, 65, size) / 10
    after = before + rng.integers(5, 30, size) / 10
    asked = rng.random(size) < 0.7

    def known(share: float, values: np.ndarray) -> pl.Series:
        return where_known(rng.random(size) < share, values)

    return pl.DataFrame(
        {
            "event_id": site.prefix + "TR" + two_digits(np.arange(1, size + 1), 3),
            "event_date": dates(day),
            "audience": audience,
            "topic": random_codes(rng, "training_topic", size, **_TOPICS),
            "provider_org": known(0.8, np.full(size, "Made-up training provider")),
            "duration_minutes": rng.integers(2, 25, size) * 15,
            "invited": known(0.85, came + rng.integers(0, 20, size)).cast(pl.String),
            "attended": came,
            "unique_people_to_date": known(0.85, different).cast(pl.String),
            "practices_represented": where_known(audience == "gp", 1 + came // 3).cast(pl.String),
            "pre_confidence_mean": where_known(asked, before).round(1).cast(pl.String),
            "post_confidence_mean": where_known(asked, after).round(1).cast(pl.String),
            "cost": known(0.6, rng.integers(5, 60, size) * 25).cast(pl.String) + ".00",
            "_seen": dates(day),
            "_leaf": np.ones(size, dtype=bool),
            "_watched": np.zeros(size, dtype=bool),
        }
    )
