"""Read an Excel sheet column by column, without a Python object per cell, if its XML has the usual form.

Most cells are plain: an inline text, a shared string, a number. Any other cell (date, boolean, error, escape, rich
text) is deferred to calamine; cells with identical XML are read once. So the two readers cannot disagree on a value.
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
from flows.steps.read.workbook.xlsx.plain.plain_values import CellValues
from flows.steps.read.workbook.xlsx.sheet_xml import hidden_columns

_OPENS, _CLOSES = b"<sheetData>", b"</sheetData>"
_MAX_ROW_BYTES = 8 << 20
_MAX_ROWS = 1 << 20
_AREA = re.compile(r"([A-Z]{1,3})(\d{1,7})(?::([A-Z]{1,3})(\d{1,7}))?")

# Callbacks to calamine. Both take the sheet's XML up to its first row; they give the texts of some cells, and the
# styles that display numbers as numbers.
CellReader = Callable[[bytes, Sequence[bytes]], list[str]]
NumberStyles = Callable[[bytes], Set[bytes]]


@dataclass(frozen=True)
class PlainTable(Table):
    """The cells of a plain sheet, in blocks of consecutive rows."""

    blocks: list[_Block] = field(default_factory=list)
    shared: pl.Series = field(default_factory=lambda: pl.Series(dtype=pl.String))
    deferred: pl.Series = field(default_factory=lambda: pl.Series(dtype=pl.String))

    def width(self, first: int, used: int) -> int:
        """The number of columns used by the rows from `first` on, but at least `used`."""
        if max((len(block.slots) for block in self.blocks), default=0) > used:
            for frame in self.texts(first, _MAX_ROWS):
                filled = [i for i, column in enumerate(frame.iter_columns()) if (column.str.strip_chars() != "").any()]
                used = max(used, max(filled, default=-1) + 1)
        return used

    def texts(self, first: int, size: int) -> Iterator[pl.DataFrame]:
        """Yield the rows from `first` (from 0) on as text, at most `size` per frame."""
        width = max((len(block.slots) for block in self.blocks), default=0)
        pending: list[pl.DataFrame] = []
        for block in self.blocks:
            if block.first + block.height <= first:
                continue
            pending.append(block.frame(width, self.shared, self.deferred).slice(max(0, first - block.first)))
            while sum(map(len, pending)) >= size:
                rows = pl.concat(pending, rechunk=True)
                yield rows.head(size)
                pending = [rows.slice(size)]
        if sum(map(len, pending)):
            yield pl.concat(pending, rechunk=True)


@dataclass(frozen=True)
class _Block:
    """A block of consecutive rows, dictionary-encoded.

    `slots` (column by row) are indices into one list of texts: the block's own texts, then its shared strings, then its
    deferred cells, and last the text of an empty cell.
    """

    first: int  # row, from 0
    slots: np.ndarray
    texts: list[pl.Series]
    shared: np.ndarray  # indices of shared strings
    deferred: np.ndarray  # indices of deferred cells

    @property
    def height(self) -> int:
        return self.slots.shape[1]

    def frame(self, width: int, shared: pl.Series, deferred: pl.Series) -> pl.DataFrame:
        """Decode the block to text columns, with empty ones up to `width`."""
        empty = pl.Series([""], dtype=pl.String)
        others = [known.gather(used) for known, used in ((shared, self.shared), (deferred, self.deferred)) if len(used)]
        texts = pl.concat([*self.texts, *others, empty], rechunk=True)
        cells = texts.gather(self.slots.ravel())
        columns = [cells.slice(n * self.height, self.height) for n in range(len(self.slots))]
        if width > len(columns):
            columns += [pl.repeat("", self.height, eager=True)] * (width - len(columns))
        return pl.DataFrame({str(i): column for i, column in enumerate(columns)})


def plain_table(
    pieces: Iterable[bytes],
    read_cells: CellReader,
    number_styles: NumberStyles,
    rows: Callable[[], Iterator[list[object]]],
) -> PlainTable:
    """Read a sheet from its XML, given piece by piece. `rows` yields its typed cells on demand.

    Raises NotPlainError for a sheet that calamine has to read, and whatever `pieces` raises.
    """
    builder = _TableBuilder(read_cells, number_styles)
    try:
        for piece in _pieces_of_rows(pieces, builder.surrounding):
            builder.add(units_of(piece))
        builder.surrounding.finish()
        return builder.table(rows)
    except (pa.ArrowException, expat.ExpatError, LookupError, ValueError):
        raise NotPlainError from None


class _SurroundingXml:
    """The XML around a sheet's rows: checked by a parser, and read for merged cells and hidden columns."""

    def __init__(self) -> None:
        self.opening = b""
        self.merged: list[Area] = []
        self.hidden_columns: list[int] = []
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start

    def add(self, data: bytes) -> None:
        """Parse the next bytes; the first call gives all XML before the rows."""
        self.opening = self.opening or data
        self._parser.Parse(data, False)

    def finish(self) -> None:
        """Check that the XML is complete."""
        self._parser.Parse(b"", True)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        """Handle an opening tag of the parser."""
        if tag.rpartition(":")[2] in ("row", "c"):  # rows that were not recognised as such
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
        if not (0 <= area[0] <= area[2] < _MAX_ROWS and area[1] <= area[3] < 1 << 14):
            raise NotPlainError
        if tag == "mergeCell":
            self.merged.append(area)


