"""Simulated spending: ledger entries by month or quarter, credit notes, and accruals that are reversed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from itertools import count

import numpy as np

from flows.simulator.money.awards import least_amount
from flows.simulator.money.budgets import CATEGORIES, budget, grants
from flows.simulator.money.ledger import Award, SiteLedger, Spending
from flows.simulator.money.quarters import month_end, quarter_ends, share_out
from flows.simulator.programmes import SimulatedSite

PACES = (0.84, 0.93, 1.0, 1.05)  # spending by profile: under budget, near it and over it
ACCRUED = "premises"  # the cost that is accrued at the end of a year
CREDIT_REASONS = ("refund", "error_corrected", "supplier_credit", "recharge")


def with_spending(ledger: SiteLedger, site: SimulatedSite, rng: np.random.Generator, last: date) -> SiteLedger:
    """Add the spending of every grant up to the day `last`, of the grant and of its match."""
    numbers = count(1)
    entries: list[Spending] = []
    for award in grants(ledger):
        of_award = _of_award(ledger, award, rng, last)
        entries += [replace(entry, ledger_ref=f"{site.prefix}-J{next(numbers):05}") for entry in of_award]
    return replace(ledger, spending=tuple(entries))


def _of_award(ledger: SiteLedger, award: Award, rng: np.random.Generator, last: date) -> Iterator[Spending]:
    pledged = sum(m.amount for m in ledger.match if m.award_id == award.award_id and m.stage == "pledged")
    pace = rng.choice(PACES)
    spent, accrued = 0, 0
    quarters = quarter_ends(award.start, award.end)
    of_match = share_out(pledged * 9 // 10, [1.0] * len(quarters))  # a tenth is left for overspending (rule M40)
    for quarter, matched in zip(quarters, of_match, strict=True):
        if quarter > last:
            return
        agreed = budget(ledger, award, quarter)
        for category in CATEGORIES:
            left = least_amount(ledger, award, quarter, last) + pledged // 20 - spent
            wanted = min(left, round(agreed[quarter, category] * pace * rng.uniform(0.85, 1.12)))
            entries = list(_entries(award, quarter, category, wanted, rng))
            if category == ACCRUED and accrued:
                entries[0] = replace(entries[0], accrual=-accrued)
                accrued = 0
            if wanted and rng.random() < 0.07:
                entries.append(_credit_note(entries[-1], rng))
            spent += sum(e.amount for e in entries)
            yield from entries
        if matched:
            in_cash, in_kind = share_out(matched, [0.7, 0.3])
            yield _entry(award, quarter, "staff", "match_cash", in_cash)
            yield _entry(award, quarter, "premises", "match_in_kind", in_kind)
        if quarter.month == 3 and quarter < award.end and rng.random() < 0.6:
            accrued = 100 * int(rng.integers(200, 3000))
            at_year_end = _entry(award, quarter, ACCRUED, "grant", 0)
            yield replace(at_year_end, period=13, known_on=quarter + timedelta(20), accrual=accrued)


def _entry(award: Award, day: date, category: str, source: str, amount: int) -> Spending:
    period = (day.month - 4) % 12 + 1
    return Spending(award.award_id, day, day, period, category, source, amount=amount)


def _entries(award: Award, quarter: date, category: str, amount: int, rng: np.random.Generator) -> Iterator[Spending]:
    """Staff are in the ledger by month, other costs by quarter."""
    if category != "staff":
        yield _entry(award, quarter, category, "grant", amount)
        return
    months = [month_end(quarter.year, quarter.month - back) for back in (2, 1, 0)]
    for month, part in zip(months, share_out(amount, list(rng.uniform(0.9, 1.1, 3))), strict=True):
        yield _entry(award, month, category, "grant", part)


def _credit_note(entry: Spending, rng: np.random.Generator) -> Spending:
    back = -max(1, round(entry.amount * rng.uniform(0.01, 0.08)))
    return replace(entry, amount=back, accrual=0, credit_reason=str(rng.choice(CREDIT_REASONS)))
