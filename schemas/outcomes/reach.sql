-- outcomes.reach
-- How far each site's data reach for what a figure of outcomes.kpi needs: a figure that needs two datasets is known as
-- far as both are.
-- Grain: one row per site with episodes and set of datasets
-- Key: site_code, dataset
-- Source: DOMAIN.md 4.4
-- Columns:
--   programme_code      VARCHAR not null  The programme.
--   site_code           VARCHAR not null  The site.
--   dataset             VARCHAR not null  What is needed besides referrals, as in outcomes.kpi_definitions.
--   referrals_cut_date  DATE not null  Date to which the site's referrals are complete.
--   cut_date            DATE  Date to which all that is needed is complete; empty where the site has not sent it.
WITH site_cut_offs AS (
  SELECT DISTINCT programme_code, site_code, data_cut_date, contacts_cut_date, outcomes_cut_date
  FROM outcomes.episodes
),
needed AS (
  SELECT DISTINCT dataset, unnest(string_split(dataset, ', ')) AS part
  FROM outcomes.kpi_definitions
  WHERE kind <> 'attainment'
),
reached AS (
  SELECT
    s.programme_code,
    s.site_code,
    n.dataset,
    s.data_cut_date AS referrals_cut_date,
    CASE n.part
      WHEN 'referrals' THEN s.data_cut_date
      WHEN 'contacts' THEN s.contacts_cut_date
      WHEN 'employment_outcomes' THEN s.outcomes_cut_date
      ELSE error('outcomes.reach knows no cut-off of ' || n.part)
    END AS cut_date
  FROM site_cut_offs AS s
  CROSS JOIN needed AS n
)
SELECT
  programme_code,
  site_code,
  dataset,
  referrals_cut_date,
  if(count(cut_date) = count(*), min(cut_date), NULL) AS cut_date
FROM reached
GROUP BY programme_code, site_code, dataset, referrals_cut_date
