-- outcomes.reach
-- Date to which the data that each figure of outcomes.kpi needs are complete, for each site and for the programme
-- (site_code 'all'). A figure that needs several datasets is known only as far as all of them are. Every site that owes
-- referrals is included, so that a site whose data never came shows as missing in its programme's figures.
-- Grain: one row per rate or count, programme and site (or 'all')
-- Key: kpi_code, programme_code, site_code
-- Source: docs/domain.md 4.1, 4.4, 7.22
-- Columns:
--   kpi_code         VARCHAR not null  The figure: see outcomes.kpi_definitions, and outcomes.volumes for counts that
--       only targets use.
--   programme_code   VARCHAR not null  The programme.
--   site_code        VARCHAR not null  The site, or 'all' for the programme.
--   n_sites          BIGINT not null  Sites that the figure is about: 1, or all sites of the programme. Unit: sites.
--   n_sites_missing  BIGINT not null  Sites of these that have not sent all that the figure needs. Unit: sites.
--   n_sites_outdated  BIGINT not null  Sites of these with a later file that was refused or held up, so that the figure
--       uses older data of theirs. Unit: sites.
--   data_cut_date    DATE  Earliest date to which the data of these sites are complete; empty if nothing was received.
WITH figures AS (
  SELECT kpi_code, 'referrals, ' || dataset AS needs
  FROM outcomes.kpi_definitions
  WHERE kind <> 'attainment'
  UNION ALL
  FROM (
    VALUES
      ('people_randomised', 'randomisation'),
      ('people_sustained_13_weeks', 'referrals, employment_outcomes'),
      ('people_sustained_26_weeks', 'referrals, employment_outcomes')
  )
),
needed_datasets AS (
  SELECT
    kpi_code,
    -- A misspelt dataset in outcomes.kpi_definitions fails the build: it would look like data never received.
    if(part IN (SELECT dataset FROM core.returns), part, error('outcomes.reach knows no dataset ' || part)) AS dataset,
    false AS is_only_where_owed
  FROM (SELECT kpi_code, unnest(string_split(needs, ', ')) AS part FROM figures)
  UNION ALL
  -- Referrals (kpi_01) and decisions on them (kpi_02) are about everybody. All other figures are about people who were
  -- offered the service, and in a programme that randomises the allocations say who they are.
  SELECT kpi_code, 'randomisation', true
  FROM figures
  WHERE left(kpi_code, 6) NOT IN ('kpi_01', 'kpi_02')
),
site_reach AS (
  SELECT
    p.kpi_code,
    s.programme_code,
    s.site_code,
    count(c.cut_date) < count(*) AS is_missing, -- some needed dataset has no cut-off
    coalesce(bool_or(c.is_outdated), false) AS is_outdated,
    min(c.cut_date) AS cut_date
  FROM outcomes.cut_offs AS s
  CROSS JOIN needed_datasets AS p
  LEFT JOIN outcomes.cut_offs AS c ON c.site_code = s.site_code AND c.dataset = p.dataset
  WHERE s.dataset = 'referrals' AND s.is_owed AND (c.is_owed OR NOT p.is_only_where_owed)
  GROUP BY p.kpi_code, s.programme_code, s.site_code
)
SELECT
  kpi_code,
  programme_code,
  coalesce(site_code, 'all') AS site_code,
  count(*) AS n_sites,
  count(*) FILTER (is_missing) AS n_sites_missing,
  count(*) FILTER (is_outdated) AS n_sites_outdated,
  min(cut_date) AS data_cut_date
FROM site_reach
GROUP BY GROUPING SETS ((kpi_code, programme_code, site_code), (kpi_code, programme_code))
