-- funding.award_position
-- Current position of each award of a programme: a column for each kind of money, each at its latest version. A cap is
-- a limit, an announcement is a promise, and a bid or a prospect is not even that. None of them is an award, so columns are never added up, with one exception: the
-- award with its variations is current_gbp. An amount that no source gives is empty, never 0. An award has one row,
-- whoever sends it and whichever programme they name: see funding.award_records.
-- Grain: one row per award
-- Key: award_key
-- Source: docs/domain.md 3.1, 3.2
-- Columns:
--   award_key            VARCHAR not null  The award, whoever sends it.
--   sender_code          VARCHAR not null  Who sent the record that counts for its furthest stage.
--   award_id             VARCHAR not null  The award's reference.
--   programme_code       VARCHAR not null  The programme the money is for.
--   site_code            VARCHAR  The site the money is for; empty for a whole programme.
--   area_name            VARCHAR  The area, as its source names it. Empty if it names none.
--   funding_org_name     VARCHAR not null  Who gives the money.
--   recipient_org_name   VARCHAR  Who receives it; empty where no source says.
--   applied_for_gbp      DECIMAL(14,2)  What a bid asked for. Unit: pounds.
--   prospective_gbp      DECIMAL(14,2)  What depends on an approval still to come. Unit: pounds.
--   cap_gbp              DECIMAL(14,2)  Indicative cap ('up to'): a limit. Unit: pounds.
--   cap_financial_year   VARCHAR  Financial year the cap is for. Empty if there is none or its source prints no year.
--   announced_gbp        DECIMAL(14,2)  Announced amount. Unit: pounds.
--   awarded_gbp          DECIMAL(14,2)  Value of the signed agreement. Unit: pounds.
--   varied_gbp           DECIMAL(14,2)  Sum of all variations of the award; may be negative. Unit: pounds.
--   closed_gbp           DECIMAL(14,2)  Final value. Unit: pounds.
--   current_gbp          DECIMAL(14,2)  Current value of the award: its final value, or else awarded_gbp + varied_gbp;
--       empty if nothing has been awarded or the amount is not known. Unit: pounds.
--   announced_minus_cap_gbp  DECIMAL(14,2)  Announced less cap; empty unless both are known. Unit: pounds.
--   is_promised          BOOLEAN not null  Whether anybody has promised money: with a bid or a prospect alone, nobody.
--   has_cap              BOOLEAN not null  Whether a cap is on record, with or without its amount.
--   has_announcement     BOOLEAN not null  Whether an announcement is on record, with or without its amount.
--   has_award            BOOLEAN not null  Whether an award, variation or final value is on record, likewise.
--   latest_stage         VARCHAR not null  The furthest stage of the award.
--   amount_status        VARCHAR not null  Whether the amount of that stage is known, unknown or not_published.
--   is_replaced          BOOLEAN not null  Whether another award replaces it at that stage.
--   sources              VARCHAR not null  Where each stage is printed, with its wording.
SELECT
  award_key,
  arg_max(sender_code, stage_no) AS sender_code,
  min(award_id) AS award_id,
  max(programme_code) AS programme_code,
  max(site_code) AS site_code,
  max(area_name) AS area_name,
  arg_max(funding_org_name, stage_no) AS funding_org_name,
  arg_max(recipient_org_name, stage_no) AS recipient_org_name,
  max(amount_gbp) FILTER (award_stage = 'applied_for') AS applied_for_gbp,
  max(amount_gbp) FILTER (award_stage = 'prospective') AS prospective_gbp,
  max(amount_gbp) FILTER (award_stage = 'indicative_cap') AS cap_gbp,
  max(financial_year) FILTER (award_stage = 'indicative_cap') AS cap_financial_year,
  max(amount_gbp) FILTER (award_stage = 'announced') AS announced_gbp,
  max(amount_gbp) FILTER (award_stage = 'awarded') AS awarded_gbp,
  max(amount_gbp) FILTER (award_stage = 'varied') AS varied_gbp,
  max(amount_gbp) FILTER (award_stage = 'closed') AS closed_gbp,
  -- Decided by stage, not by coalesce: an unknown final value must not fall back to the sum that it replaced.
  CASE
    WHEN bool_or(award_stage = 'closed') THEN closed_gbp
    WHEN bool_or(award_stage = 'varied') THEN (awarded_gbp + varied_gbp)::DECIMAL(14, 2)
    ELSE awarded_gbp
  END AS current_gbp,
  (announced_gbp - cap_gbp)::DECIMAL(14, 2) AS announced_minus_cap_gbp,
  bool_or(is_promised) AS is_promised,
  bool_or(award_stage = 'indicative_cap') AS has_cap,
  bool_or(award_stage = 'announced') AS has_announcement,
  bool_or(award_stage IN ('awarded', 'varied', 'closed')) AS has_award,
  arg_max(award_stage, stage_no) AS latest_stage,
  arg_max(amount_status, stage_no) AS amount_status,
  arg_max(is_replaced, stage_no) AS is_replaced,
  string_agg(
    award_stage || ': ' || source_document || coalesce(' (''' || source_wording || ''')', ''), '; ' ORDER BY stage_no
  ) AS sources
FROM funding.award_stages
GROUP BY award_key
