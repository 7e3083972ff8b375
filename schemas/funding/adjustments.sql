-- funding.adjustments
-- Every virement, carry-forward and clawback, placed by award, and whether it comes on top of the profile. An
-- adjustment approved after the profile's latest version does; one approved on that day or before is part of it.
-- Grain: one row per adjustment
-- Key: site_code, adjustment_id
-- Source: docs/domain.md 3.1, 7.16
-- Columns:
--   award_key        VARCHAR not null  The award: see funding.award_records.
--   programme_code   VARCHAR not null  The programme the money is for.
--   site_code        VARCHAR not null  The site that sent it.
--   award_id         VARCHAR not null  The reference under which it was sent.
--   adjustment_id    VARCHAR not null  The adjustment.
--   adjustment_type  VARCHAR not null  virement_out, virement_in, carry_forward or clawback.
--   from_fy          VARCHAR not null  Financial year whose budget it is taken from.
--   to_fy            VARCHAR not null  Financial year whose budget it is added to.
--   cost_category    VARCHAR  Budget line; empty where it is about a whole year.
--   amount_gbp       DECIMAL(14,2) not null  The amount. Unit: pounds.
--   approved_date    DATE not null  Day of the approval.
--   is_on_top        BOOLEAN not null  Whether it is added to the profile.
--   delivery_id      VARCHAR not null  The delivery it came in.
--   source_row       BIGINT not null  Its row in the sender's file.
SELECT
  a.award_key,
  a.programme_code,
  v.site_code,
  v.award_id,
  v.adjustment_id,
  v.adjustment_type,
  v.from_fy,
  v.to_fy,
  v.cost_category,
  v.amount AS amount_gbp,
  v.approved_date,
  p.approved_date IS NULL OR v.approved_date > p.approved_date AS is_on_top,
  v.delivery_id,
  v.source_row
FROM core.virements_carry_forward AS v
JOIN funding.award_references AS a USING (site_code, award_id)
LEFT JOIN (SELECT award_key, max(approved_date) AS approved_date FROM funding.profile_lines GROUP BY award_key) AS p
  USING (award_key)
