"""The store of validation results: a folder of Parquet files (accepted, held, findings) for each result key.

Until a file has been searched for personal data to its end, its rows are in temporary files without a name, so a killed
process leaves none of them on disk. The finished files are written under `unfinished/` and their folder is renamed, so
a validation result exists completely or not at all.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import uuid
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from pathlib import Path
from typing import IO

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from flows.deliveries.findings import FINDING_TYPES
from flows.runtime.parallel import prefetch
from flows.store.durable import sync
from flows.store.paths import VERDICT, DataPaths
from flows.store.result_sink import ACCEPTED, FINDINGS, HELD, REDACTED, RowsLost
from schemas.audit.deliveries import Verdict

ROW_GROUP = 122_880  # rows: DuckDB's own size of a row group; it reads one on each of its threads


@dataclass(frozen=True)
class ResultStore:
    """The validation results of one data folder."""

    paths: DataPaths

    def folder(self, key: str) -> Path:
        """The folder of a validation result."""
        return self.paths.result(key)

    def verdict(self, key: str) -> Verdict:
        """The verdict of a validation result. Raises FileNotFoundError if there is no such result."""
        return Verdict.from_json(json.loads((self.folder(key) / VERDICT).read_text(encoding="utf-8")))

    def accepted(self, key: str) -> Path:
        """The Parquet file of accepted rows."""
        return self.folder(key) / ACCEPTED

    def findings(self, key: str) -> pl.DataFrame:
        """The findings of a validation result (columns of FINDING_TYPES)."""
        return pl.read_parquet(self.findings_path(key))

    def findings_path(self, key: str) -> Path:
        """The Parquet file of findings."""
        return self.folder(key) / FINDINGS

    def sweep(self, wanted: set[str]) -> list[str]:
        """Delete the results whose keys are not `wanted` any more. Returns the keys that were deleted.

        A delivery has another key once a rule, a code list or a correction has changed; the result under
        the old one still holds the delivery's rows.
        """
        unused = [p for p in self.paths.results.glob("*/*") if p.name not in wanted]
        for folder in unused:
            shutil.rmtree(folder)
        return [p.name for p in unused]

    def open(self, key: str, types: dict[str, pl.DataType], distinct: Sequence[str] = ()) -> ResultWriter:
        """Open a writer for a result with the columns `types`; in the columns `distinct` nearly all values differ."""
        self.paths.unfinished.mkdir(parents=True, exist_ok=True)
        folder = self.paths.unfinished / f"{key[:12]}-{uuid.uuid4().hex[:8]}"
        return ResultWriter(folder, self.folder(key), types, distinct)


class _UnnamedFile:
    """Rows in a temporary file without a name, which is gone when closed, or when the process ends.

    They are written as Arrow while rows may still be taken out: writing and reading that costs a tenth of Parquet,
    which is written once, by `write_parquet`.
    """

    def __init__(self, folder: Path, types: dict[str, pl.DataType], distinct: Sequence[str] = ()) -> None:
        self._names, self._distinct = list(types), distinct
        self._schema = _arrow_schema(tuple(types.items()))
        self._file: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by `close`
        self._writer = pa.ipc.new_stream(self._file, self._schema)
        self._changes: list[Callable[[pa.RecordBatch], pa.RecordBatch]] = []
        self.rows = 0

    def write(self, frame: pl.DataFrame) -> None:
        """Append rows."""
        if frame.is_empty():
            return
        table = frame.select(self._names).to_arrow()
        for batch in (table if table.schema == self._schema else table.cast(self._schema)).to_batches():
            self.add(batch)

    def add(self, rows: pa.RecordBatch) -> None:
        """Append rows that have the file's Arrow schema already."""
        if len(rows):
            self._writer.write_batch(rows)
            self.rows += len(rows)

    def change(self, function: Callable[[pa.RecordBatch], pa.RecordBatch]) -> None:
        """Register a function that each batch passes through before it is written as Parquet."""
        self._changes.append(function)

    def write_parquet(self, path: Path) -> int:
        """Write the rows as a Parquet file, and close the temporary one. Returns their number."""
        # where nearly all values differ a dictionary only makes the file larger; statistics of codes would be of no use
        repetitive = [name for name in self._names if name not in self._distinct]
        with pq.ParquetWriter(
            path, self._schema, compression="zstd", use_dictionary=repetitive, write_statistics=list(self._distinct)
        ) as parquet:
            written = 0
            for group in prefetch(_row_groups(self._changed_batches())):
                parquet.write_table(group, row_group_size=len(group))
                written += len(group)
        self.close()
        return written

    def _changed_batches(self) -> Iterator[pa.RecordBatch]:
        self._writer.close()
        self._file.seek(0)
        for batch in pa.ipc.open_stream(self._file):
            rows = reduce(lambda rows, change: change(rows), self._changes, batch)
            if len(rows):
                yield rows

    def close(self) -> None:
        """Close the file, which deletes it."""
        self._file.close()


@lru_cache
def _arrow_schema(types: tuple[tuple[str, pl.DataType], ...]) -> pa.Schema:
    return pl.DataFrame(schema=dict(types)).to_arrow().schema


