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
from schemas._rules.datasets.public_figures import funding_mart

TOLERANCE = 1  # pounds: a smaller difference is rounding
SCALES = (100, 1000)  # pounds sent as pence or in thousands, or the other way round

# The award that a site's reference means, with its dates and its value: joined by `using (site_code, award_id)`.
AWARDS = funding_mart("award_references")

# Of rules that compare with awards: the programme office may have sent those of a site.
AGAINST_AWARD: Mapping[str, Any] = MappingProxyType({"also_reads": ("funding_awards",), "across_sites": True})

# Drafts ask for nothing yet, and what was rejected may be claimed again. An advance asks for money, not for costs: the
# claim of the period that it was for takes its place.
FOR_COSTS = "claim_status not in ('draft', 'rejected') and claim_type <> 'advance'"

# Codes of a ledger have a digit and no space: a name typed in their place has neither.
LEDGER_CODE = r"^[A-Za-z0-9._/-]*[0-9][A-Za-z0-9._/-]*$"

# Last day of a quarter of a financial year, from the columns `financial_year` and `quarter`.
QUARTER_END = "(make_date(left(financial_year, 4)::int, 4, 1) + to_months(3 * right(quarter, 1)::int))::date - 1"


# Two rules that name one cell: a report has one text for both.
_OTHER_UNIT: Mapping[str, Any] = MappingProxyType(
    {
        "severity": Severity.ROW,
        "title": "The amounts of this file look like thousands of pounds, or pence",
        "expected": "amounts in pounds, of the size of the award and of those in the file before",
        "fix": "Check in which unit the file was made, and send every amount in pounds, such as 1100.00.",
    }
)


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


def award_on_record(dataset: str, noun: str, *, is_shown: bool = True) -> Rule:
    """M34: the award that a row names is on record for the site, or for its whole programme.

    `is_shown`: a finding shows the reference, and the one on record that is written almost like it.
    """
    return Rule(
        "M34",
        Severity.ROW,
        f"The award of this {noun} is not on record",
        expected="the reference of an award of your site, exactly as in the funding awards",
        fix="Correct the reference, or send the award. The programme office knows the references of awards that it"
        " records itself.",
        field="award_id",
        found_column="found" if is_shown else "",
        **AGAINST_AWARD,
        violations_sql=not_on_record(dataset, "award_id", AWARDS),
    )


def not_on_record(dataset: str, reference: str, known: str) -> str:
    """SQL for rows whose reference the site does not have in the table `known`, with the one that it resembles."""
    plain = "regexp_replace(translate(upper({}), 'OIL', '011'), '[^A-Z0-9]', '', 'g')"
    return f"""
        select d.delivery_id, d.source_row,
            d.{reference} || coalesce(' (on record: ' || alike.{reference} || ')', '') as found
        from core.{dataset} d anti join {known} using (site_code, {reference})
        left join (
            select site_code, {plain.format(reference)} as plain, min({reference}) as {reference}
            from {known} group by all having count(distinct {reference}) = 1
        ) alike on alike.site_code = d.site_code and alike.plain = {plain.format(f"d.{reference}")}"""


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
    row of it is held. A single row only gets a warning. `key` finds the row in both deliveries, with the site.
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
            **_OTHER_UNIT,
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


def scale_of_award(dataset: str, amount: str, rows: str, *, is_whole: bool = False) -> Rule:
    """M01: amounts of an award that add up to more than ten times its value, as pence do.

    `rows` is SQL for those that are added up. `is_whole`: they are the whole award, so that thousands show too.
    """
    in_thousands = "or total * 1000 between current_gbp * 0.9 and current_gbp * 1.1" if is_whole else ""
    return Rule(
        "M01",
        **_OTHER_UNIT,
        field=amount,
        found_column="found",
        **AGAINST_AWARD,
        violations_sql=f"""
            select delivery_id, source_row,
                format('{{:,.2f}} in all, the award is {{:,.2f}}', total::double, current_gbp::double) as found
            from (
                select r.delivery_id, r.source_row, a.current_gbp, sum(r.{amount}) over (
                    partition by r.site_code, r.award_id) as total
                from ({rows}) r join {AWARDS} a using (site_code, award_id)
            )
            where current_gbp > 0 and (total > 10 * current_gbp {in_thousands})""",
    )


