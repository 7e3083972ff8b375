"""Rules shared by datasets of published figures, such as funding and targets.

M25-M33 are our own: docs/domain.md 6.5.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache
from pathlib import Path

import polars as pl

from schemas._contract.model import Rule, Severity
from schemas._contract.registry import control_total

# Control totals of the Mental Health Trailblazers (docs/domain.md 3.2). Caps and announcements are two statements of
# the same money and are never added up. The headline of £12.0m is £6.0m announced and £6.0m of match.
MHT_CAPS = control_total("MHT", "caps")
MHT_ANNOUNCED = control_total("MHT", "announced")
MHT_MATCH = control_total("MHT", "match_pledged")
MHT_HEADLINE = MHT_ANNOUNCED + MHT_MATCH
MIN_POUNDS, MAX_POUNDS = 10_000, 100_000_000  # outside these, a Trailblazer sum is in thousands or in pence
FUNDING = Path(__file__).parents[2] / "funding"


@cache
def funding_mart(name: str) -> str:
    """The SQL of a mart of the schema `funding` as a subquery over `core` alone.

    Rules are checked before the marts are built. With this they share the marts' definition of one award and of which
    records count. Marts that the mart selects from are inlined.
    """
    # Comments go first: headers mention other marts, which would be inlined as well.
    select = re.sub(r"--[^\n]*", "", (FUNDING / f"{name}.sql").read_text(encoding="utf-8"))
    return "(" + re.sub(r"\bfunding\.(\w+)", lambda m: funding_mart(m[1]), select) + ")"


def figure_agrees_with_status(figure: str, status: str) -> Rule:
    """M25: a figure is given if and only if its status is 'known'; an unknown one is never written as 0."""
    return Rule(
        "M25",
        Severity.ROW,
        "The figure and its status disagree",
        expected=f"a figure where {status} is 'known', an empty cell where it is anything else",
        fix=f"Enter the figure, or change {status}. Leave a figure that is not known empty: 0 would be counted.",
        field=figure,
        check=lambda: pl.col(figure).is_not_null() == (pl.col(status) == "known"),
    )


def trailblazer_scale() -> Rule:
    """M01: thousands or pence sent as pounds. Checked within the row: such an amount shows by itself."""
    return Rule(
        "M01",
        Severity.ROW,
        "The amount looks like thousands of pounds, or pence",
        expected="an amount in pounds: Trailblazer sums lie between 10,000 and 100,000,000",
        fix="Enter the amount in pounds, such as 1100000.00 for £1.1m.",
        field="amount",
        check=lambda: (pl.col("programme_code") != "MHT") | pl.col("amount").abs().is_between(MIN_POUNDS, MAX_POUNDS),
    )


def control_totals(records: str, stage: str, totals: dict[str, Decimal], noun: str) -> Rule:
    """M03: the programme office's Trailblazer rows of each stage in `totals` add up to its published total, within £1.

    `records` is SQL that selects the rows to add up, `stage` their column with the stage.
    """
    expected = " or ".join(f"£{total:,} ({code})" for code, total in totals.items())
    total_of = " ".join(f"when '{code}' then {total}" for code, total in totals.items())
    return Rule(
        "M03",
        Severity.WARNING,
        f"The {noun} do not add up to the published total",
        expected=f"{noun} that add up to {expected}, within £1",
        fix="Check each amount against its source. A row that is missing or counted twice shows here too.",
        field="amount",
        violations_sql=f"""
            select delivery_id, source_row from ({records})
            where site_code = 'PMO' and programme_code = 'MHT'
            qualify abs(sum(amount) over (partition by {stage}) - case {stage} {total_of} end) > 1""",
    )


def site_of_programme(dataset: str) -> Rule:
    """M27: the site that a row is about belongs to the programme that it is about."""
    return Rule(
        "M27",
        Severity.ROW,
        "The site belongs to another programme",
        expected="a site of the row's own programme",
        fix="Correct the site or the programme.",
        field="about_site_code",
        violations_sql=f"""
            select d.delivery_id, d.source_row
            from core.{dataset} d join core.sites s on s.site_code = d.about_site_code
            where s.programme_code is distinct from d.programme_code""",
    )


def one_amount(records: str, noun: str, columns: str) -> Rule:
    """M29: all senders give the same amount for the same thing, that is for rows of a mart that agree in `columns`.

    The finding shows the amounts of all senders, so that each can compare its own.
    """
    return Rule(
        "M29",
        Severity.WARNING,
        f"Another sender gives another amount for this {noun}",
        expected=f"one amount for the same {noun}, whoever sends it",
        fix="Check the amount with its source. The data team knows which one counts.",
        field="amount",
        across_sites=True,
        found_column="amounts",
        violations_sql=f"""
            with differing as (
                select delivery_id, source_row, list(sender_code || ' ' || amount_gbp) over same as by_sender
                from {funding_mart(records)}
                where amount_gbp is not null
                window same as (partition by {columns})
                qualify max(amount_gbp) over same - min(amount_gbp) over same > 1
            )
            select delivery_id, source_row, array_to_string(list_sort(list_distinct(by_sender)), ', ') as amounts
            from differing""",
    )


def sent_under_another_reference(records: str, key: str, reference: str, noun: str, condition: str) -> Rule:
    """M30: two records `a` and `b` with equal amounts that look alike by `condition`, under two references.

    Only a warning, and both are counted: two equal grants to one area do exist.
    """
    return Rule(
        "M30",
        Severity.WARNING,
        f"The same sum is there under another reference: it may be the same {noun}",
        expected=f"one reference for one {noun}, whoever sends it",
        fix=f"If it is the same {noun}, send it once, or under the reference that the other sender uses."
        " If there are two, nothing needs doing: both are counted.",
        field=reference,
        confirmable=True,
        across_sites=True,
        violations_sql=f"""
            with counted as (from {funding_mart(records)} where is_counted)
            select distinct a.delivery_id, a.source_row
            from counted a join counted b
                on a.{key} <> b.{key} and a.programme_code = b.programme_code and a.amount_gbp = b.amount_gbp
                and {condition}
            where (a.financial_year = b.financial_year) is distinct from false""",  # equal, or unknown on either side
    )
