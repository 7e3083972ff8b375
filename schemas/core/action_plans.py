"""core.action_plans: vocational profiles, action plans and plans for support in work.

Source: docs/domain.md 7.5. K06 to K08 are our own.
"""

from __future__ import annotations

import polars as pl

from schemas._contract.model import Contract, Field, Kind, Rule, Severity
from schemas._contract.shared_fields import EPISODE_ID, before_death, orphan, repeats_sql
from schemas._rules.months import within_period

CONTRACT = Contract(
    dataset="action_plans",
    title="Action plans",
    description="Vocational profiles, action plans and plans for support in work, as participants agreed them.",
    grain="one row per plan",
    key=("plan_id",),
    participant_level=True,
    event_date="completed_date",
    fields=(
        Field(
            "plan_id",
            Kind.REFERENCE,
            "Plan reference",
            "The site's own reference for the plan.",
            pattern=r"^[A-Z]{2,8}-[A-Z0-9]{6,16}$",
            aliases=("Plan number", "Plan ID", "Plan ref"),
            example="BPL-P0001234",
        ),
        EPISODE_ID,
        Field(
            "plan_type",
            Kind.CODE,
            "Kind of plan",
            "Whether it is a vocational profile, an action plan, or a plan for support in work.",
            codes="plan_type",
            aliases=("Plan type", "Type of plan", "Plan"),
            example="action_plan",
        ),
        Field(
            "completed_date",
            Kind.DATE,
            "Date completed",
            "The day on which the participant agreed the plan.",
            aliases=("Completion date", "Date of plan", "Plan date", "Completed", "Completed on", "Date agreed"),
            example="2016-05-27",
        ),
        Field(
            "reviewed_date",
            Kind.DATE,
            "Date reviewed",
            "The day of its last review; empty if there was none.",
            required=False,
            aliases=("Review date", "Last review", "Date of review", "Reviewed", "Last reviewed"),
            example="2016-08-26",
        ),
        Field(
            "preferred_hours",
            Kind.CODE,
            "Preferred hours",
            "The weekly hours that the participant wants to work.",
            codes="preferred_hours",
            required=False,
            aliases=("Hours wanted", "Preferred working hours", "Hours preference"),
            example="16_to_29",
        ),
        Field(
            "disclosure_preference",
            Kind.CODE,
            "Disclosure",
            "Whether the participant wants an employer to know of a health condition.",
            codes="disclosure_preference",
            required=False,
            aliases=("Disclosure preference", "Disclose to employer", "Disclosure status"),
            example="partial",
        ),
        Field(
            "benefits_calc_done",
            Kind.YES_NO,
            "Benefits calculation",
            "Whether the participant was shown what work would change in their benefits.",
            required=False,
            aliases=("Better-off calculation", "Benefits calculation done", "Better off calc", "BOC", "BOC done"),
        ),
        Field(
            "goal_count",
            Kind.INTEGER,
            "Number of goals",
            "How many goals the plan has.",
            required=False,
            low=0,
            high=50,
            sentinels=("99", "999"),
            aliases=("Goals", "No of goals", "Number of goals set", "Goals set"),
            example="3",
        ),
    ),
    rules=(
        within_period("completed_date"),
        Rule(
            "K06",
            Severity.ROW,
            "The plan was reviewed before it was completed",
            expected="a review on or after the day on which the plan was completed",
            fix="Correct one of the two dates. If each is in the other's column, exchange them.",
            field="reviewed_date",
            check=lambda: pl.col("reviewed_date") >= pl.col("completed_date"),
        ),
        orphan("action_plans", "plan", "referrals"),
        Rule(
            "K07",
            Severity.WARNING,
            "The plan lies outside the episode",
            expected="a date from the referral to 31 days after exit",
            fix="Check the date, and the dates of the referral and the exit.",
            field="completed_date",
            confirmable=True,
            needs=("referrals",),
            violations_sql="""
                select p.delivery_id, p.source_row
                from core.action_plans p join core.referrals r using (site_code, episode_id)
                where p.completed_date < r.referral_received_date or p.completed_date > r.exit_date + 31""",
        ),
        Rule(
            "K08",
            Severity.WARNING,
            "The same plan is recorded more than once",
            expected="one row for the plans of a kind that an episode has of one day",
            fix="If a value was copied down by mistake, correct it. If it is the same plan, delete one of the two rows."
            " If both are right, nothing needs doing.",
            field="plan_id",
            names_other="the same plan as",
            confirmable=True,
            violations_sql=repeats_sql(
                "core.action_plans",
                columns="site_code, episode_id, plan_type, completed_date",
                order_by="delivery_id, source_row",
            ),
        ),
        before_death("action_plans", "completed_date", "The plan"),
    ),
)
