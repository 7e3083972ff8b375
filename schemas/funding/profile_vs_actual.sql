-- funding.profile_vs_actual
-- Budget and spending of each award by quarter, with running totals, what is left of the award, and where it is heading.
-- The profile spreads the grant, so it is compared with spending of the grant alone; spending of match stands beside it
-- in columns of its own. Budget that was carried into another year is in funding.budget_years.
-- Grain: one row per award and quarter
-- Key: award_key, financial_year, quarter
-- Source: docs/domain.md 3.1, 3.2, 7.13 to 7.15
-- Columns:
--   award_key               VARCHAR not null  The award: see funding.award_records.
--   award_id                VARCHAR not null  The award's reference.
--   programme_code          VARCHAR not null  The programme the money is for.
--   site_code               VARCHAR  The site the money is for; empty for a whole programme.
--   financial_year          VARCHAR not null  Financial year.
--   quarter                 VARCHAR not null  Quarter of the financial year, Q1 (April to June) to Q4.
--   quarter_end             DATE not null  Last day of the quarter.
--   data_cut_date           DATE not null  Date to which the award's data are complete.
--   is_over                 BOOLEAN not null  Whether the quarter was over by then.
--   profile_gbp             DECIMAL(14,2)  Agreed budget; empty where there is none. Unit: pounds.
--   forecast_gbp            DECIMAL(14,2)  Latest forecast, for a quarter to come. Unit: pounds.
--   actual_gbp              DECIMAL(14,2)  Spent of the grant; empty where no spending was sent. Unit: pounds.
--   variance_gbp            DECIMAL(14,2)  profile_gbp less actual_gbp: above 0 is underspent. Unit: pounds.
--   match_cash_gbp          DECIMAL(14,2)  Spent of match in cash. Unit: pounds.
--   match_in_kind_gbp       DECIMAL(14,2)  Match in kind, at its value. Unit: pounds.
--   accrual_gbp             DECIMAL(14,2)  Costs not in the ledger yet, less those reversed. Unit: pounds.
--   claimed_gbp             DECIMAL(14,2)  Asked of the grant for the quarter, corrections included. Unit: pounds.
--   approved_gbp            DECIMAL(14,2)  Approved for the quarter. Unit: pounds.
--   paid_gbp                DECIMAL(14,2)  Paid for the quarter, advances not included. Unit: pounds.
--   cumulative_profile_gbp  DECIMAL(14,2)  Budget up to the quarter. Unit: pounds.
--   cumulative_actual_gbp   DECIMAL(14,2)  Spent of the grant up to the quarter. Unit: pounds.
--   remaining_gbp           DECIMAL(14,2)  Award less what was spent up to the quarter; empty where the award's value is
--       not known, or the quarter is not over. Unit: pounds.
--   is_missing              BOOLEAN not null  Whether the quarter is over, has a budget, and no spending was sent.
--   forecast_outturn_gbp    DECIMAL(14,2)  Where the award is heading, the same on all its rows: what was spent, and for
--       quarters to come the forecast, or else the profile. Empty where spending is missing. Unit: pounds.
WITH parts AS (
  SELECT award_key, financial_year, quarter, quarter_end, profile_gbp, forecast_gbp, delivery_id
  FROM funding.profile_lines
  UNION ALL BY NAME
  SELECT
    award_key,
    financial_year,
    quarter,
    quarter_end,
    if(funding_source = 'grant', actual_gbp, NULL) AS actual_gbp,
    if(funding_source = 'match_cash', actual_gbp, NULL) AS match_cash_gbp,
    if(funding_source = 'match_in_kind', actual_gbp, NULL) AS match_in_kind_gbp,
    if(funding_source = 'grant', accrual_gbp, NULL) AS accrual_gbp,
    delivery_id
  FROM funding.spending
  UNION ALL BY NAME
  SELECT
    award_key,
    financial_year,
    quarter,
    quarter_end,
    grant_claimed_gbp AS claimed_gbp,
    approved_gbp,
    paid_gbp,
    delivery_id
  FROM funding.claim_records
  WHERE is_counted
),
quarters AS (
  SELECT
    award_key,
    financial_year,
    quarter,
    quarter_end,
    sum(profile_gbp) AS profile_gbp,
    sum(forecast_gbp) AS forecast_gbp,
    sum(actual_gbp) AS actual_gbp,
    sum(match_cash_gbp) AS match_cash_gbp,
    sum(match_in_kind_gbp) AS match_in_kind_gbp,
    sum(accrual_gbp) AS accrual_gbp,
    sum(claimed_gbp) AS claimed_gbp,
    sum(approved_gbp) AS approved_gbp,
    sum(paid_gbp) AS paid_gbp
  FROM parts
  GROUP BY award_key, financial_year, quarter, quarter_end
),
cut_offs AS (
  SELECT p.award_key, max(d.data_cut_date) AS data_cut_date
  FROM parts AS p
  JOIN audit.deliveries AS d USING (delivery_id)
  GROUP BY p.award_key
),
placed AS (
  SELECT
    q.*,
    c.data_cut_date,
    q.quarter_end <= c.data_cut_date AS is_over,
    is_over AND q.profile_gbp > 0 AND q.actual_gbp IS NULL AS is_missing,
    if(is_over, q.actual_gbp, coalesce(q.actual_gbp, q.forecast_gbp, q.profile_gbp)) AS expected_gbp
  FROM quarters AS q
  JOIN cut_offs AS c USING (award_key)
)
SELECT
  q.award_key,
  p.award_id,
  p.programme_code,
  p.site_code,
  q.financial_year,
  q.quarter,
  q.quarter_end,
  q.data_cut_date,
  q.is_over,
  q.profile_gbp::DECIMAL(14, 2) AS profile_gbp,
  q.forecast_gbp::DECIMAL(14, 2) AS forecast_gbp,
  q.actual_gbp::DECIMAL(14, 2) AS actual_gbp,
  (q.profile_gbp - q.actual_gbp)::DECIMAL(14, 2) AS variance_gbp,
  q.match_cash_gbp::DECIMAL(14, 2) AS match_cash_gbp,
  q.match_in_kind_gbp::DECIMAL(14, 2) AS match_in_kind_gbp,
  q.accrual_gbp::DECIMAL(14, 2) AS accrual_gbp,
  q.claimed_gbp::DECIMAL(14, 2) AS claimed_gbp,
  q.approved_gbp::DECIMAL(14, 2) AS approved_gbp,
  q.paid_gbp::DECIMAL(14, 2) AS paid_gbp,
  sum(q.profile_gbp) OVER so_far::DECIMAL(14, 2) AS cumulative_profile_gbp,
  sum(q.actual_gbp) OVER so_far::DECIMAL(14, 2) AS cumulative_actual_gbp,
  if(q.is_over, p.current_gbp - coalesce(sum(q.actual_gbp) OVER so_far, 0), NULL)::DECIMAL(14, 2) AS remaining_gbp,
  coalesce(q.is_missing, false) AS is_missing,
  if(bool_or(q.is_missing) OVER of_award, NULL, sum(q.expected_gbp) OVER of_award)::DECIMAL(14, 2)
    AS forecast_outturn_gbp
FROM placed AS q
JOIN funding.award_position AS p USING (award_key)
WINDOW
  of_award AS (PARTITION BY q.award_key),
  so_far AS (PARTITION BY q.award_key ORDER BY q.quarter_end)
