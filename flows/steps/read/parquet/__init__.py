"""Reader of Parquet files: typed columns are converted to the text that a sender would type.

The heading counts as row 1 and the first row of data as row 2, as in a spreadsheet.
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
MAX_UNPACKED_BYTES = 4 << 30  # as the file states; only a batch at a time is in memory
MAX_CELLS = 400_000_000


def read_parquet(path: Path, known_headings: Set[str]) -> Extract:
    """Open a Parquet file.

    Raises UnreadableFile: U01 damaged, too large, or a column that holds lists or records; U03 no heading, F01 no rows.
    """
    file = _open_checked(path)
    headings = tuple(name.strip() for name in file.schema_arrow.names)
    if find_heading([headings], known_headings) is None:
        raise UnreadableFile("U03")
    if not file.metadata.num_rows:
        raise UnreadableFile("F01")
    return Extract("", "", 1, headings, _batches(file), [])


def _open_checked(path: Path) -> pq.ParquetFile:
    """Open a file and read it through once, so that damage in the middle is found before any rows are accepted."""
    try:
        file = pq.ParquetFile(path)
        metadata = file.metadata
        columns = len(file.schema_arrow)
        if columns > MAX_COLUMNS:
            raise UnreadableFile("U01", f"it has {columns:,} columns")
        unpacked = sum(metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups))
        if unpacked > MAX_UNPACKED_BYTES or metadata.num_rows * columns > MAX_CELLS:
            raise UnreadableFile("U01", f"it unpacks to {metadata.num_rows:,} rows and {unpacked:,} bytes")
        for i, column in enumerate(file.schema_arrow):
            if pa.types.is_nested(column.type):
                raise UnreadableFile("U01", f"column {column_letter(i)} holds lists or records, not single values")
        rows = sum(len(batch.source_rows) for batch in _batches(file))
    except (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError, KeyError) as error:
        if isinstance(error, OSError) and error.errno is not None:  # a real I/O error: Arrow's own have no errno
            raise
        raise UnreadableFile("U01", "it is damaged or was cut off") from None
    if rows != metadata.num_rows:
        raise UnreadableFile("U01", "it is damaged or was cut off")
    return file


def _batches(file: pq.ParquetFile) -> Iterator[TextBatch]:
    """Yield the rows in batches; row numbers start at 2, below the heading."""
    row = 2
    # Without threads: several batches are validated at once, and their threads would compete for the same cores.
    for batch in file.iter_batches(BATCH_ROWS, use_threads=False):
        columns = {str(i): _texts(column) for i, column in enumerate(batch.columns)}
        source_rows = pl.Series("source_row", range(row, row + batch.num_rows), pl.Int64)
        yield TextBatch.of(pl.DataFrame(columns).with_columns(source_rows))
        row += batch.num_rows


def _texts(column: pa.Array) -> pl.Series:
    """A column's values as text, '' for null and NaN. Raises ArrowInvalid for invalid UTF-8."""
    column.validate(full=True)  # Arrow does not check UTF-8 when it reads a file
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _texts(column.dictionary_decode())
    if getattr(kind, "unit", "") == "ns":  # Python's datetime and time have microseconds only
        finest = {"timestamp": pa.timestamp("us", getattr(kind, "tz", None)), "time64": pa.time64("us")}
        column = column.cast(finest.get(str(kind).partition("[")[0], pa.duration("us")), safe=False)
    if pa.types.is_floating(kind) or pa.types.is_temporal(kind) or pa.types.is_boolean(kind):
        values = ["" if v is None or v != v else text_of(v) for v in column.to_pylist()]  # v != v: NaN
        return pl.Series(values, dtype=pl.String)
    if pa.types.is_decimal(kind):
        return pl.Series([text_of(v) for v in column.to_pylist()], dtype=pl.String)
    texts = pl.Series(column.cast(pa.large_string()), dtype=pl.String)
    return texts.fill_null("")
