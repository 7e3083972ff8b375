-- outcomes.kpi_cases
-- Cases behind every rate of outcomes.kpi: which episode is in which figure, from which day its window runs, whether it
-- is mature and whether it achieved the outcome. In a rate with a window, a case achieves it if its event happens in
-- time and its condition is met; in one without a window, if its condition is met. The windows are in
-- outcomes.kpi_definitions. Clients in work at the start are in no job figure: they have retention. If a site has sent
-- no file that could show the outcome, it is unknown, not 'no'.
-- The denominator of a rate is its cases that are mature and whose outcome is known.
-- Grain: one row per rate and episode that was considered for it
-- Key: kpi_code, site_code, episode_id
-- Source: docs/domain.md 4.3, 4.4
-- Columns:
--   kpi_code        VARCHAR not null  The figure: see outcomes.kpi_definitions.
--   programme_code  VARCHAR not null  The programme.
--   site_code       VARCHAR not null  The site.
--   episode_id      VARCHAR not null  The episode.
--   entry_date      DATE not null  The day from which the window runs.
--   cohort          VARCHAR not null  Financial year of that day.
--   is_mature       BOOLEAN not null  Whether the window had passed, reporting lag included, at the data cut-off.
--   is_achieved     BOOLEAN  Whether the case counts in the numerator; empty where that is not known.
--   data_cut_date   DATE not null  Date to which the data behind the case are complete.
WITH candidates AS (
  -- A row per episode and rate. Whether the event came in time is decided below, by the window of the rate.
  SELECT
    programme_code,
    site_code,
    episode_id,
    unnest(
      [
        {
          'kpi_code': 'kpi_02_eligibility', 'is_included': true,
          'entry_date': referral_date, 'event_date': NULL::DATE, 'is_met': if(is_decided, is_eligible, NULL)
        },
        {
          'kpi_code': 'kpi_03_start_within_60_days', 'is_included': is_offered_service AND is_eligible,
          'entry_date': referral_date, 'event_date': start_date, 'is_met': true
        },
        {
          'kpi_code': 'kpi_04_engaged_within_60_days', 'is_included': is_offered_service,
          'entry_date': referral_date, 'event_date': first_contact_date, 'is_met': true
        },
        {
          'kpi_code': 'kpi_05_first_contact_within_7_days', 'is_included': is_offered_service,
          'entry_date': first_contact_date, 'event_date': first_contact_date,
          'is_met': first_contact_date - referral_date <= 7
        },
        {
          'kpi_code': 'kpi_05_first_contact_8_to_30_days', 'is_included': is_offered_service,
          'entry_date': first_contact_date, 'event_date': first_contact_date,
          'is_met': first_contact_date - referral_date BETWEEN 8 AND 30
        },
        {
          'kpi_code': 'kpi_05_first_contact_over_30_days', 'is_included': is_offered_service,
          'entry_date': first_contact_date, 'event_date': first_contact_date,
          'is_met': first_contact_date - referral_date > 30
        },
        {
          'kpi_code': 'kpi_06_job_within_12_months',
          'is_included': is_offered_service AND work_status_at_start = 'out_of_work',
          'entry_date': start_date, 'event_date': first_job_start_date, 'is_met': true
        },
        {
          'kpi_code': 'kpi_08_sustained_13_weeks', 'is_included': is_offered_service,
          'entry_date': first_job_start_date, 'event_date': first_job_start_date, 'is_met': sust_13
        },
        {
          'kpi_code': 'kpi_09_sustained_26_weeks', 'is_included': is_offered_service,
          'entry_date': first_job_start_date, 'event_date': first_job_start_date, 'is_met': sust_26
        },
        {
          'kpi_code': 'kpi_10_start_to_13_weeks',
          'is_included': is_offered_service AND work_status_at_start <> 'in_work',
          'entry_date': start_date, 'event_date': first_job_start_date, 'is_met': sust_13
        },
        {
          'kpi_code': 'kpi_10_start_to_26_weeks',
          'is_included': is_offered_service AND work_status_at_start <> 'in_work',
          'entry_date': start_date, 'event_date': first_job_start_date, 'is_met': sust_26
        },
        {
          'kpi_code': 'kpi_12_in_work_support_28_days', 'is_included': is_offered_service,
          'entry_date': first_job_start_date, 'event_date': first_in_work_support_date, 'is_met': true
        }
      ],
      recursive := true
    )
  FROM outcomes.episodes
),
cases AS (
  SELECT
    a.*,
    d.window_days::INTEGER AS window_days,
    d.lag_days::INTEGER AS lag_days,
    CASE
      WHEN d.event_days IS NULL THEN a.is_met
      ELSE coalesce(a.event_date <= a.entry_date + d.event_days::INTEGER AND a.is_met, false)
    END AS outcome,
    r.n_sites_missing > 0 AS is_unknown,
    r.data_cut_date
  FROM candidates AS a
  JOIN outcomes.kpi_definitions AS d USING (kpi_code)
  JOIN outcomes.reach AS r USING (kpi_code, programme_code, site_code)
  WHERE a.is_included AND a.entry_date IS NOT NULL
)
SELECT
  kpi_code,
  programme_code,
  site_code,
  episode_id,
  entry_date,
  financial_year(entry_date) AS cohort,
  if(window_days IS NULL, outcome IS NOT NULL, entry_date + window_days <= data_cut_date - lag_days) AS is_mature,
  if(is_unknown, NULL, outcome) AS is_achieved,
  data_cut_date
FROM cases
