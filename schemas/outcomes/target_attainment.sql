-- outcomes.target_attainment
-- Every current target of a programme or pilot site, with what the sites' own data show. A target and an actual are
-- only divided if they count the same thing: the same unit (people, jobs and job starts are three different counts) and
-- the same outcome definition. Otherwise the rate is empty and the reason says which of them differs. Published results
-- (such as 421 jobs against 340) are in outcomes.published_measures: they are not our own actuals.
-- Grain: one row per target
-- Key: sender_code, target_id
-- Source: docs/domain.md 4.3 (KPI 19), 6.5 (M20, M21), 7.18
-- Columns:
--   sender_code      VARCHAR not null  Who sent the target.
--   target_id        VARCHAR not null  The sender's reference of the target.
--   programme_code   VARCHAR not null  The programme.
--   site_code        VARCHAR not null  The site the target is about, or 'all' for the whole programme.
--   cohort           VARCHAR not null  Financial year of the target, or 'all'.
--   metric_code      VARCHAR not null  What is to be reached (codes: target_metric).
--   unit             VARCHAR not null  What the target counts (codes: target_unit).
--   definition_code  VARCHAR  Outcome definition the target states; empty where its source states none.
--   target_value     DECIMAL(14,2) not null  The target, in its unit.
--   qualifier        VARCHAR  The source's word before the figure, such as 'around'. Empty if there is none.
--   actual_kpi_code  VARCHAR  The count it is compared with; empty if we have no such count in the target's unit.
--   actual           BIGINT  That count; empty where it is not known.
--   actual_definition_code  VARCHAR  Outcome definition of that count, or 'mixed': see outcomes.volumes. Empty if there
--       is no such count.
--   rate             DOUBLE  actual / target_value: 1 means fully reached. Empty where the two cannot be compared.
--   reason           VARCHAR  Why the rate is empty: not_measured, units_differ, definitions_differ, no_actual, or
--       no_target (a target of 0). Empty where there is a rate.
--   n_sites          BIGINT  Sites that the target is about: 1, or all sites of the programme; empty where the metric
--       is not counted. Unit: sites.
--   n_sites_missing  BIGINT  Sites of these that have not sent what the actual needs, so that it rests on the others;
--       empty where the metric is not counted. Unit: sites.
--   n_sites_outdated  BIGINT  Sites of these with a later file that was refused or held up, so that the actual uses
--       older data of theirs; empty where the metric is not counted. Unit: sites.
--   data_cut_date    DATE  Date to which the actual is complete. Empty if there is no such count.
--   conflicts_with   VARCHAR  The target that states the same figure in another unit. Empty if there is none.
--   source_document  VARCHAR not null  Where the target is printed.
--   source_wording   VARCHAR  The few words that carry it. Empty if there is none.
WITH measured (metric_code, kpi_code, unit) AS (
  VALUES
    ('referrals', 'kpi_01_people_referred', 'people'),
    ('participants', 'kpi_03_people_started', 'people'),
    ('starts', 'kpi_03_people_started', 'people'),
    ('randomised', 'people_randomised', 'people'),
    ('people_into_work', 'kpi_07_people_with_job_start', 'people'),
    ('jobs', 'kpi_07_job_starts', 'jobs'),
    ('job_starts', 'kpi_07_first_job_starts', 'job_starts'),
    ('sustained_13w', 'people_sustained_13_weeks', 'people'),
    ('sustained_26w', 'people_sustained_26_weeks', 'people')
),
compared AS (
  SELECT
    t.site_code AS sender_code,
    t.target_id,
    t.programme_code,
    coalesce(t.about_site_code, 'all') AS site_code,
    coalesce(t.financial_year, 'all') AS cohort,
    t.metric_code,
    t.unit,
    t.outcome_definition_code AS definition_code,
    t.target_value,
    t.qualifier,
    if(m.unit = t.unit, m.kpi_code, NULL) AS actual_kpi_code,
    if(m.unit = t.unit, v.value, NULL) AS actual,
    if(m.unit = t.unit, v.definition_code, NULL) AS actual_definition_code,
    CASE
      WHEN m.kpi_code IS NULL THEN 'not_measured'
      WHEN m.unit <> t.unit THEN 'units_differ'
      -- False for a source that states no definition: then the figures are compared, and actual_definition_code says
      -- which definition ours uses.
      WHEN t.outcome_definition_code <> v.definition_code THEN 'definitions_differ'
      WHEN v.value IS NULL THEN 'no_actual'
      WHEN t.target_value = 0 THEN 'no_target'
    END AS reason,
    v.n_sites,
    v.n_sites_missing,
    v.n_sites_outdated,
    v.data_cut_date,
    t.conflicts_with,
    t.source_document,
    t.source_wording
  FROM core.targets AS t
  LEFT JOIN measured AS m USING (metric_code)
  LEFT JOIN outcomes.volumes AS v
    ON v.kpi_code = m.kpi_code
    AND v.programme_code = t.programme_code
    AND v.site_code = coalesce(t.about_site_code, 'all')
    AND v.cohort = coalesce(t.financial_year, 'all')
  WHERE t.superseded_by IS NULL
    AND t.metric_code <> 'population' -- a total in post or in an area, not something to reach
)
SELECT
  sender_code,
  target_id,
  programme_code,
  site_code,
  cohort,
  metric_code,
  unit,
  definition_code,
  target_value,
  qualifier,
  actual_kpi_code,
  actual,
  actual_definition_code,
  CASE WHEN reason IS NULL THEN actual::DOUBLE / target_value::DOUBLE END AS rate,
  reason,
  n_sites,
  n_sites_missing,
  n_sites_outdated,
  data_cut_date,
  conflicts_with,
  source_document,
  source_wording
FROM compared
