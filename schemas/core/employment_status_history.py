"""core.employment_status_history: employment status as recorded during an episode, after MHS004 and IDS004.

Source: docs/domain.md 2.1, 2.2, 7.7, rule E08. E17 to E20 are our own.
"""

from __future__ import annotations

import polars as pl

from schemas._contract.model import Contract, Field, Kind, Rule, Severity
from schemas._contract.shared_fields import (
    EMPLOYMENT_STATUS,
    EPISODE_ID,
    WEEKLY_HOURS_WORKED,
    before_death,
    orphan,
    repeats_sql,
)
from schemas._rules.datasets.employment import asked_of_the_employed, hours_agree
from schemas._rules.months import within_period

BENEFITS = ("esa_ind", "uc_ind", "pip_ind")


def _indicator(name: str, title: str, description: str, codes: str, aliases: tuple[str, ...]) -> Field:
    """An optional yes-or-no code of the national data sets, with its own list of ways not to know."""
    return Field(name, Kind.CODE, title, description, codes=codes, required=False, aliases=aliases, example="N")


CONTRACT = Contract(
    dataset="employment_status_history",
    title="Employment status history",
    description="Employment status, hours and benefits as recorded on a day, as often as a site records them.",
    grain="one row per record of an episode's employment status",
    key=("status_id",),
    participant_level=True,
    event_date="recorded_date",
    fields=(
        Field(
            "status_id",
            Kind.REFERENCE,
            "Record reference",
            "The site's own reference for the record.",
            pattern=r"^[A-Z]{2,8}-[A-Z0-9]{6,16}$",
            aliases=("Status ID", "Status record number", "Status ref", "Record ID"),
            example="BPL-S0001234",
        ),
        EPISODE_ID,
        Field(
            "recorded_date",
            Kind.DATE,
            "Date recorded",
            "The day on which the status was recorded.",
            aliases=("Employment status recorded date", "Record date", "EmpStatusDate", "Status date"),
            example="2016-05-20",
        ),
        EMPLOYMENT_STATUS,
        WEEKLY_HOURS_WORKED.replace(
            required=False, aliases=(*WEEKLY_HOURS_WORKED.aliases, "Weekly hours"), example="98"
        ),
        Field(
            "status_start_date",
            Kind.DATE,
            "Start of the status",
            "The day since which the person has this status, where it is known.",
            required=False,
            aliases=("Status start date", "Employment status start date"),
            example="2016-02-01",
        ),
        _indicator(
            "self_employed_ind",
            "Self-employed",
            "Whether someone in work is self-employed (NHS code).",
            "self_employed_ind",
            aliases=("Self-employed indicator", "SelfEmployInd"),
        ),
        _indicator(
            "sick_absence_ind",
            "Absent through sickness",
            "Whether someone in work is on sick leave (NHS code).",
            "sick_absence_ind",
            aliases=("Sickness absence indicator", "Off sick"),
        ),
        _indicator(
            "ssp_ind",
            "Statutory Sick Pay",
            "Whether the person receives Statutory Sick Pay.",
            "ssp_ind",
            aliases=("SSP", "Statutory Sick Pay receipt indicator"),
        ),
        _indicator(
            "benefit_ind",
            "Any benefit",
            "Whether the person receives any benefit.",
            "benefit_ind",
            aliases=("Receiving benefits", "Benefit receipt indicator", "BenefitRecInd", "Benefits"),
        ),
        _indicator(
            "esa_ind",
            "ESA",
            "Whether the person receives Employment and Support Allowance, in either group.",
            "benefit_ind",
            aliases=("Employment and Support Allowance", "Employment and Support Allowance receipt indicator"),
        ),
        _indicator(
            "uc_ind",
            "UC",
            "Whether the person receives Universal Credit.",
            "benefit_ind",
            aliases=("Universal Credit", "Universal Credit receipt indicator"),
        ),
        _indicator(
            "pip_ind",
            "PIP",
            "Whether the person receives Personal Independence Payment.",
            "benefit_ind",
            aliases=("Personal Independence Payment", "Personal Independence Payment receipt indicator"),
        ),
        Field(
            "recorded_by",
            Kind.CODE,
            "Recorded by",
            "The role of the worker who recorded it.",
            codes="staff_role",
            required=False,
            aliases=("Recorder role", "Role of recorder"),
            example="employment_adviser",
        ),
    ),
    rules=(
        within_period("recorded_date"),
        hours_agree("employment_status", "weekly_hours_worked"),
        asked_of_the_employed("self_employed_ind", "Self-employment"),
        asked_of_the_employed("sick_absence_ind", "Absence through sickness"),
        Rule(
            "E17",
            Severity.ROW,
            "The status starts after the day on which it was recorded",
            expected="a start on or before the day of the record",
            fix="Correct one of the two dates. If each is in the other's column, exchange them.",
            field="status_start_date",
            check=lambda: pl.col("status_start_date") <= pl.col("recorded_date"),
        ),
        Rule(
            "E18",
            Severity.ROW,
            "A benefit is named, though none is received",
            expected="Y for any benefit wherever one of the benefits has Y",
            fix="Correct whichever of the answers is wrong.",
            field="benefit_ind",
            check=lambda: (pl.col("benefit_ind") != "N") | ~pl.any_horizontal(pl.col(b) == "Y" for b in BENEFITS),
        ),
        orphan("employment_status_history", "record", "referrals"),
        Rule(
            "E19",
            Severity.WARNING,
            "The status was recorded more than once on one day",
            expected="one record of an episode for a day: where there are two, the later in the file counts",
            fix="If one of the days is wrong, correct it. If one record replaces the other, delete the one that it"
            " replaces.",
            field="employment_status",
            names_other="the same day as",
            violations_sql=repeats_sql(
                "core.employment_status_history",
                columns="site_code, episode_id, recorded_date",
                order_by="delivery_id, source_row",
            ),
        ),
        before_death("employment_status_history", "recorded_date", "The record"),
    ),
)
