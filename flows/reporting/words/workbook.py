"""The wording of the marked workbook, and the reasons why a file gets none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from flows.reporting.words import check, confirming
from flows.reporting.words.items import EXPECTED, HOW_TO_FIX, SUGGESTED_VALUE, WHOLE_FILE
from flows.runtime.wording import counted, deadline, month
from schemas._contract.workbook_names import COPY_LINE, HIDDEN_CELL, PROBLEMS, ROW_PROBLEMS
from schemas._rules.explain import RuleText

if TYPE_CHECKING:
    from flows.reporting.report import Report

TOTAL = "Total"  # in place of the label of a row of totals, so that the row is still read as one
AUTHOR = "Pilot monitoring"  # of the comments
MUST_BE_FIXED = "Must it be fixed?"
YES, WORTH_CHECKING = "Yes", "Worth checking"
COLUMNS = (
    "Cell", "Sheet", "Row", "Column", "What is wrong", "Found", EXPECTED, HOW_TO_FIX, SUGGESTED_VALUE, MUST_BE_FIXED,
    "Rule",
)  # fmt: skip

# why a file gets no marked workbook
MAY_BE_PERSONAL = "the file may hold personal data, of which no copy is made"
COULD_NOT_BE_READ = "the file could not be read"
NO_ROW = "no row of the file was checked, so there is no cell to mark"
HEADINGS_NOT_KNOWN = "it would lack the values below headings that are not known: change the headings in your own file"
TOO_WIDE = "a row has more cells than a spreadsheet can hold"
HAS_CHANGED = "the file has changed since it was read"
IS_GONE = "the file is no longer there"


def too_many_rows(most: int) -> str:
    """Why not: the file has too many rows."""
    return f"the file has more than {most:,} rows: findings.csv lists every problem"


def too_long_a_sheet(sheet: str, most: int) -> str:
    """Why not: a sheet has too many rows."""
    return f"the sheet {sheet} has more than {most:,} rows"


def too_long_a_cell(longest: int) -> str:
    """Why not: a cell is too long for a spreadsheet."""
    return f"a cell holds more than {longest:,} characters, which no spreadsheet can keep"


def could_not_be_written(message: str) -> str:
    """Why not: writing it failed."""
    return f"the workbook could not be written: {message}"


def place(letter: str, row: int) -> str:
    """The location of a problem: 'E5', 'row 5' or 'whole file'."""
    return f"{letter}{row}" if letter and row else f"row {row}" if row else WHOLE_FILE


def row_and_line(row: int, line: int) -> str | int:
    """The number of a row, and of its line in a text editor where that is another one; '' for the file."""
    return f"{row} (line {line} in a text editor)" if line else row or ""


def note(text: RuleText, rule_id: str, suggestion: str, *, must: bool) -> str:
    """The text of a cell's comment."""
    lines = ["MUST BE FIXED" if must else "WORTH CHECKING", f"{text.title}."]
    lines += [f"{EXPECTED}: {text.expected}.", f"{HOW_TO_FIX}: {text.fix}"]
    if suggestion:
        lines.append(f"{'Suggested' if must else 'Read as'}: {suggestion}")
    return "\n".join([*lines, f"({rule_id})"])


def rows_in_short(report: Report) -> str:
    """The counts of rows accepted and held back."""
    if report.is_check:
        return check.rows_in_short(report)
    rows = report.rows
    held = f", {rows.at_fault:,} held back and not in this month's figures" if rows.at_fault else ""
    return f"{rows.accepted:,} of {counted(rows.read, 'row')} accepted{held}."


