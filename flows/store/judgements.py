"""The Parquet store: each judgement is a folder of accepted, held and findings, named after what it depends on.

While a file is still being searched for personal data, what is written of it has no name on the disk: a process that
is killed leaves nothing behind. The finished parts are put under `unfinished/` and renamed together, so a judgement
is there completely or not at all.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from flows.store.places import VERDICT, Places
from flows.store.sync import sync
from schemas.audit.deliveries import Verdict
from schemas.shapes import FINDING_TYPES

ACCEPTED, HELD, FINDINGS = "accepted.parquet", "held.parquet", "findings.parquet"
COPIED_AT_ONCE = 1 << 20  # bytes
REWRITTEN_AT_ONCE = 1 << 20  # rows


@dataclass(frozen=True)
class Judgements:
    """The judgements of one data folder."""

    places: Places

    def folder(self, key: str) -> Path:
        """Where a judgement lies."""
        return self.places.judgement(key)

    def verdict(self, key: str) -> Verdict:
        """The outcome of a judgement. Raises FileNotFoundError if it is not there."""
        return Verdict.from_json(json.loads((self.folder(key) / VERDICT).read_text(encoding="utf-8")))

    def accepted(self, key: str) -> Path:
        """The Parquet file of accepted rows."""
        return self.folder(key) / ACCEPTED

    def findings(self, key: str) -> pl.DataFrame:
        """The findings of a judgement (columns of FINDING_TYPES)."""
        return pl.read_parquet(self.findings_path(key))

    def findings_path(self, key: str) -> Path:
        """The Parquet file of findings."""
        return self.folder(key) / FINDINGS

    def sweep(self, wanted: set[str]) -> list[str]:
        """Delete the judgements that no delivery has any more: what a mended rule replaced, or a refusal withdrew."""
        gone = [p for p in self.places.judgements.glob("*/*") if p.name not in wanted]
        for folder in gone:
            shutil.rmtree(folder)
        return [p.name for p in gone]

    def open(self, key: str, types: dict[str, pl.DataType]) -> JudgementWriter:
        """Begin to write a judgement whose rows have the columns `types`."""
        self.places.unfinished.mkdir(parents=True, exist_ok=True)
        work = self.places.unfinished / f"{key[:12]}-{uuid.uuid4().hex[:8]}"
        return JudgementWriter(work, self.folder(key), types)


class _Nameless:
    """A Parquet file that has no name yet: it is gone when it is closed, or with the process, unless it is `put`."""

    def __init__(self, folder: Path, types: dict[str, pl.DataType]) -> None:
        self._folder, self._names = folder, list(types)
        self._schema: pa.Schema = pl.DataFrame(schema=types).to_arrow().schema
        self.rows = 0
        self._begin()

    def _begin(self) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 - it lives as long as this
        self._writer = pq.ParquetWriter(self._file, self._schema, compression="zstd")

    def write(self, frame: pl.DataFrame) -> None:
        """Add rows."""
        if len(frame):
            self._writer.write_table(frame.select(self._names).to_arrow().cast(self._schema))
            self.rows += len(frame)

    def rewrite(self, changed: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
        """Write everything anew as `changed` gives it, a part at a time. Without a name, as before."""
        self._writer.close()
        before = self._file
        self._begin()
        self.rows = 0
        for part in pq.ParquetFile(before).iter_batches(REWRITTEN_AT_ONCE):
            rows = pl.from_arrow(pa.Table.from_batches([part]))
            assert isinstance(rows, pl.DataFrame)
            self.write(changed(rows))
        before.close()

    def put(self, path: Path) -> None:
        """Give what was written a name."""
        self._writer.close()
        self._file.seek(0)
        with path.open("xb") as named:
            shutil.copyfileobj(self._file, named, COPIED_AT_ONCE)
        self.close()

    def close(self) -> None:
        """Let it go."""
        self._writer.close()
        self._file.close()


class JudgementWriter:
    """Writes one judgement, batch by batch. Used as a context: what is not finished is gone."""

    def __init__(self, work: Path, home: Path, types: dict[str, pl.DataType]) -> None:
        self.work, self.home = work, home
        shapes = {ACCEPTED: types, HELD: types, FINDINGS: FINDING_TYPES}
        self._files = {name: _Nameless(work.parent, t) for name, t in shapes.items()}

    def __enter__(self) -> JudgementWriter:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files.values():
            file.close()
        shutil.rmtree(self.work, ignore_errors=True)

    @property
    def counts(self) -> dict[str, int]:
        """How many rows each part has."""
        return {name: file.rows for name, file in self._files.items()}

    def accept(self, rows: pl.DataFrame) -> None:
        """Write accepted rows."""
        self._files[ACCEPTED].write(rows)

    def hold(self, rows: pl.DataFrame) -> None:
        """Write held rows."""
        self._files[HELD].write(rows)

    def find(self, findings: pl.DataFrame) -> None:
        """Write findings."""
        self._files[FINDINGS].write(findings)

    def move(self, to_held: pl.Series, dropped: pl.Series) -> None:
        """Take rows out of the accepted ones: some are held after all, some are repeats and belong nowhere."""
        row = pl.col("source_row")
        gone = pl.concat([to_held, dropped])

        def kept(rows: pl.DataFrame) -> pl.DataFrame:
            self.hold(rows.filter(row.is_in(to_held.implode())))
            return rows.filter(~row.is_in(gone.implode()))

        self._files[ACCEPTED].rewrite(kept)

    def refuse(self, keep_rows: bool) -> None:
        """Accept nothing. The rows are kept as held, or not kept at all where the file holds personal data."""

        def none_kept(rows: pl.DataFrame) -> pl.DataFrame:
            if keep_rows:
                self.hold(rows)
            return rows.clear()

        self._files[ACCEPTED].rewrite(none_kept)
        if not keep_rows:
            self._files[HELD].rewrite(pl.DataFrame.clear)
            self._files[FINDINGS].rewrite(_hidden)

    def finish(self, verdict: Verdict) -> None:
        """Put the judgement in its place, whole and on disk: only now does anything of it have a name."""
        self.work.mkdir(mode=0o750)
        for name, file in self._files.items():
            file.put(self.work / name)
        (self.work / VERDICT).write_text(json.dumps(verdict.to_json(), indent=1), encoding="utf-8")
        for path in (*self.work.iterdir(), self.work):
            sync(path)
        self.home.parent.mkdir(parents=True, exist_ok=True)
        if self.home.exists() and not (self.home / VERDICT).exists():
            shutil.rmtree(self.home)
        try:
            self.work.rename(self.home)
        except OSError:  # the same judgement was made beside this one: either will do
            if not (self.home / VERDICT).exists():
                raise
        sync(self.home.parent)


def _hidden(findings: pl.DataFrame) -> pl.DataFrame:
    """The addresses of what was found, and nothing of what stood there."""
    nothing = pl.lit(None, pl.String)
    return findings.with_columns(nothing.alias("found"), nothing.alias("suggestion"), pl.lit(True).alias("hidden"))
