"""core.employer_support: what was done for and with employers. No employer is named. Source: docs/domain.md 7.19.

M22 is about names; K09 is our own.
"""

from __future__ import annotations

import polars as pl

from schemas._contract.model import Contract, Field, Kind, Rule, Severity
from schemas._contract.shared_fields import EPISODE_ID, before_death, orphan
from schemas._rules.months import within_period

CONTRACT = Contract(
    dataset="employer_support",
    title="Employer support",
    description="Support of employers, for one participant or to find jobs. Employers have a size and an industry.",
    grain="one row per act of support",
    key=("support_id",),
    participant_level=True,
    event_date="support_date",
    fields=(
        Field(
            "support_id",
            Kind.REFERENCE,
            "Support reference",
            "The site's own reference for the act of support.",
            pattern=r"^[A-Z]{2,8}-[A-Z0-9]{6,16}$",
            aliases=("Support ID", "Record number", "Support ref", "Record ID"),
            example="BPL-ES000123",
        ),
        EPISODE_ID.replace(required=False, empty_if="it was for no single participant"),
        Field(
            "support_date",
            Kind.DATE,
            "Date of the support",
            "The day on which the employer was supported.",
            aliases=("Support date", "Date of support", "Contact date", "Date of contact"),
            example="2016-09-05",
        ),
        Field(
            "employer_size_band",
            Kind.CODE,
            "Size of the employer",
            "How many people the employer employs.",
            codes="employer_size_band",
            required=False,
            aliases=("Employer size", "Company size", "Number of employees", "Size"),
            example="10-49",
        ),
        Field(
            "sic_section",
            Kind.CODE,
            "Industry",
            "The section of the industry (SIC 2007) of the employer.",
            codes="sic_section",
            required=False,
            aliases=("SIC section", "Sector", "Industry sector", "SIC", "SIC code"),
            example="G",
        ),
        Field(
            "support_type",
            Kind.CODE,
            "Kind of support",
            "What the support was for.",
            codes="employer_support_type",
            aliases=("Support type", "Type of support", "Type of contact"),
            example="reasonable_adjustment",
        ),
        Field(
            "adjustment_made",
            Kind.YES_NO,
            "Adjustment made",
            "Whether the employer adjusted the work or the workplace.",
            required=False,
            empty_if="it is not known, or not yet decided",
            aliases=("Reasonable adjustment made", "Adjustments made", "Adjustments made (Y/N)"),
        ),
        Field(
            "outcome",
            Kind.CODE,
            "Result",
            "What the support led to.",
            codes="employer_support_outcome",
            required=False,
            aliases=("Outcome of support", "Outcome", "Result of contact", "Outcome of contact"),
            example="job_kept",
        ),
    ),
    rules=(
        within_period("support_date"),
        # An employer may be one person. A column of employers' names refuses the file by its heading (F11).
        Rule(
            "M22",
            Severity.ROW,
            "The reference may be the name of an employer",
            expected="the site's own reference, with a number in it: employers are not named",
            fix="Put your own reference for the act of support in its place. Do not send names, nor the numbers under"
            " which employers are registered.",
            field="support_id",
            check=lambda: pl.col("support_id").str.contains(r"-.*[0-9]"),
        ),
        orphan("employer_support", "act of support", "referrals"),
        Rule(
            "K09",
            Severity.WARNING,
            "The support of the employer lies before the referral",
            expected="a day on or after the day on which the referral was received",
            fix="Check the date, the episode and the date of referral.",
            field="support_date",
            confirmable=True,
            needs=("referrals",),
            violations_sql="""
                select s.delivery_id, s.source_row
                from core.employer_support s join core.referrals r using (site_code, episode_id)
                where s.support_date < r.referral_received_date""",
        ),
        before_death("employer_support", "support_date", "The support of the employer"),
    ),
)
