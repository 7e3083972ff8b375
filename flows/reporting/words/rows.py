"""The wording of a page's tables of rows: where the rows of the file went, and this month against the last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows.reporting.words import check
from flows.runtime.wording import counted, month, share
from schemas.audit.deliveries import Result

if TYPE_CHECKING:
    from flows.reporting.report import Report
    from flows.store.ledger.report_snapshots import ReportSnapshot

WHERE_THE_ROWS_WENT = "Where the rows went"
EVERY_ROW_ONCE = "Every row that was read is counted once"
ROWS, NUMBER, ALL_ROWS = "Rows", "Number", "Read from the file"
THIS_MONTH = "This month against last"
MONTH, READ, ACCEPTED, HELD_BACK = "Month", "Read", "Accepted", "Held back"
NOT_IN_FIGURES = "Not in the figures, because the whole file is refused"
NOT_IN_FIGURES_YET = "Not in the figures, because the whole file is held up"


def rows_counted(report: Report) -> list[tuple[str, int]]:
    """Labels and counts of rows accepted, held back and left out."""
    rows = report.rows
    as_a_whole = NOT_IN_FIGURES_YET if report.held_up else NOT_IN_FIGURES
    out = as_a_whole if report.result is Result.REFUSED and not rows.accepted else HELD_BACK
    return [
        (check.WOULD_LOAD if report.is_check else ACCEPTED, rows.accepted),
        (check.WOULD_BE_HELD if report.is_check else out, rows.at_fault),
        *([("Rows of records that you have deleted, left out", rows.deleted)] if rows.deleted else []),
        ("Exact copies of another row, left out", rows.repeats),
        ("Rows without data (blank, totals, notes and the like), left out", rows.not_data),
    ]


def against_last_month(report: Report) -> str:
    """How the rows of this month compare with those of the month before; '' where there is none."""
    if len(report.months) == 1:
        return ""
    then, now = report.months[-2:]
    return f"This month {_held_back_in(now)}. In {month(then.period)} {_held_back_in(then)}."


def _held_back_in(snapshot: ReportSnapshot) -> str:
    """How many rows a report held back, as the end of a sentence."""
    if snapshot.result is Result.UNREADABLE:
        return "the file could not be read"
    of = counted(snapshot.rows.read, "row")
    if snapshot.result is Result.REFUSED:
        return f"the file of {of} was refused"
    held = snapshot.rows.at_fault
    if not held:
        return f"nothing was held back of {of}"
    return f"{held:,} of {of} {'was' if held == 1 else 'were'} held back ({share(held, snapshot.rows.read)})"


def caption_of_months(report: Report) -> str:
    """The caption of the table of months."""
    return f"Rows of your {report.dataset_title.lower()} files, as each was last reported"


def month_and_result(snapshot: ReportSnapshot) -> str:
    """A month of that table; with the result of its file if that was refused or not readable."""
    result = "not readable" if snapshot.result is Result.UNREADABLE else "refused"
    return f"{month(snapshot.period)} ({result})" if snapshot.result.is_rejected else month(snapshot.period)
