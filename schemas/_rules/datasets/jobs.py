"""Rules of jobs: the definition by which a job counts, sustained work, the same job on several rows.

Source: docs/domain.md 4.2, 6.4. E21 is our own.
"""

from __future__ import annotations

import polars as pl

from schemas._contract.model import MIN_ROWS_FOR_A_PATTERN, Rule, Severity
from schemas._contract.registry import minimum_wages, outcome_definitions

SUSTAINED = {"sust_13w_date": (13, 91), "sust_26w_date": (26, 182)}  # field: weeks, days from the start of the job
HOURS_BANDS = {"01": (30, 999), "02": (16, 30), "03": (5, 16), "04": (0, 5)}  # hours a week: from, below


def definition_belongs_to_programme() -> pl.Expr:
    """Whether the row's programme may use its outcome definition."""
    pairs = [f"{d.code} {programme}" for d in outcome_definitions().values() for programme in d.programme_codes]
    return pl.concat_str("outcome_definition_code", "programme_code", separator=" ").is_in(pairs)


def _hours_meet_definition() -> pl.Expr:
    """Whether the paid hours reach the minimum of the row's outcome definition, if it has one."""
    hours, code = pl.col("paid_hours_week"), pl.col("outcome_definition_code")
    minimums = {d.code: d.min_weekly_hours for d in outcome_definitions().values() if d.min_weekly_hours is not None}
    return pl.all_horizontal([(code != c) | (hours >= minimum) for c, minimum in minimums.items()])


def _earnings_meet_definition() -> pl.Expr:
    """Whether the earnings reach those of the definition at the wage on the first day of the job, if it has any.

    Unknown before the first wage that the registry has. Self-employed people count by time, not by earnings.
    """
    earnings, code, start = pl.col("earnings_to_date"), pl.col("outcome_definition_code"), pl.col("job_start_date")
    met = pl.lit(None, pl.Boolean)
    for valid_from, wage in minimum_wages():
        enough = [
            (code != d.code) | (earnings >= d.min_weekly_hours * d.earnings_weeks * wage)
            for d in outcome_definitions().values()
            if d.min_weekly_hours is not None and d.earnings_weeks is not None
        ]
        met = pl.when(start >= valid_from).then(pl.all_horizontal(enough)).otherwise(met)
    return (pl.col("job_type") == "self_employed") | met


def by_definition() -> tuple[Rule, ...]:
    """Rules E06, E10 and E16: the job meets the outcome definition that its row names."""
    return (
        Rule(
            "E06",
            Severity.WARNING,
            "The hours are fewer than the outcome rule asks for",
            expected="at least the weekly hours of the outcome rule, such as 16 for WC_JO",
            fix="Check the hours, or name the outcome rule that the job does meet.",
            field="paid_hours_week",
            check=_hours_meet_definition,
        ),
        Rule(
            "E10",
            Severity.ROW,
            "The outcome rule is not one that this programme uses",
            expected="an outcome rule of the register that is listed for the programme, such as JOB_START or SUST_13",
            fix="Enter the outcome rule by which the job was counted.",
            field="outcome_definition_code",
            check=definition_belongs_to_programme,
        ),
        Rule(
            "E16",
            Severity.ROW,
            "The earnings are below what the outcome rule asks for",
            expected="earnings of 16 hours a week for 26 weeks at the National Living Wage of the day on which the job"
            " started, where the outcome rule is WHP_JO and the person is not self-employed",
            fix="Correct the earnings or the start of the job, or name the outcome rule that the job does meet. Leave"
            " the job out until it has earned as much.",
            field="earnings_to_date",
            check=_earnings_meet_definition,
        ),
    )


def _several_jobs_count() -> pl.Expr:
    """Whether the definition adds up several jobs: its window is longer than the days in work that it requires."""
    known = outcome_definitions().values()
    cumulative = [d.code for d in known if d.min_days and d.window_days and d.window_days > d.min_days]
    return pl.col("outcome_definition_code").is_in(cumulative)


