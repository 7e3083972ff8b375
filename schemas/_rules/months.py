"""Rules about the month in a file's name, for every dataset. Source: docs/domain.md 6.1 (F19).

They are detected in `flows/deliveries/months.py`, but for F57, which every dataset of events has among its own rules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas._contract.model import Contract, Rule, Severity

if TYPE_CHECKING:
    import polars as pl

FILE, WARNING = Severity.FILE, Severity.WARNING
OTHER_MONTH_RULE = "F54"
OUTSIDE_PERIOD_RULE = "F57"


def within_period(field: str) -> Rule:
    """F57: the date of an event is in the month of its file, where the manifest says that the file has only that month.

    A warning: what was entered late is true, and counts. What was sent before as well is held by its reference (P04).
    """

    def is_within() -> pl.Expr:
        import polars as pl  # here, so that reading the texts of rules does not import polars

        return pl.col(field) >= pl.col("period_start")

    return Rule(
        OUTSIDE_PERIOD_RULE,
        WARNING,
        "The date is before the month of the file, which is said to hold that month alone",
        expected="a date in the month of the file (in a quarterly file, in its quarter), as its manifest says by"
        " 'extract_type': 'period'",
        fix="Check the date. If the row was sent in the file of its own month, delete it here. If it was entered late,"
        " nothing needs doing: it counts. If the file holds everything to date, take 'period' out of the manifest.",
        field=field,
        confirmable=True,
        check=is_within,
    )


def _month_shown_by(contract: Contract) -> tuple[str, ...]:
    return (contract.month_shown_by,) if contract.month_shown_by else ()


MONTH_RULES: tuple[Rule, ...] = (
    # A wrong month makes right dates look late or implausibly old, so this one finding replaces those of single dates.
    Rule(
        "F19",
        FILE,
        "The month in the name may be wrong",
        "dates up to the month that the file's name says, and in an extract of one month, dates in it",
        "Check that this is the right month's file, and the month in its name. Send it again with the right month in"
        " its name.",
        found_on=_month_shown_by,
    ),
    # Only a warning: a cumulative extract that stops early may have the wrong month, or the service may have paused.
    Rule(
        "F19",
        WARNING,
        "The month in the name may be wrong, or the latest records are missing",
        "records up to the date of the extract",
        "Check the month in the name, and that this is the right month's file. If nothing happened since, nothing needs"
        " doing.",
        found_on=_month_shown_by,
    ),
    Rule(
        "F25",
        FILE,
        "The month in the name had not begun when the file came",
        "the last month that the extract covers, which has begun by the day it is sent",
        "Put the last month that the extract covers in the file's name, such as 201611 for November 2016, and send it"
        " again.",
    ),
    Rule(
        "F25",
        WARNING,
        "The month in the name had not begun when the file came",
        "the last month that the figures cover",
        "Check the month in the name. If the figures are about that month, as plans are, nothing needs doing.",
    ),
    # Decided at every build, by comparison with the site's other files.
    Rule(
        "F26",
        FILE,
        "The month in the name may be wrong: this file is held up, and replaces nothing",
        "a file of each month that the site owes, or dates that reach into the month in the name",
        "Check the month in the name. If it is wrong, send the file again with the right month in its name. If it is"
        " right, send the files of the months that are missing first. Until then the figures use the last file that"
        " counts.",
    ),
    Rule(
        "F26",
        WARNING,
        "A month was left out",
        "a file for each month that the site owes",
        "Check the month in the name. If it is right, send the missing month's file if there is one; an extract of"
        " everything to date brings its rows too.",
    ),
    # A warning, because the extract of a service that has closed may rightly be the same month after month.
    Rule(
        OTHER_MONTH_RULE,
        WARNING,
        "This is the file of an earlier month under a new name",
        "the extract up to the month in the name",
        "If you took the wrong file, send the one of this month. If nothing has changed since, nothing needs doing: the"
        " rows are rightly the same.",
    ),
)
