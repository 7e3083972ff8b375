"""The Parquet store: each validation result is a folder of accepted, held and findings, named after what it depends on.

While a file is still being searched for personal data, what is written of it has no name on the disk: a process that
is killed leaves nothing behind. The finished parts are put under `unfinished/` and renamed together, so a validation
result is there completely or not at all.
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

ROW_GROUP = 122_880  # rows: as many as DuckDB takes at a time, one group on each of its threads


@dataclass(frozen=True)
class ResultStore:
    """The validation results of one data folder."""

    paths: DataPaths

    def folder(self, key: str) -> Path:
        """Where a validation result lies."""
        return self.paths.result(key)

    def verdict(self, key: str) -> Verdict:
        """The outcome of a validation result. Raises FileNotFoundError if it is not there."""
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
        """Delete the results that no delivery has any more: what a fixed rule replaced, or a refusal withdrew."""
        gone = [p for p in self.paths.results.glob("*/*") if p.name not in wanted]
        for folder in gone:
            shutil.rmtree(folder)
        return [p.name for p in gone]

    def open(self, key: str, types: dict[str, pl.DataType], unlike: Sequence[str] = ()) -> ResultWriter:
        """Begin to write a result whose rows have the columns `types`; in `unlike` nearly all values differ."""
        self.paths.unfinished.mkdir(parents=True, exist_ok=True)
        work = self.paths.unfinished / f"{key[:12]}-{uuid.uuid4().hex[:8]}"
        return ResultWriter(work, self.folder(key), types, unlike)


class _Nameless:
    """Rows on disk that have no name yet: they are gone when it is closed, or with the process, unless they are `put`.

    While rows may yet be taken out they lie there plainly, as Arrow: to write them so and read them again costs a
    tenth of what Parquet does, which is made once, when it is known what stays.
    """

    def __init__(self, folder: Path, types: dict[str, pl.DataType], unlike: Sequence[str] = ()) -> None:
        self._names, self._unlike = list(types), unlike
        self._schema = _arrow_schema(tuple(types.items()))
        self._file: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - it lives as long as this
        self._writer = pa.ipc.new_stream(self._file, self._schema)
        self._changes: list[Callable[[pa.RecordBatch], pa.RecordBatch]] = []
        self.rows = 0

    def write(self, frame: pl.DataFrame) -> None:
        """Add rows."""
        if frame.is_empty():
            return
        table = frame.select(self._names).to_arrow()
        for batch in (table if table.schema == self._schema else table.cast(self._schema)).to_batches():
            self.add(batch)

    def add(self, rows: pa.RecordBatch) -> None:
        """Add rows that are in this shape already."""
        if len(rows):
            self._writer.write_batch(rows)
            self.rows += len(rows)

    def change(self, changed: Callable[[pa.RecordBatch], pa.RecordBatch]) -> None:
        """Let all be put as `changed` gives it, a part at a time."""
        self._changes.append(changed)

    def put(self, path: Path) -> int:
        """Give the rows a name, as Parquet. Gives their number."""
        alike = [name for name in self._names if name not in self._unlike]
        with pq.ParquetWriter(
            path, self._schema, compression="zstd", use_dictionary=alike, write_statistics=list(self._unlike)
        ) as parquet:
            written = 0
            for group in prefetch(_row_groups(self._as_changed())):
                parquet.write_table(group, row_group_size=len(group))
                written += len(group)
        self.close()
        return written

    def _as_changed(self) -> Iterator[pa.RecordBatch]:
        self._writer.close()
        self._file.seek(0)
        for batch in pa.ipc.open_stream(self._file):
            rows = reduce(lambda rows, change: change(rows), self._changes, batch)
            if len(rows):
                yield rows

    def close(self) -> None:
        """Let it go."""
        self._file.close()


@lru_cache
def _arrow_schema(types: tuple[tuple[str, pl.DataType], ...]) -> pa.Schema:
    return pl.DataFrame(schema=dict(types)).to_arrow().schema


def _row_groups(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    """The rows of batches in tables of ROW_GROUP rows; the last has what is left."""
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
    """Writes one validation result, batch by batch. Used as a context: what is not finished is gone."""

    def __init__(self, work: Path, home: Path, types: dict[str, pl.DataType], unlike: Sequence[str] = ()) -> None:
        self.work, self.home = work, home
        self._types, self._unlike = types, unlike
        self._files: dict[str, _Nameless] = {}
        self.start_over()

    def __enter__(self) -> ResultWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()
        shutil.rmtree(self.work, ignore_errors=True)

    def start_over(self) -> None:
        """Let go of all that was written, and begin with nothing."""
        self._close()
        self._files = {name: _Nameless(self.work.parent, self._types, self._unlike) for name in (ACCEPTED, HELD)}
        self._files[FINDINGS] = _Nameless(self.work.parent, FINDING_TYPES)
        self._taken_out = self._moved = self._forgotten = 0

    def _close(self) -> None:
        for file in self._files.values():
            file.close()

    @property
    def counts(self) -> dict[str, int]:
        """How many rows each part has, once what was moved is where it belongs."""
        moved = {ACCEPTED: -self._taken_out, HELD: self._moved, FINDINGS: -self._forgotten}
        return {name: file.rows + moved[name] for name, file in self._files.items()}

    def accept(self, rows: pl.DataFrame) -> None:
        """Write accepted rows, in the order of the file: by that those are found that leave."""
        self._files[ACCEPTED].write(rows)

    def hold(self, rows: pl.DataFrame) -> None:
        """Write held rows."""
        self._files[HELD].write(rows)

    def find(self, findings: pl.DataFrame) -> None:
        """Write findings."""
        self._files[FINDINGS].write(findings)

    def move(self, to_held: pl.Series, dropped: pl.Series) -> None:
        """Take rows out of the accepted ones: some are held after all, some are repeats and belong nowhere."""
        held, gone = (np.sort(rows.to_numpy()) for rows in (to_held, pl.concat([to_held, dropped])))
        accepted, others = self._files[ACCEPTED], self._files[HELD]

        def kept(rows: pa.RecordBatch) -> pa.RecordBatch:
            row = rows["source_row"].to_numpy()
            others.add(rows.take(_places_of(held, row)))
            stays = np.ones(len(row), bool)
            stays[_places_of(gone, row)] = False
            return rows.filter(pa.array(stays))

        accepted.change(kept)
        self._taken_out, self._moved = len(gone), len(held)

    def forget(self, rules: Collection[str], number: int) -> None:
        """Take back the findings of some rules, so many in all: something else explains them."""
        others = list(rules)

        def kept(findings: pa.RecordBatch) -> pa.RecordBatch:
            rule = pl.Series(findings["rule_id"])
            return findings.filter(pa.array((~rule.is_in(others)).to_numpy()))

        self._files[FINDINGS].change(kept)
        self._forgotten = number

    def refuse(self, *, keep_rows: bool) -> None:
        """Accept nothing. The rows are kept as held, or not kept at all where the file holds personal data."""
        accepted, held = self._files[ACCEPTED], self._files[HELD]

        def none_kept(rows: pa.RecordBatch) -> pa.RecordBatch:
            if keep_rows:
                held.add(rows)
            return rows.slice(0, 0)

        accepted.change(none_kept)
        left = accepted.rows - self._taken_out
        self._taken_out, self._moved = accepted.rows, self._moved + left if keep_rows else -held.rows
        if not keep_rows:
            held.change(lambda rows: rows.slice(0, 0))
            self._files[FINDINGS].change(_hidden)

    def finish(self, verdict: Verdict) -> None:
        """Put the validation result in its place, whole and on disk: only now does anything of it have a name.

        Raises RowsLost if what was written is not what was counted.
        """
        self.work.mkdir(mode=0o750)
        due = self.counts
        written = {name: file.put(self.work / name) for name, file in self._files.items()}
        if written != due:
            raise RowsLost(f"{written} rows were written, {due} were due")
        # not `write_whole`: the folder is put in place as a whole, below
        (self.work / VERDICT).write_text(json.dumps(verdict.to_json(), indent=1), encoding="utf-8")
        for path in (*self.work.iterdir(), self.work):
            sync(path)
        self.home.parent.mkdir(parents=True, exist_ok=True)
        if self.home.exists() and not (self.home / VERDICT).exists():
            shutil.rmtree(self.home)
        try:
            self.work.rename(self.home)
        except OSError:  # the same validation result was made beside this one: either will do
            if not (self.home / VERDICT).exists():
                raise
        sync(self.home.parent)
        pa.default_memory_pool().release_unused()  # as much as a large file took; what comes next needs its own


def _places_of(wanted: np.ndarray, row: np.ndarray) -> np.ndarray:
    """Where the wanted rows are among those of a batch; both stand in the order of the file."""
    wanted = wanted[np.searchsorted(wanted, row[0]) : np.searchsorted(wanted, row[-1], "right")]
    paths = np.searchsorted(row, wanted)
    return paths[row[paths] == wanted]


def _hidden(findings: pa.RecordBatch) -> pa.RecordBatch:
    """The addresses of what was found, and nothing of what stood there."""
    for name, value in REDACTED.items():
        column = findings.schema.field(name)
        values = pa.repeat(pa.scalar(value, column.type), len(findings))
        findings = findings.set_column(findings.schema.get_field_index(name), column, values)
    return findings
