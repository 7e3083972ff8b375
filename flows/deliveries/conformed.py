"""What conforming makes of a file: which column is which field, and batches of rows with their types."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from flows.cells.date_orders import DatesSeen
from flows.cells.distinct_column import DistinctColumn
from flows.deliveries.findings import Finding
from schemas._contract.model import Severity
from schemas.audit.deliveries import Column


@dataclass
class Layout:
    """Which column of a file is which field, and what is wrong with the heading."""

    columns: tuple[Column, ...]
    positions: dict[str, int]  # field -> position in the file
    findings: list[Finding]
    version_column: int | None = None  # where the version of the form is stated, if it is (rule F24)
    as_written: tuple[str, ...] = ()  # the headings themselves: to know them again, never to be shown
    is_marked: bool = False  # a workbook that the warehouse gave back with its problems marked

    @property
    def refused(self) -> bool:
        """Whether the heading alone refuses the file. Its rows are validated all the same."""
        return any(f.severity == Severity.FILE for f in self.findings)

    @property
    def sounds_personal(self) -> bool:
        """Whether a column nobody asked for may hold personal data (F11): then nothing of the file is kept or shown."""
        return any(f.rule_id == "F11" and f.severity == Severity.FILE for f in self.findings)

    @property
    def unread(self) -> frozenset[str]:
        """The fields that the file should hold and cannot be read from it: their column is missing or there twice.

        The heading says so once (F09, F12): no row is found at fault for it.
        """
        return frozenset(f.field for f in self.findings if f.rule_id in ("F09", "F12") and f.field)

    def column_of(self, field: str) -> Column | None:
        """The file's column that holds a field."""
        position = self.positions.get(field)
        return None if position is None else self.columns[position]


@dataclass
class TypedBatch:
    """Some rows of a file with their types: the contract's fields and `source_row`, torn and empty rows left out.

    `cells` holds the same rows as the sender wrote them, column by column. `unreadable` names the cells that could not
    be given a type (source_row, field): what depends on them cannot be checked.
    """

    rows: pl.DataFrame
    cells: dict[str, DistinctColumn]
    findings: pl.DataFrame
    unreadable: pl.DataFrame
    malformed: list[int]
    not_data: int
    dates: dict[str, DatesSeen] = field(default_factory=dict)  # of each date column: how its dates are written
    form_versions: set[str] = field(default_factory=set)  # what the column `schema_version` says, if there is one
