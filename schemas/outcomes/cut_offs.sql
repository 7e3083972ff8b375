-- outcomes.cut_offs
-- Date to which each site's data are complete, by dataset. A site has a row for every dataset that it owes or may send,
-- even if none was received.
-- Grain: one row per site and dataset that it owes or may send
-- Key: site_code, dataset
-- Source: docs/domain.md 4.1, 7.22
-- Columns:
--   programme_code  VARCHAR not null  The programme.
--   site_code       VARCHAR not null  The site.
--   dataset         VARCHAR not null  The dataset.
--   is_owed         BOOLEAN not null  Whether the site must send it; false where it may.
--   is_outdated     BOOLEAN not null  Whether a file of the site was refused or held up and no other has replaced it:
--       then the data that count are older than what the site has sent.
--   cut_date        DATE  Date to which the data are complete: the latest cut-off of the deliveries that count and of
--       nil returns, which state that nothing happened; empty if there are none.
SELECT
  s.programme_code,
  s.site_code,
  r.dataset,
  r.need = 'required' AS is_owed,
  coalesce(bool_or(d.standing IN ('refused', 'held_up') AND d.replaced_by IS NULL), false) AS is_outdated,
  max(d.data_cut_date) FILTER (
    -- An 'empty' delivery without rows is a nil return. One with rows had all of them held, and completes nothing.
    d.standing = 'current' OR (d.standing = 'empty' AND d.rows_read = 0)
  ) AS cut_date
FROM core.sites AS s
JOIN core.returns AS r ON r.sender = s.programme_code
LEFT JOIN audit.deliveries AS d
  ON d.site_code = s.site_code AND d.dataset = r.dataset
WHERE r.need <> 'none'
GROUP BY s.programme_code, s.site_code, r.dataset, r.need
