"""Protocol for a sink of accepted rows, held rows and findings, and sinks that store nothing on disk."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Protocol

import polars as pl

from flows.deliveries.findings import FINDING_TYPES, NO_FINDINGS

ACCEPTED, HELD, FINDINGS = "accepted.parquet", "held.parquet", "findings.parquet"
# What is said of what stood in a cell, where nothing of the rows is kept: columns of the findings.
REDACTED: Mapping[str, bool | None] = {"found": None, "suggestion": None, "hidden": True}


class RowsLost(Exception):  # noqa: N818 - it says what happened
    """Validating lost or gained a row: a fault of ours, and no validation result."""


class ResultSink(Protocol):
    """Takes in one validation result, batch by batch."""

    @property
    def counts(self) -> Mapping[str, int]:
        """How many rows each part has, once what was moved is where it belongs."""

    def accept(self, rows: pl.DataFrame) -> None:
        """Take in accepted rows."""

    def hold(self, rows: pl.DataFrame) -> None:
        """Take in held rows."""

    def find(self, findings: pl.DataFrame) -> None:
        """Take in findings."""

    def move(self, to_held: pl.Series, dropped: pl.Series) -> None:
        """Take rows out of the accepted ones: some are held after all, some are repeats and belong nowhere."""

    def start_over(self) -> None:
        """Forget all that was taken in: the file is read again, in another way."""

    def forget(self, rules: Collection[str], number: int) -> None:
        """Take back the findings of some rules, so many in all: something else explains them."""

    def refuse(self, *, keep_rows: bool) -> None:
        """Accept nothing. Nothing that stood there is told where the rows are not kept: the file is personal."""


class CountingSink:
    """A result that is looked at and not kept: of its rows only the numbers, so a check writes nothing on disk."""

    def __init__(self) -> None:
        self.start_over()

    def start_over(self) -> None:
        """Forget all that was counted."""
        self.counts = {ACCEPTED: 0, HELD: 0}
        self._findings = [NO_FINDINGS]
        self._hidden = False
        self._forgotten: Collection[str] = ()

    @property
    def findings(self) -> pl.DataFrame:
        """The findings (columns of FINDING_TYPES)."""
        found = pl.concat(self._findings).filter(~pl.col("rule_id").is_in(list(self._forgotten)))
        if self._hidden:
            found = found.with_columns(pl.lit(v, FINDING_TYPES[n]).alias(n) for n, v in REDACTED.items())
        return found

    def accept(self, rows: pl.DataFrame) -> None:
        """Count accepted rows."""
        self.counts[ACCEPTED] += len(rows)

    def hold(self, rows: pl.DataFrame) -> None:
        """Count held rows."""
        self.counts[HELD] += len(rows)

    def find(self, findings: pl.DataFrame) -> None:
        """Take in findings."""
        self._findings.append(findings.select(*FINDING_TYPES))

    def move(self, to_held: pl.Series, dropped: pl.Series) -> None:
        """Count rows anew that are held after all, or left out; whether they were there is not seen here."""
        self.counts[ACCEPTED] -= len(to_held) + len(dropped)
        self.counts[HELD] += len(to_held)

    def forget(self, rules: Collection[str], number: int) -> None:
        """Leave out the findings of some rules."""
        self._forgotten = rules

    def refuse(self, *, keep_rows: bool) -> None:
        """Count every row as held; hide what was found where the file holds personal data."""
        self.counts = {ACCEPTED: 0, HELD: sum(self.counts.values()) if keep_rows else 0}
        self._hidden = not keep_rows


class RowsInMemory(CountingSink):
    """Counts rows as Unkept does, and keeps some columns of the accepted ones: those that rules between rows read."""

    def __init__(self, columns: Collection[str]) -> None:
        self._columns = ["source_row", *columns]
        super().__init__()

    def start_over(self) -> None:
        """Forget all that was taken in."""
        super().start_over()
        self._rows: list[pl.DataFrame] = []
        self._moved = pl.Series(dtype=pl.Int64)

    def accept(self, rows: pl.DataFrame) -> None:
        """Count accepted rows, and keep them."""
        super().accept(rows)
        self._rows.append(rows.select(self._columns))

    def move(self, to_held: pl.Series, dropped: pl.Series) -> None:
        """Count rows anew that are held after all, or left out, and keep them no longer."""
        super().move(to_held, dropped)
        self._moved = pl.concat([self._moved, to_held, dropped])

    def refuse(self, *, keep_rows: bool) -> None:
        """Count every row as held, and keep none."""
        super().refuse(keep_rows=keep_rows)
        self._rows = []

    def take_rows(self) -> Iterator[pl.DataFrame]:
        """The accepted rows, a part at a time. None is kept longer than it takes to give it."""
        while self._rows:
            rows = self._rows.pop(0)
            yield rows.filter(~pl.col("source_row").is_in(self._moved.implode()))
