-- funding.spending
-- Every row of expenditure, placed by award, quarter and financial year. A year or quarter is always that of the
-- ledger period's last day.
-- Grain: one row per award, period, cost category, ledger reference and source of the money
-- Key: site_code, award_id, period_end, cost_category, ledger_ref, funding_source
-- Source: docs/domain.md 3.1, 3.3, 7.15
-- Columns:
--   award_key       VARCHAR not null  The award: see funding.award_records.
--   programme_code  VARCHAR not null  The programme the money is for.
--   site_code       VARCHAR not null  The site that spent it.
--   award_id        VARCHAR not null  The reference under which it was sent.
--   period_end      DATE not null  Last day of the ledger period.
--   financial_year  VARCHAR not null  Financial year of the period.
--   quarter         VARCHAR not null  Quarter of the financial year, Q1 (April to June) to Q4.
--   quarter_end     DATE not null  Last day of the quarter.
--   cost_category   VARCHAR not null  Kind of cost.
--   ledger_ref      VARCHAR not null  Reference in the site's ledger.
--   funding_source  VARCHAR not null  Who bore the cost: grant, match_cash or match_in_kind.
--   actual_gbp      DECIMAL(14,2) not null  Spent; below 0 for a credit note. Unit: pounds.
--   accrual_gbp     DECIMAL(14,2)  Costs not in the ledger yet, or their reversal. Unit: pounds.
--   delivery_id     VARCHAR not null  The delivery it came in.
--   source_row      BIGINT not null  Its row in the sender's file.
SELECT
  a.award_key,
  a.programme_code,
  e.site_code,
  e.award_id,
  e.period_end,
  -- Not by the macro financial_year(): rules select from this mart before macros are there.
  format('{}-{:02d}', year(e.period_end - INTERVAL 3 MONTH), (year(e.period_end - INTERVAL 3 MONTH) + 1) % 100)
    AS financial_year,
  'Q' || quarter(e.period_end - INTERVAL 3 MONTH) AS quarter,
  last_day(make_date(year(e.period_end), 3 * quarter(e.period_end), 1)) AS quarter_end,
  e.cost_category,
  e.ledger_ref,
  e.funding_source,
  e.actual_amount AS actual_gbp,
  e.accrual_amount AS accrual_gbp,
  e.delivery_id,
  e.source_row
FROM core.expenditure AS e
JOIN funding.award_references AS a USING (site_code, award_id)
