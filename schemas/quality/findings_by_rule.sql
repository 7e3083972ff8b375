-- quality.findings_by_rule
-- Current data quality: how often each rule was broken and in how many rows, for each delivery that is in the figures
-- and for the newest delivery of each site and dataset, even if that was refused.
-- Grain: one row per delivery, rule, severity, outcome and field
-- Key: delivery_id, rule_id, severity, outcome, field
-- Source: docs/domain.md 6; docs/reports.md 3
-- Columns:
--   programme_code  VARCHAR not null  The programme of the site ('' for offices).
--   site_code       VARCHAR not null  The site.
--   dataset         VARCHAR not null  The dataset.
--   period          VARCHAR not null  The month of the delivery, as yyyymm.
--   delivery_id     VARCHAR not null  The delivery.
--   result          VARCHAR not null  accepted, accepted_with_held_rows, refused or unreadable.
--   standing        VARCHAR not null  Whether its rows are in the figures.
--   is_newest       BOOLEAN not null  Whether it is the newest delivery of the site and dataset.
--   rule_id         VARCHAR not null  The rule: see audit.rules.
--   severity        VARCHAR not null  file (refused), row (held back) or warning (accepted).
--   outcome         VARCHAR not null  broken, confirmed (right, says the site), or 'not judged': could not be checked.
--   field           VARCHAR not null  The field to fix ('' for the file).
--   title           VARCHAR  The rule in plain words. Empty if the rule no longer exists.
--   fix             VARCHAR  What the sender can do. Empty if the rule no longer exists.
--   n_findings      BIGINT not null  Findings. Unit: findings.
--   n_rows          BIGINT not null  Different rows with such a finding; 0 for a finding about the file. Unit: rows.
--   share_of_rows   DOUBLE  n_rows / rows read, from 0 to 1; empty if none were read.
--   first_row       BIGINT  First row with such a finding, as the sender's program numbers it. Empty if it is about the
--       file.
WITH deliveries AS (
  SELECT
    *,
    row_number() OVER (
      PARTITION BY site_code, dataset ORDER BY data_cut_date DESC, received_at DESC, version DESC, delivery_id
    ) = 1 AS is_newest
  FROM audit.deliveries
  WHERE standing NOT IN ('same', 'withdrawn')
  QUALIFY is_newest OR standing = 'current'
),
rule_texts AS (
  SELECT dataset, rule_id, severity, field, min(title) AS title, min(fix) AS fix
  FROM audit.rules
  GROUP BY dataset, rule_id, severity, field
)
SELECT
  d.programme_code,
  d.site_code,
  d.dataset,
  d.period,
  d.delivery_id,
  d.result,
  d.standing,
  d.is_newest,
  f.rule_id,
  f.severity,
  f.outcome,
  f.field,
  min(s.title) AS title,
  min(s.fix) AS fix,
  count(*) AS n_findings,
  count(DISTINCT f.source_row) AS n_rows,
  share(count(DISTINCT f.source_row), d.rows_read) AS share_of_rows,
  min(f.source_row) AS first_row
FROM deliveries AS d
JOIN audit.findings AS f USING (delivery_id)
LEFT JOIN rule_texts AS s
  ON s.dataset = d.dataset AND s.rule_id = f.rule_id AND s.severity = f.severity AND s.field = f.field
GROUP BY
  d.programme_code, d.site_code, d.dataset, d.period, d.delivery_id, d.result, d.standing, d.is_newest, d.rows_read,
  f.rule_id, f.severity, f.outcome, f.field
