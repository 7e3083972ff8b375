"""Recognise lines that end with more separators than the heading has, as some programs write them (rule F32)."""

from __future__ import annotations

import csv
from collections import Counter

from flows.deliveries.findings import Finding
from flows.runtime.wording import counted
from flows.steps.read.text.encoding import FileBytes
from flows.steps.read.text.text_heading import TextHeading
from schemas._contract.model import Severity

_SAMPLE_BYTES, _SAMPLE_LINES = 1 << 18, 1_000
_MIN_SHARE = 0.9  # of the lines, for fewer may each have a comma too many in a text
_MAX_SURPLUS = 1_000


def surplus_cells(data: FileBytes, heading: TextHeading) -> int:
    """The number of empty cells that nearly all lines have beyond the heading; 0 if lines have as many as it has.

    The first lines below the heading decide. A line with a cell too many is not enough: its text may hold a comma.
    """
    sample = data[heading.size : heading.size + _SAMPLE_BYTES]
    if heading.size + _SAMPLE_BYTES < len(data):
        sample = sample[: sample.rfind(b"\n") + 1]
    lines = [line for line in sample.decode("utf-8", errors="ignore").splitlines() if line.strip()][:_SAMPLE_LINES]
    width = len(heading.cells)
    # In a clean file lines do not end with a separator and have more of them than the heading: no need to parse any.
    end = heading.delimiter
    many = sum(line.rstrip(" \r").endswith(end) and line.count(end) >= width for line in lines)
    if width < 2 or not lines or many < _MIN_SHARE * len(lines):
        return 0
    most, times = Counter(_surplus_of(line, heading, width) for line in lines).most_common(1)[0]
    return most if most <= _MAX_SURPLUS and times >= _MIN_SHARE * len(lines) else 0


def _surplus_of(line: str, heading: TextHeading, width: int) -> int:
    """How many cells a line has beyond the heading, if all of these are empty; else 0."""
    try:
        cells = next(csv.reader([line], delimiter=heading.delimiter, quotechar=heading.quote), [])
    except csv.Error:
        return 0
    return 0 if any(cell.strip() for cell in cells[width:]) else max(0, len(cells) - width)


def surplus_findings(surplus: int) -> list[Finding]:
    """A warning if the lines have empty cells beyond the heading."""
    found = f"{counted(surplus, 'empty cell')} too many"
    return [Finding("F32", Severity.WARNING, found=found)] if surplus else []
