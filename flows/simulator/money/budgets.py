"""Simulated budgets: the profile of each grant, a new version of it after a variation, and forecasts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import numpy as np

from flows.simulator.money.ledger import Award, Forecast, ProfileLine, SiteLedger
from flows.simulator.money.quarters import quarter_end_after, quarter_ends, share_out

CATEGORIES = {"staff": 0.52, "oncosts": 0.12, "premises": 0.12, "participant_costs": 0.14, "management": 0.1}


def with_budgets(ledger: SiteLedger, rng: np.random.Generator) -> SiteLedger:
    """Add the profile and the forecasts of every grant."""
    for award in grants(ledger):
        profile = tuple(_versions(ledger, award, rng))
        ledger = ledger.with_all(replace(_nothing(ledger), profile=profile))
        forecasts = tuple(_forecasts(ledger, award, rng))
        ledger = ledger.with_all(replace(_nothing(ledger), forecasts=forecasts))
    return ledger


def grants(ledger: SiteLedger) -> list[Award]:
    """The awards that are spent and claimed."""
    return [a for a in ledger.awards if not a.is_spare and a.instrument != "contract_pbr"]


def _nothing(ledger: SiteLedger) -> SiteLedger:
    return SiteLedger(ledger.site_code, ledger.programme_code)


def budget(ledger: SiteLedger, award: Award, day: date) -> dict[tuple[date, str], int]:
    """The profile of an award in the version of a day, by quarter and cost category."""
    known = [line for line in ledger.profile if line.award_id == award.award_id and line.known_on <= day]
    version = max((line.version for line in known), default=0)
    return {(line.quarter_end, line.category): line.amount for line in known if line.version == version}


def _versions(ledger: SiteLedger, award: Award, rng: np.random.Generator) -> Iterator[ProfileLine]:
    """The first profile, and for each variation another that leaves the quarters before it as they were."""
    quarters = quarter_ends(award.start, award.end)
    cells = [(quarter, category) for quarter in quarters for category in CATEGORIES]
    growth = {q: min(1.0, 0.5 + 0.2 * n) for n, q in enumerate(quarters)}
    weights = {(q, c): growth[q] * CATEGORIES[c] * rng.uniform(0.9, 1.1) for q, c in cells}
    amounts = dict(zip(cells, share_out(award.amount, list(weights.values())), strict=True))
    agreed = award.award_date + timedelta(14)
    yield from (ProfileLine(award.award_id, 1, agreed, *cell, amounts[cell]) for cell in cells)
    variations = [v for v in ledger.variations if v.award_id == award.award_id]
    for version, variation in enumerate(variations, start=2):
        later = [cell for cell in cells if cell[0] > variation.known_on]
        spread = sum(amounts[cell] for cell in later) + variation.amount
        amounts |= zip(later, share_out(spread, [weights[cell] for cell in later]), strict=True)
        yield from (ProfileLine(award.award_id, version, variation.known_on, *cell, amounts[cell]) for cell in cells)


def _forecasts(ledger: SiteLedger, award: Award, rng: np.random.Generator) -> Iterator[Forecast]:
    """At the end of each quarter, another forecast of the first cost category of the next one.

    It always differs from the one before, for a forecast that stays the same gets a warning (rule M19).
    """
    first_category = next(iter(CATEGORIES))
    for made_on in quarter_ends(award.start, award.end)[:-1]:
        following = quarter_end_after(made_on, 1)
        planned = budget(ledger, award, made_on)[following, first_category]
        changed = max(100, round(planned * abs(rng.normal(0, 0.08))))
        amount = planned + changed if rng.random() < 0.5 or changed > planned else planned - changed
        yield Forecast(award.award_id, made_on, following, first_category, amount)
