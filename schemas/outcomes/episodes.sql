-- outcomes.episodes
-- Every episode of support with its outcomes: the row level behind the outcome figures. Records made in error are left
-- out. An episode is 'offered the service' unless its person was randomised to the control arm, or is in a programme
-- that randomises but in no arm. Service figures are about people who were offered the service; the arms are compared
-- separately (docs/domain.md 4.6). Job starts count from the start of support, which the control arm never has. So its
-- job columns are empty, not 0, and outcomes.trial_arms compares both arms from randomisation. Each kind of data has
-- its own cut-off, after which the site's data are unknown; it is empty if the site has no accepted file of that kind.
-- Grain: one row per episode that is not a record made in error
-- Key: site_code, episode_id
-- Source: docs/domain.md 4.1, 4.2, 7.1 to 7.6
-- Columns:
--   programme_code               VARCHAR not null  The programme.
--   site_code                    VARCHAR not null  The site.
--   episode_id                   VARCHAR not null  The site's reference of the episode.
--   participant_ref              VARCHAR not null  The person (the site's pseudonym, unique within the programme).
--   referral_date                DATE not null  The day the referral was received.
--   referral_month               DATE not null  First day of the month of the referral.
--   cohort                       VARCHAR not null  Financial year of the referral, such as 2015-16.
--   is_decided                   BOOLEAN not null  Whether eligibility has been decided.
--   is_eligible                  BOOLEAN not null  Whether the person was found eligible.
--   trial_group                  VARCHAR  Trial group of the person; empty outside trials.
--   trial_arm                    VARCHAR  Arm the person was first randomised to; empty outside trials.
--   randomised_date              DATE  The day the person was randomised; empty outside trials.
--   is_offered_service           BOOLEAN  Whether the service was offered: false for the control arm, and for people in
--       no arm of a programme that randomises. For the latter it is empty while the site's allocations do not reach as
--       far as its referrals: they may have been allocated since.
--   start_date                   DATE  Start of support, as recorded by the site; empty if not started.
--   start_year                   VARCHAR  Financial year of the start. Empty if not started.
--   work_status_at_start         VARCHAR not null  out_of_work (codes 02 to 08), in_work (01) or unknown (others).
--   first_contact_date           DATE  First attended contact on or after the referral. Empty if there is none.
--   n_attended_contacts          BIGINT not null  Attended contacts on or after the referral. Unit: contacts.
--   first_in_work_support_date   DATE  First attended contact for in-work support on or after the first job start.
--       Empty if there is none.
--   first_job_start_date         DATE  First job start (see outcomes.jobs); empty if there is none.
--   first_job_start_year         VARCHAR  Financial year of the first job start. Empty if there is none.
--   n_job_starts                 BIGINT  Job starts of the episode (see outcomes.jobs); empty for the control arm.
--       Unit: jobs.
--   days_in_work_112             BIGINT  Days in paid work within 112 days of the first job start, overlapping jobs
--       counted once. Empty without a job start. Unit: days.
--   days_in_work_210             BIGINT  Days in paid work within 210 days of the first job start. Empty without a job
--       start. Unit: days.
--   sust_13                      BOOLEAN  SUST_13: at least 91 of those 112 days; empty without a job start. Final once
--       the window has passed.
--   sust_26                      BOOLEAN  SUST_26: at least 182 of those 210 days; empty without a job start.
--   sust_13_basis                VARCHAR  continuous if the first 91 days had no gap, else cumulative; empty if not
--       met.
--   sust_26_basis                VARCHAR  continuous if the first 182 days had no gap, else cumulative; empty if not
--       met.
--   exit_date                    DATE  End of support. Empty while support goes on.
--   exit_reason                  VARCHAR  Why support ended. Empty while support goes on.
--   data_cut_date                DATE not null  Date to which the site's referrals are complete.
--   randomisation_cut_date       DATE  Date to which referrals and allocations to an arm are both complete; empty if
--       there are no accepted allocations.
--   contacts_cut_date            DATE  Date to which referrals and contacts are both complete; empty if there are no
--       accepted contacts.
--   outcomes_cut_date            DATE  Date to which referrals and job outcomes are both complete; empty if there are
--       no accepted job outcomes.
WITH cut_offs AS (
  SELECT
    site_code,
    max(cut_date) FILTER (dataset = 'referrals') AS referrals,
    max(cut_date) FILTER (dataset = 'randomisation') AS allocations,
    bool_or(is_owed) FILTER (dataset = 'randomisation') AS is_randomising,
    max(cut_date) FILTER (dataset = 'contacts') AS contacts,
    max(cut_date) FILTER (dataset = 'employment_outcomes') AS job_outcomes
  FROM outcomes.cut_offs
  GROUP BY site_code
),
job_totals AS (
  SELECT
    site_code,
    episode_id,
    min(job_start_date) AS first_job_start_date,
    count(*) FILTER (is_job_start) AS n_job_starts,
    sum(new_days_within_91)::BIGINT AS days_91,
    sum(new_days_within_112)::BIGINT AS days_112,
    sum(new_days_within_182)::BIGINT AS days_182,
    sum(new_days_within_210)::BIGINT AS days_210
  FROM outcomes.jobs
  WHERE is_new_work
  GROUP BY site_code, episode_id
),
attended_contacts AS (
  SELECT
    c.site_code,
    c.episode_id,
    min(c.contact_date) AS first_contact_date,
    count(*) AS n_attended,
    min(c.contact_date) FILTER (
      c.contact_type = 'in_work_support' AND c.contact_date >= w.first_job_start_date
    ) AS first_in_work_support_date
  FROM core.contacts AS c
  JOIN core.referrals AS r USING (site_code, episode_id)
  LEFT JOIN job_totals AS w USING (site_code, episode_id)
  WHERE c.attended IN ('5', '6') -- attended on time, or late but seen
    AND c.contact_date >= r.referral_received_date
  GROUP BY c.site_code, c.episode_id
)
SELECT
  r.programme_code,
  r.site_code,
  r.episode_id,
  r.participant_ref,
  r.referral_received_date AS referral_date,
  date_trunc('month', r.referral_received_date)::DATE AS referral_month,
  financial_year(r.referral_received_date) AS cohort,
  r.eligibility_outcome IN ('eligible', 'ineligible') AS is_decided,
  r.eligibility_outcome = 'eligible' AS is_eligible,
  t.trial_group,
  t.arm AS trial_arm,
  t.randomised_date,
  CASE
    WHEN t.arm IS NOT NULL THEN t.arm <> 'control'
    WHEN c.is_randomising IS NOT TRUE THEN true
    -- In no arm: not offered, but only once the allocations reach as far as the referrals. Until then, unknown.
    WHEN c.allocations >= c.referrals THEN false
  END AS is_offered_service,
  r.programme_start_date AS start_date,
  financial_year(r.programme_start_date) AS start_year,
  CASE
    WHEN r.employment_status_at_start = '01' THEN 'in_work'
    WHEN r.employment_status_at_start IN ('02', '03', '04', '05', '06', '07', '08') THEN 'out_of_work'
    ELSE 'unknown'
  END AS work_status_at_start,
  s.first_contact_date,
  coalesce(s.n_attended, 0) AS n_attended_contacts,
  s.first_in_work_support_date,
  w.first_job_start_date,
  financial_year(w.first_job_start_date) AS first_job_start_year,
  CASE WHEN t.arm IS DISTINCT FROM 'control' THEN coalesce(w.n_job_starts, 0) END AS n_job_starts,
  w.days_112 AS days_in_work_112,
  w.days_210 AS days_in_work_210,
  w.days_112 >= 91 AS sust_13,
  w.days_210 >= 182 AS sust_26,
  CASE WHEN w.days_112 >= 91 THEN if(w.days_91 = 91, 'continuous', 'cumulative') END AS sust_13_basis,
  CASE WHEN w.days_210 >= 182 THEN if(w.days_182 = 182, 'continuous', 'cumulative') END AS sust_26_basis,
  r.exit_date,
  r.exit_reason,
  c.referrals AS data_cut_date,
  earlier_of(c.referrals, c.allocations) AS randomisation_cut_date,
  earlier_of(c.referrals, c.contacts) AS contacts_cut_date,
  earlier_of(c.referrals, c.job_outcomes) AS outcomes_cut_date
FROM core.referrals AS r
LEFT JOIN core.randomisation AS t ON t.site_code = r.site_code AND t.participant_ref = r.participant_ref
LEFT JOIN job_totals AS w ON w.site_code = r.site_code AND w.episode_id = r.episode_id
LEFT JOIN attended_contacts AS s ON s.site_code = r.site_code AND s.episode_id = r.episode_id
LEFT JOIN cut_offs AS c ON c.site_code = r.site_code
WHERE r.exit_reason IS DISTINCT FROM 'admin_error' -- IS DISTINCT FROM keeps open episodes, without a reason
