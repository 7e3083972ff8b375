"""core.targets: published targets of programmes and sites. Source: docs/domain.md 7.18, rules M20 and M21.

'5,000 people' was printed for three programmes, and '340' both as people and as jobs (docs/domain.md 0.3, 0.4). So a
target states its programme and its unit, and two readings of one figure refer to each other (`conflicts_with`).
"""

from __future__ import annotations

import polars as pl

from schemas._contract.model import Contract, Field, Kind, Rule, Severity
from schemas._contract.shared_fields import (
    ABOUT_SITE_CODE,
    CAVEAT,
    FINANCIAL_YEAR,
    PROGRAMME_CODE,
    SOURCE_DOCUMENT,
    SOURCE_WORDING,
)
from schemas._rules.datasets.jobs import definition_belongs_to_programme
from schemas._rules.datasets.public_figures import site_of_programme

UNIT_OF_METRIC = {  # only the metrics that have a single unit
    "participants": "people",
    "randomised": "people",
    "people_into_work": "people",
    "jobs": "jobs",
    "job_starts": "job_starts",
    "training_events": "events",
    "spend": "gbp",
}

CONTRACT = Contract(
    dataset="targets",
    title="Targets",
    description="Published targets and totals in post, each with what it counts and where it is printed.",
    grain="one row per target",
    key=("target_id",),
    fields=(
        Field("target_id", Kind.REFERENCE, "Target reference", "The sender's own reference.", example="MHT-REACH"),
        PROGRAMME_CODE.replace(description="The programme that the target belongs to.", required=True),
        ABOUT_SITE_CODE,
        FINANCIAL_YEAR,
        Field(
            "target_period",
            Kind.TEXT,
            "Period",
            "The period of the target as its source words it.",
            required=False,
            example="3 years",
        ),
        Field("metric_code", Kind.CODE, "Metric", "What is to be reached.", codes="target_metric"),
        Field(
            "audience",
            Kind.CODE,
            "Audience",
            "Of a total in post or in an area (metric population): who they are, such as GPs.",
            codes="training_audience",
            required=False,
            empty_if="the figure is about nobody whom the pilot trains",
            example="gp",
        ),
        Field(
            "unit",
            Kind.CODE,
            "Unit",
            "What the target counts: people, jobs and job starts are three counts.",
            codes="target_unit",
        ),
        Field(
            "outcome_definition_code",
            Kind.CODE,
            "Outcome definition",
            "The rule by which an outcome counts, where the source states it.",
            codes="outcome_definitions",
            required=False,
        ),
        Field("target_value", Kind.DECIMAL, "Target", "The figure to be reached.", low=0, example="1040"),
        Field(
            "qualifier",
            Kind.TEXT,
            "Qualifier",
            "The word that the source puts before the figure, such as 'around' or 'more than'.",
            required=False,
        ),
        Field(
            "conflicts_with",
            Kind.REFERENCE,
            "Conflicts with",
            "The reference of the target that states the same figure in another unit.",
            required=False,
        ),
        Field("superseded_by", Kind.REFERENCE, "Superseded by", "The target that replaced it.", required=False),
        CAVEAT,
        SOURCE_DOCUMENT,
        SOURCE_WORDING,
    ),
    rules=(
        Rule(
            "M20",
            Severity.ROW,
            "The unit does not fit the metric",
            expected="the unit of the metric: people for people into work, jobs for jobs, pounds for spending",
            fix="State what the target counts. People, jobs and job starts are three counts.",
            field="unit",
            check=lambda: (
                pl.col("metric_code").replace_strict(UNIT_OF_METRIC, default=pl.col("unit")) == pl.col("unit")
            ),
        ),
        Rule(
            "M20",
            Severity.WARNING,
            "One figure is stated in two units",
            expected="one unit, or two rows that name each other in conflicts_with",
            fix="Check with the sources what the figure counts. If they disagree, fill conflicts_with in both rows.",
            field="unit",
            violations_sql="""
                select distinct a.delivery_id, a.source_row
                from core.targets a join core.targets b using (site_code, programme_code, target_value)
                where a.about_site_code is not distinct from b.about_site_code and a.unit <> b.unit
                    and a.conflicts_with is distinct from b.target_id""",
        ),
        Rule(
            "M20",
            Severity.WARNING,
            "One source's figure is used for two programmes",
            expected="a figure for the programme that its source names",
            fix="Check which programme the source means: the same round figure was printed for several.",
            field="programme_code",
            violations_sql="""
                select distinct a.delivery_id, a.source_row
                from core.targets a join core.targets b using (site_code, source_document, target_value, unit)
                where a.programme_code <> b.programme_code""",
        ),
        # No actual could ever be compared with it: sites send outcomes by the definitions of their programme alone.
        Rule(
            "M21",
            Severity.ROW,
            "The target counts by an outcome definition that its programme does not use",
            expected="a definition of the register that is listed for the programme, or an empty cell where the source"
            " states none",
            fix="Check with the source by which definition the target counts, and whose target it is.",
            field="outcome_definition_code",
            check=definition_belongs_to_programme,
        ),
        site_of_programme("targets"),
    ),
)
