"""The references of a file's rows: to find, once the whole file has been seen, those that stand on several rows.

Eight bytes of each row stay in memory; what is only asked of the few rows that share a reference waits on disk, in a
file without a name. All of it are digests: no reference is kept.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator

import numpy as np
import polars as pl

from schemas.contract import Contract
from schemas.shapes import TypedBatch

_COLUMNS = ("source_row", "key", "key2", "row")  # of the file on disk: 64 bits each
_ROWS_AT_ONCE = 1 << 20
_ODD = np.uint64(0x9E3779B97F4A7C15)  # spreads what was hashed before over all bits


class Keys:
    """Two independent 64-bit digests of each row's key and one of its whole text. Rows without a key are left out."""

    def __init__(self, contract: Contract) -> None:
        self._key = contract.key
        self._seen: list[np.ndarray] = []
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as this

    def add(self, typed: TypedBatch) -> None:
        """Remember the keys of a batch."""
        has_key = typed.rows[self._key[0]].is_not_null().to_numpy()
        keys, texts = typed.rows.select(self._key), typed.texts.drop("source_row")
        digests = [typed.rows["source_row"].to_numpy(), _digest(keys, 1), _digest(keys, 2), _digest(texts, 3)]
        rows = np.column_stack([d[has_key].astype(np.uint64) for d in digests])
        self._seen.append(rows[:, 1].copy())
        self._file.write(rows.tobytes())

    def shared(self) -> pl.DataFrame:
        """The rows whose key is on several, in order: columns `source_row`, `key`, `key2`, `row`."""
        keys = np.concatenate(self._seen) if self._seen else np.empty(0, np.uint64)
        self._seen = []
        keys.sort()
        twice = np.unique(keys[1:][keys[1:] == keys[:-1]])
        found = [part[_among(twice, part[:, 1])] for part in self._parts()] if len(twice) else []
        rows = np.concatenate(found) if found else np.empty((0, len(_COLUMNS)), np.uint64)
        frame = pl.DataFrame(rows, schema=dict.fromkeys(_COLUMNS, pl.UInt64)).cast({"source_row": pl.Int64})
        return frame.filter(pl.struct("key", "key2").is_duplicated()).sort("source_row")

    def _parts(self) -> Iterator[np.ndarray]:
        self._file.seek(0)
        while part := self._file.read(_ROWS_AT_ONCE * 8 * len(_COLUMNS)):
            yield np.frombuffer(part, np.uint64).reshape(-1, len(_COLUMNS))


def _digest(rows: pl.DataFrame, seed: int) -> np.ndarray:
    """64 bits of each row: each column's digest, in the order of the columns."""
    digest = np.zeros(len(rows), np.uint64)
    for name in rows.columns:
        digest = digest * _ODD + rows[name].hash(seed=seed).to_numpy()
    return digest


def _among(wanted: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Which values are among the wanted, which are sorted and at least one."""
    return wanted[np.minimum(np.searchsorted(wanted, values), len(wanted) - 1)] == values
