"""The output of conforming a file: which column holds which field, and batches of typed rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from flows.cells.date_orders import DateEvidence
from flows.cells.distinct_column import DistinctColumn
from flows.cells.reading.column_forms import FormEvidence
from flows.deliveries.findings import Finding
from schemas._contract.model import Severity
from schemas.audit.deliveries import Column

NO_CELLS = pl.DataFrame(schema={"source_row": pl.Int64, "field": pl.String, "text": pl.String})
UNREAD_RULES = ("F09", "F12", "F41")  # about a field that cannot be read


@dataclass
class Layout:
    """Which column of a file holds which field, and the findings about its heading."""

    columns: tuple[Column, ...]
    positions: dict[str, int]  # field -> position in the file
    findings: list[Finding]
    version_column: int | None = None  # position of the column with the version of the form, if there is one (rule F24)
    as_written: tuple[str, ...] = ()  # the headings as sent, to recognise them; never to be shown
    right_of_table: int | None = None  # position where another table begins, right of this one (rule F36)
    is_marked: bool = False  # a workbook that the warehouse gave back with its problems marked
    is_too_short: bool = False  # the lines have more cells than the heading, although it is complete (rule F43)
    not_read: frozenset[str] = frozenset()  # fields that a finding about the whole heading keeps from being read
    date_orders: Mapping[str, str] = field(default_factory=dict)  # by date field: what a hint in its heading says

    @property
    def refused(self) -> bool:
        """Whether the heading alone refuses the file. Its rows are validated all the same, to report all faults."""
        return any(f.severity == Severity.FILE for f in self.findings)

    @property
    def may_be_personal(self) -> bool:
        """Whether an unexpected column may hold personal data (F11): then no value of the file is stored or shown."""
        return any(f.rule_id == "F11" and f.severity == Severity.FILE for f in self.findings)

    @property
    def reads_nothing(self) -> bool:
        """Whether no cell of the file is read as a field, because a finding about all of it refuses it."""
        return not self.positions and bool(self.not_read)

    @property
    def unread(self) -> frozenset[str]:
        """Expected fields that cannot be read, because their column is missing or there twice.

        One finding about the heading reports it (F09, F12, F41), and rows get none for it.
        """
        return self.not_read | {f.field for f in self.findings if f.rule_id in UNREAD_RULES and f.field}

    def column_of(self, field: str) -> Column | None:
        """The file's column that holds a field; None if there is none."""
        position = self.positions.get(field)
        return None if position is None else self.columns[position]


@dataclass
class TypedBatch:
    """Some rows of a file with types: the contract's fields and `source_row`, without malformed and empty rows.

    `cells` holds the text of the same rows as sent, by the column's position in the file. `unreadable` lists the cells
    that could not be converted (`source_row`, `field`): rules that depend on one cannot be checked.
    """

    rows: pl.DataFrame
    cells: dict[str, DistinctColumn]
    findings: pl.DataFrame
    unreadable: pl.DataFrame
    malformed: list[int]  # source rows that could not be split into the heading's columns
    not_data: int  # rows and lines left out: blank, totals, repeated headings, notes, other tables
    dates: dict[str, DateEvidence] = field(default_factory=dict)  # by date field: in which order dates are written
    forms: dict[str, FormEvidence] = field(default_factory=dict)  # by field: in which form its cells are written
    unfilled: pl.DataFrame = field(
        default_factory=lambda: NO_CELLS
    )  # cells that held a placeholder such as '< Select >', read as empty
    form_versions: set[str] = field(default_factory=set)  # values of the column `schema_version`, if there is one
