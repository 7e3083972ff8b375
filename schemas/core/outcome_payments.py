"""core.outcome_payments: payments for outcomes that were verified. Source: docs/domain.md 3.5, 7.17, rules M47-M49.

The control arm of a trial is never paid for; no rule says so, because no programme both randomises and pays by results
(core.returns).
"""

from __future__ import annotations

import polars as pl

from schemas._contract.model import Contract, Field, Kind, Rule, Severity
from schemas._contract.shared_fields import (
    AWARD_ID,
    EPISODE_ID,
    PARTICIPANT_REF,
    orphan,
    participant_of_episode,
    repeats_sql,
)
from schemas._rules.datasets.money import award_on_record
from schemas._rules.months import within_period

# An outcome of the episode that meets the payment's definition on its day, with evidence from somebody else.
VERIFIED = """
    from core.employment_outcomes o
    where o.site_code = p.site_code and o.episode_id = p.episode_id and not o.in_work_at_start
        and o.evidence_type <> 'self_report'
        and case p.outcome_definition_code
            when 'SUST_13' then o.sust_13w_date <= p.outcome_date
            when 'SUST_26' then o.sust_26w_date <= p.outcome_date
            when 'JOB_START' then o.job_start_date <= p.outcome_date
            else o.outcome_definition_code = p.outcome_definition_code and o.job_start_date <= p.outcome_date end"""

CONTRACT = Contract(
    dataset="outcome_payments",
    title="Outcome payments",
    description="Payments by results: one for each outcome that was verified.",
    grain="one row per payment",
    key=("payment_id",),
    participant_level=True,
    control_total="amount",
    event_date="outcome_date",
    fields=(
        Field(
            "payment_id",
            Kind.REFERENCE,
            "Payment reference",
            "The site's own reference for the payment.",
            pattern=r"^[A-Z]{2,8}-[A-Z0-9]{6,16}$",
            personal=True,
            aliases=("Payment number", "Payment ID"),
            example="CPA-P000123",
        ),
        AWARD_ID.replace(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{1,60}$"),  # no free text beside people
        PARTICIPANT_REF,
        EPISODE_ID,
        Field(
            "outcome_definition_code",
            Kind.CODE,
            "Outcome rule",
            "The definition by which the outcome is paid for.",
            codes="outcome_definitions",
            aliases=("Outcome definition", "Payment trigger"),
            example="WC_JO",
        ),
        Field(
            "outcome_date",
            Kind.DATE,
            "Date of the outcome",
            "The day on which the outcome was reached.",
            aliases=("Outcome date",),
        ),
        Field(
            "verified_date",
            Kind.DATE,
            "Date verified",
            "The day on which the outcome was verified, and could be paid for.",
            aliases=("Verification date", "Validated on"),
        ),
        Field(
            "unit_price",
            Kind.MONEY,
            "Price",
            "The price of the outcome on its day.",
            unit="GBP",
            aliases=("Unit price", "Fee"),
            example="1250.00",
        ),
        Field(
            "amount",
            Kind.MONEY,
            "Amount paid",
            "What was paid for it: the price.",
            unit="GBP",
            aliases=("Payment", "Payment amount"),
            example="1250.00",
        ),
    ),
    rules=(
        within_period("outcome_date"),
        award_on_record("outcome_payments", "payment", is_shown=False),
        orphan("outcome_payments", "payment", "referrals"),
        Rule(
            "M47",
            Severity.ROW,
            "The outcome was verified before it was reached",
            expected="a day of verification on or after the day of the outcome",
            fix="Correct one of the two dates.",
            field="verified_date",
            check=lambda: pl.col("verified_date") >= pl.col("outcome_date"),
        ),
        Rule(
            "M47",
            Severity.ROW,
            "No verified outcome is on record for this payment",
            expected="a job of the episode that meets the outcome rule by that day, with evidence other than the"
            " participant's own report",
            fix="Send the job with its evidence, or correct the episode, the outcome rule or the date.",
            field="episode_id",
            needs=("employment_outcomes",),
            violations_sql=f"""
                select p.delivery_id, p.source_row from core.outcome_payments p where not exists ({VERIFIED})""",
        ),
        Rule(
            "M48",
            Severity.ROW,
            "The same outcome is paid for twice",
            expected="one payment for a person, episode and outcome rule",
            fix="If it is the same payment, delete this row. If the episode or the outcome rule is wrong, correct it.",
            field="payment_id",
            names_other="the same outcome as",
            violations_sql=repeats_sql(
                "core.outcome_payments",
                columns="site_code, participant_ref, episode_id, outcome_definition_code",
                order_by="verified_date, delivery_id, source_row",
            ),
        ),
        Rule(
            "M49",
            Severity.ROW,
            "The amount is not the price",
            expected="the price of one outcome as the amount",
            fix="Correct the amount or the price. Each outcome has a row of its own.",
            field="amount",
            check=lambda: (pl.col("amount") == pl.col("unit_price")) & (pl.col("amount") > 0),
        ),
        Rule(
            "M49",
            Severity.ROW,
            "The price is not the one in force on the day of the outcome",
            expected="the price that the payment schedule has for the outcome rule on that day",
            fix="Correct the price, the outcome rule or the date, or send the price in the payment schedule.",
            field="unit_price",
            needs=("payment_schedule",),
            violations_sql="""
                select p.delivery_id, p.source_row from core.outcome_payments p
                where not exists (
                    from core.payment_schedule s
                    where s.site_code = p.site_code and s.award_id = p.award_id
                        and s.outcome_definition_code = p.outcome_definition_code and s.unit_price = p.unit_price
                        and p.outcome_date between s.valid_from and coalesce(s.valid_to, p.outcome_date))""",
        ),
        participant_of_episode("outcome_payments", "M48"),
    ),
)
