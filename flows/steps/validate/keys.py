"""The keys of all rows of a file, kept as digests, to find those that are on several rows.

Rows are partitioned by the first bits of their key's digest, so rows that share a key are always in the same one of
sixteen partitions, and only one partition at a time has to be in memory. More than a megabyte of a partition is written
to a temporary file without a name. Only digests are kept, never a key. A row whose key is shared by very many others
takes some 250 bytes of memory.
"""

from __future__ import annotations

from collections.abc import Iterable
from tempfile import SpooledTemporaryFile

import numpy as np
import polars as pl

from flows.cells.distinct_column import evaluate_distinct
from flows.deliveries.conformed import TypedBatch
from schemas._contract.model import Contract

_COLUMNS = ("source_row", "key", "key2", "row")  # 64 bits each
_PARTITIONS, _SHIFT = 16, np.uint64(60)  # a 64-bit digest shifted right by 60 bits is the number of its partition
_IN_MEMORY = 1 << 20  # bytes of each partition
_ODD = np.uint64(0x9E3779B97F4A7C15)  # multiplier of Fibonacci hashing: spreads earlier columns' bits over all 64


class Keys:
    """Two independent 64-bit digests of each row's key, and one of all its cells. Rows without a key are left out.

    With two digests of the key, 128 bits, different keys do not collide in practice.
    """

    def __init__(self, contract: Contract) -> None:
        self._key = contract.key
        # of two rows whose year could not be read, nobody knows whether it is the same
        self._needed = [n for n in contract.key if n == contract.key[0] or contract.by_name[n].required]
        self._rows = self._content = 0
        self._files = [SpooledTemporaryFile(_IN_MEMORY) for _ in range(_PARTITIONS)]  # noqa: SIM115 - they live as long

    @property
    def content(self) -> str:
        """A digest of all rows with a key column, by their texts and in any order; '' if there is no row."""
        return f"{self._rows}-{self._content:016x}" if self._rows else ""

    def add(self, typed: TypedBatch) -> None:
        """Add the rows of a batch."""
        has_key = typed.rows.select(pl.all_horizontal(pl.col(self._needed).is_not_null())).to_series().to_numpy()
        keys = [typed.rows[name] for name in self._key]
        one, other = (_digest(len(typed.rows), (k.hash(seed=seed) for k in keys)) for seed in (1, 2))
        hashes = evaluate_distinct(typed.cells, pl.col("text").hash(seed=3))
        texts = _digest(len(typed.rows), (c.expand(hashes[name]) for name, c in typed.cells.items()))
        self._rows += len(typed.rows)
        self._content = (self._content + int(texts.sum())) % (1 << 64)
        digests = [typed.rows["source_row"].to_numpy().astype(np.uint64), one, other, texts]
        partition = (one >> _SHIFT).astype(np.uint8)
        partition[~has_key] = _PARTITIONS  # beyond the last one: written nowhere
        order = np.argsort(partition, kind="stable")
        rows = np.column_stack([d[order] for d in digests])
        edges = np.searchsorted(partition[order], np.arange(_PARTITIONS + 1))
        for file, start, end in zip(self._files, edges, edges[1:], strict=False):
            file.write(rows[start:end].tobytes())

    def shared(self) -> pl.DataFrame:
        """The rows whose key is on several rows, by `source_row`: columns `source_row`, `key`, `key2`, `row`."""
        found = np.concatenate([_possible_duplicates(_rows_of(file)) for file in self._files])
        frame = pl.DataFrame(found, schema=dict.fromkeys(_COLUMNS, pl.UInt64)).cast({"source_row": pl.Int64})
        return frame.filter(pl.struct("key", "key2").is_duplicated()).sort("source_row")


def _rows_of(file: SpooledTemporaryFile[bytes]) -> np.ndarray:
    """All rows of a partition as an array with the columns _COLUMNS."""
    file.seek(0)
    return np.frombuffer(file.read(), np.uint64).reshape(-1, len(_COLUMNS))


def _possible_duplicates(rows: np.ndarray) -> np.ndarray:
    """The rows of duplicated keys, and a few others: those whose digest has the same last 20 bits as a duplicated one.

    A table of bits by the last 20 bits of a digest tells most rows apart quickly; `Keys.shared` removes the others.
    """
    if len(rows) < 2:
        return rows[:0]
    keys = np.sort(rows[:, 1])
    last_bits = np.uint64((1 << 20) - 1)
    is_duplicated = np.zeros(int(last_bits) + 1, bool)
    is_duplicated[keys[1:][keys[1:] == keys[:-1]] & last_bits] = True
    return rows[is_duplicated[rows[:, 1] & last_bits]]


def _digest(rows: int, columns: Iterable[pl.Series]) -> np.ndarray:
    """A 64-bit digest of each row, combined from the hashes of its cells, column by column."""
    digest = np.zeros(rows, np.uint64)
    for column in columns:
        digest = digest * _ODD + column.to_numpy()
    return digest
