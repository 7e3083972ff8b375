"""core.programmes: programmes whose monitoring returns are collected. Source: docs/domain.md 1 and 7.0."""

from __future__ import annotations

from schemas._contract.model import Contract, Field, Kind
from schemas._contract.shared_fields import SOURCE

CONTRACT = Contract(
    dataset="programmes",
    title="Programmes",
    description="The seven programmes: who pays for them, when they ran and what they are.",
    grain="one row per programme",
    key=("programme_code",),
    reference=True,
    fields=(
        Field("programme_code", Kind.REFERENCE, "Programme code", "The short code of the programme.", example="MHT"),
        Field("programme_name", Kind.TEXT, "Programme", "The programme's full name."),
        Field("funder", Kind.TEXT, "Funder", "The government departments and bodies that pay for the programme."),
        Field(
            "start_year",
            Kind.INTEGER,
            "Start year",
            "The calendar year in which the programme began; empty where the sources do not say.",
            unit="calendar year",
            required=False,
        ),
        Field(
            "end_year",
            Kind.INTEGER,
            "End year",
            "The calendar year in which the programme ended; empty where it goes on or the sources do not say.",
            unit="calendar year",
            required=False,
        ),
        Field(
            "may_overlap_with",
            Kind.REFERENCE,
            "May overlap with",
            "Another programme that may be the same in part: neither people nor money of the two are added together.",
            required=False,
            example="PWW",
        ),
        Field("description", Kind.TEXT, "Description", "What the programme does."),
        SOURCE,
    ),
)
