-- outcomes.definitions_by_site
-- Definition by which each site's outcome figures really count. We count every job by one rule, from its dates and
-- hours. But a site that sends outcomes of another rule (Work Choice: WC_JO, 16 hours a week or more) leaves out jobs
-- that do not meet that rule. So its job starts carry the definition by which they were sent, and figures that build on
-- them are 'mixed'. A site without any job has the definition of its programme.
-- Grain: one row per site (or 'all' for the programme) and definition by which outcomes.kpi counts
-- Key: programme_code, site_code, definition_code
-- Source: docs/domain.md 0.6, 4.2, 6.4 (E10)
-- Columns:
--   programme_code        VARCHAR not null  The programme.
--   site_code             VARCHAR not null  The site, or 'all' for the programme.
--   definition_code       VARCHAR not null  The definition by which a figure of outcomes.kpi_definitions counts.
--   told_definition_code  VARCHAR not null  The definition to state with the site's figure: definition_code, or the one
--       by which its jobs were sent; 'mixed' if there are several, or if the figure measures by one what was sent by
--       another.
--   publishable_definition_code  VARCHAR not null  The same, leaving out definitions by which fewer than 5 jobs were
--       sent: to state such a definition would disclose that there is such a job.
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
programme_sites AS (
  SELECT programme_code, unnest([site_code, 'all']) AS site_code FROM core.sites WHERE programme_code IS NOT NULL
),
effective AS (
  -- The site's own jobs, else its programme's, else our own rule.
  SELECT DISTINCT
    p.programme_code,
    p.site_code,
    coalesce(s.sent_by, a.sent_by, 'JOB_START') AS sent_by,
    coalesce(s.publishably_sent_by, a.publishably_sent_by, 'JOB_START') AS publishably_sent_by
  FROM programme_sites AS p
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
FROM effective AS s
CROSS JOIN counted AS c
