"""pandera (pandas engine) with lazy validation: the printed error, and the table of failure cases."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import pandera.pandas as pa

sys.path.append(str(Path(__file__).parents[1]))
from rules import (  # noqa: E402
    AT_SCALE,
    CAME,
    COLUMNS,
    KEY,
    LISTS,
    MAX_MINUTES,
    PATTERNS,
    READER_DEFAULTS,
    REQUIRED,
    is_valid_day,
    record_done,
)


def minutes(column: pd.Series) -> pd.Series:
    return pd.to_numeric(column, errors="coerce")


def disagree(rows: pd.DataFrame) -> pd.Series:
    came, long = rows["attended"].isin(CAME), minutes(rows["duration_minutes"])
    return (came & (long == 0)) | (~came & rows["attended"].notna() & (long > 0))


def checks_of(name: str) -> list[pa.Check]:
    if name in LISTS:
        return [pa.Check.isin(LISTS[name])]
    if name in PATTERNS:
        return [pa.Check.str_matches(PATTERNS[name])]
    if name == "contact_date":
        return [pa.Check(is_valid_day, element_wise=True, name="a real day, year-month-day, not after the extract")]
    return [
        pa.Check.str_matches(r"^\d+$"),
        pa.Check(lambda c: minutes(c).isna() | minutes(c).between(0, MAX_MINUTES), name=f"0 to {MAX_MINUTES}"),
    ]


SCHEMA = pa.DataFrameSchema(
    {
        name: pa.Column(
            str,
            checks_of(name),
            nullable=name not in REQUIRED,
            unique=name == KEY,
            report_duplicates="all",
        )
        for name in COLUMNS
    },
    checks=[pa.Check(lambda rows: ~disagree(rows), name="a duration only where the participant came")],
)


def main(file: Path, out: Path) -> None:
    rows = pd.read_csv(file, dtype=str, on_bad_lines="error" if READER_DEFAULTS else "warn")
    if not AT_SCALE:
        rows[[KEY]].to_csv(out / "rows_read.csv", index=False)
    try:
        SCHEMA.validate(rows, lazy=True)
        print("valid")
    except pa.errors.SchemaErrors as errors:
        errors.failure_cases.to_csv(out / "failure_cases.csv", index=False)
        record_done(out, rows=len(rows), failures=len(errors.failure_cases))
        if not AT_SCALE:
            print(errors)
            print(errors.failure_cases.to_string())


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
