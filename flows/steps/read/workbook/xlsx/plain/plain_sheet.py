"""An Excel sheet that is written as office programs write it, read into columns of text.

Most of what such a sheet holds is plain: a text in the cell itself, the number of a shared text, a number. Anything
else (a date, a tick, an error, an escape, a text of several looks) is not understood here: of the cells that are
written alike, one is given to a careful reader, who tells what it says. So no two readers can come to disagree.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property
from xml.parsers import expat

import numpy as np
import polars as pl
import pyarrow as pa

from flows.cells.column_letters import index_of
from flows.steps.read.heading import MAX_COLUMNS
from flows.steps.read.workbook.sheet import MAX_CELLS, Area, Hidden, Table
from flows.steps.read.workbook.xlsx.minimal_xlsx import NotPlainError
from flows.steps.read.workbook.xlsx.plain.plain_cells import Units, units_of
from flows.steps.read.workbook.xlsx.plain.plain_values import Values
from flows.steps.read.workbook.xlsx.sheet_xml import hidden_columns

_OPENS, _CLOSES = b"<sheetData>", b"</sheetData>"
_LONGEST_ROW = 8 << 20  # bytes
_MOST_ROWS = 1 << 20
_AREA = re.compile(r"([A-Z]{1,3})(\d{1,7})(?::([A-Z]{1,3})(\d{1,7}))?")

# Both take the sheet's XML up to its first row. Which cells say what; and which styles show numbers as numbers.
Tell = Callable[[bytes, Sequence[bytes]], list[str]]
NumberStyles = Callable[[bytes], Set[bytes]]


@dataclass(frozen=True)
class PlainTable(Table):
    """The cells of a plain sheet, a block of rows after the other."""

    blocks: list[_Block] = field(default_factory=list)
    shared: pl.Series = field(default_factory=lambda: pl.Series(dtype=pl.String))
    told: pl.Series = field(default_factory=lambda: pl.Series(dtype=pl.String))

    def width(self, first: int, used: int) -> int:
        """The number of columns that any row from `first` on uses, if it is more than `used`."""
        if max((len(block.slots) for block in self.blocks), default=0) > used:
            for frame in self.texts(first, _MOST_ROWS):
                filled = [i for i, column in enumerate(frame.iter_columns()) if (column != "").any()]
                used = max(used, max(filled, default=-1) + 1)
        return used

    def texts(self, first: int, size: int) -> Iterator[pl.DataFrame]:
        """The rows from `first` (from 0) on as text, at most `size` at a time."""
        width = max((len(block.slots) for block in self.blocks), default=0)
        held: list[pl.DataFrame] = []
        for block in self.blocks:
            if block.first + block.height <= first:
                continue
            held.append(block.frame(width, self.shared, self.told).slice(max(0, first - block.first)))
            while sum(map(len, held)) >= size:
                rows = pl.concat(held, rechunk=True)
                yield rows.head(size)
                held = [rows.slice(size)]
        if sum(map(len, held)):
            yield pl.concat(held, rechunk=True)


@dataclass(frozen=True)
class _Block:
    """Rows that follow one another: for each column, where among the texts each row's is."""

    first: int  # from 0
    slots: np.ndarray
    texts: list[pl.Series]
    shared: np.ndarray  # the numbers of shared texts, which follow the block's own
    told: np.ndarray  # the numbers of cells that are told, which follow those; last comes the text of an empty cell

    @property
    def height(self) -> int:
        return self.slots.shape[1]

    def frame(self, width: int, shared: pl.Series, told: pl.Series) -> pl.DataFrame:
        empty = pl.Series([""], dtype=pl.String)
        others = [known.gather(used) for known, used in ((shared, self.shared), (told, self.told)) if len(used)]
        texts = pl.concat([*self.texts, *others, empty], rechunk=True)
        cells = texts.gather(self.slots.ravel())
        columns = [cells.slice(n * self.height, self.height) for n in range(len(self.slots))]
        if width > len(columns):
            columns += [pl.repeat("", self.height, eager=True)] * (width - len(columns))
        return pl.DataFrame({str(i): column for i, column in enumerate(columns)})


def plain_table(
    pieces: Iterable[bytes], tell: Tell, number_styles: NumberStyles, rows: Callable[[], Iterator[list[object]]]
) -> PlainTable:
    """Read a sheet from its XML. Raises NotPlainError for one that another reader must read, and what `pieces` raises.

    `rows` gives the cells as they are, where they are asked for.
    """
    reading = _Reading(tell, number_styles)
    try:
        for piece in _pieces_of_rows(pieces, reading.outside):
            reading.add(units_of(piece))
        reading.outside.finish()
        return reading.table(rows)
    except (pa.ArrowException, expat.ExpatError, LookupError, ValueError):
        raise NotPlainError from None


