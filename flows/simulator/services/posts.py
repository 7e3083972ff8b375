"""Rows of staff_posts: who holds each post of a site, and for how much of the week."""

from __future__ import annotations

import numpy as np
import polars as pl

from flows.simulator.lives.chance import NEVER, dates, where_known
from flows.simulator.lives.life import SiteConditions
from flows.simulator.services.staff import staff_refs
from flows.simulator.tables.references import two_digits

_KNOWN_AHEAD = 130  # days before a post changes hands: over a quarter, so that each quarter's file has it in time


def staff_posts(conditions: SiteConditions, rng: np.random.Generator) -> pl.DataFrame:
    """Rows of staff_posts. Dates are texts, because an extract has those that are to come as well."""
    staff, site = conditions.staff, conditions.site
    size = len(staff.handover)
    second = np.flatnonzero(staff.handover < NEVER)
    post = np.concatenate([np.arange(size), second])
    number = np.concatenate([2 * np.arange(size), 2 * second + 1])
    start = np.concatenate([np.full(size, staff.opened), staff.handover[second]])
    end = np.concatenate([np.where(staff.handover < NEVER, staff.handover - 1, NEVER), np.full(len(second), NEVER)])
    fte = np.array(["1.00", "0.80", "0.60", "0.50"])[rng.choice(4, size, p=[0.6, 0.2, 0.1, 0.1])]
    team = np.array([f"TEAM-{n:02}" for n in 1 + np.arange(size) % 4])
    return pl.DataFrame(
        {
            "post_id": site.prefix + "POST" + two_digits(number + 1, 4),
            "staff_ref": staff_refs(number),
            "staff_role": np.full(len(post), site.programme.staff_role),
            "fte": fte[post],
            "start_date": dates(start).cast(pl.String),
            "end_date": dates(end).cast(pl.String),
            "clinical_team_ref": where_known(rng.random(len(post)) < 0.7, team[post]),
            "_seen": dates(start - _KNOWN_AHEAD),
            "_leaf": np.ones(len(post), dtype=bool),
            "_watched": np.zeros(len(post), dtype=bool),
        }
    )
