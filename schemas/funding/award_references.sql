-- funding.award_references
-- The award that each site means by a reference: one of its own area, or one of its whole programme. Claims, spending
-- and adjustments name an award by the reference under which it was sent, and are placed by this table.
-- Grain: one row per site and award reference
-- Key: site_code, award_id
-- Source: docs/domain.md 3.1, 3.2
-- Columns:
--   site_code       VARCHAR not null  The site that may use the reference.
--   award_id        VARCHAR not null  The reference.
--   award_key       VARCHAR not null  The award: see funding.award_records.
--   programme_code  VARCHAR not null  The programme the money is for.
--   award_date      DATE  The earliest date of the award. Empty if none is stated.
--   start_date      DATE  First day that the money is for, by the latest version that states one. Empty if none is
--       stated.
--   end_date        DATE  Last day that the money is for, likewise. Empty if none is stated.
--   current_gbp     DECIMAL(14,2)  Current value of the signed award: see funding.award_position. Unit: pounds.
WITH dates AS (
  SELECT
    award_key,
    min(award_date) FILTER (award_stage IN ('awarded', 'varied', 'closed')) AS award_date,
    arg_max(start_date, award_version) FILTER (start_date IS NOT NULL) AS start_date,
    arg_max(end_date, award_version) FILTER (end_date IS NOT NULL) AS end_date
  FROM funding.award_records
  GROUP BY award_key
)
SELECT
  s.site_code,
  r.award_id,
  r.award_key,
  p.programme_code,
  d.award_date,
  d.start_date,
  d.end_date,
  p.current_gbp
FROM core.sites AS s
JOIN funding.award_records AS r
  ON r.programme_code = s.programme_code AND coalesce(r.area_site_code, s.site_code) = s.site_code
JOIN funding.award_position AS p USING (award_key)
JOIN dates AS d USING (award_key)
-- A site's own award comes before one of its programme with the same reference.
QUALIFY row_number() OVER (
  PARTITION BY s.site_code, r.award_id
  ORDER BY r.area_site_code IS NULL, r.award_key, r.award_stage, r.award_version, r.sender_code
) = 1
