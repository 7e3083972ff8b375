"""Classify the cells of a piece of a plain sheet: own texts and numbers, shared strings, and deferred cells."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence, Set
from typing import Any, TypeVar

import numpy as np
import polars as pl
import pyarrow as pa

from flows.steps.read.values import text_of
from flows.steps.read.workbook.xlsx.minimal_xlsx import NotPlainError
from flows.steps.read.workbook.xlsx.plain.plain_cells import Units
from flows.steps.read.workbook.xlsx.plain.plain_markup import (
    CellKind,
    Head,
    Tail,
    is_empty_row,
    parse_head,
    parse_tail,
    row_is_hidden,
    strip_end_of_row,
)

_T = TypeVar("_T")
_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
_EXACT = 10**15  # from here on, `text_of` writes whole numbers in another form
_MAX_SHARED = 1 << 31
_AND, _CR, _UNDERSCORE, _X, _SPACE, _DELETE = b"&\r_x \x7f"
_NOT_PLAIN, _NO_TAIL = Head(CellKind.OTHER, ending=b"?"), Tail(ending=b"", ends_row=False)
_ENDING = np.dtype((np.bytes_, 16))  # long enough for the XML that closes a value


class CellValues:
    """The cells of a piece, by where their values come from; empty cells are left out.

    `own` are texts and numbers written in the cells themselves, `shared` the indices of shared strings, `deferred` the
    XML of cells that calamine has to read. `own_at`, `shared_at` and `deferred_at` are the cells they belong to, as
    indices into `units`. `hidden_rows` count from 0.
    """

    def __init__(self, units: Units, numbers: Callable[[], Set[bytes]]) -> None:
        """`numbers` returns the styles that display numbers as numbers. Raises NotPlainError."""
        self.units = np.flatnonzero(units.columns >= 0)
        self.own: list[pl.Series] = []
        self.own_at: list[np.ndarray] = []
        self.shared = self.shared_at = np.array([], np.uint32)
        self.deferred: list[bytes] = []
        self.hidden_rows: list[int] = []
        self._deferred_at: list[int] = []
        self._all, self._number_styles = units, numbers
        self._classify_cells()
        self._check_rows()
        self._take_texts()
        self._take_shared()
        self._take_numbers()
        self._defer(np.flatnonzero(self._kinds == CellKind.OTHER))

    @property
    def deferred_at(self) -> np.ndarray:
        """The cells that `deferred` belong to."""
        return np.array(self._deferred_at, np.int64)

    def _classify_cells(self) -> None:
        """Find each cell's kind from the XML around its value; each distinct head and tail is parsed once."""
        valued = self._all.has_value[self.units]
        heads, self._codes = _encode_distinct(self._all.heads(self.units))
        self._heads = [parse_head(head) or _NOT_PLAIN for head in heads]
        distinct_tails, codes = _encode_distinct(self._all.tails(self.units))
        tails = [parse_tail(tail) or _NO_TAIL for tail in distinct_tails]
        kinds = self._of_heads(lambda head: head.kind, np.int8)
        ends_alike = self._of_heads(lambda head: head.ending, _ENDING) == _broadcast(
            codes, tails, lambda t: t.ending, _ENDING
        )
        plain = np.where(valued, ends_alike, kinds == CellKind.NOTHING)
        tail_ends_row = _broadcast(codes, tails, lambda tail: tail.ends_row, bool)
        self._ends_row = np.where(valued, tail_ends_row, self._of_heads(lambda head: head.ends_row, bool))
        has_formula = self._of_heads(lambda head: head.has_formula, bool)
        blank = ((kinds == CellKind.NUMBER) | (kinds == CellKind.SHARED_TEXT)) & (self._all.lengths(self.units) == 0)
        self._kinds = np.where(blank, np.where(has_formula, CellKind.OTHER, CellKind.NOTHING), kinds)
        for cell in np.flatnonzero(~plain):
            self._defer_whole(int(cell))

    def _of_heads(self, get: Callable[[Head], object], kind: type | np.dtype[Any]) -> np.ndarray:
        """A property of each cell's head, as an array."""
        return _broadcast(self._codes, self._heads, get, kind)

    def _defer_whole(self, cell: int) -> None:
        """Defer a cell whose XML is not plain, with all of that XML. Raises NotPlainError if it is not one cell."""
        xml, self._ends_row[cell] = strip_end_of_row(self._all.whole(int(self.units[cell])))
        if b"</row" in xml or xml.find(b"</c>") not in (-1, len(xml) - len(b"</c>")):
            raise NotPlainError
        self._kinds[cell] = CellKind.NOTHING
        self.deferred.append(xml)
        self._deferred_at.append(cell)

    def _check_rows(self) -> None:
        """Find the hidden rows. Raises NotPlainError unless every row is closed exactly before the next one opens."""
        is_row = self._all.columns < 0
        rows = np.flatnonzero(is_row)
        heads, codes = _encode_distinct(self._all.heads(rows))
        are_empty = [is_empty_row(head) for head in heads]
        if None in are_empty or self._all.has_value[rows].any():
            raise NotPlainError
        hidden = np.array([row_is_hidden(head) for head in heads], bool)
        self.hidden_rows = (self._all.rows[rows[hidden[codes]]] - 1).tolist() if hidden.any() else []
        closes_row = np.empty(len(is_row), bool)
        closes_row[rows], closes_row[self.units] = np.array(are_empty, bool)[codes], self._ends_row
        if not (closes_row[-1] and (closes_row[:-1] == is_row[1:]).all()):
            raise NotPlainError

    def _take_texts(self) -> None:
        """Take inline texts and formula results; texts that need decoding are deferred."""
        at = np.flatnonzero(self._kinds == CellKind.TEXT)
        if not len(at):
            return
        values = self._all.values(self.units[at])
        odd = _needs_calamine(values)
        if odd.any():
            self._defer(at[odd])
            at = at[~odd]
            values = self._all.values(self.units[at])
        self._add_own(at, values.cast(pa.large_string()))

    def _take_shared(self) -> None:
        """Take the indices of shared strings; the strings themselves are read at the end."""
        at = np.flatnonzero(self._kinds == CellKind.SHARED_TEXT)
        if not len(at):
            return
        numbers, is_whole = _whole_numbers(self._values(at))
        is_whole &= numbers.is_between(0, _MAX_SHARED).fill_null(False).to_numpy()
        self._defer(at[~is_whole])
        self.shared_at, self.shared = at[is_whole], numbers.filter(is_whole).cast(pl.UInt32).to_numpy()

    def _take_numbers(self) -> None:
        """Take numbers with a plain number style; dates, times and percentages are deferred."""
        at = np.flatnonzero(self._kinds == CellKind.NUMBER)
        if not len(at):
            return
        styles = {head.style for head in self._heads if head.kind is CellKind.NUMBER} - {b""}
        known = self._number_styles() | {b""} if styles else {b""}
        is_number = self._of_heads(lambda head: head.style in known, bool)[at]
        self._defer(at[~is_number])
        at = at[is_number]
        texts = self._values(at)
        # An integer in canonical form is its own text. Any other number goes through float, as calamine's would.
        _, is_whole = _whole_numbers(texts)
        self._add_own(at[is_whole], texts.filter(is_whole))
        at, others = at[~is_whole], [text.encode() for text in texts.filter(~is_whole)]
        is_number = np.array([_NUMBER.fullmatch(text) is not None for text in others], bool)
        self._defer(at[~is_number])
        numbers = [text_of(float(text)) for text, is_one in zip(others, is_number, strict=True) if is_one]
        self._add_own(at[is_number], pl.Series(numbers))

    def _defer(self, at: np.ndarray) -> None:
        """Defer cells; a formula is dropped if its result is stored, so that cells with equal results are read once."""
        values = self._all.values(self.units[at]).to_pylist()
        for cell, code, value in zip(at.tolist(), self._codes[at].tolist(), values, strict=True):
            head = self._heads[code]
            if not value.strip() and head.has_formula:
                self._defer_whole(cell)
                continue
            self.deferred.append(head.without_formula + value + head.ending)
            self._deferred_at.append(cell)

    def _add_own(self, at: np.ndarray, texts: pa.Array | pl.Series) -> None:
        if len(at):
            self.own.append(pl.Series(texts, dtype=pl.String))
            self.own_at.append(at)

    def _values(self, at: np.ndarray) -> pl.Series:
        return pl.Series(self._all.values(self.units[at]).cast(pa.large_string()), dtype=pl.String)


