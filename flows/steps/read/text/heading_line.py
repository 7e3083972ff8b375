"""Find a fault in the heading line by the lines below it: a lost separator, or one too many (rule F43).

If nearly all lines have the same number of cells and the heading has another, the heading is at fault and not each of
the lines. Where two known headings run together, or nothing but empty headings are too many, it can be read all the
same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence, Set
from typing import NamedTuple

from flows.cells.column_letters import column_letter
from flows.cells.headings import recognise
from flows.deliveries.findings import Finding
from flows.runtime.wording import counted, listed
from schemas._contract.code_lists import fold
from schemas._contract.model import Severity

MIN_LINES = 2  # below the heading: one line alone may be at fault itself
MIN_SHARE = 0.9  # of the lines must have the same number of cells
MAX_LISTED = 3


class CheckedHeading(NamedTuple):
    """The headings for the cells of the lines below, and what was found about the heading line."""

    cells: list[str]
    findings: list[Finding]


def check_heading_line(cells: list[str], lines: Sequence[Sequence[str]], line: int, known: Set[str]) -> CheckedHeading:
    """Compare the heading with the cells of lines below it. `line` is its number in the file.

    A heading that cannot be repaired is refused, and gets as many cells as the lines have.
    """
    width = width_of_most(lines)
    if width in (0, len(cells)):
        return CheckedHeading(cells, [])
    if width < len(cells):
        filled = [c for c in cells if c.strip()]
        if len(filled) != width:  # the lines may lack their last cells, which is no fault of the heading
            return CheckedHeading(cells, [])
        found = f"{counted(len(cells) - width, 'empty heading')} too many"
        return CheckedHeading(filled, [_finding(Severity.WARNING, found, line)])
    split = [_split(cell, known) for cell in cells]
    if sum(map(len, split)) == width and _are_distinct(split, known):
        places = [f"{' and '.join(parts)}, in column {column_letter(i)}" for i, parts in enumerate(split) if parts[1:]]
        found = f"no separator between {listed(places[:MAX_LISTED])}"
        return CheckedHeading([part for parts in split for part in parts], [_finding(Severity.WARNING, found, line)])
    if _is_only_longer(lines, len(cells)):
        return CheckedHeading(cells, [])
    found = f"{counted(len(cells), 'heading')}, where the lines below have {width} cells"
    return CheckedHeading(cells + [""] * (width - len(cells)), [_finding(Severity.FILE, found, line)])


def join_broken_heading(
    lines: Sequence[str], first: int, second: int, delimiter: str, width: int, known: Set[str]
) -> list[str]:
    """The headings of two lines that are one heading line, broken by a line break; [] if they are not.

    They are if together they have as many cells as the lines below, and every one is a known heading.
    """
    for joint in ("", delimiter):
        cells = (lines[first].rstrip("\r\n") + joint + lines[second].rstrip("\r\n")).split(delimiter)
        if len(cells) == width and all(recognise(cell, known) for cell in cells):
            return cells
    return []


def broken_heading_finding(first: int) -> Finding:
    """A warning for a heading line that was broken in two; `first` counts from 0."""
    return _finding(Severity.WARNING, f"a line break within it: it is on lines {first + 1} and {first + 2}", first + 1)


def _finding(severity: Severity, found: str, line: int) -> Finding:
    return Finding("F43", severity, source_row=line if severity is Severity.WARNING else None, found=found)


def width_of_most(lines: Sequence[Sequence[str]]) -> int:
    """The number of cells that nearly all lines have; 0 if there is none, or there are too few lines."""
    if len(lines) < MIN_LINES:
        return 0
    width, n = Counter(map(len, lines)).most_common(1)[0]
    return width if width > 1 and n >= MIN_SHARE * len(lines) else 0


def _is_only_longer(lines: Sequence[Sequence[str]], width: int) -> bool:
    """Whether nearly all lines have nothing beyond the heading: then it is the lines that have separators too many."""
    filled = sum(any(cell.strip() for cell in cells[width:]) for cells in lines)
    return filled <= (1 - MIN_SHARE) * len(lines)


def _split(cell: str, known: Set[str]) -> list[str]:
    """The known headings that run together in a cell; the cell alone if it is one, or no two of them."""
    if not cell.strip() or recognise(cell, known):
        return [cell]
    ways = [
        [first.strip(" _-;:\t|"), *rest]
        for i in range(1, len(cell))
        if cell[i].isalnum() and fold(first := cell[:i]) in known
        for rest in [_split(cell[i:], known)]
        if all(recognise(part, known) for part in rest)
    ]
    fewest = [way for way in ways if len(way) == min(map(len, ways))]
    return fewest[0] if len(fewest) == 1 else [cell]


def _are_distinct(split: Sequence[Sequence[str]], known: Set[str]) -> bool:
    """Whether no heading occurs twice."""
    headings = [heading for parts in split for part in parts if (heading := recognise(part, known))]
    return len(set(headings)) == len(headings)
