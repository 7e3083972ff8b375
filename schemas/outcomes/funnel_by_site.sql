-- outcomes.funnel_by_site
-- Number of referrals at each site that reached each stage, up to the cut-off of its data: referred, eligible, started,
-- engaged, in a job, sustained for 13 and 26 weeks. Episodes and people are counted separately: somebody referred twice
-- is one person and two episodes. From the start on, only episodes that were offered the service count; the control arm
-- has a column of its own. In a programme that randomises, these counts reach only as far as the allocations to the
-- arms, and are empty without them. They are counts to date, not rates: recent starters had less time. Rates are in
-- outcomes.kpi.
-- Grain: one row per site with episodes
-- Key: site_code
-- Source: docs/domain.md 0.5, 0.7, 4.1
-- Columns:
--   programme_code         VARCHAR not null  The programme.
--   site_code              VARCHAR not null  The site.
--   referrals              BIGINT not null  Referrals received. Unit: episodes.
--   people_referred        BIGINT not null  Different people behind them.
--   referrals_eligible     BIGINT not null  Referrals found eligible. Unit: episodes.
--   people_eligible        BIGINT not null  Different people behind them.
--   referrals_control_arm  BIGINT  Referrals of people randomised to the control arm. Empty if the programme randomises
--       and no allocations were accepted. Unit: episodes.
--   starts                 BIGINT  Starts of support. Empty if the programme randomises and no allocations were
--       accepted. Unit: episodes.
--   people_started         BIGINT  Different people behind them. Empty if the programme randomises and no allocations
--       were accepted.
--   starts_engaged         BIGINT  Starts with an attended contact; empty if no contacts were accepted. Unit: episodes.
--   people_engaged         BIGINT  Different people behind them. Empty if no contacts were accepted.
--   starts_with_job        BIGINT  Starts with a job start; empty if no job outcomes were accepted. Unit: episodes.
--   people_with_job        BIGINT  Different people behind them. Empty if no job outcomes were accepted.
--   job_starts             BIGINT  Jobs started; of jobs that overlap, only the first. Empty if no job outcomes were
--       accepted. Unit: jobs.
--   starts_sust_13         BIGINT  Starts whose first job start was sustained for 13 weeks. Empty if no job outcomes
--       were accepted. Unit: episodes.
--   people_sust_13         BIGINT  Different people behind them. Empty if no job outcomes were accepted.
--   starts_sust_26         BIGINT  Starts whose first job start was sustained for 26 weeks. Empty if no job outcomes
--       were accepted. Unit: episodes.
--   people_sust_26         BIGINT  Different people behind them. Empty if no job outcomes were accepted.
--   data_cut_date          DATE not null  Date to which the site's referrals are complete.
--   randomisation_cut_date  DATE  Date to which allocations to an arm are complete too; empty if none were accepted.
--   contacts_cut_date      DATE  Date to which contacts are complete too; empty if none were accepted.
--   outcomes_cut_date      DATE  Date to which job outcomes are complete too; empty if none were accepted.
WITH received AS (
  -- Which counts of a site are known: those whose data it has sent. The others are empty, not 0.
  SELECT
    site_code,
    bool_or(kpi_code = 'kpi_03_starts') AS starts,
    bool_or(kpi_code = 'kpi_04_engaged_within_60_days') AS contacts,
    bool_or(kpi_code = 'kpi_07_job_starts') AS jobs
  FROM outcomes.reach
  WHERE n_sites_missing = 0
  GROUP BY site_code
),
steps AS (
  SELECT
    programme_code,
    site_code,
    participant_ref AS person,
    is_eligible,
    trial_arm = 'control' AS is_control,
    is_offered_service AND start_date IS NOT NULL AS is_started,
    is_started AND first_contact_date IS NOT NULL AS is_engaged,
    is_started AND first_job_start_date IS NOT NULL AS is_in_job,
    is_in_job AND sust_13 AS is_sust_13,
    is_in_job AND sust_26 AS is_sust_26,
    if(is_started, n_job_starts, 0) AS n_job_starts,
    data_cut_date,
    randomisation_cut_date,
    contacts_cut_date,
    outcomes_cut_date
  FROM outcomes.episodes
)
SELECT
  programme_code,
  site_code,
  count(*) AS referrals,
  count(DISTINCT person) AS people_referred,
  count(*) FILTER (is_eligible) AS referrals_eligible,
  count(DISTINCT person) FILTER (is_eligible) AS people_eligible,
  if(k.starts, count(*) FILTER (is_control), NULL) AS referrals_control_arm,
  if(k.starts, count(*) FILTER (is_started), NULL) AS starts,
  if(k.starts, count(DISTINCT person) FILTER (is_started), NULL) AS people_started,
  if(k.contacts, count(*) FILTER (is_engaged), NULL) AS starts_engaged,
  if(k.contacts, count(DISTINCT person) FILTER (is_engaged), NULL) AS people_engaged,
  if(k.jobs, count(*) FILTER (is_in_job), NULL) AS starts_with_job,
  if(k.jobs, count(DISTINCT person) FILTER (is_in_job), NULL) AS people_with_job,
  if(k.jobs, sum(n_job_starts)::BIGINT, NULL) AS job_starts,
  if(k.jobs, count(*) FILTER (is_sust_13), NULL) AS starts_sust_13,
  if(k.jobs, count(DISTINCT person) FILTER (is_sust_13), NULL) AS people_sust_13,
  if(k.jobs, count(*) FILTER (is_sust_26), NULL) AS starts_sust_26,
  if(k.jobs, count(DISTINCT person) FILTER (is_sust_26), NULL) AS people_sust_26,
  min(data_cut_date) AS data_cut_date,
  min(randomisation_cut_date) AS randomisation_cut_date,
  min(contacts_cut_date) AS contacts_cut_date,
  min(outcomes_cut_date) AS outcomes_cut_date
FROM steps
JOIN received AS k USING (site_code)
GROUP BY programme_code, site_code, k.starts, k.contacts, k.jobs
