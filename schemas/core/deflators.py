"""core.deflators: the GDP deflator, by release: none is shipped. Source: docs/domain.md 3.6, rule M50.

Each release is revised and has another base year, so the figures of two releases are never mixed.
"""

from __future__ import annotations

from schemas._contract.model import Contract, Field, Kind, Rule, Severity
from schemas._contract.shared_fields import FINANCIAL_YEAR, SOURCE_DOCUMENT

CONTRACT = Contract(
    dataset="deflators",
    title="Deflators",
    description="The index by which prices of one financial year are expressed in those of another, by release.",
    grain="one row per release and financial year",
    key=("vintage", "financial_year"),
    fields=(
        Field(
            "vintage",
            Kind.TEXT,
            "Release",
            "The month in which the figures were published, as year and month.",
            pattern=r"^20[0-9]{2}-(?:0[1-9]|1[0-2])$",
            aliases=("Vintage", "Published"),
            example="2016-10",
        ),
        FINANCIAL_YEAR.replace(description="The financial year (April to March) of the index.", required=True),
        Field(
            "index_value",
            Kind.DECIMAL,
            "Index",
            "The price level of the year; 100 in the release's base year.",
            decimals=4,
            low=1,
            high=1000,
            aliases=("GDP deflator", "Index"),
            example="98.1234",
        ),
        SOURCE_DOCUMENT,
    ),
    rules=(
        Rule(
            "M50",
            Severity.ROW,
            "The release has no base year, or more than one",
            expected="one year with the index 100 in each release",
            fix="Send the whole release, with the index as it was published. Growth rates are not an index.",
            field="index_value",
            violations_sql="""
                select delivery_id, source_row from core.deflators
                qualify count(*) filter (index_value = 100) over (partition by vintage) <> 1""",
        ),
    ),
)
