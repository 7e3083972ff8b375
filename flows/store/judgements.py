"""The Parquet store: each judgement is a folder of accepted, held and findings, named after what it depends on.

A judgement is written under `unfinished/` and renamed when whole, so it is there completely or not at all.
"""

from __future__ import annotations

import json
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from flows.store.places import Places
from flows.store.sync import sync
from schemas.audit.deliveries import Verdict
from schemas.shapes import FINDING_TYPES

ACCEPTED, HELD, FINDINGS, VERDICT = "accepted.parquet", "held.parquet", "findings.parquet", "verdict.json"


@dataclass(frozen=True)
class Judgements:
    """The judgements of one data folder."""

    places: Places

    def folder(self, key: str) -> Path:
        """Where a judgement lies."""
        return self.places.judgements / key[:2] / key

    def has(self, key: str) -> bool:
        """Whether a judgement is there."""
        return (self.folder(key) / VERDICT).exists()

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
        work.mkdir(mode=0o750)
        return JudgementWriter(work, self.folder(key), types)


class JudgementWriter:
    """Writes one judgement, batch by batch. Used as a context: what is not finished is thrown away."""

    def __init__(self, work: Path, home: Path, types: dict[str, pl.DataType]) -> None:
        self.work, self.home = work, home
        self._types = {ACCEPTED: types, HELD: types, FINDINGS: FINDING_TYPES}
        self._writers = {n: pq.ParquetWriter(work / n, _arrow(t), compression="zstd") for n, t in self._types.items()}
        self.counts = dict.fromkeys(self._types, 0)

    def __enter__(self) -> JudgementWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()
        shutil.rmtree(self.work, ignore_errors=True)

    def _close(self) -> None:
        for writer in self._writers.values():
            writer.close()

    def _write(self, name: str, frame: pl.DataFrame) -> None:
        if len(frame):
            types = self._types[name]
            self._writers[name].write_table(frame.select(list(types)).to_arrow().cast(_arrow(types)))
            self.counts[name] += len(frame)

    def accept(self, rows: pl.DataFrame) -> None:
        """Write accepted rows."""
        self._write(ACCEPTED, rows)

    def hold(self, rows: pl.DataFrame) -> None:
        """Write held rows."""
        self._write(HELD, rows)

    def find(self, findings: pl.DataFrame) -> None:
        """Write findings."""
        self._write(FINDINGS, findings)

    def move(self, to_held: pl.Series, dropped: pl.Series) -> None:
        """Take rows out of the accepted ones: some are held after all, some are repeats and belong nowhere."""
        self._writers[ACCEPTED].close()
        before = self.work / ACCEPTED
        rows = pl.scan_parquet(before)
        self.hold(rows.filter(pl.col("source_row").is_in(to_held.implode())).collect())
        after = self.work / f"kept-{ACCEPTED}"
        gone = pl.concat([to_held, dropped])
        rows.filter(~pl.col("source_row").is_in(gone.implode())).sink_parquet(after, compression="zstd")
        after.replace(before)
        self.counts[ACCEPTED] = pq.read_metadata(before).num_rows

    def refuse(self, keep_rows: bool) -> None:
        """Accept nothing. The rows are kept as held, or not kept at all where the file holds personal data."""
        self._writers[ACCEPTED].close()
        if keep_rows:
            self.hold(pl.read_parquet(self.work / ACCEPTED))
        else:
            self._hide_findings()
        for name in (ACCEPTED,) if keep_rows else (ACCEPTED, HELD):
            self._writers[name].close()
            pl.DataFrame(schema=self._types[name]).write_parquet(self.work / name)
            self.counts[name] = 0

    def _hide_findings(self) -> None:
        """Keep the addresses of what was found, and nothing of what stood there."""
        self._writers[FINDINGS].close()
        nothing = pl.lit(None, pl.String)
        told = pl.read_parquet(self.work / FINDINGS)
        told = told.with_columns(nothing.alias("found"), nothing.alias("suggestion"), pl.lit(True).alias("hidden"))
        told.write_parquet(self.work / FINDINGS)

    def finish(self, verdict: Verdict) -> None:
        """Put the judgement in its place, whole and on disk."""
        self._close()
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


def _arrow(types: dict[str, pl.DataType]):  # type: ignore[no-untyped-def] # noqa: ANN202
    return pl.DataFrame(schema=types).to_arrow().schema
