"""audit.withdrawals: deliveries that the data team took out of the figures, when and why, and whether that was undone.

A withdrawal has a time, so that figures as of an earlier time (`pilots as-of`) still count the delivery.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from schemas._contract.model import Contract, Field, Kind

MAX_REASON_LENGTH = 200  # characters


@dataclass(frozen=True)
class Withdrawal:
    """One withdrawal of one delivery."""

    delivery_id: str
    withdrawn_at: datetime
    reason: str
    undone_at: datetime | None = None

    @property
    def is_active(self) -> bool:
        """Whether it has not been undone."""
        return self.undone_at is None

    def as_of(self, moment: datetime) -> Withdrawal:
        """The withdrawal as it was known at `moment`: active, if it was undone only later."""
        was_undone = self.undone_at is not None and self.undone_at <= moment
        return Withdrawal(self.delivery_id, self.withdrawn_at, self.reason, self.undone_at if was_undone else None)


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
        Field("withdrawn_at", Kind.TIMESTAMP, "Withdrawn at", "From when on it is in no figures (UTC)."),
        Field("reason", Kind.TEXT, "Reason", "Why, in the words of the data team."),
        Field(
            "undone_at",
            Kind.TIMESTAMP,
            "Undone at",
            "From when on it counts again as if it had never been withdrawn (UTC); empty while it is withdrawn.",
            required=False,
        ),
    ),
)
