"""core.fidelity_reviews: how closely a team's service follows IPS, by the fidelity scale.

Source: docs/domain.md 2.7, 7.9, rules W10, W11. The items are in `fidelity_items`.
"""

from __future__ import annotations

import polars as pl

from schemas._contract.model import Contract, Field, Kind, Rule, Severity
from schemas._rules.datasets.fidelity import ITEMS, TOTALS, band_of
from schemas._rules.datasets.organisations import names_no_person
from schemas._rules.months import within_period

USUAL_REVIEWERS = 2  # of an independent review: docs/domain.md 7.9

CONTRACT = Contract(
    dataset="fidelity_reviews",
    title="Fidelity reviews",
    description="Reviews of how closely a team follows the IPS model: 25 items, added up to a total.",
    grain="one row per review of a team",
    key=("review_id",),
    event_date="review_date",
    fields=(
        Field(
            "review_id",
            Kind.REFERENCE,
            "Review reference",
            "The site's own reference for the review.",
            aliases=("Review ID", "Review number", "Review ref", "Review"),
            example="WLA-FR-01",
        ),
        Field(
            "team_name",
            Kind.TEXT,
            "Team",
            "The name of the team; never the name of a person.",
            personal=True,  # not shown: it may be somebody's name all the same
            aliases=("Team name", "Service", "Team/service", "Team reviewed"),
            example="Ealing North team",
        ),
        Field(
            "review_date",
            Kind.DATE,
            "Date of the review",
            "The last day of the review.",
            aliases=("Review date", "Date of review", "Date reviewed"),
            example="2016-09-14",
        ),
        Field(
            "review_type",
            Kind.CODE,
            "Kind of review",
            "Whether others reviewed the team, or it assessed itself. The two are never compared.",
            codes="fidelity_review_type",
            aliases=("Review type", "Type of review"),
            example="independent",
        ),
        Field(
            "scale_version",
            Kind.CODE,
            "Version of the scale",
            "Which version of the scale was used. Caseload size (item 1) is scored differently in each.",
            codes="fidelity_scale_version",
            not_listed_rule="W10",
            aliases=("Scale", "Fidelity scale", "Scale version", "Fidelity scale version"),
            example="UK_CFMH",
        ),
        Field(
            "reviewers",
            Kind.INTEGER,
            "Number of reviewers",
            "How many people reviewed the team; usually two.",
            low=1,
            high=20,
            sentinels=("99",),
            personal=True,  # not shown: some send names in place of a number
            aliases=("Reviewers", "No. of reviewers"),
            example="2",
        ),
        Field(
            "total_score",
            Kind.INTEGER,
            "Total score",
            "The sum of the scores of the 25 items.",
            low=TOTALS[0],
            high=TOTALS[1],
            sentinels=("999",),
            aliases=("Total", "Fidelity score", "Total fidelity score", "Total score /125", "Score /125"),
            example="104",
        ),
        Field(
            "band",
            Kind.CODE,
            "Band",
            "The band of the total score.",
            codes="fidelity_band",
            required=False,
            aliases=("Fidelity band", "Rating", "Fidelity rating", "Fidelity level"),
            example="good",
        ),
    ),
    rules=(
        within_period("review_date"),
        Rule(
            "W19",
            Severity.ROW,
            "The team may be named after a person",
            expected="the name of the team, without names, titles and addresses of people",
            fix="Enter another name for the team, the same in every file.",
            field="team_name",
            check=lambda: names_no_person("team_name"),
        ),
        Rule(
            "W10",
            Severity.ROW,
            "The band is not that of the total score",
            expected="exemplary from 115, good from 100 to 114, fair from 74 to 99, not_ips below 74",
            fix="Check the total and the band.",
            field="band",
            check=lambda: pl.col("band") == band_of("total_score"),
            suggested=lambda: band_of("total_score"),
        ),
        Rule(
            "W10",
            Severity.ROW,
            "The items of the review are not all there",
            expected=f"{ITEMS} items with this review's reference in fidelity_items",
            fix="Send every item of the review. If some were held back, fix these first.",
            field="review_id",
            needs=("fidelity_items",),
            found_column="found",
            violations_sql=f"""
                select r.delivery_id, r.source_row, format('{{}} of {ITEMS} items', count(i.item_no)) as found
                from core.fidelity_reviews r left join core.fidelity_items i using (site_code, review_id)
                group by all having count(i.item_no) <> {ITEMS}""",
        ),
        Rule(
            "W10",
            Severity.ROW,
            "The total is not the sum of the items",
            expected="the sum of the scores of the 25 items",
            fix="Check the total and the items.",
            field="total_score",
            needs=("fidelity_items",),
            found_column="found",
            violations_sql=f"""
                select r.delivery_id, r.source_row, format(
                    '{{}}; the items add up to {{}}', r.total_score, sum(i.score)) as found
                from core.fidelity_reviews r join core.fidelity_items i using (site_code, review_id)
                group by r.delivery_id, r.source_row, r.total_score
                having count(*) = {ITEMS} and sum(i.score) <> r.total_score""",
        ),
        Rule(
            "W11",
            Severity.WARNING,
            "An independent review by a single reviewer may be the site's own assessment",
            expected=f"{USUAL_REVIEWERS} reviewers or more for an independent review",
            fix="If the site assessed itself, send it as self_assessment, or as guided where somebody from outside"
            " helped.",
            field="review_type",
            confirmable=True,
            check=lambda: (pl.col("review_type") != "independent") | (pl.col("reviewers") >= USUAL_REVIEWERS),
        ),
    ),
)
