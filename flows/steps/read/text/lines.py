"""Find the physical lines of a delimited text, and which of them are records by themselves.

If no cell of a line begins with a quotation mark, the line is split at its delimiters, and a mark elsewhere is an
ordinary character (12" or 37'37.8"N). A line with a quoted cell must follow RFC 4180 throughout: a quoted cell ends
with its closing mark, a mark inside is doubled, and other cells have none. Spaces may be beside the marks, as in
`1, "a, b" ,2`: if the line is well-formed with them, they are stripped.

All lines of a chunk are classified together, with vectorised operations: Python per line would be too slow.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import polars as pl
import pyarrow as pa

from flows.runtime.wording import counted

_LF, _CR = 10, 13


@dataclass(frozen=True)
class Dialect:
    """How a file's records are written: delimiter, quotation mark, and number of cells.

    Of these, `surplus` are the empty ones at the end of each line that the heading does not have.
    """

    delimiter: str
    quote: str
    width: int
    surplus: int = 0

    def _cell(self, padding: str = "") -> str:
        d, q = re.escape(self.delimiter), re.escape(self.quote)
        return rf"(?:{padding}{q}[^{q}]*(?:{q}{q}[^{q}]*)*{q}{padding}|[^{q}\r\n{d}]*)"

    def _cells(self, further: str, padding: str = "") -> str:
        return rf"{self._cell(padding)}(?:{re.escape(self.delimiter)}{self._cell(padding)}){further}"

    @property
    def _padding(self) -> str:
        return f"{padding_pattern(self.delimiter)}*"

    @property
    def quoted_cell(self) -> str:
        """Pattern that finds a cell which begins with a quotation mark."""
        d, q = re.escape(self.delimiter), re.escape(self.quote)
        return rf"^{q}|{d}{q}"

    @property
    def padded_cell(self) -> str:
        """Pattern that finds a cell which begins with spaces and a quotation mark."""
        d, q, g = re.escape(self.delimiter), re.escape(self.quote), padding_pattern(self.delimiter)
        return rf"(?:^|{d}){g}+{q}"

    @property
    def line(self) -> str:
        """Pattern of a line that is a complete, well-quoted record."""
        return rf"^{self._cells(f'{{{self.width - 1}}}')}\r?\n?$"

    @property
    def padded_line(self) -> str:
        """The same as `line`, with spaces allowed beside the quotation marks."""
        return rf"^{self._cells(f'{{{self.width - 1}}}', self._padding)}\r?\n?$"

    @cached_property
    def record(self) -> re.Pattern[bytes]:
        """Pattern of a record, which may run over several lines, up to the end of its last line.

        Its quantifiers are possessive, so that a line with many quotation marks cannot cause exponential backtracking.
        """
        cells = self._cells(f"{{{self.width - 1}}}", self._padding).replace("]*", "]*+").replace(")*", ")*+")
        return re.compile(rf"{cells}(?=\r?(?:\n|\Z))".encode())

    @cached_property
    def _quoted_record(self) -> re.Pattern[str]:
        return re.compile(self._cells("*", self._padding))

    @cached_property
    def _quoted_cell(self) -> re.Pattern[str]:
        return re.compile(f"{self.quoted_cell}|{self.padded_cell}")

    @cached_property
    def _padded(self) -> re.Pattern[str]:
        d, q, g = re.escape(self.delimiter), re.escape(self.quote), padding_pattern(self.delimiter)
        return re.compile(rf"{g}*({q}[^{q}]*(?:{q}{q}[^{q}]*)*{q}){g}*|(?<={d}){g}+|{g}+(?={d})")

    def has_padding(self, line: str) -> bool:
        """Whether a line is well quoted, with any number of cells, and has spaces beside a quotation mark."""
        text = line.rstrip("\r\n")
        return (
            self._quoted_cell.search(text) is not None
            and bool(self._quoted_record.fullmatch(text))
            and self.strip_padding(text) != text
        )

    def strip_padding(self, records: str) -> str:
        """Remove the spaces beside quoted cells and delimiters. All quotation marks must belong to quoted cells."""
        return self._padded.sub(r"\1", records)

    def is_plain(self, chunk: bytes) -> bool:
        """Whether counting delimiters is enough to classify each line: no quotation marks, zero bytes or lone CRs."""
        if self.width == 1 or self.quote.encode() in chunk or b"\x00" in chunk:
            return False
        return b"\r" not in chunk or chunk.count(b"\r") == chunk.count(b"\r\n")

    def why_malformed(self, line: str, *, last: bool = False) -> str:
        """Why a line is not a record, in words for its sender.

        `last` marks a final line without a line break: if it lacks cells or a closing mark, it was probably cut off.
        """
        cut_off = "the last line is cut off: " if last else ""
        if "\x00" in line:
            return "a zero byte, which stands for no character"
        if self.quote in line and self._quoted_cell.search(line):
            if not self._quoted_record.fullmatch(line):
                return f"{cut_off}quotation marks that do not pair"
            line = re.sub(rf"{self.quote}[^{self.quote}]*{self.quote}", "", line)
        if "\r" in line:
            return "a carriage return in the middle of the line"
        return _wrong_number(line.count(self.delimiter) + 1 - self.surplus, self.width - self.surplus, cut_off)


@dataclass
class Lines:
    """The lines of a chunk: positions and flags, each an array with one entry per line.

    A good line that is `plain` may still turn out to be the end of a record that began on an earlier line.
    """

    starts: np.ndarray
    ends: np.ndarray  # without the line break
    nexts: np.ndarray  # where the next line starts
    good: np.ndarray  # a record by itself
    plain: np.ndarray  # has quotation marks, but only as ordinary characters
    quoted: np.ndarray  # a cell begins with a quotation mark
    padded: np.ndarray  # good and quoted, with spaces beside a mark
    opens: np.ndarray  # a cell begins with spaces and a mark, so a record of several lines may begin here
    empty: np.ndarray  # no delimiters or marks: perhaps white space only

    @classmethod
    def of(cls, chunk: bytes, dialect: Dialect) -> Lines:
        """Find and classify the lines of a chunk, which starts at the beginning of a line."""
        marks = np.frombuffer(chunk, np.uint8)
        breaks = np.flatnonzero(marks == _LF)
        nexts = breaks + 1
        if not chunk.endswith(b"\n"):
            breaks, nexts = np.append(breaks, len(chunk)), np.append(nexts, len(chunk))
        starts = np.concatenate(([0], nexts[:-1]))
        after_cr = (marks[np.maximum(breaks - 1, 0)] == _CR) & (breaks > starts)
        ends = np.where(after_cr, breaks - 1, breaks)

        def count(mark: int) -> np.ndarray:
            """How often a byte occurs on each line."""
            if bytes([mark]) not in chunk:
                return np.zeros(len(starts), np.int64)
            return np.diff(np.searchsorted(np.flatnonzero(marks == mark), np.append(starts, len(chunk))))

        cells, marked = count(ord(dialect.delimiter)) + 1, count(ord(dialect.quote)) > 0
        # The right number of cells, and no carriage return but the one of a CRLF line end.
        good = (cells == dialect.width) & (count(_CR) == (breaks > ends))
        quoted, padded, opens = (np.zeros(len(starts), bool) for _ in range(3))
        if marked.any():
            # The lines as an Arrow array over the chunk's bytes, without a copy, to match patterns in polars.
            edges = pa.py_buffer(np.append(starts, len(chunk)).astype(np.int32))
            texts = pl.Series(pa.StringArray.from_buffers(len(starts), edges, pa.py_buffer(chunk))).filter(marked)
            quoted[marked] = texts.str.contains(dialect.quoted_cell)
            good[marked] = np.where(quoted[marked], texts.str.contains(dialect.line), good[marked])
            others = ~(quoted & good)[marked]  # few, where a file follows RFC 4180
            if others.any():
                begins = quoted[marked] | texts.str.contains(dialect.padded_cell).to_numpy()
                padded[marked] = others & begins & texts.str.contains(dialect.padded_line).to_numpy()
                opens[marked] = others & begins
        good, quoted = good | padded, quoted | padded
        good &= count(0) == 0  # a zero byte makes a line malformed
        is_empty = ~good & (cells == 1) & ~marked
        return cls(
            starts=starts,
            ends=ends,
            nexts=nexts,
            good=good,
            plain=marked & ~quoted,
            quoted=quoted,
            padded=padded,
            opens=opens & ~padded,
            empty=is_empty,
        )

    def certain(self, width: int) -> np.ndarray:
        """Which lines are certainly records of `width` cells by themselves, and not part of one that began earlier."""
        return self.good & ~self.plain & (self.quoted | (width > 1))


def padding_pattern(delimiter: str) -> str:
    """Pattern of the white space allowed between a delimiter and a quotation mark: a tab cannot be both."""
    return "[ ]" if delimiter == "\t" else "[ \\t]"


@lru_cache  # when a whole file is malformed, its lines mostly have the same wrong number of cells
def _wrong_number(cells: int, width: int, cut_off: str) -> str:
    numbers = f"{counted(cells, 'cell')}, where the heading has {width}"
    if cells > width:
        return f"{numbers}: {cells - width} too many"
    # which cell is missing is not known: a separator may be lost between any two
    return f"{cut_off}{numbers}: {width - cells} too few"
