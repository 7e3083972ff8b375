"""Findings: their columns, and the one builder of them for every step.

The columns are those of `audit.findings`, stated in `schemas/audit/findings.py`; `flows/store/findings_table.py` puts
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

# The columns of a findings frame: those of audit.findings without `delivery_id`, which is added when they are loaded.
FINDING_TYPES: dict[str, pl.DataType] = {f.name: polars_type(f) for f in FINDINGS.fields if f.name != "delivery_id"}
NO_FINDINGS = pl.DataFrame(
    schema=FINDING_TYPES
)  # one shared frame: most columns of most files have no finding, and making a frame is slow
NO_HEADING = "a column without a heading"  # what was found of a column (rule F11)
ROW_BY_ROW = ""  # placeholder for a rule, severity or sheet that a column of the rows gives


@dataclass(frozen=True)
class Finding:
    """One finding, or the values that many findings have in common (see `findings_of_rows`)."""

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
    """Make a frame of findings (columns of FINDING_TYPES)."""
    if not findings:
        return NO_FINDINGS
    return pl.DataFrame([f.to_row(sheet) for f in findings], schema=FINDING_TYPES, orient="row")


def findings_of_rows(rows: pl.DataFrame, finding: Finding, sheet: str) -> pl.DataFrame:
    """Make a finding of each row: columns that `rows` has are taken from it, the others from `finding`."""
    if rows.is_empty():
        return NO_FINDINGS
    in_common = finding.to_row(sheet)
    return rows.select(
        pl.col(name) if name in rows.columns else pl.lit(in_common[name], kind).alias(name)
        for name, kind in FINDING_TYPES.items()
    )
