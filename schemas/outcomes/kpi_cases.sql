-- outcomes.kpi_cases
-- The cases behind every rate of outcomes.kpi: which episode counts in which figure, from which day, whether it is
-- mature and whether it achieved. A rate with a window is achieved if its event comes in time and `holds`, one without
-- if it `holds`; the windows themselves stand in outcomes.kpi_definitions. Clients in work at the start are in no job figure: they have retention. Where a site
-- has sent no file that could show the outcome, what the case achieved is unknown, not 'no'.
-- Grain: one row per rate and episode in its denominator
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
WITH asked AS (
  SELECT
    programme_code,
    site_code,
    episode_id,
    unnest(
      [
        {
          'kpi_code': 'kpi_02_eligibility', 'counts': true,
          'entry_date': referral_date, 'event_date': NULL::DATE, 'holds': if(is_decided, is_eligible, NULL)
        },
        {
          'kpi_code': 'kpi_03_start_within_60_days', 'counts': is_offered_service AND is_eligible,
          'entry_date': referral_date, 'event_date': start_date, 'holds': true
        },
        {
          'kpi_code': 'kpi_04_engaged_within_60_days', 'counts': is_offered_service,
          'entry_date': referral_date, 'event_date': first_contact_date, 'holds': true
        },
        {
          'kpi_code': 'kpi_05_first_contact_within_7_days', 'counts': is_offered_service,
          'entry_date': first_contact_date, 'event_date': first_contact_date, 'holds': first_contact_date - referral_date <= 7
        },
        {
          'kpi_code': 'kpi_05_first_contact_8_to_30_days', 'counts': is_offered_service,
          'entry_date': first_contact_date, 'event_date': first_contact_date, 'holds': first_contact_date - referral_date BETWEEN 8 AND 30
        },
        {
          'kpi_code': 'kpi_05_first_contact_over_30_days', 'counts': is_offered_service,
          'entry_date': first_contact_date, 'event_date': first_contact_date, 'holds': first_contact_date - referral_date > 30
        },
        {
          'kpi_code': 'kpi_06_job_within_12_months', 'counts': is_offered_service AND work_status_at_start = 'out_of_work',
          'entry_date': start_date, 'event_date': first_job_start_date, 'holds': true
        },
        {
          'kpi_code': 'kpi_08_sustained_13_weeks', 'counts': is_offered_service,
          'entry_date': first_job_start_date, 'event_date': first_job_start_date, 'holds': sust_13
        },
        {
          'kpi_code': 'kpi_09_sustained_26_weeks', 'counts': is_offered_service,
          'entry_date': first_job_start_date, 'event_date': first_job_start_date, 'holds': sust_26
        },
        {
          'kpi_code': 'kpi_10_start_to_13_weeks', 'counts': is_offered_service AND work_status_at_start <> 'in_work',
          'entry_date': start_date, 'event_date': first_job_start_date, 'holds': sust_13
        },
        {
          'kpi_code': 'kpi_10_start_to_26_weeks', 'counts': is_offered_service AND work_status_at_start <> 'in_work',
          'entry_date': start_date, 'event_date': first_job_start_date, 'holds': sust_26
        },
        {
          'kpi_code': 'kpi_12_in_work_support_28_days', 'counts': is_offered_service,
          'entry_date': first_job_start_date, 'event_date': first_in_work_support_date, 'holds': true
        }
      ],
      recursive := true
    )
  FROM outcomes.episodes
),
answered AS (
  SELECT
    a.*,
    d.window_days::INTEGER AS window_days,
    d.lag_days::INTEGER AS lag_days,
    CASE
      WHEN d.event_days IS NULL THEN a.holds
      ELSE coalesce(a.event_date <= a.entry_date + d.event_days::INTEGER AND a.holds, false)
    END AS achieved,
    r.n_sites_missing > 0 AS is_unknown,
    r.data_cut_date
  FROM asked AS a
  JOIN outcomes.kpi_definitions AS d USING (kpi_code)
  JOIN outcomes.reach AS r USING (kpi_code, programme_code, site_code)
  WHERE a.counts AND a.entry_date IS NOT NULL
)
SELECT
  kpi_code,
  programme_code,
  site_code,
  episode_id,
  entry_date,
  financial_year(entry_date) AS cohort,
  if(window_days IS NULL, achieved IS NOT NULL, entry_date + window_days <= data_cut_date - lag_days) AS is_mature,
  if(is_unknown, NULL, achieved) AS is_achieved,
  data_cut_date
FROM answered
