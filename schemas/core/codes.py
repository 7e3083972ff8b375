"""core.codes: all code lists in one table, to join labels to codes. Source: core/codes/*.csv."""

from __future__ import annotations

from schemas._contract.model import Contract, Field, Kind
from schemas._contract.shared_fields import SOURCE

CONTRACT = Contract(
    dataset="codes",
    title="Code lists",
    description="The codes of every list with their labels. Codes are text: 01 is not 1.",
    grain="one row per list and code",
    key=("list_name", "code"),
    reference=True,
    fields=(
        Field(
            "list_name",
            Kind.REFERENCE,
            "List",
            "The list's name, as the comments of other columns give it.",
            example="employment_status",
        ),
        Field("code", Kind.REFERENCE, "Code", "The code as it is stored.", example="01"),
        Field("label", Kind.TEXT, "Label", "What the code means.", example="Employed"),
        Field(
            "aliases",
            Kind.TEXT,
            "Aliases",
            "Other spellings that are read as this code, separated by ';'.",
            required=False,
        ),
        Field(
            "active_code",
            Kind.REFERENCE,
            "Active code",
            "The code that took its place, where it is retired.",
            required=False,
        ),
        Field(
            "valid_from",
            Kind.DATE,
            "Valid from",
            "The first day on which the code is in use; empty where no first day is known.",
            required=False,
        ),
        Field(
            "valid_to",
            Kind.DATE,
            "Valid to",
            "The last day on which the code is in use; empty where no last day is known.",
            required=False,
        ),
        SOURCE,
    ),
)
