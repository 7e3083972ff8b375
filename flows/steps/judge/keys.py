"""The references of a file's rows: to find, once the whole file has been seen, those that stand on several rows.

Sixteen bytes of each row are in memory at the most; what is only asked of the rows that share a reference waits on
disk, in a file without a name (where very many share one, they cost some 250 bytes each). All of it are digests: no
reference is kept.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator

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
        keys = [typed.rows[name] for name in self._key]
        one, other = (_digest(len(typed.rows), (k.hash(seed=seed) for k in keys)) for seed in (1, 2))
        texts = _digest(len(typed.rows), (c.of_cells(c.distinct.hash(seed=3)) for c in typed.cells.values()))
        digests = [typed.rows["source_row"].to_numpy(), one, other, texts]
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


def _digest(rows: int, columns: Iterable[pl.Series]) -> np.ndarray:
    """64 bits of each row, from those of its cells, column by column."""
    digest = np.zeros(rows, np.uint64)
    for column in columns:
        digest = digest * _ODD + column.to_numpy()
    return digest


def _among(wanted: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Which values are among the wanted, which are sorted and at least one."""
    return wanted[np.minimum(np.searchsorted(wanted, values), len(wanted) - 1)] == values