class _Outside:
    """The XML around the rows of a sheet, which must be sound, and what it says of the cells."""

    def __init__(self) -> None:
        self.opening = b""
        self.merged: list[Area] = []
        self.hidden_columns: list[int] = []
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start

    def add(self, data: bytes) -> None:
        self.opening = self.opening or data
        self._parser.Parse(data, False)

    def finish(self) -> None:
        self._parser.Parse(b"", True)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag.rpartition(":")[2] in ("row", "c"):  # the rows are written in a way that was not known for them
            raise NotPlainError
        if tag == "col":
            self.hidden_columns += hidden_columns(attributes)
        if tag not in ("dimension", "mergeCell"):
            return
        match = _AREA.fullmatch(attributes.get("ref", ""))
        if match is None:
            raise NotPlainError
        left, top, right, bottom = match.groups()
        area = (int(top) - 1, index_of(left), int(bottom or top) - 1, index_of(right or left))
        if not (0 <= area[0] <= area[2] < _MOST_ROWS and area[1] <= area[3] < 1 << 14):
            raise NotPlainError
        if tag == "mergeCell":
            self.merged.append(area)


def _pieces_of_rows(pieces: Iterable[bytes], outside: _Outside) -> Iterator[bytes]:
    """The XML of the rows, cut where a row begins; all else is given to `outside`. Raises NotPlainError."""
    data, inside, over = b"", False, False
    for piece in pieces:
        if over:
            outside.add(piece)
            continue
        data += piece
        if not inside and (begin := data.find(_OPENS) + 1):
            begin += len(_OPENS) - 1
            outside.add(data[:begin])
            data, inside = data[begin:].lstrip(), True
        if inside and (end := data.find(_CLOSES)) >= 0:
            if end:
                yield data[:end]
            outside.add(data[end:])
            data, over = b"", True
        elif inside and (cut := data.rfind(b"<row ")) > 0:
            yield data[:cut]
            data = data[cut:]
        elif len(data) > _LONGEST_ROW:
            raise NotPlainError
    if inside and not over:
        raise NotPlainError
    outside.add(data)


class _Reading:
    """A plain sheet as far as it has been read."""

    def __init__(self, tell: Tell, number_styles: NumberStyles) -> None:
        self.outside = _Outside()
        self._tell, self._number_styles = tell, number_styles
        self._blocks: list[_Block] = []
        self._to_tell: dict[bytes, int] = {}
        self._hidden_rows: list[int] = []
        self._height = self._width = self._last_row = 0

    def add(self, units: Units) -> None:
        """Take in the next rows. Raises NotPlainError."""
        if units.rows[0] <= self._last_row:
            raise NotPlainError
        self._last_row = int(units.rows[-1])
        cells = Values(units, lambda: self._numbers)
        self._hidden_rows += cells.hidden_rows
        told = np.array([self._to_tell.setdefault(cell, len(self._to_tell)) for cell in cells.to_tell], np.uint32)
        at = np.concatenate([*cells.own_at, cells.shared_at, cells.told_at])
        if not len(at):
            return
        rows, columns = units.rows[cells.units[at]] - 1 - self._height, units.columns[cells.units[at]]
        height, width = int(rows.max()) + 1, int(columns.max()) + 1
        self._width = max(self._width, width)
        if self._width > MAX_COLUMNS or (self._height + height) * self._width > MAX_CELLS:
            raise NotPlainError
        slots = np.full((width, height), len(at), np.uint32)
        slots[columns, rows] = np.arange(len(at))
        self._blocks.append(_Block(self._height, slots, cells.own, cells.shared, told))
        self._height += height

    def table(self, rows: Callable[[], Iterator[list[object]]]) -> PlainTable:
        """What was read. Raises NotPlainError where a cell that is told says nothing: does it count as one, or not?"""
        used = np.unique(np.concatenate([np.array([], np.uint32), *(b.shared for b in self._blocks)]))
        cells = [*self._to_tell, *(b' t="s"><v>%d</v></c>' % n for n in used)]
        texts = pl.Series(self._tell(self.outside.opening, cells), dtype=pl.String)
        told, shared = texts.head(len(self._to_tell)), texts.tail(len(used))
        if (told == "").any():
            raise NotPlainError
        places = np.zeros(int(used[-1]) + 1 if len(used) else 0, np.uint32)
        places[used] = np.arange(len(used))
        hidden = Hidden(self._hidden_rows, self.outside.hidden_columns)
        return PlainTable(rows, self.outside.merged, hidden, self._blocks, shared.gather(places), told)

    @cached_property
    def _numbers(self) -> Set[bytes]:
        """The styles whose numbers are numbers, and no dates or times."""
        return self._number_styles(self.outside.opening)
