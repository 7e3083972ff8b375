"""One extract while it is being written: rows with their faults, and the findings to expect of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import polars as pl

from flows.simulator.faults.fault import FaultContext, FaultKind
from flows.simulator.faults.planting import Planted, plant_faults
from flows.simulator.files.shapes import Shape
from flows.simulator.files.writing import ExtractFile
from schemas._contract.model import Contract, Kind, Severity

TRUTH_COLUMNS = ("file", "sheet", "source_row", "column", "field", "rule_id", "severity", "fault")
NOT_DATA = ("F05", "F06", "F07")  # rows that a manifest does not count: repeated headings, totals, blank rows
IN_PENCE = "amounts in pence"


@dataclass
class OpenExtract:
    """One extract while it is being written."""

    file: ExtractFile
    contract: Contract
    fields: list[str]
    headings: list[str]
    context: FaultContext
    month: int
    version: int
    refusal: str
    share: float
    fault_kinds: tuple[FaultKind, ...]
    so_far: Counter[str] = field(default_factory=Counter)
    data_rows: int = 0
    content: Any = field(default_factory=sha256)  # hash of the records, without titles, blank rows and the like
    truth: list[tuple[object, ...]] = field(default_factory=list)

    def expect(self, row: int | str, name: str, rule_id: str, severity: str, fault: str) -> None:
        """Record a finding to expect."""
        column = self.headings[self.fields.index(name)] if name in self.fields else ""
        self.truth.append((self.file.path.name, self.file.sheet, row, column, name, rule_id, severity, fault))


def write_rows(rows: pl.DataFrame, planted: list[Planted], opened: OpenExtract) -> None:
    """Write a batch with its faults, and record the findings to expect."""
    texts, located = plant_faults(rows.select(opened.fields), planted)
    first = opened.file.next_row
    opened.file.append(texts)
    opened.data_rows += len(texts)
    not_data = {finding.offset for finding in located if finding.kind.rule_id in NOT_DATA}
    records = texts.filter([n not in not_data for n in range(len(texts))])
    opened.content.update(records.write_csv(include_header=False).encode())
    for finding in located:
        kind = finding.kind
        opened.data_rows -= kind.rule_id in NOT_DATA
        opened.expect(first + finding.offset, kind.field, kind.rule_id, kind.severity, kind.fault)


def write_in_pence(rows: pl.DataFrame, opened: OpenExtract) -> None:
    """Write amounts in pence: every row is held, and so the file is (rules M01 and L03)."""
    rules = (r for r in opened.contract.rules if r.rule_id == "M01" and r.violations_sql)
    rule = next(r for r in rules if r.severity is Severity.ROW)
    amounts = pl.col(f.name for f in opened.contract.fields if f.kind is Kind.MONEY)
    first = opened.file.next_row
    write_rows(rows.with_columns(amounts.str.replace(".", "", literal=True).cast(pl.Int64).cast(pl.String)), [], opened)
    for offset in range(len(rows)):
        opened.expect(first + offset, rule.field, rule.rule_id, str(rule.severity), IN_PENCE)
    opened.truth.append((opened.file.path.name, opened.file.sheet, "", "", "", "L03", str(Severity.FILE), IN_PENCE))


def record_shape(opened: OpenExtract, shape: Shape) -> None:
    """Record the findings that the form of the file gives."""
    if shape.title_lines:
        opened.expect(shape.title_lines + 1, "", "F04", str(Severity.WARNING), "shape")
    for name, heading in zip(opened.fields, opened.headings, strict=True):
        if heading != name:
            opened.expect("", name, "F10", str(Severity.WARNING), "shape")
