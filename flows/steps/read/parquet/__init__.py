"""Parquet: typed columns become text as a sender would write it.

The heading counts as row 1, as it would in a spreadsheet: the first row of data is row 2.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from flows.cells.column_letters import column_letter
from flows.deliveries.extract import Extract, TextBatch, UnreadableFile
from flows.steps.read.heading import MAX_COLUMNS, find_heading
from flows.steps.read.values import text_of

BATCH_ROWS = 50_000
LARGEST_UNPACKED = 4 << 30  # bytes, as the file states; it is read a batch at a time
MAX_CELLS = 400_000_000


def read_parquet(path: Path, known_headings: Set[str]) -> Extract:
    """Open a Parquet file.

    Raises Unreadable: U01 damaged, too large, or a column that holds lists or records; U03 no heading, F01 no rows.
    """
    file = _opened(path)
    headings = tuple(name.strip() for name in file.schema_arrow.names)
    if find_heading([headings], known_headings) is None:
        raise UnreadableFile("U03")
    if not file.metadata.num_rows:
        raise UnreadableFile("F01")
    return Extract("", "", 1, headings, _batches(file), [])


def _opened(path: Path) -> pq.ParquetFile:
    """The file, every value of which can be read: a fault in the middle would come too late to be told."""
    try:
        file = pq.ParquetFile(path)
        stated = file.metadata
        columns = len(file.schema_arrow)
        if columns > MAX_COLUMNS:
            raise UnreadableFile("U01", f"it has {columns:,} columns")
        unpacked = sum(stated.row_group(i).total_byte_size for i in range(stated.num_row_groups))
        if unpacked > LARGEST_UNPACKED or stated.num_rows * columns > MAX_CELLS:
            raise UnreadableFile("U01", f"it unpacks to {stated.num_rows:,} rows and {unpacked:,} bytes")
        for i, column in enumerate(file.schema_arrow):
            if pa.types.is_nested(column.type):
                raise UnreadableFile("U01", f"column {column_letter(i)} holds lists or records, not single values")
        rows = sum(len(part.source_rows) for part in _batches(file))
    except (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError, KeyError) as wrong:
        if isinstance(wrong, OSError) and wrong.errno is not None:  # Arrow's own have no number
            raise
        raise UnreadableFile("U01", "it is damaged or was cut off") from None
    if rows != stated.num_rows:
        raise UnreadableFile("U01", "it is damaged or was cut off")
    return file


def _batches(file: pq.ParquetFile) -> Iterator[TextBatch]:
    row = 2
    for batch in file.iter_batches(BATCH_ROWS, use_threads=False):
        columns = {str(i): _texts(column) for i, column in enumerate(batch.columns)}
        source_rows = pl.Series("source_row", range(row, row + batch.num_rows), pl.Int64)
        yield TextBatch.of(pl.DataFrame(columns).with_columns(source_rows))
        row += batch.num_rows


def _texts(column: pa.Array) -> pl.Series:
    """A column's values as text; what is missing is ''. Raises ArrowInvalid for bytes that are no text."""
    column.validate(full=True)  # a damaged file may hold texts that are none
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _texts(column.dictionary_decode())
    if getattr(kind, "unit", "") == "ns":  # finer than Python's own times
        finest = {"timestamp": pa.timestamp("us", getattr(kind, "tz", None)), "time64": pa.time64("us")}
        column = column.cast(finest.get(str(kind).partition("[")[0], pa.duration("us")), safe=False)
    if pa.types.is_floating(kind) or pa.types.is_temporal(kind) or pa.types.is_boolean(kind):
        values = ["" if v is None or v != v else text_of(v) for v in column.to_pylist()]
        return pl.Series(values, dtype=pl.String)
    if pa.types.is_decimal(kind):
        return pl.Series([text_of(v) for v in column.to_pylist()], dtype=pl.String)
    texts = pl.Series(column.cast(pa.large_string()), dtype=pl.String)
    return texts.fill_null("")
