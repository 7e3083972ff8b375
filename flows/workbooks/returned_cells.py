"""What of a sender's file is given back to be fixed: of people, no more than was searched and is needed.

In a file about people only the sheets that were read are given back, and on them only the columns of the contract. A
bad cell that may be a name or a day of birth says where to look, and nothing else. References of the agreed form stay:
without them no row is found again. What is not about people is given back as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from itertools import islice
from typing import Any

import polars as pl

from flows.cells.column_letters import index_of
from flows.cells.identifiers import may_be_a_persons, personal_rule
from flows.cells.redact import LATEST_CUT_OFF, redact, redact_sheet_name
from flows.deliveries.extract import SheetCells
from schemas._contract.code_lists import fold
from schemas._contract.model import Contract, Kind, Severity
from schemas._contract.workbook_names import OUR_SHEETS, ROW_PROBLEMS
from schemas._rules.files import VERSION_COLUMN
from schemas._rules.privacy import PERSONAL_RULES
from schemas.audit.deliveries import Verdict
from schemas.audit.findings import Outcome

SEE_OWN_FILE = "see your own file"  # for a row, or a title, of which a part may be personal
HIDDEN_CELL = f"hidden: {SEE_OWN_FILE}"
MOST_MERGED, MOST_HEADING_ROWS = 1_000, 10  # areas of merged cells, and how far below a heading's first row one reaches
TOTAL = "Total"  # keeps a row of totals one


def tabs(sheets: Iterable[SheetCells], about_people: Contract | None) -> dict[str, str]:
    """The name that each of a sender's sheets may bear: one that may be personal is told by its place ('sheet 2')."""
    names = {s.name: s.name for s in sheets if s.name not in OUR_SHEETS}
    if about_people is None:
        return names
    for number, sheet in enumerate(sheets, 1):
        told = redact_sheet_name(sheet.name, number, about_people, LATEST_CUT_OFF)
        if sheet.name in names and told not in names:
            names[sheet.name] = told
    return names


def given_back(sheet: SheetCells, verdict: Verdict, contract: Contract, findings: pl.DataFrame) -> SheetCells:
    """A sheet as it is given back: each cell where it was, those left out empty or saying so."""
    if not contract.participant_level or not verdict.header_row:
        return sheet
    header = verdict.header_row - 1
    told = _headings_told(sheet.rows[header], verdict) if header < len(sheet.rows) else {}
    broken = findings.filter(pl.col("outcome") == Outcome.BROKEN)
    hidden = _hidden(broken, contract, sheet)
    malformed, totals, repeated = (_rows(broken, rule) for rule in ("F13", "F06", "F05"))
    loose = [row for i, row in enumerate(sheet.rows) if i < header or i in malformed or i in totals]
    may_stand = _may_stand({_text(cell) for row in loose for cell in row}, contract)
    first = min((i for i, c in enumerate(verdict.columns) if c.field), default=0)
    width = len(verdict.columns)

    def kept(i: int, row: list[Any]) -> list[Any]:
        if i < header:
            return [cell if _text(cell) in may_stand else SEE_OWN_FILE for cell in row]
        if i in totals:
            return [
                cell if _text(cell) in may_stand else TOTAL if TOTAL.casefold() in _text(cell).casefold() else None
                for cell in row
            ]
        if i in malformed:
            return row if all(_text(cell) in may_stand for cell in row) else [None] * first + [SEE_OWN_FILE]
        if i == header or i in repeated:
            return [told.get(j, cell) for j, cell in enumerate(row)]
        return [
            HIDDEN_CELL if (i, j) in hidden else None if j in told or j >= width else cell for j, cell in enumerate(row)
        ]

    return replace(sheet, rows=[kept(i, row) for i, row in enumerate(sheet.rows)])


