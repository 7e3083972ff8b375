-- funding.programme_position
-- Money promised to each programme, given, claimed and spent, a column for each kind of money. Only two sums cross
-- columns: what is left of the signed awards (current_gbp less spent_grant_gbp), and the headline. The
-- headline is what government announced plus what others pledged as match (for the Trailblazers 6.0m + 6.0m = 12.0m).
-- Caps are limits, and are never added to anything: what they may mean beside the announcements is in funding.readings.
-- Bids, and money that depends on an approval still to come, are in no column. Amounts that no source gives are counted
-- in n_amounts_unknown and are in no total. So a total beside unknown amounts is a minimum, and where all
-- amounts are unknown the total is empty, never 0. Every pound is counted once, whoever sends it: which records count
-- is decided in funding.award_records and funding.match_records. Stages are never added up.
-- Grain: one row per programme
-- Key: programme_code
-- Source: docs/domain.md 0.1, 0.2, 1.1, 1.2, 3.1, 3.2
-- Columns:
--   programme_code       VARCHAR not null  The programme.
--   programme_name       VARCHAR not null  Its name.
--   may_overlap_with     VARCHAR  Name of a programme that may be the same in part: the two are never added together.
--       Empty if there is none.
--   cap_gbp              DECIMAL(14,2)  Indicative caps ('up to'): limits. Unit: pounds.
--   announced_gbp        DECIMAL(14,2)  Announced government money. Unit: pounds.
--   awarded_gbp          DECIMAL(14,2)  Signed agreements, variations not included. Unit: pounds.
--   current_gbp          DECIMAL(14,2)  Signed agreements as they stand, variations included. Unit: pounds.
--   match_pledged_gbp    DECIMAL(14,2)  Match that others pledged. Unit: pounds.
--   match_confirmed_gbp  DECIMAL(14,2)  Match that was confirmed. Unit: pounds.
--   match_evidenced_gbp  DECIMAL(14,2)  Match that was spent and evidenced. Unit: pounds.
--   claimed_gbp          DECIMAL(14,2)  Asked of the grants in claims, corrections included. Unit: pounds.
--   approved_gbp         DECIMAL(14,2)  Approved of that. Unit: pounds.
--   paid_gbp             DECIMAL(14,2)  Paid for claims, advances included. Unit: pounds.
--   returned_gbp         DECIMAL(14,2)  Returned to the funder. Unit: pounds.
--   outcome_payments_gbp  DECIMAL(14,2)  Paid for outcomes, under contracts by results. Unit: pounds.
--   spent_grant_gbp      DECIMAL(14,2)  Spent of the grants, by the ledgers. Unit: pounds.
--   spent_match_gbp      DECIMAL(14,2)  Spent of match, by the same ledgers, in kind included. Unit: pounds.
--   spent_to             DATE  Last day of the ledger periods that were sent. Empty if no spending was sent.
--   unspent_gbp          DECIMAL(14,2)  current_gbp less spent_grant_gbp; empty unless both are known. Unit: pounds.
--   headline_gbp         DECIMAL(14,2)  announced_gbp + match_pledged_gbp; empty unless both are known. Unit: pounds.
--   n_awards             BIGINT not null  Awards that were promised or made. Unit: awards.
--   n_amounts_known      BIGINT not null  Amounts (award stages and match) that are known. Unit: amounts.
--   n_amounts_unknown    BIGINT not null  Amounts that are unknown or not published: in no total. Unit: amounts.
WITH stages AS (
  SELECT
    programme_code,
    sum(amount_gbp) FILTER (award_stage = 'indicative_cap') AS cap_gbp,
    sum(amount_gbp) FILTER (award_stage = 'announced') AS announced_gbp,
    sum(amount_gbp) FILTER (award_stage = 'awarded') AS awarded_gbp,
    count(amount_gbp) AS n_known,
    count(*) - count(amount_gbp) AS n_unknown
  FROM funding.award_stages
  WHERE is_promised AND NOT is_replaced
  GROUP BY programme_code
),
awards AS (
  SELECT programme_code, count(*) AS n_awards, sum(current_gbp) AS current_gbp
  FROM funding.award_position
  WHERE is_promised AND NOT is_replaced
  GROUP BY programme_code
),
matched AS (
  SELECT
    programme_code,
    sum(amount_gbp) FILTER (match_stage = 'pledged') AS pledged_gbp,
    sum(amount_gbp) FILTER (match_stage = 'confirmed') AS confirmed_gbp,
    sum(amount_gbp) FILTER (match_stage = 'evidenced') AS evidenced_gbp,
    count(amount_gbp) AS n_known,
    count(*) - count(amount_gbp) AS n_unknown
  FROM funding.match_records
  WHERE is_counted
  GROUP BY programme_code
),
claimed AS (
  SELECT
    programme_code,
    sum(grant_claimed_gbp) FILTER (is_counted) AS claimed_gbp,
    sum(approved_gbp) FILTER (is_counted) AS approved_gbp,
    sum(paid_gbp) AS paid_gbp
  FROM funding.claim_records
  GROUP BY programme_code
),
returned AS (
  SELECT programme_code, sum(amount_gbp) AS returned_gbp
  FROM funding.adjustments
  WHERE adjustment_type = 'clawback'
  GROUP BY programme_code
),
by_results AS (
  SELECT programme_code, sum(paid_gbp) AS outcome_payments_gbp FROM funding.outcome_payments GROUP BY programme_code
),
spent AS (
  SELECT
    programme_code,
    sum(actual_gbp) FILTER (funding_source = 'grant') AS spent_grant_gbp,
    sum(actual_gbp) FILTER (funding_source <> 'grant') AS spent_match_gbp,
    max(period_end) AS spent_to
  FROM funding.spending
  GROUP BY programme_code
)
SELECT
  p.programme_code,
  p.programme_name,
  o.programme_name AS may_overlap_with,
  s.cap_gbp::DECIMAL(14, 2) AS cap_gbp,
  s.announced_gbp::DECIMAL(14, 2) AS announced_gbp,
  s.awarded_gbp::DECIMAL(14, 2) AS awarded_gbp,
  a.current_gbp::DECIMAL(14, 2) AS current_gbp,
  m.pledged_gbp::DECIMAL(14, 2) AS match_pledged_gbp,
  m.confirmed_gbp::DECIMAL(14, 2) AS match_confirmed_gbp,
  m.evidenced_gbp::DECIMAL(14, 2) AS match_evidenced_gbp,
  c.claimed_gbp::DECIMAL(14, 2) AS claimed_gbp,
  c.approved_gbp::DECIMAL(14, 2) AS approved_gbp,
  c.paid_gbp::DECIMAL(14, 2) AS paid_gbp,
  r.returned_gbp::DECIMAL(14, 2) AS returned_gbp,
  b.outcome_payments_gbp::DECIMAL(14, 2) AS outcome_payments_gbp,
  x.spent_grant_gbp::DECIMAL(14, 2) AS spent_grant_gbp,
  x.spent_match_gbp::DECIMAL(14, 2) AS spent_match_gbp,
  x.spent_to,
  (a.current_gbp - x.spent_grant_gbp)::DECIMAL(14, 2) AS unspent_gbp,
  (s.announced_gbp + m.pledged_gbp)::DECIMAL(14, 2) AS headline_gbp,
  coalesce(a.n_awards, 0) AS n_awards,
  coalesce(s.n_known, 0) + coalesce(m.n_known, 0) AS n_amounts_known,
  coalesce(s.n_unknown, 0) + coalesce(m.n_unknown, 0) AS n_amounts_unknown
FROM core.programmes AS p
LEFT JOIN stages AS s USING (programme_code)
LEFT JOIN awards AS a USING (programme_code)
LEFT JOIN matched AS m USING (programme_code)
LEFT JOIN claimed AS c USING (programme_code)
LEFT JOIN returned AS r USING (programme_code)
LEFT JOIN by_results AS b USING (programme_code)
LEFT JOIN spent AS x USING (programme_code)
LEFT JOIN core.programmes AS o ON o.programme_code = p.may_overlap_with
