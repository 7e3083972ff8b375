"""Warn about sheets of a whole return that hold data but are named after no dataset, so that no data is missed."""

from __future__ import annotations

import re
from collections.abc import Sequence

from flows.deliveries.findings import Finding
from flows.steps.read.heading import HEADING_SEARCH_ROWS
from flows.steps.read.workbook.sheet import Sheet, SheetNamer, Table, safe_sheet_names, same_cells
from schemas._contract.catalogue import datasets
from schemas._contract.code_lists import fold
from schemas._contract.model import Severity
from schemas._contract.workbook_names import OUR_SHEETS

MIN_TABLE_COLUMNS = 3  # columns of a table of data; notes have fewer
_NUMBER_OR_DATE = re.compile(r"[£(-]?[\d,]+(\.\d+)?%?\)?|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ][\d:.]+)?")


def unclaimed_sheet_findings(sheets: Sequence[Sheet], wanted: str, name_sheet: SheetNamer) -> list[Finding]:
    """A warning for each visible sheet that looks like data and is named after no dataset (U04), or is a copy (F46).

    The sheets of a return are read one by one, each as a delivery: only the first that has a dataset's name warns.
    """
    claimed = _names_of_datasets()
    if fold(wanted) != next((fold(s.name) for s in sheets if fold(s.name) in claimed), None):
        return []
    strays = [
        s.name
        for s in sheets
        if not s.hidden and s.name not in OUR_SHEETS and fold(s.name) not in claimed and looks_like_data(s.open())
    ]
    own = [s.open() for s in sheets if fold(s.name) in claimed] if strays else []
    copies = {s.name for s in sheets if s.name in strays and any(same_cells(s.open(), table) for table in own)}
    rules = ["F46" if name in copies else "U04" for name in strays]
    names = safe_sheet_names(sheets, strays, name_sheet)
    return [Finding(rule, Severity.WARNING, found=name) for rule, name in zip(rules, names, strict=True)]


def _names_of_datasets() -> set[str]:
    """The names and titles of all datasets, folded."""
    return {fold(text) for name, contract in datasets().items() for text in (name, contract.title)}


def looks_like_data(table: Table) -> bool:
    """Whether a sheet is a table with a column of dates or numbers, which sheets of notes have not.

    A column that only counts its rows (1, 2, 3, ...) does not count. The first row with several cells is taken for the
    heading.
    """
    head = [[cell.strip() for cell in row] for row in table.head(HEADING_SEARCH_ROWS)]
    wide = [row for row in head if sum(c != "" for c in row) >= MIN_TABLE_COLUMNS][1:]
    columns = ([row[i] for row in wide if i < len(row) and row[i]] for i in range(max(map(len, wide), default=0)))
    return any(
        len(cells) >= max(2, len(wide) / 2)
        and all(_NUMBER_OR_DATE.fullmatch(c) for c in cells)
        and cells != [str(n) for n in range(1, len(cells) + 1)]
        for cells in columns
    )
