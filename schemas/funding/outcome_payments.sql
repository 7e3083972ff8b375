-- funding.outcome_payments
-- Payments by results: what was paid for outcomes of each definition, and on what evidence. Payments of different
-- definitions are for different things and are never averaged together.
-- Grain: one row per award, outcome definition and financial year of the outcome
-- Key: award_key, definition_code, financial_year
-- Source: docs/domain.md 3.5, 7.17
-- Columns:
--   award_key         VARCHAR not null  The award: see funding.award_records.
--   award_id          VARCHAR not null  The award's reference.
--   programme_code    VARCHAR not null  The programme the money is for.
--   site_code         VARCHAR  The site that was paid; empty where several were.
--   definition_code   VARCHAR not null  Outcome definition: see core.outcome_definitions.
--   definition        VARCHAR not null  What it pays for, in words.
--   financial_year    VARCHAR not null  Financial year of the outcome.
--   n_payments        BIGINT not null  Payments. Unit: payments.
--   n_people          BIGINT not null  People whose outcomes were paid for. Unit: people.
--   paid_gbp          DECIMAL(14,2) not null  Sum of the payments. Unit: pounds.
--   lowest_price_gbp  DECIMAL(14,2) not null  Lowest price of one outcome. Unit: pounds.
--   highest_price_gbp  DECIMAL(14,2) not null  Highest price of one outcome. Unit: pounds.
--   n_verified        BIGINT not null  Payments whose job has evidence from somebody other than the participant. Unit:
--       payments.
--   evidence          VARCHAR  Kinds of evidence of those jobs. Empty if no job was sent for it.
WITH evidence AS (
  SELECT site_code, episode_id, list(DISTINCT evidence_type) FILTER (evidence_type <> 'self_report') AS kinds
  FROM core.employment_outcomes
  GROUP BY site_code, episode_id
)
SELECT
  a.award_key,
  min(p.award_id) AS award_id,
  a.programme_code,
  if(count(DISTINCT p.site_code) = 1, min(p.site_code), NULL) AS site_code,
  p.outcome_definition_code AS definition_code,
  min(d.definition) AS definition,
  financial_year(p.outcome_date) AS financial_year,
  count(*) AS n_payments,
  count(DISTINCT (p.site_code, p.participant_ref)) AS n_people,
  sum(p.amount)::DECIMAL(14, 2) AS paid_gbp,
  min(p.unit_price) AS lowest_price_gbp,
  max(p.unit_price) AS highest_price_gbp,
  count(*) FILTER (len(e.kinds) > 0) AS n_verified,
  array_to_string(list_sort(list_distinct(flatten(list(e.kinds)))), ', ') AS evidence
FROM core.outcome_payments AS p
JOIN funding.award_references AS a USING (site_code, award_id)
JOIN core.outcome_definitions AS d ON d.definition_code = p.outcome_definition_code
LEFT JOIN evidence AS e ON e.site_code = p.site_code AND e.episode_id = p.episode_id
GROUP BY a.award_key, a.programme_code, p.outcome_definition_code, financial_year(p.outcome_date)
