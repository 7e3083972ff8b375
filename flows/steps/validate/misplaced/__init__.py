"""Misplaced values: swapped, copied and shifted columns, and values on the first row of a group alone (F50-F53, F55).

Evidence is gathered batch by batch and decided at the end. It is then known for a second validation of the file, in
which those cells are not read (`withhold.py`).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import polars as pl

from flows.deliveries.conformed import Layout, TypedBatch
from flows.deliveries.context import FileKnowledge, Misplaced
from flows.deliveries.findings import Finding
from flows.steps.validate.misplaced.columns import ColumnEvidence
from flows.steps.validate.misplaced.date_columns import DateOrderEvidence
from flows.steps.validate.misplaced.forms import fields_in_order, sampled
from flows.steps.validate.misplaced.groups import GroupEvidence
from flows.steps.validate.misplaced.naming import ColumnNames
from flows.steps.validate.misplaced.references import ReferenceEvidence
from flows.steps.validate.misplaced.same_columns import SameColumns
from flows.steps.validate.misplaced.shifts import ShiftEvidence
from flows.steps.validate.misplaced.usual_values import UsualValues
from flows.steps.validate.misplaced.withhold import findings_about_misplaced, grouped_findings, withhold_misplaced
from schemas._contract.model import Contract, Severity

MIN_SHARE_AT_FAULT = 0.05  # of a batch's rows: with fewer, the forms of its cells are not looked at
__all__ = ["MisplacedEvidence", "findings_about_misplaced", "grouped_findings", "withhold_misplaced"]


class MisplacedEvidence:
    """Gathers all evidence of misplaced values: `add` each batch, then `decide`."""

    def __init__(self, contract: Contract, layout: Layout) -> None:
        self.contract, self.layout = contract, layout
        fields = fields_in_order(layout)
        self.names = ColumnNames(contract, layout, fields)
        self._columns = ColumnEvidence(fields)
        self._shifts = ShiftEvidence(fields, layout)
        self._references = ReferenceEvidence(contract, layout)
        self._dates = DateOrderEvidence(contract, layout)
        self._groups = GroupEvidence(contract, layout)
        self._same = SameColumns(contract, layout)
        self._usual = UsualValues(contract, layout)

    def add(self, typed: TypedBatch, findings: pl.DataFrame) -> None:
        """Add a batch with its findings."""
        self._references.add(typed)
        self._usual.add(typed)
        at_fault = findings.filter(pl.col("severity") == Severity.ROW, pl.col("field") != "")
        faults = Counter({(r, f): n for r, f, n in at_fault.group_by("rule_id", "field").len().iter_rows()})
        self._groups.add(typed, faults)
        self._same.add(typed, faults)
        if at_fault["source_row"].n_unique() <= MIN_SHARE_AT_FAULT * len(typed.rows):
            return
        sample = sampled(typed, self.layout, self.contract)
        self._columns.add(sample, len(typed.rows))
        self._shifts.add(sample)
        self._dates.add(typed, faults)

    def same_columns(self, known: FileKnowledge) -> list[Finding]:
        """The warnings about columns that are the same on every row."""
        return self._same.findings(self.names, self.layout, known.unread)

    def decide(self, rows: int) -> FileKnowledge:
        """Decide what is misplaced in a file of `rows` rows. A column is explained only once."""
        shift = self._shifts.decide(rows, self.names)
        found = self._columns.decide(rows, self.names)
        if shift and (moved := self._below_missing_heading(shift)):
            return FileKnowledge(misplaced=(replace(shift, rule_id="", fields=(*moved, *shift.fields)),))
        swapped = FileKnowledge(misplaced=tuple(cells for cells in found if cells.rule_id == "F50")).unread
        if shift and not self._shifts.proving <= swapped:  # two swapped neighbours look like a short shift
            found = [shift]
        else:
            for decide in (self._references.decide, self._same.copied, self._dates.decide, self._usual.decide):
                found += decide(self.names, FileKnowledge(misplaced=tuple(found)).unread)
        grouped = self._groups.decide(rows)
        if grouped and not FileKnowledge(misplaced=tuple(found)).unread & {*grouped.grouped}:
            return FileKnowledge(misplaced=tuple(found), grouped=grouped.grouped, many_grouped=grouped.many_grouped)
        return FileKnowledge(misplaced=tuple(found))

    def _below_missing_heading(self, shift: Misplaced) -> tuple[str, ...]:
        """The field whose column holds the values of a missing field, left of those that seem to be shifted.

        A heading was then deleted, and those behind it moved to the left: its own finding says that it is missing.
        """
        order = [f.name for f in self.contract.fields if f.column_is_required or f.name in self.layout.positions]
        i = order.index(shift.field)
        is_missing = i > 1 and order[i - 2] not in self.layout.positions
        return (order[i - 1],) if is_missing and not shift.first_row else ()
