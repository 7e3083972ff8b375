-- funding.award_identities
-- Sums that must agree for each award: the award with its variations, profile, claims with their lines, approvals and
-- payments, spending, virements, carry-forward and match. Each has what is expected and what was found. A limit may be
-- stayed below; an unknown amount leaves the check ambiguous.
-- Grain: one row per check and award, for budgets and carry-forward also per year
-- Key: check_code, subject
-- Source: docs/domain.md 3.2
-- Columns:
--   check_code      VARCHAR not null  The check.
--   programme_code  VARCHAR not null  The programme.
--   subject         VARCHAR not null  The award: see funding.award_records; for budgets and carry-forward
--       with the year.
--   title           VARCHAR not null  What the check expects, in plain words.
--   expected_gbp    DECIMAL(14,2)  The sum that is expected, or the limit. Unit: pounds.
--   actual_gbp      DECIMAL(14,2)  The sum that was found. Unit: pounds.
--   status          VARCHAR not null  reconciles, ambiguous or breach.
--   note            VARCHAR not null  What a difference means.
WITH timing AS (
  SELECT
    award_key,
    max(data_cut_date) AS data_cut_date,
    -- The end of a financial year has passed for which the award has a budget.
    bool_or(quarter = 'Q4' AND is_over AND profile_gbp IS NOT NULL) AS is_year_over,
    sum(actual_gbp) AS spent_grant_gbp,
    sum(profile_gbp) AS profile_gbp
  FROM funding.profile_vs_actual
  GROUP BY award_key
),
first_awarded AS (
  SELECT award_key, arg_min(standing_amount_gbp, award_version) AS first_gbp
  FROM funding.award_records
  WHERE award_stage = 'awarded'
  GROUP BY award_key
),
spent AS (
  SELECT
    award_key,
    sum(actual_gbp) AS spent_gbp,
    sum(actual_gbp) FILTER (funding_source <> 'grant') AS spent_match_gbp
  FROM funding.spending
  GROUP BY award_key
),
by_results AS (
  SELECT award_key, sum(paid_gbp) AS outcome_payments_gbp FROM funding.outcome_payments GROUP BY award_key
),
ends AS (
  SELECT award_key, max(end_date) AS end_date FROM funding.award_references GROUP BY award_key
),
awards AS (
  SELECT
    p.award_key,
    p.programme_code,
    p.current_gbp,
    p.varied_gbp,
    f.first_gbp,
    t.profile_gbp,
    t.spent_grant_gbp,
    coalesce(t.is_year_over, false) AS is_year_over,
    coalesce(t.data_cut_date >= e.end_date, false) AS is_ended,
    c.grant_claimed_gbp,
    c.approved_gbp,
    coalesce(c.approved_gbp, 0) + coalesce(c.advances_approved_gbp, 0) AS approved_in_all_gbp,
    if(
      coalesce(c.paid_gbp, c.advances_paid_gbp) IS NULL,
      NULL,
      coalesce(c.paid_gbp, 0) + coalesce(c.advances_paid_gbp, 0)
    ) AS paid_in_all_gbp,
    c.returned_gbp,
    m.pledged_gbp,
    m.evidenced_gbp,
    p.current_gbp + coalesce(m.match_gbp, 0) AS allowed_gbp,
    s.spent_gbp,
    s.spent_match_gbp,
    r.outcome_payments_gbp
  FROM funding.award_position AS p
  LEFT JOIN first_awarded AS f USING (award_key)
  LEFT JOIN timing AS t USING (award_key)
  LEFT JOIN ends AS e USING (award_key)
  LEFT JOIN funding.claims_position AS c USING (award_key)
  LEFT JOIN funding.award_match AS m USING (award_key)
  LEFT JOIN spent AS s USING (award_key)
  LEFT JOIN by_results AS r USING (award_key)
  WHERE NOT p.is_replaced
),
lines AS (
  SELECT c.award_key, c.programme_code, sum(c.costs_gbp) AS costs_gbp, sum(l.lines_gbp) AS lines_gbp
  FROM funding.claim_records AS c
  LEFT JOIN (SELECT site_code, claim_id, sum(amount) AS lines_gbp FROM core.claim_lines GROUP BY site_code, claim_id) AS l
    USING (site_code, claim_id)
  WHERE c.is_counted AND c.site_code IN (SELECT site_code FROM core.claim_lines)
  GROUP BY c.award_key, c.programme_code
),
rated AS (
  SELECT
    award_key,
    programme_code,
    sum(eligible_gbp * intervention_rate) AS expected_gbp,
    sum(grant_claimed_gbp) AS found_gbp
  FROM funding.claim_records
  WHERE is_counted AND intervention_rate IS NOT NULL
  GROUP BY award_key, programme_code
),
virements AS (
  SELECT
    award_key,
    programme_code,
    coalesce(sum(amount_gbp) FILTER (adjustment_type = 'virement_out'), 0) AS out_gbp,
    coalesce(sum(amount_gbp) FILTER (adjustment_type = 'virement_in'), 0) AS in_gbp
  FROM funding.adjustments
  WHERE adjustment_type IN ('virement_out', 'virement_in')
  GROUP BY award_key, programme_code
),
checks AS (
  -- `comparison` says how the two sums must compare; `is_final`, whether a difference is a breach or may still close.
  SELECT
    'award_is_first_plus_variations' AS check_code,
    programme_code,
    award_key AS subject,
    'The award now is the award first made, with its variations' AS title,
    first_gbp + coalesce(varied_gbp, 0) AS expected_gbp,
    current_gbp AS actual_gbp,
    'equal' AS comparison,
    true AS is_final,
    'The amount of the award was restated without a variation that explains it.' AS note
  FROM awards
  WHERE first_gbp IS NOT NULL
  UNION ALL
  SELECT
    'profile_is_award', programme_code, award_key, 'The profile adds up to the award', current_gbp, profile_gbp, 'equal',
    is_year_over, 'A part of the award has no budget, or the budget is larger than the award.'
  FROM awards
  WHERE profile_gbp IS NOT NULL
  UNION ALL
  SELECT
    'claimed_within_award', programme_code, award_key, 'What was claimed is within the award', current_gbp,
    grant_claimed_gbp, 'limit', true, 'More was asked for than the award has.'
  FROM awards
  WHERE grant_claimed_gbp IS NOT NULL
  UNION ALL
  SELECT
    'approved_within_award', programme_code, award_key, 'What was approved is within the award', current_gbp,
    approved_gbp, 'limit', true, 'More was approved than the award has.'
  FROM awards
  WHERE approved_gbp IS NOT NULL
  UNION ALL
  SELECT
    'paid_within_approved', programme_code, award_key, 'What was paid is within what was approved, advances included',
    approved_in_all_gbp, paid_in_all_gbp, 'limit', true, 'More was paid than was approved.'
  FROM awards
  WHERE paid_in_all_gbp IS NOT NULL
  UNION ALL
  SELECT
    'claimed_within_spent', programme_code, award_key, 'What was claimed was spent', spent_grant_gbp,
    grant_claimed_gbp, 'limit', is_ended, 'More was claimed than the ledger shows as spent of the grant.'
  FROM awards
  WHERE grant_claimed_gbp IS NOT NULL AND spent_grant_gbp IS NOT NULL
  UNION ALL
  SELECT
    'spent_within_award_and_match', programme_code, award_key, 'Spending is within the award and its match',
    allowed_gbp, spent_gbp, 'limit', spent_gbp > 1.1 * allowed_gbp,
    'More was spent than the award and the match on record. Above 110% of them it is a breach.'
  FROM awards
  WHERE spent_gbp IS NOT NULL
  UNION ALL
  SELECT
    'grant_within_award', programme_code, award_key, 'Spending of the grant is within the award', current_gbp,
    spent_grant_gbp, 'limit', spent_grant_gbp > 1.1 * current_gbp,
    'More was spent of the grant than the award has. Above 110% of it, it is a breach.'
  FROM awards
  WHERE spent_grant_gbp IS NOT NULL
  UNION ALL
  SELECT
    'evidenced_within_spent', programme_code, award_key, 'Match that was evidenced is in the ledgers as spent',
    spent_match_gbp, evidenced_gbp, 'limit', false, 'More match was evidenced than the ledgers show as spent.'
  FROM awards
  WHERE evidenced_gbp IS NOT NULL AND spent_match_gbp IS NOT NULL
  UNION ALL
  SELECT
    'outcome_payments_within_award', programme_code, award_key, 'Payments for outcomes are within the award',
    current_gbp, outcome_payments_gbp, 'limit', true, 'More was paid for outcomes than the award has.'
  FROM awards
  WHERE outcome_payments_gbp IS NOT NULL
  UNION ALL
  SELECT
    'spent_within_budget', programme_code, award_key || ' in ' || financial_year,
    'Spending of the grant is within the budget of the year', budget_gbp, spent_gbp, 'limit', false,
    'More was spent than the year had. A carry-forward or a new profile may explain it.'
  FROM funding.budget_years
  WHERE budget_gbp IS NOT NULL AND spent_gbp IS NOT NULL
  UNION ALL
  SELECT
    'returned_within_paid', programme_code, award_key, 'What was returned is within what was paid',
    coalesce(paid_in_all_gbp, 0), returned_gbp, 'limit', true, 'More was returned than the claims show as paid.'
  FROM awards
  WHERE returned_gbp IS NOT NULL
  UNION ALL
  SELECT
    'match_in_proportion', programme_code, award_key,
    'Evidenced match bears the pledged proportion to the grant claimed',
    pledged_gbp * grant_claimed_gbp / nullif(current_gbp, 0), coalesce(evidenced_gbp, 0), 'at_least', is_ended,
    'Less match was evidenced than was pledged for as much grant. It can still come until the award ends.'
  FROM awards
  WHERE pledged_gbp IS NOT NULL AND grant_claimed_gbp IS NOT NULL
  UNION ALL
  SELECT
    'lines_are_claims', programme_code, award_key, 'The lines of the claims add up to the claims', costs_gbp, lines_gbp,
    'equal', true, 'Claims without lines, or lines that were held back.'
  FROM lines
  UNION ALL
  SELECT
    'grant_is_rate_of_eligible', programme_code, award_key,
    'What was asked of the grant is the intervention rate of the eligible costs', expected_gbp, found_gbp, 'equal', true,
    'Some claims do not follow the rate.'
  FROM rated
  UNION ALL
  SELECT
    'virements_cancel', programme_code, award_key, 'What was moved out of budget lines was moved into others', out_gbp,
    in_gbp, 'equal', true, 'One half of a virement is missing, or was held back.'
  FROM virements
  UNION ALL
  SELECT
    'carried_within_underspend', programme_code, award_key || ' in ' || financial_year,
    'What was carried forward is within what the year had left', greatest(underspend_gbp, 0), carried_out_gbp, 'limit',
    true, 'More was carried forward than was left.'
  FROM funding.budget_years
  WHERE carried_out_gbp > 0
)
SELECT
  check_code,
  programme_code,
  subject,
  title,
  expected_gbp::DECIMAL(14, 2) AS expected_gbp,
  actual_gbp::DECIMAL(14, 2) AS actual_gbp,
  CASE
    WHEN expected_gbp IS NULL OR actual_gbp IS NULL THEN 'ambiguous'
    WHEN abs(actual_gbp - expected_gbp) <= 1 THEN 'reconciles'
    WHEN comparison = 'limit' AND actual_gbp < expected_gbp THEN 'reconciles'
    WHEN comparison = 'at_least' AND actual_gbp > expected_gbp THEN 'reconciles'
    WHEN is_final THEN 'breach'
    ELSE 'ambiguous'
  END AS status,
  CASE
    WHEN expected_gbp IS NULL OR actual_gbp IS NULL THEN 'One of the two sums is not known.'
    WHEN abs(actual_gbp - expected_gbp) <= 1 THEN 'The two agree.'
    WHEN comparison = 'limit' AND actual_gbp < expected_gbp THEN 'Within the limit.'
    WHEN comparison = 'at_least' AND actual_gbp > expected_gbp THEN 'More than was needed.'
    ELSE note
  END AS note
FROM checks
