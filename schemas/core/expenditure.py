"""core.expenditure: what was spent, from the ledger, by award, period and cost category.

Source: docs/domain.md 3.1, 3.2, 7.15, rules M15, M18, M36, M39, M40, M51.

Spending is what was paid or is owed for the period (`actual_amount`). At the end of a year, costs that have arisen and
are not in the ledger yet are an accrual, in its own column: it is reversed by a negative accrual when the cost is in
the ledger. A correction is a row of its own, a credit note below 0 with its reason: earlier rows stay as they are.
"""

from __future__ import annotations

import polars as pl

from schemas._contract.model import LAST_DAY, LEDGER_PERIOD, Contract, Field, Kind, Rule, Severity
from schemas._contract.shared_fields import AWARD_ID, COST_CATEGORY, FINANCIAL_YEAR, QUARTER, repeats_sql
from schemas._rules.datasets.money import (
    AGAINST_AWARD,
    AWARDS,
    LEDGER_CODE,
    TOLERANCE,
    award_on_record,
    cost_category_listed,
    outside_award,
    scale_of_award,
    scale_of_last,
    year_and_quarter_agree,
)
from schemas._rules.datasets.public_figures import funding_mart

LATE_DAYS = 92  # late invoices: spending up to a quarter after the award's end gets a warning, later spending is held


def _ledger_period() -> pl.Expr:
    """The number of the month of the period's last day: 1 is April."""
    return (pl.col("period_end").dt.month().cast(pl.Int64) - 4) % 12 + 1


