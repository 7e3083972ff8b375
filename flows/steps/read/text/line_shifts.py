"""Count by how many lines a text file and a spreadsheet differ in numbering its rows.

A spreadsheet shows a cell with line breaks in one row, where an editor shows several lines. The numbers differ only
below a quotation that spans lines, so only lines that may open one are looked at. Where a quotation is never closed,
programs disagree about what it takes in, and no row is known from there on.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence

from schemas.audit.deliveries import LineShift

MAX_SHIFTS = 50_000  # the marked workbook has no more rows; of a file with more, later rows are known by line alone
_SEPARATOR_LINE = "sep="  # Excel takes such a first line for an instruction, and does not show it
_LAST = "\n"  # a blank line after the others: it is a row of its own unless a quotation is open


class LineShifts:
    """Collects the shifts of a file (`Verdict.line_shifts`) as its lines are read in order."""

    def __init__(self, delimiter: str) -> None:
        self._delimiter = delimiter
        self._found: list[tuple[int, int | None]] = []
        self._shift = 0
        self._is_known = True

    @property
    def found(self) -> tuple[LineShift, ...]:
        """The shifts so far."""
        return tuple(LineShift(*shift) for shift in self._found)

    def add_top(self, text: str) -> None:
        """Take in the lines up to the heading's end. A quotation may be open in any of them."""
        if text[: len(_SEPARATOR_LINE)].casefold() == _SEPARATOR_LINE:
            self._shift = 1
            self._found.append((2, 1))
        if '"' in text:
            self.add(1, text)

    def add(self, first: int, text: str) -> None:
        """Take in whole lines of which the first has the number `first`, as a spreadsheet splits them into rows."""
        if not self._is_known:
            return
        lines = [f"{line}\n" for line in text.removesuffix("\n").split("\n")]
        for start, end in self._rows(lines):
            if end is None or len(self._found) >= MAX_SHIFTS:
                self._found.append((first + start + 1, None))
                self._is_known = False
                return
            if end > start + 1:
                self._shift += end - start - 1
                self._found.append((first + end, self._shift))

    def _rows(self, lines: Sequence[str]) -> list[tuple[int, int | None]]:
        """Each row's first line and the line after its last, from 0; None where that is not certain.

        A quotation mark counts at the start of a cell only, as in Excel. A carriage return within a line ends the row
        in some programs and not in others.
        """
        reader = csv.reader([*lines, _LAST], delimiter=self._delimiter)
        rows: list[tuple[int, int | None]] = []
        start = 0
        try:
            for _ in reader:
                is_open = reader.line_num > len(lines) and start < len(lines)
                rows.append((start, None if is_open else reader.line_num))
                start = reader.line_num
        except csv.Error:
            rows.append((start, None))
        return rows if rows and rows[-1][1] is None else rows[:-1]
