"""From a report to lines for a terminal: the same items as the page, in the same words."""

from __future__ import annotations

from collections.abc import Iterator

from flows.reporting.report import Report
from flows.reporting.report_item import Item
from flows.runtime.wording import counted, listed
from schemas.audit.deliveries import Result


def report_lines(report: Report) -> list[str]:
    """The report as lines: the instruction, where the rows went, what to fix, what is worth checking."""
    rows = report.rows
    lines = [_instruction(report)]
    if report.rows_judged:
        held = f", {rows.held:,} held back" if rows.held else ""
        left_out = rows.repeats + rows.not_data
        left = f", {left_out:,} left out" if left_out else ""
        lines.append(f"{rows.accepted:,} of {counted(rows.read, 'row')} would be accepted{held}{left}.")
    elif rows.read:
        lines.append("The rows were not checked: the file itself has to be fixed first.")
    if report.not_validated:
        lines.append(f"{counted(len(report.not_validated), 'check')} could not be made here: see the end.")
    sections = (
        ("What to fix, biggest first", report.must_fix, _item),
        ("Worth checking (accepted)", report.warnings, _item),
        ("Could not be checked here: whether any of this is so", report.not_validated, _not_validated),
    )
    for heading, items, told in sections:
        if items:
            lines += ["", heading, *(line for item in items for line in told(item))]
    return [_plain(line) for line in lines]


def _instruction(report: Report) -> str:
    """What to do. A file of which some checks could not be made is not accepted by that: nothing was found in it."""
    is_sound = report.result is Result.ACCEPTED and report.not_validated
    return "Nothing to fix was found" if is_sound else report.instruction


def _item(item: Item) -> Iterator[str]:
    yield f"- {item.title} (check {item.rule_id})"
    yield f"    where     {item.where}{' and more' if item.more_rows else ''}"
    if not item.said_by_changes:
        if found := _found(item):
            yield f"    found     {found}"
        yield f"    expected  {item.expected}"
    if item.changes and item.used:
        yield f"    we did    {_changes(item)}"
    yield f"    {'next time' if item.used else 'fix      '} {item.fix}"
    if item.changes and not item.used:
        yield f"              {_changes(item)}"


def _found(item: Item) -> str:
    values = [f"{f.value or 'empty'}{_times(item, f.count)}" for f in item.shown]
    left = [counted(item.more_values, "other value")] if item.more_values else []
    hidden = [item.hidden] if item.hidden else []
    return "; ".join([*values, *left, *hidden])


def _changes(item: Item) -> str:
    verb = "Read {} as {}{}" if item.used else "Change {} to {}{}"
    said = [verb.format(c.found, c.suggestion, _times(item, c.count)) for c in item.changes]
    left = [counted(item.changes_left_out, "other value")] if item.changes_left_out else []
    return "; ".join([*said, *left])


def _times(item: Item, count: int) -> str:
    return f" ({counted(count, 'row')})" if item.rows_affected > 1 else ""


def _not_validated(item: Item) -> Iterator[str]:
    needs = item.lacks or (f"your accepted files of {listed(item.needs)}" if item.needs else "what else was sent")
    yield f"- {item.title} (check {item.rule_id}): it needs {needs}"


def _plain(line: str) -> str:
    """A line that no cell can make the terminal act on."""
    return "".join(c if c.isprintable() else "·" for c in line)
