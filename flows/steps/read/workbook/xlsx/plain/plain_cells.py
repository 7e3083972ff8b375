"""Locate the rows and cells in a piece of an Excel sheet's XML with array operations, without a Python object per cell.

This works only for the XML that office programs write: rows with their numbers, in order, and cells with references, in
order, within their row. Anything else raises NotPlainError.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from flows.steps.read.workbook.xlsx.minimal_xlsx import NotPlainError

_LESS, _EQUALS, _QUOTE, _A, _R, _Z = b'<="ArZ'
_OPENS_CELL, _OPENS_ROW, _ENDS_VALUE, _ENDS_TEXT, _KEEPS_SPACES = np.frombuffer(b"<c r<row</v></t><t x", "<u4")
_COMMENT, _INSTRUCTION, _MAY_BE_ROW, _MAY_BE_CELL = np.frombuffer(b"<!<?<r<c", "<u2")
_CELL_REFERENCE, _ROW_NUMBER = len('<c r="'), len('<row r="')
_SHORT_TAG, _LONG_TAG = len("<t>"), len('<t xml:space="preserve">')
_MAX_DIGITS = 7
_MASKS = np.array([(1 << 8 * n) - 1 for n in range(9)], np.uint64)
_PADDING = b" " * 16  # so that a few bytes after any position can be read without going past the end


@dataclass(frozen=True)
class Units:
    """The rows and cells of a piece of XML, in order. A unit runs from the tag that opens it to the next unit.

    After its row number or cell reference, a unit is divided into head, value and tail: the bytes before, within and
    after the value element. If it has no value, or several, all of it is head. The methods take arrays of unit indices.
    """

    rows: np.ndarray  # row number, from 1
    columns: np.ndarray  # column, from 0; -1 if the unit is a row
    has_value: np.ndarray
    _edges: np.ndarray  # four offsets for each unit: its start, and where its head, value and tail begin
    _bytes: pa.Buffer

    def heads(self, units: np.ndarray) -> pa.BinaryArray:
        """The bytes before the values."""
        return self._section(units, 1)

    def values(self, units: np.ndarray) -> pa.BinaryArray:
        """The values."""
        return self._section(units, 2)

    def tails(self, units: np.ndarray) -> pa.BinaryArray:
        """The bytes after the values."""
        return self._section(units, 3)

    def lengths(self, units: np.ndarray) -> np.ndarray:
        """The lengths of the values, in bytes."""
        return self._edges[4 * units + 3] - self._edges[4 * units + 2]

    def whole(self, unit: int) -> bytes:
        """A unit's bytes after its reference."""
        return self._bytes[self._edges[4 * unit + 1] : self._edges[4 * unit + 4]].to_pybytes()

    def _section(self, units: np.ndarray, which: int) -> pa.BinaryArray:
        indices = 4 * units + which
        return self._sections.take(pa.Array.from_buffers(pa.int64(), len(indices), [None, pa.py_buffer(indices)]))

    @cached_property
    def _sections(self) -> pa.BinaryArray:
        """Four binary values for each unit, without a copy: opening tag with reference, head, value, tail."""
        return pa.BinaryArray.from_buffers(
            pa.binary(), len(self._edges) - 1, [None, pa.py_buffer(self._edges), self._bytes]
        )


