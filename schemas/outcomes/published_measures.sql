-- outcomes.published_measures
-- Results and statistics as their publishers printed them, with what they may be compared with. They are never added to
-- our own figures. A figure that its publisher hid or left out has no value: value_status says which of the two.
-- Grain: one row per sender, organisation and its type, period, breakdown, measure and statistic
-- Key: sender_code, organisation_code, organisation_type, reporting_period, breakdown_type, breakdown, second_breakdown, measure_name, measure_statistic
-- Source: docs/domain.md 1.1 to 1.6, 4.2, 7.20
-- Columns:
--   sender_code              VARCHAR not null  Who sent the figure: PMO or NHSE.
--   programme_code           VARCHAR  The programme it is about; empty for statistics about no programme of ours.
--   site_code                VARCHAR  The pilot site it is about. Empty if it is about none.
--   organisation_type        VARCHAR not null  What kind of body or area it is about.
--   organisation_code        VARCHAR not null  The publisher's code of the body or area.
--   organisation_name        VARCHAR not null  The body or area.
--   reporting_period         VARCHAR not null  The period as its publisher names it.
--   start_date               DATE  First day of the period. Empty if the source states none.
--   end_date                 DATE  Last day of the period. Empty if the source states none.
--   breakdown_type           VARCHAR not null  The characteristic by which the figure is broken down.
--   breakdown                VARCHAR not null  The group; 'NULL' is the publisher's word for all of them.
--   second_breakdown         VARCHAR not null  The group within the group; 'NULL' is all of them.
--   measure_name             VARCHAR not null  The measure.
--   measure_statistic        VARCHAR not null  What kind of number it is: count, percentage, ...
--   unit                     VARCHAR  What is counted. Empty if the source states none.
--   value                    DECIMAL(14,4)  The figure as printed; empty unless value_status is known.
--   value_status             VARCHAR not null  known, suppressed (hidden by the publisher) or null_as_published.
--   numerator                BIGINT  The numerator as printed. Empty if none is printed.
--   denominator              BIGINT  The denominator as printed. Empty if none is printed.
--   certainty                VARCHAR  Interval or test, in the source's words. Empty if the source states none.
--   rounded_to               BIGINT  The multiple the publisher rounds to. Empty if the source states none.
--   release_date             DATE  The day of its release; empty where that is not known.
--   revision                 BIGINT  0 as first released, 1 for the first revision; empty where the source does not say.
--   outcome_definition_code  VARCHAR  The rule by which an outcome counts. Empty if the source states none.
--   comparability            VARCHAR not null  What the figure may be compared with.
--   caveat                   VARCHAR  What to know before using it. Empty if the source states none.
--   source_document          VARCHAR not null  Where it is printed.
--   source_wording           VARCHAR  The few words that carry it. Empty if the source states none.
SELECT
  m.site_code AS sender_code,
  m.programme_code,
  m.about_site_code AS site_code,
  m.organisation_type,
  m.organisation_code,
  m.organisation_name,
  m.reporting_period,
  m.start_date,
  m.end_date,
  m.breakdown_type,
  m.breakdown,
  m.second_breakdown,
  m.measure_name,
  m.measure_statistic,
  m.unit,
  m.value,
  m.value_status,
  m.numerator,
  m.denominator,
  m.certainty,
  m.rounded_to,
  m.release_date,
  m.revision,
  m.outcome_definition_code,
  CASE
    WHEN d.definition_code IS NOT NULL
      THEN 'Only with figures of the definition ' || d.definition_code || ' (' || d.definition || '): '
        || 'not comparable across definitions.'
    WHEN m.outcome_definition_code IS NOT NULL THEN 'Only with figures of the definition ' || m.outcome_definition_code
      || ': not comparable across definitions.'
    ELSE 'Only with the same measure of the same publisher: the source states no outcome definition of the register.'
  END AS comparability,
  m.caveat,
  m.source_document,
  m.source_wording
FROM core.published_measures AS m
LEFT JOIN core.outcome_definitions AS d ON d.definition_code = m.outcome_definition_code
