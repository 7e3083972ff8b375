"""core.minimum_wages: the minimum wage of adults by date. Source: docs/domain.md 4.2, rule E16."""

from __future__ import annotations

from schemas._contract.model import Contract, Field, Kind
from schemas._contract.shared_fields import SOURCE

CONTRACT = Contract(
    dataset="minimum_wages",
    title="Minimum wages",
    description="The minimum wage of adults: the National Minimum Wage, and from April 2016 the National Living Wage.",
    grain="one row per rate",
    key=("valid_from",),
    reference=True,
    fields=(
        Field("valid_from", Kind.DATE, "Valid from", "The first day on which the rate held; it held until the next."),
        Field("rate_name", Kind.TEXT, "Rate", "The name of the rate.", example="National Living Wage"),
        Field("ages", Kind.TEXT, "Ages", "The ages for which it held.", example="25 and over"),
        Field("hourly_rate_gbp", Kind.MONEY, "Hourly rate", "The rate for an hour of work.", unit="pounds an hour"),
        SOURCE,
    ),
)
