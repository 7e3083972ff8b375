-- outcomes.volumes
-- Counts of what happened, by the financial year of the event: referrals, starts, job starts, and the different people
-- behind each. People are counted anew at every level: somebody with job starts in two years counts in both, and once
-- in 'all'. So rows of people must not be added up. Where no site has sent the data, a count is empty, never 0.
-- Grain: one row per count, programme, site (or 'all') and financial year (or 'all')
-- Key: kpi_code, programme_code, site_code, cohort
-- Source: DOMAIN.md 0 (traps 4 and 5), 4.1, 4.3
-- Columns:
--   kpi_code         VARCHAR not null  What is counted: see outcomes.kpi_definitions; people_randomised,
--       people_sustained_13_weeks and people_sustained_26_weeks are counted for targets only.
--   programme_code   VARCHAR not null  The programme.
--   site_code        VARCHAR not null  The site, or 'all' for the programme.
--   cohort           VARCHAR not null  Financial year of the event, or 'all'.
--   unit             VARCHAR not null  referrals, starts, jobs, job_starts or people.
--   definition_code  VARCHAR  Outcome definition, where an outcome is counted, or 'mixed': see outcomes.definitions_by_site.
--   value            BIGINT  The count; empty where no site has sent the data.
--   n_sites_missing  BIGINT not null  Sites with episodes that have sent no data for this count. Unit: sites.
--   data_cut_date    DATE not null  Earliest date to which the sites' data are complete.
WITH counted AS (
  -- What each event counts as: once as itself, and once for the person.
  FROM (
    VALUES
      ('referral', 'referrals', 'kpi_01_referrals', 'referrals', 'kpi_01_people_referred', NULL),
      ('randomisation', 'referrals', NULL, NULL, 'people_randomised', NULL),
      ('start', 'referrals', 'kpi_03_starts', 'starts', 'kpi_03_people_started', NULL),
      ('job', 'employment_outcomes', 'kpi_07_job_starts', 'jobs', 'kpi_07_people_with_job_start', 'JOB_START'),
      ('first job', 'employment_outcomes', 'kpi_07_first_job_starts', 'job_starts', NULL, 'JOB_START'),
      ('13 weeks', 'employment_outcomes', NULL, NULL, 'people_sustained_13_weeks', 'SUST_13'),
      ('26 weeks', 'employment_outcomes', NULL, NULL, 'people_sustained_26_weeks', 'SUST_26')
  ) AS stated (event, dataset, event_code, event_unit, people_code, definition_code)
),
cut_offs AS (
  SELECT
    programme_code,
    coalesce(site_code, 'all') AS site_code,
    dataset,
    min(coalesce(cut_date, referrals_cut_date)) AS data_cut_date,
    count(*) AS n_sites,
    count(*) FILTER (cut_date IS NULL) AS n_sites_missing
  FROM outcomes.reach
  GROUP BY GROUPING SETS ((programme_code, dataset, site_code), (programme_code, dataset))
),
events AS (
  SELECT
    programme_code,
    site_code,
    participant_ref,
    unnest([
      {'event': 'referral', 'counts': true, 'event_date': referral_date},
      {'event': 'randomisation', 'counts': true, 'event_date': randomised_date},
      {'event': 'start', 'counts': is_offered_service, 'event_date': start_date},
      {'event': 'first job', 'counts': is_offered_service, 'event_date': first_job_start_date},
      {'event': '13 weeks', 'counts': is_offered_service AND sust_13, 'event_date': first_job_start_date},
      {'event': '26 weeks', 'counts': is_offered_service AND sust_26, 'event_date': first_job_start_date}
    ], recursive := true)
  FROM outcomes.episodes
  UNION ALL
  SELECT e.programme_code, e.site_code, e.participant_ref, 'job', e.is_offered_service, j.job_start_date
  FROM outcomes.jobs AS j
  JOIN outcomes.episodes AS e USING (site_code, episode_id)
  WHERE j.is_job_start
),
happened AS (
  SELECT
    programme_code,
    coalesce(site_code, 'all') AS site_code,
    coalesce(year, 'all') AS cohort,
    event,
    count(*) AS n_events,
    count(DISTINCT participant_ref) AS n_people
  FROM (
    SELECT programme_code, site_code, participant_ref, event, financial_year(event_date) AS year
    FROM events
    WHERE counts AND event_date IS NOT NULL
  )
  GROUP BY GROUPING SETS (
    (programme_code, event, site_code, year),
    (programme_code, event, site_code),
    (programme_code, event, year),
    (programme_code, event)
  )
),
placed AS (
  -- A site that has sent its data and had no such event has a 0 in 'all'.
  SELECT programme_code, site_code, 'all' AS cohort, c.event
  FROM cut_offs
  JOIN counted AS c USING (dataset)
  UNION
  SELECT programme_code, site_code, cohort, event FROM happened
),
told AS (
  SELECT
    p.programme_code,
    p.site_code,
    p.cohort,
    k.definition_code,
    k.n_sites_missing,
    k.data_cut_date,
    unnest([
      {'kpi_code': k.event_code, 'unit': k.event_unit, 'n': coalesce(h.n_events, 0)},
      {'kpi_code': k.people_code, 'unit': 'people', 'n': coalesce(h.n_people, 0)}
    ], recursive := true),
    k.n_sites > k.n_sites_missing AS is_known
  FROM placed AS p
  JOIN (SELECT * FROM cut_offs JOIN counted USING (dataset)) AS k USING (programme_code, site_code, event)
  LEFT JOIN happened AS h USING (programme_code, site_code, cohort, event)
)
SELECT
  kpi_code,
  programme_code,
  site_code,
  cohort,
  unit,
  s.told_definition_code AS definition_code,
  CASE WHEN is_known THEN n END AS value,
  n_sites_missing,
  data_cut_date
FROM told
LEFT JOIN outcomes.definitions_by_site AS s USING (programme_code, site_code, definition_code)
WHERE kpi_code IS NOT NULL
