"""The texts of a column, each distinct one once: what is asked of a text is asked once, however many cells hold it.

A month's extract has hundreds of thousands of cells in a column and a few hundred texts; a column of references, where
every text stands once, costs no more this way than cell by cell.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl
import pyarrow.compute as pc


@dataclass(frozen=True)
class Texts:
    """A column: its `distinct` texts in the order of their first cells, and for each cell the place of its text."""

    distinct: pl.Series
    places: pl.Series

    @classmethod
    def of(cls, column: pl.Series) -> Texts:
        """The texts of a column without nulls."""
        encoded = pc.dictionary_encode(column.to_arrow())
        return cls(pl.Series("text", encoded.dictionary, pl.String), pl.Series("place", encoded.indices))

    def of_cells(self, values: pl.Series) -> pl.Series:
        """Something of each distinct text (a value for each) as a column of the cells."""
        return values.gather(self.places)

    def rows_with(self, texts: pl.Series, source_rows: pl.Series) -> pl.DataFrame:
        """The cells that hold one of these texts, in order: columns `source_row` and `text`."""
        cells = self.of_cells(self.distinct.is_in(texts.implode())).arg_true()
        return pl.DataFrame(
            {"source_row": source_rows.gather(cells), "text": self.of_cells(self.distinct).gather(cells)}
        )
