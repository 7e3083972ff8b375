-- Statistical functions of the warehouse, as DuckDB macros, so that the marts and analysts' own SQL calculate alike.
--
--   wilson_low(x, n), wilson_high(x, n)                95% interval of a share x / n
--   newcombe_low(x1, n1, x2, n2), newcombe_high(...)   95% interval of the difference x1 / n1 - x2 / n2
--   risk_ratio(x1, n1, x2, n2)                         (x1 / n1) / (x2 / n2)
--   risk_ratio_low(x1, n1, x2, n2), risk_ratio_high(...)   its 95% interval, log method
--   share(x, n)                                        x / n
--   financial_year(d)                                  the UK financial year of a date, such as 2015-16
--   financial_year_start(y)                            the first day of a financial year such as 2015-16
--   financial_year_end(y)                              the last day of a financial year such as 2015-16
--   to_nearest_5(n)                                    a count as it may be published: NULL for 0 to 4
--   days_in(first_day, last_day)                       days from first to last, both included, never below 0
--   earlier_of(a, b)                                   the earlier of two dates, NULL if either is NULL
--   reporting_lag()                                    days that sites have to report an event
--
-- An undefined result is NULL, never 0 or an error: no cases (n = 0), more events than cases, a ratio to a share of 0.
-- Source: docs/domain.md 3.3, 4.1, 4.5, 5.1.

-- The 97.5% point of the normal distribution: every interval here covers 95%.
CREATE OR REPLACE MACRO z95() AS 1.959963984540054::DOUBLE;

CREATE OR REPLACE MACRO is_share(x, n) AS n > 0 AND x >= 0 AND x <= n;

CREATE OR REPLACE MACRO share(x, n) AS CASE WHEN is_share(x, n) THEN x::DOUBLE / n END;

CREATE OR REPLACE MACRO wilson_centre(x, n) AS (x::DOUBLE / n + z95() ** 2 / (2 * n)) / (1 + z95() ** 2 / n);

CREATE OR REPLACE MACRO wilson_half_width(x, n) AS
  z95() * sqrt((x::DOUBLE / n) * (1 - x::DOUBLE / n) / n + z95() ** 2 / (4 * n::DOUBLE ** 2)) / (1 + z95() ** 2 / n);

-- At x = 0 and x = n one end is exactly 0 or 1. It is set outright, because floating point would miss it slightly.
CREATE OR REPLACE MACRO wilson_low(x, n) AS
  CASE WHEN NOT is_share(x, n) THEN NULL WHEN x = 0 THEN 0 ELSE wilson_centre(x, n) - wilson_half_width(x, n) END;

CREATE OR REPLACE MACRO wilson_high(x, n) AS
  CASE WHEN NOT is_share(x, n) THEN NULL WHEN x = n THEN 1 ELSE wilson_centre(x, n) + wilson_half_width(x, n) END;

-- Newcombe's hybrid score interval: combines the distances from each share to the ends of its Wilson interval.
CREATE OR REPLACE MACRO newcombe_low(x1, n1, x2, n2) AS
  share(x1, n1) - share(x2, n2)
    - sqrt((share(x1, n1) - wilson_low(x1, n1)) ** 2 + (wilson_high(x2, n2) - share(x2, n2)) ** 2);

CREATE OR REPLACE MACRO newcombe_high(x1, n1, x2, n2) AS
  share(x1, n1) - share(x2, n2)
    + sqrt((wilson_high(x1, n1) - share(x1, n1)) ** 2 + (share(x2, n2) - wilson_low(x2, n2)) ** 2);

CREATE OR REPLACE MACRO risk_ratio(x1, n1, x2, n2) AS
  CASE WHEN share(x1, n1) > 0 AND share(x2, n2) > 0 THEN share(x1, n1) / share(x2, n2) END;

CREATE OR REPLACE MACRO risk_ratio_log_se(x1, n1, x2, n2) AS
  sqrt(1 / x1::DOUBLE - 1 / n1::DOUBLE + 1 / x2::DOUBLE - 1 / n2::DOUBLE);

CREATE OR REPLACE MACRO risk_ratio_low(x1, n1, x2, n2) AS
  CASE WHEN risk_ratio(x1, n1, x2, n2) IS NOT NULL
    THEN risk_ratio(x1, n1, x2, n2) * exp(-z95() * risk_ratio_log_se(x1, n1, x2, n2)) END;

CREATE OR REPLACE MACRO risk_ratio_high(x1, n1, x2, n2) AS
  CASE WHEN risk_ratio(x1, n1, x2, n2) IS NOT NULL
    THEN risk_ratio(x1, n1, x2, n2) * exp(z95() * risk_ratio_log_se(x1, n1, x2, n2)) END;

CREATE OR REPLACE MACRO to_nearest_5(n) AS CASE WHEN n >= 5 THEN (round(n / 5) * 5)::BIGINT END;

-- A financial year runs from 1 April to 31 March: three months before a date is in the year that names it.
CREATE OR REPLACE MACRO financial_year(d) AS
  year(d - INTERVAL 3 MONTH) || '-' || right((year(d - INTERVAL 3 MONTH) + 1)::VARCHAR, 2);

CREATE OR REPLACE MACRO financial_year_start(y) AS make_date(left(y, 4)::INTEGER, 4, 1);

CREATE OR REPLACE MACRO financial_year_end(y) AS make_date(left(y, 4)::INTEGER + 1, 3, 31);

-- greatest() ignores NULL, so an unknown day is tested for first.
CREATE OR REPLACE MACRO days_in(first_day, last_day) AS
  CASE WHEN last_day - first_day IS NOT NULL THEN greatest(0, last_day - first_day + 1) END;

-- A figure is final only once sites have had this long after its window to report events.
CREATE OR REPLACE MACRO reporting_lag() AS 30;

-- least() ignores NULL as well.
CREATE OR REPLACE MACRO earlier_of(a, b) AS CASE WHEN a IS NOT NULL AND b IS NOT NULL THEN least(a, b) END;
