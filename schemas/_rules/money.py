"""Rules shared by the datasets of spending: profiles, claims, expenditure, adjustments and payments.

Source: docs/domain.md 3.2, 3.3, 6.5. M34 and later are our own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import polars as pl

from schemas._contract.code_lists import code_list
from schemas._contract.model import Rule, Severity
from schemas._rules.public_figures import funding_mart

TOLERANCE = 1  # pounds: a smaller difference is rounding
SCALES = (100, 1000)  # pounds sent as pence or in thousands, or the other way round

# The award that a site's reference means, with its dates and its value: joined by `using (site_code, award_id)`.
AWARDS = funding_mart("award_references")

# Of rules that compare with awards: the programme office may have sent those of a site.
AGAINST_AWARD: Mapping[str, Any] = MappingProxyType({"also_reads": ("funding_awards",), "across_sites": True})

# Last day of a quarter of a financial year, from the columns `financial_year` and `quarter`.
QUARTER_END = "(make_date(left(financial_year, 4)::int, 4, 1) + to_months(3 * right(quarter, 1)::int))::date - 1"


def year_of(day: str) -> pl.Expr:
    """The financial year of a date column, such as 2015-16."""
    start = pl.col(day).dt.year() - (pl.col(day).dt.month() < 4).cast(pl.Int32)
    return pl.format("{}-{}", start, ((start + 1) % 100).cast(pl.String).str.zfill(2))


def quarter_of(day: str, *, first_month: int = 4) -> pl.Expr:
    """The quarter of a date column, Q1 to Q4, in a year that begins with `first_month`."""
    return pl.format("Q{}", (pl.col(day).dt.month().cast(pl.Int32) - first_month) % 12 // 3 + 1)


def agrees_with_date(field: str, derived: Callable[[], pl.Expr], title: str) -> Rule:
    """M36: a stated year, quarter or period is the one that `derived` gives by the row's date."""
    return Rule(
        "M36",
        Severity.ROW,
        title,
        expected="the financial year (April to March) and the quarter that the date lies in, or empty cells",
        fix="Check the date. If it is right, correct the year or the quarter: a day from January to March is in Q4 of"
        " the year that began in the April before.",
        field=field,
        check=lambda: pl.col(field) == derived(),
        suggested=derived,
    )


def year_and_quarter_agree(day: str, period: str, *, may_be_calendar: bool = False) -> tuple[Rule, Rule]:
    """M36: the stated financial year and quarter are those of the date column `day`; `period` is its name in words.

    `may_be_calendar`: the field `period_basis` may say that quarters are those of the calendar year, as in ESF claims.
    """

    def quarter() -> pl.Expr:
        if not may_be_calendar:
            return quarter_of(day)
        is_calendar = pl.col("period_basis") == "calendar"
        return pl.when(is_calendar).then(quarter_of(day, first_month=1)).otherwise(quarter_of(day))

    return (
        agrees_with_date("financial_year", lambda: year_of(day), f"The financial year is not that of the {period}"),
        agrees_with_date("quarter", quarter, f"The quarter is not that of the {period}"),
    )


def cost_category_listed() -> Rule:
    """M18: the text for a cost category that is not on the list. The check is the field's code list."""
    return Rule(
        "M18",
        Severity.ROW,
        "The cost category is not on the list",
        expected=f"one of {', '.join(code_list('cost_category').codes)}",
        fix="Choose the category that the cost belongs to. VAT is no category: it is part of the cost that it was paid"
        " on. What fits nowhere is other.",
        field="cost_category",
    )


def award_on_record(dataset: str, noun: str) -> Rule:
    """M34: the award that a row names is on record for the site, or for its whole programme."""
    return Rule(
        "M34",
        Severity.ROW,
        f"The award of this {noun} is not on record",
        expected="the reference of an award of your site, exactly as in the funding awards",
        fix="Correct the reference, or send the award. The programme office knows the references of awards that it"
        " records itself.",
        field="award_id",
        **AGAINST_AWARD,
        violations_sql=f"""
            select d.delivery_id, d.source_row from core.{dataset} d anti join {AWARDS} using (site_code, award_id)""",
    )


def outside_award(dataset: str, event: str, first: str, last: str, late_days: int = 0) -> Rule:
    """M15: a period, from the column `first` to `last`, lies within the award's days, or up to `late_days` after them.

    `event` begins the title, such as 'The claim is for a period'.
    """
    end = f"{late_days} days after its last" if late_days else "its last"
    return Rule(
        "M15",
        Severity.ROW,
        f"{event} outside the award",
        expected=f"a period from the first day of the award to {end}",
        fix="Correct the period. If the award was extended, send its next version first.",
        field=first,
        **AGAINST_AWARD,
        violations_sql=f"""
            select d.delivery_id, d.source_row from core.{dataset} d join {AWARDS} a using (site_code, award_id)
            where d.{last} < a.start_date or d.{first} > a.end_date + {late_days}""",
    )


def scale_of_last(dataset: str, amount: str, key: tuple[str, ...]) -> tuple[Rule, Rule]:
    """M01: amounts that are 100 or 1,000 times those of the delivery before, or a hundredth or thousandth of them.

    Where that is so for most rows that both have, and for two at least, the whole file is in another unit and every
    row of it is held. A single row is only asked about. `key` finds the row in both deliveries, with the site.
    """
    compared = f"""
        select now.delivery_id, now.source_row, now.{amount} / past.{amount} as ratio
        from core.{dataset} c
        join history.{dataset} now on now.delivery_id = c.delivery_id and now.source_row = c.source_row
        join history.{dataset} past
            on past.site_code = now.site_code and {" and ".join(f"past.{k} = now.{k}" for k in key)}
            and (past.data_cut_date, past.received_at) < (now.data_cut_date, now.received_at)
        where now.{amount} <> 0 and past.{amount} <> 0
        qualify row_number() over (
            partition by now.delivery_id, now.source_row order by past.data_cut_date desc, past.received_at desc) = 1"""
    off_scale = " or ".join(f"ratio between {s} * 0.99 and {s} * 1.01 or ratio between 0.99 / {s} and 1.01 / {s}"
                            for s in SCALES)  # fmt: skip
    return (
        Rule(
            "M01",
            Severity.ROW,
            "The amounts of this file look like thousands of pounds, or pence",
            expected="amounts in pounds, as in the file before",
            fix="Check in which unit the file was made, and send every amount in pounds, such as 1100.00.",
            field=amount,
            found_column="compared",
            violations_sql=f"""
                with compared as ({compared}),
                off as (
                    select delivery_id, median(ratio) as factor from compared
                    group by delivery_id having count(*) filter ({off_scale}) >= greatest(2, count(*) / 2)
                )
                select c.delivery_id, c.source_row,
                    format('{{:,.2f}} (the file is {{}} times the one before)', c.{amount}::double, round(factor, 3))
                        as compared
                from core.{dataset} c join off using (delivery_id)""",
        ),
        Rule(
            "M01",
            Severity.WARNING,
            "The amount is a hundred times what was sent before, or a hundredth of it",
            expected="an amount of the same order as in the delivery before",
            fix="Check whether one of the two deliveries was in thousands of pounds or in pence.",
            field=amount,
            confirmable=True,
            violations_sql=f"select delivery_id, source_row from ({compared}) where ratio >= 90 or ratio <= 1 / 90",
        ),
    )
