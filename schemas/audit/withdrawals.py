"""audit.withdrawals: which deliveries the data team took out of the figures, when and why, and whether that was undone.

A withdrawal has a moment, so figures as known before it still count the delivery.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from schemas._contract.model import Contract, Field, Kind

LONGEST_REASON = 200  # characters


@dataclass(frozen=True)
class Withdrawal:
    """One withdrawal of one delivery."""

    delivery_id: str
    withdrawn_at: datetime
    reason: str
    undone_at: datetime | None = None

    @property
    def stands(self) -> bool:
        """Whether it was not undone."""
        return self.undone_at is None

    def as_known(self, moment: datetime) -> Withdrawal:
        """The withdrawal as it was known at a moment: not undone yet, if that came later."""
        known = self.undone_at is not None and self.undone_at <= moment
        return Withdrawal(self.delivery_id, self.withdrawn_at, self.reason, self.undone_at if known else None)


CONTRACT = Contract(
    dataset="withdrawals",
    title="Withdrawals",
    description="Every delivery that the data team took out of the figures (`pilots withdraw`), and why.",
    grain="one row per delivery and withdrawal",
    key=("delivery_id", "withdrawn_at"),
    fields=(
        Field(
            "delivery_id", Kind.TEXT, "Delivery", "The delivery that was withdrawn. The same bytes sent again are too."
        ),
        Field("withdrawn_at", Kind.MOMENT, "Withdrawn at", "From when on it is in no figure (UTC)."),
        Field("reason", Kind.TEXT, "Reason", "Why, in the words of the data team."),
        Field(
            "undone_at",
            Kind.MOMENT,
            "Undone at",
            "From when on it counts again as if it had never been withdrawn (UTC); empty while it is withdrawn.",
            required=False,
        ),
    ),
)
