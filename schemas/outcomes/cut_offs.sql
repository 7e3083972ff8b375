-- outcomes.cut_offs
-- How far the data of each site reach, dataset by dataset. What a site is to send has its row though nothing came.
-- Grain: one row per site and dataset that it owes or may send
-- Key: site_code, dataset
-- Source: docs/domain.md 4.1, 7.22
-- Columns:
--   programme_code  VARCHAR not null  The programme.
--   site_code       VARCHAR not null  The site.
--   dataset         VARCHAR not null  The dataset.
--   is_owed         BOOLEAN not null  Whether the site must send it; false where it may.
--   is_outdated     BOOLEAN not null  Whether a later file came that does not count, refused or held up, and that no
--       other has replaced: the data that count are older than what the site has sent.
--   cut_date        DATE  Date to which it is complete: the latest cut-off of the deliveries that count, and of nil
--       returns since, which say that nothing happened; empty if there are none.
SELECT
  s.programme_code,
  s.site_code,
  r.dataset,
  r.need = 'required' AS is_owed,
  coalesce(bool_or(d.standing IN ('refused', 'held_up') AND d.replaced_by IS NULL), false) AS is_outdated,
  max(d.data_cut_date) FILTER (
    d.standing = 'current' OR (d.standing = 'empty' AND d.rows_read = 0) -- in 'empty' with rows all are held
  ) AS cut_date
FROM core.sites AS s
JOIN core.returns AS r ON r.sender = s.programme_code
LEFT JOIN audit.deliveries AS d
  ON d.site_code = s.site_code AND d.dataset = r.dataset
WHERE r.need <> 'none'
GROUP BY s.programme_code, s.site_code, r.dataset, r.need
