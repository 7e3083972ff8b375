"""Made-up national statistics in the shape of NHS England's annual Talking Therapies releases, of any size.

Organisations are of five types, and a code is not one organisation's alone: UNKNOWN stands at every level below
England, and some codes are those of a body that buys care and provides it. `python tests/made_up_statistics.py FILE
ROWS` writes such a file.
"""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl

DOUBLES_IN_THE_REAL_RELEASES = 2_030  # rows that repeat another's identity with another value, of 4,529,756
HEADING = (
    "reporting_period", "start_date", "end_date", "org_type", "org_code", "org_name", "variable_type", "variable_a",
    "variable_b", "measure_name", "measure_statistic", "value",
)  # fmt: skip
_SHARED = ("RX9ZZ", "NQ9ZZ")  # made-up codes that are a commissioner's and a provider's
_BODIES = (
    ("Commissioning Region", "Y", 7),
    ("STP", "Q", 42),
    ("CCG", "0", 188),
    ("Provider", "R", 224),
)
ORGANISATIONS = (
    ("England", "All", "All"),
    *((kind, f"{first}{n:03}", f"{kind} {n}") for kind, first, size in _BODIES for n in range(size)),
    *((kind, "UNKNOWN", "UNKNOWN") for kind, _, _ in _BODIES),
    *((kind, code, f"Body {code}") for kind in ("CCG", "Provider") for code in _SHARED),
)
BREAKDOWNS = (
    ("Total", "NULL"),
    *(("Age Group", band) for band in ("Under 18", "18 to 25", "26 to 64", "65 to 74", "75 to 89", "90 and over")),
    *(("Gender", group) for group in ("Female", "Male", "Indeterminate", "Not stated/Not known/Invalid")),
    *(("Ethnic Group", f"Group {letter}") for letter in "ABCDEFGHJKLMNPRSZ"),
)
PERIODS = tuple((f"20{y}-{y + 1}", f"20{y}-04-01", f"20{y + 1}-03-31") for y in range(17, 25))
MEASURES = tuple((f"measure_{n:02}", statistic) for n in range(22) for statistic in ("count", "percentage"))


def statistics(rows: int, doubles: int = 0, copies: int = 0) -> pl.DataFrame:
    """`rows` lines: the last `copies` repeat a line above, those before repeat an identity with another value."""
    sound = rows - doubles - copies
    made = _identities(sound).with_columns(
        pl.when(pl.col("n") % 16 == 0)
        .then(pl.lit("*"))
        .otherwise((pl.col("n") % 20 * 5).cast(pl.String))
        .alias("value")
    )
    step = max(1, sound // max(1, doubles + copies))
    repeated = made.gather_every(step).head(doubles + copies)
    second = repeated.head(doubles).with_columns(pl.lit("7").alias("value"))
    return pl.concat([made, second, repeated.tail(copies)]).select(HEADING)


def _identities(rows: int) -> pl.DataFrame:
    """That many different combinations of organisation, breakdown, period and measure; the first vary fastest."""
    number = pl.int_range(rows, eager=True).alias("n").to_frame()
    size = 1
    for names, values in (
        (("org_type", "org_code", "org_name"), ORGANISATIONS),
        (("variable_type", "variable_a"), BREAKDOWNS),
        (("reporting_period", "start_date", "end_date"), PERIODS),
        (("measure_name", "measure_statistic"), MEASURES),
    ):
        listed = pl.DataFrame(values, names, orient="row")
        place = pl.col("n") // size % len(values)
        number = number.with_columns(pl.lit(listed[name]).gather(place).alias(name) for name in names)
        size *= len(values)
    if rows > size:
        raise ValueError(f"there are {size} different identities, not {rows}")
    return number.with_columns(pl.lit("NULL").alias("variable_b"))


if __name__ == "__main__":
    statistics(int(sys.argv[2]), DOUBLES_IN_THE_REAL_RELEASES).write_csv(Path(sys.argv[1]))
