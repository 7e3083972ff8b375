"""What the cells in a piece of a plain sheet hold: texts, numbers of shared texts, and what must be asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Set

import numpy as np
import polars as pl
import pyarrow as pa

from flows.steps.read.plain_cells import NotPlainError, Units
from flows.steps.read.plain_markup import Head, Kind, head_of, row_ends, tail_of, without_end_of_row
from flows.steps.read.sheet import text_of

_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
_EXACT = 10**15  # from here on `text_of` writes a whole number otherwise
_AND, _CR, _UNDERSCORE, _X, _SPACE, _DELETE = b"&\r_x \x7f"
_NOT_PLAIN = Head(Kind.OTHER)


class Values:
    """What the cells in a piece hold. `own_at` and its kin say of which cell each is, by its place among the `units`.

    `own` are the texts and numbers that stand in the cells themselves, `shared` the numbers of shared texts, `to_tell`
    the cells that are not plain. An empty cell is none of them.
    """

    def __init__(self, units: Units, numbers: Callable[[], Set[bytes]]) -> None:
        """`numbers` gives the styles whose numbers are numbers. Raises NotPlainError."""
        self.units = np.flatnonzero(units.columns >= 0)
        self.own: list[pl.Series] = []
        self.own_at: list[np.ndarray] = []
        self.shared = self.shared_at = np.array([], np.uint32)
        self.to_tell: list[bytes] = []
        self._told_at: list[int] = []
        self._all, self._number_styles = units, numbers
        self._look_at_markup()
        self._look_at_rows()
        self._take_texts()
        self._take_shared()
        self._take_numbers()
        self._give(np.flatnonzero(self._kinds == Kind.OTHER))

    @property
    def told_at(self) -> np.ndarray:
        """Of which cell each of `to_tell` is."""
        return np.array(self._told_at, np.int64)

    def _look_at_markup(self) -> None:
        """What kind each cell is, by the bytes around its value. Cells that are written alike are looked at once."""
        units, valued = self.units, self._all.has_value[self.units]
        heads, self._codes = _distinct(self._all.heads(units))
        self._heads = [head_of(said) or _NOT_PLAIN for said in heads]
        said, codes = _distinct(self._all.tails(units))
        tails = [tail_of(tail) for tail in said]
        is_inline = np.array([tail is not None and tail.is_inline for tail in tails])[codes]
        is_tail = np.array([tail is not None for tail in tails])[codes]
        kinds = np.array([head.kind for head in self._heads], np.int8)[self._codes]
        has_opener = np.array([bool(head.ending) for head in self._heads])[self._codes]
        alike = np.array([head.is_inline for head in self._heads])[self._codes] == is_inline
        plain = np.where(valued, has_opener & is_tail & alike, kinds == Kind.NOTHING)
        ends = np.where(valued, np.array([bool(tail and tail.ends_row) for tail in tails])[codes], False)
        self._ends_row = ends | np.array([head.ends_row for head in self._heads])[self._codes]
        lengths = np.zeros(len(units), np.int64)
        lengths[valued] = _lengths(self._all.values(units[valued]))
        has_formula = np.array([head.has_formula for head in self._heads])[self._codes]
        may_be_empty = (kinds == Kind.NUMBER) | (kinds == Kind.SHARED_TEXT)
        kinds[may_be_empty & ~has_formula & (lengths == 0)] = Kind.NOTHING
        kinds[may_be_empty & has_formula & (lengths == 0)] = Kind.OTHER
        self._kinds = kinds
        for cell in np.flatnonzero(~plain):
            self._give_whole(int(cell))

    def _give_whole(self, cell: int) -> None:
        """Have a cell told as it is written, for what is around its value is not plain. Raises NotPlainError."""
        said, self._ends_row[cell] = without_end_of_row(self._all.whole(int(self.units[cell])))
        if b"</row" in said or said.find(b"</c>") not in (-1, len(said) - len(b"</c>")):
            raise NotPlainError
        self._kinds[cell] = Kind.NOTHING
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
        over = np.empty(len(is_row), bool)
        over[rows], over[self.units] = np.array(ends, bool)[codes], self._ends_row
        if not (over[-1] and (over[:-1] == is_row[1:]).all()):
            raise NotPlainError

    def _take_texts(self) -> None:
        at = np.flatnonzero(self._kinds == Kind.TEXT)
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
        at = np.flatnonzero(self._kinds == Kind.SHARED_TEXT)
        if not len(at):
            return
        numbers, is_whole = _whole_numbers(self._values(at))
        self._give(at[~is_whole])
        self.shared_at, self.shared = at[is_whole], numbers.filter(is_whole).cast(pl.UInt32).to_numpy()

    def _take_numbers(self) -> None:
        at = np.flatnonzero(self._kinds == Kind.NUMBER)
        if not len(at):
            return
        styles = {head.style for head in self._heads if head.kind is Kind.NUMBER} - {b""}
        known = self._number_styles() | {b""} if styles else {b""}
        is_number = np.array([head.style in known for head in self._heads])[self._codes[at]]
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


def _whole_numbers(texts: pl.Series) -> tuple[pl.Series, np.ndarray]:
    """Texts as whole numbers, and which of them are: without a sign or a nought too many, and small enough."""
    numbers = texts.str.to_integer(strict=False)
    is_whole = (numbers.cast(pl.String) == texts) & (numbers.abs() < _EXACT)
    return numbers, is_whole.fill_null(False).to_numpy()


def _edges(values: pa.BinaryArray) -> tuple[np.ndarray, np.ndarray]:
    """Where each value begins and ends, and the bytes of them all."""
    _, edges, data = values.buffers()
    edges = np.frombuffer(edges, np.int32)[: len(values) + 1] if len(values) else np.zeros(1, np.int32)
    return edges, np.frombuffer(data or b"", np.uint8)


def _lengths(values: pa.BinaryArray) -> np.ndarray:
    return np.diff(_edges(values)[0])


def _needs_telling(values: pa.BinaryArray) -> np.ndarray:
    """Which texts may say something else than their bytes: an escape, a line break, spaces at an end."""
    edges, data = _edges(values)
    starts, ends = edges[:-1], edges[1:]
    odd = np.zeros(len(values), bool)
    filled = np.flatnonzero(ends > starts)
    for at in (starts[filled], ends[filled] - 1):
        odd[filled] |= (data[at] <= _SPACE) | (data[at] >= _DELETE)
    marks = (data == _AND) | (data == _CR)
    marks[:-1] |= (data[:-1] == _UNDERSCORE) & (data[1:] | 32 == _X)
    odd[np.searchsorted(edges, np.flatnonzero(marks), "right") - 1] = True
    return odd
