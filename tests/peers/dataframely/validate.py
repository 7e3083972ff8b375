"""dataframely on polars: the rows that keep the schema and those that do not, each with the rules it broke.

Only measured at scale: it has no report for people, and knows rows by their content alone.
"""

from __future__ import annotations

import sys
from pathlib import Path

import dataframely as dy
import polars as pl

sys.path.append(str(Path(__file__).parents[1]))
from rules import CAME, LAST_DAY, LISTS, MOST_MINUTES, PATTERNS, did  # noqa: E402


class Contacts(dy.Schema):
    contact_id = dy.String(primary_key=True, regex=PATTERNS["contact_id"])
    episode_id = dy.String(regex=PATTERNS["episode_id"])
    contact_date = dy.Date(max=LAST_DAY)
    contact_type = dy.Enum(LISTS["contact_type"])
    contact_medium = dy.Enum(LISTS["contact_medium"])
    attended = dy.Enum(LISTS["attended"])
    duration_minutes = dy.Int64(nullable=True, min=0, max=MOST_MINUTES)
    staff_role = dy.Enum(LISTS["staff_role"])
    staff_ref = dy.String(nullable=True, regex=PATTERNS["staff_ref"])
    with_employer = dy.Enum(LISTS["with_employer"], nullable=True)

    @dy.rule()
    def duration_agrees(cls) -> pl.Expr:  # noqa: N805 - it is made a class method
        return pl.col("attended").is_in(CAME) == (pl.col("duration_minutes") > 0)


def main(file: Path, out: Path) -> None:
    # Without this polars stops at a torn line; with it the surplus cells are cut off, and the row counts as sound.
    text = pl.read_csv(file, infer_schema=False, truncate_ragged_lines=True)
    # The polars of today casts no text to a date, as it does to a number: what is none becomes empty.
    rows = text.with_columns(pl.col("contact_date").str.to_date("%Y-%m-%d", strict=False))
    sound, failures = Contacts.filter(rows, cast=True)
    sound.write_parquet(out / "accepted.parquet")
    failures.write_parquet(out / "failures.parquet")
    did(out, rows=len(sound), failures=sum(failures.counts().values()))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
