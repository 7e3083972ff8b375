-- published.outcome_payments
-- Payments by results, treated for release: outcomes paid for, suppressed and rounded as in published.kpi, and what they
-- cost by the rounded count. There is a row for every price of an award and every financial year in which it was in
-- force, whatever was paid, so the presence of a row discloses nothing. No row is a total of others.
-- Grain: one row per award, site, outcome definition, price and financial year of the outcome
-- Key: award_key, site_code, definition_code, price_from, financial_year
-- Source: docs/domain.md 3.5, 5.1, 7.17
-- Columns:
--   award_key        VARCHAR not null  The award: see funding.award_records.
--   award_id         VARCHAR not null  The award's reference.
--   programme_code   VARCHAR not null  The programme the money is for.
--   site_code        VARCHAR not null  The site that was paid.
--   definition_code  VARCHAR not null  Outcome definition: see core.outcome_definitions.
--   definition       VARCHAR not null  What it pays for, in words.
--   price_gbp        DECIMAL(14,2) not null  Price of one outcome. Unit: pounds.
--   price_from       DATE not null  First day of the price.
--   price_to         DATE  Last day of the price; empty while it is in force.
--   financial_year   VARCHAR not null  Financial year of the outcome.
--   n_payments       BIGINT  Outcomes paid for, to the nearest 5. Empty if it is suppressed: see reason. Unit:
--       payments.
--   paid_gbp         DECIMAL(14,2)  n_payments at that price. Empty if it is suppressed: see reason. Unit: pounds.
--   data_cut_date    DATE not null  Date to which the site's payments are complete.
--   reason           VARCHAR  small_numbers where the count is suppressed. Empty otherwise.
WITH years AS (
  SELECT
    s.*,
    a.award_key,
    a.programme_code,
    c.cut_date,
    unnest(
      generate_series(
        year(s.valid_from - INTERVAL 3 MONTH), year(least(coalesce(s.valid_to, c.cut_date), c.cut_date) - INTERVAL 3 MONTH)
      )
    ) AS first_year,
    financial_year(make_date(first_year::INTEGER, 4, 1)) AS financial_year
  FROM core.payment_schedule AS s
  JOIN funding.award_references AS a USING (site_code, award_id)
  JOIN outcomes.cut_offs AS c ON c.site_code = s.site_code AND c.dataset = 'outcome_payments' AND c.cut_date IS NOT NULL
),
counted AS (
  SELECT
    y.award_key,
    y.award_id,
    y.programme_code,
    y.site_code,
    y.outcome_definition_code AS definition_code,
    y.unit_price,
    y.valid_from,
    any_value(y.valid_to) AS valid_to,
    y.financial_year,
    any_value(y.cut_date) AS cut_date,
    to_nearest_5(count(p.payment_id)) AS n_payments
  FROM years AS y
  LEFT JOIN core.outcome_payments AS p
    ON p.site_code = y.site_code
    AND p.award_id = y.award_id
    AND p.outcome_definition_code = y.outcome_definition_code
    AND p.outcome_date BETWEEN y.valid_from AND coalesce(y.valid_to, p.outcome_date)
    AND financial_year(p.outcome_date) = y.financial_year
  GROUP BY ALL
)
SELECT
  c.award_key,
  c.award_id,
  c.programme_code,
  c.site_code,
  c.definition_code,
  d.definition,
  c.unit_price AS price_gbp,
  c.valid_from AS price_from,
  c.valid_to AS price_to,
  c.financial_year,
  c.n_payments,
  (c.n_payments * c.unit_price)::DECIMAL(14, 2) AS paid_gbp,
  c.cut_date AS data_cut_date,
  if(c.n_payments IS NULL, 'small_numbers', NULL) AS reason
FROM counted AS c
JOIN core.outcome_definitions AS d ON d.definition_code = c.definition_code