CONTRACT = Contract(
    dataset="expenditure",
    title="Expenditure",
    description="Spending from the ledger: the grant's and that of its match.",
    grain="one row per award, period, cost category, ledger reference and source of the money",
    key=("award_id", "period_end", "cost_category", "ledger_ref", "funding_source"),
    control_total="actual_amount",
    fields=(
        AWARD_ID,
        Field(
            "period_end",
            Kind.DATE,
            "End of the period",
            "The last day of the month or quarter of the ledger; for periods 13 and 14, 31 March.",
            month_means=LAST_DAY,
            aliases=("Period", "Period ending", "Month end", "Quarter end"),
            example="2016-06-30",
        ),
        Field(
            "ledger_period",
            Kind.INTEGER,
            "Ledger period",
            "The number of the ledger's period: 1 is April, 13 and 14 are adjustments at the end of the year.",
            unit=LEDGER_PERIOD,
            required=False,
            low=1,
            high=14,
            aliases=("Period number",),
            example="3",
        ),
        FINANCIAL_YEAR.replace(
            description="The financial year (April to March) of the period; it may be left empty.", example="2016-17"
        ),
        QUARTER.replace(
            description="The quarter of the period; it may be left empty.", required=False, empty_if="the date says it"
        ),
        COST_CATEGORY,
        Field(
            "ledger_ref",
            Kind.REFERENCE,
            "Ledger reference",
            "The reference of the entry, or of the account, in the site's ledger; never a name.",
            pattern=LEDGER_CODE,
            personal=True,
            aliases=("Account code", "Journal", "Ledger ref", "Transaction reference", "Transaction number"),
            example="R1010-0034",
        ),
        Field(
            "funding_source",
            Kind.CODE,
            "Source of the money",
            "Whether the grant or match bore the cost.",
            codes="funding_source",
            aliases=("Funded by",),
            example="grant",
        ),
        Field(
            "actual_amount",
            Kind.MONEY,
            "Spent",
            "What was spent; below 0 only for a credit note.",
            unit="GBP",
            aliases=("Actual", "Spend", "Expenditure", "Actual spend"),
            example="8200.00",
        ),
        Field(
            "accrual_amount",
            Kind.MONEY,
            "Accrual",
            "Costs that have arisen and are not in the ledger yet; below 0 where an earlier accrual is reversed.",
            unit="GBP",
            required=False,
            aliases=("Accrual",),
            example="1500.00",
        ),
        Field(
            "credit_note",
            Kind.YES_NO,
            "Credit note",
            "Whether the row takes back earlier spending.",
            default="N",
            aliases=("Credit", "Cr/Dr", "Dr/Cr", "Debit/Credit", "D/C"),  # a column that turns signs is never left out
        ),
        Field(
            "credit_reason",
            Kind.CODE,
            "Reason for the credit",
            "Why earlier spending is taken back; empty for spending.",
            codes="credit_reason",
            required=False,
        ),
    ),
    rules=(
        *scale_of_last(
            "expenditure",
            "actual_amount",
            ("award_id", "period_end", "cost_category", "ledger_ref", "funding_source"),
        ),
        scale_of_award("expenditure", "actual_amount", "from core.expenditure"),
        cost_category_listed(),
        award_on_record("expenditure", "spending"),
        *year_and_quarter_agree("period_end", "period"),
        Rule(
            "M36",
            Severity.WARNING,
            "The period ends on the first day of a month",
            expected="the last day of the month or quarter",
            fix="A month typed as Jun-16 is stored as its first day: enter its last day. If it is that of the month"
            " before, enter that.",
            field="period_end",
            check=lambda: pl.col("period_end").dt.day() != 1,
        ),
        Rule(
            "M36",
            Severity.ROW,
            "The ledger period is not that of the date",
            expected="period 1 for April to period 12 for March; 13 and 14 with 31 March",
            fix="Correct the date or the number of the period.",
            field="ledger_period",
            check=lambda: pl.col("ledger_period").clip(upper_bound=12) == _ledger_period(),
            suggested=_ledger_period,
        ),
        Rule(
            "M39",
            Severity.ROW,
            "Spending below 0 is not marked as a credit note",
            expected="0 or more, or Y for a credit note",
            fix="If it takes back earlier spending, answer Y to credit note and give the reason. If not, correct the"
            " amount.",
            field="actual_amount",
            check=lambda: (pl.col("actual_amount") >= 0) | pl.col("credit_note"),
        ),
        Rule(
            "M39",
            Severity.ROW,
            "A credit note is not below 0",
            expected="an amount below 0 for a credit note",
            fix="Put a minus before the amount in the column of what was spent. If it is spending, answer N to credit"
            " note.",
            field="credit_note",
            check=lambda: ~pl.col("credit_note") | (pl.col("actual_amount") < 0),
        ),
        Rule(
            "M39",
            Severity.ROW,
            "A credit note has no reason, or spending has one",
            expected="a reason for a credit note, an empty cell for spending",
            fix="Enter why the spending is taken back, or empty the cell.",
            field="credit_reason",
            check=lambda: pl.col("credit_note") == pl.col("credit_reason").is_not_null(),
        ),
        outside_award("expenditure", "The spending lies", first="period_end", last="period_end", late_days=LATE_DAYS),
        Rule(
            "M15",
            Severity.WARNING,
            "The spending is later than the end of the award",
            expected="a period up to the award's last day",
            fix="Check that the cost arose before the award ended, as late invoices do. If so, nothing needs doing.",
            field="period_end",
            confirmable=True,
            **AGAINST_AWARD,
            # A month or quarter in which the award ends has its own last day after it.
            violations_sql=f"""
                select e.delivery_id, e.source_row from core.expenditure e join {AWARDS} a using (site_code, award_id)
                where e.period_end > last_day(a.end_date) and e.period_end <= a.end_date + {LATE_DAYS}""",
        ),
        Rule(
            "M15",
            Severity.WARNING,
            "An accrual was not reversed",
            expected="accruals of a year that are taken back, by amounts below 0, within six months after it",
            fix="Send the reversal as an accrual below 0 when the cost is in the ledger. If it never came, reverse it"
            " too.",
            field="accrual_amount",
            found_column="found",
            violations_sql=f"""
                with accrued as (
                    select e.*, d.data_cut_date,
                        make_date(year(e.period_end) + (month(e.period_end) >= 4)::int, 3, 31) as year_end
                    from core.expenditure e join audit.deliveries d using (delivery_id)
                    where e.accrual_amount <> 0
                ),
                left_over as (
                    select a.delivery_id, a.source_row, a.accrual_amount, a.year_end, a.data_cut_date,
                        sum(o.accrual_amount) as remaining
                    from accrued a join accrued o
                        on o.site_code = a.site_code and o.award_id = a.award_id
                        and o.cost_category = a.cost_category and o.funding_source = a.funding_source
                        and (o.period_end <= a.year_end or o.accrual_amount < 0)
                    group by all
                )
                select delivery_id, source_row, format('{{:,.2f}} not reversed', remaining::double) as found
                from left_over
                where accrual_amount > 0 and remaining > {TOLERANCE} and data_cut_date > year_end + 183""",
        ),
        Rule(
            "M51",
            Severity.ROW,
            "The same entry of the ledger is there twice",
            expected="an entry of the ledger once: under one award, cost category and source of the money",
            fix="If it is the same cost, delete one of the rows. If an entry is shared between awards or categories,"
            " give each part a reference of its own, such as R1010-0034-A.",
            field="ledger_ref",
            names_other="the same entry as",
            violations_sql=repeats_sql(
                "core.expenditure",
                columns="site_code, period_end, ledger_ref, actual_amount",
                order_by="delivery_id, source_row",
                where="actual_amount <> 0",
            ),
        ),
        Rule(
            "M40",
            Severity.WARNING,
            "More was spent than the award and its match allow",
            expected="spending, over the whole award, up to the award with the match on record",
            fix="Check that nothing is there twice or belongs to another award. If it was overspent, say so to the"
            " funder: nothing is left out of the figures.",
            field="actual_amount",
            found_column="found",
            also_reads=("funding_awards", "match_funding"),
            across_sites=True,
            # Several sites may spend one award. One finding for each of them: its last row.
            violations_sql=f"""
                with spent as (
                    select e.delivery_id, e.source_row,
                        sum(e.actual_amount) over (partition by a.award_key) as spent,
                        a.current_gbp + coalesce(m.match_gbp, 0) as allowed,
                        row_number() over (
                            partition by e.site_code, e.award_id order by e.period_end desc, e.source_row desc) as nth
                    from core.expenditure e join {AWARDS} a using (site_code, award_id)
                    left join {funding_mart("award_match")} m using (award_key)
                )
                select delivery_id, source_row, format(
                    'spent {{:,.2f}}, {{:,.2f}} more than the {{:,.2f}} allowed', spent::double,
                    (spent - allowed)::double, allowed::double) as found
                from spent where nth = 1 and spent > allowed + {TOLERANCE}""",
        ),
    ),
)
