"""Findings: their columns, and the one builder of them for every step.

The columns are those of `audit.findings`, stated in `schemas/audit/findings.py`; `flows/store/findings.py` puts
findings into that table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from schemas._contract.polars_types import polars_type
from schemas.audit.deliveries import Column
from schemas.audit.findings import CONTRACT as FINDINGS
from schemas.audit.findings import Outcome

# The columns of a findings frame: those of audit.findings, but for the delivery, which is known from its address.
FINDING_TYPES: dict[str, pl.DataType] = {f.name: polars_type(f) for f in FINDINGS.fields if f.name != "delivery_id"}
NO_FINDINGS = pl.DataFrame(schema=FINDING_TYPES)  # most columns of most files give none, and frames take long to make
ROW_BY_ROW = ""  # in place of a rule, a severity or a sheet that differs from row to row


@dataclass(frozen=True)
class Finding:
    """One finding, or what many findings have in common."""

    rule_id: str
    severity: str
    source_row: int | None = None
    field: str = ""
    column: Column | None = None
    found: str | None = None
    hidden: bool = False
    suggestion: str | None = None
    outcome: str = Outcome.BROKEN

    def to_row(self, sheet: str) -> dict[str, Any]:
        """The finding as a row of a findings frame."""
        return {
            "rule_id": self.rule_id,
            "severity": str(self.severity),
            "outcome": str(self.outcome),
            "sheet": sheet,
            "source_row": self.source_row,
            "column_letter": self.column.letter if self.column else None,
            "column_name": self.column.heading if self.column else None,
            "field": self.field,
            "found": None if self.hidden else self.found,
            "hidden": self.hidden,
            "suggestion": self.suggestion,
        }


def findings_frame(findings: Sequence[Finding], sheet: str) -> pl.DataFrame:
    """Single findings as a frame with the columns of FINDING_TYPES."""
    if not findings:
        return NO_FINDINGS
    return pl.DataFrame([f.to_row(sheet) for f in findings], schema=FINDING_TYPES, orient="row")


def findings_of_rows(rows: pl.DataFrame, finding: Finding, sheet: str) -> pl.DataFrame:
    """One finding for each of many rows: what `rows` has columns for differs from row to row, the rest is `finding`."""
    if rows.is_empty():
        return NO_FINDINGS
    alike = finding.to_row(sheet)
    return rows.select(
        pl.col(name) if name in rows.columns else pl.lit(alike[name], kind).alias(name)
        for name, kind in FINDING_TYPES.items()
    )
