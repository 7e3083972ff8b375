"""What truly happened to a site's money: awards, budgets, spending, claims, match and payments, each with its dates.

Amounts are whole pence. `SiteLedger.known_by` leaves what was known on a day: that is what an extract shows. References
that number the entries of a site come last: they are given when all entries are there.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any


@dataclass(frozen=True)
class Award:
    """One award of a site."""

    award_id: str
    award_date: date
    start: date
    end: date
    amount: int  # as first signed
    instrument: str
    quarter_basis: str = "fy_uk"  # of its claims
    intervention_rate: str = ""  # share of eligible costs that the grant bears, where the award fixes one
    is_spare: bool = False  # nothing is spent or claimed of it: a place for faults that concern a whole award

    @property
    def known_on(self) -> date:
        """Day from which extracts have it."""
        return self.award_date


@dataclass(frozen=True)
class Variation:
    """A change to the amount of an award."""

    award_id: str
    version: int
    known_on: date
    amount: int


@dataclass(frozen=True)
class ProfileLine:
    """Agreed budget of a quarter and cost category, in one version of an award's profile."""

    award_id: str
    version: int
    known_on: date  # day on which the version was agreed
    quarter_end: date
    category: str
    amount: int


@dataclass(frozen=True)
class Forecast:
    """A revised forecast of a quarter and cost category, made at a quarter's end. Until then it is the profile."""

    award_id: str
    known_on: date
    quarter_end: date
    category: str
    amount: int


@dataclass(frozen=True)
class Spending:
    """An entry in the site's ledger; below 0 for a credit note."""

    award_id: str
    known_on: date
    period_end: date
    period: int  # of the ledger: 1 is April, 13 the adjustments of the year's end
    category: str
    source: str  # grant, match_cash or match_in_kind
    amount: int
    accrual: int = 0
    credit_reason: str = ""
    ledger_ref: str = ""


@dataclass(frozen=True)
class ClaimLine:
    """A line of a claim."""

    line_no: int
    category: str
    amount: int
    in_kind: bool = False


@dataclass(frozen=True)
class Claim:
    """A claim with its lines, and what the funder decided and paid. A date is empty until the day has come."""

    award_id: str
    claim_type: str
    start: date
    end: date
    claimed: int
    eligible: int
    grant_share: int
    drafted: date | None = None  # from this day until it is submitted, extracts have it as a draft
    submitted: date | None = None
    decided: date | None = None
    is_rejected: bool = False
    disallowed: int = 0
    disallow_reason: str = ""
    paid_on: date | None = None
    paid: int = 0
    corrects: str = ""  # the claim that it corrects
    lines: tuple[ClaimLine, ...] = ()
    claim_id: str = ""

    @property
    def match_share(self) -> int:
        """The part of the eligible costs that match bears."""
        return self.eligible - self.grant_share

    @property
    def status(self) -> str:
        """How far it has come: draft, submitted, approved, rejected or paid."""
        if not self.submitted:
            return "draft"
        if self.is_rejected:
            return "rejected"
        return "paid" if self.paid_on else "approved" if self.decided else "submitted"

    @property
    def approved(self) -> int | None:
        """What was approved; None before that."""
        return self.grant_share - self.disallowed if self.status in ("approved", "paid") else None

    @property
    def known_on(self) -> date:
        """Day from which extracts have it."""
        return min(day for day in (self.drafted, self.submitted) if day)

    def known_by(self, day: date) -> Claim:
        """What was known of it on a day."""
        submitted = self.submitted if self.submitted and self.submitted <= day else None
        decided = self.decided if self.decided and self.decided <= day else None
        paid_on = self.paid_on if self.paid_on and self.paid_on <= day else None
        return replace(
            self,
            submitted=submitted,
            decided=decided,
            is_rejected=self.is_rejected and decided is not None,
            disallowed=self.disallowed if decided else 0,
            disallow_reason=self.disallow_reason if decided else "",
            paid_on=paid_on,
            paid=self.paid if paid_on else 0,
        )


@dataclass(frozen=True)
class Match:
    """A statement about match for an award: pledged, confirmed or evidenced."""

    award_id: str
    known_on: date
    stage: str
    source_type: str
    kind: str
    amount: int
    financial_year: str
    evidence_ref: str = ""
    match_id: str = ""


@dataclass(frozen=True)
class Adjustment:
    """Budget moved between cost categories or years, or money returned."""

    award_id: str
    adjustment_type: str
    known_on: date  # day of approval
    from_fy: str
    to_fy: str
    amount: int
    category: str = ""
    pair_id: str = ""
    adjustment_id: str = ""


@dataclass(frozen=True)
class Price:
    """Price of an outcome under an award by results."""

    award_id: str
    definition: str
    amount: int
    known_on: date
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True)
class OutcomePayment:
    """Payment for a verified outcome."""

    payment_id: str
    award_id: str
    participant_ref: str
    episode_id: str
    definition: str
    outcome_date: date
    known_on: date  # day of verification
    amount: int


@dataclass(frozen=True)
class SiteLedger:
    """All money of a site."""

    site_code: str
    programme_code: str
    awards: tuple[Award, ...] = ()
    variations: tuple[Variation, ...] = ()
    profile: tuple[ProfileLine, ...] = ()
    forecasts: tuple[Forecast, ...] = ()
    spending: tuple[Spending, ...] = ()
    claims: tuple[Claim, ...] = ()
    match: tuple[Match, ...] = ()
    adjustments: tuple[Adjustment, ...] = ()
    prices: tuple[Price, ...] = ()
    payments: tuple[OutcomePayment, ...] = ()

    def known_by(self, day: date) -> SiteLedger:
        """What was known on a day."""
        return self._of(lambda entry: entry.known_on <= day, lambda claim: claim.known_by(day))

    def of_award(self, award_id: str) -> SiteLedger:
        """What concerns one award."""
        return self._of(lambda entry: entry.award_id == award_id)

    def with_all(self, other: SiteLedger) -> SiteLedger:
        """This ledger with the entries of another."""
        entries: dict[str, Any] = {name: getattr(self, name) + getattr(other, name) for name in ENTRIES}
        return replace(self, **entries)

    def _of(self, wanted: Any, shown: Any = lambda claim: claim) -> SiteLedger:
        chosen: dict[str, Any] = {name: tuple(e for e in getattr(self, name) if wanted(e)) for name in ENTRIES}
        return replace(self, **chosen | {"claims": tuple(shown(c) for c in chosen["claims"])})


ENTRIES = tuple(f.name for f in fields(SiteLedger) if f.name not in ("site_code", "programme_code"))
