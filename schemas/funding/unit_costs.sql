-- funding.unit_costs
-- What a start, a job and a lasting job cost: spending of a financial year by the people who started support in it and
-- reached the outcome. Two costs stand side by side: of the grant alone, and of the grant with evidenced match. Only
-- mature cohorts have a cost: the year is over, spending reaches to its end, and the outcome of everybody who started in
-- it is known. The row for 'all' years is of all years up to the last mature one, with years of setting up. People are
-- counted, not jobs. These are gross costs: they do not say what would have happened without the programme.
-- Grain: one row per programme, site (or 'all'), financial year (or 'all') and unit
-- Key: programme_code, site_code, financial_year, unit_code
-- Source: docs/domain.md 3.6, 4.3, 4.4
-- Columns:
--   programme_code       VARCHAR not null  The programme.
--   site_code            VARCHAR not null  The site, or 'all' for the programme.
--   financial_year       VARCHAR not null  Financial year of start and of spending, or 'all'.
--   unit_code            VARCHAR not null  person_started, person_into_work, person_13_weeks or person_26_weeks.
--   kpi_code             VARCHAR not null  The figure that counts the people: see outcomes.kpi_definitions.
--   n_people             BIGINT  People who reached it: the denominator; empty where none could. Unit: people.
--   grant_gbp            DECIMAL(14,2)  Spent of the grant: the numerator. Unit: pounds.
--   match_gbp            DECIMAL(14,2)  Evidenced match of the year. Unit: pounds.
--   total_gbp            DECIMAL(14,2)  grant_gbp and match_gbp: the other numerator. Unit: pounds.
--   cost_grant_gbp       DECIMAL(14,2)  grant_gbp by n_people, in prices of the year. Empty where there is a reason.
--       Unit: pounds a person.
--   cost_total_gbp       DECIMAL(14,2)  total_gbp by n_people, in prices of the year. Empty where there is a reason.
--       Unit: pounds a person.
--   grant_real_gbp       DECIMAL(14,2)  grant_gbp in constant prices; empty where a deflator is missing. Unit: pounds.
--   total_real_gbp       DECIMAL(14,2)  total_gbp in constant prices, likewise. Unit: pounds.
--   price_base           VARCHAR  Financial year of the constant prices: the base year of the
--       deflator; empty where none was sent.
--   deflator_vintage     VARCHAR  The release of the deflator: the latest that was sent. Empty if none was sent.
--   cost_grant_real_gbp  DECIMAL(14,2)  Cost of the grant in prices of that year. Empty where there is a real_reason.
--       Unit: pounds a person.
--   cost_total_real_gbp  DECIMAL(14,2)  Cost with evidenced match in prices of that year. Empty where there is a
--       real_reason. Unit: pounds a person.
--   cohort_end           DATE not null  Last day on which somebody in the cohort can have started.
--   data_cut_date        DATE  Earliest date to which the data behind it are complete. Empty if nobody started.
--   reason               VARCHAR  Why there is no cost: no_spending, spending_not_complete, spending_missing (of a
--       quarter that has a budget), cohort_not_mature, nobody. Empty where there is a cost.
--   real_reason          VARCHAR  Why there is no cost in constant prices: no_deflator, year_not_in_deflator, or as
--       reason. Empty where there is such a cost.
--   leaves_out           VARCHAR not null  What the figure leaves out.
WITH units (unit_code, kpi_code) AS (
  VALUES
    ('person_started', 'kpi_03_people_started'),
    ('person_into_work', 'kpi_06_job_within_12_months'),
    ('person_13_weeks', 'kpi_10_start_to_13_weeks'),
    ('person_26_weeks', 'kpi_10_start_to_26_weeks')
),
people AS (
  SELECT
    k.programme_code,
    k.site_code,
    u.unit_code,
    k.cohort AS financial_year,
    count(DISTINCT e.participant_ref) FILTER (k.is_achieved) AS n_people,
    bool_and(k.is_mature AND k.is_achieved IS NOT NULL) AS is_mature,
    min(k.data_cut_date) AS data_cut_date
  FROM outcomes.kpi_cases AS k
  JOIN units AS u USING (kpi_code)
  JOIN outcomes.episodes AS e USING (site_code, episode_id)
  GROUP BY k.programme_code, k.site_code, u.unit_code, k.cohort
  UNION ALL
  SELECT programme_code, site_code, 'person_started', start_year, count(DISTINCT participant_ref), true, min(data_cut_date)
  FROM outcomes.episodes
  WHERE is_offered_service AND start_date IS NOT NULL
  GROUP BY programme_code, site_code, start_year
),
deflator AS (
  SELECT
    vintage,
    financial_year,
    index_value,
    max(financial_year) FILTER (index_value = 100) OVER (PARTITION BY vintage) AS price_base
  FROM core.deflators
  QUALIFY vintage = max(vintage) OVER ()
),
spent AS (
  SELECT
    programme_code,
    site_code,
    financial_year,
    sum(actual_gbp) AS grant_gbp,
    max(max(period_end)) OVER (PARTITION BY site_code) AS spent_to
  FROM funding.spending
  WHERE funding_source = 'grant'
  GROUP BY programme_code, site_code, financial_year
),
matched AS (
  SELECT area_site_code AS site_code, financial_year, sum(amount_gbp) AS match_gbp
  FROM funding.match_records
  WHERE match_stage = 'evidenced' AND (is_counted OR is_part) AND financial_year IS NOT NULL
  GROUP BY area_site_code, financial_year
),
gaps AS (
  -- Quarters that are over and have a budget, and of which no spending was sent.
  SELECT DISTINCT l.site_code, l.financial_year
  FROM funding.profile_lines AS l
  JOIN funding.profile_vs_actual AS q USING (award_key, financial_year, quarter)
  WHERE q.is_missing
),
years AS (
  SELECT programme_code, site_code, financial_year FROM people
  UNION
  SELECT programme_code, site_code, financial_year FROM spent
),
by_year AS (
  SELECT
    y.programme_code,
    y.site_code,
    y.financial_year,
    u.unit_code,
    p.n_people,
    s.grant_gbp,
    coalesce(m.match_gbp, 0) AS match_gbp,
    d.index_value / 100 AS deflated_by,
    p.data_cut_date,
    CASE
      WHEN s.grant_gbp IS NULL THEN 'no_spending'
      WHEN s.spent_to < financial_year_end(y.financial_year) THEN 'spending_not_complete'
      WHEN g.site_code IS NOT NULL THEN 'spending_missing'
      WHEN p.n_people IS NULL THEN NULL -- a year of setting up: it has no cost of its own, but counts in 'all'
      WHEN NOT p.is_mature OR financial_year_end(y.financial_year) > p.data_cut_date - reporting_lag()::INTEGER
        THEN 'cohort_not_mature'
    END AS reason
  FROM years AS y
  CROSS JOIN units AS u
  LEFT JOIN people AS p USING (programme_code, site_code, financial_year, unit_code)
  LEFT JOIN spent AS s USING (programme_code, site_code, financial_year)
  LEFT JOIN matched AS m USING (site_code, financial_year)
  LEFT JOIN gaps AS g USING (site_code, financial_year)
  LEFT JOIN deflator AS d USING (financial_year)
),
in_all_years AS (
  -- The last year of a site that is mature itself, with all before it.
  SELECT
    *,
    max(financial_year) FILTER (reason IS NULL AND n_people IS NOT NULL) OVER of_site AS mature_to,
    max(financial_year) FILTER (n_people IS NOT NULL) OVER of_site AS people_to
  FROM by_year
  WINDOW of_site AS (PARTITION BY site_code, unit_code)
),
added AS (
  SELECT
    r.programme_code,
    s.level AS site_code,
    y.year AS financial_year,
    r.unit_code,
    sum(r.n_people)::BIGINT AS n_people,
    sum(r.grant_gbp) AS grant_gbp,
    sum(r.match_gbp) AS match_gbp,
    sum(r.grant_gbp / r.deflated_by) AS grant_real_gbp,
    sum((r.grant_gbp + r.match_gbp) / r.deflated_by) AS total_real_gbp,
    bool_or(r.deflated_by IS NULL) AS lacks_deflator,
    if(y.year = 'all', max(r.financial_year), y.year) AS last_year,
    min(r.data_cut_date) AS data_cut_date,
    min(r.reason) AS reason -- by the alphabet: any reason empties the cost
  FROM in_all_years AS r
  CROSS JOIN LATERAL (SELECT unnest([r.site_code, 'all'])) AS s (level)
  CROSS JOIN LATERAL (SELECT unnest([r.financial_year, 'all'])) AS y (year)
  WHERE y.year <> 'all' OR r.financial_year <= coalesce(r.mature_to, r.people_to, r.financial_year)
  GROUP BY r.programme_code, s.level, y.year, r.unit_code
),
with_reasons AS (
  SELECT
    a.*,
    (a.grant_gbp + a.match_gbp) AS total_gbp,
    coalesce(a.reason, if(coalesce(a.n_people, 0) = 0, 'nobody', NULL)) AS why_empty,
    b.vintage,
    b.price_base
  FROM added AS a
  LEFT JOIN (SELECT DISTINCT vintage, price_base FROM deflator) AS b ON true
)
SELECT
  w.programme_code,
  w.site_code,
  w.financial_year,
  w.unit_code,
  u.kpi_code,
  w.n_people,
  w.grant_gbp::DECIMAL(14, 2) AS grant_gbp,
  w.match_gbp::DECIMAL(14, 2) AS match_gbp,
  w.total_gbp::DECIMAL(14, 2) AS total_gbp,
  if(w.why_empty IS NULL, w.grant_gbp / w.n_people, NULL)::DECIMAL(14, 2) AS cost_grant_gbp,
  if(w.why_empty IS NULL, w.total_gbp / w.n_people, NULL)::DECIMAL(14, 2) AS cost_total_gbp,
  if(w.lacks_deflator, NULL, w.grant_real_gbp)::DECIMAL(14, 2) AS grant_real_gbp,
  if(w.lacks_deflator, NULL, w.total_real_gbp)::DECIMAL(14, 2) AS total_real_gbp,
  w.price_base,
  w.vintage AS deflator_vintage,
  if(w.why_empty IS NULL AND NOT w.lacks_deflator, w.grant_real_gbp / w.n_people, NULL)::DECIMAL(14, 2)
    AS cost_grant_real_gbp,
  if(w.why_empty IS NULL AND NOT w.lacks_deflator, w.total_real_gbp / w.n_people, NULL)::DECIMAL(14, 2)
    AS cost_total_real_gbp,
  financial_year_end(w.last_year)::DATE AS cohort_end,
  w.data_cut_date,
  w.why_empty AS reason,
  CASE
    WHEN w.why_empty IS NOT NULL THEN w.why_empty
    WHEN w.vintage IS NULL THEN 'no_deflator'
    WHEN w.lacks_deflator THEN 'year_not_in_deflator'
  END AS real_reason,
  'Match without evidence or without a year; the funder''s own costs and those of other services; people who reached the '
    || 'outcome after their window; what would have happened without the programme.' AS leaves_out
FROM with_reasons AS w
JOIN units AS u USING (unit_code)
