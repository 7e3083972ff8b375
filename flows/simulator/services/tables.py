"""The tables of what a site does besides supporting people, by dataset."""

from __future__ import annotations

import numpy as np
import polars as pl

from flows.simulator.lives.life import SiteConditions
from flows.simulator.services.fidelity import fidelity
from flows.simulator.services.posts import staff_posts
from flows.simulator.services.training import training_events


def services(conditions: SiteConditions, rng: np.random.Generator) -> dict[str, pl.DataFrame]:
    """Generate the tables of a site's services, by dataset."""
    reviews, items = fidelity(conditions, rng)
    return {
        "training_events": training_events(conditions, rng),
        "staff_posts": staff_posts(conditions, rng),
        "fidelity_reviews": reviews,
        "fidelity_items": items,
    }
