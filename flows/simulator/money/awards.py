"""Simulated awards of a site: one or two grants, or a contract by results; some are varied."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np

from flows.simulator.money.ledger import Award, SiteLedger, Variation
from flows.simulator.money.quarters import year_start
from flows.simulator.programmes import SimulatedSite

MIN_AWARD, MAX_AWARD = 150_000, 2_900_000  # pounds; even a variation is then above the least Trailblazer sum (rule M01)
RATE = "0.45"  # the European Social Fund's share of direct bids: docs/domain.md 3.1
SPARE_AMOUNT = 120_000  # pounds; each spare award is 1,000 more than the one before, or they would look the same (M30)


def with_awards(
    ledger: SiteLedger, site: SimulatedSite, rng: np.random.Generator, last: date, spare: int
) -> SiteLedger:
    """Add the awards of a site: those of three financial years up to that of the day `last`, and shorter ones.

    `spare` is the number of awards without any spending.
    """
    third = year_start(last)
    first, end = date(third.year - 2, 4, 1), date(third.year + 1, 3, 31)
    awards: list[Award] = []
    variations: list[Variation] = []
    if site.claims:
        grant = _award(site, "GRANT1", rng, first, end)
        awards.append(grant)
        if rng.random() < 0.6:
            share = rng.choice((-0.08, 0.1))
            varied = Variation(grant.award_id, 1, date(third.year - 1, 8, 15), round(grant.amount * share))
            variations.append(varied)
        if rng.random() < 0.5:
            earlier = _award(site, "GRANT2", rng, first, date(third.year, 3, 31))
            european = replace(earlier, instrument="esf", quarter_basis="calendar", intervention_rate=RATE)
            awards.append(european if rng.random() < 0.5 else earlier)
    if site.by_results:
        awards.append(replace(_award(site, "CONTRACT", rng, first, end), instrument="contract_pbr"))
    for n in range(1, spare + 1):
        award = _award(site, f"SPARE{n}", rng, first, end)
        pence = 100 * (SPARE_AMOUNT + 1000 * n)
        awards.append(replace(award, amount=pence, instrument="s31_grant", is_spare=True))
    return ledger.with_all(replace(ledger, awards=tuple(awards), variations=tuple(variations)))


def _award(site: SimulatedSite, name: str, rng: np.random.Generator, start: date, end: date) -> Award:
    amount = 100 * int(rng.integers(MIN_AWARD // 100, MAX_AWARD // 100)) * 100
    signed = start - timedelta(int(rng.integers(20, 90)))
    return Award(f"{site.prefix}-{name}", signed, start, end, amount, "general_grant")


def current_amount(ledger: SiteLedger, award: Award, day: date) -> int:
    """Amount of an award on a day, with the variations made by then."""
    return award.amount + sum(v.amount for v in ledger.variations if v.award_id == award.award_id and v.known_on <= day)


def least_amount(ledger: SiteLedger, award: Award, day: date, last: date) -> int:
    """Amount that an award has both on a day and on the last one: a variation may lower it."""
    return min(current_amount(ledger, award, day), current_amount(ledger, award, last))
