"""Take the text out of cells that are formulas of nothing but a text, such as ="01" (rule C32).

Programs write codes so in CSV files, to keep a spreadsheet from reading them as numbers.
"""

from __future__ import annotations

import re
from dataclasses import replace

import polars as pl

from flows.cells.column_letters import column_letter
from flows.cells.distinct_column import DistinctColumn, evaluate_distinct
from flows.deliveries.extract import Extract, TextBatch
from flows.deliveries.findings import Finding
from flows.runtime.wording import counted, listed, ranges
from schemas._contract.model import Severity

_FORMULA = r'^\s*="((?:[^"]|"")*)"\s*$'
_BEGINS = '="'


def without_text_formulas(extract: Extract) -> Extract:
    """The extract with the text of each such cell in its place, and a finding that says where they were."""
    formulas = _TextFormulas()
    headings = tuple(_text_of(heading) for heading in extract.headings)
    return replace(
        extract,
        headings=headings,
        batches=map(formulas.taken_out, extract.batches),
        row_findings=lambda: [*extract.row_findings(), *formulas.findings()],
    )


def _text_of(heading: str) -> str:
    formula = re.match(_FORMULA, heading) if _BEGINS in heading else None
    return formula[1].replace('""', '"').strip() if formula else heading


class _TextFormulas:
    """Takes them out batch by batch, and counts them by column."""

    def __init__(self) -> None:
        self._cells: dict[int, int] = {}  # by position of the column

    def taken_out(self, batch: TextBatch) -> TextBatch:
        """The batch with the texts in place of the formulas."""
        begins = evaluate_distinct(batch.cells, pl.col("text").str.contains(_BEGINS, literal=True))
        columns = {name: self._column(name, batch.cells[name]) for name, some in begins.items() if some.any()}
        return replace(batch, cells={**batch.cells, **columns}) if columns else batch

    def _column(self, name: str, column: DistinctColumn) -> DistinctColumn:
        text = pl.col("text")
        is_formula = text.str.contains(_FORMULA)
        bare = text.str.extract(_FORMULA, 1).str.replace_all('""', '"', literal=True)
        flags = column.expand(column.distinct.to_frame("text").select(is_formula).to_series())
        self._cells[int(name)] = self._cells.get(int(name), 0) + int(flags.sum())
        texts = column.column.to_frame("text").select(pl.when(is_formula).then(bare).otherwise(text).alias("text"))
        return DistinctColumn.of(texts.to_series())  # a text may now be there twice

    def findings(self) -> list[Finding]:
        """The finding, once all batches were read: how many cells there were, and in which columns."""
        positions = sorted(position for position, cells in self._cells.items() if cells)
        if not positions:
            return []
        spans = [
            column_letter(a) if a == b else f"{column_letter(a)} to {column_letter(b)}" for a, b in ranges(positions)
        ]
        several = len(positions) > 1
        number = counted(sum(self._cells.values()), "cell")
        found = f"{number} in column{'s' if several else ''} {listed(spans)}"
        return [Finding("C32", Severity.WARNING, found=found)]
