"""Simulated claims by quarter: late, rejected and claimed again, cut, paid in part, corrected, and advances."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import count

import numpy as np

from flows.simulator.money.awards import least_amount
from flows.simulator.money.budgets import grants
from flows.simulator.money.ledger import Award, Claim, ClaimLine, SiteLedger
from flows.simulator.money.quarters import quarter_ends, quarter_start
from flows.simulator.programmes import SimulatedSite

LATE, REFUSED, DISALLOWED, CORRECTED, ADVANCED, DRAFTED = 0.12, 0.08, 0.25, 0.2, 0.35, 0.5  # shares of claims
REASONS = ("not_eligible", "no_evidence", "outside_period", "claimed_before", "miscalculated")


def with_claims(ledger: SiteLedger, site: SimulatedSite, rng: np.random.Generator, last: date) -> SiteLedger:
    """Add the claims of every grant for the quarters up to the day `last`."""
    numbers = count(1)
    claims: list[Claim] = []
    for award in grants(ledger):
        for claim in _of_award(ledger, award, rng, last):
            number = f"{site.prefix}-CLAIM{next(numbers):03}"
            corrects = claims[-1].claim_id if claim.claim_type == "adjustment" else ""
            claims.append(replace(claim, claim_id=number, corrects=corrects))
    return replace(ledger, claims=tuple(claims))


def _of_award(ledger: SiteLedger, award: Award, rng: np.random.Generator, last: date) -> Iterator[Claim]:
    """Claims without a reference, each correction right after the claim that it corrects."""
    if rng.random() < ADVANCED:
        yield _advance(award, rng)
    submitted, claimed = award.start, 0
    for quarter in (q for q in quarter_ends(award.start, award.end) if q <= last):
        late = int(rng.integers(90, 170)) if rng.random() < LATE else 0
        # never before the claim of the quarter before, which would leave a gap until that one comes (rule M11)
        submitted = max(submitted, quarter + timedelta(int(rng.integers(10, 40)) + late))
        room = least_amount(ledger, award, submitted, last) - claimed
        claim = _for_quarter(ledger, award, quarter, room, rng)
        drafted = quarter if rng.random() < DRAFTED else None
        claim = _decided(replace(claim, submitted=submitted, drafted=drafted), rng)
        if rng.random() < REFUSED:
            yield replace(claim, is_rejected=True, disallowed=0, disallow_reason="", paid_on=None, paid=0)
            # on the same day, so that its period is claimed once on any day
            claim = _decided(replace(claim, drafted=None, submitted=claim.decided), rng)
            assert claim.submitted
            submitted = claim.submitted
        claimed += claim.grant_share
        yield claim
        if claim.lines[0].amount > 100_00 and rng.random() < CORRECTED:
            correction = _correction(award, claim, rng)
            raised = max(0, correction.grant_share)  # a claim must not rely on what later corrections lower
            if claimed + raised <= least_amount(ledger, award, claim.start, last):
                claimed += raised
                yield correction


def _advance(award: Award, rng: np.random.Generator) -> Claim:
    """An advance for the first quarter. It asks for no costs, so it has no lines."""
    quarter = quarter_ends(award.start, award.end)[0]
    amount = award.amount // 20
    paid_on = award.start + timedelta(int(rng.integers(10, 30)))
    return Claim(
        award.award_id,
        "advance",
        start=award.start,
        end=quarter,
        claimed=amount,
        eligible=amount,
        grant_share=amount,
        submitted=award.start,
        decided=award.start + timedelta(5),
        paid_on=paid_on,
        paid=amount,
    )


def _for_quarter(ledger: SiteLedger, award: Award, quarter: date, room: int, rng: np.random.Generator) -> Claim:
    """What was spent in the quarter: not all of it is eligible, and the grant's share is within `room`."""
    costs: dict[tuple[str, bool], int] = defaultdict(int)
    of_match = 0
    for entry in ledger.spending:
        if entry.award_id == award.award_id and quarter_start(quarter) <= entry.period_end <= quarter:
            costs[entry.category, entry.source == "match_in_kind"] += entry.amount
            of_match += entry.amount if entry.source != "grant" else 0
    lines = tuple(
        ClaimLine(n, category, max(0, amount), in_kind)
        for n, ((category, in_kind), amount) in enumerate(costs.items(), start=1)
    )
    claimed = sum(line.amount for line in lines)
    eligible = claimed - round(claimed * rng.choice((0, 0, 0.01, 0.03)))
    if award.intervention_rate:
        grant = share_of(eligible, award.intervention_rate)
    else:
        grant = min(room, eligible - min(of_match, eligible))
        eligible = grant + min(of_match, eligible)
    is_last = quarter == quarter_ends(award.start, award.end)[-1]
    kind = "final" if is_last else "normal"
    start = quarter_start(quarter)
    amounts = {"claimed": claimed, "eligible": eligible, "grant_share": grant}
    return Claim(award.award_id, kind, start, quarter, **amounts, lines=lines)


def share_of(amount: int, rate: str) -> int:
    """An amount multiplied by a rate, to the nearest penny."""
    return int((amount * Decimal(rate)).quantize(Decimal(1), ROUND_HALF_UP))


def _decided(claim: Claim, rng: np.random.Generator) -> Claim:
    """The claim with the funder's decision and the payment."""
    assert claim.submitted
    decided = claim.submitted + timedelta(int(rng.integers(15, 60)))
    cut = round(claim.grant_share * rng.uniform(0.01, 0.08)) if rng.random() < DISALLOWED else 0
    approved = claim.grant_share - cut
    paid = approved if rng.random() < 0.85 else approved * 95 // 100
    return replace(
        claim,
        decided=decided,
        disallowed=cut,
        disallow_reason=str(rng.choice(REASONS)) if cut else "",
        paid_on=decided + timedelta(int(rng.integers(10, 40))),
        paid=paid,
    )


def _correction(award: Award, claim: Claim, rng: np.random.Generator) -> Claim:
    """A correction of a claim that was decided, mostly downwards; it has one line."""
    assert claim.decided
    line = claim.lines[0]
    amount = round(line.amount * rng.uniform(0.01, 0.06)) * (1 if rng.random() < 0.2 else -1)
    grant = share_of(amount, award.intervention_rate) if award.intervention_rate else amount
    decided = claim.decided + timedelta(int(rng.integers(60, 120)))
    return replace(
        claim,
        claim_type="adjustment",
        claimed=amount,
        eligible=amount,
        grant_share=grant,
        drafted=None,
        submitted=claim.decided + timedelta(int(rng.integers(20, 50))),
        decided=decided,
        disallowed=0,
        disallow_reason="",
        paid_on=decided + timedelta(14),
        paid=grant,
        lines=(replace(line, line_no=1, amount=amount),),
    )
