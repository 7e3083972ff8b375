"""A column's texts, each distinct one once: nothing of the column is lost by it."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from soak import iterations

from flows.cells.distinct_column import DistinctColumn

CELLS = st.lists(st.one_of(st.none(), st.sampled_from(["", " ", "a", "b", "Y", "é", "a\x00b"]), st.text()))


def column_of(cells: list[str | None]) -> pl.Series:
    return pl.Series(cells, dtype=pl.String)


@given(CELLS)
def test_every_cell_is_there_and_every_text_once(cells: list[str | None]) -> None:
    texts = DistinctColumn.of(column_of(cells))
    assert texts.column.to_list() == [c or "" for c in cells]
    assert sorted(texts.distinct) == sorted({c or "" for c in cells}) and len(texts) == len(cells)


def from_arrow(cells: list[str]) -> DistinctColumn:
    return DistinctColumn.encoded(pa.array(cells, pa.string()).dictionary_encode())


def from_polars(cells: list[str]) -> DistinctColumn:
    return DistinctColumn.of(column_of(list(cells)))


@pytest.mark.parametrize("made", [from_arrow, from_polars])
@example([("a", False), ("b", True), ("a", True)])  # what is left differs, and is in another order than the texts
@settings(max_examples=iterations(everyday=50, soak=1000))
@given(st.lists(st.tuples(st.sampled_from(["", "a", "b", "c"]), st.booleans()), max_size=6))
def test_some_of_the_cells_are_a_column_too(made: Callable, cells: list[tuple[str, bool]]) -> None:
    texts = made([c for c, _ in cells])
    some = texts.where(pl.Series([kept for _, kept in cells], dtype=pl.Boolean))
    assert some.of_cells(some.distinct.str.to_uppercase()).to_list() == [c.upper() for c, kept in cells if kept]
    assert some.column.to_list() == [c for c, kept in cells if kept]
    assert sorted(some.distinct) == sorted({c for c, kept in cells if kept}), "a text of no cell is no text of it"


def test_cells_with_a_text_are_found_with_their_rows_in_order() -> None:
    texts, rows = DistinctColumn.of(column_of(["x", "y", "x", "z"])), pl.Series([2, 3, 5, 9])
    found = texts.rows_with(pl.Series(["z", "x", "elsewhere"]), rows)
    assert found.rows() == [(2, "x"), (5, "x"), (9, "z")]
