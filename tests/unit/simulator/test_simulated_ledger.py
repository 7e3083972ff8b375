"""The simulated ledgers of money have what happens to real money, their sums hold, and extracts show what was known."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from zlib import crc32

import numpy as np
import polars as pl
import pytest

from flows.simulator.money.awards import current_amount
from flows.simulator.money.budgets import budget, grants
from flows.simulator.money.extracts import money_extract
from flows.simulator.money.ledger import Claim, SiteLedger
from flows.simulator.money.quarters import financial_year, pounds, quarter_code, share_out
from flows.simulator.money.site_ledger import site_ledger
from flows.simulator.programmes import cut_off_dates
from flows.simulator.sites import pilot_sites


@pytest.fixture(scope="module")
def ledgers() -> list[SiteLedger]:
    """Those of every site with grants, as known at its last quarter's end."""
    return [
        site_ledger(site, np.random.default_rng(crc32(site.code.encode())), last, pl.DataFrame())
        for site in pilot_sites()
        if site.claims
        for last in [max(day for day in cut_off_dates(site.programme, 3) if day.month % 3 == 0)]
    ]


def claims_of(ledgers: list[SiteLedger]) -> list[Claim]:
    return [claim for ledger in ledgers for claim in ledger.claims]


HAPPENS: dict[str, Callable[[list[SiteLedger]], object]] = {
    "two awards of a site": lambda ledgers: max(len(ledger.awards) for ledger in ledgers) > 1,
    "an award raised, another lowered": lambda ledgers: len({v.amount > 0 for x in ledgers for v in x.variations}) == 2,
    "every status": lambda ledgers: (
        {c.status for c in claims_of(ledgers)} >= {"draft", "submitted", "rejected", "paid"}
    ),
    "every type": lambda ledgers: (
        {c.claim_type for c in claims_of(ledgers)} == {"normal", "final", "advance", "adjustment"}
    ),
    "late claims": lambda ledgers: [
        c for c in claims_of(ledgers) if c.submitted and c.submitted - c.end > timedelta(90)
    ],
    "claims that were cut": lambda ledgers: [c for c in claims_of(ledgers) if c.disallowed],
    "claims paid in part": lambda ledgers: [c for c in claims_of(ledgers) if c.paid_on and c.paid < (c.approved or 0)],
    "every adjustment": lambda ledgers: len({a.adjustment_type for x in ledgers for a in x.adjustments}) == 4,
    "credit notes": lambda ledgers: [e for x in ledgers for e in x.spending if e.amount < 0],
    "accruals taken back": lambda ledgers: [e for x in ledgers for e in x.spending if e.accrual < 0],
    "match that is not evidenced": lambda ledgers: [
        m for x in ledgers for m in x.match if m.stage == "pledged" and not evidenced(x, m.award_id)
    ],
    "lines over budget": lambda ledgers: len({b > s for x in ledgers for b, s in by_quarter(x)}) == 2,
}


def evidenced(ledger: SiteLedger, award_id: str) -> bool:
    return any(m.stage == "evidenced" and m.award_id == award_id for m in ledger.match)


def by_quarter(ledger: SiteLedger) -> list[tuple[int, int]]:
    """Budget and spending of each quarter that is over, for each grant."""
    pairs = []
    for award in grants(ledger):
        of_award = [e for e in ledger.spending if e.award_id == award.award_id and e.source == "grant"]
        for quarter in {e.period_end for e in of_award if e.period_end.month % 3 == 0}:
            planned = sum(amount for (end, _), amount in budget(ledger, award, quarter).items() if end == quarter)
            months = [e for e in of_award if quarter - timedelta(80) < e.period_end <= quarter]
            pairs.append((planned, sum(e.amount for e in months)))
    return pairs


@pytest.mark.parametrize("what", HAPPENS)
def test_what_happens_to_money_happens(ledgers: list[SiteLedger], what: str) -> None:
    assert HAPPENS[what](ledgers)


def test_the_sums_of_each_award_hold(ledgers: list[SiteLedger]) -> None:
    for ledger in ledgers:
        for award in grants(ledger):
            current = current_amount(ledger, award, date.max)
            own = ledger.of_award(award.award_id)
            counted = [c for c in own.claims if c.status not in ("draft", "rejected") and c.claim_type != "advance"]
            assert sum(budget(ledger, award, date.max).values()) == current
            assert sum(c.grant_share for c in counted) <= current
            assert all(sum(line.amount for line in c.lines) == c.claimed for c in counted)
            pledged = sum(m.amount for m in own.match if m.stage == "pledged")
            assert sum(e.amount for e in own.spending) <= current + pledged
            moved = {"virement_out": 0, "virement_in": 0, "carry_forward": 0, "clawback": 0}
            for a in own.adjustments:
                moved[a.adjustment_type] += a.amount
            assert moved["virement_out"] == moved["virement_in"]
            assert moved["clawback"] <= sum(c.paid for c in own.claims)


def test_an_extract_shows_what_was_known(ledgers: list[SiteLedger]) -> None:
    ledger = ledgers[0]
    claim = next(c for c in ledger.claims if c.paid_on and not c.drafted and c.claim_type == "normal")
    assert claim.submitted and claim.decided and claim.paid_on

    def shown(day: date) -> list[tuple[object, ...]]:
        rows = money_extract(ledger, "claims", day).filter(pl.col("claim_id") == claim.claim_id)
        return rows.select("claim_status", "approved_amount", "paid_amount").rows()

    approved = pounds(claim.grant_share - claim.disallowed)
    assert shown(claim.submitted - timedelta(1)) == []
    assert shown(claim.submitted) == [("submitted", None, None)]
    assert shown(claim.decided) == [("approved", approved, None)]
    assert shown(claim.paid_on) == [("paid", approved, pounds(claim.paid))]


def test_only_quarters_to_come_have_a_forecast(ledgers: list[SiteLedger]) -> None:
    day = date(2015, 6, 30)
    profile = money_extract(ledgers[0], "funding_profile", day)
    to_come = profile.filter(pl.col("_quarter_end") > str(day), pl.col("_is_latest") == "Y")
    assert to_come["forecast_amount"].null_count() == 0
    assert profile["forecast_amount"].count() == len(to_come) > 0


def test_days_and_amounts_as_text() -> None:
    assert (financial_year(date(2016, 3, 31)), financial_year(date(2016, 4, 1))) == ("2015-16", "2016-17")
    assert [quarter_code(date(2016, month, 1)) for month in (1, 4, 7, 12)] == ["Q4", "Q1", "Q2", "Q3"]
    assert quarter_code(date(2016, 1, 1), calendar=True) == "Q1"
    assert [pounds(pence) for pence in (0, 5, -123456)] == ["0.00", "0.05", "-1234.56"]
    assert share_out(100, [1, 1, 1]) == [33, 34, 33]
