"""core.claims: what a site asked of its award for a period, and what the funder allowed and paid.

Source: docs/domain.md 3.1, 3.2, 7.14, rules M07, M10-M14, M34-M37.

A claim is for the costs of a period (`claimed_amount`). Of these a part may be eligible, and of the eligible costs the
grant bears a share and match the rest. Only the grant's share is compared with the award. A claim that was submitted is
not changed: a claim of the type `adjustment` corrects it, with amounts below or above 0, and names it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import polars as pl

from schemas._contract.model import FIRST_DAY, LAST_DAY, SHARE, Contract, Field, Kind, Rule, Severity
from schemas._contract.shared_fields import AWARD_ID, FINANCIAL_YEAR, QUARTER
from schemas._rules.datasets.money import (
    AGAINST_AWARD,
    AWARDS,
    TOLERANCE,
    award_on_record,
    between_claims_of_award,
    earlier_file_again,
    outside_award,
    scale_of_last,
    year_and_quarter_agree,
)

# Two rules, within a row and between rows, that name one cell: a report has one text for both.
_CORRECTED: Mapping[str, Any] = MappingProxyType(
    {
        "severity": Severity.ROW,
        "title": "The claim that is corrected is not named, or is not there",
        "expected": "for a correction, the reference of a claim of the same award, which is no correction itself; for"
        " every other type an empty cell",
        "fix": "Enter or correct the reference, or send the claim that it corrects. If it corrects none, correct the"
        " type of claim.",
        "field": "original_claim_id",
    }
)


def _money(name: str, title: str, description: str, *aliases: str, example: str = "") -> Field:
    return Field(
        name,
        Kind.MONEY,
        title,
        description,
        unit="GBP",
        required=bool(example),  # an example stands where every claim has an amount
        column_required=True,
        aliases=aliases,
        example=example,
    )


def _is_no_more(amount: str, than: str) -> pl.Expr:
    """Whether an amount is at most another, in size: adjustments have both below 0."""
    return pl.col(amount).abs() <= pl.col(than).abs()


def _is_by_rate() -> pl.Expr:
    return (pl.col("eligible_amount") * pl.col("intervention_rate") - pl.col("grant_share")).abs() <= TOLERANCE


CONTRACT = Contract(
    dataset="claims",
    title="Claims",
    description="Claims against awards: asked for, allowed and paid, by period.",
    grain="one row per claim",
    key=("claim_id",),
    control_total="claimed_amount",
    fields=(
        Field(
            "claim_id",
            Kind.REFERENCE,
            "Claim reference",
            "The site's own reference for the claim.",
            aliases=("Claim number", "Claim no", "Claim ref"),
            example="BPL-CLAIM-07",
        ),
        AWARD_ID,
        Field(
            "claim_type",
            Kind.CODE,
            "Claim type",
            "Whether it claims the costs of a period, asks for an advance, corrects an earlier claim, or is the last.",
            codes="claim_type",
            aliases=("Type of claim",),
            example="normal",
        ),
        Field(
            "claim_period_start",
            Kind.DATE,
            "Claim period start",
            "The first day of the period that the claim is for.",
            month_means=FIRST_DAY,
            aliases=("Period start", "Claim from"),
            example="2016-04-01",
        ),
        Field(
            "claim_period_end",
            Kind.DATE,
            "Claim period end",
            "The last day of the period that the claim is for.",
            may_be_future=True,  # an advance is for a period to come
            month_means=LAST_DAY,
            aliases=("Period end", "Claim to"),
            example="2016-06-30",
        ),
        FINANCIAL_YEAR.replace(
            description="The financial year (April to March) of the period's last day; it may be left empty.",
            example="2016-17",
        ),
        QUARTER.replace(
            description="The quarter of the period's last day; it may be left empty.",
            required=False,
            empty_if="the dates say it",
        ),
        Field(
            "period_basis",
            Kind.CODE,
            "Kind of quarter",
            "Whether the quarter is one of the financial year or of the calendar year, as in ESF claims.",
            codes="period_basis",
            default="fy_uk",
        ),
        _money(
            "claimed_amount",
            "Costs claimed",
            "The costs of the period.",
            "Claimed",
            "Claim total",
            "Total claimed",
            example="12500.00",
        ),
        _money(
            "eligible_amount",
            "Eligible costs",
            "The part of them that is eligible.",
            "Eligible",
            "Eligible expenditure",
            example="12000.00",
        ),
        _money(
            "grant_share",
            "Asked of the grant",
            "The part of the eligible costs that the grant is to bear.",
            "Grant claimed",
            "Grant requested",
            example="4800.00",
        ),
        _money(
            "match_share",
            "Borne by match",
            "The part of the eligible costs that match bears.",
            "Match",
            "Match funding",
            "Match claimed",
            example="7200.00",
        ),
        Field(
            "intervention_rate",
            Kind.DECIMAL,
            "Intervention rate",
            "The share of eligible costs that the grant bears, where the award fixes one.",
            unit=SHARE,
            required=False,
            low=0,
            high=1,
            decimals=4,
            aliases=("Grant rate",),
            example="0.4",
        ),
        _money(
            "approved_amount",
            "Approved",
            "The grant that the funder approved; empty until it has decided.",
            "Amount approved",
        ),
        _money(
            "disallowed_amount",
            "Disallowed",
            "The part of what was asked of the grant that it did not approve.",
            "Amount disallowed",
        ),
        Field(
            "disallow_reason",
            Kind.CODE,
            "Reason for disallowing",
            "Why a part was not approved; empty where all of it was.",
            codes="disallow_reason",
            required=False,
        ),
        _money(
            "paid_amount", "Paid", "The grant that was paid for the claim; empty until then.", "Payment", "Amount paid"
        ),
        Field(
            "paid_date",
            Kind.DATE,
            "Date paid",
            "The day of the payment; empty until then.",
            required=False,
            aliases=("Payment date",),
        ),
        Field(
            "original_claim_id",
            Kind.REFERENCE,
            "Claim it corrects",
            "For an adjustment, the reference of the claim that it corrects.",
            required=False,
            aliases=("Original claim",),
        ),
        Field(
            "submitted_date",
            Kind.DATE,
            "Date submitted",
            "The day on which it was submitted; for a draft, the day on which it was last changed.",
            may_be_future=True,  # the claim for a quarter is made after its end, which is the extract's cut-off
            aliases=("Claim date", "Date of claim", "Submitted", "Submission date"),
            example="2016-07-12",
        ),
        Field(
            "claim_status",
            Kind.CODE,
            "Status",
            "How far the claim has come.",
            codes="claim_status",
            aliases=("Claim status", "Status"),
            example="submitted",
        ),
    ),
    rules=(
        *scale_of_last("claims", "claimed_amount", ("claim_id",)),
        award_on_record("claims", "claim"),
        Rule(
            "M07",
            Severity.ROW,
            "The claim period ends before it starts",
            expected="an end on or after the start of the period",
            fix="Correct the start or the end of the period.",
            field="claim_period_end",
            check=lambda: pl.col("claim_period_end") >= pl.col("claim_period_start"),
        ),
        Rule(
            "M07",
            Severity.ROW,
            "The claim was made before the award",
            expected="a date on or after the date of the award",
            fix="Check the date of the claim, and the date of the award in the funding awards.",
            field="submitted_date",
            **AGAINST_AWARD,
            violations_sql=f"""
                select c.delivery_id, c.source_row from core.claims c join {AWARDS} a using (site_code, award_id)
                where c.submitted_date < a.award_date""",
        ),
        outside_award("claims", "The claim is for a period", first="claim_period_start", last="claim_period_end"),
        *year_and_quarter_agree("claim_period_end", "claim period", may_be_calendar=True),
        Rule(
            "M10",
            Severity.ROW,
            "A negative claim is not marked as a correction",
            expected="an amount of 0 or more, or the type adjustment",
            fix="If it corrects an earlier claim, give it the type adjustment and the reference of that claim. If not,"
            " correct the amount.",
            field="claimed_amount",
            check=lambda: (
                (pl.col("claim_type") == "adjustment")
                | (pl.min_horizontal("claimed_amount", "eligible_amount", "grant_share", "match_share") >= 0)
            ),
        ),
        Rule(
            "M10",
            **_CORRECTED,
            check=lambda: (pl.col("claim_type") == "adjustment") == pl.col("original_claim_id").is_not_null(),
        ),
        Rule(
            "M10",
            **_CORRECTED,
            violations_sql="""
                select c.delivery_id, c.source_row from core.claims c
                where c.claim_type = 'adjustment' and not exists (
                    from core.claims o
                    where o.site_code = c.site_code and o.award_id = c.award_id
                        and o.claim_id = c.original_claim_id and o.claim_type <> 'adjustment')""",
        ),
        *between_claims_of_award(),
        earlier_file_again(),
        Rule(
            "M14",
            Severity.ROW,
            "More was approved than was asked for",
            expected="an approved amount up to what was asked of the grant",
            fix="Check the two amounts.",
            field="approved_amount",
            check=lambda: _is_no_more("approved_amount", "grant_share"),
        ),
        Rule(
            "M14",
            Severity.ROW,
            "More was paid than was approved",
            expected="a payment up to the approved amount, or the type advance",
            fix="Check the two amounts. If what was approved is under the heading of what was disallowed, exchange the"
            " two headings. Money paid before costs arise is a claim of the type advance.",
            field="paid_amount",
            check=lambda: (pl.col("claim_type") == "advance") | _is_no_more("paid_amount", "approved_amount"),
        ),
        Rule(
            "M35",
            Severity.ROW,
            "The eligible costs are more than was claimed, or not the sum of the two shares",
            expected="eligible costs up to the costs claimed, and the sum of the grant's share and match, within £1",
            fix="Check the four amounts. If two are under each other's headings, exchange the headings.",
            field="eligible_amount",
            # Where the grant's share is not by the rate, that is the cause, and is reported alone.
            check=lambda: (
                ~_is_by_rate().fill_null(True)
                | (
                    _is_no_more("eligible_amount", "claimed_amount")
                    & ((pl.col("grant_share") + pl.col("match_share") - pl.col("eligible_amount")).abs() <= TOLERANCE)
                )
            ),
        ),
        Rule(
            "M35",
            Severity.ROW,
            "The grant's share is not the intervention rate of the eligible costs",
            expected="eligible costs multiplied by the intervention rate, within £1",
            fix="Check the eligible costs, the rate and the grant's share. If two are under each other's headings,"
            " exchange the headings.",
            field="grant_share",
            check=_is_by_rate,
        ),
        Rule(
            "M35",
            Severity.ROW,
            "What was approved and disallowed does not add up to what was asked for",
            expected="the two amounts that add up to what was asked of the grant, within £1",
            fix="Check the amounts. Where everything was approved, enter 0 as disallowed.",
            field="disallowed_amount",
            check=lambda: (
                (pl.col("approved_amount") + pl.col("disallowed_amount") - pl.col("grant_share")).abs() <= TOLERANCE
            ),
        ),
        Rule(
            "M35",
            Severity.ROW,
            "A part was disallowed without a reason",
            expected="a reason where something was disallowed, an empty cell where nothing was",
            fix="Enter the funder's reason, or correct the disallowed amount.",
            field="disallow_reason",
            check=lambda: (pl.col("disallowed_amount").fill_null(0) != 0) == pl.col("disallow_reason").is_not_null(),
        ),
        Rule(
            "M37",
            Severity.ROW,
            "The status and the approved amount disagree",
            expected="an approved amount if the claim is approved or paid; 0 or an empty cell if it was rejected;"
            " an empty cell before",
            fix="Correct the status, or enter what was approved (0 for nothing).",
            field="approved_amount",
            check=lambda: (
                (pl.col("claim_status").is_in(["approved", "paid"]) == pl.col("approved_amount").is_not_null())
                | ((pl.col("claim_status") == "rejected") & (pl.col("approved_amount") == 0))
            ),
        ),
        Rule(
            "M37",
            Severity.ROW,
            "The status and the payment disagree",
            expected="an amount and a date of payment if the claim is paid, empty cells before",
            fix="Correct the status, or enter the payment and its date.",
            field="paid_amount",
            check=lambda: (
                ((pl.col("claim_status") == "paid") == pl.col("paid_amount").is_not_null())
                & (pl.col("paid_amount").is_not_null() == pl.col("paid_date").is_not_null())
            ),
        ),
        Rule(
            "M37",
            Severity.ROW,
            "The date of the claim is before the end of its period, or long after the extract",
            expected="a date from the last day of the period, unless the type is advance, to 62 days after the"
            " extract's cut-off",
            fix="Check the date and the period. Money asked for before costs arise is a claim of the type advance.",
            field="submitted_date",
            check=lambda: (
                ((pl.col("claim_type") == "advance") | (pl.col("submitted_date") >= pl.col("claim_period_end")))
                & (pl.col("submitted_date") <= pl.col("data_cut_date") + pl.duration(days=62))
            ),
        ),
        Rule(
            "M37",
            Severity.ROW,
            "The claim was paid before it was submitted",
            expected="a date of payment on or after the date of the claim",
            fix="Correct one of the two dates.",
            field="paid_date",
            check=lambda: pl.col("paid_date") >= pl.col("submitted_date"),
        ),
    ),
)
