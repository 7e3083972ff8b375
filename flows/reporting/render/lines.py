"""Render the report of a check as lines for a terminal: the same items as the page, in the same words."""

from __future__ import annotations

from collections.abc import Iterator

from flows.reporting.report import Report
from flows.reporting.report_item import Item
from flows.reporting.words import check
from flows.reporting.words import items as words
from flows.reporting.words.page import heading_of_problems, signed_off
from flows.reporting.words.pieces import plain

_LABEL_WIDTH = 10  # characters


def report_lines(report: Report) -> list[str]:
    """The report as lines: what to do, the counts of rows, what to fix, and what could not be checked."""
    lines = [f"{check.instruction(report)}. {check.NOTHING_SENT}."]
    if report.rows_judged:
        lines.append(check.rows_in_short(report))
    elif report.rows.read:
        lines.append(check.ROWS_NOT_CHECKED)
    if by := signed_off(report):
        lines.append(by)
    if report.not_validated:
        lines.append(check.checks_not_made(report))
    sections = (
        (heading_of_problems(report), report.must_fix),
        (check.WORTH_CHECKING, report.warnings),
    )
    for heading, items in sections:
        if items:
            lines += ["", heading, *(line for item in items for line in _item(item, report))]
    if report.not_validated:
        lines += ["", check.NOT_CHECKED_HERE]
        lines += [f"- {checks}" for checks in words.checks_not_made(report.not_validated, is_check=True)]
    return [_printable(line) for line in lines]


def _item(item: Item, report: Report) -> Iterator[str]:
    yield f"- {check.title(item)}"
    yield _labelled(check.WHERE, words.where(item))
    if not item.changes_suffice:
        if not item.changes_show_found and (found := _found(item)):
            yield _labelled(check.FOUND, found)
        yield _labelled(check.EXPECTED, item.expected)
    if item.changes and item.suggestions_used:
        yield _labelled(check.WE_DID, _changes(item))
    yield _labelled(check.IMPROVE if item.suggestions_used else check.FIX, item.fix)
    for sentence in words.how_to_apply(item, report):
        yield _labelled("", sentence)
    if item.changes and not item.suggestions_used:
        yield _labelled("", _changes(item))
    for part in item.renamed:
        yield _labelled("", f"{words.renaming(part)} ({words.meaning(part)})")
    for near in item.nearest:
        yield _labelled("", plain(words.nearest(near.found, near.entries)))
    if item.confirmable:
        yield _labelled(check.RIGHT, check.HOW_TO_CONFIRM)


def _labelled(label: str, text: str) -> str:
    return f"    {label:{_LABEL_WIDTH}}{text}"


def _found(item: Item) -> str:
    values = [f"{f.value or words.EMPTY}{words.in_rows(item, f.count)}" for f in item.shown_values]
    left = [check.more_values(item.more_values)] if item.more_values else []
    hidden = [words.hidden(item)] if item.hides_values else []
    return "; ".join([*values, *left, *hidden])


def _changes(item: Item) -> str:
    changes = [f"{plain(words.change(item, c.found, c.suggestion))}{words.in_place(item, c)}" for c in item.changes]
    left = [check.more_values(item.changes_left_out)] if item.changes_left_out else []
    return "; ".join([*changes, *left])


def _printable(line: str) -> str:
    """The line without control characters, so that no cell of a file can control the terminal."""
    return "".join(c if c.isprintable() else "·" for c in line)
