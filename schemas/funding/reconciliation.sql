-- funding.reconciliation
-- Checks of the funding records against published sums and against each other: the control totals of each programme;
-- each announcement and current award against its cap; different amounts from several senders for one award or
-- contribution; the areas' parts of match against the sum for the programme; and the sums that must agree for each
-- award (funding.award_identities). A difference of up to 1 pound reconciles, and so does a sum within its limit. A
-- difference that can be explained in more than one way or may still close, or an unknown amount, is ambiguous, and the
-- note says why. Any other difference is a breach.
-- Grain: one row per check and what it is about
-- Key: check_code, subject
-- Source: docs/domain.md 1.1, 3.2
-- Columns:
--   check_code      VARCHAR not null  The check: control_total_..., announced_within_cap, awarded_within_cap,
--       one_amount_<stage> (of an award), one_amount_of_match_<stage>, parts_within_match_<stage>, or one of
--       funding.award_identities.
--   programme_code  VARCHAR not null  The programme.
--   subject         VARCHAR not null  The programme, award or contribution: its reference, or where several share one
--       its key in funding.award_records or funding.match_records.
--   title           VARCHAR not null  What the check expects, in plain words.
--   expected_gbp    DECIMAL(14,2)  The published total, the cap, the amount that counts, or the sum for the programme.
--       Unit: pounds.
--   actual_gbp      DECIMAL(14,2)  What the records add up to, or the other amount; empty where that is not known.
--       Unit: pounds.
--   difference_gbp  DECIMAL(14,2)  actual_gbp - expected_gbp. Unit: pounds.
--   status          VARCHAR not null  reconciles, ambiguous or breach.
--   note            VARCHAR not null  What the difference means.
--   source          VARCHAR not null  Where the check is stated.
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
    t.note,
    t.source
  FROM core.control_totals AS t
  JOIN funding.programme_position AS p USING (programme_code)
),
awards AS (
  SELECT *, if(count(*) OVER (PARTITION BY award_id) > 1, award_key, award_id) AS subject
  FROM funding.award_position
),
cap_checks AS (
  SELECT
    'announced_within_cap' AS check_code,
    programme_code,
    subject,
    'The announcement is within the cap' AS title,
    cap_gbp AS expected_gbp,
    announced_gbp AS actual_gbp,
    CASE
      WHEN announced_minus_cap_gbp < -1
        THEN 'Announced below the cap. Either the announcement took the place of the cap, or it came on top of it: no '
          || 'source says so outright. The mart readings has the sums of both, and what is printed.'
      WHEN announced_minus_cap_gbp > 1 THEN 'Announced above the cap.'
      WHEN announced_minus_cap_gbp IS NULL THEN 'One of the two amounts is not known.'
      ELSE 'Announced at the cap.'
    END AS note
  FROM awards
  WHERE has_cap AND has_announcement
  UNION ALL
  SELECT
    'awarded_within_cap',
    programme_code,
    subject,
    'The award, with its variations, is within the cap',
    cap_gbp,
    current_gbp,
    CASE
      WHEN current_gbp > cap_gbp + 1 THEN 'Awarded above the cap: a cap is a limit.'
      WHEN current_gbp IS NULL OR cap_gbp IS NULL THEN 'One of the two amounts is not known.'
      ELSE 'Awarded within the cap.'
    END
  FROM awards
  WHERE has_cap AND has_award
),
conflicts AS (
  SELECT
    'one_amount_' || award_stage AS check_code,
    award_key AS key,
    award_id AS reference,
    min(programme_code) AS programme_code,
    'Whoever sends it, an award has one amount at a stage' AS title,
    min(standing_amount_gbp) AS expected_gbp,
    arg_max(amount_gbp, abs(amount_gbp - standing_amount_gbp)) AS actual_gbp,
    string_agg(sender_code || ': ' || amount_gbp || ' (version ' || award_version || ')', '; ' ORDER BY sender_code)
      AS amounts,
    min(standing_sender_code) AS standing_sender_code
  FROM funding.award_records
  WHERE programme_code IS NOT NULL
  GROUP BY award_key, award_id, award_stage, award_version
  UNION ALL
  SELECT
    'one_amount_of_match_' || match_stage,
    match_key,
    match_id,
    programme_code,
    'Whoever sends it, a contribution has one amount',
    min(standing_amount_gbp),
    arg_max(amount_gbp, abs(amount_gbp - standing_amount_gbp)),
    string_agg(sender_code || ': ' || amount_gbp, '; ' ORDER BY sender_code),
    min(standing_sender_code)
  FROM funding.match_records
  GROUP BY match_key, match_id, programme_code, match_stage
),
conflict_checks AS (
  -- One row per award and stage: where several versions differ, the one that differs most.
  SELECT
    check_code,
    programme_code,
    if(count(DISTINCT key) OVER (PARTITION BY reference) > 1, key, reference) AS subject,
    title,
    expected_gbp,
    actual_gbp,
    'Sent as ' || amounts || '. That of ' || standing_sender_code || ' counts.' AS note
  FROM conflicts
  WHERE abs(actual_gbp - expected_gbp) > 1
  QUALIFY row_number() OVER (PARTITION BY check_code, key ORDER BY abs(actual_gbp - expected_gbp) DESC, amounts) = 1
),
part_checks AS (
  SELECT
    'parts_within_match_' || match_stage AS check_code,
    programme_code,
    programme_code AS subject,
    'What the areas put in is within what the whole programme does' AS title,
    min(whole_gbp) AS expected_gbp,
    sum(amount_gbp) AS actual_gbp,
    CASE
      WHEN sum(amount_gbp) > min(whole_gbp) + 1
        THEN 'The areas'' parts add up to more than the whole, which alone counts.'
      WHEN sum(amount_gbp) IS NULL THEN 'No amount of a part is known.'
      ELSE 'The areas'' parts are part of the whole, which alone counts.'
    END AS note
  FROM funding.match_records
  WHERE is_part
  GROUP BY programme_code, match_stage
),
checks AS (
  FROM control_totals
  UNION ALL BY NAME
  FROM cap_checks
  UNION ALL BY NAME
  FROM conflict_checks
  UNION ALL BY NAME
  FROM part_checks
  UNION ALL BY NAME
  SELECT check_code, programme_code, subject, title, expected_gbp, actual_gbp, note, status AS stated_status
  FROM funding.award_identities
)
SELECT
  check_code,
  programme_code,
  subject,
  title,
  expected_gbp::DECIMAL(14, 2) AS expected_gbp,
  actual_gbp::DECIMAL(14, 2) AS actual_gbp,
  (actual_gbp - expected_gbp)::DECIMAL(14, 2) AS difference_gbp,
  CASE
    WHEN stated_status IS NOT NULL THEN stated_status
    WHEN abs(actual_gbp - expected_gbp) <= 1 THEN 'reconciles'
    WHEN actual_gbp IS NULL OR expected_gbp IS NULL THEN 'ambiguous'
    WHEN actual_gbp > expected_gbp THEN 'breach'
    WHEN check_code = 'announced_within_cap' THEN 'ambiguous' -- below the cap: see the note
    WHEN check_code = 'awarded_within_cap' OR starts_with(check_code, 'parts_within_match_') THEN 'reconciles'
    ELSE 'breach'
  END AS status,
  CASE
    WHEN actual_gbp IS NULL AND starts_with(check_code, 'control_total_')
      THEN 'No accepted record gives this amount. ' || note
    ELSE note
  END AS note,
  coalesce(source, 'docs/domain.md 3.2') AS source
FROM checks
