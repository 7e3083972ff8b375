"""core.wellbeing_measures: scores of wellbeing and clinical measures.

Source: docs/domain.md 2.6, 7.8, rules W01-W09. W13, W14 and W17 are our own.
"""

from __future__ import annotations

import polars as pl

from schemas._contract.model import MIN_ROWS_FOR_A_PATTERN, Contract, Field, Kind, Rule, Severity
from schemas._contract.shared_fields import (
    EPISODE_ID,
    PARTICIPANT_REF,
    before_death,
    orphan,
    participant_of_episode,
    repeats_sql,
)
from schemas._rules.datasets.measures import (
    EQ5D,
    answers_in_range,
    few_enough_missing,
    has_all_answers,
    is_converted,
    is_raw_total,
    is_sum_of_answers,
    is_whole_number,
    missing_as_stated,
    score_in_range,
)
from schemas._rules.months import within_period

# The first baseline of each person and measure.
BASELINES = """
    select site_code, participant_ref, measure_code, min(measured_date) as measured_date
    from core.wellbeing_measures where wave = 'baseline' group by all"""

REVERSED = 0.3  # a correlation of anxiety with happiness above this is the wrong way round: docs/domain.md 6.4


def _is_eq5d() -> pl.Expr:
    return pl.col("measure_code") == EQ5D


