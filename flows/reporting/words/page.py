"""The wording of a sender's page: what to do, the counts of its rows, what happens next."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from flows.reporting.words import check
from flows.reporting.words.confirming import RIGHT, if_right
from flows.reporting.words.items import (
    EMPTY,
    EXPECTED,
    FOUND,
    WHAT_WE_DID,
    WHERE,
    change,
    checks_not_made,
    expected,
    expected_by_column,
    heading_address,
    hidden,
    how_to_apply,
    how_to_fix,
    in_place,
    in_rows,
    meaning,
    nearest,
    others,
    row_numbers,
    where_in_pieces,
    where_in_short,
    your_heading,
)
from flows.reporting.words.pieces import FILE, PLAIN, Pieces, in_pieces
from flows.reporting.words.sending import steps
from flows.reporting.words.site_index import contact_in_words
from flows.runtime.wording import counted, day, deadline, listed, moment, month, shortened
from schemas._contract.code_lists import code_list
from schemas._contract.workbook_names import SIGN_OFF
from schemas.audit.deliveries import APPROVING_ROLES, Result

if TYPE_CHECKING:
    from flows.reporting.report import Progress, Report
    from flows.reporting.report_item import Item
    from flows.store.ledger.report_snapshots import SnapshotItem

__all__ = [
    "EXPECTED", "FOUND", "RIGHT", "WHAT_WE_DID", "WHERE", "change", "checks_not_made", "expected", "heading_address",
    "expected_by_column", "hidden", "how_to_apply", "how_to_fix", "if_right", "in_place", "in_rows", "meaning",
    "nearest", "others",
    "row_numbers", "shortened", "steps", "where_in_pieces", "where_in_short", "your_heading", "EMPTY",
]  # fmt: skip  # the template finds the wording of items and of the steps here as well

MASTHEAD = "Pilot data checks"
SKIP = "Skip to main content"
NOT_CHECKED = "Could not be checked"
WHAT_NEXT = "What happens next"
IF_WRONG = "If a check is wrong"
CELL, YOUR_HEADING, RENAME_TO = "Cell", "Your heading", "Rename it to"
WRONG_EVERY_MONTH = "Wrong three months running"
MADE_BY_THE_FORM = (
    "What comes back every month is often made by the form or the system that the file comes from: fix it there once. "
    "If the data is right, tell the data team."
)
NO_PERSONAL_VALUES = (
    "This page holds no personal values: where a cell may hold personal data, only its place is given. It is safe to "
    "forward to the people who look after your data."
)
CHECKED_AT_NIGHT = "We check the new file the night it arrives, and you get a new report the next morning."
NOT_SIGNED_OFF = (
    f"Not signed off. That is no error: the sheet ‘{SIGN_OFF}’ of our form, or a manifest, can say who agrees with the "
    "amounts."
)
FIXED_SHOWN = 10
NOTHING_ON_THIS_SHEET = "Nothing to fix on this sheet"


def caption(report: Report) -> str:
    """The line above the title: site, dataset and month."""
    return f"{report.site_name} · {report.dataset_title} · {month(report.period)}"


def in_words(report: Report) -> str:
    """The report in a sentence or two, for machines that show it to people."""
    return f"{instruction(report)}.{f' {check.NOTHING_SENT}.' if report.is_check else ''}"


def instruction(report: Report) -> str:
    """The title of the page: what to do, and by when. What matters most comes first."""
    if report.is_check:
        return check.instruction(report)
    by = f" by {deadline(report.due)}" if report.due else ""
    problems = counted(len(report.must_fix), "problem") if report.must_fix else "what is wrong"
    if report.must_be_deleted:
        again = "" if report.replaced_by or report.withdrawn else f", then fix {problems} and send a new one{by}"
        return f"This file holds personal data: delete it{again}"
    if report.withdrawn:
        return "Withdrawn by the data team: nothing to do"
    if report.replaced_by:
        return f"Replaced by {report.replaced_by}: nothing to do"
    if report.result is Result.ACCEPTED:
        others = ": fix the other sheets of this file" if report.sheets_to_fix else ""
        return f"{NOTHING_ON_THIS_SHEET}{others}" if others else "Accepted: nothing to do"
    if report.waits:
        return f"Nothing to fix in this file: it counts when your {listed(report.must_fix[0].needs)} are right"
    if report.held_up and report.month_is_doubted:
        return f"This file is held up: check the month in its name{by}"
    if report.too_old:
        return "This file is older than one that was accepted"
    if report.result is Result.UNREADABLE:
        return f"This file could not be read: send it again{by}"
    if report.held_up:
        return f"This file is held up: fix {problems} and send it again{by}"
    if report.result is Result.REFUSED:
        return f"This file was refused: fix {problems} and send it again{by}"
    return f"Fix {problems} and send the file again{by}"


def what_was_checked(report: Report) -> Pieces:
    """Which file the report is about."""
    if report.is_check:
        return check.what_was_checked(report)
    sheet = ", sheet {sheet}" if report.sheet else ""
    return in_pieces(
        f"We checked {{file}}{sheet}, version {report.version}, received {moment(report.received_at)}.",
        {"file": report.file_name, "sheet": report.sheet},
    )


def outcome_of_rows(report: Report) -> Pieces:
    """How many rows are in the figures, or why none is."""
    if report.is_check:
        return ((check.outcome_of_rows(report), PLAIN),)
    rows = report.rows
    if report.withdrawn:
        return ((report.withdrawn + ("" if report.must_be_deleted else " There is nothing for you to fix."), PLAIN),)
    if report.result is Result.UNREADABLE:
        return in_pieces("Nothing could be read from it, so nothing of it is in this month's figures.")
    if report.result is Result.REFUSED and not report.rows_judged:
        return in_pieces(
            "The rows were not checked, because the file itself has to be fixed first. **Nothing** of it is in this "
            "month's figures, and there may be more to fix once the rows can be checked."
        )
    if report.held_up or report.result is Result.REFUSED:
        refused = f"was refused as a whole{check.for_share(report)}"
        why = "is held up and replaces nothing" if report.held_up else refused
        if not rows.read:
            return in_pieces(f"No row of it could be checked. The file {why}.")
        are = f"{counted(rows.read, 'row')} {'is' if rows.read == 1 else 'are'}"
        none = f"The file {why}, so **none** of its {are} in this month's figures."
        if report.has_unread_columns:
            return in_pieces(f"Not every column could be checked. {none} {check.MORE_TO_FIX}")
        return in_pieces(f"Every row was checked. {none}")
    are = f"{counted(rows.deleted, 'row')} of deleted records {'is' if rows.deleted == 1 else 'are'}"
    deleted = f" {are} left out." if rows.deleted else ""
    if rows.at_fault:
        return in_pieces(
            f"{rows.accepted:,} of {counted(rows.read, 'row')} accepted; {rows.at_fault:,} held back and **not** in "
            f"this month's figures.{deleted}"
        )
    if rows.read:
        rest = "; the rest are blank rows, totals, repeated headings or exact copies"
        left_out = rest if rows.read > rows.accepted + rows.deleted else ""
        return in_pieces(f"{rows.accepted:,} of {counted(rows.read, 'row')} accepted{left_out}.{deleted}")
    return in_pieces("It has no rows, which is accepted.")


def signed_off(report: Report) -> str:
    """Who signed off the file, as a sentence; or that nobody did, of a file with amounts; else ''."""
    stated = report.sign_off
    if not stated.is_given:
        return NOT_SIGNED_OFF if report.is_of_money and report.rows.read else ""
    roles = {entry.code: entry.label for entry in code_list(APPROVING_ROLES).entries}
    by = [roles.get(stated.role, "no role stated"), day(stated.on) if stated.on else "no date stated"]
    if report.is_of_money:
        by.append(f"total £{Decimal(stated.gbp_total):,.2f}" if stated.gbp_total else "no total stated")
    return f"Signed off by: {', '.join(by)}."


def to_delete(report: Report) -> str:
    """What to do about a file with personal data that is still there; '' for any other file."""
    if not report.must_be_deleted:
        return ""
    what = "It is still where you sent it. Delete it there and wherever else you hold it, tell the data team, and"
    done = " The later file is used: nothing else needs doing." if report.replaced_by else ""
    return f"{what} report it under your incident process. This page says so until it is gone.{done}"


def progress_in_words(progress: Progress) -> str:
    """'9 fixed, 1 still wrong, 2 new'."""
    return f"{progress.fixed:,} fixed, {progress.remaining:,} still wrong, {progress.new:,} new"


def since_your_last_file(report: Report) -> Pieces:
    """How many faults of the previous file are fixed; empty where there is nothing to compare with."""
    last = report.last_compared
    if report.previous is None or last is None:
        return ()
    of = f"({month(last.period)}, version {last.version})"
    return in_pieces(f"Since your last file {of}, counted by cell: **{progress_in_words(report.previous)}**.")


def fixed(report: Report) -> str:
    """The fixed problems of the previous file; '' where there is none."""
    items, more = report.fixed[:FIXED_SHOWN], len(report.fixed) - FIXED_SHOWN
    problems = "; ".join([*(_with_rows(i) for i in items), *([others(more, "problem")] if more > 0 else [])])
    return f"Fixed: {problems}." if problems else ""


def in_this_month(item: SnapshotItem) -> str:
    """A problem of all three months, with its number of rows in this one."""
    return _with_rows(item, " this month")


def _with_rows(item: SnapshotItem, when: str = "") -> str:
    """The title of a problem, and in how many rows it was found."""
    return f"{item.title} ({counted(item.rows, 'row')}{when})" if item.rows else item.title


def heading_of_problems(report: Report) -> str:
    """The heading of the list of problems that must be fixed."""
    what = "What to fix" if report.send_again else "What was found"
    return f"{what}, in this order" if report.send_again and len(report.must_fix) > 1 else what


def heading_of_details(report: Report) -> str:
    """The heading of the section with the problems in full."""
    return "The problem" if len(report.must_fix) == 1 else "The problems one by one"


def new_or_since(report: Report, item: Item) -> str:
    """'New' or 'Still there since September 2016'; '' where there is nothing to compare with."""
    if not report.is_compared:
        return ""
    first = report.since(item)
    if first is None:
        return "New"
    return f"Still there since {month(first.period) if first.period != report.period else f'version {first.version}'}"


def more_rows(see: str) -> str:
    """Where to see the rows that a list leaves out."""
    return f". All of them are in {see}"


def check_number(item: Item) -> str:
    """The number of the check."""
    return f"Check {item.rule_id}"


def if_check_is_wrong(item: Item) -> str:
    """The text of the link to the section on wrong checks."""
    return f"What to do if check {item.rule_id} is wrong"


def worth_checking(report: Report) -> str:
    """The heading of the warnings."""
    if report.is_check:
        return check.WORTH_CHECKING
    return "Worth checking" if report.result.is_rejected or report.held_up else "Worth checking (accepted)"


def how_to_send(report: Report) -> str:
    """The heading of the steps."""
    return check.HOW_TO_SEND if report.is_check else "How to send it again"


def nothing_held(report: Report) -> str:
    """The sentence in place of problems, where nothing has to be fixed."""
    if report.sheets_to_fix:
        others = listed([f"‘{title}’" for title in report.sheets_to_fix])
        return f"{NOTHING_ON_THIS_SHEET}. Other sheets of this file need fixing: see the report on {others}."
    if report.is_check:
        return check.NOTHING_HELD
    nothing = "Nothing has to be fixed" if report.rows.deleted else "Nothing was held back"
    return f"{nothing}. You do not need to send this file again."


def tell_the_data_team(report: Report) -> str:
    """What to do where a check is wrong, and the data is right."""
    again = "" if report.is_check else " Your rows are then checked again without a new file."
    return f"{check.TELL_THE_DATA_TEAM}{again} {contact_in_words(report.contact)}".rstrip()


def warnings_held_nothing(report: Report) -> str:
    """What warnings mean for the file."""
    if report.is_check:
        return check.WARNINGS_HOLD_NOTHING
    is_in = report.result in (Result.ACCEPTED, Result.HELD_ROWS)
    what = "These did not hold anything back." if is_in else "These would not have stopped the file."
    if report.rows.deleted:
        what = "Rows of records that you have deleted are left out; nothing else in this list held anything back."
    return f"{what} A change for next time makes the figures safer."


def more_warnings(number: int, see: str) -> str:
    """How many warnings are not shown, and where to see them."""
    return f"And {counted(number, 'other point', 'other points')} worth checking: see {see}."


def why_not_checked(report: Report) -> str:
    """Why some checks were not made, and when they will be."""
    if report.is_check:
        return check.why_not_checked(report)
    if report.result is Result.UNREADABLE or not report.rows_judged:
        why = "These checks are about rows, and no row could be checked."
    else:
        why = "These checks had nothing to compare with."
    if report.replaced_by:
        return f"{why} The later file is checked for them."
    if report.held_up:
        return f"{why} None of the rows is in the figures while the file is held up."
    if report.result.is_rejected:
        return f"{why} None of the rows is in the figures; the file that you send next is checked for them."
    if not report.rows.accepted:
        return f"{why} They are made when there are rows to check."
    return f"{why} The rows that were accepted are in the figures, and are checked as soon as they can be."


def what_next(report: Report) -> Pieces:
    """What happens to the file and to the figures."""
    if report.is_check:
        return ((check.WHAT_NEXT, PLAIN),)
    names = {"name": report.next_name, "later": report.replaced_by}
    corrected = " ({name})" if report.next_name else ""
    if report.send_again and report.result is Result.HELD_ROWS:
        return in_pieces(
            f"{CHECKED_AT_NIGHT} Rows that were held back join the figures as soon as they are right. Until then the "
            "figures leave them out, and say so."
        )
    if report.send_again:
        return in_pieces(
            f"{CHECKED_AT_NIGHT} Until then the figures use the last file we accepted from you, if there is one, and "
            "say so."
        )
    if report.withdrawn:
        other = " as {name}, or a later version" if report.next_name else ""
        right = " If this file is right as it is, tell the data team the report number below: it can count again."
        return in_pieces(
            "The figures leave out this file, and the same file under any other name. If the data team asked you for "
            f"another file, send that one{other}.{'' if report.must_be_deleted else right}",
            names,
        )
    if report.replaced_by:
        return in_pieces("A later file was accepted: {later}. The above is kept as a record.", names)
    if report.waits:
        return in_pieces(
            "We check this file again every night. It counts as soon as the file that it waits for is right; until "
            "then the figures use the last file we accepted from you, if there is one, and say so. If you find a "
            f"mistake in this file, send a corrected one with the next version number{corrected}.",
            names,
        )
    return in_pieces(
        "The figures use this file until a later one is accepted. If you find a mistake in it, send a corrected file "
        f"with the next version number{corrected}.",
        names,
    )


def report_number(report: Report) -> str:
    """The number of the report, and the version of the rules that the file was checked against."""
    rules = f"version {report.contract_version or 'unknown'} of the rules for “{report.dataset_title}”"
    return f"Report {report.report_id}. Checked against {rules}."


def every_cell(findings: str) -> Pieces:
    """Which file lists every cell."""
    return in_pieces("Beside this page, {findings} lists every cell.", {"findings": findings}, FILE)


def index_page(report: Report) -> str:
    """The text of the link to the site's index page."""
    return f"All files of {report.site_name}, and what is due next"
