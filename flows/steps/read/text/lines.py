"""The physical lines of a delimited text, and which of them are records by themselves.

A line none of whose cells begins with a quotation mark is split at its delimiters: a mark elsewhere is that character
itself (12" or 37'37.8"N). A line with a quoted cell must be quoted throughout as the standard has it (RFC 4180): a
quoted cell ends where its mark does, a mark inside is doubled, and no other cell holds one. Spaces may stand beside
the marks, as in `1, "a, b" ,2`: where the line is sound so, they are no part of a cell. No line is looked at by itself
here: all lines of a chunk are, at once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import polars as pl
import pyarrow as pa

from flows.cells.column_letters import column_letter
from flows.runtime.wording import counted

_LF, _CR = 10, 13


@dataclass(frozen=True)
class Grammar:
    """How a text's records are written: what parts their cells, what quotes one, and how many cells they have."""

    delimiter: str
    quote: str
    width: int

    def _cell(self, gaps: str = "") -> str:
        d, q = re.escape(self.delimiter), re.escape(self.quote)
        return rf"(?:{gaps}{q}[^{q}]*(?:{q}{q}[^{q}]*)*{q}{gaps}|[^{q}\r\n{d}]*)"

    def _cells(self, further: str, gaps: str = "") -> str:
        return rf"{self._cell(gaps)}(?:{re.escape(self.delimiter)}{self._cell(gaps)}){further}"

    @property
    def _gaps(self) -> str:
        return f"{gap(self.delimiter)}*"

    @property
    def quoted_cell(self) -> str:
        """The pattern of a line that has a cell which begins with a quotation mark."""
        d, q = re.escape(self.delimiter), re.escape(self.quote)
        return rf"^{q}|{d}{q}"

    @property
    def spaced_cell(self) -> str:
        """The pattern of a line that has a cell which begins with a quotation mark behind spaces."""
        d, q, g = re.escape(self.delimiter), re.escape(self.quote), gap(self.delimiter)
        return rf"(?:^|{d}){g}+{q}"

    @property
    def line(self) -> str:
        """The pattern of a line that is a quoted record by itself."""
        return rf"^{self._cells(f'{{{self.width - 1}}}')}\r?\n?$"

    @property
    def spaced_line(self) -> str:
        """The pattern of one that is so with spaces beside its quotation marks."""
        return rf"^{self._cells(f'{{{self.width - 1}}}', self._gaps)}\r?\n?$"

    @cached_property
    def record(self) -> re.Pattern[bytes]:
        """A record, which may run over several lines, up to the end of the last. It never tries a cell twice."""
        cells = self._cells(f"{{{self.width - 1}}}", self._gaps).replace("]*", "]*+").replace(")*", ")*+")
        return re.compile(rf"{cells}(?=\r?(?:\n|\Z))".encode())

    @cached_property
    def _pairs(self) -> re.Pattern[str]:
        return re.compile(self._cells("*", self._gaps))

    @cached_property
    def _quoted_cell(self) -> re.Pattern[str]:
        return re.compile(f"{self.quoted_cell}|{self.spaced_cell}")

    @cached_property
    def _spaced(self) -> re.Pattern[str]:
        d, q, g = re.escape(self.delimiter), re.escape(self.quote), gap(self.delimiter)
        return re.compile(rf"{g}*({q}[^{q}]*(?:{q}{q}[^{q}]*)*{q}){g}*|(?<={d}){g}+|{g}+(?={d})")

    def is_spaced(self, line: str) -> bool:
        """Whether a line is sound quoting, of any number of cells, with spaces beside a quotation mark."""
        text = line.rstrip("\r\n")
        return (
            self._quoted_cell.search(text) is not None
            and bool(self._pairs.fullmatch(text))
            and self.unspaced(text) != text
        )

    def unspaced(self, records: str) -> str:
        """Sound records, all of whose marks are of quoted cells, without the spaces beside those and the delimiters."""
        return self._spaced.sub(r"\1", records)

    def is_plain(self, chunk: bytes) -> bool:
        """Whether each line is a record or none, by the number of its delimiters alone: nothing could hide one."""
        if self.width == 1 or self.quote.encode() in chunk or b"\x00" in chunk:
            return False
        return b"\r" not in chunk or chunk.count(b"\r") == chunk.count(b"\r\n")

    def why_malformed(self, line: str, *, last: bool = False) -> str:
        """Why a line is no record, in the sender's words. The last line of a file may have no line break.

        Then it may have been cut off: that is said of one that lacks cells or the end of a quotation.
        """
        cut_off = "the last line is cut off: " if last else ""
        if "\x00" in line:
            return "a zero byte, which stands for no character"
        if self.quote in line and self._quoted_cell.search(line):
            if not self._pairs.fullmatch(line):
                return f"{cut_off}quotation marks that do not pair"
            line = re.sub(rf"{self.quote}[^{self.quote}]*{self.quote}", "", line)
        if "\r" in line:
            return "a carriage return in the middle of the line"
        return _wrong_number(line.count(self.delimiter) + 1, self.width, cut_off)


