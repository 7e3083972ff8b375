"""dataframely on polars: the rows that satisfy the schema, and the others with the rules that they break.

Only its cost on a large file is measured: it has no report for people, and identifies rows only by content.
"""

from __future__ import annotations

import sys
from pathlib import Path

import dataframely as dy
import polars as pl

sys.path.append(str(Path(__file__).parents[1]))
from rules import CAME, LAST_DAY, LISTS, MAX_MINUTES, PATTERNS, record_done  # noqa: E402


class Contacts(dy.Schema):
    contact_id = dy.String(primary_key=True, regex=PATTERNS["contact_id"])
    episode_id = dy.String(regex=PATTERNS["episode_id"])
    contact_date = dy.Date(max=LAST_DAY)
    contact_type = dy.Enum(LISTS["contact_type"])
    contact_medium = dy.Enum(LISTS["contact_medium"])
    attended = dy.Enum(LISTS["attended"])
    duration_minutes = dy.Int64(nullable=True, min=0, max=MAX_MINUTES)
    staff_role = dy.Enum(LISTS["staff_role"])
    staff_ref = dy.String(nullable=True, regex=PATTERNS["staff_ref"])
    with_employer = dy.Enum(LISTS["with_employer"], nullable=True)

    @dy.rule()
    def duration_agrees(cls) -> pl.Expr:  # noqa: N805 - dataframely makes it a class method
        return pl.col("attended").is_in(CAME) == (pl.col("duration_minutes") > 0)


def main(file: Path, out: Path) -> None:
    # Without truncate_ragged_lines polars fails at a malformed line; with it surplus cells are cut off, so such a row
    # counts as valid.
    text = pl.read_csv(file, infer_schema=False, truncate_ragged_lines=True)
    # polars does not cast text to dates as it does to numbers: parsed here, an invalid date is null
    rows = text.with_columns(pl.col("contact_date").str.to_date("%Y-%m-%d", strict=False))
    valid, failures = Contacts.filter(rows, cast=True)
    valid.write_parquet(out / "accepted.parquet")
    failures.write_parquet(out / "failures.parquet")
    record_done(out, rows=len(valid), failures=sum(failures.counts().values()))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
