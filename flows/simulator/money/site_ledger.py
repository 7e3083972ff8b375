"""Make the ledger of a site from a seed: awards first, then what depends on them."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from flows.simulator.money.adjustments import with_adjustments
from flows.simulator.money.awards import with_awards
from flows.simulator.money.budgets import with_budgets
from flows.simulator.money.claims import with_claims
from flows.simulator.money.ledger import SiteLedger
from flows.simulator.money.match import with_match
from flows.simulator.money.results import with_results
from flows.simulator.money.spending import with_spending
from flows.simulator.programmes import SimulatedSite


def site_ledger(
    site: SimulatedSite, rng: np.random.Generator, last: date, jobs: pl.DataFrame, spare: int = 0
) -> SiteLedger:
    """Make the ledger of a site over three financial years, as it is known on the day `last`.

    `jobs` are the rows of employment_outcomes that a contract by results may pay for; `spare` is the number of awards
    without spending.
    """
    ledger = SiteLedger(site.code, site.programme_code)
    ledger = with_awards(ledger, site, rng, last, spare)
    ledger = with_budgets(ledger, rng)
    ledger = with_match(ledger, site, rng)
    ledger = with_spending(ledger, site, rng, last)
    ledger = with_claims(ledger, site, rng, last)
    ledger = with_adjustments(ledger, site, rng, last)
    return with_results(ledger, site, rng, jobs).known_by(last)
