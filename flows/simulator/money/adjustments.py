"""Simulated virements, carry-forward of underspend, and money returned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from itertools import count

import numpy as np

from flows.simulator.money.budgets import CATEGORIES, budget, grants
from flows.simulator.money.ledger import Adjustment, Award, SiteLedger
from flows.simulator.money.quarters import financial_year, year_start
from flows.simulator.programmes import SimulatedSite


def with_adjustments(ledger: SiteLedger, site: SimulatedSite, rng: np.random.Generator, last: date) -> SiteLedger:
    """Add the adjustments of every grant up to the day `last`."""
    numbers = count(1)
    rows: list[Adjustment] = []
    for award in grants(ledger):
        of_award = (*_virements(ledger, award, rng), *_carried(ledger, award, rng), *_returned(ledger, award, rng))
        for row in (a for a in of_award if a.known_on <= last):
            pair = f"{site.prefix}-{row.pair_id}" if row.pair_id else ""
            rows.append(replace(row, adjustment_id=f"{site.prefix}-ADJ{next(numbers):03}", pair_id=pair))
    return replace(ledger, adjustments=tuple(rows))


def _years(award: Award) -> range:
    return range(award.start.year, award.end.year)


def _virements(ledger: SiteLedger, award: Award, rng: np.random.Generator) -> Iterator[Adjustment]:
    """A virement in most years, between two budget lines."""
    for year in _years(award):
        if rng.random() < 0.3:
            continue
        out, into = rng.choice(list(CATEGORIES), 2, replace=False)
        day, fy = date(year, 10, 10), f"{year}-{(year + 1) % 100:02}"
        quarter = date(year, 12, 31)
        amount = max(100_00, round(budget(ledger, award, day)[quarter, str(out)] * rng.uniform(0.05, 0.2)))
        pair = f"VIR-{award.award_id.rpartition('-')[2]}-{year}"
        for kind, category in (("virement_out", out), ("virement_in", into)):
            budget_line = {"category": str(category), "pair_id": pair}
            yield Adjustment(award.award_id, kind, day, fy, fy, amount, **budget_line)


def _carried(ledger: SiteLedger, award: Award, rng: np.random.Generator) -> Iterator[Adjustment]:
    """A part of each year's underspend, carried into the next year of the award."""
    for year in list(_years(award))[1:]:
        day, last_year = date(year, 5, 20), financial_year(date(year, 3, 31))
        planned = budget(ledger, award, day)
        profile = sum(amount for (quarter, _), amount in planned.items() if financial_year(quarter) == last_year)
        spent = sum(
            e.amount
            for e in ledger.spending
            if e.award_id == award.award_id and e.source == "grant" and financial_year(e.period_end) == last_year
        )
        left = profile - spent
        if left > 500_00:
            amount = round(left * rng.uniform(0.3, 0.9))
            yield Adjustment(award.award_id, "carry_forward", day, last_year, financial_year(day), amount)


def _returned(ledger: SiteLedger, award: Award, rng: np.random.Generator) -> Iterator[Adjustment]:
    """A small part of what was paid, after an audit in the summer that follows the award's end or its second year."""
    day = min(award.end, date(award.start.year + 2, 3, 31)) + timedelta(100)
    paid = sum(c.paid for c in ledger.claims if c.award_id == award.award_id and c.paid_on and c.paid_on < day)
    if paid > 1000_00 and rng.random() < 0.5:
        fy = financial_year(year_start(day) - timedelta(1))
        yield Adjustment(award.award_id, "clawback", day, fy, fy, round(paid * rng.uniform(0.005, 0.02)))
