"""core.virements_carry_forward: budget moved between lines or years, and money returned.

Source: docs/domain.md 3.1, 3.2, 7.16, rules M17, M34, M44, M45.

Every amount is above 0: the type says which way the money goes. A virement is a pair of rows, out of one line and into
another, that share a `pair_id`.
"""

from __future__ import annotations

import polars as pl

from schemas._contract.model import Contract, Field, Kind, Rule, Severity
from schemas._contract.shared_fields import AWARD_ID, COST_CATEGORY
from schemas._rules.datasets.money import (
    AGAINST_AWARD,
    AWARDS,
    TOLERANCE,
    award_on_record,
    cost_category_listed,
    scale_of_last,
)
from schemas._rules.datasets.public_figures import funding_mart


def _is_virement() -> pl.Expr:
    return pl.col("adjustment_type").is_in(["virement_out", "virement_in"])


def _is_carried() -> pl.Expr:
    return pl.col("adjustment_type") == "carry_forward"


def _year(name: str, title: str, description: str, alias: str, example: str) -> Field:
    return Field(
        name,
        Kind.FINANCIAL_YEAR,
        title,
        description,
        pattern=r"^(?:19|20)[0-9]{2}-[0-9]{2}$",
        pattern_rule="M06",
        aliases=(alias,),
        example=example,
    )


