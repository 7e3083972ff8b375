-- published.unit_costs
-- What a start, a job and a lasting job cost, treated for release: funding.unit_costs for a programme, each of its
-- years, and each of its sites. People are suppressed and rounded as in published.kpi, and a cost is spending by the
-- rounded count, so that no exact count can be worked out from it. Reasons, years and rows follow from what is public:
-- which data came, their cut-offs, and spending. Here a year counts once the window of somebody who started on its last
-- day has passed, whenever people did start.
-- Rows together disclose no more than each by itself. The sites of a programme are shown if none of them has to be
-- suppressed. Its years are shown if 0 to 4 all remain possible for a suppressed year, by the total, the sites and the
-- other years; else none is. There is no row for one site's year.
-- Grain: one row per programme, site (or 'all'), financial year (or 'all', always for a site) and unit
-- Key: programme_code, site_code, financial_year, unit_code
-- Source: docs/domain.md 3.6, 5.1
-- Columns:
--   programme_code       VARCHAR not null  The programme.
--   site_code            VARCHAR not null  The site, or 'all' for the programme.
--   financial_year       VARCHAR not null  Financial year of start and of spending, or 'all'.
--   unit_code            VARCHAR not null  person_started, person_into_work, person_13_weeks or person_26_weeks.
--   first_year           VARCHAR  First financial year that is in it. Empty if there is no year in it.
--   last_year            VARCHAR  Last financial year that is in it. Empty if there is no year in it.
--   n_people             BIGINT  People who reached it, to the nearest 5: the denominator. Empty if it is suppressed.
--       Unit: people.
--   grant_gbp            DECIMAL(14,2)  Spent of the grant: the numerator. Unit: pounds.
--   match_gbp            DECIMAL(14,2)  Evidenced match of those years. Unit: pounds.
--   total_gbp            DECIMAL(14,2)  grant_gbp and match_gbp: the other numerator. Unit: pounds.
--   cost_grant_gbp       DECIMAL(14,2)  grant_gbp by n_people, in prices of the year. Empty where there is a reason.
--       Unit: pounds a person.
--   cost_total_gbp       DECIMAL(14,2)  total_gbp by n_people, in prices of the year. Empty where there is a reason.
--       Unit: pounds a person.
--   price_base           VARCHAR  Financial year of the constant prices. Empty if no deflator was sent.
--   deflator_vintage     VARCHAR  The release of the deflator. Empty if no deflator was sent.
--   cost_grant_real_gbp  DECIMAL(14,2)  Cost of the grant in constant prices. Empty where there is a reason, or no
--       deflator of the years. Unit: pounds a person.
--   cost_total_real_gbp  DECIMAL(14,2)  Cost with evidenced match in constant prices. Empty where there is a reason, or
--       no deflator of the years. Unit: pounds a person.
--   data_cut_date        DATE  Earliest date to which the data behind it are complete. Empty if nobody started.
--   reason               VARCHAR  Why there is no cost: no_spending, spending_not_complete, spending_missing,
--       cohort_not_mature, or suppressed (fewer than 5 people, an outcome that is not known, or what would give such a
--       count away). Of all years so far, which may only be years of setting up, it is cohort_not_mature while any year
--       is to come. Empty where there is a cost.
--   leaves_out           VARCHAR  What the figure leaves out. Empty where there is no spending.
WITH units AS (
  SELECT
    c.unit_code,
    c.kpi_code,
    max(c.price_base) AS price_base,
    max(c.deflator_vintage) AS deflator_vintage,
    max(c.leaves_out) AS leaves_out,
    any_value(coalesce(d.window_days, 0) + d.lag_days) AS days_to_maturity
  FROM funding.unit_costs AS c
  JOIN outcomes.kpi_definitions AS d USING (kpi_code)
  GROUP BY c.unit_code, c.kpi_code
),
sites AS (
  SELECT programme_code, site_code
  FROM outcomes.reach
  WHERE kpi_code = 'kpi_03_people_started' AND site_code <> 'all' AND data_cut_date IS NOT NULL
  UNION
  SELECT programme_code, site_code
  FROM funding.unit_costs
  WHERE site_code <> 'all' AND grant_gbp IS NOT NULL
),
site_years AS (
  -- All years of the programme, whether anybody started in them or not: see published.kpi.
  SELECT
    s.programme_code,
    s.site_code,
    y.cohort AS financial_year,
    u.unit_code,
    coalesce(c.n_people, 0) AS n_people,
    c.grant_gbp,
    if(c.grant_gbp IS NULL, NULL, c.match_gbp) AS match_gbp, -- else it would say that somebody started
    c.grant_real_gbp,
    c.total_real_gbp,
    coalesce(c.reason = 'cohort_not_mature', false) AS is_not_known,
    r.data_cut_date,
    CASE
      WHEN c.grant_gbp IS NULL THEN 'no_spending'
      WHEN c.reason IN ('spending_not_complete', 'spending_missing') THEN c.reason
      WHEN coalesce(financial_year_end(y.cohort) + u.days_to_maturity::INTEGER <= r.data_cut_date, false) THEN NULL
      ELSE 'cohort_not_mature'
    END AS reason
  FROM (SELECT DISTINCT programme_code, cohort FROM published.kpi WHERE cohort <> 'all') AS y
  JOIN sites AS s USING (programme_code)
  CROSS JOIN units AS u
  LEFT JOIN funding.unit_costs AS c
    ON c.site_code = s.site_code AND c.financial_year = y.cohort AND c.unit_code = u.unit_code
  LEFT JOIN outcomes.reach AS r ON r.kpi_code = u.kpi_code AND r.site_code = s.site_code
),
added AS (
  SELECT
    programme_code,
    site_code,
    'all' AS financial_year,
    unit_code,
    min(financial_year) FILTER (reason IS NULL) AS first_year,
    max(financial_year) FILTER (reason IS NULL) AS last_year,
    sum(n_people) FILTER (reason IS NULL) AS n_people,
    sum(grant_gbp) FILTER (reason IS NULL) AS grant_gbp,
    sum(match_gbp) FILTER (reason IS NULL) AS match_gbp,
    sum(grant_real_gbp) FILTER (reason IS NULL) AS grant_real_gbp,
    sum(total_real_gbp) FILTER (reason IS NULL) AS total_real_gbp,
    bool_or(reason IS NULL AND grant_real_gbp IS NULL) AS lacks_deflator,
    bool_or(reason IS NULL AND is_not_known) AS is_not_known,
    min(data_cut_date) AS data_cut_date,
    true AS is_in_total,
    if(bool_or(reason IS NULL), NULL, min(reason)) AS reason -- by the alphabet
  FROM site_years
  GROUP BY programme_code, site_code, unit_code
  UNION ALL BY NAME
  SELECT
    programme_code,
    'all' AS site_code,
    financial_year,
    unit_code,
    financial_year AS first_year,
    financial_year AS last_year,
    sum(n_people) AS n_people,
    sum(grant_gbp) AS grant_gbp,
    sum(match_gbp) AS match_gbp,
    sum(grant_real_gbp) AS grant_real_gbp,
    sum(total_real_gbp) AS total_real_gbp,
    bool_or(grant_real_gbp IS NULL) AS lacks_deflator,
    bool_or(is_not_known) AS is_not_known,
    min(data_cut_date) AS data_cut_date,
    bool_or(reason IS NULL) AS is_in_total,
    min(reason) AS reason -- a year in which one site has none has no cost
  FROM site_years
  GROUP BY programme_code, financial_year, unit_code
),
with_totals AS (
  FROM added
  UNION ALL BY NAME
  SELECT
    programme_code,
    'all' AS site_code,
    'all' AS financial_year,
    unit_code,
    min(first_year) AS first_year,
    max(last_year) AS last_year,
    sum(n_people) AS n_people,
    sum(grant_gbp) AS grant_gbp,
    sum(match_gbp) AS match_gbp,
    sum(grant_real_gbp) AS grant_real_gbp,
    sum(total_real_gbp) AS total_real_gbp,
    bool_or(lacks_deflator) AS lacks_deflator,
    bool_or(is_not_known) AS is_not_known,
    min(data_cut_date) AS data_cut_date,
    true AS is_in_total,
    min(reason) AS reason
  FROM added
  WHERE financial_year = 'all'
  GROUP BY programme_code, unit_code
),
treated AS (
  -- From here on there are no exact counts.
  SELECT
    * EXCLUDE (n_people, is_not_known),
    if(reason IS NULL AND NOT is_not_known, to_nearest_5(w.n_people), NULL) AS n_people,
    CASE WHEN financial_year <> 'all' THEN 'year' WHEN site_code = 'all' THEN 'total' ELSE 'site' END AS level
  FROM with_totals AS w
),
bounded AS (
  -- The exact count is from `lowest` to `highest`.
  SELECT *, n_people - if(n_people = 5, 0, 2) AS lowest, n_people + 2 AS highest FROM treated
),
sums AS (
  SELECT
    programme_code,
    unit_code,
    max(n_people) FILTER (level = 'total') AS total,
    coalesce(bool_or(level = 'total' AND reason IS NOT NULL), false) AS has_no_total,
    coalesce(bool_or(reason = 'cohort_not_mature'), false) AS has_years_to_come,
    bool_and(n_people IS NOT NULL) FILTER (level = 'site') AS has_all_sites,
    has_no_total OR (total IS NOT NULL AND has_all_sites) AS shows_sites,
    -- What the total can be, by itself and by the sites.
    greatest(
      max(lowest) FILTER (level = 'total'), if(shows_sites, sum(lowest) FILTER (level = 'site'), NULL)
    ) AS total_from,
    least(
      max(highest) FILTER (level = 'total'), if(shows_sites, sum(highest) FILTER (level = 'site'), NULL)
    ) AS total_to,
    coalesce(sum(lowest) FILTER (level = 'year' AND is_in_total), 0) AS years_from,
    coalesce(sum(highest) FILTER (level = 'year' AND is_in_total), 0) AS years_to,
    count(*) FILTER (level = 'year' AND is_in_total AND n_people IS NULL) AS n_not_shown,
    -- The years that are not shown have from `total_from - years_to` to `total_to - years_from` people together.
    total IS NOT NULL
      AND (
        n_not_shown = 0
        OR (total_from - years_to <= 4 * (n_not_shown - 1) AND total_to - years_from >= 4)
      ) AS shows_years
  FROM bounded
  GROUP BY programme_code, unit_code
),
shown AS (
  SELECT
    t.*,
    if(s.has_years_to_come AND t.level <> 'year', 'cohort_not_mature', 'suppressed') AS why_not_shown,
    coalesce(
      CASE t.level WHEN 'total' THEN t.n_people IS NOT NULL WHEN 'site' THEN s.shows_sites ELSE s.shows_years END
        AND t.n_people IS NOT NULL,
      false
    ) AS is_shown
  FROM treated AS t
  JOIN sums AS s USING (programme_code, unit_code)
)
SELECT
  w.programme_code,
  w.site_code,
  w.financial_year,
  w.unit_code,
  w.first_year,
  w.last_year,
  if(w.is_shown, w.n_people, NULL) AS n_people,
  w.grant_gbp::DECIMAL(14, 2) AS grant_gbp,
  w.match_gbp::DECIMAL(14, 2) AS match_gbp,
  (w.grant_gbp + w.match_gbp)::DECIMAL(14, 2) AS total_gbp,
  if(w.is_shown, w.grant_gbp / w.n_people, NULL)::DECIMAL(14, 2) AS cost_grant_gbp,
  if(w.is_shown, (w.grant_gbp + w.match_gbp) / w.n_people, NULL)::DECIMAL(14, 2) AS cost_total_gbp,
  u.price_base,
  u.deflator_vintage,
  if(w.is_shown AND NOT w.lacks_deflator, w.grant_real_gbp / w.n_people, NULL)::DECIMAL(14, 2) AS cost_grant_real_gbp,
  if(w.is_shown AND NOT w.lacks_deflator, w.total_real_gbp / w.n_people, NULL)::DECIMAL(14, 2) AS cost_total_real_gbp,
  w.data_cut_date,
  coalesce(w.reason, if(w.is_shown, NULL, w.why_not_shown)) AS reason,
  u.leaves_out
FROM shown AS w
JOIN units AS u USING (unit_code)
