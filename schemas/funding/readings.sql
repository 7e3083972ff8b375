-- funding.readings
-- What a programme's money comes to by each reading of what was printed (core.funding_readings), beside the sums that
-- were printed for whole projects: none is chosen here, and no other mart uses any of it. Each sum is computed from the
-- records. The split of the pledged match between areas is printed nowhere: an area's is assumed to be in proportion to
-- its announcement. Where sums of one subject were printed more than once, the largest is compared.
-- Grain: one row per reading, and programme or award
-- Key: programme_code, reading_code, subject
-- Source: docs/domain.md 0.1, 0.2, 1.1
-- Columns:
--   programme_code           VARCHAR not null  The programme.
--   reading_code             VARCHAR not null  The reading.
--   subject                  VARCHAR not null  The programme as a whole, or the key of one of its awards.
--   site_code                VARCHAR  The site of the award; empty for the whole programme.
--   title                    VARCHAR not null  What the reading says.
--   cap_gbp                  DECIMAL(14,2)  The limit. Unit: pounds.
--   announced_gbp            DECIMAL(14,2)  The announcement. Unit: pounds.
--   government_gbp           DECIMAL(14,2)  What the government gives by this reading. Unit: pounds.
--   government_qualifier     VARCHAR  'up to' where that is a limit. Empty otherwise.
--   match_gbp                DECIMAL(14,2)  The match by this reading; empty where it has none. Unit: pounds.
--   match_qualifier          VARCHAR  'at least' where that is a minimum. Empty otherwise.
--   match_basis              VARCHAR not null  pledged, assumed (an area's part of the pledge) or not_mentioned.
--   total_gbp                DECIMAL(14,2)  Both together, each at its bound. Unit: pounds.
--   printed_government_gbp   DECIMAL(14,2)  What was printed as the government's money. Unit: pounds.
--   government_difference_gbp  DECIMAL(14,2)  government_gbp less that. Unit: pounds.
--   printed_total_gbp        DECIMAL(14,2)  What was printed for the whole programme or project. Unit: pounds.
--   total_difference_gbp     DECIMAL(14,2)  total_gbp less that. Unit: pounds.
--   support                  VARCHAR not null  supported: every printed sum agrees, within its rounding; conflicting:
--       one does, and one does not; not_supported: none agrees; nothing_printed.
--   evidence                 VARCHAR  Where those sums are printed, with their wording. Empty if nothing of the kind
--       was printed.
--   source_document          VARCHAR not null  Where the words are printed on which the reading rests.
--   source_date              DATE  The day that the document bears. Empty if it bears none.
--   source_wording           VARCHAR not null  Those words.
--   against                  VARCHAR not null  What speaks against the reading.
WITH whole_programmes AS (
  SELECT
    programme_code,
    programme_code AS subject,
    NULL AS site_code,
    cap_gbp,
    announced_gbp,
    match_pledged_gbp AS match_gbp,
    headline_gbp,
    'pledged' AS match_basis
  FROM funding.programme_position
),
areas AS (
  SELECT
    a.programme_code,
    a.award_key AS subject,
    a.site_code,
    a.cap_gbp,
    a.announced_gbp,
    a.announced_gbp * p.match_pledged_gbp / nullif(p.announced_gbp, 0) AS match_gbp,
    NULL AS headline_gbp,
    'assumed' AS match_basis
  FROM funding.award_position AS a
  JOIN funding.programme_position AS p USING (programme_code)
  WHERE a.has_cap AND a.has_announcement AND NOT a.is_replaced
),
sums AS (
  SELECT
    r.*,
    s.subject,
    s.site_code,
    s.cap_gbp,
    s.announced_gbp,
    CASE r.government_money
      WHEN 'announced' THEN s.announced_gbp
      WHEN 'caps_and_announced' THEN s.cap_gbp + s.announced_gbp
      WHEN 'headline' THEN s.headline_gbp
    END::DECIMAL(14, 2) AS government_gbp,
    if(r.match_money = 'pledged', s.match_gbp, NULL)::DECIMAL(14, 2) AS match_gbp,
    if(r.match_money = 'pledged', s.match_basis, 'not_mentioned') AS match_basis
  FROM core.funding_readings AS r
  JOIN (FROM whole_programmes UNION ALL BY NAME FROM areas) AS s USING (programme_code)
  WHERE r.government_money <> 'headline' OR s.match_basis = 'pledged' -- a headline is about a whole programme
),
printed AS (
  -- One row per subject and kind of sum. It agrees with a sum that would be rounded to it.
  SELECT
    programme_code,
    about_site_code AS site_code,
    measure_name = 'headline_from_department' AS is_government,
    value::DECIMAL(14, 2) AS gbp,
    coalesce(rounded_to / 2, 1) AS tolerance_gbp,
    source_document || coalesce(' (''' || source_wording || ''')', '') AS printed_in
  FROM core.published_measures
  WHERE measure_name IN ('headline_from_department', 'programme_value', 'project_value') AND value IS NOT NULL
  QUALIFY row_number() OVER (
    PARTITION BY programme_code, about_site_code, is_government ORDER BY value DESC, source_document
  ) = 1
),
compared AS (
  SELECT
    s.*,
    (s.government_gbp + if(s.match_basis = 'not_mentioned', 0, s.match_gbp))::DECIMAL(14, 2) AS total_gbp,
    g.gbp AS printed_government_gbp,
    (s.government_gbp - g.gbp)::DECIMAL(14, 2) AS government_difference_gbp,
    abs(government_difference_gbp) <= g.tolerance_gbp AS government_agrees,
    t.gbp AS printed_total_gbp,
    (total_gbp - t.gbp)::DECIMAL(14, 2) AS total_difference_gbp,
    abs(total_difference_gbp) <= t.tolerance_gbp AS total_agrees,
    concat_ws('; ', g.printed_in, t.printed_in) AS evidence
  FROM sums AS s
  LEFT JOIN printed AS g
    ON g.programme_code = s.programme_code AND g.site_code IS NOT DISTINCT FROM s.site_code AND g.is_government
  LEFT JOIN printed AS t
    ON t.programme_code = s.programme_code AND t.site_code IS NOT DISTINCT FROM s.site_code AND NOT t.is_government
)
SELECT
  programme_code,
  reading_code,
  subject,
  site_code,
  title,
  cap_gbp,
  announced_gbp,
  government_gbp,
  government_qualifier,
  match_gbp,
  match_qualifier,
  match_basis,
  total_gbp,
  printed_government_gbp,
  government_difference_gbp,
  printed_total_gbp,
  total_difference_gbp,
  CASE
    WHEN government_agrees IS NULL AND total_agrees IS NULL THEN 'nothing_printed'
    WHEN coalesce(government_agrees, total_agrees) AND coalesce(total_agrees, government_agrees) THEN 'supported'
    WHEN government_agrees OR total_agrees THEN 'conflicting'
    ELSE 'not_supported'
  END AS support,
  nullif(evidence, '') AS evidence,
  source_document,
  source_date,
  source_wording,
  against
FROM compared
