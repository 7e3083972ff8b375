-- funding.match_records
-- Every record of match funding as it was sent, and whether the figures count it. A reference is its sender's own: it
-- means the same contribution only if another sender uses it for the same site. One record of each contribution is
-- preferred, by the precedence of funding.award_records. Where a record gives the sum that a whole programme pledged or
-- had confirmed, the amounts of its areas are part of that sum: they are listed here but not counted. Evidenced match
-- is added up, since each piece has its own evidence.
-- Grain: one row per sender and contribution
-- Key: sender_code, match_id
-- Source: docs/domain.md 1.1, 3.1, 7.12
-- Columns:
--   sender_code           VARCHAR not null  Who sent the record.
--   delivery_id           VARCHAR not null  The delivery it came in.
--   source_row            BIGINT not null  Its row in the sender's file.
--   match_key             VARCHAR not null  The contribution, whoever sends it.
--   match_id              VARCHAR not null  The reference under which it was sent.
--   match_stage           VARCHAR not null  pledged, confirmed or evidenced.
--   programme_code        VARCHAR not null  The programme that the match is for.
--   area_site_code        VARCHAR  The site that the record is about, or that sent it; empty for a whole programme.
--   award_id              VARCHAR  The award that it is match for. Empty if it names none.
--   amount_gbp            DECIMAL(14,2)  The amount; empty where it is not known. Unit: pounds.
--   amount_status         VARCHAR not null  known, unknown or not_published.
--   standing_amount_gbp   DECIMAL(14,2)  The amount of the preferred record, this one or another. Unit: pounds.
--   standing_sender_code  VARCHAR not null  Who sent the preferred record.
--   whole_gbp             DECIMAL(14,2)  The sum for the whole programme at its stage, if a record gives one. Unit:
--       pounds.
--   is_part               BOOLEAN not null  Whether it is the preferred record, and part of that sum.
--   is_counted            BOOLEAN not null  Whether the figures count it.
--   financial_year        VARCHAR  Financial year the amount is for; empty if its source prints none.
--   match_source_type     VARCHAR not null  Whose money it is.
--   match_kind            VARCHAR not null  cash, in_kind or unknown.
--   match_source_org_name  VARCHAR  Who contributes, as the source names it. Empty if it names none.
--   evidence_ref          VARCHAR  The sender's reference of the evidence. Empty if there is none.
--   source_document       VARCHAR not null  Where the amount is printed.
--   source_wording        VARCHAR  The few words that carry it. Empty if there is none.
WITH sent AS (
  SELECT
    m.*,
    list_position(['programme_office', 'funder_data', 'official_statistics', 'pilot'], s.sender_type) AS sender_no,
    coalesce(m.about_site_code, if(s.sender_type = 'pilot', m.site_code, NULL)) AS area_site_code,
    m.match_id || ' of ' || coalesce(area_site_code, m.programme_code) AS match_key,
    area_site_code IS NULL AND m.award_id IS NULL AS is_whole
  FROM core.match_funding AS m
  LEFT JOIN core.sites AS s ON s.site_code = m.site_code
),
ranked AS (
  SELECT
    *,
    first_value(site_code) OVER of_stage AS standing_sender_code,
    first_value(amount) OVER of_stage AS standing_amount_gbp,
    row_number() OVER of_stage = 1 AS is_preferred
  FROM sent
  WINDOW of_stage AS (PARTITION BY match_key, match_stage ORDER BY amount IS NULL, sender_no, site_code, source_row)
),
wholes AS (
  SELECT programme_code, match_stage, sum(amount)::DECIMAL(14, 2) AS whole_gbp
  FROM ranked
  WHERE is_whole AND is_preferred AND match_stage <> 'evidenced'
  GROUP BY programme_code, match_stage
)
SELECT
  p.site_code AS sender_code,
  p.delivery_id,
  p.source_row,
  p.match_key,
  p.match_id,
  p.match_stage,
  p.programme_code,
  p.area_site_code,
  p.award_id,
  p.amount AS amount_gbp,
  p.amount_status,
  p.standing_amount_gbp,
  p.standing_sender_code,
  w.whole_gbp,
  p.is_preferred AND NOT p.is_whole AND w.whole_gbp IS NOT NULL AS is_part,
  p.is_preferred AND (p.is_whole OR w.whole_gbp IS NULL) AS is_counted,
  p.financial_year,
  p.match_source_type,
  p.match_kind,
  p.match_source_org_name,
  p.evidence_ref,
  p.source_document,
  p.source_wording
FROM ranked AS p
LEFT JOIN wholes AS w USING (programme_code, match_stage)
