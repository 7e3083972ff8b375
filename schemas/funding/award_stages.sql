-- funding.award_stages
-- What is known now of each award at each stage: the latest version of the amount. Stages (cap, announced, awarded,
-- varied, closed) are different kinds of money for the same award and are never added together. An amount that no source
-- gives is empty, never 0. Other funders' grants, kept in core.funding_awards as comparators, are left out.
-- Grain: one row per sender, award and stage
-- Key: sender_code, award_id, award_stage
-- Source: DOMAIN.md 3.1, 7.11, amendment 2
-- Columns:
--   sender_code            VARCHAR not null  Who sent the record.
--   award_id               VARCHAR not null  The award.
--   award_stage            VARCHAR not null  indicative_cap, announced, awarded, varied or closed.
--   stage_no               BIGINT not null  Place of the stage in an award's life, 1 to 5.
--   programme_code         VARCHAR not null  The programme the money is for.
--   site_code              VARCHAR  The site the money is for; empty for a whole programme.
--   area_name              VARCHAR  The area, as its source names it.
--   amount_gbp             DECIMAL(14,2)  Amount at this stage; empty where it is not known. Unit: pounds.
--   amount_status          VARCHAR not null  known, unknown or not_published.
--   award_version          BIGINT not null  Version of the amount that stands.
--   financial_year         VARCHAR  Financial year the amount is for, where its source prints one.
--   award_date             DATE  Day of the award or announcement, where its source prints one.
--   is_replaced            BOOLEAN not null  Whether another award of the same stage says it replaces this one: then
--       this one is in no total.
--   funding_org_name       VARCHAR not null  Who gives the money.
--   recipient_org_name     VARCHAR  Who receives it; empty where no source says.
--   source_document        VARCHAR not null  Where the amount is printed.
--   source_wording         VARCHAR  The few words that carry it.
--   reconciliation_note    VARCHAR  How it relates to other published sums.
WITH latest AS (
  SELECT *
  FROM core.funding_awards
  WHERE programme_code IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY site_code, award_id, award_stage ORDER BY award_version DESC) = 1
)
SELECT
  a.site_code AS sender_code,
  a.award_id,
  a.award_stage,
  list_position(['indicative_cap', 'announced', 'awarded', 'varied', 'closed'], a.award_stage)::BIGINT AS stage_no,
  a.programme_code,
  a.about_site_code AS site_code,
  a.area_name,
  a.amount AS amount_gbp,
  a.amount_status,
  a.award_version,
  a.financial_year,
  a.award_date,
  EXISTS (
    SELECT 1
    FROM latest AS b
    WHERE b.site_code = a.site_code AND b.award_stage = a.award_stage AND b.supersedes_award_id = a.award_id
      AND b.award_id <> a.award_id
  ) AS is_replaced,
  a.funding_org_name,
  a.recipient_org_name,
  a.source_document,
  a.source_wording,
  a.reconciliation_note
FROM latest AS a
