"""Write a simulated contacts extract of any size, with faults in a given share of its rows.

The kinds are the most frequent in real extracts: wrong codes, impossible and future dates, missed contacts with a
duration, numbers out of range, lost zeros, empty cells, copies, contradictory copies, malformed lines, stray spaces.
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
# faults of a cell: column, and the text that replaces the cell; `_whole_lines` has those of a line
FAULTY_CELLS = (
    ("contact_type", "home visit"),
    ("contact_date", "2016-11-31"),
    ("contact_date", "2017-02-01"),
    ("attended", "3"),  # a missed appointment, with a duration
    ("duration_minutes", "999"),
    ("duration_minutes", "abc"),
    ("contact_medium", "1"),
    ("contact_id", ""),
    ("attended", ""),
    ("contact_type", " review"),
    ("with_employer", "yes"),
)
MALFORMED, COPY, CONTRADICTION = "malformed", "copy", "contradiction"
_TYPES = ("first", "action_plan", "job_search", "employer_contact", "review", "therapy")
_ROLES = ("key_worker", "employment_specialist", "employment_adviser")
_PART = 1_000_000  # rows written at a time


def write_contacts(path: Path, rows: int, bad_share: float = 0.01, seed: int = 1) -> None:
    """Write `rows` contacts, a share of `bad_share` (0 to 1) with a fault. The same seed gives the same bytes."""
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
            "contact_medium": pick(("01", "02", "98")),
            "attended": pick(("5", "5", "6")),
            "duration_minutes": pl.Series(chance.integers(5, 120, rows)).cast(pl.String),
            "staff_role": pick(_ROLES),
            "staff_ref": pl.select(
                pl.format("W-{}", pl.lit(pl.Series(chance.integers(1, 900, rows))).cast(pl.String).str.zfill(4))
            ).to_series(),
            "with_employer": pick(("Y", "N", "N")),
        }
    )
    kinds = (*range(len(FAULTY_CELLS)), MALFORMED, COPY, CONTRADICTION)
    at_fault = np.flatnonzero(chance.random(rows) < bad_share)
    kind = chance.integers(0, len(kinds), len(at_fault))
    for i, (column, text) in enumerate(FAULTY_CELLS):
        has_fault = np.zeros(rows, bool)
        has_fault[at_fault[kind == i]] = True
        frame = frame.with_columns(
            pl.when(pl.lit(pl.Series(has_fault))).then(pl.lit(text)).otherwise(column).alias(column)
        )
    lines = frame.select(pl.concat_str(HEADING, separator=",").alias("line"))["line"]
    return _whole_lines(lines, {k: at_fault[kind == kinds.index(k)] for k in (MALFORMED, COPY, CONTRADICTION)})


def _whole_lines(lines: pl.Series, faults: dict[str, np.ndarray]) -> bytes:
    """Join the lines to bytes: malformed ones get a surplus cell, and a copy follows the line that it copies."""
    index = pl.Series(np.arange(len(lines)))
    malformed = index.is_in(pl.Series(faults[MALFORMED]).implode())
    copied = index.is_in(pl.Series(faults[COPY]).implode())
    contradicted = index.is_in(pl.Series(faults[CONTRADICTION]).implode())
    other = lines.str.replace(r"2015|2016", "2014")
    text = pl.DataFrame(
        {"line": lines, "other": other, "malformed": malformed, "copied": copied, "contradicted": contradicted}
    )
    written = text.select(
        pl.when("malformed")
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