def earlier_file_again() -> Rule:
    """M24: nearly all claims are as in the extract to an earlier day, and none is new. The same file is F54."""
    return Rule(
        "M24",
        Severity.WARNING,
        "The file is nearly the same as that of an earlier quarter, and no claim in it is new",
        expected="the claims since the extract before, beside those that it had",
        fix="Check that this is the newest file. If it is an older one with changes, send the newest. If nothing was"
        " claimed since, nothing needs doing.",
        field="claim_id",
        whole_file=True,
        violations_sql="""
            with compared as (
                select distinct c.delivery_id, past.delivery_id as earlier, past.data_cut_date
                from core.claims c join audit.deliveries d using (delivery_id)
                join history.claims past on past.site_code = c.site_code and past.data_cut_date < d.data_cut_date
                qualify dense_rank() over (
                    partition by c.delivery_id
                    order by past.data_cut_date desc, past.received_at desc, past.delivery_id) = 1
            ), counted as (
                select c.delivery_id, count(*) as claims, count(past.claim_id) as known, count(*) filter (
                    (c.claim_status, c.claimed_amount, c.eligible_amount, c.grant_share, c.approved_amount,
                        c.paid_amount, c.paid_date)
                    is not distinct from (past.claim_status, past.claimed_amount, past.eligible_amount,
                        past.grant_share, past.approved_amount, past.paid_amount, past.paid_date)) as same
                from core.claims c join compared using (delivery_id)
                left join history.claims past on past.delivery_id = compared.earlier and past.claim_id = c.claim_id
                group by c.delivery_id
            )
            select delivery_id, same || ' of ' || claims || ' claims are as in the extract to '
                || strftime(data_cut_date, '%d %B %Y') as found
            from counted join compared using (delivery_id)
            where known = claims and same >= 0.95 * claims and same < claims""",
    )


