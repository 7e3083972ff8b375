"""core.employment_outcomes: jobs that people started, and whether they lasted. Source: docs/domain.md 4.2, 7.6, 6.4.

The outcome definitions that each programme may use come from `outcome_definitions.csv`.
"""

from __future__ import annotations

from decimal import Decimal

import polars as pl

from schemas._contract.model import Contract, Field, Kind, Rule, Severity, Usual
from schemas._contract.shared_fields import EPISODE_ID, WEEKLY_HOURS_WORKED, before_death, orphan
from schemas._rules.datasets.jobs import (
    SUSTAINED,
    by_definition,
    end_and_reason,
    hours_match_band,
    on_several_rows,
    starts_on_one_day,
    sustained,
)
from schemas._rules.months import within_period

CONTRACT = Contract(
    dataset="employment_outcomes",
    title="Employment outcomes",
    description="Paid jobs that participants started or kept. Unpaid work is not an employment outcome.",
    grain="one row per job spell",
    key=("outcome_id",),
    participant_level=True,
    event_date="job_start_date",
    fields=(
        Field(
            "outcome_id",
            Kind.REFERENCE,
            "Outcome reference",
            "The site's own reference for the job.",
            pattern=r"^[A-Z]{2,8}-[A-Z0-9]{6,16}$",
            personal=True,
            aliases=("Outcome number", "Job outcome ID", "Job ID"),
            example="BPL-J000123",
        ),
        EPISODE_ID,
        Field(
            "job_spell_no",
            Kind.INTEGER,
            "Job number",
            "Which job of the episode this is: 1 for the first.",
            low=1,
            high=99,
            usual=Usual("1, for the first job of an episode", low=1, high=1, least=0.15),
            aliases=("Job spell", "Job number in episode", "Spell number"),
            example="1",
        ),
        Field(
            "job_start_date",
            Kind.DATE,
            "Start of the job",
            "The first day of paid work in the job.",
            aliases=("Job start", "Date of job start", "Employment start date", "Date started work"),
        ),
        Field(
            "job_end_date",
            Kind.DATE,
            "End of the job",
            "The last day of paid work in the job; empty while it goes on.",
            required=False,
            column_required=True,
            may_go_on=True,
            aliases=("Job end", "Date left job", "Employment end date", "Date finished work"),
        ),
        Field(
            "job_type",
            Kind.CODE,
            "Kind of job",
            "The kind of paid job. Work experience, volunteering and work trials are never jobs.",
            codes="job_type",
            not_listed_rule="E07",
            aliases=("Type of job", "Employment type", "Contract type"),
            example="employee",
        ),
        Field(
            "paid_hours_week",
            Kind.DECIMAL,
            "Paid hours",
            "Paid hours in a usual week.",
            unit="hours a week",
            decimals=1,
            low=Decimal("0.5"),
            high=80,
            range_rule="E06",
            sentinels=("99", "999"),
            aliases=("Hours per week", "Weekly hours", "Hours", "Contracted hours"),
            example="18.5",
        ),
        WEEKLY_HOURS_WORKED,
        Field(
            "hourly_pay",
            Kind.MONEY,
            "Hourly pay",
            "Gross pay for an hour.",
            unit="pounds an hour",
            required=False,
            low=0,
            high=200,
            sentinels=("999", "9999"),
            aliases=("Pay per hour", "Hourly rate", "Rate of pay"),
            example="8.25",
        ),
        Field(
            "at_least_nmw",
            Kind.YES_NO,
            "Paid the minimum wage",
            "Whether the pay is at least the National Minimum (or Living) Wage for the person's age.",
            usual=Usual("Y", low=1, high=1),
            aliases=("NMW", "At or above NMW", "Minimum wage paid", "At least minimum wage"),
            example="Y",
        ),
        Field(
            "soc_major",
            Kind.CODE,
            "Occupation",
            "Major group of the Standard Occupational Classification.",
            codes="soc_major",
            required=False,
            aliases=("SOC", "Occupation group", "SOC major group"),
        ),
        Field(
            "sic_section",
            Kind.CODE,
            "Industry",
            "Section of the Standard Industrial Classification.",
            codes="sic_section",
            required=False,
            aliases=("SIC", "Industry section", "Sector"),
        ),
        Field(
            "employer_size_band",
            Kind.CODE,
            "Size of the employer",
            "How many people the employer employs.",
            unit="employees, in bands",
            codes="employer_size_band",
            required=False,
            aliases=("Employer size", "Size of employer", "Number of employees"),
        ),
        Field(
            "outcome_definition_code",
            Kind.CODE,
            "Outcome rule",
            "The definition by which the job counts as an outcome. Different definitions are never compared.",
            codes="outcome_definitions",
            not_listed_rule="E10",
            aliases=("Outcome definition", "Outcome type", "Job outcome definition"),
            example="JOB_START",
        ),
        Field(
            "sust_13w_date",
            Kind.DATE,
            "13 weeks reached",
            "The day on which 13 weeks (91 days) of work were reached; empty until then.",
            required=False,
            column_required=True,
            may_be_future=True,  # not C06, for E04 checks the same with a better text
            aliases=("13 week date", "13 week outcome date", "13 weeks sustained", "13wk sustained date"),
        ),
        Field(
            "sust_26w_date",
            Kind.DATE,
            "26 weeks reached",
            "The day on which 26 weeks (182 days) of work were reached; empty until then.",
            required=False,
            column_required=True,
            may_be_future=True,
            aliases=("26 week date", "26 week outcome date", "26 weeks sustained", "26wk sustained date"),
        ),
        Field(
            "evidence_type",
            Kind.CODE,
            "Evidence",
            "What shows that the job is real.",
            codes="evidence_type",
            aliases=("Type of evidence", "Evidence source", "Proof of employment"),
            example="employer_confirmation",
        ),
        Field(
            "evidence_date",
            Kind.DATE,
            "Date of the evidence",
            "The day of the evidence.",
            required=False,
            aliases=("Evidence received", "Date evidence seen"),
        ),
        Field(
            "earnings_to_date",
            Kind.MONEY,
            "Earnings to date",
            "Gross earnings from the job up to the date of the extract.",
            unit="pounds",
            required=False,
            low=0,
            usual=Usual("£50 or more", low=50),
            aliases=("Total earnings", "Earnings"),
            example="4212.00",
        ),
        Field(
            "in_work_at_start",
            Kind.YES_NO,
            "In work at start",
            "Whether the person was already in paid work when support began: such jobs count as kept, not as started.",
            aliases=("In work at referral", "Employed at start", "Already in work"),
            example="N",
        ),
        Field(
            "left_job_reason",
            Kind.CODE,
            "Reason for leaving",
            "Why the job ended; empty while it goes on.",
            codes="left_job_reason",
            required=False,
            aliases=("Reason left job", "Reason for leaving job", "Job end reason"),
        ),
    ),
    rules=(
        *(rule for field, (weeks, days) in SUSTAINED.items() for rule in sustained(field, weeks, days)),
        *by_definition(),
        *end_and_reason(),
        within_period("job_start_date"),
        Rule(
            "E02",
            Severity.ROW,
            "A 26-week outcome without an earlier 13-week outcome",
            expected="a 13-week date before the 26-week date",
            fix="Enter the date on which 13 weeks were reached, or correct the dates.",
            field="sust_26w_date",
            check=lambda: (
                pl.col("sust_26w_date").is_null()
                | (pl.col("sust_13w_date").is_not_null() & (pl.col("sust_13w_date") < pl.col("sust_26w_date")))
            ),
        ),
        Rule(
            "E05",
            Severity.ROW,
            "The job ends before it starts",
            expected="an end on or after the start of the job",
            fix="Correct the start or the end of the job.",
            field="job_end_date",
            check=lambda: pl.col("job_end_date") >= pl.col("job_start_date"),
        ),
        # Text only: the check is the field's range.
        Rule(
            "E06",
            Severity.ROW,
            "The paid hours are not possible",
            expected="paid hours in a usual week, from 0.5 to 80",
            fix="Enter the hours of a usual week. Without paid hours it is not a job: delete the row.",
            field="paid_hours_week",
        ),
        # Text only: the check is the field's code list, which has no code for unpaid work.
        Rule(
            "E07",
            Severity.ROW,
            "This kind of work is not a paid job",
            expected="employee, self_employed, apprenticeship, agency_temp or zero_hours",
            fix="Correct the kind of job. Volunteering, work trials and work experience are not jobs: delete the row "
            "and record them as contacts.",
            field="job_type",
        ),
        Rule(
            "E08",
            Severity.ROW,
            "A job with the hours code for someone not employed",
            expected="an hours code from 01 to 04; 98 is for people without a job",
            fix="Enter the code for the hours worked: 01 is 30 or more, 02 is 16 to 29, 03 is 5 to 15, 04 is 1 to 4.",
            field="weekly_hours_worked",
            check=lambda: pl.col("weekly_hours_worked") != "98",
        ),
        Rule(
            "E08",
            Severity.WARNING,
            "The hours code and the paid hours disagree",
            expected="01 for 30 hours or more, 02 for 16 to 29, 03 for 5 to 15, 04 for fewer than 5",
            fix="Correct whichever is wrong. The codes run downwards: 01 is the most hours.",
            field="weekly_hours_worked",
            check=hours_match_band,
        ),
        orphan("employment_outcomes", "job", "referrals"),
        Rule(
            "E01",
            Severity.ROW,
            "The job starts before support began",
            expected="a start on or after the start of support (in a trial: on or after randomisation, in both arms)",
            fix="Correct the start of the job. If the person was already in work, answer Y to 'in work at start'.",
            field="job_start_date",
            needs=("referrals",),
            also_reads=("randomisation",),  # not in `needs`: most sites do not randomise
            # The earliest allocation counts, and only for the episode that was open then.
            violations_sql="""
                with allocated as (
                    select site_code, participant_ref, min(randomised_date) as randomised_date
                    from core.randomisation group by all
                )
                select o.delivery_id, o.source_row from core.employment_outcomes o
                join core.referrals r using (site_code, episode_id)
                left join allocated a on a.site_code = r.site_code and a.participant_ref = r.participant_ref
                    and r.referral_received_date <= a.randomised_date
                    and coalesce(r.exit_date, a.randomised_date) >= a.randomised_date
                where not o.in_work_at_start
                    and o.job_start_date < coalesce(a.randomised_date, r.programme_start_date)""",
        ),
        Rule(
            "E09",
            Severity.ROW,
            "An outcome for a referral that was not eligible",
            expected="outcomes of eligible referrals only, and of everyone in a trial, whichever arm",
            fix="Correct the eligibility in the referrals extract, or delete the outcome.",
            field="episode_id",
            needs=("referrals",),
            also_reads=("randomisation",),
            # Intention to treat: everyone randomised stays in the analysis, even if found ineligible later.
            violations_sql="""
                select o.delivery_id, o.source_row from core.employment_outcomes o
                join core.referrals r using (site_code, episode_id)
                where r.eligibility_outcome = 'ineligible' and not exists (
                    from core.randomisation z
                    where z.site_code = r.site_code and z.participant_ref = r.participant_ref)""",
        ),
        Rule(
            "E13",
            Severity.ROW,
            "The referral says that the person was already in work",
            expected="Y where the employment status at start is 01",
            fix="Answer Y, so that the job counts as kept, or correct the employment status in the referrals extract.",
            field="in_work_at_start",
            needs=("referrals",),
            violations_sql="""
                select o.delivery_id, o.source_row from core.employment_outcomes o
                join core.referrals r using (site_code, episode_id)
                where not o.in_work_at_start and r.employment_status_at_start = '01'""",
        ),
        *on_several_rows(),
        starts_on_one_day(),
        before_death("employment_outcomes", "job_start_date", "The start of the job"),
        *(before_death("employment_outcomes", f, f"The {weeks}-week outcome") for f, (weeks, _) in SUSTAINED.items()),
    ),
)
