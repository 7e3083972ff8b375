"""core.delivery_approaches: what programmes and sites tested. Source: docs/domain.md 1.1 to 1.6, 2.7, 7.24."""

from __future__ import annotations

from schemas._contract.model import Contract, Field, Kind
from schemas._contract.shared_fields import ABOUT_SITE_CODE, CAVEAT, PROGRAMME_CODE, SOURCE_DOCUMENT, SOURCE_WORDING
from schemas._rules.datasets.public_figures import site_of_programme

CONTRACT = Contract(
    dataset="delivery_approaches",
    title="Delivery approaches",
    description="The approaches that a programme or site tested, as published.",
    grain="one row per programme or site, approach and source",
    key=("approach_id",),
    fields=(
        Field("approach_id", Kind.REFERENCE, "Approach reference", "The sender's own reference.", example="MHT-01"),
        PROGRAMME_CODE.replace(description="The programme that tested the approach.", required=True),
        ABOUT_SITE_CODE,
        Field(
            "delivery_approach",
            Kind.CODE,
            "Approach",
            "The approach that was tested.",
            codes="delivery_approach",
            aliases=("Approach",),
        ),
        Field(
            "ips_principle",
            Kind.CODE,
            "Principle",
            "Which of the eight principles of Individual Placement and Support it is, if any.",
            codes="ips_principle",
            required=False,
        ),
        Field(
            "target_group",
            Kind.TEXT,
            "For whom",
            "Whom the approach was for, as its source says.",
            required=False,
        ),
        CAVEAT,
        SOURCE_DOCUMENT,
        SOURCE_WORDING,
    ),
    rules=(site_of_programme("delivery_approaches"),),
)
