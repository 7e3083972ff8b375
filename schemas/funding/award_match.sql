-- funding.award_match
-- Match on record for each award. Pledged, confirmed and evidenced are three statements of the same money, so the
-- largest is what the match amounts to.
-- Grain: one row per award with match
-- Key: award_key
-- Source: docs/domain.md 3.1, 7.12
-- Columns:
--   award_key      VARCHAR not null  The award: see funding.award_records.
--   pledged_gbp    DECIMAL(14,2)  Pledged. Unit: pounds.
--   confirmed_gbp  DECIMAL(14,2)  Confirmed. Unit: pounds.
--   evidenced_gbp  DECIMAL(14,2)  Spent and evidenced. Unit: pounds.
--   match_gbp      DECIMAL(14,2)  The largest of the three. Unit: pounds.
SELECT
  a.award_key,
  sum(m.amount_gbp) FILTER (m.match_stage = 'pledged')::DECIMAL(14, 2) AS pledged_gbp,
  sum(m.amount_gbp) FILTER (m.match_stage = 'confirmed')::DECIMAL(14, 2) AS confirmed_gbp,
  sum(m.amount_gbp) FILTER (m.match_stage = 'evidenced')::DECIMAL(14, 2) AS evidenced_gbp,
  greatest(pledged_gbp, confirmed_gbp, evidenced_gbp) AS match_gbp
FROM funding.match_records AS m
JOIN funding.award_references AS a ON a.site_code = m.area_site_code AND a.award_id = m.award_id
WHERE m.is_counted OR m.is_part
GROUP BY a.award_key
