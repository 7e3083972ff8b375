-- funding.award_stages
-- Latest known amount of each award at each stage: that of the latest version, or the sum of all variations. Stages
-- (bid, prospect, cap, announced, awarded, varied, closed) are different kinds of money for the same award and are never
-- added up. An amount that no source gives is empty, never 0. Each award appears once, whoever sends it: the records
-- behind it are in funding.award_records. Other funders' grants, kept in core.funding_awards as comparators, are left
-- out.
-- Grain: one row per award and stage
-- Key: award_key, award_stage
-- Source: docs/domain.md 3.1, 7.11
-- Columns:
--   award_key              VARCHAR not null  The award, whoever sends it.
--   sender_code            VARCHAR not null  Who sent the record that counts.
--   senders                VARCHAR not null  Everyone who sent a record of the award at this stage.
--   award_id               VARCHAR not null  The award's reference.
--   award_stage            VARCHAR not null  applied_for, prospective, indicative_cap, announced, awarded, varied or
--       closed.
--   stage_no               BIGINT not null  Place of the stage in an award's life, 1 to 7.
--   is_promised            BOOLEAN not null  Whether anybody has promised the money. A bid, and money that depends on an
--       approval still to come, are not: they are in no total.
--   programme_code         VARCHAR not null  The programme the money is for.
--   site_code              VARCHAR  The site the money is for; empty for a whole programme.
--   area_name              VARCHAR  The area, as its source names it. Empty if it names none.
--   amount_gbp             DECIMAL(14,2)  Amount at this stage, for variations their sum; empty if it, or one of them,
--       is not known. Unit: pounds.
--   amount_status          VARCHAR not null  known, unknown or not_published.
--   award_version          BIGINT not null  Latest version of the amount.
--   financial_year         VARCHAR  Financial year the amount is for; empty if its source prints none.
--   award_date             DATE  Day of the award, announcement or bid; empty if its source prints none.
--   award_month            DATE  First day of its month, also where its source prints no day. Empty if it prints
--       neither.
--   is_replaced            BOOLEAN not null  Whether another award at the same stage states that it replaces this one.
--       If so, this one is in no total.
--   funding_org_name       VARCHAR not null  Who gives the money; several have a semicolon between them
--       (funding.award_funders).
--   recipient_org_name     VARCHAR  Who receives it; empty where no source says.
--   source_document        VARCHAR not null  Where the amount is printed.
--   source_date            DATE  The day that the document bears; the latest of several. Empty if it bears none.
--   source_wording         VARCHAR  The few words that carry it. Empty if it states none.
--   reconciliation_note    VARCHAR  How it relates to other published sums. Empty if it states none.
WITH senders AS (
  SELECT award_key, award_stage, string_agg(DISTINCT sender_code, ', ' ORDER BY sender_code) AS senders
  FROM funding.award_records
  GROUP BY award_key, award_stage
),
replaced AS (
  -- References are only unique within a sender, so the award that is replaced is looked up among the sender's own.
  SELECT DISTINCT coalesce(r.award_key, n.supersedes_award_id) AS award_key, n.award_stage, n.award_key AS replaced_by
  FROM funding.award_records AS n
  LEFT JOIN funding.award_records AS r
    ON r.sender_code = n.sender_code AND r.award_id = n.supersedes_award_id
  WHERE n.is_counted AND n.supersedes_award_id IS NOT NULL
)
SELECT
  r.award_key,
  arg_max(r.sender_code, r.award_version) AS sender_code,
  min(s.senders) AS senders,
  min(r.award_id) AS award_id,
  r.award_stage,
  list_position(
    ['applied_for', 'prospective', 'indicative_cap', 'announced', 'awarded', 'varied', 'closed'], r.award_stage
  )::BIGINT AS stage_no,
  r.award_stage NOT IN ('applied_for', 'prospective') AS is_promised,
  min(r.programme_code) AS programme_code,
  min(r.site_code) AS site_code,
  arg_max(r.area_name, r.award_version) AS area_name,
  -- sum() would skip an unknown variation and give a wrong total, so one unknown amount makes the sum unknown.
  if(count(*) = count(r.amount_gbp), sum(r.amount_gbp), NULL)::DECIMAL(14, 2) AS amount_gbp,
  coalesce(min(r.amount_status) FILTER (r.amount_gbp IS NULL), 'known') AS amount_status,
  max(r.award_version) AS award_version,
  arg_max(r.financial_year, r.award_version) AS financial_year,
  arg_max(r.award_date, r.award_version) AS award_date,
  arg_max(r.award_month, r.award_version) AS award_month,
  EXISTS (
    SELECT 1
    FROM replaced AS n
    WHERE n.award_key = r.award_key AND n.award_stage = r.award_stage AND n.replaced_by <> r.award_key
  ) AS is_replaced,
  arg_max(r.funding_org_name, r.award_version) AS funding_org_name,
  arg_max(r.recipient_org_name, r.award_version) AS recipient_org_name,
  string_agg(DISTINCT r.source_document, '; ' ORDER BY r.source_document) AS source_document,
  max(r.source_date) AS source_date,
  string_agg(DISTINCT r.source_wording, '; ' ORDER BY r.source_wording) AS source_wording,
  string_agg(DISTINCT r.reconciliation_note, ' ' ORDER BY r.reconciliation_note) AS reconciliation_note
FROM funding.award_records AS r
JOIN senders AS s USING (award_key, award_stage)
WHERE r.is_counted AND r.programme_code IS NOT NULL
GROUP BY r.award_key, r.award_stage