def steps(
    report: Report, to_fix: int, send_as: str, to_confirm: int = 0, *, may_filter: bool = True, to_check: int = 0
) -> tuple[tuple[str, str], ...]:
    """The steps of the first sheet, as (heading, text).

    `may_filter`: whether the rows without problems may be hidden while the others are fixed. `to_check`: how many
    problems are only worth checking.
    """
    if not to_fix:
        return _steps_to_confirm(report, send_as, to_confirm)
    by = f" by {deadline(report.due)}" if report.due else ""
    below = ", and below them what is worth checking" if to_check else ""
    filtered = ": filter by it to see those" if may_filter else ""
    as_before = "" if report.is_check else ", as you did with this one"
    which = "its own" if report.is_check else "the next"
    return (
        (f"Open the sheet {PROBLEMS}", f"It lists {counted(to_fix, 'place')} to fix{below}. Each address is a link "
         "that jumps to the cell."),
        ("Fix the cells on your own sheets", "A cell to fix is filled and bold: rest on it to read what is expected "
         f"and how to fix it. Where that is to delete a row, delete the whole row. The last column, '{ROW_PROBLEMS}', "
         f"says what is wrong with each row{filtered}. Where a cell says '{HIDDEN_CELL}', look there "
         "for what it held."),
        ("Leave everything else where it is", "Rows that were held back load as soon as they are right. In columns of "
         "codes, pick from the list that opens in the cell: codes such as 01 then keep their noughts."),
        *([confirming.step(to_confirm)] if to_confirm else []),
        (f"Save it under {which} name", f"Save it as an Excel workbook (.xlsx) named {send_as}. The sheets and the "
         "column that we added may stay: your rows are read from your own sheets."),
        ("Send it", f"Put it in your site's folder, {report.site}{as_before}{by}. It is checked "
         "the following night, and you get its report the next morning."),
    )  # fmt: skip


def steps_in_own_file(report: Report, to_fix: int) -> tuple[tuple[str, str], ...]:
    """The steps where formulas have no results: this workbook has no formulas, so it only shows what is to be fixed."""
    by = f" by {deadline(report.due)}" if report.due else ""
    name = f"as {report.next_name}" if report.next_name else "under the next version number"
    return (
        ("Open your own file in Excel, not this copy", "Some of its formulas were saved without their results, and this"
         " copy has no formulas. Press F9, so that Excel calculates, and see that each of these cells shows a result. "
         "Type the value into a cell that shows none."),
        ("Fix the other cells there too", f"The sheet {PROBLEMS} of this copy lists {counted(to_fix, 'place')} to fix, "
         "with what is expected and how to fix it."),
        ("Save your own file under the next name, and send it", f"Save it {name}, and put it in your site's folder, "
         f"{report.site}{by}."),
    )  # fmt: skip


def _steps_to_confirm(report: Report, send_as: str, to_confirm: int) -> tuple[tuple[str, str], ...]:
    """The steps where nothing must be fixed."""
    return (
        confirming.step(to_confirm),
        ("Correct the others on your own sheets", f"The sheet {PROBLEMS} says how. If nothing is to correct, change "
         "nothing there."),
        ("Save it under the next name", f"Save it as an Excel workbook (.xlsx) named {send_as}. The sheets and the "
         "column that we added may stay: your rows are read from your own sheets."),
        ("Send it", f"Put it in your site's folder, {report.site}. You need not: the file was accepted as it is."),
    )  # fmt: skip


def deadline_in_words(report: Report) -> str:
    """The deadline; '' where there is none."""
    return f"Deadline: {deadline(report.due)}" if report.due else ""


def left_out(sheets: Sequence[str]) -> str:
    """Which of the sender's sheets are left out, and why."""
    return f"Left out: {', '.join(sheets)}. Only sheets that were read are given back: the others are not needed."


def report_number(report: Report) -> str:
    """The number of the report."""
    return f"Report {report.report_id}"


def copy_line(report: Report, digests: Sequence[str]) -> str:
    """What the workbook is a copy of, and what its sheets held, by which it is recognised if nothing was changed."""
    what = "return" if report.shares_its_file else report.dataset
    return f"{COPY_LINE}{what}, {month(report.period)}, version {report.version}: {' '.join(digests)}"


def more_problems(number: int) -> str:
    """How many problems the list leaves out."""
    return f"{number:,} more are listed in the file that ends in findings.csv"
