"""core.return_calendar: deadline of the returns of each month. A rule of our own: the sources print no calendar."""

from __future__ import annotations

from schemas._contract.model import Contract, Field, Kind
from schemas._contract.shared_fields import SOURCE

CONTRACT = Contract(
    dataset="return_calendar",
    title="Return calendar",
    description="By when the returns of each month are owed. Made by a rule of our own, since the sources print no "
    "calendar: 5pm on the 9th of the following month, or on the Monday after where the 9th is a Saturday or Sunday.",
    grain="one row per month",
    key=("period",),
    reference=True,
    fields=(
        Field(
            "period",
            Kind.REFERENCE,
            "Period",
            "The month that the returns cover, written as year and month.",
            pattern=r"^\d{6}$",
            example="201611",
        ),
        Field("due_at", Kind.TIMESTAMP, "Due", "The day and time by which the returns are owed, London time."),
        SOURCE,
    ),
)
