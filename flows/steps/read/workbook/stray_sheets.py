"""Sheets of a whole return that no dataset claims: notes are nobody's concern, but data must not be lost unseen."""

from __future__ import annotations

import re
from collections.abc import Sequence

from flows.deliveries.findings import Finding
from flows.steps.read.heading import ROWS_SEARCHED
from flows.steps.read.workbook.sheet import NameOfSheet, Sheet, Table, called
from schemas._contract.catalogue import datasets
from schemas._contract.code_lists import fold
from schemas._contract.model import Severity
from schemas._contract.workbook_names import OUR_SHEETS

_NARROWEST = 3  # columns of a table of data; notes have fewer
_NUMBER_OR_DATE = re.compile(r"[£(-]?[\d,]+(\.\d+)?%?\)?|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ][\d:.]+)?")


def left_out(sheets: Sequence[Sheet], wanted: str, name_of: NameOfSheet) -> list[Finding]:
    """A warning (U04) for each visible sheet that looks like data and is named after no dataset.

    It is told once: with the first sheet that is named after one.
    """
    claimed = _names_of_datasets()
    if fold(wanted) != next((fold(s.name) for s in sheets if fold(s.name) in claimed), None):
        return []
    strays = [
        s.name
        for s in sheets
        if not s.hidden and s.name not in OUR_SHEETS and fold(s.name) not in claimed and looks_like_data(s.open())
    ]
    return [Finding("U04", Severity.WARNING, found=name) for name in called(sheets, strays, name_of)]


def _names_of_datasets() -> set[str]:
    return {fold(text) for name, contract in datasets().items() for text in (name, contract.title)}


def looks_like_data(table: Table) -> bool:
    """Whether a sheet is a table with a column of dates or of numbers, which no notes have. Counting is no such column.

    Its first row of several cells is taken for its heading.
    """
    head = [[cell.strip() for cell in row] for row in table.head(ROWS_SEARCHED)]
    wide = [row for row in head if sum(c != "" for c in row) >= _NARROWEST][1:]
    columns = ([row[i] for row in wide if i < len(row) and row[i]] for i in range(max(map(len, wide), default=0)))
    return any(
        len(cells) >= max(2, len(wide) / 2)
        and all(_NUMBER_OR_DATE.fullmatch(c) for c in cells)
        and cells != [str(n) for n in range(1, len(cells) + 1)]
        for cells in columns
    )
