"""Redact a sender's sheet for the marked workbook.

From a file about people only the sheets that were read are copied, and on them only the columns of the contract. A
bad cell that may hold a name or a date of birth says where to look instead. References of the agreed form stay, since
without them the sender cannot find the row. A file that is not about people is copied unchanged.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

import polars as pl

from flows.cells.column_letters import index_of
from flows.cells.identifiers import may_identify_person, personal_rule
from flows.cells.redact import LATEST_CUT_OFF, redact, redact_sheet_name
from flows.deliveries.extract import SheetCells
from flows.reporting.words.workbook import TOTAL
from schemas._contract.code_lists import fold
from schemas._contract.model import Contract, Kind, Severity
from schemas._contract.workbook_names import HIDDEN_CELL, OUR_SHEETS, ROW_PROBLEMS, SEE_OWN_FILE
from schemas._rules.files import VERSION_COLUMN
from schemas._rules.privacy import PERSONAL_DATA_RULE_IDS
from schemas.audit.deliveries import Verdict
from schemas.audit.findings import Outcome

if TYPE_CHECKING:
    from flows.reporting.report import DatasetReport

MAX_MERGED_AREAS = 1_000
MAX_HEADING_ROWS = 10  # a merged area may reach this far below the first row of the heading


def safe_sheet_names(sheets: Iterable[SheetCells], about_people: Contract | None) -> dict[str, str]:
    """Sheet name -> the name to show for it: its position ('sheet 2') where the name may be personal.

    Sheets that an earlier marked workbook added are left out.
    """
    names = {s.name: s.name for s in sheets if s.name not in OUR_SHEETS}
    if about_people is None:
        return names
    for number, sheet in enumerate(sheets, 1):
        safe = redact_sheet_name(sheet.name, number, about_people, LATEST_CUT_OFF)
        if sheet.name in names and safe not in names:
            names[sheet.name] = safe
    return names


def sheet_of(part: DatasetReport, sheets: Sequence[SheetCells]) -> str:
    """The name of the sheet that a dataset was read from. A file that is not a workbook has one sheet.

    A report gives a name that may be personal as its position ('sheet 2'): this turns it back into the name.
    """
    name = part.report.sheet
    position = re.fullmatch(r"sheet (\d+)", name)
    if position and name not in [s.name for s in sheets] and int(position[1]) <= len(sheets):
        return sheets[int(position[1]) - 1].name
    return name or next(s.name for s in sheets if s.name not in OUR_SHEETS)


def redacted_sheet(sheet: SheetCells, verdict: Verdict, contract: Contract, findings: pl.DataFrame) -> SheetCells:
    """Copy a sheet with each cell in its place; a cell that is left out is empty or says where to look."""
    if not contract.participant_level or not verdict.header_row:
        return sheet
    header = verdict.header_row - 1
    unknown = _unknown_headings(sheet.rows[header], verdict) if header < len(sheet.rows) else {}
    broken = findings.filter(pl.col("outcome") == Outcome.BROKEN)
    hidden = _hidden_cells(broken, contract, sheet)
    malformed, totals, repeated = (_rows(broken, rule) for rule in ("F13", "F06", "F05"))
    stray = _rows(broken, "F33") | _rows(broken, "F34") | _rows(broken, "F35")
    # these rows hold free text and not the values of fields, so each text has to be checked by itself
    fieldless = [row for i, row in enumerate(sheet.rows) if i < header or i in malformed or i in totals or i in stray]
    safe = _safe_texts({text_of(cell) for row in fieldless for cell in row}, contract)
    first = min((i for i, c in enumerate(verdict.columns) if c.field), default=0)
    width = len(verdict.columns)

    def redacted(i: int, row: list[Any]) -> list[Any]:
        if i < header:
            return [cell if text_of(cell) in safe else SEE_OWN_FILE for cell in row]
        if i in totals:
            # the label stays, so that the row is recognised as a total when the file is sent again
            return [
                cell if text_of(cell) in safe else TOTAL if TOTAL.casefold() in text_of(cell).casefold() else None
                for cell in row
            ]
        # left blank unless all of it may be shown, so that it is no record when the file is sent again
        if i in stray:
            return row if all(text_of(cell) in safe for cell in row) else []
        # its cells may have shifted: one that may be personal hides them all
        if i in malformed:
            return row if all(text_of(cell) in safe for cell in row) else [None] * first + [SEE_OWN_FILE]
        if i == header or i in repeated:
            return [unknown.get(j, cell) for j, cell in enumerate(row)]
        return [
            HIDDEN_CELL if (i, j) in hidden else None if j in unknown or j >= width else cell
            for j, cell in enumerate(row)
        ]

    return replace(sheet, rows=[redacted(i, row) for i, row in enumerate(sheet.rows)])


def merged_areas(sheet: SheetCells, header: int, width: int) -> list[tuple[int, int, int, int]]:
    """The merged areas above and in the heading, cut to the sheet's width: (top, left, bottom, right), from 0.

    Of two that overlap only the first is used, because Excel refuses such a file. Below the heading nothing is merged,
    so that each cell can be filled in by itself.
    """
    areas: list[tuple[int, int, int, int]] = []
    above = (a for a in sheet.merged if a[0] <= header and a[2] <= header + MAX_HEADING_ROWS)
    for top, left, bottom, right in islice(above, MAX_MERGED_AREAS):
        right = min(right, width - 1)
        is_one_cell = left >= right and top >= bottom
        overlaps = any(top <= a[2] and a[0] <= bottom and left <= a[3] and a[1] <= right for a in areas)
        if left <= right and top <= bottom and not is_one_cell and not overlaps:
            areas.append((top, left, bottom, right))
    return areas


def _unknown_headings(headings: list[Any], verdict: Verdict) -> dict[int, str | None]:
    """Column (from 0) -> redacted heading, for the columns that the contract does not know."""
    ours = {i for i, heading in enumerate(headings) if heading == ROW_PROBLEMS}
    return {
        i: column.heading or None
        for i, column in enumerate(verdict.columns)
        if not column.field and i not in ours and fold(column.heading) != fold(VERSION_COLUMN)
    }


def _hidden_cells(broken: pl.DataFrame, contract: Contract, sheet: SheetCells) -> set[tuple[int, int]]:
    """The cells to be fixed, as (row, column) from 0, that may hold a name or a date of birth.

    A reference stays if it has its field's form and breaks no rule on personal data, or if nothing in it can be
    personal. A cell with a mere warning stays too: it was accepted, and has to be in the file that is sent again.
    """
    at_fault = broken.filter(
        pl.col("hidden"),
        pl.col("severity") != Severity.WARNING,
        pl.col("source_row").is_not_null() & (pl.col("column_letter").fill_null("") != ""),
    )
    forms = {f.name: f.pattern for f in contract.fields if f.kind is Kind.REFERENCE}
    hidden, texts = set(), {}
    for row, letter, name, rule in at_fault.select("source_row", "column_letter", "field", "rule_id").iter_rows():
        cell = row - 1, index_of(letter)
        if name not in forms or rule in PERSONAL_DATA_RULE_IDS:
            hidden.add(cell)
        elif not re.search(forms[name], text := _text_at(sheet, *cell)):
            texts[cell] = text
    harmless = _harmless(sorted(set(texts.values())), contract)
    return hidden | {cell for cell, text in texts.items() if text not in harmless}


def _text_at(sheet: SheetCells, row: int, column: int) -> str:
    cells = sheet.rows[row] if row < len(sheet.rows) else []
    return text_of(cells[column]) if column < len(cells) else ""


def _rows(broken: pl.DataFrame, rule_id: str) -> set[int]:
    return {row - 1 for row in broken.filter(pl.col("rule_id") == rule_id)["source_row"].drop_nulls()}


def _safe_texts(texts: set[str], contract: Contract) -> set[str]:
    """The texts in which nothing may be personal, references of the agreed form included."""
    forms = [re.compile(f.pattern) for f in contract.fields if f.pattern and f.kind is Kind.REFERENCE]

    def is_reference(text: str) -> bool:
        is_mixed = any(ch.isdigit() for ch in text) and any(ch.isalpha() for ch in text)
        has_form = is_mixed and any(form.search(text) for form in forms)
        return has_form and not personal_rule(text) and not may_identify_person(text)

    return _harmless(sorted(texts), contract) | {t for t in texts if is_reference(t)}


def _harmless(texts: list[str], contract: Contract) -> set[str]:
    """The texts in which nothing can be personal, whatever column they are in."""
    hidden = redact(pl.Series(texts, dtype=pl.String), None, contract, LATEST_CUT_OFF)["hidden"]
    return {text for text, hides in zip(texts, hidden, strict=True) if not hides}


def text_of(cell: Any) -> str:
    """A cell as text: a date year-month-day, a number with the digits that a spreadsheet shows."""
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, float):
        return f"{cell:.15g}"  # the digits that a spreadsheet shows
    return cell.isoformat() if isinstance(cell, date) else "" if cell is None else str(cell)
