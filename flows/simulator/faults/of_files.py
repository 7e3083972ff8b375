"""Patterns of a whole file that a rule finds as such: every month's file of a dataset has the same one.

Source: docs/domain.md 6.3, 6.4 (P11, P15, T07, E15, W06, W07).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import polars as pl

from schemas._rules.datasets.jobs import SUSTAINED

_DATES = ("job_start_date", "job_end_date", "evidence_date", "_seen")


@dataclass(frozen=True)
class FilePattern:
    """A pattern of the rows of a dataset: the finding to expect on a column, and how it is made."""

    rule_id: str
    dataset: str
    field: str
    fault: str  # description in the list of planted faults
    make: Callable[[pl.DataFrame], pl.DataFrame]


def _most_rows() -> pl.Expr:
    """Seven rows in ten."""
    return pl.int_range(pl.len()) % 10 < 7


def _unknown(people: pl.DataFrame) -> pl.DataFrame:
    code = pl.when(_most_rows()).then(pl.lit("99")).otherwise("ethnic_category")
    return people.with_columns(code.alias("ethnic_category"))


def _court_liaison(referrals: pl.DataFrame) -> pl.DataFrame:
    return referrals.with_columns(pl.col("source_of_referral").replace("M5", "E5"))


def _uneven(allocations: pl.DataFrame) -> pl.DataFrame:
    arm = pl.when(_most_rows()).then(pl.lit("ips")).otherwise("arm")
    return allocations.with_columns(arm.alias("arm"))


def _on_the_first(jobs: pl.DataFrame) -> pl.DataFrame:
    """Move the last job of each episode to the first of the next month: others might overlap then.

    How long it lasted is left out, for the person may have died soon after.
    """
    is_last = pl.col("job_spell_no") == pl.col("job_spell_no").max().over("episode_id")
    start = pl.col("job_start_date")
    later = start.dt.month_start().dt.offset_by("1mo") - start
    moved = [pl.when(is_last).then(pl.col(n) + later).otherwise(n).alias(n) for n in _DATES]
    return jobs.with_columns(moved + [pl.when(~is_last).then(n).alias(n) for n in SUSTAINED])


def _reversed(measures: pl.DataFrame) -> pl.DataFrame:
    """Anxiety turned round."""
    turned = (10 - pl.col("total_score").cast(pl.Int64)).cast(pl.String)
    is_anxiety = pl.col("measure_code") == "ons4_anxious"
    return measures.with_columns(pl.when(is_anxiety).then(turned).otherwise("total_score").alias("total_score"))


def _alike(measures: pl.DataFrame) -> pl.DataFrame:
    """One score of WEMWBS in all baselines, without the answers."""
    chosen = (pl.col("measure_code") == "wemwbs") & (pl.col("wave") == "baseline")
    cells = {"total_score": "40", "item_scores": None, "items_missing": None}
    return measures.with_columns(
        pl.when(chosen).then(pl.lit(text, pl.String)).otherwise(name).alias(name) for name, text in cells.items()
    )


FILE_PATTERNS = (
    FilePattern("P11", "participants", "ethnic_category", "most ethnic categories not known", _unknown),
    FilePattern("P15", "referrals", "source_of_referral", "court liaison for Jobcentre Plus", _court_liaison),
    FilePattern("T07", "randomisation", "arm", "most people in one arm", _uneven),
    FilePattern("W06", "wellbeing_measures", "total_score", "anxiety turned round", _reversed),
    FilePattern("W07", "wellbeing_measures", "total_score", "all baselines alike", _alike),
    FilePattern("E15", "employment_outcomes", "job_start_date", "jobs start on the first of a month", _on_the_first),
)


def with_patterns(tables: dict[str, pl.DataFrame], patterns: Sequence[FilePattern]) -> dict[str, pl.DataFrame]:
    """The tables of a site with the patterns made in them."""
    made = dict(tables)
    for p in patterns:
        if p.dataset in made:
            made[p.dataset] = p.make(made[p.dataset])
    return made
