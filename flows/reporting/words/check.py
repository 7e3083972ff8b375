"""The wording of `pilots check`, on terminal, page, workbook and in JSON: the file was not sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows.reporting.words.pieces import Pieces, in_pieces
from flows.runtime.wording import counted, day
from schemas._contract.workbook_names import CONFIRM
from schemas.audit.deliveries import Result

if TYPE_CHECKING:
    from flows.reporting.report import Report
    from flows.reporting.report_item import Item

NOTHING_SENT = "Nothing was sent"
NOT_CHECKED_HERE = "Not checked here"
MORE_TO_FIX = "There may be more to fix once every column can be checked."
ROWS_NOT_CHECKED = "The rows were not checked: the file itself has to be fixed first."
WORTH_CHECKING = "Worth checking (would load)"
HOW_TO_SEND = "How to send it"
WOULD_LOAD, WOULD_BE_HELD = "Would load", "Would be held back"
NOTHING_HELD = "Nothing would be held back."
HOW_TO_IMPROVE = "How to improve it"
WARNINGS_HOLD_NOTHING = "These would not hold anything back. A change makes the figures safer."
TELL_THE_DATA_TEAM = (
    "Do not change data that is right. Tell the data team the check’s number and the report number below: a code can "
    "be added to a list, and a check can be changed."
)
WHAT_NEXT = (
    f"{NOTHING_SENT}: this was only a check, and the figures are as they were. A file that you put in your site's "
    "folder is checked the night it arrives, and you get its report the next morning."
)
# only on the terminal: the labels of a problem's lines
WHERE, FOUND, EXPECTED, WE_DID, IMPROVE, FIX = "where", "found", "expected", "we did", "better", "fix"
RIGHT, HOW_TO_CONFIRM = "or right?", f"once the file is sent, say so on the sheet '{CONFIRM}' of its marked workbook"


def title(item: Item) -> str:
    """The problem, and which check found it."""
    return f"{item.title} (check {item.rule_id})"


def more_values(number: int) -> str:
    """How many more distinct values there are."""
    return counted(number, "other value")


def instruction(report: Report) -> str:
    """What to do before sending. A file would not surely load while some checks could not be made."""
    problems = counted(len(report.must_fix), "problem") if report.must_fix else "what is wrong"
    if report.result is Result.ACCEPTED and report.sheets_to_fix:
        return "Nothing to fix on this sheet: fix the other sheets of this file"
    if report.result is Result.ACCEPTED:
        return "Nothing to fix was found" if report.not_validated else "Nothing to fix: the file would load"
    if report.result is Result.UNREADABLE:
        return f"This file could not be read and would be refused: fix {problems} before you send it"
    if report.result is Result.REFUSED:
        return f"This file would be refused: fix {problems} before you send it"
    return f"Fix {problems} before you send this file"


def what_was_checked(report: Report) -> Pieces:
    """Which file was checked, and when."""
    sheet = ", sheet {sheet}" if report.sheet else ""
    return in_pieces(
        f"We checked {{file}}{sheet}, as if it had come on {day(report.received_at)}. **{NOTHING_SENT}.**",
        {"file": report.file_name, "sheet": report.sheet},
    )


def rows_in_short(report: Report) -> str:
    """How many rows would load, be held back and be left out."""
    rows = report.rows
    left_out = rows.repeats + rows.not_data
    left = f", {left_out:,} left out" if left_out else ""
    if report.result is Result.REFUSED and not rows.read:
        return "No row of it could be checked, and the whole file would be refused."
    if report.result is Result.REFUSED:
        return (
            f"None of its {counted(rows.read, 'row')} would load: the whole file would be refused{for_share(report)}."
        )
    held = f", {rows.held:,} would be held back" if rows.held else ""
    return f"{rows.accepted:,} of {counted(rows.read, 'row')} would load{held}{left}."


def for_share(report: Report) -> str:
    """Why the whole file is refused for one problem of its rows; '' where something else refuses it."""
    return ", because too many of its rows are at fault" if report.too_many_rows else ""


def outcome_of_rows(report: Report) -> str:
    """How many rows would load, or why none would."""
    if report.result is Result.UNREADABLE:
        return "Nothing could be read from it, so nothing of it would load."
    if not report.rows_judged:
        return (
            "The rows were not checked, because the file itself has to be fixed first. Nothing of it would load, and "
            "there may be more to fix once the rows can be checked."
        )
    if not report.rows.read and report.result is not Result.REFUSED:
        return "It has no rows."
    return f"{rows_in_short(report)} {MORE_TO_FIX}" if report.has_unread_columns else rows_in_short(report)


def why_not_checked(report: Report) -> str:
    """Why some checks were not made."""
    if report.result is Result.UNREADABLE or not report.rows_judged:
        return "These checks are about rows, and no row could be checked."
    return "These checks need other files. They are made the night the file arrives."


def checks_not_made(report: Report) -> str:
    """How many checks need other files, and so could not be made."""
    return f"{counted(len(report.not_validated), 'check')} could not be made here: see the end."


def name_to_save_under(report: Report) -> Pieces:
    """The name to save the fixed file under: its own, because it may not have been sent yet."""
    name = "as {name}" if report.next_name else "under its own name"
    workbook = ", or the marked workbook as {workbook}" if report.sends_workbook_under_another_name else ""
    return in_pieces(
        f"Save it {name}{workbook}. If you have sent a file of that name before, whatever became of it, use the next "
        "version number.",
        {"name": report.next_name, "workbook": report.next_workbook},
    )


def send_it(report: Report) -> Pieces:
    """The last step."""
    if report.result.is_rejected:
        return in_pieces("Check it again. When nothing is left to fix, put the whole file in your site's folder.")
    return in_pieces(
        "Check it again, and put the whole file in your site's folder. If you do not know a right value, leave its row "
        "as it is: it is held back, and the others load."
    )