def _encode_distinct(values: pa.BinaryArray) -> tuple[list[bytes], np.ndarray]:
    """Dictionary-encode an array: (distinct values, index of each value among them)."""
    encoded = values.dictionary_encode()
    return encoded.dictionary.to_pylist(), np.frombuffer(encoded.indices.buffers()[1], np.int32)[: len(values)]


def _broadcast(
    codes: np.ndarray, distinct: Sequence[_T], get: Callable[[_T], object], kind: type | np.dtype[Any]
) -> np.ndarray:
    """A property of each distinct item, spread over all items by their codes."""
    values: np.ndarray = np.empty(len(distinct), kind)
    values[:] = [get(item) for item in distinct]
    return values[codes]


def _whole_numbers(texts: pl.Series) -> tuple[pl.Series, np.ndarray]:
    """Texts as integers, and which of them are integers in canonical form (no plus sign or leading zeros)."""
    numbers = texts.str.to_integer(strict=False)
    is_whole = (numbers.cast(pl.String) == texts) & (numbers.abs() < _EXACT)
    return numbers, is_whole.fill_null(False).to_numpy()


def _needs_calamine(values: pa.BinaryArray) -> np.ndarray:
    """Which texts may differ from their raw bytes: entities, `_x000D_` escapes, CRs, white space at either end."""
    _, edges, data = values.buffers()
    edges, data = np.frombuffer(edges, np.int32)[: len(values) + 1], np.frombuffer(data or b"", np.uint8)
    starts, ends = edges[:-1], edges[1:]
    odd = np.zeros(len(values), bool)
    filled = np.flatnonzero(ends > starts)
    for at in (starts[filled], ends[filled] - 1):
        odd[filled] |= (data[at] <= _SPACE) | (data[at] >= _DELETE)
    marks = (data == _AND) | (data == _CR)
    marks[:-1] |= (data[:-1] == _UNDERSCORE) & (data[1:] | 32 == _X)
    odd[np.searchsorted(edges, np.flatnonzero(marks), "right") - 1] = True
    return odd
