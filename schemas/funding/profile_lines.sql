-- funding.profile_lines
-- The agreed profile of each award that counts: the latest version that its site has sent, whole.
-- Grain: one row per award, site, quarter and cost category
-- Key: award_key, site_code, financial_year, quarter, cost_category
-- Source: docs/domain.md 3.1, 7.13
-- Columns:
--   award_key        VARCHAR not null  The award: see funding.award_records.
--   programme_code   VARCHAR not null  The programme the money is for.
--   site_code        VARCHAR not null  The site that sent the profile.
--   award_id         VARCHAR not null  The reference under which it was sent.
--   profile_version  BIGINT not null  The version that counts.
--   approved_date    DATE not null  The day on which that version was agreed.
--   financial_year   VARCHAR not null  Financial year of the quarter.
--   quarter          VARCHAR not null  Quarter of the financial year, Q1 (April to June) to Q4.
--   quarter_end      DATE not null  Last day of the quarter.
--   cost_category    VARCHAR not null  Budget line.
--   profile_gbp      DECIMAL(14,2) not null  Agreed budget. Unit: pounds.
--   forecast_gbp     DECIMAL(14,2)  Latest forecast, for a quarter to come. Unit: pounds.
--   delivery_id      VARCHAR not null  The delivery it came in.
--   source_row       BIGINT not null  Its row in the sender's file.
SELECT
  a.award_key,
  a.programme_code,
  p.site_code,
  p.award_id,
  p.profile_version,
  max(p.approved_date) OVER (PARTITION BY p.site_code, p.award_id) AS approved_date,
  p.financial_year,
  p.quarter,
  (make_date(left(p.financial_year, 4)::INT, 4, 1) + to_months(3 * right(p.quarter, 1)::INT))::DATE - 1 AS quarter_end,
  p.cost_category,
  p.profile_amount AS profile_gbp,
  p.forecast_amount AS forecast_gbp,
  p.delivery_id,
  p.source_row
FROM (
  SELECT *
  FROM core.funding_profile
  QUALIFY profile_version = max(profile_version) OVER (PARTITION BY site_code, award_id)
) AS p
JOIN funding.award_references AS a USING (site_code, award_id)
