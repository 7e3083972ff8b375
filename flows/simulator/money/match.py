"""Simulated match: pledged, confirmed and evidenced, the last always less than was pledged and sometimes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from itertools import count

import numpy as np

from flows.simulator.money.budgets import grants
from flows.simulator.money.ledger import Award, Match, SiteLedger
from flows.simulator.money.quarters import financial_year
from flows.simulator.programmes import SimulatedSite

LEAST = 10_000_00  # pence; a smaller Trailblazer sum is taken for one in thousands (rule M01)
SOURCES = ("local_authority", "nhs", "charity", "private")


def with_match(ledger: SiteLedger, site: SimulatedSite, rng: np.random.Generator) -> SiteLedger:
    """Add the match of each grant, if the site sends match at all."""
    numbers = count(1)
    records: list[Match] = []
    for award in grants(ledger) if site.match else ():
        for record in _of_award(award, rng):
            number = next(numbers)
            evidence = f"{site.prefix}-EV{number:03}" if record.stage == "evidenced" else ""
            records.append(replace(record, match_id=f"{site.prefix}-MATCH{number:03}", evidence_ref=evidence))
    return replace(ledger, match=tuple(records))


def _of_award(award: Award, rng: np.random.Generator) -> Iterator[Match]:
    """Records without a reference. A small pledge, so that all areas stay within a whole programme's sum (rule M32)."""
    pledged = round(award.amount * rng.uniform(0.1, 0.3))
    source = str(rng.choice(SOURCES))

    def record(stage: str, day: date, amount: int, kind: str = "cash") -> Match:
        return Match(award.award_id, day, stage, source, kind, amount, financial_year=financial_year(day))

    yield record("pledged", award.award_date, pledged)
    yield record("confirmed", award.start + timedelta(60), round(pledged * rng.uniform(0.8, 1.0)))
    if rng.random() < 0.3:
        return  # nothing was ever evidenced
    for year in range(award.start.year, award.end.year):
        for kind, share in (("cash", 0.7), ("in_kind", 0.3)):
            amount = round(pledged * share * rng.uniform(0.15, 0.3))
            if amount >= LEAST:
                yield record("evidenced", date(year + 1, 2, 20), amount, kind)
