-- funding.claims_position
-- How far the claims of each award have come: asked for, approved, paid and returned, a column for each. Advances are
-- money, not costs, and have columns of their own.
-- Grain: one row per award with a claim
-- Key: award_key
-- Source: docs/domain.md 3.1, 3.2, 7.14
-- Columns:
--   award_key               VARCHAR not null  The award: see funding.award_records.
--   award_id                VARCHAR not null  The award's reference.
--   programme_code          VARCHAR not null  The programme the money is for.
--   site_code               VARCHAR  The site that claims; empty where several do.
--   current_gbp             DECIMAL(14,2)  Current value of the signed award. Unit: pounds.
--   n_claims                BIGINT not null  Claims for costs, corrections not counted. Unit: claims.
--   n_corrections           BIGINT not null  Claims that correct others. Unit: claims.
--   n_rejected              BIGINT not null  Rejected claims, which are in no sum but rejected_gbp. Unit: claims.
--   claimed_to              DATE  Last day for which costs were claimed. Empty if there is no claim.
--   costs_gbp               DECIMAL(14,2)  Costs claimed, of grant and match. Unit: pounds.
--   grant_claimed_gbp       DECIMAL(14,2)  Asked of the grant, corrections included. Unit: pounds.
--   corrections_gbp         DECIMAL(14,2)  The part of it that corrects earlier claims. Unit: pounds.
--   undecided_gbp           DECIMAL(14,2)  The part of it without a decision yet. Unit: pounds.
--   approved_gbp            DECIMAL(14,2)  Approved. Unit: pounds.
--   disallowed_gbp          DECIMAL(14,2)  Disallowed. Unit: pounds.
--   rejected_gbp            DECIMAL(14,2)  Asked for in claims that were rejected. Unit: pounds.
--   paid_gbp                DECIMAL(14,2)  Paid for claims of costs. Unit: pounds.
--   advances_approved_gbp   DECIMAL(14,2)  Advances approved. Unit: pounds.
--   advances_paid_gbp       DECIMAL(14,2)  Advances paid. Unit: pounds.
--   last_payment            DATE  Day of the last payment. Empty if nothing was paid.
--   returned_gbp            DECIMAL(14,2)  Returned to the funder. Unit: pounds.
--   unclaimed_gbp           DECIMAL(14,2)  current_gbp less grant_claimed_gbp: what can still be claimed; empty where
--       the award's value is not known. Unit: pounds.
WITH returned AS (
  SELECT award_key, sum(amount_gbp)::DECIMAL(14, 2) AS returned_gbp
  FROM funding.adjustments
  WHERE adjustment_type = 'clawback'
  GROUP BY award_key
)
SELECT
  c.award_key,
  p.award_id,
  p.programme_code,
  if(count(DISTINCT c.site_code) = 1, min(c.site_code), NULL) AS site_code,
  p.current_gbp,
  count(*) FILTER (c.is_counted AND c.claim_type <> 'adjustment') AS n_claims,
  count(*) FILTER (c.is_counted AND c.claim_type = 'adjustment') AS n_corrections,
  count(*) FILTER (c.claim_status = 'rejected') AS n_rejected,
  max(c.claim_period_end) FILTER (c.is_counted) AS claimed_to,
  sum(c.costs_gbp) FILTER (c.is_counted)::DECIMAL(14, 2) AS costs_gbp,
  sum(c.grant_claimed_gbp) FILTER (c.is_counted)::DECIMAL(14, 2) AS grant_claimed_gbp,
  sum(c.grant_claimed_gbp) FILTER (c.is_counted AND c.claim_type = 'adjustment')::DECIMAL(14, 2) AS corrections_gbp,
  sum(c.grant_claimed_gbp) FILTER (c.is_counted AND c.approved_gbp IS NULL)::DECIMAL(14, 2) AS undecided_gbp,
  sum(c.approved_gbp) FILTER (c.is_counted)::DECIMAL(14, 2) AS approved_gbp,
  sum(c.disallowed_gbp) FILTER (c.is_counted)::DECIMAL(14, 2) AS disallowed_gbp,
  sum(c.grant_claimed_gbp) FILTER (c.claim_status = 'rejected')::DECIMAL(14, 2) AS rejected_gbp,
  sum(c.paid_gbp) FILTER (c.is_counted)::DECIMAL(14, 2) AS paid_gbp,
  sum(c.approved_gbp) FILTER (c.claim_type = 'advance')::DECIMAL(14, 2) AS advances_approved_gbp,
  sum(c.paid_gbp) FILTER (c.claim_type = 'advance')::DECIMAL(14, 2) AS advances_paid_gbp,
  max(c.paid_date) AS last_payment,
  any_value(r.returned_gbp) AS returned_gbp,
  (p.current_gbp - coalesce(sum(c.grant_claimed_gbp) FILTER (c.is_counted), 0))::DECIMAL(14, 2) AS unclaimed_gbp
FROM funding.claim_records AS c
JOIN funding.award_position AS p USING (award_key)
LEFT JOIN returned AS r USING (award_key)
GROUP BY c.award_key, p.award_id, p.programme_code, p.current_gbp
