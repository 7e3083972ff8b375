"""The problems that a marked workbook shows: each finding with its cell, its value and the texts of its rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import polars as pl

from flows.deliveries.extract import SheetCells
from flows.reporting.render.marked.redacted_sheet import sheet_of
from flows.reporting.report import DatasetReport
from flows.reporting.words import workbook as words
from schemas._contract.model import Severity
from schemas._rules.deletions import DELETED_RULE
from schemas._rules.explain import RuleText, explain
from schemas.audit.findings import Outcome


@dataclass(frozen=True)
class Problem:
    """One finding to show in the workbook: its cell, its value and the texts of its rule."""

    sheet: str
    row: int  # from 1; 0 for the file
    line: int  # of a text file, where it is another number; else 0
    letter: str  # '' for the whole row or file
    column: str
    found: str
    hidden: bool
    suggestion: str
    must: bool
    text: RuleText
    rule_id: str
    code: str = ""  # by which it can be confirmed; '' where it cannot

    @property
    def order(self) -> tuple[Any, ...]:
        """Sort key: what must be fixed first, then the order of the file."""
        return not self.must, self.sheet, self.row, len(self.letter), self.letter, self.rule_id

    @property
    def cell(self) -> str:
        """The address: 'E5', 'row 5' or 'whole file'."""
        return words.place(self.letter, self.row)

    @property
    def target(self) -> str:
        """The cell that a link jumps to."""
        return f"{self.letter or 'A'}{self.row or 1}"

    @property
    def comment(self) -> str:
        """The text of the cell's comment."""
        return words.note(self.text, self.rule_id, self.suggestion, must=self.must)


def problems_of(part: DatasetReport, sheets: Sequence[SheetCells]) -> Iterator[Problem]:
    """The broken rules of one dataset, each finding a problem."""

    @cache
    def text(rule_id: str, field: str, severity: str, letter: str) -> RuleText:
        return explain(part.contract, rule_id, field, severity, letter, part.verdict.header_row or None)

    for f in part.findings.filter(pl.col("outcome") == Outcome.BROKEN).iter_rows(named=True):
        # a finding about a column has no row: it is shown at the column's heading
        row = f["source_row"] or (part.verdict.header_row if f["column_letter"] else 0)
        yield Problem(
            sheet=sheet_of(part, sheets),
            row=row,
            line=f["line"] if f.get("line") not in (None, row) else 0,
            letter=f["column_letter"] or "",
            column=f["column_name"] or f["field"] or "",
            found="" if f["hidden"] else f["found"] or "",
            hidden=f["hidden"],
            suggestion="" if f["hidden"] else f["suggestion"] or "",
            must=f["severity"] != Severity.WARNING and f["rule_id"] != DELETED_RULE,
            text=text(f["rule_id"], f["field"], f["severity"], f["column_letter"] or ""),
            rule_id=f["rule_id"],
            code=_code(f, part),
        )


def _code(finding: Mapping[str, Any], part: DatasetReport) -> str:
    """The code by which a finding can be confirmed; '' where it cannot."""
    row = finding.get("line") or finding["source_row"]  # as the file was read
    is_warning = finding["severity"] == Severity.WARNING
    return part.to_confirm.get((finding["rule_id"], finding["field"], row), "") if is_warning else ""
