"""core.employment_outcomes: jobs that people started, and whether they lasted. Source: docs/domain.md 4.2, 7.6, 6.4.

E14 to E16 are not built yet. The outcome definitions that each programme may use come from `outcome_definitions.csv`.
"""

from __future__ import annotations

from decimal import Decimal

import polars as pl

from schemas._contract.model import Contract, Field, Kind, Rule, Severity, Usual
from schemas._contract.registry import outcome_definitions
from schemas._contract.shared_fields import EPISODE_ID, WEEKLY_HOURS_WORKED, before_death, orphan

SUSTAINED = {"sust_13w_date": (13, 91), "sust_26w_date": (26, 182)}  # field: weeks, days from the start of the job
HOURS_BANDS = {"01": (30, 999), "02": (16, 30), "03": (5, 16), "04": (0, 5)}  # hours a week: from, below


def _definition_belongs_to_programme() -> pl.Expr:
    """Whether the row's programme may use its outcome definition."""
    pairs = [f"{d.code} {programme}" for d in outcome_definitions().values() for programme in d.programme_codes]
    return pl.concat_str("outcome_definition_code", "programme_code", separator=" ").is_in(pairs)


def _hours_meet_definition() -> pl.Expr:
    """Whether the paid hours reach the minimum of the row's outcome definition, if it has one."""
    hours, code = pl.col("paid_hours_week"), pl.col("outcome_definition_code")
    minimums = {d.code: d.min_weekly_hours for d in outcome_definitions().values() if d.min_weekly_hours is not None}
    return pl.all_horizontal([(code != c) | (hours >= minimum) for c, minimum in minimums.items()])


def _hours_match_band() -> pl.Expr:
    """Whether the paid hours lie in the band of the hours code."""
    hours, code = pl.col("paid_hours_week"), pl.col("weekly_hours_worked")
    bands = HOURS_BANDS.items()
    return pl.all_horizontal([(code != band) | hours.is_between(*limits, closed="left") for band, limits in bands])


def _several_jobs_count() -> pl.Expr:
    """Whether the definition adds up several jobs: its window is longer than the days in work that it requires."""
    known = outcome_definitions().values()
    cumulative = [d.code for d in known if d.min_days and d.window_days and d.window_days > d.min_days]
    return pl.col("outcome_definition_code").is_in(cumulative)


def _sustained(field: str, weeks: int, days: int) -> tuple[Rule, ...]:
    """Rules E03, E04 and E05 for one sustainment date."""
    reached = pl.col(field)
    return (
        Rule(
            "E03",
            Severity.ROW,
            f"Too soon for a {weeks}-week outcome",
            expected=f"a date at least {days} days after the start of the job",
            fix=f"Correct the date of the {weeks}-week outcome or the start of the job; empty it if not yet reached.",
            field=field,
            check=lambda: (reached - pl.col("job_start_date")).dt.total_days() >= days,
        ),
        Rule(
            "E04",
            Severity.ROW,
            f"The {weeks}-week outcome is not reached yet",
            expected="a date on or before the date of the extract",
            fix="Empty the cell until the outcome is reached. A date on which it may be reached is not an outcome.",
            field=field,
            check=lambda: reached <= pl.col("data_cut_date"),
        ),
        Rule(
            "E05",
            Severity.ROW,
            f"The job ended before the {weeks}-week outcome",
            expected="an outcome on or before the end of the job, unless the outcome rule lets several jobs count",
            fix="Correct the end of the job or the date of the outcome; empty the outcome if it was not reached.",
            field=field,
            check=lambda: (reached <= pl.col("job_end_date")) | _several_jobs_count(),
        ),
    )


# A job sent twice (E11): one of the same kind in the same episode that starts within 3 days of the one before it.
_JOBS = """
                with jobs as (select delivery_id, source_row, job_start_date,
                        coalesce(job_start_date - lag(job_start_date) over of_kind <= 3, false) as same_job,
                        lag(delivery_id) over of_kind as other_delivery, lag(source_row) over of_kind as other_row,
                        max(coalesce(job_end_date, date '9999-12-31')) over (
                            partition by site_code, episode_id order by job_start_date, delivery_id, source_row
                            rows between unbounded preceding and 1 preceding) as working_until
                    from core.employment_outcomes window of_kind as (partition by site_code, episode_id, job_type
                        order by job_start_date, delivery_id, source_row)
                )
                select delivery_id, source_row, other_delivery, other_row from jobs where """

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
        *(rule for field, (weeks, days) in SUSTAINED.items() for rule in _sustained(field, weeks, days)),
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
        Rule(
            "E06",
            Severity.WARNING,
            "The hours are fewer than the outcome rule asks for",
            expected="at least the weekly hours of the outcome rule, such as 16 for WC_JO",
            fix="Check the hours, or name the outcome rule that the job does meet.",
            field="paid_hours_week",
            check=_hours_meet_definition,
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
            check=_hours_match_band,
        ),
        Rule(
            "E10",
            Severity.ROW,
            "The outcome rule is not one that this programme uses",
            expected="an outcome rule of the register that is listed for the programme, such as JOB_START or SUST_13",
            fix="Enter the outcome rule by which the job was counted.",
            field="outcome_definition_code",
            check=_definition_belongs_to_programme,
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
        Rule(
            "E11",
            Severity.WARNING,
            "This may be the same job as on another row",
            expected="one row per job: those of one kind start more than 3 days apart",
            fix="If a value was copied down by mistake, correct it. If it is the same job, delete one of the two rows. "
            "If both are right, nothing needs doing.",
            field="outcome_id",
            names_other="perhaps the same job as",
            confirmable=True,
            violations_sql=_JOBS + "same_job",
        ),
        Rule(
            "E12",
            Severity.WARNING,
            "The job starts before an earlier job of the episode has ended",
            expected="jobs one after the other: where they overlap, only the first counts as an outcome",
            fix="Enter the end of the earlier job if it has ended. If both went on together, nothing needs doing.",
            field="job_start_date",
            confirmable=True,
            violations_sql=_JOBS + "job_start_date < working_until and not same_job",
        ),
        before_death("employment_outcomes", "job_start_date", "The start of the job"),
        *(before_death("employment_outcomes", f, f"The {weeks}-week outcome") for f, (weeks, _) in SUSTAINED.items()),
    ),
)
