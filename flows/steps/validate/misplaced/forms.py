"""Which fields the texts of a file's columns fit, counted over a sample of the rows.

A text fits a field if it could be one of its values: a listed code, a date, a number in range, a reference in the
agreed form. Two measures are needed. A column's own field is given every benefit of the doubt (`could_be`), while
another's values have to be in its form without any doubt (`is_one`): so an odd spelling never counts as another's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import polars as pl

from flows.cells.code_lookup import likely_code
from flows.cells.parse import MISSING_WORDS, NO, NOT_CALCULATED, SPREADSHEET_ERROR, YES, canonical_pattern
from flows.deliveries.conformed import Layout, TypedBatch
from schemas._contract.code_lists import fold
from schemas._contract.model import Contract, Field, Kind

MAX_SAMPLED = 2_000  # rows of a batch: more are no better evidence
MAX_LOOKED_UP = 2_000  # distinct texts of a sample that are looked up as labels of codes, one by one
_NUMBERS = (Kind.INTEGER, Kind.DECIMAL, Kind.MONEY)
_DATE = re.compile(
    r"(?i)^\s*(?:(?:19|20)\d\d[-/.]\d\d?[-/.]\d\d?|\d\d?[-/. ]\d\d?[-/. ](?:\d\d){1,2}"
    r"|\d\d?(?:st|nd|rd|th)?[-/. ][a-z]{3,9}[-/. ,]+(?:\d\d){1,2})(?:[ T]\d\d?:.*)?\s*$"
)
# A form that nothing else has by chance: a date, a reference, a word. Not so Y and N, a digit or two, a single letter.
_DISTINCTIVE = rf"{_DATE.pattern}|^[A-Z]{{1,8}}-[A-Z0-9]{{3,}}|^[A-Z][0-9]{{7}}|^[a-zA-Z_]{{4,}}"


_NO_RESULT = rf"(?i){SPREADSHEET_ERROR.pattern}|^{NOT_CALCULATED}$"  # of a formula: its column may be any


@dataclass(frozen=True)
class Sample:
    """A sample of a batch's rows: the fields in the order of their columns, and which texts fit which of them.

    `texts` has a row for each field, with the number of each cell's text (0: empty). `could_be` and `is_one` have a row
    for each field, with a flag for each text by its number; `distinctive` has just the flags.
    """

    fields: tuple[str, ...]
    source_rows: np.ndarray
    texts: np.ndarray
    could_be: np.ndarray
    is_one: np.ndarray
    distinctive: np.ndarray

    @property
    def is_filled(self) -> np.ndarray:
        """By field and row, whether the cell is not empty."""
        return self.texts > 0

    @property
    def misfits(self) -> np.ndarray:
        """By field and row, whether the cell holds something that cannot be a value of its field."""
        return self.is_filled & ~np.take_along_axis(self.could_be, self.texts, axis=1)

    def fits(self, cells: int, field: int) -> np.ndarray:
        """By row, whether the cells of one column are values of another field for certain."""
        return self.is_filled[cells] & self.is_one[field][self.texts[cells]]


def fields_in_order(layout: Layout) -> tuple[str, ...]:
    """The fields that the file has, in the order of their columns."""
    return tuple(sorted(layout.positions, key=layout.positions.__getitem__))


def sampled(typed: TypedBatch, layout: Layout, contract: Contract) -> Sample:
    """Sample a batch evenly, and see which fields its texts fit."""
    fields = fields_in_order(layout)
    rows = np.unique(np.linspace(0, len(typed.rows) - 1, min(MAX_SAMPLED, len(typed.rows))).astype(np.int64))
    columns = []
    for name in fields:
        cells = typed.cells[str(layout.positions[name])]
        columns.append(cells.distinct.gather(cells.indices.gather(rows)).str.strip_chars())
    every = pl.concat(columns)
    distinct = pl.concat([pl.Series("text", [""], pl.String), every.filter(every != "").unique()])
    numbers = pl.DataFrame({"text": distinct, "number": range(len(distinct))})
    texts = every.to_frame("text").join(numbers, on="text", how="left", maintain_order="left")["number"].to_numpy()
    both = [_fits(distinct, contract.by_name[name]) for name in fields]
    return Sample(
        fields,
        typed.rows["source_row"].gather(rows).to_numpy(),
        texts.reshape(len(fields), len(rows)),
        np.array([could_be for could_be, _ in both]),
        np.array([is_one for _, is_one in both]),
        distinct.str.contains(_DISTINCTIVE).to_numpy(),
    )


def _fits(texts: pl.Series, field: Field) -> tuple[np.ndarray, np.ndarray]:
    """For each text, whether it could be a value of a field, and whether it is one for certain."""
    missing = pl.Series([fold(t) in MISSING_WORDS if len(t) <= 20 else False for t in texts])
    missing |= texts.str.contains(_NO_RESULT)
    if field.kind is Kind.CODE:
        could_be = texts.is_in(list(field.code_list.codes)) | pl.Series(_labels(texts, field))
        # a number without its leading noughts is read as a code, but is none for certain
        is_one = texts.is_in(list(field.code_list.codes)) | (could_be & ~texts.str.contains("^[0-9.]+$"))
        return (could_be | missing).to_numpy(), is_one.to_numpy()
    if field.kind is Kind.DATE:
        is_date = texts.str.contains(_DATE.pattern)
        return (is_date | texts.str.contains(r"^[0-9]{5}$") | missing).to_numpy(), is_date.to_numpy()
    if field.kind is Kind.YES_NO:
        words = texts.str.to_lowercase()
        return (words.is_in([*YES, *NO]) | missing).to_numpy(), words.is_in(["y", "n", "yes", "no"]).to_numpy()
    if field.kind in _NUMBERS:
        number = texts.str.replace_all(r"[£,\s]", "").cast(pl.Float64, strict=False)
        in_range = number.is_not_null()
        if field.low is not None:
            in_range &= number >= float(field.low)
        if field.high is not None:
            in_range &= number <= float(field.high)
        # a figure out of range may be a slip of the pen, but in its own column only
        could_be = texts.str.contains("^[^0-9]{0,3}[0-9][0-9., ]*[^0-9]{0,8}$") if field.high is None else in_range
        return (could_be | missing).to_numpy(), (in_range & (texts.str.len_chars() <= 12)).fill_null(False).to_numpy()
    if not field.pattern and field.kind is not Kind.FINANCIAL_YEAR:
        nothing = np.zeros(len(texts), bool)
        return ~nothing, nothing  # any text fits, and none for certain
    # a date fits the loosest of these forms, and is no reference
    is_one = texts.str.contains(canonical_pattern(field)) & ~texts.str.contains(_DATE.pattern)
    loose = texts.str.to_uppercase().str.replace_all("[‐-―−_ ]+", "-").str.contains(canonical_pattern(field))
    return (is_one | loose | missing).to_numpy(), is_one.to_numpy()


def _labels(texts: pl.Series, field: Field) -> list[bool]:
    """For each text, whether it is a label or another spelling of a code."""
    return [i < MAX_LOOKED_UP and bool(likely_code(text, field.code_list)[0]) for i, text in enumerate(texts)]
