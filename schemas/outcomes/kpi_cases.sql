-- outcomes.kpi_cases
-- The cases behind every rate of outcomes.kpi: which episode counts in which figure, from which day, whether it is
-- mature and whether it achieved. Clients in work at the start are in no job figure: they have retention. Where a site
-- has sent no file that could show the outcome, what the case achieved is unknown, not 'no'.
-- Grain: one row per rate and episode in its denominator
-- Key: kpi_code, site_code, episode_id
-- Source: DOMAIN.md 4.3, 4.4
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
    data_cut_date AS referrals_cut_date,
    unnest(
      [
        {
          'kpi_code': 'kpi_02_eligibility', 'counts': true, 'entry_date': referral_date,
          'is_achieved': if(is_decided, is_eligible, NULL), 'cut_date': data_cut_date
        },
        {
          'kpi_code': 'kpi_03_start_within_60_days', 'counts': is_offered_service AND is_eligible,
          'entry_date': referral_date,
          'is_achieved': coalesce(start_date <= referral_date + 60, false), 'cut_date': data_cut_date
        },
        {
          'kpi_code': 'kpi_04_engaged_within_60_days', 'counts': is_offered_service, 'entry_date': referral_date,
          'is_achieved': coalesce(first_contact_date <= referral_date + 60, false), 'cut_date': contacts_cut_date
        },
        {
          'kpi_code': 'kpi_05_first_contact_within_7_days', 'counts': is_offered_service,
          'entry_date': first_contact_date,
          'is_achieved': first_contact_date - referral_date <= 7, 'cut_date': contacts_cut_date
        },
        {
          'kpi_code': 'kpi_05_first_contact_8_to_30_days', 'counts': is_offered_service,
          'entry_date': first_contact_date,
          'is_achieved': first_contact_date - referral_date BETWEEN 8 AND 30, 'cut_date': contacts_cut_date
        },
        {
          'kpi_code': 'kpi_05_first_contact_over_30_days', 'counts': is_offered_service,
          'entry_date': first_contact_date,
          'is_achieved': first_contact_date - referral_date > 30, 'cut_date': contacts_cut_date
        },
        {
          'kpi_code': 'kpi_06_job_within_12_months',
          'counts': is_offered_service AND work_status_at_start = 'out_of_work', 'entry_date': start_date,
          'is_achieved': coalesce(first_job_start_date <= start_date + 365, false), 'cut_date': outcomes_cut_date
        },
        {
          'kpi_code': 'kpi_08_sustained_13_weeks', 'counts': is_offered_service, 'entry_date': first_job_start_date,
          'is_achieved': sust_13, 'cut_date': outcomes_cut_date
        },
        {
          'kpi_code': 'kpi_09_sustained_26_weeks', 'counts': is_offered_service, 'entry_date': first_job_start_date,
          'is_achieved': sust_26, 'cut_date': outcomes_cut_date
        },
        {
          'kpi_code': 'kpi_10_start_to_13_weeks',
          'counts': is_offered_service AND work_status_at_start <> 'in_work', 'entry_date': start_date,
          'is_achieved': coalesce(first_job_start_date <= start_date + 365 AND sust_13, false),
          'cut_date': outcomes_cut_date
        },
        {
          'kpi_code': 'kpi_10_start_to_26_weeks',
          'counts': is_offered_service AND work_status_at_start <> 'in_work', 'entry_date': start_date,
          'is_achieved': coalesce(first_job_start_date <= start_date + 365 AND sust_26, false),
          'cut_date': outcomes_cut_date
        },
        {
          'kpi_code': 'kpi_12_in_work_support_28_days', 'counts': is_offered_service,
          'entry_date': first_job_start_date,
          'is_achieved': has_early_in_work_support, 'cut_date': earlier_of(outcomes_cut_date, contacts_cut_date)
        }
      ],
      recursive := true
    )
  FROM outcomes.episodes
)
SELECT
  a.kpi_code,
  a.programme_code,
  a.site_code,
  a.episode_id,
  a.entry_date,
  financial_year(a.entry_date) AS cohort,
  CASE
    WHEN d.window_days IS NULL THEN a.is_achieved IS NOT NULL
    ELSE a.entry_date + d.window_days::INTEGER <= coalesce(a.cut_date, a.referrals_cut_date) - d.lag_days::INTEGER
  END AS is_mature,
  CASE WHEN a.cut_date IS NOT NULL THEN a.is_achieved END AS is_achieved,
  coalesce(a.cut_date, a.referrals_cut_date) AS data_cut_date
FROM asked AS a
JOIN outcomes.kpi_definitions AS d USING (kpi_code)
WHERE a.counts AND a.entry_date IS NOT NULL
