"""What the cells in a piece of a plain sheet hold: texts, numbers of shared texts, and what must be asked."""

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
    head_of,
    row_ends,
    row_is_hidden,
    tail_of,
    without_end_of_row,
)

_T = TypeVar("_T")
_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
_EXACT = 10**15  # from here on `text_of` writes a whole number otherwise
_MOST_SHARED = 1 << 31
_AND, _CR, _UNDERSCORE, _X, _SPACE, _DELETE = b"&\r_x \x7f"
_NOT_PLAIN, _NO_TAIL = Head(CellKind.OTHER, ending=b"?"), Tail(ending=b"", ends_row=False)
_ENDING = np.dtype((np.bytes_, 16))  # long enough for whatever closes a value


class Values:
    """What the cells in a piece hold. `own_at` and its kin say of which cell each is, by its place among the `units`.

    `own` are the texts and numbers that stand in the cells themselves, `shared` the numbers of shared texts, `to_tell`
    the cells that are not plain. An empty cell is none of them. `hidden_rows` are places from 0.
    """

    def __init__(self, units: Units, numbers: Callable[[], Set[bytes]]) -> None:
        """`numbers` gives the styles whose numbers are numbers. Raises NotPlainError."""
        self.units = np.flatnonzero(units.columns >= 0)
        self.own: list[pl.Series] = []
        self.own_at: list[np.ndarray] = []
        self.shared = self.shared_at = np.array([], np.uint32)
        self.to_tell: list[bytes] = []
        self.hidden_rows: list[int] = []
        self._told_at: list[int] = []
        self._all, self._number_styles = units, numbers
        self._look_at_markup()
        self._look_at_rows()
        self._take_texts()
        self._take_shared()
        self._take_numbers()
        self._give(np.flatnonzero(self._kinds == CellKind.OTHER))

    @property
    def told_at(self) -> np.ndarray:
        """Of which cell each of `to_tell` is."""
        return np.array(self._told_at, np.int64)

    def _look_at_markup(self) -> None:
        """What kind each cell is, by the bytes around its value. Cells that are written alike are looked at once."""
        valued = self._all.has_value[self.units]
        heads, self._codes = _distinct(self._all.heads(self.units))
        self._heads = [head_of(head) or _NOT_PLAIN for head in heads]
        said, codes = _distinct(self._all.tails(self.units))
        tails = [tail_of(tail) or _NO_TAIL for tail in said]
        kinds = self._of_heads(lambda head: head.kind, np.int8)
        ends_alike = self._of_heads(lambda head: head.ending, _ENDING) == _each(
            codes, tails, lambda t: t.ending, _ENDING
        )
        plain = np.where(valued, ends_alike, kinds == CellKind.NOTHING)
        row_ends = _each(codes, tails, lambda tail: tail.ends_row, bool)
        self._ends_row = np.where(valued, row_ends, self._of_heads(lambda head: head.ends_row, bool))
        has_formula = self._of_heads(lambda head: head.has_formula, bool)
        blank = ((kinds == CellKind.NUMBER) | (kinds == CellKind.SHARED_TEXT)) & (self._all.lengths(self.units) == 0)
        self._kinds = np.where(blank, np.where(has_formula, CellKind.OTHER, CellKind.NOTHING), kinds)
        for cell in np.flatnonzero(~plain):
            self._give_whole(int(cell))

    def _of_heads(self, said: Callable[[Head], object], kind: type | np.dtype[Any]) -> np.ndarray:
        return _each(self._codes, self._heads, said, kind)

    def _give_whole(self, cell: int) -> None:
        """Have a cell told as it is written, for what is around its value is not plain. Raises NotPlainError."""
        said, self._ends_row[cell] = without_end_of_row(self._all.whole(int(self.units[cell])))
        if b"</row" in said or said.find(b"</c>") not in (-1, len(said) - len(b"</c>")):
            raise NotPlainError
        self._kinds[cell] = CellKind.NOTHING
        self.to_tell.append(said)
        self._told_at.append(cell)

    def _look_at_rows(self) -> None:
        """Raises NotPlainError where rows are not one after the other, each with its cells."""
        is_row = self._all.columns < 0
        rows = np.flatnonzero(is_row)
        said, codes = _distinct(self._all.heads(rows))
        ends = [row_ends(row) for row in said]
        if None in ends or self._all.has_value[rows].any():
            raise NotPlainError
        hidden = np.array([row_is_hidden(row) for row in said], bool)
        self.hidden_rows = (self._all.rows[rows[hidden[codes]]] - 1).tolist() if hidden.any() else []
        over = np.empty(len(is_row), bool)
        over[rows], over[self.units] = np.array(ends, bool)[codes], self._ends_row
        if not (over[-1] and (over[:-1] == is_row[1:]).all()):
            raise NotPlainError

    def _take_texts(self) -> None:
        at = np.flatnonzero(self._kinds == CellKind.TEXT)
        if not len(at):
            return
        values = self._all.values(self.units[at])
        odd = _needs_telling(values)
        if odd.any():
            self._give(at[odd])
            at = at[~odd]
            values = self._all.values(self.units[at])
        self._own(at, values.cast(pa.large_string()))

    def _take_shared(self) -> None:
        at = np.flatnonzero(self._kinds == CellKind.SHARED_TEXT)
        if not len(at):
            return
        numbers, is_whole = _whole_numbers(self._values(at))
        is_whole &= numbers.is_between(0, _MOST_SHARED).fill_null(False).to_numpy()
        self._give(at[~is_whole])
        self.shared_at, self.shared = at[is_whole], numbers.filter(is_whole).cast(pl.UInt32).to_numpy()

    def _take_numbers(self) -> None:
        at = np.flatnonzero(self._kinds == CellKind.NUMBER)
        if not len(at):
            return
        styles = {head.style for head in self._heads if head.kind is CellKind.NUMBER} - {b""}
        known = self._number_styles() | {b""} if styles else {b""}
        is_number = self._of_heads(lambda head: head.style in known, bool)[at]
        self._give(at[~is_number])
        at = at[is_number]
        texts = self._values(at)
        _, is_whole = _whole_numbers(texts)
        self._own(at[is_whole], texts.filter(is_whole))
        at, said = at[~is_whole], [text.encode() for text in texts.filter(~is_whole)]
        is_number = np.array([_NUMBER.fullmatch(text) is not None for text in said], bool)
        self._give(at[~is_number])
        self._own(at[is_number], pl.Series([text_of(float(t)) for t, is_ in zip(said, is_number, strict=True) if is_]))

    def _give(self, at: np.ndarray) -> None:
        """Have cells told, without their formulas where they have a value."""
        values = self._all.values(self.units[at]).to_pylist()
        for cell, code, value in zip(at.tolist(), self._codes[at].tolist(), values, strict=True):
            head = self._heads[code]
            if not value.strip() and head.has_formula:
                self._give_whole(cell)
                continue
            self.to_tell.append(head.without_formula + value + head.ending)
            self._told_at.append(cell)

    def _own(self, at: np.ndarray, texts: pa.Array | pl.Series) -> None:
        if len(at):
            self.own.append(pl.Series(texts, dtype=pl.String))
            self.own_at.append(at)

    def _values(self, at: np.ndarray) -> pl.Series:
        return pl.Series(self._all.values(self.units[at]).cast(pa.large_string()), dtype=pl.String)


def _distinct(said: pa.BinaryArray) -> tuple[list[bytes], np.ndarray]:
    """The different ones, and for each which it is."""
    encoded = said.dictionary_encode()
    return encoded.dictionary.to_pylist(), np.frombuffer(encoded.indices.buffers()[1], np.int32)[: len(said)]


def _each(
    codes: np.ndarray, all_: Sequence[_T], said: Callable[[_T], object], kind: type | np.dtype[Any]
) -> np.ndarray:
    """What is said of each of those that are different, for all of them."""
    values: np.ndarray = np.empty(len(all_), kind)
    values[:] = [said(one) for one in all_]
    return values[codes]


def _whole_numbers(texts: pl.Series) -> tuple[pl.Series, np.ndarray]:
    """Texts as whole numbers, and which of them are: without a sign or a nought too many, and small enough."""
    numbers = texts.str.to_integer(strict=False)
    is_whole = (numbers.cast(pl.String) == texts) & (numbers.abs() < _EXACT)
    return numbers, is_whole.fill_null(False).to_numpy()


def _needs_telling(values: pa.BinaryArray) -> np.ndarray:
    """Which texts may say something else than their bytes: an escape, a line break, spaces at an end."""
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
