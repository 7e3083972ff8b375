"""What each wellbeing measure consists of, and what its scores may be. Source: docs/domain.md 2.6."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import polars as pl


@dataclass(frozen=True)
class Measure:
    """One measure: how many questions it has, and the range of an answer and of the score."""

    questions: int
    answers: tuple[int, int]
    scores: tuple[int, int]


EQ5D, WSAS, METRIC, RAW = "eq5d5l", "wsas", "swemwbs_metric", "swemwbs_raw"
ONE_QUESTION = Measure(1, (0, 10), (0, 10))
MEASURES: dict[str, Measure] = {
    "phq9": Measure(9, (0, 3), (0, 27)),
    "gad7": Measure(7, (0, 3), (0, 21)),
    WSAS: Measure(5, (0, 8), (0, 40)),
    "wemwbs": Measure(14, (1, 5), (14, 70)),
    RAW: Measure(7, (1, 5), (7, 35)),
    METRIC: Measure(7, (1, 5), (7, 35)),
    "gse": Measure(10, (1, 4), (10, 40)),
    **dict.fromkeys(("ons4_satisfied", "ons4_worthwhile", "ons4_happy", "ons4_anxious"), ONE_QUESTION),
}

# SWEMWBS: the converted score of each raw total from 7 to 35. Source: docs/domain.md 2.6 [SWEM].
METRIC_SCORES = (
    *("7.00", "9.51", "11.25", "12.40", "13.33", "14.08", "14.75", "15.32", "15.84", "16.36"),
    *("16.88", "17.43", "17.98", "18.59", "19.25", "19.98", "20.73", "21.54", "22.35", "23.21"),
    *("24.11", "25.03", "26.02", "27.03", "28.13", "29.31", "30.70", "32.55", "35.00"),
)
METRIC_OF_RAW: dict[int, Decimal] = {raw: Decimal(text) for raw, text in enumerate(METRIC_SCORES, 7)}

_CODE, _TOTAL = pl.col("measure_code"), pl.col("total_score")


def _of_measure(what: Callable[[Measure], int]) -> pl.Expr:
    """A number of each row's measure; null for EQ-5D-5L, which has no total."""
    return _CODE.replace_strict({code: what(m) for code, m in MEASURES.items()}, default=None, return_dtype=pl.Int64)


def _answers() -> pl.Expr:
    """The answers of a row as a list of texts, '.' for a missing one; null where none were sent.

    They are separated by semicolons, or written as bare digits where every answer has one digit.
    """
    text = pl.col("item_scores")
    is_one = _of_measure(lambda m: m.questions) == 1  # the one answer may be 10
    return (
        pl.when(is_one | text.str.contains(";", literal=True)).then(text.str.split(";")).otherwise(text.str.split(""))
    )


def _numbers() -> pl.Expr:
    return _answers().list.eval(pl.element().cast(pl.Int64, strict=False))


def missing_answers() -> pl.Expr:
    """How many questions have no answer: counted in the answers, else as stated; 0 where neither is sent."""
    return pl.coalesce(_answers().list.count_matches("."), "items_missing").fill_null(0).cast(pl.Int64)


def score_in_range() -> pl.Expr:
    """W01: the score lies in the range of its measure."""
    return _TOTAL.is_between(_of_measure(lambda m: m.scores[0]), _of_measure(lambda m: m.scores[1]))


def answers_in_range() -> pl.Expr:
    """W01: every answer lies in the range of its measure."""
    return (_numbers().list.min() >= _of_measure(lambda m: m.answers[0])) & (
        _numbers().list.max() <= _of_measure(lambda m: m.answers[1])
    )


def has_all_answers() -> pl.Expr:
    """W05: there are as many answers as the measure has questions."""
    return _answers().list.len() == _of_measure(lambda m: m.questions)


def few_enough_missing() -> pl.Expr:
    """W05: no answer is missing, or one of WSAS, for which the mean of the others may stand."""
    return missing_answers() <= pl.when(_CODE == WSAS).then(1).otherwise(0)


def missing_as_stated() -> pl.Expr:
    """W05: the stated number of missing answers is the one that the answers show."""
    return pl.col("items_missing").cast(pl.Int64) == _answers().list.count_matches(".").cast(pl.Int64)


def is_sum_of_answers() -> pl.Expr:
    """W02: the score is the sum of the answers; converted for the metric SWEMWBS, and completed by the mean for WSAS.

    Holds where answers are missing or too many, which rule W05 reports.
    """
    added = _numbers().list.sum()
    converted = added.replace_strict(METRIC_OF_RAW, default=None, return_dtype=pl.Decimal(5, 2))
    # The mean of four answers, for the fifth, ends in a quarter: sites round it to a whole number or send it as it is.
    completed = added.cast(pl.Float64) * 5 / 4
    off = (_TOTAL.cast(pl.Float64) - completed).abs()
    return (
        pl.when(~has_all_answers())
        .then(True)
        .when((_CODE == WSAS) & (missing_answers() == 1))
        .then(off < 1)
        .when(missing_answers() > 0)
        .then(True)
        .when(_CODE == METRIC)
        .then(converted == _TOTAL)
        .otherwise(added == _TOTAL)
    )


def is_raw_total() -> pl.Expr:
    """W03: a raw SWEMWBS total is a whole number."""
    return (_CODE != RAW) | (_TOTAL.cast(pl.Float64).round(0) == _TOTAL)


def is_whole_number() -> pl.Expr:
    """W17: a total is a whole number. W03 speaks of SWEMWBS; the mean of four answers may complete WSAS."""
    may_have_decimals = _CODE.is_in([RAW, METRIC, WSAS])
    return may_have_decimals | (_TOTAL.cast(pl.Float64).round(0) == _TOTAL) | ~score_in_range()


def is_converted() -> pl.Expr:
    """W03: a metric SWEMWBS score is one that the conversion gives. Outside the range, rule W01 speaks."""
    return (_CODE != METRIC) | _TOTAL.is_in(list(METRIC_OF_RAW.values())) | ~score_in_range()
