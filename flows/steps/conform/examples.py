"""Recognise rows that a sender filled in on our own sheet of examples, which is not read (rule F45)."""

from __future__ import annotations

from collections.abc import Sequence

from flows.deliveries.findings import Finding
from flows.runtime.wording import counted, listed, ranges, spans
from flows.workbooks.example_rows import example_rows
from schemas._contract.model import Contract, Severity
from schemas._contract.workbook_names import EXAMPLE_ROWS

MAX_NAMED = 3  # ranges of rows


def filled_in_on_examples(
    rows: Sequence[tuple[int, Sequence[str]]], contract: Contract, *, has_rows: bool, is_nil_return: bool
) -> list[Finding]:
    """A finding where rows on the sheet of examples are not ours. `has_rows`: the dataset's own sheet has rows too.

    `rows` are the rows of that sheet with their numbers.
    An older workbook may have other examples, so in doubt nothing is said where the dataset's own sheet has rows, or
    is a nil return.
    """
    key = contract.key[0]
    own, position = {row[key] for row in example_rows(contract)}, [*contract.by_name].index(key)
    others = [n for n, row in rows if position < len(row) and row[position] not in own]
    if not others or (len(rows) <= EXAMPLE_ROWS and (has_rows or is_nil_return)):
        return []
    places = [f"{'rows' if ' ' in place else 'row'} {place}" for place in spans(ranges(others)[:MAX_NAMED])]
    severity = Severity.WARNING if has_rows else Severity.FILE
    return [Finding("F45", severity, found=f"{counted(len(others), 'row')}, {listed(places)}")]
