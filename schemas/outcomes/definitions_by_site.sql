-- outcomes.definitions_by_site
-- By which definition each site's outcome figures really count. We count every job by one rule, from its dates and
-- hours; but a site that sends the outcomes of another rule (Work Choice: WC_JO, 16 hours a week or more) leaves out the
-- jobs that this rule leaves out. So its job starts are told by the definition they were sent by, and what builds on
-- them as 'mixed'. A site without a job yet is told as its programme is.
-- Grain: one row per site (or 'all' for the programme) and definition that outcomes.kpi counts by
-- Key: programme_code, site_code, definition_code
-- Source: docs/domain.md 0.6, 4.2, 6.4 (E10)
-- Columns:
--   programme_code        VARCHAR not null  The programme.
--   site_code             VARCHAR not null  The site, or 'all' for the programme.
--   definition_code       VARCHAR not null  The definition that a figure of outcomes.kpi_definitions counts by.
--   told_definition_code  VARCHAR not null  The definition that the site's figure is told by: that one, the one its jobs
--       were sent by, or 'mixed' if there are several, or if the figure measures by one what was sent by another.
--   publishable_definition_code  VARCHAR not null  The same without definitions by which fewer than 5 jobs were sent:
--       that there is such a job is as little to be told as their number.
WITH jobs_by_definition AS (
  SELECT
    programme_code,
    coalesce(site_code, 'all') AS site_code,
    outcome_definition_code,
    to_nearest_5(count(*)) IS NOT NULL AS is_publishable
  FROM outcomes.jobs
  WHERE is_new_work
  GROUP BY GROUPING SETS (
    (programme_code, site_code, outcome_definition_code),
    (programme_code, outcome_definition_code)
  )
),
sent AS (
  SELECT
    programme_code,
    site_code,
    if(count(*) = 1, min(outcome_definition_code), 'mixed') AS sent_by,
    CASE count(*) FILTER (is_publishable)
      WHEN 0 THEN NULL
      WHEN 1 THEN min(outcome_definition_code) FILTER (is_publishable)
      ELSE 'mixed'
    END AS publishably_sent_by
  FROM jobs_by_definition
  GROUP BY programme_code, site_code
),
places AS (
  SELECT programme_code, unnest([site_code, 'all']) AS site_code FROM core.sites WHERE programme_code IS NOT NULL
),
sent_from AS (
  SELECT DISTINCT
    p.programme_code,
    p.site_code,
    coalesce(s.sent_by, a.sent_by, 'JOB_START') AS sent_by,
    coalesce(s.publishably_sent_by, a.publishably_sent_by, 'JOB_START') AS publishably_sent_by
  FROM places AS p
  LEFT JOIN sent AS s USING (programme_code, site_code)
  LEFT JOIN sent AS a ON a.programme_code = p.programme_code AND a.site_code = 'all'
),
counted AS (
  SELECT DISTINCT definition_code FROM outcomes.kpi_definitions WHERE definition_code IS NOT NULL
)
SELECT
  s.programme_code,
  s.site_code,
  c.definition_code,
  CASE
    WHEN s.sent_by = 'JOB_START' THEN c.definition_code
    WHEN c.definition_code = 'JOB_START' THEN s.sent_by
    ELSE 'mixed'
  END AS told_definition_code,
  CASE
    WHEN s.publishably_sent_by = 'JOB_START' THEN c.definition_code
    WHEN c.definition_code = 'JOB_START' THEN s.publishably_sent_by
    ELSE 'mixed'
  END AS publishable_definition_code
FROM sent_from AS s
CROSS JOIN counted AS c
