-- outcomes.volumes
-- Counts of events by financial year: referrals, starts, job starts, and the number of different people behind each.
-- People are counted afresh at every level: somebody with job starts in two years counts once in each and once in
-- 'all', so counts of people must not be added up. If no site has sent the data, a count is empty, never 0.
-- Grain: one row per count, programme, site (or 'all') and financial year (or 'all')
-- Key: kpi_code, programme_code, site_code, cohort
-- Source: docs/domain.md 0.4, 0.5, 4.1, 4.3, 4.6
-- Columns:
--   kpi_code         VARCHAR not null  What is counted: see outcomes.kpi_definitions. people_randomised,
--       people_sustained_13_weeks and people_sustained_26_weeks are used by targets only.
--   programme_code   VARCHAR not null  The programme.
--   site_code        VARCHAR not null  The site, or 'all' for the programme.
--   cohort           VARCHAR not null  Financial year of the event, or 'all'.
--   unit             VARCHAR not null  referrals, starts, jobs, job_starts or people.
--   definition_code  VARCHAR  Outcome definition, where an outcome is counted, or 'mixed': see
--       outcomes.definitions_by_site. Empty for all other counts, and if no job outcomes were accepted.
--   publishable_definition_code  VARCHAR  The same without what may not be published: see outcomes.definitions_by_site.
--       Empty for all other counts, and if no job outcomes were accepted.
--   value            BIGINT  The count; empty if no site has sent the data, and for people_randomised in programmes
--       that do not randomise.
--   n_sites          BIGINT not null  Sites that the count is about: 1, or all sites of the programme. Unit: sites.
--   n_sites_missing  BIGINT not null  Sites of these that have not sent all that the count needs. Unit: sites.
--   n_sites_outdated  BIGINT not null  Sites of these with a later file that was refused or held up, so that the count
--       uses older data of theirs. Unit: sites.
--   data_cut_date    DATE  Earliest date to which the data of these sites are complete; empty if nothing was received.
WITH counted AS (
  -- Counts of each event: of the events themselves, and of the different people with one.
  FROM (
    VALUES
      ('kpi_01_referrals', 'referral', 'referrals', NULL),
      ('kpi_01_people_referred', 'referral', 'people', NULL),
      ('people_randomised', 'randomisation', 'people', NULL),
      ('kpi_03_starts', 'start', 'starts', NULL),
      ('kpi_03_people_started', 'start', 'people', NULL),
      ('kpi_07_job_starts', 'job', 'jobs', 'JOB_START'),
      ('kpi_07_people_with_job_start', 'job', 'people', 'JOB_START'),
      ('kpi_07_first_job_starts', 'first job', 'job_starts', 'JOB_START'),
      ('people_sustained_13_weeks', '13 weeks', 'people', 'SUST_13'),
      ('people_sustained_26_weeks', '26 weeks', 'people', 'SUST_26')
  ) AS stated (kpi_code, event, unit, definition_code)
),
events AS (
  SELECT
    programme_code,
    site_code,
    participant_ref,
    unnest([
      {'event': 'referral', 'counts': true, 'event_date': referral_date},
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
  UNION ALL
  -- From core, not from outcomes.episodes: everybody randomised counts, even without an accepted referral
  -- (docs/domain.md 4.6).
  SELECT programme_code, site_code, participant_ref, 'randomisation', true, randomised_date
  FROM core.randomisation
),
event_counts AS (
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
grid AS (
  -- Every site has a row in 'all': 0 if it has sent its data and had no such event, empty if it has not sent them.
  SELECT kpi_code, programme_code, site_code, 'all' AS cohort
  FROM outcomes.reach
  UNION
  SELECT c.kpi_code, e.programme_code, e.site_code, e.cohort
  FROM event_counts AS e
  JOIN counted AS c USING (event)
)
SELECT
  c.kpi_code,
  g.programme_code,
  g.site_code,
  g.cohort,
  c.unit,
  s.told_definition_code AS definition_code,
  s.publishable_definition_code,
  CASE WHEN r.n_sites > r.n_sites_missing THEN coalesce(if(c.unit = 'people', e.n_people, e.n_events), 0) END AS value,
  r.n_sites,
  r.n_sites_missing,
  r.n_sites_outdated,
  r.data_cut_date
FROM grid AS g
JOIN counted AS c USING (kpi_code)
JOIN outcomes.reach AS r USING (kpi_code, programme_code, site_code)
LEFT JOIN event_counts AS e
  ON e.event = c.event
  AND e.programme_code = g.programme_code
  AND e.site_code = g.site_code
  AND e.cohort = g.cohort
LEFT JOIN outcomes.definitions_by_site AS s
  ON s.programme_code = g.programme_code AND s.site_code = g.site_code AND s.definition_code = c.definition_code
