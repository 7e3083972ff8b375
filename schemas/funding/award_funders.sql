-- funding.award_funders
-- Who gives each award of a programme: the funders of one award apart. Where several give it together and no source
-- prints the split, each has a row and none an amount: the sum of all of them is award_gbp, which is repeated and not
-- to be added up. To add up what is known to come from one funder, use funder_gbp.
-- Grain: one row per award, stage and funder
-- Key: award_key, award_stage, funder_no
-- Source: docs/domain.md 1.2, 3.1
-- Columns:
--   award_key             VARCHAR not null  The award, whoever sends it.
--   award_stage           VARCHAR not null  The stage, as in funding.award_stages.
--   funder_no             BIGINT not null  Place of the funder among those that the record names.
--   n_funders             BIGINT not null  How many it names. Unit: funders.
--   award_id              VARCHAR not null  The award's reference.
--   programme_code        VARCHAR not null  The programme the money is for.
--   site_code             VARCHAR  The site the money is for; empty for a whole programme.
--   funding_org_name      VARCHAR not null  The funder.
--   funder_gbp            DECIMAL(14,2)  What this funder gives: the award's amount if nobody else gives to it, else
--       empty. Unit: pounds.
--   funder_amount_status  VARCHAR not null  known, unknown or not_published; not_published where the split is not.
--   award_gbp             DECIMAL(14,2)  What all funders of the award give together. Unit: pounds.
--   is_replaced           BOOLEAN not null  Whether another award replaces it.
--   award_date            DATE  Day of the award, announcement or bid; empty if its source prints none.
--   award_month           DATE  First day of its month, also where its source prints no day. Empty if it prints
--       neither.
--   source_document       VARCHAR not null  Where the amount is printed.
--   source_date           DATE  The day that the document bears. Empty if it bears none.
--   source_wording        VARCHAR  The few words that carry it. Empty if it states none.
WITH named AS (
  SELECT *, regexp_split_to_array(trim(funding_org_name, '; '), '\s*;\s*') AS funders
  FROM funding.award_stages
)
SELECT
  award_key,
  award_stage,
  unnest(generate_series(1, len(funders))) AS funder_no,
  len(funders) AS n_funders,
  award_id,
  programme_code,
  site_code,
  unnest(funders) AS funding_org_name,
  if(n_funders = 1, amount_gbp, NULL)::DECIMAL(14, 2) AS funder_gbp,
  if(n_funders > 1 AND amount_status = 'known', 'not_published', amount_status) AS funder_amount_status,
  amount_gbp AS award_gbp,
  is_replaced,
  award_date,
  award_month,
  source_document,
  source_date,
  source_wording
FROM named
