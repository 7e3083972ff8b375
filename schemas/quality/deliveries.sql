-- quality.deliveries
-- Every delivery: where its rows went, its validation result, whether it is in the figures and whether it came in time.
-- Rows read = accepted + held + repeated + without data, for deliveries that are in the figures.
-- Grain: one row per delivery
-- Key: delivery_id
-- Source: docs/domain.md 6.0; docs/reports.md 3
-- Columns:
--   delivery_id     VARCHAR not null  The delivery.
--   programme_code  VARCHAR not null  The programme of the site ('' for offices).
--   site_code       VARCHAR not null  The site.
--   dataset         VARCHAR not null  The dataset.
--   period          VARCHAR not null  The month of its cut-off, as yyyymm.
--   version         BIGINT not null  The version number in the file name.
--   file_name       VARCHAR not null  The file as it was sent.
--   received_at     TIMESTAMP not null  When the file was first seen (UTC).
--   data_cut_date   DATE not null  The date to which the extract is complete.
--   result          VARCHAR not null  accepted, accepted_with_held_rows, refused or unreadable.
--   standing        VARCHAR not null  current, superseded, empty, stale, same, refused, held_up or withdrawn.
--   rows_read       BIGINT not null  Rows found below the heading.
--   rows_accepted   BIGINT not null  Rows in core; 0 for a delivery that does not count now.
--   rows_held       BIGINT not null  Rows held back.
--   rows_deleted    BIGINT not null  Of these, rows of records that the site has deleted (P21), which are no fault.
--   rows_repeated   BIGINT not null  Exact copies of another row, left out.
--   rows_not_data   BIGINT not null  Blank rows, totals and repeated headings, left out.
--   share_accepted  DOUBLE  rows_accepted / rows_read, from 0 to 1; empty unless the delivery is current.
--   share_held      DOUBLE  Rows held for a fault / rows_read, from 0 to 1; empty if none were read.
--   n_rules_broken  BIGINT not null  Rules broken that refused the file or held rows. Unit: rules.
--   n_rows_warned   BIGINT not null  Rows with a warning. Unit: rows.
--   due_at          TIMESTAMP  When returns for the month were owed (UTC); empty if the calendar has no such month.
--   is_on_time      BOOLEAN  Whether it was received by then; empty if the calendar has no such month.
--   is_first        BOOLEAN not null  Whether it is the first delivery of its site, dataset and month: a later version
--       may come after the due date although the first came in time.
WITH faults AS (
  SELECT
    delivery_id,
    count(DISTINCT rule_id) FILTER (
      severity IN ('file', 'row') AND outcome = 'broken' AND rule_id <> 'P21'
    ) AS n_rules_broken,
    count(DISTINCT source_row) FILTER (severity = 'warning' AND outcome = 'broken') AS n_rows_warned
  FROM audit.findings
  GROUP BY delivery_id
),
calendar AS (
  -- Due by London time; deliveries are stamped in UTC.
  SELECT period, due_at AT TIME ZONE 'Europe/London' AT TIME ZONE 'UTC' AS due_at
  FROM core.return_calendar
)
SELECT
  d.delivery_id,
  d.programme_code,
  d.site_code,
  d.dataset,
  d.period,
  d.version,
  d.file_name,
  d.received_at,
  d.data_cut_date,
  d.result,
  d.standing,
  d.rows_read,
  d.rows_accepted,
  d.rows_held,
  d.rows_deleted,
  d.rows_repeated,
  d.rows_not_data,
  CASE WHEN d.standing = 'current' THEN share(d.rows_accepted, d.rows_read) END AS share_accepted,
  share(d.rows_held - d.rows_deleted, d.rows_read) AS share_held,
  coalesce(f.n_rules_broken, 0) AS n_rules_broken,
  coalesce(f.n_rows_warned, 0) AS n_rows_warned,
  c.due_at,
  d.received_at <= c.due_at AS is_on_time,
  row_number() OVER (
    PARTITION BY d.site_code, d.dataset, d.period ORDER BY d.received_at, d.version, d.delivery_id
  ) = 1 AS is_first
FROM audit.deliveries AS d
LEFT JOIN faults AS f USING (delivery_id)
LEFT JOIN calendar AS c USING (period)
