-- published.kpi
-- The figures of outcomes.kpi as they may leave the team: a count of 0 to 4 is held back, any other is rounded to the
-- nearest 5, a rate is a whole percentage and is held back if achieved or not achieved by fewer than 5. Every figure is
-- treated so, totals among them: what is held back is no difference of others. All other tables are exact, and are for
-- those alone who may see the data of single people. Two releases can be subtracted from each other as well: release
-- by quarters, not by months.
-- Grain: one row per figure, programme, site (or 'all'), financial year (or 'all') and unit, as in outcomes.kpi
-- Key: kpi_code, programme_code, site_code, cohort, unit
-- Source: DOMAIN.md 4.3, 5.1 (the rule of the Mental Health Services Data Set)
-- Columns:
--   kpi_code           VARCHAR not null  The figure: see outcomes.kpi_definitions.
--   programme_code     VARCHAR not null  The programme.
--   site_code          VARCHAR not null  The site, or 'all' for the programme.
--   cohort             VARCHAR not null  Financial year of entry (basis cohort) or of the event (basis period), or 'all'.
--   basis              VARCHAR not null  cohort: people followed from their entry. period: events dated in the period.
--   definition_code    VARCHAR  Outcome definition (core.outcome_definitions). Never compare figures across definitions.
--   unit               VARCHAR not null  What is counted: referrals, starts, jobs, job_starts, people, events.
--   numerator          BIGINT  Mature cases that achieved, to the nearest 5; for attainment the actual.
--   denominator        BIGINT  Mature cases whose outcome is known, to the nearest 5; for attainment the target as it is.
--   n_immature         BIGINT  Cases whose window had not passed at the cut-off, to the nearest 5.
--   n_missing_outcome  BIGINT  Mature cases whose outcome is not known, to the nearest 5.
--   value              BIGINT  The count of a volume, to the nearest 5.
--   rate_percent       BIGINT  The rate as a whole percentage; for attainment of the rounded actual.
--   ci_low_percent     BIGINT  Lower end of the 95% interval of the rounded counts, as a whole percentage.
--   ci_high_percent    BIGINT  Upper end of the 95% interval of the rounded counts, as a whole percentage.
--   ci_method          VARCHAR  wilson, where there is an interval.
--   data_cut_date      DATE  Earliest date to which the sites' data are complete.
--   provisional        BOOLEAN not null  Whether the figure may still move: see outcomes.kpi.
--   reason             VARCHAR  Why the figure is empty: small_numbers, data_not_received; for attainment also
--       not_measured, units_differ, definitions_differ, targets_differ, no_actual, no_target.
--   suppression_flag   BOOLEAN not null  Whether the figure itself is held back because it is small.
WITH figures AS (
  SELECT
    *,
    starts_with(kpi_code, 'kpi_19_target_') AS is_attainment,
    to_nearest_5(numerator) AS published_numerator,
    to_nearest_5(denominator) AS published_denominator
  FROM outcomes.kpi
),
judged AS (
  SELECT
    *,
    CASE
      WHEN reason <> 'no_mature_cases' THEN false
      WHEN is_attainment THEN numerator < 5
      WHEN denominator IS NOT NULL THEN numerator < 5 OR denominator - numerator < 5
      ELSE value < 5
    END IS true AS suppression_flag,
    ci_method IS NOT NULL AND NOT suppression_flag AS has_interval
  FROM figures
)
SELECT
  kpi_code,
  programme_code,
  site_code,
  cohort,
  basis,
  definition_code,
  unit,
  published_numerator AS numerator,
  if(is_attainment, denominator, published_denominator) AS denominator,
  to_nearest_5(n_immature) AS n_immature,
  to_nearest_5(n_missing_outcome) AS n_missing_outcome,
  to_nearest_5(value) AS value,
  CASE
    WHEN suppression_flag THEN NULL
    WHEN is_attainment THEN if(rate IS NULL, NULL, round(100 * published_numerator / denominator)::BIGINT)
    ELSE round(100 * rate)::BIGINT
  END AS rate_percent,
  if(has_interval, round(100 * wilson_low(published_numerator, published_denominator))::BIGINT, NULL) AS ci_low_percent,
  if(has_interval, round(100 * wilson_high(published_numerator, published_denominator))::BIGINT, NULL) AS ci_high_percent,
  if(has_interval, ci_method, NULL) AS ci_method,
  data_cut_date,
  provisional,
  if(suppression_flag OR reason = 'no_mature_cases', 'small_numbers', reason) AS reason,
  suppression_flag
FROM judged
