-- outcomes.jobs
-- Every spell of paid work that sites reported, and what it adds to its episode. A spell is new work if it began on or
-- after the start of support, with at least one paid hour a week, and the person was not in work at that start (clients
-- in work have retention, not job starts). Every day of new work counts towards sustainment, once. New work is a job
-- start only if earlier new work of the episode had ended: of jobs that overlap, or of one job sent twice, the first
-- counts. An open spell runs to the cut-off of the site's data.
-- The control arm of a trial was offered no service, so none of its jobs can be a job start of the service. Its jobs
-- are counted from randomisation, in outcomes.trial_arms.
-- Grain: one row per job spell of an episode that is not a record made in error
-- Key: site_code, outcome_id
-- Source: docs/domain.md 4.2 (JOB_START, SUST_13, SUST_26), 4.6, 6.4 (E11, E12, E13)
-- Columns:
--   programme_code        VARCHAR not null  The programme.
--   site_code             VARCHAR not null  The site.
--   outcome_id            VARCHAR not null  The site's reference of the job spell.
--   episode_id            VARCHAR not null  The episode it belongs to.
--   participant_ref       VARCHAR not null  The person (the site's pseudonym).
--   job_start_date        DATE not null  First day in the job.
--   job_end_date          DATE  Last day in the job; empty while the person is still in it.
--   last_day_in_work      DATE not null  Last day in the job that is known: its end, or the data cut-off if that is
--       earlier.
--   job_start_year        VARCHAR not null  Financial year of the first day, such as 2015-16.
--   in_work_at_start      BOOLEAN not null  Whether the person had paid work when support began: a job kept, not
--       started.
--   is_new_work           BOOLEAN  Whether the spell is new work, so that its days count; empty for the control arm.
--   is_job_start          BOOLEAN  Whether it counts as a job start too (unit: jobs): new work that began after all
--       earlier new work of the episode had ended; empty for the control arm.
--   is_first_job_start    BOOLEAN  Whether it is the first job start of its episode (at most one); empty for the
--       control arm.
--   first_job_start_date  DATE  First day of the episode's first job start; empty for spells that are not new work.
--   new_days_within_91    BIGINT  Days in work that this spell adds within 91 days of the first job start: days already
--       covered by an earlier spell are not counted again. Empty for spells that are not new work. Unit: days.
--   new_days_within_112   BIGINT  The same within 112 days. Empty for spells that are not new work. Unit: days.
--   new_days_within_182   BIGINT  The same within 182 days. Empty for spells that are not new work. Unit: days.
--   new_days_within_210   BIGINT  The same within 210 days. Empty for spells that are not new work. Unit: days.
--   paid_hours_week       DECIMAL(14,1) not null  Paid hours a week, as reported.
--   outcome_definition_code  VARCHAR not null  The definition by which the site counts it (core.outcome_definitions).
--   data_cut_date         DATE not null  Date to which the site's job outcomes are complete.
WITH spells AS (
  SELECT
    o.programme_code, o.site_code, o.outcome_id, o.episode_id, r.participant_ref, o.job_start_date, o.job_end_date,
    o.paid_hours_week, o.in_work_at_start, o.outcome_definition_code,
    c.cut_date AS data_cut_date,
    least(o.job_end_date, c.cut_date) AS last_day_in_work, -- least() ignores NULL, so an open spell ends here
    CASE WHEN z.arm IS DISTINCT FROM 'control' THEN
      coalesce(
        o.paid_hours_week >= 1
        AND o.job_start_date >= r.programme_start_date
        AND r.employment_status_at_start IS DISTINCT FROM '01'
        AND NOT o.in_work_at_start,
        false
      )
    END AS is_new_work
  FROM core.employment_outcomes AS o
  JOIN core.referrals AS r USING (site_code, episode_id)
  LEFT JOIN outcomes.cut_offs AS c ON c.site_code = o.site_code AND c.dataset = 'employment_outcomes'
  LEFT JOIN core.randomisation AS z ON z.site_code = r.site_code AND z.participant_ref = r.participant_ref
  WHERE r.exit_reason IS DISTINCT FROM 'admin_error'
),
ordered AS (
  SELECT
    *,
    -- As in rule E12, a job that starts on the last day of another follows it. Two that start on the same day overlap,
    -- hence the + 1: a job counts as going on for at least its first day.
    CASE
      WHEN is_new_work THEN
        coalesce(
          job_start_date >= max(greatest(coalesce(job_end_date, DATE 'infinity'), job_start_date + 1)) OVER earlier,
          true
        )
      ELSE is_new_work -- false, or NULL for the control arm
    END AS is_job_start,
    CASE WHEN is_new_work THEN row_number() OVER earlier_and_this = 1 ELSE is_new_work END AS is_first_job_start,
    CASE WHEN is_new_work THEN min(job_start_date) OVER earlier_and_this END AS first_job_start_date,
    -- The first day that no earlier spell covers, so that days of overlapping jobs are counted once.
    greatest(job_start_date, coalesce(max(last_day_in_work) OVER earlier + 1, job_start_date)) AS first_new_day
  FROM spells
  WINDOW
    earlier_and_this AS (
      PARTITION BY site_code, episode_id, is_new_work ORDER BY job_start_date, outcome_id
      ROWS UNBOUNDED PRECEDING
    ),
    earlier AS (
      PARTITION BY site_code, episode_id, is_new_work ORDER BY job_start_date, outcome_id
      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    )
)
SELECT
  programme_code,
  site_code,
  outcome_id,
  episode_id,
  participant_ref,
  job_start_date,
  job_end_date,
  last_day_in_work,
  financial_year(job_start_date) AS job_start_year,
  in_work_at_start,
  is_new_work,
  is_job_start,
  is_first_job_start,
  first_job_start_date,
  -- 'Within 112 days' is the day of the first start and the 111 days after it.
  CASE WHEN is_new_work THEN days_in(first_new_day, least(last_day_in_work, first_job_start_date + 90)) END
    AS new_days_within_91,
  CASE WHEN is_new_work THEN days_in(first_new_day, least(last_day_in_work, first_job_start_date + 111)) END
    AS new_days_within_112,
  CASE WHEN is_new_work THEN days_in(first_new_day, least(last_day_in_work, first_job_start_date + 181)) END
    AS new_days_within_182,
  CASE WHEN is_new_work THEN days_in(first_new_day, least(last_day_in_work, first_job_start_date + 209)) END
    AS new_days_within_210,
  paid_hours_week,
  outcome_definition_code,
  data_cut_date
FROM ordered
