"""Which fields the texts of a file's columns fit, counted over a sample of the rows.

A text fits a field if it could be one of its values: a listed code, a date, a number in range, a reference in the
agreed form. Two measures are needed. A column's own field is given every benefit of the doubt (`could_be`), while
another's values have to be in its form without any doubt (`is_one`): so an odd spelling never counts as another's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import polars as pl

from flows.cells.code_lookup import likely_code
from flows.cells.parse import MISSING_WORDS, NO, NOT_CALCULATED, SPREADSHEET_ERROR, YES, canonical_pattern
from flows.deliveries.conformed import Layout, TypedBatch
from schemas._contract.code_lists import fold
from schemas._contract.model import Contract, Field, Kind
from schemas._contract.workbook_names import NO_RESULT

MAX_SAMPLED = 2_000  # rows of a batch: more are no better evidence
MAX_LOOKED_UP = 2_000  # distinct texts of a sample that are looked up as labels of codes, one by one
_NUMBERS = (Kind.INTEGER, Kind.DECIMAL, Kind.MONEY)
_DATE = re.compile(
    r"(?i)^\s*(?:(?:19|20)\d\d[-/.]\d\d?[-/.]\d\d?|\d\d?[-/. ]\d\d?[-/. ](?:\d\d){1,2}"
    r"|\d\d?(?:st|nd|rd|th)?[-/. ][a-z]{3,9}[-/. ,]+(?:\d\d){1,2})(?:[ T]\d\d?:.*)?\s*$"
)
# A form that nothing else has by chance: a date, a reference, a word. Not so Y and N, a digit or two, a single letter.
_DISTINCTIVE = rf"{_DATE.pattern}|^[A-Z]{{1,8}}-[A-Z0-9]{{3,}}|^[A-Z][0-9]{{7}}|^[a-zA-Z_]{{4,}}"


_NO_RESULT = rf"(?i){SPREADSHEET_ERROR.pattern}|^{NOT_CALCULATED}$|^{NO_RESULT}$"  # of a formula: its column may be any


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
    columns = [typed.cells[str(layout.positions[name])] for name in fields]
    starts = np.cumsum([0, *(len(c.distinct) for c in columns)])
    cells = [start + c.indices.to_numpy()[rows].astype(np.int64) for start, c in zip(starts, columns, strict=False)]
    used, places = np.unique(np.concatenate(cells), return_inverse=True)
    numbers = {"": 0}
    texts = pl.concat([c.distinct for c in columns]).gather(used).str.strip_chars()
    number = np.array([numbers.setdefault(text, len(numbers)) for text in texts])
    fits = _fits(list(numbers), tuple(contract.by_name[name] for name in fields))
    return Sample(
        fields,
        typed.rows["source_row"].gather(rows).to_numpy(),
        number[places].reshape(len(fields), len(rows)),
        np.array([fits[f"could be {name}"].to_numpy() for name in fields]),
        np.array([fits[f"is {name}"].to_numpy() for name in fields]),
        fits["is distinctive"].to_numpy(),
    )


def _fits(texts: list[str], fields: tuple[Field, ...]) -> pl.DataFrame:
    """For each text, whether it could be a value of each field, whether it is one for certain, and is distinctive."""
    labels = {f"names {f.name}": _are_labels(texts, f) for f in fields if f.kind is Kind.CODE}
    missing = [len(text) <= 20 and fold(text) in MISSING_WORDS for text in texts]
    frame = pl.DataFrame({"text": texts, "is missing": missing, **labels})
    # All fields in one call: in a small file, calls of polars cost more than what they compute.
    is_missing = pl.col("is missing") | pl.col("text").str.contains(_NO_RESULT)
    is_date = pl.col("text").str.contains(_DATE.pattern).alias("is date")
    return frame.with_columns(is_missing, is_date).select(*_measures(fields))


@lru_cache
def _measures(fields: tuple[Field, ...]) -> tuple[pl.Expr, ...]:
    """The expressions of the flags that `_fits` returns."""
    measures = [pl.col("text").str.contains(_DISTINCTIVE).alias("is distinctive")]
    for field in fields:
        could_be, is_one = _measures_of(field)
        measures += [
            (could_be | pl.col("is missing")).alias(f"could be {field.name}"),
            is_one.alias(f"is {field.name}"),
        ]
    return tuple(measures)


def _measures_of(field: Field) -> tuple[pl.Expr, pl.Expr]:
    """Whether a text could be a value of a field, and whether it is one for certain."""
    text, is_date = pl.col("text"), pl.col("is date")
    if field.kind is Kind.CODE:
        is_code = text.is_in(list(field.code_list.codes))
        could_be = is_code | pl.col(f"names {field.name}")
        # a number without its leading noughts is read as a code, but is none for certain
        return could_be, is_code | (could_be & ~text.str.contains("^[0-9.]+$"))
    if field.kind is Kind.DATE:
        return is_date | text.str.contains(r"^[0-9]{5}$"), is_date
    if field.kind is Kind.YES_NO:
        word = text.str.to_lowercase()
        return word.is_in([*YES, *NO]), word.is_in(["y", "n", "yes", "no"])
    if field.kind in _NUMBERS:
        number = text.str.replace_all(r"[£,\s]", "").cast(pl.Float64, strict=False)
        in_range = number.is_not_null()
        if field.low is not None:
            in_range &= number >= float(field.low)
        if field.high is not None:
            in_range &= number <= float(field.high)
        # a figure out of range may be a slip of the pen, but in its own column only
        could_be = text.str.contains("^[^0-9]{0,3}[0-9][0-9., ]*[^0-9]{0,8}$") if field.high is None else in_range
        return could_be, (in_range & (text.str.len_chars() <= 12)).fill_null(False)
    if not field.pattern and field.kind is not Kind.FINANCIAL_YEAR:
        return pl.lit(True), pl.lit(False)  # any text fits, and none for certain
    # a date fits the loosest of these forms, and is no reference
    is_one = text.str.contains(canonical_pattern(field)) & ~is_date
    loose = text.str.to_uppercase().str.replace_all("[‐-―−_ ]+", "-").str.contains(canonical_pattern(field))
    return is_one | loose, is_one


def _are_labels(texts: list[str], field: Field) -> list[bool]:
    """For each text, whether it is a label or another spelling of a code."""
    return [i < MAX_LOOKED_UP and bool(likely_code(text, field.code_list)[0]) for i, text in enumerate(texts)]
