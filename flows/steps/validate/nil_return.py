"""What the box 'nothing to send' on a form says, and whether the rows agree with it (rules F01, F48)."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from flows.deliveries.findings import Finding
from schemas._contract.model import Severity

_YES = frozenset({"yes", "y", "x", "true", "1", "✓", "✔", "☑", "☒"})
_NO = frozenset({"", "no", "n", "false", "0", "☐"})


class NilBox(StrEnum):
    """The box as its sender left it; the values say so in words."""

    ABSENT = ""
    TICKED = "the box says yes"
    EMPTY = "the box is not ticked"
    UNCLEAR = "the box says neither yes nor no"


def read_nil_box(answer: str | None) -> NilBox:
    """Interpret the text in a dataset's box; None if the file has no such box."""
    if answer is None:
        return NilBox.ABSENT
    text = answer.casefold().strip(" .!'\"")
    return NilBox.TICKED if text in _YES else NilBox.EMPTY if text in _NO else NilBox.UNCLEAR


def with_nil_box(about_file: Sequence[Finding], box: NilBox, *, has_rows: bool) -> list[Finding]:
    """The findings about a file, with what its box says.

    Without rows a ticked box makes it a nil return; any other box is named beside the question for rows (F01). With
    rows, a ticked box contradicts them (F48).
    """
    if box is NilBox.TICKED and has_rows:
        return [*about_file, Finding("F48", Severity.FILE)]
    without = [f for f in about_file if f.rule_id != "F01"]
    if box is NilBox.ABSENT or len(without) == len(about_file):
        return list(about_file)
    return without if box is NilBox.TICKED else [Finding("F01", Severity.FILE, found=str(box)), *without]
