"""Rules about employment status that several datasets share. Source: docs/domain.md 2.2, rule E08. E20 is our own."""

from __future__ import annotations

import polars as pl

from schemas._contract.model import Rule, Severity

NOT_IN_WORK = ("02", "03", "04", "05", "06", "07", "08")  # employment_status
SOME_HOURS = ("01", "02", "03", "04")  # weekly_hours_worked


def hours_agree(status: str, hours: str, when: str = "") -> Rule:
    """E08: employment status and weekly hours do not contradict each other; `when` is their moment in words."""
    moment = f" {when}" if when else ""
    return Rule(
        "E08",
        Severity.ROW,
        f"Employment status and hours{moment} disagree",
        expected="98 (not applicable) or an empty cell for someone not employed; any other code for someone employed",
        fix=f"Correct the hours or the employment status{moment}. The codes run downwards: 01 is 30 hours or more.",
        field=hours,
        check=lambda: (
            ~((pl.col(status) == "01") & (pl.col(hours) == "98"))
            & ~(pl.col(status).is_in(NOT_IN_WORK) & pl.col(hours).is_in(SOME_HOURS))
        ),
    )


def asked_of_the_employed(field: str, title: str) -> Rule:
    """E20: an answer that only people in work can give does not contradict the employment status."""
    return Rule(
        "E20",
        Severity.ROW,
        f"{title} and the employment status disagree",
        expected="8 (not applicable) or an empty cell for someone not employed; any other code for someone employed",
        fix="Correct whichever of the two is wrong.",
        field=field,
        check=lambda: (
            ~((pl.col("employment_status") == "01") & (pl.col(field) == "8"))
            & ~(pl.col("employment_status").is_in(NOT_IN_WORK) & (pl.col(field) == "Y"))
        ),
    )
