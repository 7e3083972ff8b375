"""A contacts extract of any size, made up, with known kinds of fault in a share of its rows.

The kinds are those that real extracts hold most: wrong codes, impossible and future dates, missed contacts with a
duration, numbers out of range, lost zeros, empty cells, copies, contradictory copies, torn lines and stray spaces.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import polars as pl

HEADING = (
    "contact_id",
    "episode_id",
    "contact_date",
    "contact_type",
    "contact_medium",
    "attended",
    "duration_minutes",
    "staff_role",
    "staff_ref",
    "with_employer",
)
# What is planted: the column, and what stands there instead. Two kinds change the whole line: see `_whole_line`.
SPOILT_CELLS = (
    ("contact_type", "home visit"),
    ("contact_date", "2016-11-31"),
    ("contact_date", "2017-02-01"),
    ("attended", "3"),  # with a duration: a missed appointment that lasted
    ("duration_minutes", "999"),
    ("duration_minutes", "abc"),
    ("contact_medium", "1"),
    ("contact_id", ""),
    ("attended", ""),
    ("contact_type", " review"),
    ("with_employer", "yes"),
)
TORN, COPY, CONTRADICTION = "torn", "copy", "contradiction"
_TYPES = ("first", "action_plan", "job_search", "employer_contact", "review", "therapy")
_ROLES = ("key_worker", "employment_specialist", "employment_adviser")
_PART = 1_000_000  # rows written at a time


def write_contacts(path: Path, rows: int, bad_share: float = 0.01, seed: int = 1) -> None:
    """Write `rows` contacts with a fault in `bad_share` of them (1: in every one), the same for the same seed."""
    chance = np.random.default_rng(seed)
    with path.open("wb") as file:
        file.write((",".join(HEADING) + "\n").encode())
        for first in range(0, rows, _PART):
            file.write(_lines(first, min(_PART, rows - first), bad_share, chance))


def _lines(first: int, rows: int, bad_share: float, chance: np.random.Generator) -> bytes:
    number = pl.int_range(first, first + rows, eager=True)
    pick = lambda values: pl.Series(np.array(values)[chance.integers(0, len(values), rows)])  # noqa: E731
    frame = pl.DataFrame(
        {
            "contact_id": pl.select(pl.format("SIM-C{}", number.cast(pl.String).str.zfill(9))).to_series(),
            "episode_id": pl.select(pl.format("SIM-E{}", (number // 12).cast(pl.String).str.zfill(8))).to_series(),
            "contact_date": pl.select(
                (pl.lit("2015-10-01").str.to_date() + pl.duration(days=pl.lit(chance.integers(0, 400, rows))))
                .cast(pl.Date)
                .cast(pl.String)
            ).to_series(),
            "contact_type": pick(_TYPES),
            "contact_medium": pick(("01", "02", "11")),
            "attended": pick(("5", "5", "6")),
            "duration_minutes": pl.Series(chance.integers(5, 120, rows)).cast(pl.String),
            "staff_role": pick(_ROLES),
            "staff_ref": pl.select(
                pl.format("W-{}", pl.lit(pl.Series(chance.integers(1, 900, rows))).cast(pl.String).str.zfill(4))
            ).to_series(),
            "with_employer": pick(("Y", "N", "N")),
        }
    )
    kinds = (*range(len(SPOILT_CELLS)), TORN, COPY, CONTRADICTION)
    at_fault = np.flatnonzero(chance.random(rows) < bad_share)
    kind = chance.integers(0, len(kinds), len(at_fault))
    for i, (column, text) in enumerate(SPOILT_CELLS):
        spoilt = np.zeros(rows, bool)
        spoilt[at_fault[kind == i]] = True
        frame = frame.with_columns(
            pl.when(pl.lit(pl.Series(spoilt))).then(pl.lit(text)).otherwise(column).alias(column)
        )
    lines = frame.select(pl.concat_str(HEADING, separator=",").alias("line"))["line"]
    return _whole_lines(lines, {k: at_fault[kind == kinds.index(k)] for k in (TORN, COPY, CONTRADICTION)})


def _whole_lines(lines: pl.Series, spoilt: dict[str, np.ndarray]) -> bytes:
    """The lines as bytes: torn ones get a cell too many, copies stand right behind their lines."""
    index = pl.Series(np.arange(len(lines)))
    malformed = index.is_in(pl.Series(spoilt[TORN]).implode())
    copied = index.is_in(pl.Series(spoilt[COPY]).implode())
    contradicted = index.is_in(pl.Series(spoilt[CONTRADICTION]).implode())
    other = lines.str.replace(r"2015|2016", "2014")
    text = pl.DataFrame(
        {"line": lines, "other": other, "torn": malformed, "copied": copied, "contradicted": contradicted}
    )
    written = text.select(
        pl.when("torn")
        .then(pl.col("line") + ",surplus")
        .when("copied")
        .then(pl.col("line") + "\n" + pl.col("line"))
        .when("contradicted")
        .then(pl.col("line") + "\n" + pl.col("other"))
        .otherwise("line")
        .str.join("\n")
    ).item()
    return (written + "\n").encode()


if __name__ == "__main__":
    write_contacts(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