def merged_areas(sheet: SheetCells, header: int, width: int) -> list[tuple[int, int, int, int]]:
    """The merged areas down to the heading, as wide as the sheet; of two that overlap, which Excel refuses, the first.

    Below the heading each cell can be filled in by itself.
    """
    kept: list[tuple[int, int, int, int]] = []
    above = (a for a in sheet.merged if a[0] <= header and a[2] <= header + MOST_HEADING_ROWS)
    for top, left, bottom, right in islice(above, MOST_MERGED):
        right = min(right, width - 1)
        is_one_cell = left >= right and top >= bottom
        overlaps = any(top <= k[2] and k[0] <= bottom and left <= k[3] and k[1] <= right for k in kept)
        if left <= right and top <= bottom and not is_one_cell and not overlaps:
            kept.append((top, left, bottom, right))
    return kept


def _headings_told(headings: list[Any], verdict: Verdict) -> dict[int, str | None]:
    """The columns (from 0) that the contract does not know, with their heading as it may be repeated."""
    ours = {i for i, heading in enumerate(headings) if heading == ROW_PROBLEMS}
    return {
        i: column.heading or None
        for i, column in enumerate(verdict.columns)
        if not column.field and i not in ours and fold(column.heading) != fold(VERSION_COLUMN)
    }


def _hidden(broken: pl.DataFrame, contract: Contract, sheet: SheetCells) -> set[tuple[int, int]]:
    """The cells (from 0) to be fixed that may hold a name or a birth.

    A reference stays if it has its field's form (and no rule says that it is a person's), or cannot be personal. What
    is only worth checking stays too: it was read, and is to be read again.
    """
    at_fault = broken.filter(
        pl.col("hidden"),
        pl.col("severity") != Severity.WARNING,
        pl.col("source_row").is_not_null() & (pl.col("column_letter").fill_null("") != ""),
    )
    forms = {f.name: f.pattern for f in contract.fields if f.kind is Kind.REFERENCE}
    hidden, texts = set(), {}
    for row, letter, name, rule in at_fault.select("source_row", "column_letter", "field", "rule_id").iter_rows():
        place = row - 1, index_of(letter)
        if name not in forms or rule in PERSONAL_RULES:
            hidden.add(place)
        elif not re.search(forms[name], text := _text_at(sheet, *place)):
            texts[place] = text
    harmless = _harmless(sorted(set(texts.values())), contract)
    return hidden | {place for place, text in texts.items() if text not in harmless}


def _text_at(sheet: SheetCells, row: int, column: int) -> str:
    cells = sheet.rows[row] if row < len(sheet.rows) else []
    return _text(cells[column]) if column < len(cells) else ""


def _rows(broken: pl.DataFrame, rule_id: str) -> set[int]:
    return {row - 1 for row in broken.filter(pl.col("rule_id") == rule_id)["source_row"].drop_nulls()}


def _may_stand(texts: set[str], contract: Contract) -> set[str]:
    """The texts in which nothing may be personal, references of the agreed form included."""
    forms = [re.compile(f.pattern) for f in contract.fields if f.pattern and f.kind is Kind.REFERENCE]

    def is_reference(text: str) -> bool:
        of_both = any(ch.isdigit() for ch in text) and any(ch.isalpha() for ch in text)
        has_form = of_both and any(form.search(text) for form in forms)
        return has_form and not personal_rule(text) and not may_be_a_persons(text)

    return _harmless(sorted(texts), contract) | {t for t in texts if is_reference(t)}


def _harmless(texts: list[str], contract: Contract) -> set[str]:
    """The texts of which nothing can be personal, wherever they stand."""
    hidden = redact(pl.Series(texts, dtype=pl.String), None, contract, LATEST_CUT_OFF)["hidden"]
    return {text for text, hides in zip(texts, hidden, strict=True) if not hides}


def _text(cell: Any) -> str:
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, float):
        return f"{cell:.15g}"
    return cell.isoformat() if isinstance(cell, date) else "" if cell is None else str(cell)