def sustained(field: str, weeks: int, days: int) -> tuple[Rule, ...]:
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


def hours_match_band() -> pl.Expr:
    """Whether the paid hours lie in the band of the hours code."""
    hours, code = pl.col("paid_hours_week"), pl.col("weekly_hours_worked")
    bands = HOURS_BANDS.items()
    return pl.all_horizontal([(code != band) | hours.is_between(*limits, closed="left") for band, limits in bands])


def end_and_reason() -> tuple[Rule, ...]:
    """Rules E21: the end of a job and the reason for leaving it come together."""
    return (
        # Held, because it is not known whether the person still works: outcomes of lasting work depend on it.
        Rule(
            "E21",
            Severity.ROW,
            "There is a reason for leaving the job, but no end of the job",
            expected="an end of the job beside the reason, or neither while the job goes on",
            fix="Enter the last day of the job. If the person still works there, empty the reason for leaving.",
            field="left_job_reason",
            check=lambda: pl.col("left_job_reason").is_null() | pl.col("job_end_date").is_not_null(),
        ),
        Rule(
            "E21",
            Severity.WARNING,
            "The job has ended, and the reason for leaving it is empty",
            expected="a reason for leaving beside the end of the job; not_known where nobody knows it",
            fix="Enter why the job ended. If nobody knows, enter not_known.",
            field="left_job_reason",
            check=lambda: pl.col("job_end_date").is_null() | pl.col("left_job_reason").is_not_null(),
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

# A person has one reference in two programmes only where one controller makes the references of both.
_ALSO_ELSEWHERE = """
                with jobs as (
                    select o.delivery_id, o.source_row, o.programme_code, o.job_start_date, r.participant_ref,
                        s.key_controller
                    from core.employment_outcomes o join core.referrals r using (site_code, episode_id)
                    join core.sites s using (site_code)
                    where s.key_controller is not null
                )
                select distinct a.delivery_id, a.source_row
                from jobs a join jobs b using (key_controller, participant_ref)
                where a.programme_code <> b.programme_code and abs(a.job_start_date - b.job_start_date) <= 3"""


def on_several_rows() -> tuple[Rule, ...]:
    """Rules E11, E12 and E14: the same job twice, two jobs at once, and a job that two programmes report."""
    return (
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
        Rule(
            "E14",
            Severity.WARNING,
            "Another programme reports this job too",
            expected="a job that one programme reports: of one person, those of two start more than 3 days apart",
            fix="Agree with the other programme which of the two helped the person into the job, so that it is paid for"
            " once. Delete the row if it is the other one. If both may report it, nothing needs doing.",
            field="outcome_id",
            across_sites=True,
            confirmable=True,
            needs=("referrals",),
            violations_sql=_ALSO_ELSEWHERE,
        ),
    )


def starts_on_one_day() -> Rule:
    """Rule E15: most jobs start on the same day of a month, as dates do where only the month was known."""
    return Rule(
        "E15",
        Severity.WARNING,
        "Most jobs start on the same day of a month: the dates look estimated",
        expected="the first day of paid work in each job: they fall on all days of a month",
        fix="Enter the first day of each job, from the evidence. If only the month is known, ask the person or the"
        " employer. If they did all start on that day, nothing needs doing.",
        field="job_start_date",
        whole_file=True,
        violations_sql=f"""
                with days as (
                    select delivery_id, day(job_start_date) as day_of_month, count(*) as n
                    from core.employment_outcomes group by all
                ), of_file as (select *, sum(n) over (partition by delivery_id) as jobs from days)
                select delivery_id,
                    n || ' of ' || jobs || ' jobs start on day ' || day_of_month || ' of a month' as found
                from of_file where jobs >= {MIN_ROWS_FOR_A_PATTERN} and n > 0.6 * jobs""",
    )
