-- funding.reconciliation
-- Whether the sums agree with what was published: the control totals of the programmes, and for each award the
-- announcement beside the cap. A difference of up to 1 pound reconciles. A difference that has more than one honest
-- reading, or an amount that is not known, is ambiguous, and the note says why; any other is a breach.
-- Grain: one row per check and what it is about
-- Key: check_code, subject
-- Source: DOMAIN.md 1.1, 3.2
-- Columns:
--   check_code      VARCHAR not null  The check: control_total_... or announced_within_cap.
--   programme_code  VARCHAR not null  The programme.
--   subject         VARCHAR not null  The programme or award it is about.
--   title           VARCHAR not null  What should be true.
--   expected_gbp    DECIMAL(14,2)  What is expected: the published total, or the cap. Unit: pounds.
--   actual_gbp      DECIMAL(14,2)  What the records add up to; empty where that is not known. Unit: pounds.
--   difference_gbp  DECIMAL(14,2)  actual_gbp - expected_gbp. Unit: pounds.
--   status          VARCHAR not null  reconciles, ambiguous or breach.
--   note            VARCHAR not null  What the difference means.
WITH control_totals AS (
  SELECT
    'control_total_' || t.total AS check_code,
    t.programme_code,
    t.programme_code AS subject,
    t.title,
    t.expected_gbp,
    CASE t.total
      WHEN 'caps' THEN p.cap_gbp
      WHEN 'announced' THEN p.announced_gbp
      WHEN 'match_pledged' THEN p.match_pledged_gbp
      WHEN 'headline' THEN p.headline_gbp
    END AS actual_gbp,
    t.note
  FROM core.control_totals AS t
  JOIN funding.programme_position AS p USING (programme_code)
),
cap_checks AS (
  SELECT
    'announced_within_cap' AS check_code,
    programme_code,
    award_id AS subject,
    'The announcement is within the cap' AS title,
    cap_gbp AS expected_gbp,
    announced_gbp AS actual_gbp,
    CASE
      WHEN announced_minus_cap_gbp < -1
        THEN 'Announced below the cap. Either the announcement took the place of the cap (the reading that gives the '
          || 'published headline), or it came on top of it: no source says so outright.'
      WHEN announced_minus_cap_gbp > 1 THEN 'Announced above the cap.'
      WHEN announced_minus_cap_gbp IS NULL THEN 'One of the two amounts is not known.'
      ELSE 'Announced at the cap.'
    END AS note
  FROM funding.award_position
  WHERE latest_stage <> 'indicative_cap'
    AND sources LIKE 'indicative_cap: %' -- it has a cap, known or not
),
checks AS (
  SELECT check_code, programme_code, subject, title, expected_gbp, actual_gbp, note FROM control_totals
  UNION ALL
  SELECT check_code, programme_code, subject, title, expected_gbp, actual_gbp, note FROM cap_checks
)
SELECT
  check_code,
  programme_code,
  subject,
  title,
  expected_gbp::DECIMAL(14, 2) AS expected_gbp,
  actual_gbp,
  (actual_gbp - expected_gbp)::DECIMAL(14, 2) AS difference_gbp,
  CASE
    WHEN abs(actual_gbp - expected_gbp) <= 1 THEN 'reconciles'
    WHEN actual_gbp IS NULL OR expected_gbp IS NULL THEN 'ambiguous'
    WHEN check_code = 'announced_within_cap' AND actual_gbp < expected_gbp THEN 'ambiguous'
    ELSE 'breach'
  END AS status,
  CASE
    WHEN actual_gbp IS NULL AND check_code <> 'announced_within_cap' THEN 'No accepted record says it. ' || note
    ELSE note
  END AS note
FROM checks
