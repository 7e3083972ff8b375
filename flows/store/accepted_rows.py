"""Copy accepted rows from the store's Parquet files into the warehouse that is being built."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from flows.deliveries.validated import ValidatedDelivery
from schemas._contract.derive import PROVENANCE
from schemas._contract.model import Contract

if TYPE_CHECKING:
    import duckdb

    from flows.store.results import ResultStore

# The provenance columns of `core` that come from the delivery; `source_row` is in the Parquet files already.
OF_THE_DELIVERY = tuple(n for n, *_ in PROVENANCE if n != "source_row")


def insert_accepted(
    db: duckdb.DuckDBPyConnection, contract: Contract, validated: Sequence[ValidatedDelivery], results: ResultStore
) -> None:
    """Insert the accepted rows of some deliveries of one dataset into its table of `core`."""
    added = [n for n in OF_THE_DELIVERY if n not in contract.by_name]
    files = [results.accepted(v.key) for v in validated]
    insert_parquet(db, f'core."{contract.dataset}"', files, validated, added)


def insert_parquet(
    db: duckdb.DuckDBPyConnection,
    table: str,
    files: Sequence[Path],
    validated: Sequence[ValidatedDelivery],
    added: Sequence[str],
) -> None:
    """Insert the rows of Parquet files, one for each delivery. `added`: fields of the delivery, as further columns."""
    if not files:
        return
    listed = pl.DataFrame({n: [getattr(v.delivery, n) for v in validated] for n in added}).with_row_index("nth")
    # As a table: DuckDB then knows how small it is and streams the files past it. With an unknown size it may build
    # the hash table of the join from the rows of all files.
    db.register("listed", listed.to_arrow())
    db.execute("create or replace temp table delivery_of_file as from listed")
    db.unregister("listed")
    more = "".join(f", d.{name}" for name in added)
    db.execute(  # joined by the number of the file: joining by its name would compare a long text for each row
        f"insert into {table} by name select r.*{more}"
        " from read_parquet(?, union_by_name = true) r join delivery_of_file d on d.nth = r.file_index",
        [list(map(str, files))],
    )
