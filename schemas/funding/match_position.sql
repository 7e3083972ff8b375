-- funding.match_position
-- Match of each programme by area, source and kind: pledged, confirmed and evidenced, which are three statements of the
-- same money and are never added up. Records that are part of a sum for the whole programme are in columns of their own,
-- because that sum counts already: see funding.match_records. No piece of evidence counts twice (rule M09).
-- Grain: one row per programme, site, source and kind of match
-- Key: programme_code, site_code, match_source_type, match_kind
-- Source: docs/domain.md 3.1, 3.2, 7.12
-- Columns:
--   programme_code     VARCHAR not null  The programme.
--   site_code          VARCHAR not null  The site that the match is for, or 'all' where it is for the whole programme.
--   match_source_type  VARCHAR not null  Whose money it is.
--   match_kind         VARCHAR not null  cash, in_kind or unknown.
--   pledged_gbp        DECIMAL(14,2)  Pledged. Unit: pounds.
--   confirmed_gbp      DECIMAL(14,2)  Confirmed. Unit: pounds.
--   evidenced_gbp      DECIMAL(14,2)  Spent and evidenced. Unit: pounds.
--   part_pledged_gbp   DECIMAL(14,2)  Pledged as part of the programme's sum: in no total. Unit: pounds.
--   part_confirmed_gbp  DECIMAL(14,2)  Confirmed as part of the programme's sum: in no total. Unit: pounds.
--   not_evidenced_gbp  DECIMAL(14,2)  The largest of these four, less what is evidenced; empty where none is known, and
--       for a whole programme, whose sites have the evidence. Unit: pounds.
--   n_amounts_unknown  BIGINT not null  Contributions whose amount is not known: in no sum. Unit: contributions.
SELECT
  programme_code,
  coalesce(area_site_code, 'all') AS site_code,
  match_source_type,
  match_kind,
  sum(amount_gbp) FILTER (is_counted AND match_stage = 'pledged')::DECIMAL(14, 2) AS pledged_gbp,
  sum(amount_gbp) FILTER (is_counted AND match_stage = 'confirmed')::DECIMAL(14, 2) AS confirmed_gbp,
  sum(amount_gbp) FILTER (is_counted AND match_stage = 'evidenced')::DECIMAL(14, 2) AS evidenced_gbp,
  sum(amount_gbp) FILTER (is_part AND match_stage = 'pledged')::DECIMAL(14, 2) AS part_pledged_gbp,
  sum(amount_gbp) FILTER (is_part AND match_stage = 'confirmed')::DECIMAL(14, 2) AS part_confirmed_gbp,
  if(
    coalesce(area_site_code, 'all') = 'all',
    NULL,
    greatest(pledged_gbp, confirmed_gbp, part_pledged_gbp, part_confirmed_gbp) - coalesce(evidenced_gbp, 0)
  )::DECIMAL(14, 2) AS not_evidenced_gbp,
  count(*) FILTER (amount_gbp IS NULL) AS n_amounts_unknown
FROM funding.match_records
WHERE is_counted OR is_part
GROUP BY programme_code, coalesce(area_site_code, 'all'), match_source_type, match_kind
