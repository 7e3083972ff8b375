"""The wording of how to send a file again, step by step: what to fix where, and under which name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows.reporting.words import check
from flows.reporting.words.pieces import FILE, PLAIN, Pieces, in_pieces
from flows.runtime.wording import deadline, month

if TYPE_CHECKING:
    from flows.reporting.report import Report
    from schemas._contract.model import Contract
    from schemas.audit.deliveries import Delivery


def steps(report: Report) -> list[Pieces]:
    """How to send the file again, step by step."""
    if report.too_old:
        return [in_pieces("Do what the problem says. A new version of this file would be too old as well.")]
    if report.only_other_name:
        return _steps_of_other_dataset(report)
    all_steps = [
        _month_to_correct(report),
        _cells_to_fix(report),
        _other_sheets(report),
        _name_to_save_under(report),
        _send_it(report),
    ]
    return [step for step in all_steps if step]


def _steps_of_other_dataset(report: Report) -> list[Pieces]:
    """The steps where the name alone is wrong: it has one dataset, and the columns are those of another."""
    change_nothing = ((" Change nothing in it.", PLAIN),) if report.next_name else ()
    still_due = f"Then send the {report.dataset_title} of {month(report.period)}: that file is still to come."
    first = (*_name_to_save_under(report), *change_nothing)
    return [step for step in (_month_to_correct(report), first, _send_it(report), ((still_due, PLAIN),)) if step]


def _month_to_correct(report: Report) -> Pieces:
    if not report.wrong_month:
        return ()
    return in_pieces(
        f"Put the right month in the file’s name in place of {report.period}: year and month, such as 201611 for "
        "November 2016."
    )


def _cells_to_fix(report: Report) -> Pieces:
    if report.only_wrong_month:
        return ()
    if report.only_heading_line:
        return in_pieces(
            "Do what the problem says in your own copy of the file, in a text editor such as Notepad. Leave everything "
            "else as it is, and do not save the file from Excel."
        )
    rows = ", and delete whole rows where it says so" if report.deletes_rows else ""
    what_is_said = f"do what each problem says{rows}. Leave everything else as it is."
    if report.marked_workbook and not report.lacks_results:
        return in_pieces(
            "Open {workbook}, which lies beside this page. It is your own file with every cell to fix marked. Fix it "
            f"there, or in your own copy: {what_is_said}{_open_as_text(report)}",
            {"workbook": report.marked_workbook},
            FILE,
        )
    why_none = f" {report.no_marked_workbook}" if report.no_marked_workbook else ""
    how = f"{what_is_said}{why_none}{_open_as_text(report)}"
    return ((f"Fix what is listed above in your own copy of the file: {how}", PLAIN),)


def _open_as_text(report: Report) -> str:
    """How to open a CSV file without changing it, as the end of a paragraph; '' for any other file."""
    if not report.file_name.casefold().endswith((".csv", ".tsv", ".txt")):
        return ""
    if report.has_open_quotation:
        return (
            " Do not open your own copy in Excel, which puts the rows below the open quotation mark into one cell: use "
            "a text editor such as Notepad."
        )
    return (
        " Do not open a CSV file by a double click, because Excel then changes codes such as 01, and dates: use Data, "
        "From Text/CSV, and give every column the type Text."
    )


def _other_sheets(report: Report) -> Pieces:
    if not report.shares_its_file:
        return ()
    return in_pieces("Look at the reports on the other sheets of this file too, so that you send it once.")


def _name_to_save_under(report: Report) -> Pieces:
    if report.wrong_month:
        return ()
    if report.is_check:
        return check.name_to_save_under(report)
    name = "as {name}" if report.next_name else "under the same name with the next version number"
    workbook = ", or the marked workbook as {workbook}" if report.sends_workbook_under_another_name else ""
    return in_pieces(f"Save it {name}{workbook}.", {"name": report.next_name, "workbook": report.next_workbook})


def _send_it(report: Report) -> Pieces:
    if report.is_check:
        return check.send_it(report)
    rows = "" if report.only_wrong_month or report.only_other_name else ", not the fixed rows alone"
    by = f", by **{deadline(report.due)}**" if report.due else ""
    return in_pieces(f"Send the whole file{rows}, the same way as before{by}.")


def fix_of_other_dataset(delivery: Delivery, contract: Contract, other: Contract) -> str:
    """What to do with a file, or a sheet of several, that has the columns of another dataset than its name says."""
    still_due = f"The {contract.title} of {month(delivery.period)} are still to be sent."
    if delivery.sheet:
        return (
            f"If it is what you meant to send, name the sheet {other.title}, and change nothing else on it. {still_due}"
        )
    return (
        f"If it is your {other.title} file, and you have not sent that yet, only its name is wrong: change nothing in "
        f"it, and send it under the name given at the end. {still_due}"
    )


def no_workbook(why: str) -> str:
    """Why there is no marked workbook, as one sentence; '' where there is no reason."""
    return f"There is no marked workbook: {why}." if why else ""
