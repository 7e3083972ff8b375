"""core.payment_schedule: the price of each outcome that an award pays for, and when it is in force.

Source: docs/domain.md 3.5, 7.17, rules M34, M46.
"""

from __future__ import annotations

import polars as pl

from schemas._contract.model import Contract, Field, Kind, Rule, Severity
from schemas._contract.shared_fields import AWARD_ID
from schemas._rules.datasets.money import award_on_record, scale_of_last

KEY = ("award_id", "outcome_definition_code", "valid_from")

CONTRACT = Contract(
    dataset="payment_schedule",
    title="Payment schedule",
    description="What an award by results pays for each outcome, by its definition, and from when to when.",
    grain="one row per award, outcome definition and first day of the price",
    key=KEY,
    fields=(
        AWARD_ID,
        Field(
            "outcome_definition_code",
            Kind.CODE,
            "Outcome rule",
            "The definition of the outcome that is paid for.",
            codes="outcome_definitions",
            aliases=("Outcome definition", "Payment trigger"),
            example="WC_JO",
        ),
        Field(
            "unit_price",
            Kind.MONEY,
            "Price",
            "The payment for one outcome.",
            unit="GBP",
            aliases=("Unit price", "Fee", "Tariff"),
            example="1250.00",
        ),
        Field(
            "valid_from",
            Kind.DATE,
            "From",
            "The first day on which an outcome has this price.",
            may_be_future=True,
            aliases=("Valid from", "Price from"),
            example="2015-04-01",
        ),
        Field(
            "valid_to",
            Kind.DATE,
            "To",
            "The last day on which an outcome has this price; empty while it is in force.",
            required=False,
            column_required=True,
            may_go_on=True,
            may_be_future=True,
            aliases=("Valid to", "Price to"),
        ),
    ),
    rules=(
        *scale_of_last("payment_schedule", "unit_price", KEY),
        award_on_record("payment_schedule", "price"),
        Rule(
            "M26",
            Severity.ROW,
            "The price is zero or less",
            expected="a price above 0",
            fix="Correct the price. Delete the row if the outcome is not paid for.",
            field="unit_price",
            check=lambda: pl.col("unit_price") > 0,
        ),
        Rule(
            "M46",
            Severity.ROW,
            "The price ends before it starts",
            expected="a last day on or after the first",
            fix="Correct one of the two dates.",
            field="valid_to",
            check=lambda: pl.col("valid_to") >= pl.col("valid_from"),
        ),
        Rule(
            "M46",
            Severity.ROW,
            "Two prices are in force on the same day",
            expected="one price for an outcome on any day",
            fix="End the earlier price on the day before the later one begins.",
            field="valid_from",
            names_other="overlaps with",
            violations_sql="""
                select p.delivery_id, p.source_row, o.delivery_id as other_delivery, o.source_row as other_row
                from core.payment_schedule p join core.payment_schedule o
                    using (site_code, award_id, outcome_definition_code)
                where o.valid_from < p.valid_from and coalesce(o.valid_to, p.valid_from) >= p.valid_from
                qualify row_number() over (
                    partition by p.delivery_id, p.source_row order by o.valid_from desc) = 1""",
        ),
    ),
)
