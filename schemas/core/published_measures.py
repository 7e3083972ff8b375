"""core.published_measures: results as their publishers printed them. Source: docs/domain.md 1.1 to 1.6, 7.20.

Aliases are the headings of NHS England's Talking Therapies releases. In the cell of the value these have `*` if it is
suppressed and NULL if there is none: `value_status` tells the two apart. 'UNKNOWN' as an organisation and 'NULL' as a
breakdown are the publisher's own values, so those fields have a pattern: then such words are not read as missing.
Parts are rounded separately and need not add up to the published total, so there is no such rule.

The key includes the organisation's type: 'UNKNOWN' occurs at every level, and one body may both buy and provide care.
"""

from __future__ import annotations

import polars as pl

from schemas._contract.model import Contract, Field, Kind, Rule, Severity
from schemas._contract.shared_fields import ABOUT_SITE_CODE, CAVEAT, PROGRAMME_CODE, SOURCE_DOCUMENT, SOURCE_WORDING
from schemas._rules.datasets.public_figures import figure_agrees_with_status, site_of_programme

ANY_TEXT = r"^[^\s=+@\-](?:.*\S)?$"


def _as_published(name: str, title: str, description: str, alias: str, default: str = "") -> Field:
    return Field(
        name,
        Kind.TEXT,
        title,
        description,
        pattern=ANY_TEXT,
        aliases=(alias,),
        default=default,
        example=default or "All",
    )


CONTRACT = Contract(
    dataset="published_measures",
    title="Published measures",
    description="Results and statistics as printed: kept as they are, never added to our own.",
    grain="one row per organisation and its type, period, breakdown, measure and statistic",
    key=(
        "organisation_code",
        "organisation_type",
        "reporting_period",
        "breakdown_type",
        "breakdown",
        "second_breakdown",
        "measure_name",
        "measure_statistic",
    ),
    fields=(
        PROGRAMME_CODE,
        ABOUT_SITE_CODE,
        _as_published("organisation_type", "Organisation type", "What kind of body or area it is about.", "org_type"),
        _as_published(
            "organisation_code",
            "Organisation code",
            "The publisher's code of the body or area; a site or programme code for the pilots.",
            "org_code",
        ),
        _as_published("organisation_name", "Organisation", "The body or area it is about.", "org_name"),
        Field(
            "reporting_period",
            Kind.TEXT,
            "Period",
            "The period as its publisher names it.",
            example="2017-18",
        ),
        Field("start_date", Kind.DATE, "Period start", "The first day of the period.", required=False),
        Field("end_date", Kind.DATE, "Period end", "The last day of the period.", required=False),
        _as_published(
            "breakdown_type",
            "Breakdown by",
            "What the figure is broken down by.",
            "variable_type",
            default="Total",
        ),
        _as_published(
            "breakdown",
            "Breakdown",
            "The group it is about; 'All' (NHS England: 'NULL') is everyone.",
            "variable_a",
            default="All",
        ),
        _as_published(
            "second_breakdown",
            "Second breakdown",
            "The group within the group; 'All' (NHS England: 'NULL') is everyone in it.",
            "variable_b",
            default="All",
        ),
        Field(
            "measure_name",
            Kind.TEXT,
            "Measure",
            "The publisher's name of the measure, or ours where it prints a sentence.",
            example="recovery",
        ),
        Field(
            "measure_statistic",
            Kind.CODE,
            "Statistic",
            "What kind of number it is: a count, a percentage, pounds, ...",
            codes="measure_statistic",
        ),
        Field(
            "unit",
            Kind.CODE,
            "Unit",
            "What is counted, where the source says so: people, jobs and job starts are three counts.",
            codes="target_unit",
            required=False,
        ),
        Field(
            "value",
            Kind.DECIMAL,
            "Value",
            "The figure as printed; empty where it is suppressed or none is given.",
            decimals=4,
            statistic="measure_statistic",
            required=False,
            column_required=True,
            example="50",
        ),
        Field(
            "value_status",
            Kind.CODE,
            "Value status",
            "Whether the value is known, suppressed, or published without a figure.",
            codes="value_status",
            status_of="value",
            status_words=(("*", "suppressed"), ("NULL", "null_as_published"), ("", "null_as_published")),
            default="known",
        ),
        Field("numerator", Kind.INTEGER, "Numerator", "The printed count above the line.", required=False, low=0),
        Field("denominator", Kind.INTEGER, "Denominator", "The printed count below the line.", required=False, low=0),
        Field(
            "certainty",
            Kind.TEXT,
            "Certainty",
            "The interval or test as its source words it.",
            required=False,
            example="significant at 99%",
        ),
        Field(
            "rounded_to",
            Kind.INTEGER,
            "Rounded to",
            "The multiple that the publisher rounds to.",
            required=False,
            low=1,
            example="10",
        ),
        Field(
            "release_date",
            Kind.DATE,
            "Release date",
            "The day on which the source released the figure; empty where it is not known.",
            required=False,
        ),
        Field(
            "revision",
            Kind.INTEGER,
            "Revision",
            "0 for the figure as first released, 1 for its first revision; empty where the source does not say.",
            required=False,
            low=0,
        ),
        Field(
            "outcome_definition_code",
            Kind.CODE,
            "Outcome definition",
            "The rule by which an outcome counts, where the source states it.",
            codes="outcome_definitions",
            required=False,
        ),
        CAVEAT,
        SOURCE_DOCUMENT.replace(default="the publisher's own file"),
        SOURCE_WORDING,
    ),
    rules=(
        figure_agrees_with_status("value", "value_status"),
        Rule(
            "C21",
            Severity.ROW,
            "The percentage is not between 0 and 100",
            expected="a percentage from 0 to 100, such as 50.8 for 50.8%",
            fix="Check the figure and its statistic.",
            field="value",
            check=lambda: (pl.col("measure_statistic") != "percentage") | pl.col("value").is_between(0, 100),
        ),
        Rule(
            "M07",
            Severity.ROW,
            "The period ends before it starts",
            expected="an end on or after the start of the period",
            fix="Check both dates.",
            field="end_date",
            check=lambda: pl.col("end_date") >= pl.col("start_date"),
        ),
        Rule(
            "M28",
            Severity.ROW,
            "The part is larger than the whole",
            expected="a numerator that is at most the denominator",
            fix="Check both counts.",
            field="numerator",
            check=lambda: pl.col("numerator") <= pl.col("denominator"),
        ),
        site_of_programme("published_measures"),
    ),
)