def between_claims_of_award() -> tuple[Rule, ...]:
    """M01, M10-M13: claims of an award that overlap, leave a gap, are cumulative, exceed it, or were changed later.

    They are those of `core.claims` alone, and stand here because the contract has as many rules within a row.
    """
    return (
        scale_of_award("claims", "grant_share", f"from core.claims where {FOR_COSTS}"),
        Rule(
            "M01",
            Severity.WARNING,
            "The claims are very small beside the award",
            expected="amounts in pounds: claims of more than a thousandth of the award",
            fix="Check that the amounts are not in thousands of pounds. If they are in pounds, nothing needs doing.",
            field="grant_share",
            confirmable=True,
            **AGAINST_AWARD,
            violations_sql=f"""
                select delivery_id, source_row from core.claims join {AWARDS} a using (site_code, award_id)
                where {FOR_COSTS} and claim_type <> 'adjustment' and grant_share > 0
                window award as (partition by site_code, award_id)
                qualify count(*) over award >= 2 and max(grant_share) over award < a.current_gbp / 1000
                    and row_number() over (partition by site_code, award_id order by source_row) = 1""",
        ),
        Rule(
            "M10",
            Severity.WARNING,
            "A claim that was submitted has other amounts than in the file of an earlier period",
            expected="the amounts with which it was submitted",
            fix="Put the earlier amounts back, and send the difference as a claim of the type adjustment. If the"
            " earlier file had other amounts than the claim itself, nothing needs doing.",
            field="claimed_amount",
            found_column="found",
            # a hundredth or a hundred times of the amount is M01
            violations_sql="""
                with compared as (
                    select now.delivery_id, now.source_row, now.claimed_amount, now.grant_share,
                        past.claimed_amount as claimed_before, past.grant_share as share_before, past.claim_status
                    from core.claims c
                    join history.claims now using (delivery_id, source_row)
                    join history.claims past on past.site_code = now.site_code and past.claim_id = now.claim_id
                        and past.data_cut_date < now.data_cut_date
                    qualify row_number() over (
                        partition by now.delivery_id, now.source_row
                        order by past.data_cut_date desc, past.received_at desc) = 1
                )
                select delivery_id, source_row, format('costs {:,.2f} and grant {:,.2f}, before {:,.2f} and {:,.2f}',
                    claimed_amount::double, grant_share::double, claimed_before::double, share_before::double) as found
                from compared
                where claim_status not in ('draft', 'rejected')
                    and (claimed_amount, grant_share) <> (claimed_before, share_before)
                    and not coalesce(claimed_amount / nullif(claimed_before, 0) not between 1 / 90 and 90, false)""",
        ),
        Rule(
            "M11",
            Severity.ROW,
            "Another claim is for the same period",
            expected="one claim for each period of an award; corrections have the type adjustment",
            fix="If it is the same claim sent twice, delete this row, and its claim lines. If it corrects the other"
            " claim, give it the type adjustment. If the other was rejected, set its status to rejected.",
            field="claim_period_start",
            names_other="the same period as",
            violations_sql=f"""
                with counted as (
                    select *, (submitted_date, claim_id) as place from core.claims
                    where {FOR_COSTS} and claim_type <> 'adjustment'
                )
                select c.delivery_id, c.source_row, o.delivery_id as other_delivery, o.source_row as other_row
                from counted c join counted o
                    on o.site_code = c.site_code and o.award_id = c.award_id and o.place < c.place
                    and o.claim_period_start <= c.claim_period_end and o.claim_period_end >= c.claim_period_start
                qualify row_number() over (partition by c.delivery_id, c.source_row order by o.place) = 1""",
        ),
        Rule(
            "M11",
            Severity.WARNING,
            "There is a gap before this claim",
            expected="claims whose periods follow each other without a gap",
            fix="If the claim before was held back, fix that first. If it was not sent, send it. If nothing was claimed"
            " for the days between, nothing needs doing.",
            field="claim_period_start",
            confirmable=True,
            violations_sql=f"""
                select delivery_id, source_row from core.claims
                where {FOR_COSTS} and claim_type <> 'adjustment'
                qualify claim_period_start > 1 + max(claim_period_end) over (
                    partition by site_code, award_id order by claim_period_start, claim_id
                    rows between unbounded preceding and 1 preceding)""",
        ),
        Rule(
            "M13",
            Severity.ROW,
            "The claims look cumulative: each seems to include those before it",
            expected="for each claim, the amount of its own period alone",
            fix="Take off from each amount what earlier claims had asked for already.",
            field="grant_share",
            **AGAINST_AWARD,
            # At least four claims that never fall, above the award if they are added up and within it if they are not.
            violations_sql=f"""
                with counted as (
                    select *, lag(grant_share) over (
                        partition by site_code, award_id order by claim_period_end, claim_id) as before
                    from core.claims where {FOR_COSTS} and claim_type <> 'adjustment'
                ),
                cumulative as (
                    select site_code, award_id from counted join {AWARDS} a using (site_code, award_id)
                    group by all
                    having count(*) >= 4 and bool_and(coalesce(grant_share >= before, true))
                        and sum(grant_share) > 1.1 * min(a.current_gbp)
                        and max(grant_share) <= min(a.current_gbp) + {TOLERANCE}
                )
                select delivery_id, source_row from counted join cumulative using (site_code, award_id)""",
        ),
        Rule(
            "M12",
            Severity.ROW,
            "The claims exceed the award",
            expected="claims that add up to at most the award, with its variations",
            fix="Check the amounts. If the award was raised, send its next version first.",
            field="grant_share",
            found_column="found",
            **AGAINST_AWARD,
            violations_sql=f"""
                with running as (
                    select c.delivery_id, c.source_row, a.current_gbp, sum(c.grant_share) over (
                        partition by a.award_key
                        order by c.claim_period_end, c.submitted_date, c.site_code, c.claim_id) as so_far
                    from core.claims c join {AWARDS} a using (site_code, award_id) where {FOR_COSTS}
                )
                select delivery_id, source_row, format(
                    'claims of {{:,.2f}} up to this one, {{:,.2f}} more than the award of {{:,.2f}}',
                    so_far::double, (so_far - current_gbp)::double, current_gbp::double) as found
                from running where so_far > current_gbp + {TOLERANCE}""",
        ),
    )
