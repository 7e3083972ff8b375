"""The references of a file's rows: to find, once the whole file has been seen, those that stand on several rows.

Each row waits with those whose reference has the same first bits, so rows that share one are all in one of sixteen
parts; what is more than a megabyte of a part waits on disk, in a file without a name. All of it are digests: no
reference is kept. Where very many rows share one, they cost some 250 bytes each.
"""

from __future__ import annotations

from collections.abc import Iterable
from tempfile import SpooledTemporaryFile

import numpy as np
import polars as pl

from flows.deliveries.conformed import TypedBatch
from schemas._contract.model import Contract

_COLUMNS = ("source_row", "key", "key2", "row")  # 64 bits each
_PARTS, _FIRST_BITS = 16, np.uint64(60)  # a digest without its last 60 bits says which part it is in
_IN_MEMORY = 1 << 20  # bytes of each part
_ODD = np.uint64(0x9E3779B97F4A7C15)  # spreads what was hashed before over all bits


class Keys:
    """Two independent 64-bit digests of each row's key and one of its whole text. Rows without a key are left out."""

    def __init__(self, contract: Contract) -> None:
        self._key = contract.key
        self._parts = [SpooledTemporaryFile(_IN_MEMORY) for _ in range(_PARTS)]  # noqa: SIM115 - they live as long

    def add(self, typed: TypedBatch) -> None:
        """Remember the keys of a batch."""
        has_key = typed.rows[self._key[0]].is_not_null().to_numpy()
        keys = [typed.rows[name] for name in self._key]
        one, other = (_digest(len(typed.rows), (k.hash(seed=seed) for k in keys)) for seed in (1, 2))
        texts = _digest(len(typed.rows), (c.of_cells(c.distinct.hash(seed=3)) for c in typed.cells.values()))
        digests = [typed.rows["source_row"].to_numpy().astype(np.uint64), one, other, texts]
        part = (one >> _FIRST_BITS).astype(np.uint8)
        part[~has_key] = _PARTS
        order = np.argsort(part, kind="stable")
        rows = np.column_stack([d[order] for d in digests])
        edges = np.searchsorted(part[order], np.arange(_PARTS + 1))
        for file, start, end in zip(self._parts, edges, edges[1:], strict=False):
            file.write(rows[start:end].tobytes())

    def shared(self) -> pl.DataFrame:
        """The rows whose key is on several, in order: columns `source_row`, `key`, `key2`, `row`."""
        found = np.concatenate([_with_a_double(_rows_of(file)) for file in self._parts])
        frame = pl.DataFrame(found, schema=dict.fromkeys(_COLUMNS, pl.UInt64)).cast({"source_row": pl.Int64})
        return frame.filter(pl.struct("key", "key2").is_duplicated()).sort("source_row")


def _rows_of(file: SpooledTemporaryFile[bytes]) -> np.ndarray:
    """All rows of a part, a column for each of _COLUMNS."""
    file.seek(0)
    return np.frombuffer(file.read(), np.uint64).reshape(-1, len(_COLUMNS))


def _with_a_double(rows: np.ndarray) -> np.ndarray:
    """The rows whose key stands on several, and few others: keys with the same last bits as such a one."""
    if len(rows) < 2:
        return rows[:0]
    keys = np.sort(rows[:, 1])
    last_bits = np.uint64((1 << 20) - 1)
    stands_twice = np.zeros(int(last_bits) + 1, bool)
    stands_twice[keys[1:][keys[1:] == keys[:-1]] & last_bits] = True
    return rows[stands_twice[rows[:, 1] & last_bits]]


def _digest(rows: int, columns: Iterable[pl.Series]) -> np.ndarray:
    """64 bits of each row, from those of its cells, column by column."""
    digest = np.zeros(rows, np.uint64)
    for column in columns:
        digest = digest * _ODD + column.to_numpy()
    return digest
