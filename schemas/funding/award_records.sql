-- funding.award_records
-- Every record of an award as it was sent, and whether the figures count it. A 360Giving identifier means the same
-- award whoever sends it. Any other reference is its sender's own: it means the same award only if another sender uses
-- it for the same site. Of each award, stage and version one record is preferred: one with a known amount before one
-- without, then the programme office's before a funder's own and a site's. A later version replaces the one before it,
-- except that variations are all counted: each of them is a further change.
-- Grain: one row per sender, award, stage and version
-- Key: sender_code, award_id, award_stage, award_version
-- Source: docs/domain.md 3.1, 3.2, 3.4, 7.11
-- Columns:
--   sender_code            VARCHAR not null  Who sent the record.
--   delivery_id            VARCHAR not null  The delivery it came in.
--   source_row             BIGINT not null  Its row in the sender's file.
--   award_key              VARCHAR not null  The award, whoever sends it.
--   award_id               VARCHAR not null  The reference under which it was sent.
--   award_stage            VARCHAR not null  applied_for, prospective, indicative_cap, announced, awarded, varied or
--       closed.
--   award_version          BIGINT not null  Version of the amount.
--   programme_code         VARCHAR  The programme whose figures count the award: the one that its first sender names,
--       in the order above; empty for other funders' grants, which no programme counts.
--   stated_programme_code  VARCHAR  The programme that this record names. Empty if it names none.
--   site_code              VARCHAR  The site the money is for, chosen in the same way; empty for a whole programme.
--   area_site_code         VARCHAR  The site that this record is about, or the site that sent it. Empty for a whole
--       programme that an office sent.
--   area_name              VARCHAR  The area, as its source names it. Empty if it names none.
--   amount_gbp             DECIMAL(14,2)  The amount; empty where it is not known. Unit: pounds.
--   amount_status          VARCHAR not null  known, unknown or not_published.
--   standing_amount_gbp    DECIMAL(14,2)  The amount of the preferred record, this one or another. Unit: pounds.
--   standing_sender_code   VARCHAR not null  Who sent the preferred record.
--   is_counted             BOOLEAN not null  Whether the figures count it.
--   financial_year         VARCHAR  Financial year the amount is for; empty if its source prints none.
--   award_date             DATE  Day of the award, announcement or bid; empty if its source prints none.
--   award_month            DATE  First day of its month, also where its source prints no day. Empty if it prints
--       neither.
--   start_date             DATE  First day that the money is for; empty if its source prints none.
--   end_date               DATE  Last day that the money is for; empty if its source prints none.
--   supersedes_award_id    VARCHAR  The reference of an award that this one replaces. Empty if it names none.
--   funding_org_id         VARCHAR  The funder's identifier. Empty if it states none.
--   funding_org_name       VARCHAR not null  Who gives the money; several have a semicolon between them.
--   recipient_org_name     VARCHAR  Who receives it; empty where no source says.
--   source_document        VARCHAR not null  Where the amount is printed.
--   source_date            DATE  The day that the document bears. Empty if it bears none.
--   source_wording         VARCHAR  The few words that carry it. Empty if it states none.
--   reconciliation_note    VARCHAR  How it relates to other published sums. Empty if it states none.
WITH sent AS (
  SELECT
    a.*,
    -- The order of precedence between senders. It is fixed, so it never matters which file came first.
    list_position(['programme_office', 'funder_data', 'official_statistics', 'pilot'], s.sender_type) AS sender_no,
    coalesce(a.about_site_code, if(s.sender_type = 'pilot', a.site_code, NULL)) AS area_site_code
  FROM core.funding_awards AS a
  LEFT JOIN core.sites AS s ON s.site_code = a.site_code
),
keyed AS (
  SELECT
    *,
    -- Two sites may both have an A-1, so the key of a sender's own reference names its site or programme too.
    CASE
      WHEN starts_with(award_id, '360G-') THEN award_id
      ELSE award_id || ' of '
        || coalesce(max(area_site_code) OVER of_sender, max(programme_code) OVER of_sender, 'no programme')
    END AS award_key
  FROM sent
  WINDOW of_sender AS (PARTITION BY site_code, award_id)
),
ranked AS (
  SELECT
    *,
    first_value(programme_code IGNORE NULLS) OVER of_award AS counted_programme_code,
    first_value(about_site_code IGNORE NULLS) OVER of_award AS counted_site_code,
    first_value(site_code) OVER of_stage AS standing_sender_code,
    first_value(amount) OVER of_stage AS standing_amount_gbp,
    row_number() OVER of_stage = 1 AS is_preferred,
    award_version = max(award_version) OVER (PARTITION BY award_key, award_stage) AS is_latest
  FROM keyed
  WINDOW
    of_award AS (
      PARTITION BY award_key ORDER BY sender_no, site_code, award_stage, award_version, source_row
      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ),
    of_stage AS (
      PARTITION BY award_key, award_stage, award_version ORDER BY amount IS NULL, sender_no, site_code, source_row
    )
)
SELECT
  site_code AS sender_code,
  delivery_id,
  source_row,
  award_key,
  award_id,
  award_stage,
  award_version,
  counted_programme_code AS programme_code,
  programme_code AS stated_programme_code,
  counted_site_code AS site_code,
  area_site_code,
  area_name,
  amount AS amount_gbp,
  amount_status,
  standing_amount_gbp,
  standing_sender_code,
  is_preferred AND (is_latest OR award_stage = 'varied') AS is_counted,
  financial_year,
  award_date,
  coalesce(award_month, date_trunc('month', award_date)::DATE) AS award_month,
  start_date,
  end_date,
  supersedes_award_id,
  funding_org_id,
  funding_org_name,
  recipient_org_name,
  source_document,
  source_date,
  source_wording,
  reconciliation_note
FROM ranked
