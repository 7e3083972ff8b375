"""core.areas: areas that returns and published figures refer to. Source: docs/domain.md 2.5, 1.2 and 1.3.

All local authorities of Great Britain are listed, not only those of the pilots. A participant may live elsewhere: that
is a question to the site (rule P09), not an unknown code.
"""

from __future__ import annotations

from schemas._contract.model import Contract, Field, Kind
from schemas._contract.shared_fields import AREA_CODE, SOURCE

CONTRACT = Contract(
    dataset="areas",
    title="Areas",
    description="Areas with their national codes, retired codes among them, each with the code that took its place.",
    grain="one row per area code",
    key=("area_code",),
    reference=True,
    fields=(
        AREA_CODE,
        Field(
            "area_name",
            Kind.TEXT,
            "Area",
            "The area's name; the kind of area is added where two areas share a name.",
        ),
        Field("area_type", Kind.CODE, "Kind of area", "What kind of area it is.", codes="area_type"),
        Field(
            "active_code",
            Kind.REFERENCE,
            "Active code",
            "The code that is used today, where this one is retired; empty for a code in use.",
            required=False,
            example="E08000037",
        ),
        Field(
            "valid_from",
            Kind.DATE,
            "Valid from",
            "The first day of the area, where it began in or after 2013 and the day is known.",
            required=False,
        ),
        Field("valid_to", Kind.DATE, "Valid to", "The last day of the area, where it is known.", required=False),
        SOURCE,
    ),
)
