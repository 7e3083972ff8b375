"""core.staff_posts: who works in a pilot, in which role and for how much of the week, for caseloads.

Source: docs/domain.md 7.21. K10 and K11 are our own. Rule K05, about contacts, reads this dataset.
"""

from __future__ import annotations

import polars as pl

from schemas._contract.model import FIRST_DAY, FULL_TIME, LAST_DAY, Contract, Field, Kind, Rule, Severity
from schemas._contract.shared_fields import STAFF_REF

CONTRACT = Contract(
    dataset="staff_posts",
    title="Staff posts",
    description="Posts of the pilot and who holds them, by the site's own references; never names.",
    grain="one row per member of staff and spell in a post",
    key=("post_id", "staff_ref", "start_date"),
    participant_level=True,  # searched for personal data: staff are people too
    fields=(
        Field(
            "post_id",
            Kind.REFERENCE,
            "Post reference",
            "The site's own reference for the post. Whoever holds it next has a row of their own with the same.",
            pattern=r"^[A-Z0-9][A-Z0-9-]{2,19}$",
            aliases=("Post ID", "Post number", "Post", "Post ref", "Position number"),
            example="BPL-POST-07",
        ),
        STAFF_REF.replace(
            required=True, description="Who holds the post: the reference that contacts have; never a name."
        ),
        Field(
            "staff_role",
            Kind.CODE,
            "Staff role",
            "The role of the post.",
            codes="staff_role",
            aliases=("Role", "Job role", "Job title", "Role title", "Post title"),
            example="employment_specialist",
        ),
        Field(
            "fte",
            Kind.DECIMAL,
            "Share of full time",
            "The share of a full working week, 1 being full time.",
            unit=FULL_TIME,
            low=0,
            high=1,
            aliases=("FTE", "WTE", "Full-time equivalent", "Whole-time equivalent", "Contracted FTE"),
            example="0.50",
        ),
        Field(
            "start_date",
            Kind.DATE,
            "From",
            "The first day in the post.",
            month_means=FIRST_DAY,
            may_be_future=True,
            aliases=("Start date", "In post from", "Start", "Date started", "Date from"),
            example="2015-10-05",
        ),
        Field(
            "end_date",
            Kind.DATE,
            "To",
            "The last day in the post; empty while it is held.",
            required=False,
            empty_if="the post is still held",
            column_required=True,
            may_go_on=True,
            month_means=LAST_DAY,
            may_be_future=True,
            aliases=("End date", "In post to", "Leaving date", "End", "Date left", "Leaver date", "Date to"),
        ),
        Field(
            "clinical_team_ref",
            Kind.REFERENCE,
            "Clinical team",
            "The site's own reference for the clinical team that the post belongs to.",
            required=False,
            empty_if="it belongs to none",
            pattern=r"^[A-Z0-9][A-Z0-9-]{1,19}$",
            aliases=("Team", "Team ref", "Clinical team ref"),
            example="CMHT-03",
        ),
    ),
    rules=(
        Rule(
            "K10",
            Severity.ROW,
            "The post ends before it starts",
            expected="a last day on or after the first",
            fix="Correct one of the two dates. If each is in the other's column, exchange them.",
            field="end_date",
            check=lambda: pl.col("end_date") >= pl.col("start_date"),
        ),
        Rule(
            "K11",
            Severity.WARNING,
            "Somebody works more than full time",
            expected="posts at one time that add up to at most a full working week",
            fix="Enter the end of a post that was left, or correct the shares.",
            field="fte",
            confirmable=True,
            violations_sql="""
                select p.delivery_id, p.source_row
                from core.staff_posts p join core.staff_posts o using (site_code, staff_ref)
                where p.start_date between o.start_date and coalesce(o.end_date, p.start_date)
                group by p.delivery_id, p.source_row having sum(o.fte) > 1""",
        ),
    ),
)
