"""Cut a simulated table at a date: the rows and cells that a site knew by then, as text.

Extracts are cumulative: each month's file holds everything up to its own cut-off (docs/domain.md 7).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import polars as pl

# fields that are known only once the date in another field has passed
_KNOWN_WITH = {
    "eligibility_date": ("ineligible_reason",),
    "programme_start_date": ("start_basis",),
    "exit_date": ("exit_reason", "employment_status_at_exit", "weekly_hours_at_exit"),
    "job_end_date": ("left_job_reason",),
}


def as_of(table: pl.DataFrame, cut_off: date, fields: Sequence[str]) -> pl.DataFrame:
    """Rows of a table in an extract with this cut-off, every cell as the text of a plain CSV.

    Those of the dataset's `fields` that the simulation does not produce become empty columns.
    """
    known = table.filter(pl.col("_seen") <= cut_off)
    changes = []
    for name, kind in known.schema.items():
        if kind == pl.Date and not name.startswith("_"):
            changes.append(pl.when(pl.col(name) <= cut_off).then(pl.col(name)).alias(name))
            changes += [
                pl.when(pl.col(name) <= cut_off).then(pl.col(other)).alias(other)
                for other in _KNOWN_WITH.get(name, ())
                if other in known.columns
            ]
    if "eligibility_outcome" in known.columns:
        decided = pl.col("eligibility_date") <= cut_off
        changes.append(
            pl.when(decided).then("eligibility_outcome").otherwise(pl.lit("pending")).alias("eligibility_outcome")
        )
    changes += [pl.lit(None, dtype=pl.String).alias(f) for f in fields if f not in known.columns]
    return known.with_columns(changes).with_columns(pl.exclude(pl.String, pl.Boolean).cast(pl.String))