@dataclass
class Lines:
    """The lines of a chunk, an entry each: where it begins, where it ends without and with its line break, what it is.

    A `good` line is a record by itself. It is `plain` where its quotation marks are characters like any other, and may
    then yet be the end of a record that began above; or the beginning of one, where a mark of it `opens` behind spaces.
    """

    starts: np.ndarray
    ends: np.ndarray
    nexts: np.ndarray
    good: np.ndarray
    plain: np.ndarray
    quoted: np.ndarray  # a cell begins with a quotation mark
    spaced: np.ndarray  # of those that are quoted and good: spaces stand beside a mark
    opens: np.ndarray
    empty: np.ndarray  # at most spaces and the like

    @classmethod
    def of(cls, chunk: bytes, grammar: Grammar) -> Lines:
        """Find the lines of a chunk, which begins with one."""
        marks = np.frombuffer(chunk, np.uint8)
        breaks = np.flatnonzero(marks == _LF)
        nexts = breaks + 1
        if not chunk.endswith(b"\n"):
            breaks, nexts = np.append(breaks, len(chunk)), np.append(nexts, len(chunk))
        starts = np.concatenate(([0], nexts[:-1]))
        after_cr = (marks[np.maximum(breaks - 1, 0)] == _CR) & (breaks > starts)
        ends = np.where(after_cr, breaks - 1, breaks)

        def count(mark: int) -> np.ndarray:
            if bytes([mark]) not in chunk:
                return np.zeros(len(starts), np.int64)
            return np.diff(np.searchsorted(np.flatnonzero(marks == mark), np.append(starts, len(chunk))))

        cells, marked = count(ord(grammar.delimiter)) + 1, count(ord(grammar.quote)) > 0
        good = (cells == grammar.width) & (count(_CR) == (breaks > ends))
        quoted, spaced, opens = (np.zeros(len(starts), bool) for _ in range(3))
        if marked.any():
            edges = pa.py_buffer(np.append(starts, len(chunk)).astype(np.int32))
            texts = pl.Series(pa.StringArray.from_buffers(len(starts), edges, pa.py_buffer(chunk))).filter(marked)
            quoted[marked] = texts.str.contains(grammar.quoted_cell)
            good[marked] = np.where(quoted[marked], texts.str.contains(grammar.line), good[marked])
            others = ~(quoted & good)[marked]  # few, where a file is written by the standard
            if others.any():
                begins = quoted[marked] | texts.str.contains(grammar.spaced_cell).to_numpy()
                spaced[marked] = others & begins & texts.str.contains(grammar.spaced_line).to_numpy()
                opens[marked] = others & begins
        good, quoted = good | spaced, quoted | spaced
        good &= count(0) == 0
        is_empty = ~good & (cells == 1) & ~marked
        return cls(
            starts=starts,
            ends=ends,
            nexts=nexts,
            good=good,
            plain=marked & ~quoted,
            quoted=quoted,
            spaced=spaced,
            opens=opens & ~spaced,
            empty=is_empty,
        )

    def certain(self, width: int) -> np.ndarray:
        """Which lines are for certain records by themselves, of so many cells: no mark could make them part of one."""
        return self.good & ~self.plain & (self.quoted | (width > 1))


def gap(delimiter: str) -> str:
    """The pattern of a space that may stand between a delimiter and a quotation mark."""
    return "[ ]" if delimiter == "\t" else "[ \\t]"


@lru_cache
def _wrong_number(cells: int, width: int, cut_off: str) -> str:
    said = f"{counted(cells, 'cell')}, where the heading has {width}"
    if cells > width:
        return f"{said}: {cells - width} too many"
    return f"{cut_off}{said}: nothing for {_columns(cells, width)}"


def _columns(first: int, end: int) -> str:
    """Columns by their letters, from position `first` up to `end`."""
    letters = [column_letter(first), column_letter(end - 1)]
    if letters[0] == letters[1]:
        return f"column {letters[0]}"
    return f"columns {letters[0]} {'and' if end - first == 2 else 'to'} {letters[1]}"
