"""Fields that the tables of the registry share."""

from __future__ import annotations

from schemas._contract.model import Field, Kind

SOURCE = Field(
    "source",
    Kind.TEXT,
    "Source",
    "Where the entry comes from; that section names the publication. '(our choice)' marks a rule or name of our own, "
    "'(derived)' what was worked out, '(unconfirmed)' general knowledge.",
    example="docs/domain.md 7.0",
)

AREA_CODE = Field(
    "area_code",
    Kind.REFERENCE,
    "Area code",
    "The national code of the area (ONS). Codes that begin with JCP- or NHS- are our own: Jobcentre Plus districts and "
    "the NHS areas of the IPS in IAPT pilot have no national code.",
    example="E06000009",
)