def _pieces_of_rows(pieces: Iterable[bytes], surrounding: _SurroundingXml) -> Iterator[bytes]:
    """Yield the XML of the rows, cut at the start of a row; the rest goes to `surrounding`. Raises NotPlainError."""
    data, inside, after = b"", False, False
    for piece in pieces:
        if after:
            surrounding.add(piece)
            continue
        data += piece
        if not inside and (begin := data.find(_OPENS) + 1):
            begin += len(_OPENS) - 1
            surrounding.add(data[:begin])
            data, inside = data[begin:].lstrip(), True
        if inside and (end := data.find(_CLOSES)) >= 0:
            if end:
                yield data[:end]
            surrounding.add(data[end:])
            data, after = b"", True
        elif inside and (cut := data.rfind(b"<row ")) > 0:
            yield data[:cut]
            data = data[cut:]
        elif len(data) > _MAX_ROW_BYTES:
            raise NotPlainError
    if inside and not after:
        raise NotPlainError
    surrounding.add(data)


class _TableBuilder:
    """Collects the blocks of a plain sheet as it is read."""

    def __init__(self, read_cells: CellReader, number_styles: NumberStyles) -> None:
        self.surrounding = _SurroundingXml()
        self._read_cells, self._number_styles = read_cells, number_styles
        self._blocks: list[_Block] = []
        self._deferred: dict[bytes, int] = {}
        self._hidden_rows: list[int] = []
        self._height = self._width = self._last_row = 0

    def add(self, units: Units) -> None:
        """Add the next rows. Raises NotPlainError."""
        if units.rows[0] <= self._last_row:
            raise NotPlainError
        self._last_row = int(units.rows[-1])
        cells = CellValues(units, lambda: self._numbers)
        self._hidden_rows += cells.hidden_rows
        deferred = [self._deferred.setdefault(cell, len(self._deferred)) for cell in cells.deferred]
        at = np.concatenate([*cells.own_at, cells.shared_at, cells.deferred_at])
        if not len(at):
            return
        rows, columns = units.rows[cells.units[at]] - 1 - self._height, units.columns[cells.units[at]]
        height, width = int(rows.max()) + 1, int(columns.max()) + 1
        self._width = max(self._width, width)
        if self._width > MAX_COLUMNS or (self._height + height) * self._width > MAX_CELLS:
            raise NotPlainError
        slots = np.full((width, height), len(at), np.uint32)
        slots[columns, rows] = np.arange(len(at))
        self._blocks.append(_Block(self._height, slots, cells.own, cells.shared, np.array(deferred, np.uint32)))
        self._height += height

    def table(self, rows: Callable[[], Iterator[list[object]]]) -> PlainTable:
        """Have calamine read the deferred cells and the shared strings in use, and build the table.

        Raises NotPlainError if a deferred cell is empty: whether it widens the sheet, only calamine can say.
        """
        used = np.unique(np.concatenate([np.array([], np.uint32), *(b.shared for b in self._blocks)]))
        cells = [*self._deferred, *(b' t="s"><v>%d</v></c>' % n for n in used)]
        texts = pl.Series(self._read_cells(self.surrounding.opening, cells), dtype=pl.String)
        deferred, shared = texts.head(len(self._deferred)), texts.tail(len(used))
        if (deferred == "").any():
            raise NotPlainError
        positions = np.zeros(int(used[-1]) + 1 if len(used) else 0, np.uint32)
        positions[used] = np.arange(len(used))
        hidden = Hidden(self._hidden_rows, self.surrounding.hidden_columns)
        return PlainTable(rows, self.surrounding.merged, hidden, self._blocks, shared.gather(positions), deferred)

    @cached_property
    def _numbers(self) -> Set[bytes]:
        """The styles that display numbers as numbers, not as dates or times."""
        return self._number_styles(self.surrounding.opening)
