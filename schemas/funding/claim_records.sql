-- funding.claim_records
-- Every claim, placed by award and by quarter of the financial year, and whether the figures count it. A draft asks for
-- nothing yet, and what was rejected may be claimed again. An advance asks for money, not for costs: the claim of the
-- period that it was for takes its place, so it is counted among payments alone. A correction counts with its sign, in
-- the period that it corrects.
-- Grain: one row per claim
-- Key: site_code, claim_id
-- Source: docs/domain.md 3.1, 3.3, 7.14
-- Columns:
--   award_key           VARCHAR not null  The award: see funding.award_records.
--   programme_code      VARCHAR not null  The programme the money is for.
--   site_code           VARCHAR not null  The site that claims.
--   award_id            VARCHAR not null  The reference under which it was sent.
--   claim_id            VARCHAR not null  The claim.
--   claim_type          VARCHAR not null  normal, advance, adjustment or final.
--   claim_status        VARCHAR not null  draft, submitted, approved, rejected or paid.
--   is_counted          BOOLEAN not null  Whether it counts as a claim for costs.
--   claim_period_start  DATE not null  First day of its period.
--   claim_period_end    DATE not null  Last day of its period.
--   financial_year      VARCHAR not null  Financial year of the period's last day.
--   quarter             VARCHAR not null  Quarter of the financial year, Q1 (April to June) to Q4.
--   quarter_end         DATE not null  Last day of that quarter.
--   submitted_date      DATE  Day on which it was submitted. Empty if it was not submitted.
--   days_to_submit      BIGINT  Days from the end of its period to that day. Empty if it was not submitted. Unit: days.
--   costs_gbp           DECIMAL(14,2) not null  Costs claimed. Unit: pounds.
--   eligible_gbp        DECIMAL(14,2) not null  Eligible costs. Unit: pounds.
--   grant_claimed_gbp   DECIMAL(14,2) not null  Asked of the grant. Unit: pounds.
--   intervention_rate   DECIMAL(14,4)  Share of the eligible costs that the grant bears, where the award fixes one.
--       Empty if it fixes none. Unit: proportion, 0 to 1.
--   match_share_gbp     DECIMAL(14,2) not null  Borne by match. Unit: pounds.
--   approved_gbp        DECIMAL(14,2)  Approved; empty until decided. Unit: pounds.
--   disallowed_gbp      DECIMAL(14,2)  Disallowed; empty until decided. Unit: pounds.
--   paid_gbp            DECIMAL(14,2)  Paid; empty until then. Unit: pounds.
--   paid_date           DATE  Day of the payment. Empty if it was not paid.
--   corrects_claim_id   VARCHAR  The claim that it corrects. Empty if it corrects none.
--   delivery_id         VARCHAR not null  The delivery it came in.
--   source_row          BIGINT not null  Its row in the sender's file.
SELECT
  a.award_key,
  a.programme_code,
  c.site_code,
  c.award_id,
  c.claim_id,
  c.claim_type,
  c.claim_status,
  c.claim_status NOT IN ('draft', 'rejected') AND c.claim_type <> 'advance' AS is_counted,
  c.claim_period_start,
  c.claim_period_end,
  financial_year(c.claim_period_end) AS financial_year,
  'Q' || quarter(c.claim_period_end - INTERVAL 3 MONTH) AS quarter,
  last_day(make_date(year(c.claim_period_end), 3 * quarter(c.claim_period_end), 1)) AS quarter_end,
  c.submitted_date,
  (c.submitted_date - c.claim_period_end)::BIGINT AS days_to_submit,
  c.claimed_amount AS costs_gbp,
  c.eligible_amount AS eligible_gbp,
  c.grant_share AS grant_claimed_gbp,
  c.intervention_rate,
  c.match_share AS match_share_gbp,
  c.approved_amount AS approved_gbp,
  c.disallowed_amount AS disallowed_gbp,
  c.paid_amount AS paid_gbp,
  c.paid_date,
  c.original_claim_id AS corrects_claim_id,
  c.delivery_id,
  c.source_row
FROM core.claims AS c
JOIN funding.award_references AS a USING (site_code, award_id)