def _row_groups(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Regroup batches into tables of ROW_GROUP rows; the last has the rest."""
    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        waiting.append(batch)
        while sum(map(len, waiting)) >= ROW_GROUP:
            table = pa.Table.from_batches(waiting)
            yield table.slice(0, ROW_GROUP)
            waiting = table.slice(ROW_GROUP).to_batches()
    if waiting:
        yield pa.Table.from_batches(waiting)


class ResultWriter:
    """Writes one validation result, batch by batch. A context manager: without `finish`, nothing is stored."""

    def __init__(
        self, folder: Path, destination: Path, types: dict[str, pl.DataType], distinct: Sequence[str] = ()
    ) -> None:
        self.folder, self.destination = folder, destination
        self._types, self._distinct = types, distinct
        self._files: dict[str, _UnnamedFile] = {}
        self.start_over()

    def __enter__(self) -> ResultWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start_over(self) -> None:
        """Discard everything added so far."""
        self._close()
        self._files = {name: _UnnamedFile(self.folder.parent, self._types, self._distinct) for name in (ACCEPTED, HELD)}
        self._files[FINDINGS] = _UnnamedFile(self.folder.parent, FINDING_TYPES)
        self._taken_out = self._moved = self._removed_findings = 0

    def _close(self) -> None:
        for file in self._files.values():
            file.close()

    @property
    def counts(self) -> dict[str, int]:
        """The number of rows by part, as `finish` will write them."""
        changes = {ACCEPTED: -self._taken_out, HELD: self._moved, FINDINGS: -self._removed_findings}
        return {name: file.rows + changes[name] for name, file in self._files.items()}

    def accept(self, rows: pl.DataFrame) -> None:
        """Add accepted rows, in the order of the file: `move` finds rows by it."""
        self._files[ACCEPTED].write(rows)

    def hold(self, rows: pl.DataFrame) -> None:
        """Add held rows."""
        self._files[HELD].write(rows)

    def add_findings(self, findings: pl.DataFrame) -> None:
        """Add findings."""
        self._files[FINDINGS].write(findings)

    def move(self, to_held: pl.Series, dropped: pl.Series) -> None:
        """Take accepted rows out again, by source row: `to_held` are held after all, `dropped` are repeated rows."""
        held, removed = (np.sort(rows.to_numpy()) for rows in (to_held, pl.concat([to_held, dropped])))
        accepted, held_file = self._files[ACCEPTED], self._files[HELD]

        def without_removed(rows: pa.RecordBatch) -> pa.RecordBatch:
            source_row = rows["source_row"].to_numpy()
            held_file.add(rows.take(_positions_of(held, source_row)))
            stays = np.ones(len(source_row), bool)
            stays[_positions_of(removed, source_row)] = False
            return rows.filter(pa.array(stays))

        accepted.change(without_removed)
        self._taken_out, self._moved = len(removed), len(held)

    def remove_findings(self, rules: Collection[str], number: int) -> None:
        """Remove the findings of some rules, `number` in all: one finding about the file replaces them."""
        removed = list(rules)

        def of_other_rules(findings: pa.RecordBatch) -> pa.RecordBatch:
            rule = pl.Series(findings["rule_id"])
            return findings.filter(pa.array((~rule.is_in(removed)).to_numpy()))

        self._files[FINDINGS].change(of_other_rules)
        self._removed_findings = number

    def refuse(self, *, keep_rows: bool) -> None:
        """Accept no row: all are held, or discarded with every value in findings if the file holds personal data."""
        accepted, held = self._files[ACCEPTED], self._files[HELD]

        def no_rows(rows: pa.RecordBatch) -> pa.RecordBatch:
            if keep_rows:
                held.add(rows)
            return rows.slice(0, 0)

        # runs after what `move` registered: the rows that it took out are not held twice
        accepted.change(no_rows)
        left = accepted.rows - self._taken_out
        self._taken_out, self._moved = accepted.rows, self._moved + left if keep_rows else -held.rows
        if not keep_rows:
            held.change(lambda rows: rows.slice(0, 0))
            self._files[FINDINGS].change(_redacted)

    def finish(self, verdict: Verdict) -> None:
        """Write the result's files and rename their folder to its place: only now is anything of it in the store.

        Raises RowsLost if the numbers of rows written are not those that were counted.
        """
        self.folder.mkdir(mode=0o750)
        expected = self.counts
        # in this order: writing the accepted rows adds those that were moved to the held ones
        written = {name: file.write_parquet(self.folder / name) for name, file in self._files.items()}
        if written != expected:
            raise RowsLost(f"{written} rows were written, {expected} were due")
        # `write_whole` is not needed: the whole folder is renamed below, and the verdict is only read there
        (self.folder / VERDICT).write_text(json.dumps(verdict.to_json(), indent=1), encoding="utf-8")
        for path in (*self.folder.iterdir(), self.folder):
            sync(path)
        self.destination.parent.mkdir(parents=True, exist_ok=True)
        if self.destination.exists() and not (self.destination / VERDICT).exists():
            shutil.rmtree(self.destination)  # incomplete, and in the way of the rename
        try:
            self.folder.rename(self.destination)
        except OSError:  # another thread has stored the same result meanwhile: they are equal
            if not (self.destination / VERDICT).exists():
                raise
        sync(self.destination.parent)
        pa.default_memory_pool().release_unused()  # a large file's buffers go back to the system before the next file


def _positions_of(wanted: np.ndarray, source_row: np.ndarray) -> np.ndarray:
    """The positions of wanted source rows within a batch. Both arrays are in ascending order."""
    wanted = wanted[np.searchsorted(wanted, source_row[0]) : np.searchsorted(wanted, source_row[-1], "right")]
    positions = np.searchsorted(source_row, wanted)
    return positions[source_row[positions] == wanted]


def _redacted(findings: pa.RecordBatch) -> pa.RecordBatch:
    """Findings with their addresses and without any value of a cell."""
    for name, value in REDACTED.items():
        column = findings.schema.field(name)
        values = pa.repeat(pa.scalar(value, column.type), len(findings))
        findings = findings.set_column(findings.schema.get_field_index(name), column, values)
    return findings
