-- funding.budget_years
-- The grant's budget of each award by financial year: the agreed profile, what was carried in from and out to other
-- years, and what was spent. Adjustments that were approved after the profile's latest version are added to it; earlier
-- ones are part of that version already. Virements stay within a year, so they are in funding.budget_lines alone.
-- Grain: one row per award and financial year
-- Key: award_key, financial_year
-- Source: docs/domain.md 3.1, 3.2, 7.13, 7.16
-- Columns:
--   award_key          VARCHAR not null  The award: see funding.award_records.
--   programme_code     VARCHAR not null  The programme the money is for.
--   financial_year     VARCHAR not null  Financial year.
--   profile_gbp        DECIMAL(14,2)  Agreed profile; empty where there is none. Unit: pounds.
--   carried_in_gbp     DECIMAL(14,2) not null  Carried forward from earlier years. Unit: pounds.
--   carried_out_gbp    DECIMAL(14,2) not null  Carried forward to later years. Unit: pounds.
--   budget_before_gbp  DECIMAL(14,2)  Profile and what was carried in. Unit: pounds.
--   budget_gbp         DECIMAL(14,2)  Budget of the year: profile and carried in, less carried out. Unit: pounds.
--   spent_gbp          DECIMAL(14,2)  Spent of the grant; empty where no expenditure was sent. Unit: pounds.
--   accrued_gbp        DECIMAL(14,2)  Accruals of the grant, less those reversed. Unit: pounds.
--   underspend_gbp     DECIMAL(14,2)  budget_before_gbp less spent_gbp: below 0 where overspent. Unit: pounds.
--   left_gbp           DECIMAL(14,2)  budget_gbp less spent_gbp. Unit: pounds.
WITH profiles AS (
  SELECT
    award_key,
    programme_code,
    financial_year,
    sum(profile_gbp) AS profile_gbp
  FROM funding.profile_lines
  GROUP BY award_key, programme_code, financial_year
),
carried AS (
  FROM funding.adjustments WHERE adjustment_type = 'carry_forward' AND is_on_top
),
carried_by_year AS (
  SELECT award_key, programme_code, from_fy AS financial_year, amount_gbp AS carried_out_gbp, 0 AS carried_in_gbp
  FROM carried
  UNION ALL
  SELECT award_key, programme_code, to_fy, 0, amount_gbp
  FROM carried
),
spent AS (
  SELECT
    award_key,
    programme_code,
    financial_year,
    sum(actual_gbp) AS spent_gbp,
    sum(accrual_gbp) AS accrued_gbp
  FROM funding.spending
  WHERE funding_source = 'grant'
  GROUP BY award_key, programme_code, financial_year
),
parts AS (
  FROM profiles
  UNION ALL BY NAME
  FROM carried_by_year
  UNION ALL BY NAME
  FROM spent
)
SELECT
  award_key,
  programme_code,
  financial_year,
  sum(profile_gbp)::DECIMAL(14, 2) AS profile_gbp,
  coalesce(sum(carried_in_gbp), 0)::DECIMAL(14, 2) AS carried_in_gbp,
  coalesce(sum(carried_out_gbp), 0)::DECIMAL(14, 2) AS carried_out_gbp,
  (sum(profile_gbp) + coalesce(sum(carried_in_gbp), 0))::DECIMAL(14, 2) AS budget_before_gbp,
  (budget_before_gbp - coalesce(sum(carried_out_gbp), 0))::DECIMAL(14, 2) AS budget_gbp,
  sum(spent_gbp)::DECIMAL(14, 2) AS spent_gbp,
  sum(accrued_gbp)::DECIMAL(14, 2) AS accrued_gbp,
  (budget_before_gbp - coalesce(sum(spent_gbp), 0))::DECIMAL(14, 2) AS underspend_gbp,
  (budget_gbp - coalesce(sum(spent_gbp), 0))::DECIMAL(14, 2) AS left_gbp
FROM parts
GROUP BY award_key, programme_code, financial_year
