-- outcomes.trial_arms
-- Comparison of the trial's arms: outcomes of everybody randomised, by the arm first allocated, whatever support
-- followed (intention to treat), counted in both arms from the day of randomisation. Two outcomes within 365 days of
-- it: JOB_START, a job start, only for the groups recruited out of work; and HLT_EMP13, at least 91 days in paid work,
-- in any jobs, with overlapping ones counted once. Trial groups are separate: people in work are never pooled with
-- people out of work. Only people for whom 365 days and the reporting lag have passed count. Somebody whose outcome
-- cannot be known (no accepted referral, or no job outcomes from the site) is in no rate; the worst and best case of
-- the difference show how much that could matter.
-- The trial's published effects use administrative data, these figures what sites report, and sites may hear less of
-- the control arm: they are not the same measure. The published effect is 4 points in the West Midlands. An effect of
-- 20 points among thousands is almost certainly an error of arm or period.
-- Grain: one row per trial group with an accepted allocation, outcome and arm
-- Key: programme_code, trial_group, definition_code, arm
-- Source: docs/domain.md 1.5, 4.2 (JOB_START, HLT_EMP13), 4.4, 4.5, 4.6
-- Columns:
--   programme_code                VARCHAR not null  The programme.
--   trial_group                   VARCHAR not null  The trial and the group within it (codes: trial_group).
--   definition_code               VARCHAR not null  The outcome: JOB_START or HLT_EMP13 (core.outcome_definitions).
--   arm                           VARCHAR not null  The arm first allocated: ips or control.
--   n_randomised                  BIGINT not null  People randomised to the arm. Unit: people.
--   n_immature                    BIGINT not null  Of these, people whose 365 days and lag had not passed at the
--       cut-off.
--   n_missing_outcome             BIGINT not null  Mature people whose outcome is not known: in neither numerator nor
--       denominator.
--   numerator                     BIGINT not null  Mature people who achieved the outcome. Unit: people.
--   denominator                   BIGINT not null  Mature people whose outcome is known. Unit: people.
--   rate                          DOUBLE  numerator / denominator, from 0 to 1; empty if there is no mature person with
--       a known outcome.
--   ci_low                        DOUBLE  Lower end of the 95% interval of the rate (Wilson). Empty as the rate is.
--   ci_high                       DOUBLE  Upper end of the 95% interval of the rate (Wilson). Empty as the rate is.
--   difference_points             DOUBLE  On the row of ips: its rate minus that of control. Empty on the row of
--       control, and where one of the two has no rate. Unit: percentage points.
--   difference_points_low         DOUBLE  Lower end of the 95% interval of the difference (Newcombe). Empty on the row
--       of control, and where one of the two has no rate.
--   difference_points_high        DOUBLE  Upper end of the 95% interval of the difference (Newcombe). Empty on the row
--       of control, and where one of the two has no rate.
--   difference_points_worst_case  DOUBLE  The difference if all missing outcomes were achieved in control and none in
--       ips. Empty on the row of control, and where no person of one of the arms is mature.
--   difference_points_best_case   DOUBLE  The difference if all missing outcomes were achieved in ips and none in
--       control. Empty on the row of control, and where no person of one of the arms is mature.
--   reason                        VARCHAR  Why the rate is empty: no_mature_cases or data_not_received. Empty
--       where there is a rate.
--   data_cut_date                 DATE not null  Earliest date to which the sites' randomisation, referrals and job
--       outcomes are all complete; without job outcomes, that of randomisation.
--   provisional                   BOOLEAN not null  Whether the rate may still change: under 80% of the arm is mature,
--       an outcome is missing, or a later file of a site was refused or held up.
WITH cut_offs AS (
  SELECT
    d.site_code,
    d.cut_date AS randomisation,
    earlier_of(d.cut_date, e.outcomes_cut_date) AS all_needed,
    d.site_code IN (
      SELECT site_code
      FROM outcomes.cut_offs
      WHERE is_outdated AND dataset IN ('randomisation', 'referrals', 'employment_outcomes')
    ) AS is_outdated
  FROM (FROM outcomes.cut_offs WHERE dataset = 'randomisation' AND cut_date IS NOT NULL) AS d
  LEFT JOIN (SELECT DISTINCT site_code, outcomes_cut_date FROM outcomes.episodes) AS e USING (site_code)
),
spells AS (
  SELECT
    z.site_code,
    z.participant_ref,
    j.paid_hours_week >= 1
      AND NOT j.in_work_at_start
      AND j.job_start_date BETWEEN z.randomised_date AND z.randomised_date + d.window_days::INTEGER AS is_job_start,
    -- The 365 days of HLT_EMP13 are those after the day of randomisation.
    greatest(j.job_start_date, z.randomised_date + 1) AS first_day,
    least(j.last_day_in_work, z.randomised_date + d.window_days::INTEGER) AS last_day
  FROM core.randomisation AS z
  JOIN outcomes.jobs AS j USING (site_code, participant_ref)
  JOIN core.outcome_definitions AS d ON d.definition_code = 'HLT_EMP13'
),
new_days AS (
  SELECT
    *,
    -- Days from the first that no earlier spell covers, as in outcomes.jobs.
    days_in(greatest(first_day, coalesce(max(last_day) OVER earlier + 1, first_day)), last_day) AS n
  FROM spells
  WINDOW earlier AS (
    PARTITION BY site_code, participant_ref ORDER BY first_day, last_day
    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
  )
),
work_totals AS (
  SELECT site_code, participant_ref, bool_or(is_job_start) AS has_job_start, sum(n) AS days_in_work
  FROM new_days
  GROUP BY site_code, participant_ref
),
candidates AS (
  SELECT
    z.programme_code,
    z.trial_group,
    z.arm,
    c.is_outdated,
    coalesce(c.all_needed, c.randomisation) AS data_cut_date,
    z.randomised_date + d.window_days::INTEGER <= coalesce(c.all_needed, c.randomisation) - reporting_lag()
      AS is_mature,
    c.all_needed IS NOT NULL
      AND (z.site_code, z.participant_ref) IN (SELECT (site_code, participant_ref) FROM outcomes.episodes) AS is_known,
    unnest([
      -- Not for scr_iw, whose people were recruited in work.
      {
        'definition_code': 'JOB_START', 'is_included': z.trial_group <> 'scr_iw',
        'is_met': coalesce(w.has_job_start, false)
      },
      {'definition_code': 'HLT_EMP13', 'is_included': true, 'is_met': coalesce(w.days_in_work, 0) >= d.min_days}
    ], recursive := true)
  FROM core.randomisation AS z
  JOIN core.outcome_definitions AS d ON d.definition_code = 'HLT_EMP13'
  JOIN cut_offs AS c USING (site_code)
  LEFT JOIN work_totals AS w USING (site_code, participant_ref)
),
arms AS (
  SELECT
    programme_code,
    trial_group,
    definition_code,
    arm,
    count(*) AS n_randomised,
    count(*) FILTER (NOT is_mature) AS n_immature,
    count(*) FILTER (is_mature AND NOT is_known) AS n_missing_outcome,
    count(*) FILTER (is_mature AND is_known AND is_met) AS numerator,
    count(*) FILTER (is_mature AND is_known) AS denominator,
    bool_or(is_outdated) AS is_outdated,
    min(data_cut_date) AS data_cut_date
  FROM candidates
  WHERE is_included
  GROUP BY programme_code, trial_group, definition_code, arm
)
SELECT
  a.programme_code,
  a.trial_group,
  a.definition_code,
  a.arm,
  a.n_randomised,
  a.n_immature,
  a.n_missing_outcome,
  a.numerator,
  a.denominator,
  share(a.numerator, a.denominator) AS rate,
  wilson_low(a.numerator, a.denominator) AS ci_low,
  wilson_high(a.numerator, a.denominator) AS ci_high,
  100 * (share(a.numerator, a.denominator) - share(c.numerator, c.denominator)) AS difference_points,
  100 * newcombe_low(a.numerator, a.denominator, c.numerator, c.denominator) AS difference_points_low,
  100 * newcombe_high(a.numerator, a.denominator, c.numerator, c.denominator) AS difference_points_high,
  100 * (
    share(a.numerator, a.denominator + a.n_missing_outcome)
    - share(c.numerator + c.n_missing_outcome, c.denominator + c.n_missing_outcome)
  ) AS difference_points_worst_case,
  100 * (
    share(a.numerator + a.n_missing_outcome, a.denominator + a.n_missing_outcome)
    - share(c.numerator, c.denominator + c.n_missing_outcome)
  ) AS difference_points_best_case,
  CASE
    WHEN a.denominator > 0 THEN NULL
    WHEN a.n_missing_outcome > 0 THEN 'data_not_received'
    ELSE 'no_mature_cases'
  END AS reason,
  a.data_cut_date,
  a.is_outdated OR a.n_immature > 0.2 * a.n_randomised OR a.n_missing_outcome > 0 AS provisional
FROM arms AS a
-- Only the row of ips is matched with control, so that the difference is stated once.
LEFT JOIN arms AS c
  ON c.programme_code = a.programme_code
  AND c.trial_group = a.trial_group
  AND c.definition_code = a.definition_code
  AND a.arm = 'ips'
  AND c.arm = 'control'
