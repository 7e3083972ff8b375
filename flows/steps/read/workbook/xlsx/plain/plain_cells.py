"""The cells in a piece of an Excel sheet's XML, all at once: no Python object is made of any of them.

Only XML as office programs write it is taken apart so: rows that say their number, in order; cells that say where they
are, in order, in the row that they are in. For any other there is a reader that takes each tag as it comes.
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
_MOST_DIGITS = 7
_MASKS = np.array([(1 << 8 * n) - 1 for n in range(9)], np.uint64)
_BEYOND = b" " * 16  # so that the bytes after a place can be looked at, wherever it is


@dataclass(frozen=True)
class Units:
    """The rows and the cells of a piece, in order: a unit is the tag that opens one, up to where the next begins.

    Behind its number or reference, a unit is told in three: the head up to where its value begins, the value, and the
    tail that follows. Where it has no value, or more than one, all of it is head. Each method takes numbers of units.
    """

    rows: np.ndarray  # the number of the row, from 1
    columns: np.ndarray  # from 0; -1 for the unit of the row itself
    has_value: np.ndarray
    _edges: np.ndarray
    _bytes: pa.Buffer

    def heads(self, units: np.ndarray) -> pa.BinaryArray:
        """What comes before the values."""
        return self._stretch(units, 1)

    def values(self, units: np.ndarray) -> pa.BinaryArray:
        """The values."""
        return self._stretch(units, 2)

    def tails(self, units: np.ndarray) -> pa.BinaryArray:
        """What follows the values."""
        return self._stretch(units, 3)

    def lengths(self, units: np.ndarray) -> np.ndarray:
        """How long the values are."""
        return self._edges[4 * units + 3] - self._edges[4 * units + 2]

    def whole(self, unit: int) -> bytes:
        """All of one unit but its reference."""
        return self._bytes[self._edges[4 * unit + 1] : self._edges[4 * unit + 4]].to_pybytes()

    def _stretch(self, units: np.ndarray, which: int) -> pa.BinaryArray:
        places = 4 * units + which
        return self._stretches.take(pa.Array.from_buffers(pa.int64(), len(places), [None, pa.py_buffer(places)]))

    @cached_property
    def _stretches(self) -> pa.BinaryArray:
        """Four a unit: up to behind its reference, its head, its value, its tail."""
        return pa.BinaryArray.from_buffers(
            pa.binary(), len(self._edges) - 1, [None, pa.py_buffer(self._edges), self._bytes]
        )


def units_of(piece: bytes) -> Units:
    """Find the rows and the cells of a piece, which begins with a row. Raises NotPlainError."""
    size, piece = len(piece), piece + _BEYOND
    marks = np.frombuffer(piece, np.uint8)
    tags = np.flatnonzero(marks[:size] == _LESS)
    words = np.ndarray(size, "<u4", piece, strides=(1,))[tags]
    opens_row, opens_cell = words == _OPENS_ROW, words == _OPENS_CELL
    opens = opens_row | opens_cell
    _no_other(words[~opens])
    at = np.flatnonzero(opens)
    starts, is_row = tags[at], opens_row[at]
    if not len(starts) or starts[0] or not is_row[0]:
        raise NotPlainError
    rows, columns, after = _places(piece, marks, starts, is_row)
    ends = np.append(starts[1:], size)
    closes = np.flatnonzero((words == _ENDS_VALUE) | (words == _ENDS_TEXT))
    unit_of_close = np.cumsum(opens)[closes] - 1
    has_value = np.bincount(unit_of_close, minlength=len(at)) == 1
    alone = has_value[unit_of_close]
    closes, with_value = closes[alone], unit_of_close[alone]
    begins, finishes = ends.copy(), ends.copy()
    opener = closes - 1
    begins[with_value] = tags[opener] + np.where(words[opener] == _KEEPS_SPACES, _LONG_TAG, _SHORT_TAG)
    finishes[with_value] = tags[closes]
    if not ((after <= begins) & (begins <= finishes)).all():
        raise NotPlainError
    edges = np.append(np.column_stack((starts, after, begins, finishes)).ravel(), size).astype(np.int32)
    return Units(rows, columns, has_value, edges, pa.py_buffer(piece))


def _no_other(words: np.ndarray) -> None:
    """Raises NotPlainError for a comment or the like, and for a row or a cell that begins otherwise than it should."""
    two, third = words.astype(np.uint16), words >> 16 & 0xFF
    is_odd = (two == _COMMENT) | (two == _INSTRUCTION) | (two == _MAY_BE_ROW) & (third == ord("o"))
    if (is_odd | (two == _MAY_BE_CELL) & ((third < _A) | (third > ord("z")))).any():
        raise NotPlainError


def _places(
    piece: bytes, marks: np.ndarray, starts: np.ndarray, is_row: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The row and the column of each unit, and where what it says of them ends. Raises NotPlainError."""
    columns, letters = _columns(marks, starts)
    columns[is_row] = -1
    digits = starts + np.where(is_row, _ROW_NUMBER, _CELL_REFERENCE + letters)
    words = np.ndarray(len(piece) - 7, "<u8", piece, strides=(1,))[digits]
    numbers, lengths = _numbers(marks, digits[is_row])
    row_of = np.cumsum(is_row) - 1
    masks = _MASKS[lengths + 1][row_of]  # its closing quotation mark too
    same = (words & masks) == (words[is_row][row_of] & masks)
    quotes = starts + np.where(is_row, _ROW_NUMBER, _CELL_REFERENCE) - 1
    begins = (marks[quotes] == _QUOTE) & (marks[quotes - 1] == _EQUALS) & (marks[quotes - 2] == _R)
    in_order = (np.diff(columns) > 0) | is_row[1:]
    if not (same.all() and begins.all() and in_order.all() and (np.diff(numbers) > 0).all() and numbers[0] > 0):
        raise NotPlainError
    return numbers[row_of], columns, digits + lengths[row_of] + 1


def _columns(marks: np.ndarray, starts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The column that each reference begins with, and the number of its letters, three at most."""
    columns, letters = np.zeros(len(starts), np.int32), np.zeros(len(starts), np.int64)
    more = np.ones(len(starts), bool)
    for n in range(3):
        letter = marks[starts + _CELL_REFERENCE + n]
        more = more & (letter >= _A) & (letter <= _Z)
        columns = np.where(more, columns * 26 + letter - (_A - 1), columns)
        letters += more
    return columns - 1, letters


def _numbers(marks: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The number that is written in digits at each place, and how many they are. Raises NotPlainError."""
    numbers, lengths = np.zeros(len(at), np.int64), np.zeros(len(at), np.int64)
    for _ in range(_MOST_DIGITS):
        digit = marks[at + lengths] - np.uint8(ord("0"))
        numbers = np.where(digit < 10, numbers * 10 + digit, numbers)
        lengths += digit < 10
    if not (marks[at + lengths] == _QUOTE).all():
        raise NotPlainError
    return numbers, lengths
