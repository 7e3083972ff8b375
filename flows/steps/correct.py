"""correct: apply agreed corrections to the text of cells, before the text is parsed.

A correction is applied only where the cell still holds what it held when the correction was agreed. Each one applied is
a finding with the old and the new text (X01), and so is each one that does not fit (X02).
"""

from __future__ import annotations

import polars as pl

from flows.cells.identifiers import personal_rule
from flows.cells.redact import redact_text
from flows.deliveries.conformed import Layout
from flows.deliveries.context import DeliveryContext
from flows.deliveries.corrections import CellCorrection
from flows.deliveries.extract import TextBatch
from flows.deliveries.findings import Finding, findings_frame
from flows.runtime.wording import day
from schemas._contract.code_lists import fold
from schemas._contract.model import Contract, Field, Severity
from schemas._rules.agreements import APPLIED, NOT_APPLIED
from schemas.audit.deliveries import Column
from schemas.audit.findings import MAX_FOUND_LENGTH

NOTHING = "(an empty cell)"


class Corrector:
    """Applies the corrections of one file, batch by batch."""

    def __init__(self, layout: Layout, contract: Contract, context: DeliveryContext, sheet: str) -> None:
        self.layout, self.contract, self.sheet = layout, contract, sheet
        self.cut_off = context.data_cut_date
        self._pending: dict[int, dict[int, CellCorrection]] = {}  # row -> position of the column -> correction
        self._rejected: list[Finding] = []
        self._redacted: dict[tuple[str, str], str | None] = {}  # by text and field; None where nothing may be shown
        for cell in context.corrections:
            self._plan(cell)

    def correct(self, batch: TextBatch) -> tuple[TextBatch, pl.DataFrame]:
        """Return the batch with its corrections applied, and a finding for each."""
        findings: list[Finding] = []
        if not self._pending:
            return batch, findings_frame(findings, self.sheet)
        changed: dict[int, dict[int, str]] = {}  # position -> row -> text
        for texts in batch.rows.filter(pl.col("source_row").is_in(list(self._pending))).iter_rows(named=True):
            row = texts["source_row"]
            for position, cell in self._pending.pop(row).items():
                text = texts[str(position)] or ""
                fits = text.strip() == cell.was
                findings.append(self._applied(cell, position) if fits else self._mismatch(cell, position, text))
                if fits:
                    changed.setdefault(position, {})[row] = cell.becomes
        rows = batch.rows.with_columns(_with(position, texts) for position, texts in changed.items())
        return TextBatch.of(rows, batch.malformed, batch.stray_text), findings_frame(findings, self.sheet)

    def not_applied(self) -> list[Finding]:
        """Findings for the corrections that were not applied: expired, rejected, or of a row that the file lacks.

        Call it after the last batch. None where the heading is refused: then the columns are not known.
        """
        if self.layout.refused:
            return []
        left = [cell for row in self._pending.values() for cell in row.values()]
        no_row = [self._no_cell(cell, "there is no such row of data") for cell in left]
        return [*self._rejected, *no_row]

    def _plan(self, cell: CellCorrection) -> None:
        """Note a correction for its cell, or reject it with the reason."""
        position = self._position(cell.column)
        column = None if position is None else self.layout.columns[position]
        field = self.contract.by_name.get(column.field) if column else None
        if cell.is_expired:
            why = f"it was agreed until {day(cell.until)}"
        elif cell.sheet and fold(cell.sheet) != fold(self.sheet):
            why = "it is about another sheet"
        elif position is None or field is None:
            why = "there is no such column"
        # checked again here, because only with the file's heading is the field of the column known for certain
        elif personal_rule(cell.was, field) or personal_rule(cell.becomes, field):
            why = "it may hold personal data, which no correction may hide"
        elif position in self._pending.get(cell.row, {}):
            why = "the cell is corrected twice"
        else:
            self._pending.setdefault(cell.row, {})[position] = cell
            return
        self._rejected.append(self._no_cell(cell, why))

    def _position(self, column: str) -> int | None:
        """The position of a column that is given by its heading or, failing that, by its letter."""
        by_heading = [i for i, c in enumerate(self.layout.columns) if c.heading and fold(c.heading) == fold(column)]
        by_letter = [i for i, c in enumerate(self.layout.columns) if c.letter == column.upper()]
        return next(iter(by_heading + by_letter), None)

    def _at(self, position: int) -> tuple[Column, Field]:
        column = self.layout.columns[position]
        return column, self.contract.by_name[column.field]

    def _applied(self, cell: CellCorrection, position: int) -> Finding:
        column, field = self._at(position)
        was, becomes = (self._redact(text, field) for text in (cell.was, cell.becomes))
        hidden = was is None or becomes is None
        return Finding(
            APPLIED,
            Severity.WARNING,
            source_row=cell.row,
            field=field.name,
            column=column,
            found=was,
            hidden=hidden,
            suggestion=None if hidden else becomes,
        )

    def _mismatch(self, cell: CellCorrection, position: int, text: str) -> Finding:
        column, field = self._at(position)
        found = self._redact(text, field)
        return Finding(NOT_APPLIED, Severity.WARNING, cell.row, field.name, column, found, hidden=found is None)

    def _no_cell(self, cell: CellCorrection, why: str) -> Finding:
        position = self._position(cell.column)
        column = None if position is None else self.layout.columns[position]
        field = column.field if column else ""
        return Finding(NOT_APPLIED, Severity.WARNING, None, field, column, f"row {cell.row}: {why}")

    def _redact(self, text: str, field: Field) -> str | None:
        """What a finding may show of a cell; None where the text may be personal."""
        if (text, field.name) not in self._redacted:
            found = None if personal_rule(text, field) else redact_text(text, field, self.contract, self.cut_off)
            self._redacted[text, field.name] = found if found is None else (found.strip()[:MAX_FOUND_LENGTH] or NOTHING)
        return self._redacted[text, field.name]


def _with(position: int, texts: dict[int, str]) -> pl.Expr:
    """The column with new texts in some rows (`source_row` -> text)."""
    row = pl.col("source_row")
    return (
        pl.when(row.is_in(list(texts)))
        .then(row.replace_strict(texts, default=None, return_dtype=pl.String))
        .otherwise(pl.col(str(position)))
        .alias(str(position))
    )