CONTRACT = Contract(
    dataset="wellbeing_measures",
    title="Wellbeing measures",
    description="Scores of wellbeing and clinical measures, at fixed times (waves) or at any session.",
    grain="one row per participant, measure and occasion",
    key=("measure_id",),
    participant_level=True,
    event_date="measured_date",
    fields=(
        Field(
            "measure_id",
            Kind.REFERENCE,
            "Measure reference",
            "The site's own reference for the score.",
            pattern=r"^[A-Z]{2,8}-[A-Z0-9]{6,16}$",
            aliases=("Score ID", "Questionnaire ID", "Measure ID", "Outcome ID", "Score ref"),
            example="BPL-M0001234",
        ),
        PARTICIPANT_REF,
        EPISODE_ID.replace(required=False, empty_if="the score belongs to no episode"),
        Field(
            "measure_code",
            Kind.CODE,
            "Measure",
            "Which measure it is. SWEMWBS is sent raw, converted (metric), or as a row for each.",
            codes="measure_code",
            aliases=("Questionnaire", "Scale", "Outcome measure", "Measure name", "Questionnaire name", "Tool"),
            example="phq9",
        ),
        Field(
            "wave",
            Kind.CODE,
            "Wave",
            "At which of the agreed times it was measured.",
            codes="measure_wave",
            aliases=("Time point", "Timepoint", "Stage", "Assessment point", "Assessment stage"),
            example="baseline",
        ),
        Field(
            "measured_date",
            Kind.DATE,
            "Date measured",
            "The day on which the questions were answered.",
            aliases=(
                "Date of measure",
                "Assessment date",
                "Date completed",
                "Date of questionnaire",
                "Questionnaire date",
            ),
            example="2016-05-20",
        ),
        Field(
            "total_score",
            Kind.DECIMAL,
            "Score",
            "The total of the measure, or the answer to a single question. EQ-5D-5L has none: see its profile.",
            required=False,
            empty_if="the measure is EQ-5D-5L (another that was not done has no row)",
            column_required=True,
            sentinels=("999", "9999", "-1", "99"),
            aliases=("Total", "Total score", "Score total", "Result", "Score value"),
            example="9",
        ),
        Field(
            "item_scores",
            Kind.REFERENCE,
            "Answers",
            "The answers in their order, separated by semicolons; a full stop for a missing one.",
            required=False,
            pattern=r"^[0-9.]+$|^(?:[0-9]|10|\.)(?:;(?:[0-9]|10|\.))*$",
            joined_by=";",
            aliases=("Item scores", "Items", "Item responses", "Responses"),
            example="1;1;1;1;1;1;1;1;1",
        ),
        Field(
            "profile",
            Kind.REFERENCE,
            "EQ-5D profile",
            "The five answers of EQ-5D-5L as five digits, in the order of the form. They are never added up.",
            required=False,
            empty_if="the measure is not EQ-5D-5L",
            pattern=r"^[1-5]{5}$",
            pattern_rule="W04",
            joined_by="",
            aliases=("EQ-5D profile", "Health state", "EQ5D5L profile", "EQ-5D-5L"),
        ),
        Field(
            "vas",
            Kind.INTEGER,
            "EQ-5D health today",
            "The answer on the scale of EQ-5D-5L from 0 to 100.",
            required=False,
            empty_if="the measure is not EQ-5D-5L",
            low=0,
            high=100,
            range_rule="W01",
            sentinels=("999", "-1"),
            aliases=("EQ VAS", "Health today", "EQ-5D VAS", "EQ5D VAS", "VAS score"),
        ),
        Field(
            "items_missing",
            Kind.INTEGER,
            "Answers missing",
            "How many questions were not answered.",
            required=False,
            low=0,
            high=14,
            sentinels=("99", "999"),
            aliases=("Missing items",),
            example="0",
        ),
        Field(
            "mode",
            Kind.CODE,
            "How it was asked",
            "How the questions were asked and answered.",
            codes="measure_mode",
            required=False,
            aliases=("Mode of completion", "Completed by", "Administered by", "Method of completion"),
            example="self",
        ),
    ),
    rules=(
        within_period("measured_date"),
        Rule(
            "V01",
            Severity.ROW,
            "The score is empty",
            expected="a score for every measure but EQ-5D-5L",
            fix="Enter the score. If it could not be worked out, leave the row out.",
            field="total_score",
            check=lambda: _is_eq5d() | pl.col("total_score").is_not_null(),
        ),
        Rule(
            "W01",
            Severity.ROW,
            "The score is outside the range of its measure",
            expected="PHQ-9 0 to 27, GAD-7 0 to 21, WSAS 0 to 40, WEMWBS 14 to 70, SWEMWBS 7 to 35, each question of"
            " ONS4 0 to 10, GSE 10 to 40",
            fix="Check the score and the measure: each score belongs on the row of its own measure.",
            field="total_score",
            check=score_in_range,
        ),
        Rule(
            "W01",
            Severity.ROW,
            "An answer is outside the range of its measure",
            expected="PHQ-9 and GAD-7 0 to 3, WSAS 0 to 8, WEMWBS and SWEMWBS 1 to 5, ONS4 0 to 10, GSE 1 to 4",
            fix="Check the answers and the measure.",
            field="item_scores",
            check=answers_in_range,
        ),
        Rule(
            "W02",
            Severity.ROW,
            "The score is not the sum of the answers",
            expected="the sum of the answers; for SWEMWBS (metric) what the conversion table gives for it",
            fix="Check the score and the answers.",
            field="total_score",
            check=is_sum_of_answers,
        ),
        Rule(
            "W03",
            Severity.ROW,
            "Raw and converted SWEMWBS scores are confused",
            expected="a whole number from 7 to 35 for swemwbs_raw; for swemwbs_metric a score of the conversion table,"
            " such as 19.25 for a raw total of 21",
            fix="Check which of the two the score is, and name the measure by it.",
            field="total_score",
            check=lambda: is_raw_total() & is_converted(),
        ),
        Rule(
            "W17",
            Severity.ROW,
            "The score is not a whole number",
            expected="a whole number; only swemwbs_metric, and WSAS with one missing answer, have decimals",
            fix="Check the score and the measure. Send the total of the answers, never the mean of several.",
            field="total_score",
            check=is_whole_number,
        ),
        Rule(
            "W04",
            Severity.ROW,
            "EQ-5D-5L has a score: its five digits are never added up",
            expected="an empty score, and the five digits as the profile",
            fix="Empty the score, and enter the five answers as the profile, such as 11211.",
            field="total_score",
            check=lambda: ~_is_eq5d() | pl.col("total_score").is_null(),
        ),
        Rule(
            "W04",
            Severity.ROW,
            "The profile of EQ-5D-5L is missing or not five digits, or another measure has one",
            expected="five digits from 1 to 5 for EQ-5D-5L, such as 11211, and an empty cell for every other measure",
            fix="Enter the five answers as five digits, or correct the measure. It is no index value, such as 0.85.",
            field="profile",
            check=lambda: _is_eq5d() == pl.col("profile").is_not_null(),
        ),
        Rule(
            "W05",
            Severity.ROW,
            "There are more or fewer answers than the measure has questions",
            expected="PHQ-9 9 answers, GAD-7 7, WSAS 5, WEMWBS 14, SWEMWBS 7, GSE 10, each question of ONS4 1; a full"
            " stop for a missing one",
            fix="Separate the answers by semicolons, such as 0;1;2: a spreadsheet drops a nought at the front of a"
            " number.",
            field="item_scores",
            check=has_all_answers,
        ),
        Rule(
            "W05",
            Severity.ROW,
            "Too many answers are missing for a score",
            expected="no missing answer; for WSAS at most one, for which the mean of the others stands",
            fix="If the answers are there, enter them. If they are not, leave the row out: there is no score.",
            field="total_score",
            check=few_enough_missing,
        ),
        Rule(
            "W05",
            Severity.ROW,
            "The number of missing answers is not what the answers show",
            expected="as many as there are full stops among the answers",
            fix="Correct the number, or the answers.",
            field="items_missing",
            check=missing_as_stated,
        ),
        orphan("wellbeing_measures", "score", "participants"),
        orphan("wellbeing_measures", "score", "referrals"),
        participant_of_episode("wellbeing_measures", "W14"),
        Rule(
            "W08",
            Severity.ROW,
            "The baseline was measured after randomisation",
            expected="a baseline on or before the day of randomisation",
            fix="Correct the date or the wave. A score from after the allocation is no baseline.",
            field="measured_date",
            needs=("randomisation",),
            violations_sql="""
                select m.delivery_id, m.source_row from core.wellbeing_measures m
                join (select site_code, participant_ref, min(randomised_date) as randomised_date
                    from core.randomisation group by all) using (site_code, participant_ref)
                where m.wave = 'baseline' and m.measured_date > randomised_date""",
        ),
        Rule(
            "W08",
            Severity.WARNING,
            "The baseline was measured more than 28 days after the start of support",
            expected="a baseline before the start of support, or up to 28 days after it",
            fix="Check the date, the wave and the start of support.",
            field="measured_date",
            confirmable=True,
            needs=("referrals",),
            violations_sql="""
                select m.delivery_id, m.source_row from core.wellbeing_measures m
                join core.referrals r using (site_code, episode_id)
                where m.wave = 'baseline' and m.measured_date > r.programme_start_date + 28""",
        ),
        Rule(
            "W08",
            Severity.ROW,
            "The score was measured before the baseline",
            expected="a day on or after the person's baseline of the same measure",
            fix="Correct the date or the wave: the first score is the baseline.",
            field="wave",
            violations_sql=f"""
                select m.delivery_id, m.source_row from core.wellbeing_measures m
                join ({BASELINES}) b using (site_code, participant_ref, measure_code)
                where m.wave in ('wk4', 'mth4', 'mth12', 'exit') and m.measured_date < b.measured_date""",
        ),
        Rule(
            "W09",
            Severity.ROW,
            "The person has a baseline of this measure already",
            expected="one baseline of each measure for an episode: the first counts",
            fix="Correct the wave or the measure. If it is the same score, delete one of the two rows.",
            field="wave",
            names_other="the first baseline is on",
            violations_sql=repeats_sql(
                "core.wellbeing_measures",
                columns="site_code, participant_ref, episode_id, measure_code",
                order_by="measured_date, delivery_id, source_row",
                where="wave = 'baseline'",
            ),
        ),
        Rule(
            "W13",
            Severity.ROW,
            "The same score is recorded more than once",
            expected="one score of a measure for a person, wave and day",
            fix="Delete the copy. If the day, the wave or the measure is wrong, correct it.",
            field="measure_id",
            names_other="the same score as",
            violations_sql=repeats_sql(
                "core.wellbeing_measures",
                columns="site_code, participant_ref, measure_code, wave, measured_date",
                order_by="delivery_id, source_row",
                where="wave <> 'baseline'",
            ),
        ),
        Rule(
            "W06",
            Severity.WARNING,
            "Anxiety may be reversed: people who were happy say that they were anxious",
            expected="anxiety from 0 (not at all) to 10, so that mostly it is lower where happiness is higher",
            fix="Check whether the answers to ons4_anxious were turned round before they were sent. They are sent as"
            " people gave them: 0 is not at all anxious.",
            field="total_score",
            whole_file=True,
            violations_sql=f"""
                select a.delivery_id, count(*) || ' people who answered both on one day' as found
                from core.wellbeing_measures a
                join core.wellbeing_measures h using (delivery_id, participant_ref, measured_date)
                where a.measure_code = 'ons4_anxious' and h.measure_code = 'ons4_happy'
                group by a.delivery_id
                having count(*) >= {MIN_ROWS_FOR_A_PATTERN}
                    and corr(a.total_score::double, h.total_score::double) > {REVERSED}""",
        ),
        Rule(
            "W07",
            Severity.WARNING,
            "Scores look copied: they are all alike, or nobody's has changed",
            expected="scores that differ from person to person, and for most people from wave to wave",
            fix="Check whether a score was copied down, or the baseline copied into a later wave.",
            field="total_score",
            whole_file=True,
            violations_sql=f"""
                with scores as (
                    select *, coalesce(total_score::varchar, profile) as score from core.wellbeing_measures
                ),
                alike as (
                    select delivery_id, measure_code, wave, count(*) || ' scores of ' || measure_code || ' in the wave '
                        || wave || ', all alike' as found
                    from scores group by delivery_id, measure_code, wave
                    having count(*) >= {MIN_ROWS_FOR_A_PATTERN} and count(distinct score) = 1
                ),
                unchanged as (
                    select s.delivery_id, s.measure_code, s.wave, count(*) || ' people with a score of '
                        || s.measure_code || ' in the wave ' || s.wave || ', all as at baseline' as found
                    from scores s join scores b using (delivery_id, participant_ref, measure_code)
                    where b.wave = 'baseline' and s.wave <> 'baseline'
                    group by s.delivery_id, s.measure_code, s.wave
                    having count(*) >= {MIN_ROWS_FOR_A_PATTERN} and count(*) filter (s.score <> b.score) = 0
                )
                select delivery_id, string_agg(found, '; ' order by measure_code, wave) as found
                from (from alike union all from unchanged) group by delivery_id""",
        ),
        before_death("wellbeing_measures", "measured_date", "The score"),
    ),
)
