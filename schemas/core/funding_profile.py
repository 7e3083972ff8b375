"""core.funding_profile: how an award is to be spent, by quarter and cost category, with the latest forecast.

Source: docs/domain.md 3.1, 3.2, 7.13, rules M19, M34, M41-M43.

A profile is agreed as a whole: a later version replaces every row of the one before. Which version counts is decided in
`schemas/funding/profile_lines.sql`.
"""

from __future__ import annotations

from schemas._contract.model import Contract, Field, Kind, Rule, Severity
from schemas._contract.shared_fields import AWARD_ID, COST_CATEGORY, FINANCIAL_YEAR, QUARTER
from schemas._rules.datasets.money import (
    AGAINST_AWARD,
    AWARDS,
    QUARTER_END,
    TOLERANCE,
    award_on_record,
    cost_category_listed,
    scale_of_award,
    scale_of_last,
)

KEY = ("award_id", "profile_version", "financial_year", "quarter", "cost_category")
LATEST = f"""
    select p.*, {QUARTER_END} as quarter_end, d.data_cut_date
    from core.funding_profile p join audit.deliveries d using (delivery_id)
    qualify profile_version = max(profile_version) over (partition by p.site_code, award_id)"""

CONTRACT = Contract(
    dataset="funding_profile",
    title="Funding profile",
    description="How each award is to be spent: agreed amounts by quarter and cost category, and the latest forecast.",
    grain="one row per award, version, quarter and cost category",
    key=KEY,
    control_total="profile_amount",
    fields=(
        AWARD_ID,
        Field(
            "profile_version",
            Kind.INTEGER,
            "Version",
            "1 for the first agreed profile, 2 for the next. A version is sent whole.",
            low=1,
            default="1",
            aliases=("Profile version",),
        ),
        FINANCIAL_YEAR.replace(
            description="The financial year (April to March) of the quarter.", required=True, example="2016-17"
        ),
        QUARTER,
        COST_CATEGORY,
        Field(
            "profile_amount",
            Kind.MONEY,
            "Profile",
            "The agreed budget of the quarter and category.",
            unit="GBP",
            low=0,
            aliases=("Budget", "Profiled spend", "Planned spend"),
            example="8000.00",
        ),
        Field(
            "forecast_amount",
            Kind.MONEY,
            "Forecast",
            "What you now expect to spend in a quarter to come; empty for quarters that are over.",
            unit="GBP",
            required=False,
            empty_if="the quarter is over",
            column_required=True,
            low=0,
            aliases=("Forecast spend", "Latest forecast"),
        ),
        Field(
            "approved_date",
            Kind.DATE,
            "Date approved",
            "The day on which this version was agreed.",
            aliases=("Approval date",),
            example="2016-03-15",
        ),
    ),
    rules=(
        *scale_of_last("funding_profile", "profile_amount", KEY),
        scale_of_award("funding_profile", "profile_amount", LATEST, is_whole=True),
        cost_category_listed(),
        award_on_record("funding_profile", "profile"),
        Rule(
            "M43",
            Severity.WARNING,
            "The profile does not add up to the award",
            expected="a latest version whose quarters add up to the award, with its variations, within £1",
            fix="Check that every quarter and category is there. If rows were held back, fix them first. If the award"
            " was varied, send the new profile.",
            field="profile_amount",
            found_column="found",
            **AGAINST_AWARD,
            violations_sql=f"""
                with added as (
                    select l.delivery_id, l.source_row, a.current_gbp,
                        sum(profile_amount) over (partition by a.award_key) as profile,
                        row_number() over (partition by l.site_code, award_id order by l.source_row) as nth
                    from ({LATEST}) l join {AWARDS} a using (site_code, award_id)
                )
                select delivery_id, source_row, format(
                    'profile {{:,.2f}}, award {{:,.2f}}', profile::double, current_gbp::double) as found
                from added where nth = 1 and abs(profile - current_gbp) > {TOLERANCE}""",
        ),
        Rule(
            "M19",
            Severity.WARNING,
            "The whole profile is in one quarter",
            expected="a budget for each quarter of the award",
            fix="Spread the award over the quarters in which it will be spent. If all of it is for one quarter, nothing"
            " needs doing.",
            field="profile_amount",
            confirmable=True,
            **AGAINST_AWARD,
            violations_sql=f"""
                with spread as (
                    select l.delivery_id, l.source_row, a.start_date, a.end_date,
                        count(distinct if(profile_amount > 0, quarter_end, null)) over award as quarters,
                        row_number() over (
                            partition by l.site_code, award_id order by profile_amount desc, l.source_row) as nth
                    from ({LATEST}) l join {AWARDS} a using (site_code, award_id)
                    window award as (partition by l.site_code, award_id)
                )
                select delivery_id, source_row from spread
                where nth = 1 and quarters = 1 and end_date - start_date > 184""",
        ),
        Rule(
            "M19",
            Severity.WARNING,
            "The forecast is the same as a quarter ago",
            expected="a forecast that is looked at again each quarter",
            fix="Enter what you now expect to spend. If nothing has changed, nothing needs doing.",
            field="forecast_amount",
            confirmable=True,
            # At least two quarters must be left: a forecast of one seldom changes.
            violations_sql=f"""
                with a_quarter_ago as (
                    select n.*, b.forecast_amount as forecast_before
                    from ({LATEST}) n join history.funding_profile b using ({", ".join(("site_code", *KEY))})
                    where n.forecast_amount is not null and n.quarter_end > n.data_cut_date
                        and b.data_cut_date < n.data_cut_date
                    qualify (b.data_cut_date, b.received_at) = max((b.data_cut_date, b.received_at)) over (
                        partition by n.delivery_id)
                ),
                compared as (
                    select delivery_id, source_row,
                        bool_and(forecast_amount = forecast_before) over award as frozen,
                        count(distinct quarter_end) over award as quarters,
                        row_number() over (partition by site_code, award_id order by source_row) as nth
                    from a_quarter_ago window award as (partition by site_code, award_id)
                )
                select delivery_id, source_row from compared where nth = 1 and frozen and quarters >= 2""",
        ),
        Rule(
            "M41",
            Severity.WARNING,
            "Nothing was recorded as spent in a quarter that is over",
            expected="spending for each past quarter that has a budget, even if it is 0",
            fix="Send the spending of the quarter. If nothing was spent, send a row with 0.",
            field="quarter",
            needs=("expenditure",),
            violations_sql=f"""
                with spent as (
                    select distinct e.site_code, award_id, (make_date(
                        year(period_end), 3 * quarter(period_end), 1) + interval 1 month)::date - 1 as quarter_end
                    from core.expenditure e
                )
                select l.delivery_id, l.source_row from ({LATEST}) l
                anti join spent s on s.site_code = l.site_code and s.award_id = l.award_id
                    and s.quarter_end = l.quarter_end
                where l.quarter_end <= l.data_cut_date and l.profile_amount > 0
                qualify row_number() over (
                    partition by l.site_code, l.award_id, l.quarter_end order by l.source_row) = 1""",
        ),
        Rule(
            "M42",
            Severity.ROW,
            "There is a forecast for a quarter that is over",
            expected="an empty cell for a quarter that is over: its spending is sent as expenditure",
            fix="Empty the cell. Send what was spent in the quarter as expenditure.",
            field="forecast_amount",
            violations_sql=f"""
                select delivery_id, source_row from ({LATEST})
                where forecast_amount is not null and quarter_end <= data_cut_date""",
        ),
    ),
)
