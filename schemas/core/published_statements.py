"""core.published_statements: what sources say in words about programmes and people. Source: docs/domain.md 1, 7.26.

A quantity in words, such as 'the vast majority', is a row of `benchmarks`; an approach, of `delivery_approaches`.
"""

from __future__ import annotations

from schemas._contract.model import Contract, Field, Kind
from schemas._contract.shared_fields import (
    ABOUT_SITE_CODE,
    CAVEAT,
    PROGRAMME_CODE,
    SOURCE_DATE,
    SOURCE_DOCUMENT,
    SOURCE_WORDING,
)
from schemas._rules.datasets.public_figures import site_of_programme

CONTRACT = Contract(
    dataset="published_statements",
    title="Published statements",
    description="Claims, criticism, recommendations, plans and policy documents as printed, without a figure.",
    grain="one row per statement and source",
    key=("statement_id",),
    fields=(
        Field(
            "statement_id",
            Kind.REFERENCE,
            "Statement reference",
            "The sender's own reference.",
            example="HLT-NEXT-SPRING",
        ),
        PROGRAMME_CODE.replace(description="The programme that it is about; empty where it is about none of them."),
        ABOUT_SITE_CODE,
        Field("statement_type", Kind.CODE, "Type", "What kind of statement it is.", codes="statement_type"),
        Field("statement", Kind.TEXT, "Statement", "What is said, in a sentence of our own; of a document, its title."),
        Field(
            "stated_by",
            Kind.TEXT,
            "Stated by",
            "The office or organisation that says so; never a person's name.",
            example="Mind",
        ),
        Field(
            "reference_period",
            Kind.TEXT,
            "Period",
            "When it is true, or was to happen; empty where its source does not say.",
            required=False,
            example="spring 2017",
        ),
        CAVEAT.replace(required=True, column_required=True),
        SOURCE_DOCUMENT,
        SOURCE_DATE,
        SOURCE_WORDING.replace(description="The few words of the source that carry it.", required=True),
    ),
    rules=(site_of_programme("published_statements"),),
)
