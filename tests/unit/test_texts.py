"""A column's texts, each distinct one once: nothing of the column is lost by it."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from schemas.texts import Texts

CELLS = st.lists(st.one_of(st.none(), st.sampled_from(["", " ", "a", "b", "Y", "é", "a\x00b"]), st.text()))


def column_of(cells: list[str | None]) -> pl.Series:
    return pl.Series(cells, dtype=pl.String)


@given(CELLS)
def test_every_cell_is_there_and_every_text_once(cells: list[str | None]) -> None:
    texts = Texts.of(column_of(cells))
    assert texts.column.to_list() == [c or "" for c in cells]
    assert sorted(texts.distinct) == sorted({c or "" for c in cells}) and len(texts) == len(cells)


@given(st.lists(st.tuples(st.sampled_from(["", "a", "b", "c"]), st.booleans())))
def test_some_of_the_cells_are_a_column_too(cells: list[tuple[str, bool]]) -> None:
    texts = Texts.of(column_of([c for c, _ in cells]))
    some = texts.where(pl.Series([kept for _, kept in cells], dtype=pl.Boolean))
    assert some.column.to_list() == [c for c, kept in cells if kept]
    assert sorted(some.distinct) == sorted({c for c, kept in cells if kept}), "a text of no cell is no text of it"


def test_cells_with_a_text_are_found_with_their_rows_in_order() -> None:
    texts, rows = Texts.of(column_of(["x", "y", "x", "z"])), pl.Series([2, 3, 5, 9])
    found = texts.rows_with(pl.Series(["z", "x", "elsewhere"]), rows)
    assert found.rows() == [(2, "x"), (5, "x"), (9, "z")]