def units_of(piece: bytes) -> Units:
    """Find the rows and cells of a piece of XML that begins with a row. Raises NotPlainError."""
    size, piece = len(piece), piece + _PADDING
    data = np.frombuffer(piece, np.uint8)
    tags = np.flatnonzero(data[:size] == _LESS)
    words = np.ndarray(size, "<u4", piece, strides=(1,))[tags]  # each tag's first four bytes as one integer
    opens_row, opens_cell = words == _OPENS_ROW, words == _OPENS_CELL
    opens = opens_row | opens_cell
    _refuse_other_tags(words[~opens])
    at = np.flatnonzero(opens)
    starts, is_row = tags[at], opens_row[at]
    if not len(starts) or starts[0] or not is_row[0]:
        raise NotPlainError
    rows, columns, heads = _positions(piece, data, starts, is_row)
    ends = np.append(starts[1:], size)
    closes = np.flatnonzero((words == _ENDS_VALUE) | (words == _ENDS_TEXT))
    # A cell with several closing tags (rich text) has no single value, and so all of it stays head.
    unit_of_close = np.cumsum(opens)[closes] - 1
    has_value = np.bincount(unit_of_close, minlength=len(at)) == 1
    is_single = has_value[unit_of_close]
    closes, with_value = closes[is_single], unit_of_close[is_single]
    # Without a value, value and tail are empty sections at the unit's end.
    values, tails = ends.copy(), ends.copy()
    opener = closes - 1  # the tag before a closing tag is the one that opened it
    values[with_value] = tags[opener] + np.where(words[opener] == _KEEPS_SPACES, _LONG_TAG, _SHORT_TAG)
    tails[with_value] = tags[closes]
    if not ((heads <= values) & (values <= tails)).all():
        raise NotPlainError
    edges = np.append(np.column_stack((starts, heads, values, tails)).ravel(), size).astype(np.int32)
    return Units(rows, columns, has_value, edges, pa.py_buffer(piece))


def _refuse_other_tags(words: np.ndarray) -> None:
    """Raise NotPlainError for comments, processing instructions, and rows or cells with an unusual opening tag."""
    two, third = words.astype(np.uint16), words >> 16 & 0xFF
    is_odd = (two == _COMMENT) | (two == _INSTRUCTION) | (two == _MAY_BE_ROW) & (third == ord("o"))
    if (is_odd | (two == _MAY_BE_CELL) & ((third < _A) | (third > ord("z")))).any():
        raise NotPlainError


def _positions(
    piece: bytes, data: np.ndarray, starts: np.ndarray, is_row: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The row and column of each unit, and the offset after its number or reference. Raises NotPlainError."""
    columns, letters = _columns(data, starts)
    columns[is_row] = -1
    digits = starts + np.where(is_row, _ROW_NUMBER, _CELL_REFERENCE + letters)
    words = np.ndarray(len(piece) - 7, "<u8", piece, strides=(1,))[digits]
    numbers, lengths = _numbers(data, digits[is_row])
    row_of = np.cumsum(is_row) - 1
    # Compare the row number in each cell's reference with its row's, including the closing quotation mark.
    masks = _MASKS[lengths + 1][row_of]
    same = (words & masks) == (words[is_row][row_of] & masks)
    quotes = starts + np.where(is_row, _ROW_NUMBER, _CELL_REFERENCE) - 1
    begins = (data[quotes] == _QUOTE) & (data[quotes - 1] == _EQUALS) & (data[quotes - 2] == _R)
    in_order = (np.diff(columns) > 0) | is_row[1:]
    if not (same.all() and begins.all() and in_order.all() and (np.diff(numbers) > 0).all() and numbers[0] > 0):
        raise NotPlainError
    return numbers[row_of], columns, digits + lengths[row_of] + 1


def _columns(data: np.ndarray, starts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The column of each cell reference, and the number of its letters (at most three)."""
    columns, letters = np.zeros(len(starts), np.int32), np.zeros(len(starts), np.int64)
    more = np.ones(len(starts), bool)
    for n in range(3):
        letter = data[starts + _CELL_REFERENCE + n]
        more = more & (letter >= _A) & (letter <= _Z)
        columns = np.where(more, columns * 26 + letter - (_A - 1), columns)
        letters += more
    return columns - 1, letters


def _numbers(data: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Parse the decimal number at each offset: (numbers, numbers of digits). Raises NotPlainError."""
    numbers, lengths = np.zeros(len(at), np.int64), np.zeros(len(at), np.int64)
    for _ in range(_MAX_DIGITS):
        digit = data[at + lengths] - np.uint8(ord("0"))
        numbers = np.where(digit < 10, numbers * 10 + digit, numbers)
        lengths += digit < 10
    if not (data[at + lengths] == _QUOTE).all():
        raise NotPlainError
    return numbers, lengths
