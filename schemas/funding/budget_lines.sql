-- funding.budget_lines
-- The grant's budget of each award by financial year and cost category: agreed profile, virements, what was carried in
-- from and out to other years, and what was spent. Which adjustments are added to the profile: see funding.adjustments.
-- The lines of a year add up to funding.budget_years; what was carried without a line has the line 'not_stated'.
-- Grain: one row per award, financial year and cost category
-- Key: award_key, financial_year, cost_category
-- Source: docs/domain.md 3.1, 3.2, 7.13, 7.16
-- Columns:
--   award_key         VARCHAR not null  The award: see funding.award_records.
--   programme_code    VARCHAR not null  The programme the money is for.
--   financial_year    VARCHAR not null  Financial year.
--   cost_category     VARCHAR not null  Budget line, or 'not_stated'.
--   profile_gbp       DECIMAL(14,2)  Agreed profile; empty where there is none. Unit: pounds.
--   virement_in_gbp   DECIMAL(14,2) not null  Moved into the line. Unit: pounds.
--   virement_out_gbp  DECIMAL(14,2) not null  Moved out of the line. Unit: pounds.
--   carried_in_gbp    DECIMAL(14,2) not null  Carried forward from earlier years. Unit: pounds.
--   carried_out_gbp   DECIMAL(14,2) not null  Carried forward to later years. Unit: pounds.
--   budget_gbp        DECIMAL(14,2) not null  Budget of the line: the profile, and what was moved and carried. Unit:
--       pounds.
--   spent_gbp         DECIMAL(14,2)  Spent of the grant; empty where no expenditure was sent. Unit: pounds.
--   left_gbp          DECIMAL(14,2) not null  budget_gbp less spent_gbp: below 0 where overspent. Unit: pounds.
WITH moved AS (
  SELECT
    award_key,
    programme_code,
    from_fy AS financial_year,
    cost_category,
    if(adjustment_type = 'virement_in', amount_gbp, 0) AS moved_in,
    if(adjustment_type = 'virement_out', amount_gbp, 0) AS moved_out
  FROM funding.adjustments
  WHERE adjustment_type IN ('virement_in', 'virement_out') AND is_on_top
),
carried AS (
  SELECT award_key, programme_code, from_fy, to_fy, coalesce(cost_category, 'not_stated') AS cost_category, amount_gbp
  FROM funding.adjustments
  WHERE adjustment_type = 'carry_forward' AND is_on_top
),
parts AS (
  SELECT award_key, programme_code, financial_year, cost_category, profile_gbp
  FROM funding.profile_lines
  UNION ALL BY NAME
  FROM moved
  UNION ALL BY NAME
  SELECT award_key, programme_code, from_fy AS financial_year, cost_category, amount_gbp AS carried_out
  FROM carried
  UNION ALL BY NAME
  SELECT award_key, programme_code, to_fy AS financial_year, cost_category, amount_gbp AS carried_in
  FROM carried
  UNION ALL BY NAME
  SELECT award_key, programme_code, financial_year, cost_category, actual_gbp AS spent_gbp
  FROM funding.spending
  WHERE funding_source = 'grant'
)
SELECT
  award_key,
  programme_code,
  financial_year,
  cost_category,
  sum(profile_gbp)::DECIMAL(14, 2) AS profile_gbp,
  coalesce(sum(moved_in), 0)::DECIMAL(14, 2) AS virement_in_gbp,
  coalesce(sum(moved_out), 0)::DECIMAL(14, 2) AS virement_out_gbp,
  coalesce(sum(carried_in), 0)::DECIMAL(14, 2) AS carried_in_gbp,
  coalesce(sum(carried_out), 0)::DECIMAL(14, 2) AS carried_out_gbp,
  (coalesce(sum(profile_gbp), 0) + virement_in_gbp - virement_out_gbp + carried_in_gbp - carried_out_gbp)
    ::DECIMAL(14, 2) AS budget_gbp,
  sum(spent_gbp)::DECIMAL(14, 2) AS spent_gbp,
  (budget_gbp - coalesce(sum(spent_gbp), 0))::DECIMAL(14, 2) AS left_gbp
FROM parts
GROUP BY award_key, programme_code, financial_year, cost_category
