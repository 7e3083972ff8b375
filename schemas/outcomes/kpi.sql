-- outcomes.kpi
-- Outcome figures, one per row: rates over mature cases with a 95% interval, volumes, and target attainment, for each
-- site and for the programme (site_code 'all'), by financial year and for all years (cohort 'all'). What each kpi_code
-- means is in outcomes.kpi_definitions; the episodes behind a rate are in outcomes.kpi_cases.
-- In programmes that randomise, kpi_01 and kpi_02 count everybody referred, and all others only the people who were
-- offered the service (the ips arm). The arms are never mixed; they are compared in outcomes.trial_arms. Figures about
-- people offered the service need the allocations, and reach only as far as these do. Clients in work at the start are
-- in no job figure. A figure that is not known is empty, with its reason, never 0.
-- Grain: one row per figure, programme, site (or 'all'), financial year (or 'all') and unit
-- Key: kpi_code, programme_code, site_code, cohort, unit
-- Source: docs/domain.md 4.1 to 4.6
-- Columns:
--   kpi_code           VARCHAR not null  The figure: see outcomes.kpi_definitions.
--   programme_code     VARCHAR not null  The programme.
--   site_code          VARCHAR not null  The site, or 'all' for the programme.
--   cohort             VARCHAR not null  Financial year of entry (basis cohort) or of the event (basis period), or
--       'all'.
--   basis              VARCHAR not null  cohort: people followed from their entry. period: events dated in the period.
--   definition_code    VARCHAR  Outcome definition (core.outcome_definitions) or 'mixed': see
--       outcomes.definitions_by_site. Never compare figures across definitions. Empty for figures that count no
--       outcome.
--   unit               VARCHAR not null  What is counted: referrals, starts, jobs, job_starts, people, events.
--   numerator          BIGINT  Mature cases that achieved the outcome; for attainment the actual. Empty for volumes, and
--       where `reason` says why it is not known.
--   denominator        BIGINT  Mature cases whose outcome is known; for attainment the target. Empty for volumes, and
--       where `reason` says why it is not known.
--   n_immature         BIGINT  Cases whose window had not passed at the cut-off: in neither numerator nor denominator.
--       Empty unless it is a rate.
--   n_missing_outcome  BIGINT  Mature cases whose outcome is not known: in neither numerator nor denominator. Empty
--       unless it is a rate.
--   value              BIGINT  The count of a volume. Empty for rates and attainment, and where `reason` says why.
--   rate               DOUBLE  numerator / denominator, from 0 to 1 (attainment may be more). Empty for volumes, and
--       where `reason` says why it is not known.
--   reason             VARCHAR  Why the figure is empty: no_mature_cases, data_not_received; for attainment also
--       not_measured, units_differ, definitions_differ, targets_differ, no_actual, no_target. Empty where there is a
--       figure.
--   ci_low             DOUBLE  Lower end of the 95% interval of the rate. Empty where there is no rate.
--   ci_high            DOUBLE  Upper end of the 95% interval of the rate. Empty where there is no rate.
--   ci_method          VARCHAR  wilson, where there is an interval. Empty where there is no rate.
--   n_sites            BIGINT  Sites that the figure is about: 1, or all sites of the programme; empty for attainment
--       of a metric that we do not count. Unit: sites.
--   n_sites_missing    BIGINT  Sites of these that have not sent all that the figure needs, so that it rests on the
--       others; empty for attainment of a metric that we do not count. Unit: sites.
--   n_sites_outdated   BIGINT  Sites of these with a later file that was refused or held up, so that the figure uses
--       older data of theirs; empty for attainment of a metric that we do not count. Unit: sites.
--   data_cut_date      DATE  Earliest date to which the data of these sites are complete; empty if nothing was
--       received.
--   provisional_reason  VARCHAR  Why the figure may still change, the first of these that applies: file_does_not_count
--       (a later file of a site was refused or held up), data_missing (a site has not sent all), immature (under 80% of
--       its cases are mature), year_not_over (at the cut-off, reporting lag included). Empty if the figure is final.
--   provisional        BOOLEAN not null  Whether the figure may still change: see provisional_reason.
WITH tallies AS (
  SELECT
    kpi_code,
    programme_code,
    site_code,
    cohort,
    count(*) FILTER (is_mature AND is_achieved) AS numerator,
    count(*) FILTER (is_mature AND is_achieved IS NOT NULL) AS denominator,
    count(*) FILTER (NOT is_mature) AS n_immature,
    count(*) FILTER (is_mature AND is_achieved IS NULL) AS n_missing_outcome
  FROM outcomes.kpi_cases
  GROUP BY kpi_code, programme_code, site_code, cohort
  UNION ALL
  SELECT kpi_code, programme_code, site_code, 'all', 0, 0, 0, 0 -- so that a site without any case has a row too
  FROM outcomes.reach
  JOIN outcomes.kpi_definitions USING (kpi_code)
  WHERE kind = 'rate' AND site_code <> 'all'
),
rolled_up AS (
  -- Each tally counts for its site and for the programme, for its year and for all years. list_distinct(), because the
  -- rows added for sites without a case are of cohort 'all' already.
  SELECT
    t.kpi_code,
    t.programme_code,
    s.level AS site_code,
    c.year AS cohort,
    sum(t.numerator)::BIGINT AS numerator,
    sum(t.denominator)::BIGINT AS denominator,
    sum(t.n_immature)::BIGINT AS n_immature,
    sum(t.n_missing_outcome)::BIGINT AS n_missing_outcome
  FROM tallies AS t
  CROSS JOIN LATERAL (SELECT unnest([t.site_code, 'all'])) AS s (level)
  CROSS JOIN LATERAL (SELECT unnest(list_distinct([t.cohort, 'all']))) AS c (year)
  GROUP BY t.kpi_code, t.programme_code, s.level, c.year
),
rates AS (
  SELECT
    t.kpi_code,
    t.programme_code,
    t.site_code,
    t.cohort,
    s.told_definition_code AS definition_code,
    d.unit,
    t.numerator,
    t.denominator,
    t.n_immature,
    t.n_missing_outcome,
    share(t.numerator, t.denominator) AS rate,
    CASE
      WHEN t.denominator > 0 THEN NULL
      WHEN r.n_sites_missing = r.n_sites OR t.n_missing_outcome > 0 THEN 'data_not_received'
      ELSE 'no_mature_cases'
    END AS reason,
    wilson_low(t.numerator, t.denominator) AS ci_low,
    wilson_high(t.numerator, t.denominator) AS ci_high,
    if(t.denominator > 0, 'wilson', NULL) AS ci_method,
    r.n_sites,
    r.n_sites_missing,
    r.n_sites_outdated,
    r.data_cut_date,
    t.denominator + t.n_missing_outcome < 0.8 * (t.denominator + t.n_missing_outcome + t.n_immature) AS is_immature
  FROM rolled_up AS t
  JOIN outcomes.kpi_definitions AS d USING (kpi_code)
  JOIN outcomes.reach AS r USING (kpi_code, programme_code, site_code)
  LEFT JOIN outcomes.definitions_by_site AS s
    ON s.programme_code = t.programme_code AND s.site_code = t.site_code AND s.definition_code = d.definition_code
),
counts AS (
  SELECT
    kpi_code,
    programme_code,
    site_code,
    cohort,
    definition_code,
    unit,
    value,
    if(value IS NULL, 'data_not_received', NULL) AS reason,
    n_sites,
    n_sites_missing,
    n_sites_outdated,
    data_cut_date
  FROM outcomes.volumes
  SEMI JOIN outcomes.kpi_definitions USING (kpi_code) -- leaves out the volumes that only targets use
),
attainment AS (
  -- Several targets of one metric, unit and year are one figure. If they differ, it has no rate.
  SELECT
    'kpi_19_target_' || metric_code AS kpi_code,
    programme_code,
    site_code,
    cohort,
    min(coalesce(definition_code, actual_definition_code)) AS definition_code,
    unit,
    min(actual) AS numerator,
    if(count(DISTINCT target_value) = 1, min(target_value)::BIGINT, NULL) AS denominator,
    if(count(DISTINCT target_value) = 1, min(rate), NULL) AS rate,
    if(count(DISTINCT target_value) = 1, min(reason), 'targets_differ') AS reason,
    min(n_sites) AS n_sites,
    min(n_sites_missing) AS n_sites_missing,
    min(n_sites_outdated) AS n_sites_outdated,
    min(data_cut_date) AS data_cut_date
  FROM outcomes.target_attainment
  WHERE unit <> 'gbp' -- money is not counted here: see the schema funding
  GROUP BY metric_code, programme_code, site_code, cohort, unit
),
figures AS (
  FROM rates
  UNION ALL BY NAME
  FROM counts
  UNION ALL BY NAME
  FROM attainment
)
SELECT
  t.kpi_code,
  t.programme_code,
  t.site_code,
  t.cohort,
  d.basis,
  t.definition_code,
  t.unit,
  t.numerator,
  t.denominator,
  t.n_immature,
  t.n_missing_outcome,
  t.value,
  t.rate,
  t.reason,
  t.ci_low,
  t.ci_high,
  t.ci_method,
  t.n_sites,
  t.n_sites_missing,
  t.n_sites_outdated,
  t.data_cut_date,
  CASE
    WHEN t.n_sites_outdated > 0 THEN 'file_does_not_count'
    WHEN t.n_sites_missing > 0 THEN 'data_missing'
    WHEN t.is_immature THEN 'immature'
    -- try(): NULL for cohort 'all', which has no end.
    WHEN try(financial_year_end(t.cohort)) > t.data_cut_date - d.lag_days::INTEGER THEN 'year_not_over'
  END AS provisional_reason,
  provisional_reason IS NOT NULL AS provisional
FROM figures AS t
JOIN outcomes.kpi_definitions AS d USING (kpi_code)
