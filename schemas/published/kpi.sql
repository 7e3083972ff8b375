-- published.kpi
-- The figures of outcomes.kpi, treated for release. A count of 0 to 4 is suppressed and any other is rounded to the
-- nearest 5, totals too. Rates, intervals, reasons and flags are calculated from these treated counts, from targets,
-- and from what is public: which site owes which data, which data came, and their cut-offs. Every figure of a programme
-- has a row for every site that owes data, every financial year from the programme's start to the newest cut-off, and
-- 'all', whatever was counted: so the presence of a row discloses nothing. Events outside those years count in 'all'
-- only.
-- A rate is suppressed if numerator and denominator round to the same count or to suppressed ones, that is if few cases
-- achieved the outcome or few did not. Its numerator is then suppressed too, so that nobody can tell which of the two.
-- This protects each row by itself. Rows together may still disclose more: a site is the programme minus the other
-- sites, a year is 'all' minus the other years, the bands of first contacts add up, and a new release differs from the
-- last one. It is not proved that a suppressed count cannot be narrowed down or worked out from several rows. Before
-- several rows are released together, somebody has to check them against each other and against what was released
-- before.
-- Grain: one row per figure, programme, site (or 'all'), financial year (or 'all') and unit
-- Key: kpi_code, programme_code, site_code, cohort, unit
-- Source: docs/domain.md 4.3, 5.1 (the rule of the Mental Health Services Data Set)
-- Columns:
--   kpi_code           VARCHAR not null  The figure: see outcomes.kpi_definitions.
--   programme_code     VARCHAR not null  The programme.
--   site_code          VARCHAR not null  The site, or 'all' for the programme.
--   cohort             VARCHAR not null  Financial year of entry (basis cohort) or of the event (basis period), or
--       'all'.
--   basis              VARCHAR not null  cohort: people followed from their entry. period: events dated in the period.
--   definition_code    VARCHAR  Outcome definition (core.outcome_definitions) or 'mixed', leaving out those by which
--       fewer than 5 jobs were sent. Never compare figures across definitions. Empty for figures that count no outcome.
--   unit               VARCHAR not null  What is counted: referrals, starts, jobs, job_starts, people, events.
--   numerator          BIGINT  Mature cases that achieved the outcome, to the nearest 5; for attainment the actual.
--       Empty if it is suppressed, and for volumes.
--   denominator        BIGINT  Mature cases whose outcome is known, to the nearest 5; for attainment the exact target.
--       Empty if it is suppressed, and for volumes.
--   n_immature         BIGINT  Cases whose window had not passed at the cut-off, to the nearest 5. Empty if it is
--       suppressed, and for other kinds.
--   n_missing_outcome  BIGINT  Mature cases whose outcome is not known, to the nearest 5. Empty if it is suppressed,
--       and for other kinds.
--   value              BIGINT  The count of a volume, to the nearest 5. Empty if it is suppressed, and for other kinds.
--   rate_percent       BIGINT  numerator / denominator as a whole percentage, from the treated counts in this row.
--       Empty where there is a reason, and for volumes.
--   ci_low_percent     BIGINT  Lower end of the 95% interval of the same two counts, as a whole percentage. Empty where
--       there is a reason, and for other kinds than rates.
--   ci_high_percent    BIGINT  Upper end of the 95% interval of the same two counts, as a whole percentage. Empty where
--       there is a reason, and for other kinds than rates.
--   ci_method          VARCHAR  wilson, where there is an interval. Empty where there is a reason, and for other kinds
--       than rates.
--   data_cut_date      DATE  Earliest date to which the sites' data are complete. Empty if nothing was received.
--   provisional        BOOLEAN not null  Whether the figure may still change: by the treated counts under 80% of its
--       cases are mature, its year was not over (reporting lag included) at the cut-off, a site's data are missing, or
--       a later file of a site was refused or held up.
--   reason             VARCHAR  Why the figure is empty: small_numbers, or data_not_received (none of the data it
--       needs, or none of its year); for attainment also not_measured, units_differ, definitions_differ,
--       targets_differ, no_actual, no_target. Empty where there is a figure.
--   suppression_flag   BOOLEAN not null  Whether the figure itself is suppressed because it is small.
WITH site_reach AS (
  SELECT
    *,
    if(site_code = 'all', max(data_cut_date) OVER (PARTITION BY kpi_code, programme_code), data_cut_date) AS newest_date
  FROM outcomes.reach
),
programme_years AS (
  -- All years of a programme, not those with events: a year's row must not show that something was counted in it.
  SELECT p.programme_code, unnest(generate_series(p.start_year, year(max(c.cut_date) - INTERVAL 3 MONTH))) AS first_year
  FROM core.programmes AS p
  JOIN outcomes.cut_offs AS c USING (programme_code)
  WHERE c.dataset IN (
    SELECT unnest(string_split(dataset, ', ')) FROM outcomes.kpi_definitions WHERE kind <> 'attainment'
  )
  GROUP BY p.programme_code, p.start_year
),
cohorts AS (
  SELECT programme_code, financial_year(make_date(first_year::INTEGER, 4, 1)) AS cohort FROM programme_years
  UNION ALL
  SELECT programme_code, 'all' FROM core.programmes
),
counted AS (
  SELECT
    p.kpi_code,
    p.programme_code,
    p.site_code,
    c.cohort,
    d.unit,
    s.publishable_definition_code AS definition_code,
    k.numerator,
    k.denominator,
    k.n_immature,
    k.n_missing_outcome,
    k.value,
    p.n_sites,
    p.n_sites_missing,
    p.n_sites_outdated,
    p.data_cut_date,
    p.newest_date
  FROM site_reach AS p
  JOIN outcomes.kpi_definitions AS d USING (kpi_code) -- leaves out the volumes that only targets use
  JOIN cohorts AS c USING (programme_code)
  LEFT JOIN outcomes.definitions_by_site AS s
    ON s.programme_code = p.programme_code AND s.site_code = p.site_code AND s.definition_code = d.definition_code
  LEFT JOIN outcomes.kpi AS k
    ON k.kpi_code = p.kpi_code
    AND k.programme_code = p.programme_code
    AND k.site_code = p.site_code
    AND k.cohort = c.cohort
),
attainment AS (
  SELECT
    'kpi_19_target_' || t.metric_code AS kpi_code,
    t.programme_code,
    t.site_code,
    t.cohort,
    t.unit,
    min(coalesce(t.definition_code, v.publishable_definition_code)) AS definition_code,
    min(t.actual) AS numerator,
    if(count(DISTINCT t.target_value) = 1, min(t.target_value)::BIGINT, NULL) AS denominator,
    if(
      count(DISTINCT t.target_value) > 1,
      'targets_differ',
      min(
        CASE
          WHEN t.reason IN ('not_measured', 'units_differ') THEN t.reason
          WHEN t.definition_code <> v.publishable_definition_code THEN 'definitions_differ'
          WHEN t.target_value::BIGINT = 0 THEN 'no_target'
        END
      )
    ) AS stated_reason,
    min(p.n_sites) AS n_sites,
    min(p.n_sites_missing) AS n_sites_missing,
    min(p.n_sites_outdated) AS n_sites_outdated,
    min(p.data_cut_date) AS data_cut_date,
    min(p.newest_date) AS newest_date
  FROM outcomes.target_attainment AS t
  LEFT JOIN site_reach AS p
    ON p.kpi_code = t.actual_kpi_code AND p.programme_code = t.programme_code AND p.site_code = t.site_code
  -- Joined on 'all', where every count has a row: its definition is the same in every year.
  LEFT JOIN outcomes.volumes AS v
    ON v.kpi_code = p.kpi_code AND v.programme_code = p.programme_code AND v.site_code = p.site_code
    AND v.cohort = 'all'
  WHERE t.unit <> 'gbp' -- money is not counted here: see the schema funding
  GROUP BY t.metric_code, t.programme_code, t.site_code, t.cohort, t.unit
),
treated AS (
  -- From here on there are no exact counts: every column is a treated count, stated by a target, or public.
  SELECT
    f.kpi_code,
    f.programme_code,
    f.site_code,
    f.cohort,
    d.kind,
    d.basis,
    d.lag_days,
    f.definition_code,
    f.unit,
    to_nearest_5(f.numerator) AS numerator,
    if(d.kind = 'attainment', f.denominator, to_nearest_5(f.denominator)) AS denominator,
    to_nearest_5(f.n_immature) AS n_immature,
    to_nearest_5(f.n_missing_outcome) AS n_missing_outcome,
    to_nearest_5(f.value) AS value,
    f.stated_reason,
    f.n_sites_missing,
    f.n_sites_outdated,
    f.data_cut_date,
    coalesce(
      f.n_sites > f.n_sites_missing
        AND (f.cohort = 'all' OR try(financial_year_start(f.cohort)) <= f.newest_date),
      false
    ) AS is_received
  FROM (FROM counted UNION ALL BY NAME FROM attainment) AS f
  JOIN outcomes.kpi_definitions AS d USING (kpi_code)
),
suppressed AS (
  SELECT
    *,
    CASE kind
      -- Treated counts are multiples of 5, so less than 5 apart is equal. NULL: one of the two is suppressed itself.
      WHEN 'rate' THEN coalesce(denominator - numerator < 5, true)
      WHEN 'volume' THEN value IS NULL
      ELSE numerator IS NULL
    END AS is_small,
    CASE
      WHEN stated_reason IS NOT NULL THEN stated_reason
      WHEN NOT is_small THEN NULL
      WHEN is_received THEN 'small_numbers'
      ELSE if(kind = 'attainment', 'no_actual', 'data_not_received')
    END AS reason,
    coalesce(denominator, 0) + coalesce(n_missing_outcome, 0) AS n_mature
  FROM treated
)
SELECT
  kpi_code,
  programme_code,
  site_code,
  cohort,
  basis,
  definition_code,
  unit,
  if(kind = 'rate' AND is_small, NULL, numerator) AS numerator,
  denominator,
  n_immature,
  n_missing_outcome,
  value,
  if(kind <> 'volume' AND reason IS NULL, round(100 * numerator / denominator)::BIGINT, NULL) AS rate_percent,
  if(kind = 'rate' AND reason IS NULL, round(100 * wilson_low(numerator, denominator))::BIGINT, NULL) AS ci_low_percent,
  if(kind = 'rate' AND reason IS NULL, round(100 * wilson_high(numerator, denominator))::BIGINT, NULL)
    AS ci_high_percent,
  if(kind = 'rate' AND reason IS NULL, 'wilson', NULL) AS ci_method,
  data_cut_date,
  coalesce(kind = 'rate' AND n_mature < 0.8 * (n_mature + coalesce(n_immature, 0)), false)
    OR coalesce(n_sites_missing + n_sites_outdated > 0, false)
    OR coalesce(try(financial_year_end(cohort)) > data_cut_date - lag_days::INTEGER, false) AS provisional,
  reason,
  coalesce(reason = 'small_numbers', false) AS suppression_flag
FROM suppressed
