-- outcomes.kpi_definitions
-- Definition of each figure of outcomes.kpi. A rate follows a cohort through a window of days. A case is mature once
-- its whole window, and the reporting lag after it, are before the data cut-off, and only mature cases count. In a
-- figure without a window, the case is settled by the event itself. A volume counts what happened in a period and has
-- no rate. Job starts, jobs and people are three different counts, as are referrals and the people referred.
-- Grain: one row per figure
-- Key: kpi_code
-- Source: docs/domain.md 4.2, 4.3, 4.4
-- Columns:
--   kpi_code         VARCHAR not null  The figure: the number of docs/domain.md 4.3, then what it is.
--   title            VARCHAR not null  The figure in plain words.
--   kind             VARCHAR not null  rate, volume or attainment.
--   basis            VARCHAR not null  cohort (people followed from entry) or period (events dated in the period).
--   unit             VARCHAR not null  What is counted, in both numerator and denominator; for attainment, the unit of
--       the target.
--   definition_code  VARCHAR  Outcome definition (core.outcome_definitions) by which we count; empty if no outcome is
--       counted. Where a site sent its jobs by another, see outcomes.definitions_by_site.
--   entry            VARCHAR not null  The event whose date places a case in a financial year.
--   event_days       BIGINT  Days from entry within which the event must happen (0: entry is that event); empty where
--       the figure has no window. Unit: days.
--   window_days      BIGINT  Days from entry until the case is settled: event_days, plus the days after the event that
--       the outcome definition covers. Empty where the event settles the case. Unit: days.
--   lag_days         BIGINT not null  Days that sites have to report an event. Unit: days.
--   dataset          VARCHAR not null  What a site must have sent, besides referrals, for the figure to be known: see
--       outcomes.reach.
--   numerator        VARCHAR not null  What the numerator, or the volume, counts.
--   denominator      VARCHAR  What the denominator counts; empty for volumes.
WITH definitions (
  kpi_code, title, kind, basis, unit, definition_code, entry, event_days, dataset, numerator, denominator
) AS (
  VALUES
    ('kpi_01_referrals', 'Referrals received', 'volume', 'period', 'referrals', NULL, 'referral', NULL,
      'referrals', 'referrals', NULL),
    ('kpi_01_people_referred', 'People referred', 'volume', 'period', 'people', NULL, 'referral', NULL,
      'referrals', 'different people with a referral', NULL),
    ('kpi_02_eligibility', 'Referrals found eligible', 'rate', 'cohort', 'referrals', NULL, 'referral', NULL,
      'referrals', 'eligible referrals', 'referrals with a decision; those still to be decided are not mature'),
    ('kpi_03_start_within_60_days', 'Eligible referrals that start within 60 days', 'rate', 'cohort', 'referrals',
      NULL, 'referral', 60, 'referrals', 'starts within 60 days of the referral',
      'eligible referrals offered the service'),
    ('kpi_03_starts', 'Starts of support', 'volume', 'period', 'starts', NULL, 'start', NULL,
      'referrals', 'episodes offered the service that started', NULL),
    ('kpi_03_people_started', 'People who started', 'volume', 'period', 'people', NULL, 'start', NULL,
      'referrals', 'different people with a start', NULL),
    ('kpi_04_engaged_within_60_days', 'Referrals with an attended contact within 60 days', 'rate', 'cohort',
      'referrals', NULL, 'referral', 60, 'contacts', 'referrals with an attended contact within 60 days',
      'referrals offered the service'),
    ('kpi_05_first_contact_within_7_days', 'First contacts within 7 days of the referral', 'rate', 'period',
      'referrals', NULL, 'first contact', NULL, 'contacts', 'first attended contacts after 0 to 7 days',
      'first attended contacts'),
    ('kpi_05_first_contact_8_to_30_days', 'First contacts 8 to 30 days after the referral', 'rate', 'period',
      'referrals', NULL, 'first contact', NULL, 'contacts', 'first attended contacts after 8 to 30 days',
      'first attended contacts'),
    ('kpi_05_first_contact_over_30_days', 'First contacts over 30 days after the referral', 'rate', 'period',
      'referrals', NULL, 'first contact', NULL, 'contacts', 'first attended contacts after more than 30 days',
      'first attended contacts'),
    ('kpi_06_job_within_12_months', 'Out-of-work starters with a job start within 365 days', 'rate', 'cohort',
      'starts', 'JOB_START', 'start', 365, 'employment_outcomes', 'starts with a job start within 365 days',
      'starts offered the service and known to be out of work at the start'),
    ('kpi_07_job_starts', 'Jobs started', 'volume', 'period', 'jobs', 'JOB_START', 'job start', NULL,
      'employment_outcomes', 'jobs started; of jobs that overlap, the first', NULL),
    ('kpi_07_first_job_starts', 'First job starts', 'volume', 'period', 'job_starts', 'JOB_START', 'first job start',
      NULL, 'employment_outcomes', 'first job starts, one per episode', NULL),
    ('kpi_07_people_with_job_start', 'People who started a job', 'volume', 'period', 'people', 'JOB_START',
      'job start', NULL, 'employment_outcomes', 'different people with a job start', NULL),
    ('kpi_08_sustained_13_weeks', 'First job starts sustained for 13 weeks', 'rate', 'cohort', 'job_starts',
      'SUST_13', 'first job start', 0, 'employment_outcomes',
      'first job starts followed by at least 91 days in paid work within 112 days', 'first job starts'),
    ('kpi_09_sustained_26_weeks', 'First job starts sustained for 26 weeks', 'rate', 'cohort', 'job_starts',
      'SUST_26', 'first job start', 0, 'employment_outcomes',
      'first job starts followed by at least 182 days in paid work within 210 days', 'first job starts'),
    ('kpi_10_start_to_13_weeks', 'Starters with a job within 365 days that lasted 13 weeks', 'rate', 'cohort',
      'starts', 'SUST_13', 'start', 365, 'employment_outcomes',
      'starts with a first job start within 365 days, sustained for 13 weeks',
      'starts offered the service, without clients in work at the start'),
    ('kpi_10_start_to_26_weeks', 'Starters with a job within 365 days that lasted 26 weeks', 'rate', 'cohort',
      'starts', 'SUST_26', 'start', 365, 'employment_outcomes',
      'starts with a first job start within 365 days, sustained for 26 weeks',
      'starts offered the service, without clients in work at the start'),
    ('kpi_12_in_work_support_28_days', 'Job starters with in-work support within 28 days', 'rate', 'cohort',
      'job_starts', 'JOB_START', 'first job start', 28, 'contacts, employment_outcomes',
      'first job starts with an attended in-work support contact within 28 days', 'first job starts')
  UNION ALL
  SELECT
    'kpi_19_target_' || code,
    'Target attainment: ' || label,
    'attainment',
    'period',
    'that of the target',
    NULL,
    'the event that is counted',
    NULL,
    'targets',
    'the actual of the same metric, unit and definition',
    'the target'
  FROM core.codes
  WHERE list_name = 'target_metric' AND code <> 'population' -- a total in post or in an area, not something to reach
)
SELECT
  s.kpi_code,
  s.title,
  s.kind,
  s.basis,
  s.unit,
  s.definition_code,
  s.entry,
  s.event_days::BIGINT AS event_days,
  (s.event_days + coalesce(o.window_days, 0))::BIGINT AS window_days,
  reporting_lag()::BIGINT AS lag_days,
  s.dataset,
  s.numerator,
  s.denominator
FROM definitions AS s
LEFT JOIN core.outcome_definitions AS o USING (definition_code)