CONTRACT = Contract(
    dataset="virements_carry_forward",
    title="Virements and carry-forward",
    description="Budget moved between cost categories or financial years, and money returned to the funder.",
    grain="one row per adjustment; a virement has two, out of one line and into another",
    key=("adjustment_id",),
    control_total="amount",
    fields=(
        Field(
            "adjustment_id",
            Kind.REFERENCE,
            "Adjustment reference",
            "The site's own reference for the row.",
            aliases=("Adjustment ID",),
            example="BPL-ADJ-03",
        ),
        AWARD_ID,
        Field(
            "adjustment_type",
            Kind.CODE,
            "Kind of adjustment",
            "Whether budget is moved between lines, or to a later year, or money is returned.",
            codes="adjustment_type",
            aliases=("Type of adjustment", "Adjustment type"),
            example="carry_forward",
        ),
        Field(
            "pair_id",
            Kind.REFERENCE,
            "Virement reference",
            "The same on both rows of a virement; empty for every other kind.",
            required=False,
            column_required=True,
            aliases=("Pair", "Virement ID"),
        ),
        _year(
            "from_fy",
            "From year",
            "The financial year whose budget it is taken from.",
            "From financial year",
            "2015-16",
        ),
        _year("to_fy", "To year", "The financial year whose budget it is added to.", "To financial year", "2016-17"),
        COST_CATEGORY.replace(
            description="The budget line, for a virement; for other kinds it may be left empty.",
            required=False,
            column_required=True,
            empty_if="it is no virement",
            example="",
        ),
        Field(
            "amount",
            Kind.MONEY,
            "Amount",
            "The amount moved or returned, always above 0.",
            unit="GBP",
            example="2000.00",
        ),
        Field(
            "approved_date",
            Kind.DATE,
            "Date approved",
            "The day on which it was approved.",
            aliases=("Approval date",),
            example="2016-09-12",
        ),
        Field(
            "approved_by_role",
            Kind.CODE,
            "Approved by",
            "The role of whoever approved it; never a name.",
            codes="approving_role",
            personal=True,  # a name typed in place of the role is not shown
            aliases=("Approver role",),
            example="funder",
        ),
    ),
    rules=(
        *scale_of_last("virements_carry_forward", "amount", ("adjustment_id",)),
        cost_category_listed(),
        award_on_record("virements_carry_forward", "adjustment"),
        Rule(
            "M26",
            Severity.ROW,
            "The amount is zero or less",
            expected="an amount above 0: the kind of adjustment says which way the money goes",
            fix="Enter an amount above 0, without a minus: the kind says which way it goes. A virement is two rows with"
            " one reference, virement_out and virement_in.",
            field="amount",
            check=lambda: pl.col("amount") > 0,
            suggested=lambda: pl.when(pl.col("amount") < 0).then(-pl.col("amount")),
        ),
        Rule(
            "M17",
            Severity.ROW,
            "A virement has no reference, or something else has one",
            expected="the same reference on both rows of a virement, an empty cell for other kinds",
            fix="Give both rows of the virement, out of one line and into another, one reference of their own. If one"
            " is missing, add it.",
            field="pair_id",
            check=lambda: _is_virement() == pl.col("pair_id").is_not_null(),
        ),
        Rule(
            "M17",
            Severity.ROW,
            "A virement does not say which budget line it is about",
            expected="a cost category on both rows of a virement",
            fix="Enter the cost category that the money is moved out of, or into.",
            field="cost_category",
            check=lambda: ~_is_virement() | pl.col("cost_category").is_not_null(),
        ),
        Rule(
            "M17",
            Severity.ROW,
            "The virement does not cancel out",
            expected="one amount out and the same amount in, for the same award and on the same day",
            fix="Check both rows of the virement: reference, award, day and amount. If one of them was held back, fix"
            " that first.",
            field="amount",
            found_column="found",
            violations_sql=f"""
                with pairs as (
                    select delivery_id, source_row,
                        coalesce(sum(amount) filter (adjustment_type = 'virement_out') over pair, 0) as gone_out,
                        coalesce(sum(amount) filter (adjustment_type = 'virement_in') over pair, 0) as come_in
                    from core.virements_carry_forward where pair_id is not null
                    window pair as (partition by site_code, award_id, pair_id, approved_date)
                )
                select delivery_id, source_row, format(
                    'out {{:,.2f}}, in {{:,.2f}}', gone_out::double, come_in::double) as found
                from pairs where abs(gone_out - come_in) > {TOLERANCE}""",
        ),
        Rule(
            "M17",
            Severity.ROW,
            "A virement changes the year",
            expected="one financial year for a virement; money moved to a later year is a carry-forward",
            fix="Correct the years, or send it as a carry-forward.",
            field="to_fy",
            check=lambda: ~_is_virement() | (pl.col("from_fy") == pl.col("to_fy")),
        ),
        Rule(
            "M44",
            Severity.ROW,
            "The carry-forward is not to a later year",
            expected="a year after the one that it comes from",
            fix="Correct the years. If each is in the other's column, exchange them.",
            field="to_fy",
            check=lambda: ~_is_carried() | (pl.col("to_fy") > pl.col("from_fy")),
        ),
        Rule(
            "M44",
            Severity.WARNING,
            "More was carried forward than was left",
            expected="up to what the year's budget had left, after what was spent of the grant",
            fix="Check the amount, and whether all spending of the year was sent.",
            field="amount",
            needs=("funding_profile", "expenditure"),
            found_column="found",
            **AGAINST_AWARD,
            violations_sql=f"""
                select v.delivery_id, v.source_row, format('{{:,.2f}} left of {{:,.2f}}',
                    b.underspend_gbp::double, b.budget_before_gbp::double) as found
                from core.virements_carry_forward v
                join {AWARDS} a using (site_code, award_id)
                join {funding_mart("budget_years")} b on b.award_key = a.award_key and b.financial_year = v.from_fy
                -- nothing is counted as carried where the latest profile has it already: the year may then be overspent
                where v.adjustment_type = 'carry_forward' and b.carried_out_gbp > 0
                    and b.carried_out_gbp > b.underspend_gbp + {TOLERANCE}""",
        ),
        Rule(
            "M45",
            Severity.WARNING,
            "More was returned than was paid",
            expected="up to what was paid for the award's claims",
            fix="Check the amount, and whether every payment is in the claims.",
            field="amount",
            needs=("claims",),
            found_column="found",
            violations_sql=f"""
                with paid as (
                    select site_code, award_id, sum(paid_amount) as paid from core.claims group by all
                ),
                returned as (
                    select *, sum(amount) over (partition by site_code, award_id) as returned
                    from core.virements_carry_forward where adjustment_type = 'clawback'
                )
                select delivery_id, source_row, format(
                    'returned {{:,.2f}}, paid {{:,.2f}}', returned::double, coalesce(paid, 0)::double) as found
                from returned left join paid using (site_code, award_id)
                where returned > coalesce(paid, 0) + {TOLERANCE}""",
        ),
    ),
)
