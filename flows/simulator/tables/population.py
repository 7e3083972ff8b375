"""The tables of a batch of simulated people, by dataset.

People come in batches, so that memory is bounded whatever their number. Each batch has one random generator: the same
seed gives the same people.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from flows.simulator.lives.life import SiteConditions, lives_of
from flows.simulator.tables.contacts import contacts
from flows.simulator.tables.employers import employer_support
from flows.simulator.tables.measures import measures
from flows.simulator.tables.outcomes import outcomes
from flows.simulator.tables.participants import participants, randomisation
from flows.simulator.tables.plans import plans
from flows.simulator.tables.references import Batch
from flows.simulator.tables.referrals import referrals, statuses_at_start
from flows.simulator.tables.statuses import statuses

BATCH = 20_000  # people at a time: about 200,000 contacts


def population(conditions: SiteConditions, rng: np.random.Generator, first: int, size: int) -> dict[str, pl.DataFrame]:
    """Generate the tables of `size` people of a site, numbered from `first`, by dataset."""
    batch = Batch(conditions, first, lives_of(conditions, rng, size))
    episodes, staff = batch.lives.episodes, conditions.staff
    post = staff.posts(rng, len(episodes.person))
    status = statuses_at_start(batch, rng)
    met, of_contact = contacts(batch, rng, post)
    jobs, of_job = outcomes(batch, rng)
    busy = np.unique(np.concatenate([of_contact, of_job]))
    tables = {
        "participants": participants(batch, rng),
        "referrals": referrals(batch, rng, busy, staff.holders(post, episodes.started), status),
        "contacts": met,
        "employment_outcomes": jobs,
        "action_plans": plans(batch, rng, met, of_contact),
        "employment_status_history": statuses(batch, rng, status),
        "wellbeing_measures": measures(batch, rng),
        "employer_support": employer_support(batch, rng),
    }
    if batch.lives.trial is not None:
        tables["randomisation"] = randomisation(batch, busy)
    return tables
