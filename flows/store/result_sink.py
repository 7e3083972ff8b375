"""Protocol for a sink of accepted rows, held rows and findings; and sinks that store nothing on disk."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Protocol

import polars as pl

from flows.deliveries.findings import FINDING_TYPES, NO_FINDINGS

ACCEPTED, HELD, FINDINGS = "accepted.parquet", "held.parquet", "findings.parquet"
# The columns of findings that may repeat a cell's value, and what replaces it where a file holds personal data.
REDACTED: Mapping[str, bool | None] = {"found": None, "suggestion": None, "hidden": True}


class RowsLost(Exception):  # noqa: N818 - it says what happened
    """Validation lost or gained a row: a bug, of which no validation result may be stored."""


class ResultSink(Protocol):
    """Takes in one validation result, batch by batch."""

    @property
    def counts(self) -> Mapping[str, int]:
        """The number of rows by part (ACCEPTED, HELD), with rows that were moved counted where they end up."""

    def accept(self, rows: pl.DataFrame) -> None:
        """Add accepted rows."""

    def hold(self, rows: pl.DataFrame) -> None:
        """Add held rows."""

    def add_findings(self, findings: pl.DataFrame) -> None:
        """Add findings (columns of FINDING_TYPES)."""

    def move(self, to_held: pl.Series, dropped: pl.Series) -> None:
        """Take accepted rows out again, by source row: `to_held` are held after all, `dropped` are repeated rows."""

    def start_over(self) -> None:
        """Discard everything added so far: the file is read again in another way."""

    def remove_findings(self, rules: Collection[str], number: int) -> None:
        """Remove the findings of some rules, `number` in all: one finding about the file replaces them."""

    def refuse(self, *, keep_rows: bool) -> None:
        """Accept no row: all are held, or discarded with every value in findings if the file holds personal data."""


class CountingSink:
    """A sink for a result that is not stored: it keeps findings, and of rows only their number (`pilots check`)."""

    def __init__(self) -> None:
        self.start_over()

    def start_over(self) -> None:
        """Set all counts to 0 and discard the findings."""
        self.counts = {ACCEPTED: 0, HELD: 0}
        self._findings = [NO_FINDINGS]
        self._is_redacted = False
        self._removed_rules: Collection[str] = ()

    @property
    def findings(self) -> pl.DataFrame:
        """The findings (columns of FINDING_TYPES)."""
        findings = pl.concat(self._findings).filter(~pl.col("rule_id").is_in(list(self._removed_rules)))
        if self._is_redacted:
            findings = findings.with_columns(pl.lit(v, FINDING_TYPES[n]).alias(n) for n, v in REDACTED.items())
        return findings

    def accept(self, rows: pl.DataFrame) -> None:
        """Count accepted rows."""
        self.counts[ACCEPTED] += len(rows)

    def hold(self, rows: pl.DataFrame) -> None:
        """Count held rows."""
        self.counts[HELD] += len(rows)

    def add_findings(self, findings: pl.DataFrame) -> None:
        """Add findings."""
        self._findings.append(findings.select(*FINDING_TYPES))

    def move(self, to_held: pl.Series, dropped: pl.Series) -> None:
        """Count rows as held or as repeated instead of accepted, without checking that they were accepted."""
        self.counts[ACCEPTED] -= len(to_held) + len(dropped)
        self.counts[HELD] += len(to_held)

    def remove_findings(self, rules: Collection[str], number: int) -> None:
        """Remove the findings of some rules."""
        self._removed_rules = rules

    def refuse(self, *, keep_rows: bool) -> None:
        """Count every row as held; redact the findings where the file holds personal data."""
        self.counts = {ACCEPTED: 0, HELD: sum(self.counts.values()) if keep_rows else 0}
        self._is_redacted = not keep_rows


class RowsInMemory(CountingSink):
    """Counts rows as CountingSink does, and keeps the columns of accepted rows that the rules between rows read.

    Of all rows, held ones too, it keeps the columns `of_all`: those by which confirmations are matched.
    """

    def __init__(self, columns: Collection[str], of_all: Collection[str] = ()) -> None:
        self._columns, self._of_all = ["source_row", *columns], ["source_row", *of_all] if of_all else []
        super().__init__()

    def start_over(self) -> None:
        """Discard everything added so far."""
        super().start_over()
        self._rows: list[pl.DataFrame] = []
        self._all_rows: list[pl.DataFrame] = []
        self._moved = pl.Series(dtype=pl.Int64)

    def accept(self, rows: pl.DataFrame) -> None:
        """Count accepted rows, and keep their columns."""
        super().accept(rows)
        self._rows.append(rows.select(self._columns))
        self._keep(rows)

    def hold(self, rows: pl.DataFrame) -> None:
        """Count held rows, and keep what is kept of all rows."""
        super().hold(rows)
        self._keep(rows)

    def _keep(self, rows: pl.DataFrame) -> None:
        if self._of_all:
            self._all_rows.append(rows.select(self._of_all))

    def some_rows(self, source_rows: Collection[int], columns: Collection[str]) -> pl.DataFrame:
        """Some rows, accepted or held, with some of the columns kept of all."""
        rows = pl.concat(self._all_rows).select("source_row", *sorted(columns))
        return rows.filter(pl.col("source_row").is_in(list(source_rows)))

    def move(self, to_held: pl.Series, dropped: pl.Series) -> None:
        """Count rows as held or as repeated, and keep them no longer."""
        super().move(to_held, dropped)
        self._moved = pl.concat([self._moved, to_held, dropped])

    def refuse(self, *, keep_rows: bool) -> None:
        """Count every row as held, and discard the kept ones."""
        super().refuse(keep_rows=keep_rows)
        self._rows = []

    def take_rows(self) -> Iterator[pl.DataFrame]:
        """Yield the accepted rows batch by batch, and free each batch as it is yielded."""
        while self._rows:
            rows = self._rows.pop(0)
            yield rows.filter(~pl.col("source_row").is_in(self._moved.implode()))
