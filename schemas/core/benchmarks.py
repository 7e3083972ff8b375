"""core.benchmarks: figures quoted for comparison, with what each really measures. Source: docs/domain.md 1.7, 4.7."""

from __future__ import annotations

import polars as pl

from schemas._contract.model import Contract, Field, Kind, Rule, Severity
from schemas._contract.shared_fields import ABOUT_SITE_CODE, CAVEAT, PROGRAMME_CODE, SOURCE_DOCUMENT, SOURCE_WORDING
from schemas._rules.datasets.public_figures import figure_agrees_with_status

STATISTIC = "measure_statistic"

CONTRACT = Contract(
    dataset="benchmarks",
    title="Benchmarks",
    description="Figures quoted for comparison; the caveat says what each really measures.",
    grain="one row per figure and source",
    key=("benchmark_id",),
    fields=(
        Field("benchmark_id", Kind.REFERENCE, "Benchmark reference", "The sender's own reference.", example="IPS-HALF"),
        PROGRAMME_CODE,
        ABOUT_SITE_CODE,
        Field("benchmark_name", Kind.TEXT, "Benchmark", "What the figure is, in a few words."),
        Field(
            STATISTIC,
            Kind.CODE,
            "Statistic",
            "What kind of number it is: a count, a percentage, pounds, ...",
            codes="measure_statistic",
        ),
        Field(
            "value",
            Kind.DECIMAL,
            "Value",
            "The figure as printed; empty where its source has words alone, such as 'the vast majority'.",
            low=0,
            required=False,
            column_required=True,
            example="46",
            statistic=STATISTIC,
        ),
        Field(
            "value_status",
            Kind.CODE,
            "Value status",
            "Whether the value is known, or stated in words alone.",
            codes="value_status",
            default="known",
        ),
        Field(
            "value_low",
            Kind.DECIMAL,
            "Low",
            "The lower end of its printed interval.",
            required=False,
            statistic=STATISTIC,
        ),
        Field(
            "value_high",
            Kind.DECIMAL,
            "High",
            "The upper end of its printed interval.",
            required=False,
            statistic=STATISTIC,
        ),
        Field(
            "qualifier",
            Kind.TEXT,
            "Qualifier",
            "The words that the source puts before the figure, or in its place, such as 'at least'.",
            required=False,
        ),
        Field("population", Kind.TEXT, "Population", "Whom or what the figure is about."),
        Field(
            "reference_period",
            Kind.TEXT,
            "Period",
            "When the figure was true; empty where its source does not say.",
            required=False,
            example="2009/10",
        ),
        Field(
            "outcome_definition_code",
            Kind.CODE,
            "Outcome definition",
            "The rule by which an outcome counts. Without one it is not compared with our outcomes.",
            codes="outcome_definitions",
            required=False,
        ),
        CAVEAT.replace(required=True, column_required=True),
        SOURCE_DOCUMENT,
        SOURCE_WORDING,
    ),
    rules=(
        figure_agrees_with_status("value", "value_status"),
        Rule(
            "C21",
            Severity.ROW,
            "The percentage is over 100",
            expected="a percentage from 0 to 100, such as 46 for 46%",
            fix="Check the figure and its statistic.",
            field="value",
            check=lambda: (pl.col("measure_statistic") != "percentage") | (pl.col("value") <= 100),
        ),
        Rule(
            "V03",
            Severity.ROW,
            "The interval does not hold the figure",
            expected="an interval whose lower end is at most, and whose upper end at least, the figure",
            fix="Check the figure and both ends of its interval.",
            field="value_low",
            check=lambda: (pl.col("value_low") <= pl.col("value")) & (pl.col("value") <= pl.col("value_high")),
        ),
    ),
)
