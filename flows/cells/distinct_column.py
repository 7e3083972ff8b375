"""Dictionary-encoded text column: each check runs once per distinct value, however many cells hold it.

A month's extract has hundreds of thousands of cells in a column and a few hundred texts; a column of references, where
every text stands once, costs little more this way than cell by cell.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    import pyarrow as pa  # to read a small workbook takes none of it


@dataclass(frozen=True)
class DistinctColumn:
    """A column: its `distinct` texts, and for each cell the place of its text among them."""

    distinct: pl.Series
    places: pl.Series

    @classmethod
    def of(cls, column: pl.Series) -> DistinctColumn:
        """The texts of a column; a cell without one has the empty text."""
        encoded = column.fill_null("").cast(pl.Categorical(pl.Categories.random())).to_physical()
        return cls(column.fill_null("").gather(encoded.arg_unique()).alias("text"), encoded.alias("place"))

    @classmethod
    def encoded(cls, column: pa.DictionaryArray) -> DistinctColumn:
        """The texts of a column of Arrow that is encoded so already."""
        places = column.indices.view("uint32")  # polars looks texts up by such numbers as they are
        return cls(pl.Series("text", column.dictionary, pl.String), pl.Series("place", places))

    def __len__(self) -> int:
        """How many cells there are."""
        return len(self.places)

    @property
    def column(self) -> pl.Series:
        """The text of each cell."""
        return self.of_cells(self.distinct)

    def of_cells(self, values: pl.Series) -> pl.Series:
        """Something of each distinct text (a value for each) as a column of the cells."""
        one_for_each_cell = len(self.distinct) == len(self.places) and self.places.is_sorted()
        return values if one_for_each_cell else values[self.places]

    def where(self, kept: pl.Series) -> DistinctColumn:
        """The texts of some of the cells only (a truth for each cell)."""
        places = self.places.filter(kept).to_numpy()
        left = np.flatnonzero(np.bincount(places))
        return DistinctColumn(
            self.distinct.gather(left), pl.Series("place", np.searchsorted(left, places).astype(np.uint32))
        )

    def rows_with(self, texts: pl.Series, source_rows: pl.Series) -> pl.DataFrame:
        """The cells that hold one of these texts, in order: columns `source_row` and `text`."""
        cells = self.of_cells(self.distinct.is_in(texts.implode())).arg_true()
        return pl.DataFrame({"source_row": source_rows.gather(cells), "text": self.column.gather(cells)})


def ask_all(columns: Mapping[str, DistinctColumn], question: pl.Expr) -> dict[str, pl.Series]:
    """Ask the distinct texts of several columns the same (an expression of `text`). Gives each column's answers.

    They are asked together: in a small file each call of polars costs more than what it looks at.
    """
    answers = pl.concat([c.distinct for c in columns.values()]).to_frame("text").select(question).to_series()
    ends = accumulate(len(c.distinct) for c in columns.values())
    return {name: answers[end - len(c.distinct) : end] for (name, c), end in zip(columns.items(), ends, strict=True)}
