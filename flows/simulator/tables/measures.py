"""Rows of wellbeing_measures: each measure's answers, which add up to its score. Source: docs/domain.md 2.6."""

from __future__ import annotations

import numpy as np
import polars as pl

from flows.simulator.lives.chance import dates, random_codes, where_known
from flows.simulator.lives.wellbeing import WAVES, Occasions, occasions_of
from flows.simulator.tables.references import Batch, two_digits
from schemas._rules.datasets.measures import EQ5D, MEASURES, METRIC, METRIC_OF_RAW, ONE_QUESTION, WSAS

# share of the highest answer that people give at the start, on average
_AT_START = {"phq9": 0.55, "gad7": 0.57, WSAS: 0.52, EQ5D: 0.35, "ons4_anxious": 0.55}
_OF_GOOD = 0.4  # the same where a high answer is a good one
_BY_DISTRESS, _BY_QUESTION = 0.8, 0.4  # how far answers follow distress, on the scale of log-odds, and how far not
_WITHOUT_ANSWERS, _ONE_MISSING = 0.15, 0.05  # share of rows with the score alone; of WSAS, with a question unanswered
_HIGHEST_OF_EQ5D = 4  # above the lowest, 1


def measures(batch: Batch, rng: np.random.Generator) -> pl.DataFrame:
    """Rows of wellbeing_measures. A score of somebody out of support belongs to no episode."""
    lives, conditions = batch.lives, batch.conditions
    asked = occasions_of(rng, lives.episodes, lives.jobs, lives.trial, conditions.last)
    codes = conditions.site.programme.measures
    tables = [_of_measure(batch, rng, asked, code, number) for number, code in enumerate(codes)]
    return pl.concat(tables).sort("measured_date", "measure_id") if tables else pl.DataFrame()


def _of_measure(batch: Batch, rng: np.random.Generator, asked: Occasions, code: str, number: int) -> pl.DataFrame:
    size = len(asked.episode)
    in_support = batch.supported[asked.episode]
    return pl.DataFrame(
        {
            "measure_id": batch.series(asked.episode, "MN") + two_digits(asked.wave * 10 + number),
            "participant_ref": batch.people_of(asked.episode),
            "episode_id": batch.episodes(asked.episode).set(~pl.Series(in_support), None),
            "measure_code": np.full(size, code),
            "wave": np.array(WAVES)[asked.wave],
            "measured_date": dates(asked.day),
            **_answers(rng, asked.distress, code),
            "mode": where_known(
                rng.random(size) < 0.9, random_codes(rng, "measure_mode", size, self=60, phone=25, staff_read=15)
            ),
            "_seen": dates(asked.day),
            "_watched": np.zeros(size, dtype=bool),
            **batch.facts(asked.episode),
        }
    ).with_columns(
        _baseline=pl.col("measured_date").min().over("participant_ref"),
        _only=pl.len().over("participant_ref") == 1,
        # later scores, and those of a second episode, are compared with the baseline
        _leaf=(pl.col("wave") != "baseline") | (pl.len().over("participant_ref") == 1),
        _other=pl.col("participant_ref").shift(1),
    )


def _answers(rng: np.random.Generator, distress: np.ndarray, code: str) -> dict[str, pl.Series]:
    """Cells of the answers to a measure and their score."""
    size = len(distress)
    none = pl.Series([None] * size, dtype=pl.String)
    if code == EQ5D:
        digits = 1 + _drawn(rng, distress, code, 5, _HIGHEST_OF_EQ5D)
        health = 5 * rng.binomial(19, _share(-distress - 0.2))
        return _cells(none, none, _joined(digits, ""), pl.Series(health).cast(pl.String), none)
    measure = MEASURES[code]
    low, high = measure.answers
    given = low + _drawn(rng, distress, code, measure.questions, high - low)
    total = given.sum(axis=1)
    score = pl.Series(total).cast(pl.String)
    texts = _joined(given, ";")
    known = rng.random(size) >= _WITHOUT_ANSWERS
    missing = pl.Series(np.zeros(size, int))
    if code == METRIC:
        score = pl.Series(total).replace_strict({raw: str(value) for raw, value in METRIC_OF_RAW.items()})
    if code == WSAS:  # the mean of the others stands for one
        lacks = known & (rng.random(size) < _ONE_MISSING)
        without = total - given[:, -1]
        score = pl.Series(np.where(lacks, np.round(without * 5 / 4), total).astype(int)).cast(pl.String)
        texts = texts.zip_with(pl.Series(~lacks), texts.str.replace(r"\d$", "."))
        missing = pl.Series(lacks.astype(int))
    if measure == ONE_QUESTION:
        known = np.zeros(size, dtype=bool)
    stated = missing.cast(pl.String).set(pl.Series(~known), None)
    return _cells(score, texts.set(pl.Series(~known), None), none, none, stated)


def _cells(*columns: pl.Series) -> dict[str, pl.Series]:
    names = ("total_score", "item_scores", "profile", "vas", "items_missing")
    return dict(zip(names, columns, strict=True))


def _drawn(rng: np.random.Generator, distress: np.ndarray, code: str, questions: int, highest: int) -> np.ndarray:
    """Answers from 0 to `highest`: a row per occasion and a column per question."""
    bad = code in _AT_START
    at_start = np.log(_AT_START.get(code, _OF_GOOD) / (1 - _AT_START.get(code, _OF_GOOD)))
    leaning = at_start + (1 if bad else -1) * _BY_DISTRESS * distress
    each = leaning[:, None] + rng.normal(0, _BY_QUESTION, (len(distress), questions))
    return rng.binomial(highest, _share(each))


def _share(leaning: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-leaning))


def _joined(digits: np.ndarray, separator: str) -> pl.Series:
    """Rows of numbers as texts."""
    columns = [pl.Series(f"c{n}", column).cast(pl.String) for n, column in enumerate(digits.T)]
    return pl.DataFrame(columns).select(pl.concat_str(pl.all(), separator=separator)).to_series()
