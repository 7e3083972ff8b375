"""DistinctColumn, a dictionary-encoded text column, loses nothing of the column."""

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


def series_of(cells: list[str | None]) -> pl.Series:
    return pl.Series(cells, dtype=pl.String)


@given(CELLS)
def test_every_cell_is_kept_and_every_text_is_distinct(cells: list[str | None]) -> None:
    column = DistinctColumn.of(series_of(cells))
    assert column.column.to_list() == [c or "" for c in cells]
    assert sorted(column.distinct) == sorted({c or "" for c in cells}) and len(column) == len(cells)


def from_arrow(cells: list[str]) -> DistinctColumn:
    return DistinctColumn.encoded(pa.array(cells, pa.string()).dictionary_encode())


def from_polars(cells: list[str]) -> DistinctColumn:
    return DistinctColumn.of(series_of(list(cells)))


@pytest.mark.parametrize("encode", [from_arrow, from_polars])
@example([("a", False), ("b", True), ("a", True)])  # the remaining texts are fewer, in another order
@settings(max_examples=iterations(everyday=20, soak=1000))
@given(st.lists(st.tuples(st.sampled_from(["", "a", "b", "c"]), st.booleans()), max_size=6))
def test_where_gives_a_column_of_the_selected_cells(encode: Callable, cells: list[tuple[str, bool]]) -> None:
    column = encode([c for c, _ in cells])
    subset = column.where(pl.Series([selected for _, selected in cells], dtype=pl.Boolean))
    assert subset.expand(subset.distinct.str.to_uppercase()).to_list() == [
        c.upper() for c, selected in cells if selected
    ]
    assert subset.column.to_list() == [c for c, selected in cells if selected]
    assert sorted(subset.distinct) == sorted({c for c, selected in cells if selected}), (
        "texts without a cell are dropped"
    )


def test_rows_with_finds_cells_in_row_order() -> None:
    column, rows = DistinctColumn.of(series_of(["x", "y", "x", "z"])), pl.Series([2, 3, 5, 9])
    found = column.rows_with(pl.Series(["z", "x", "other"]), rows)
    assert found.rows() == [(2, "x"), (5, "x"), (9, "z")]
