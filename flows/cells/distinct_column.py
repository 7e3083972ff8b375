"""Dictionary-encoded text columns: each check runs once per distinct text, however many cells have it.

A month's extract has hundreds of thousands of cells in a column and a few hundred distinct texts. A column of
references, in which every text is different, costs little more this way than cell by cell.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    import pyarrow as pa  # not imported at run time: reading a small workbook does not need it


@dataclass(frozen=True)
class DistinctColumn:
    """A column of texts: the `distinct` ones, and for each cell the index of its text among them."""

    distinct: pl.Series
    indices: pl.Series

    @classmethod
    def of(cls, column: pl.Series) -> DistinctColumn:
        """Encode a column of texts. A null becomes the empty text."""
        # categories of its own, so that its codes count from 0 in the order in which the texts first appear
        encoded = column.fill_null("").cast(pl.Categorical(pl.Categories.random())).to_physical()
        return cls(column.fill_null("").gather(encoded.arg_unique()).alias("text"), encoded.alias("index"))

    @classmethod
    def encoded(cls, column: pa.DictionaryArray) -> DistinctColumn:
        """Take over an Arrow column that is dictionary-encoded already."""
        indices = column.indices.view("uint32")  # polars gathers by uint32 without converting
        return cls(pl.Series("text", column.dictionary, pl.String), pl.Series("index", indices))

    def __len__(self) -> int:
        """The number of cells."""
        return len(self.indices)

    @property
    def column(self) -> pl.Series:
        """The text of each cell."""
        return self.expand(self.distinct)

    def expand(self, values: pl.Series) -> pl.Series:
        """Turn values of the distinct texts, one for each, into a column with a value for each cell."""
        is_identity = len(self.distinct) == len(self.indices) and self.indices.is_sorted()
        return values if is_identity else values[self.indices]

    def where(self, mask: pl.Series) -> DistinctColumn:
        """The column of those cells for which a mask is true, without texts that none of them has."""
        indices = self.indices.filter(mask).to_numpy()
        used = np.flatnonzero(np.bincount(indices))
        return DistinctColumn(
            self.distinct.gather(used), pl.Series("index", np.searchsorted(used, indices).astype(np.uint32))
        )

    def rows_with(self, texts: pl.Series, source_rows: pl.Series) -> pl.DataFrame:
        """The cells that have one of these texts, in the order of rows: columns `source_row` and `text`."""
        cells = self.expand(self.distinct.is_in(texts.implode())).arg_true()
        return pl.DataFrame({"source_row": source_rows.gather(cells), "text": self.column.gather(cells)})


def evaluate_distinct(columns: Mapping[str, DistinctColumn], expression: pl.Expr) -> dict[str, pl.Series]:
    """Evaluate an expression of `text` for the distinct texts of several columns: {name: a value for each text}.

    One call of polars for all columns: in a small file, the calls cost more than what they compute.
    """
    values = pl.concat([c.distinct for c in columns.values()]).to_frame("text").select(expression).to_series()
    ends = accumulate(len(c.distinct) for c in columns.values())
    return {name: values[end - len(c.distinct) : end] for (name, c), end in zip(columns.items(), ends, strict=True)}
