"""The wording of what a site can confirm: a warning about rows that are right all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows.reporting.words.pieces import Pieces, in_pieces
from flows.runtime.wording import counted
from schemas._contract.workbook_names import CONFIRM, CONFIRM_CODE, CONFIRM_REASON, CONFIRM_ROLE

if TYPE_CHECKING:
    from flows.reporting.report import Report

RIGHT = f"{CONFIRM}?"
COLUMNS = ("Cell", "Sheet", "Column", "What we found", "Value", CONFIRM_REASON, CONFIRM_ROLE, CONFIRM_CODE)
INTRODUCTION = (
    f"If a row is right as it is, choose a reason and your role in its line, in the columns {CONFIRM_REASON} and "
    f"{CONFIRM_ROLE}. You are not asked about it again while its values stay the same. If you correct the row, or do "
    "not know, leave its line empty. A role is enough: nobody's name is needed."
)
CHOOSE_A_REASON = "Choose why the row is right as it is. Leave it empty if it is not, or if you do not know."
CHOOSE_A_ROLE = "Choose the role of the person who says so. Nobody's name is needed."
PICK_FROM_THE_LIST = "This cannot be entered here", "Pick one from the list in the cell, or leave it empty."


def if_right(report: Report) -> Pieces:
    """What to do where the rows of a warning are right all the same; empty where it cannot be confirmed now."""
    once = "You are not asked about it again while its values stay the same."
    if report.is_check:
        return in_pieces(
            f"Once the file is sent, you can say so in its marked workbook, on the sheet ‘{CONFIRM}’. {once}"
        )
    if not report.marked_workbook:
        return ()
    send_as = "as {name}" if report.next_workbook else "as the next version"
    return in_pieces(
        f"Say so on the sheet ‘{CONFIRM}’ of {{workbook}}, which lies beside this page: choose a reason and your role "
        f"in the row's line, and send the workbook {send_as}. {once}",
        {"workbook": report.marked_workbook, "name": report.next_workbook},
    )


def confirmed_before(report: Report) -> str:
    """How many warnings the site has confirmed, as a sentence; '' where there are none."""
    if not report.confirmed:
        return ""
    listed = "is not listed" if report.confirmed == 1 else "are not listed"
    return f"{counted(report.confirmed, 'warning')} that you confirmed as ‘{CONFIRM.lower()}’ {listed} again."


def step(to_confirm: int) -> tuple[str, str]:
    """The step of the first sheet about rows that are right all the same, as (heading, text)."""
    lines = counted(to_confirm, "line")
    return (
        f"Say what is right all the same, on the sheet '{CONFIRM}'",
        f"It has {lines}, each for a value that is unlikely and may be right. Where it is right, choose a reason and "
        "your role; leave the other lines empty. You are not asked about those rows again while their values stay the "
        "same.",
    )
