"""Faults of wellbeing measures. Source: docs/domain.md 2.6, 6.4 (W01 to W17)."""

from __future__ import annotations

from collections.abc import Callable

from flows.simulator.faults.fault import (
    ROW,
    WARNING,
    FaultContext,
    FaultKind,
    MakeFault,
    Row,
    RowChange,
    after_death,
    another_row,
    codes_of,
    copied_key,
    dates_of,
    orphan,
    put,
    shifted_date,
    structure_of,
)
from schemas._rules.datasets.measures import EQ5D, MEASURES, METRIC, RAW, WSAS

NO_ANSWERS: Row = {"item_scores": None, "items_missing": None}


def _is(*codes: str) -> Callable[[Row], bool]:
    return lambda row: row["measure_code"] in codes


def _is_plain(row: Row) -> bool:
    """Whether the score is the plain sum of its answers, none missing."""
    return row["measure_code"] not in (EQ5D, METRIC) and row["items_missing"] != "1"


def _scores(row: Row, score: int | str) -> RowChange:
    """A score without its answers."""
    return RowChange({"total_score": str(score), **NO_ANSWERS})


def _too_high(row: Row, context: FaultContext) -> RowChange | None:
    return _scores(row, MEASURES[row["measure_code"] or ""].scores[1] + 1) if _is_plain(row) else None


def _answers(how: Callable[[Row, list[str]], Row | None]) -> MakeFault:
    """Change a row by its answers, where all of them are there."""

    def make(row: Row, context: FaultContext) -> RowChange | None:
        if not row["item_scores"] or not _is_plain(row):
            return None
        cells = how(row, row["item_scores"].split(";"))
        return RowChange(cells) if cells else None

    return make


def _answer_too_high(row: Row, answers: list[str]) -> Row | None:
    """An answer out of range, and the sum with it."""
    measure = MEASURES[row["measure_code"] or ""]
    highest = measure.answers[1] + 1
    total = int(row["total_score"] or 0) + highest - int(answers[0])
    changed: Row = {"item_scores": ";".join([str(highest), *answers[1:]]), "total_score": str(total)}
    return changed if total <= measure.scores[1] else None


def _another_sum(row: Row, answers: list[str]) -> Row | None:
    total = int(row["total_score"] or 0) + 1
    changed: Row = {"total_score": str(total)}
    return changed if total <= MEASURES[row["measure_code"] or ""].scores[1] else None


def _fewer(row: Row, answers: list[str]) -> Row | None:
    return {"item_scores": ";".join(answers[:-1])}


def _unanswered(row: Row, answers: list[str]) -> Row | None:
    n = 2 if row["measure_code"] == WSAS else 1
    return {"item_scores": ";".join([*answers[:-n], *["."] * n]), "items_missing": str(n)}


def _is_baseline(row: Row) -> bool:
    return row["wave"] == "baseline"


def _after_allocation(row: Row, context: FaultContext) -> RowChange | None:
    if not _is_baseline(row) or not row["_randomised"] or not row["episode_id"]:  # who may have no allocation on record
        return None
    day = shifted_date(row["_randomised"], 3)
    return RowChange({"measured_date": day}) if day <= context.cut_off.isoformat() else None


def _late_baseline(row: Row, context: FaultContext) -> RowChange | None:
    """Only of somebody without a later score, which would come before the baseline then."""
    if not _is_baseline(row) or row["_randomised"] or row["_only"] != "true" or not row["episode_id"]:
        return None
    day = shifted_date(row["_start"], 35)
    return RowChange({"measured_date": day}) if day <= context.cut_off.isoformat() else None


def _before_baseline(row: Row, context: FaultContext) -> RowChange | None:
    if row["wave"] not in ("wk4", "mth4", "mth12"):
        return None
    return RowChange({"measured_date": shifted_date(row["_baseline"], -5)})


def _second_baseline(row: Row, context: FaultContext) -> RowChange | None:
    if not _is_baseline(row) or row["_randomised"]:
        return None
    day = shifted_date(row["measured_date"], 1)
    second = {**row, "measure_id": copied_key(row, "measure_id", "P"), "measured_date": day}
    return RowChange(below=(second,), at_fault=(1,)) if day <= context.cut_off.isoformat() else None


def _with_a_half(row: Row, context: FaultContext) -> RowChange | None:
    measure = row["measure_code"] or ""
    may_have_decimals = measure in (RAW, METRIC, WSAS) or not _is_plain(row)
    return None if may_have_decimals else _scores(row, f"{MEASURES[measure].scores[0]}.5")


def _same_score(row: Row, context: FaultContext) -> RowChange | None:
    return None if _is_baseline(row) else another_row("measure_id")(row, context)


def _another_person(row: Row, context: FaultContext) -> RowChange | None:
    if not row["episode_id"] or row["_other"] in (None, row["participant_ref"]):
        return None
    return RowChange({"participant_ref": row["_other"]})


WELLBEING: tuple[FaultKind, ...] = (
    *structure_of("measure_id", "vas"),
    *dates_of("measured_date"),
    *codes_of("measure_code", "phq2"),
    *codes_of("wave", "week99"),
    orphan("participant_ref", "measure_id"),
    orphan("episode_id", "measure_id"),
    FaultKind("V01", "total_score", ROW, "no score", lambda row, context: (
        None if _is(EQ5D)(row) else RowChange({"total_score": None}))),
    FaultKind("W01", "total_score", ROW, "score out of range", _too_high),
    FaultKind("W01", "item_scores", ROW, "answer out of range", _answers(_answer_too_high)),
    FaultKind("W01", "vas", ROW, "health above 100", put("vas", "101", _is(EQ5D))),
    FaultKind("W02", "total_score", ROW, "another sum than the answers", _answers(_another_sum)),
    FaultKind(
        "W03",
        "total_score",
        ROW,
        "raw and converted scores confused",
        lambda row, context: (
            _scores(row, "12.40") if _is(RAW)(row) else _scores(row, 21) if _is(METRIC)(row) else None
        ),
    ),
    FaultKind("W17", "total_score", ROW, "score of a half", _with_a_half),
    FaultKind("W04", "total_score", ROW, "EQ-5D added up", put("total_score", "10", _is(EQ5D))),
    FaultKind(
        "W04",
        "profile",
        ROW,
        "profile missing, or of another measure",
        lambda row, context: RowChange({"profile": None if _is(EQ5D)(row) else "11211"}),
    ),
    FaultKind("W05", "item_scores", ROW, "an answer left out", _answers(_fewer)),
    FaultKind("W05", "total_score", ROW, "too many answers missing", _answers(_unanswered)),
    FaultKind("W05", "items_missing", ROW, "another number of missing answers",
              _answers(lambda row, answers: {"items_missing": "3"})),
    FaultKind("W08", "measured_date", ROW, "baseline after allocation", _after_allocation, latest_only=True),
    FaultKind("W08", "measured_date", WARNING, "baseline long after the start", _late_baseline, latest_only=True),
    FaultKind("W08", "wave", ROW, "score before the baseline", _before_baseline, latest_only=True),
    FaultKind("W09", "wave", ROW, "second baseline", _second_baseline, latest_only=True),
    FaultKind("W13", "measure_id", ROW, "the same score twice", _same_score, latest_only=True),
    FaultKind("W14", "participant_ref", ROW, "score of another person", _another_person, latest_only=True),
    after_death("measured_date", lambda row: not _is_baseline(row)),
)  # fmt: skip
