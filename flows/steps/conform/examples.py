"""Recognise rows that a sender filled in on our own sheet of examples, which is not read (rule F45)."""

from __future__ import annotations

from collections.abc import Sequence

from flows.deliveries.findings import Finding
from flows.runtime.wording import counted
from flows.workbooks.example_rows import example_rows
from schemas._contract.model import Contract, Severity
from schemas._contract.workbook_names import EXAMPLE_ROWS


def filled_in_on_examples(
    rows: Sequence[Sequence[str]], contract: Contract, *, has_rows: bool, is_nil_return: bool
) -> list[Finding]:
    """A finding where rows on the sheet of examples are not ours. `has_rows`: the dataset's own sheet has rows too.

    An older workbook may have other examples, so in doubt nothing is said where the dataset's own sheet has rows, or
    is a nil return.
    """
    key = contract.key[0]
    own, position = {row[key] for row in example_rows(contract)}, [*contract.by_name].index(key)
    others = [row for row in rows if position < len(row) and row[position] not in own]
    if not others or (len(rows) <= EXAMPLE_ROWS and (has_rows or is_nil_return)):
        return []
    severity = Severity.WARNING if has_rows else Severity.FILE
    return [Finding("F45", severity, found=f"{counted(len(others), 'row')} on that sheet")]
