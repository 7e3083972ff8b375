"""pointblank on polars: HTML report, JSON report, and the extract of failing rows of each step."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import pointblank as pb
import polars as pl

sys.path.append(str(Path(__file__).parents[1]))
from rules import (  # noqa: E402
    AT_SCALE,
    CAME,
    KEY,
    LAST_DAY,
    LISTS,
    MAX_MINUTES,
    PATTERNS,
    READER_DEFAULTS,
    REQUIRED,
    record_done,
)


def plan(rows: pl.DataFrame) -> pb.Validate:
    date, minutes = pl.col("contact_date"), pl.col("duration_minutes").str.to_integer(strict=False)
    came = pl.col("attended").is_in(CAME)
    steps = pb.Validate(rows, tbl_name="contacts", label="Contacts of Blackpool, November 2016", brief=True)
    steps = steps.col_vals_not_null(columns=list(REQUIRED)).rows_distinct(columns_subset=[KEY]).rows_distinct()
    for column, allowed in LISTS.items():
        # None is allowed here, or an empty cell would fail this step and the one above
        steps = steps.col_vals_in_set(columns=column, set=[*allowed, None])
    for column, pattern in PATTERNS.items():
        steps = steps.col_vals_regex(columns=column, pattern=pattern, na_pass=True)
    parsed = date.str.to_date("%Y-%m-%d", strict=False)
    return (
        steps.col_vals_expr(
            expr=date.is_null() | (parsed <= LAST_DAY).fill_null(False), brief="`contact_date` is a day"
        )
        .col_vals_regex(columns="duration_minutes", pattern=r"^\d+$", na_pass=True)
        .col_vals_expr(expr=minutes.is_between(0, MAX_MINUTES).fill_null(True), brief="`duration_minutes` is 0 to 480")
        .col_vals_expr(
            expr=pl.when(came).then(minutes != 0).otherwise(minutes == 0).fill_null(True),
            brief="`duration_minutes` agrees with `attended`",
        )
        .interrogate()
    )


def main(file: Path, out: Path) -> None:
    # Read with pandas: polars fails at a malformed line, or cuts surplus cells off and loads a row with shifted cells.
    rows = pd.read_csv(file, dtype=str, on_bad_lines="error" if READER_DEFAULTS else "warn")
    if not AT_SCALE:
        rows[[KEY]].to_csv(out / "rows_read.csv", index=False)
    texts = rows.astype(object).where(rows.notna(), None).to_dict("list")
    validation = plan(pl.DataFrame(texts, schema=dict.fromkeys(rows, pl.String)))
    if not AT_SCALE:
        (out / "report.html").write_text(validation.get_tabular_report().as_raw_html(), encoding="utf-8")
    (out / "report.json").write_text(validation.get_json_report(), encoding="utf-8")
    for step, extract in validation.get_data_extracts().items():
        if extract is not None and extract.height:
            extract.write_csv(out / f"extract_{step:02}.csv")
    record_done(out, rows=len(rows), failures=sum(validation.n_failed().values()))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
