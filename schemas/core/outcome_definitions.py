"""core.outcome_definitions: the official definitions of a job outcome.

Source: docs/domain.md 4.2, rules E06, E10 and E16.
"""

from __future__ import annotations

from schemas._contract.model import Contract, Field, Kind
from schemas._contract.shared_fields import SOURCE

CONTRACT = Contract(
    dataset="outcome_definitions",
    title="Outcome definitions",
    description="The official definitions of a job outcome. Outcomes of different definitions are never compared.",
    grain="one row per definition",
    key=("definition_code",),
    reference=True,
    fields=(
        Field(
            "definition_code",
            Kind.REFERENCE,
            "Definition code",
            "The short code that each outcome row carries.",
            example="SUST_13",
        ),
        Field("definition", Kind.TEXT, "Definition", "What counts, in words."),
        Field(
            "programme_codes",
            Kind.TEXT,
            "Programmes",
            "The programmes whose sites may use it, separated by ';'; empty for a definition kept for comparison. "
            "Which programme may use which is our own reading.",
            required=False,
            example="MHT;HLT",
        ),
        Field(
            "min_weekly_hours",
            Kind.DECIMAL,
            "Fewest hours",
            "The fewest paid hours a week that count; empty where the definition states none.",
            unit="hours a week",
            required=False,
            decimals=1,
        ),
        Field(
            "min_days",
            Kind.INTEGER,
            "Fewest days",
            "The fewest days in paid work that count; empty where the definition states none.",
            unit="days",
            required=False,
        ),
        Field(
            "window_days",
            Kind.INTEGER,
            "Window",
            "The days within which they must fall, counted from the first job start (HLT_EMP13: from randomisation); "
            "empty where the definition states none.",
            unit="days",
            required=False,
        ),
        Field(
            "earnings_weeks",
            Kind.INTEGER,
            "Weeks of earnings",
            "The weeks of its fewest hours, at the minimum wage on the first day of the job, that the earnings must "
            "reach (rule E16); empty where the definition asks for no earnings.",
            unit="weeks",
            required=False,
        ),
        SOURCE,
    ),
)
