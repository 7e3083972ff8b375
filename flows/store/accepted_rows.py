"""Accepted rows on their way from the store's Parquet into a warehouse that is being built."""

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

# What a row of `core` has of its delivery; its own address, the source row, comes with it.
OF_THE_DELIVERY = tuple(n for n, *_ in PROVENANCE if n != "source_row")


def insert_accepted(
    db: duckdb.DuckDBPyConnection, contract: Contract, validated: Sequence[ValidatedDelivery], judgements: ResultStore
) -> None:
    """Insert the accepted rows of some deliveries of one dataset into its table of `core`."""
    added = [n for n in OF_THE_DELIVERY if n not in contract.by_name]
    files = [judgements.accepted(j.key) for j in validated]
    insert_parquet(db, f'core."{contract.dataset}"', files, validated, added)


def insert_parquet(
    db: duckdb.DuckDBPyConnection,
    table: str,
    files: Sequence[Path],
    validated: Sequence[ValidatedDelivery],
    added: Sequence[str],
) -> None:
    """Insert the rows of Parquet files, one of each delivery, with what `added` names of the delivery."""
    if not files:
        return
    listed = pl.DataFrame({n: [getattr(j.delivery, n) for j in validated] for n in added}).with_row_index("nth")
    # as a table DuckDB knows how small it is, and streams the files past it: else it would gather all rows first
    db.register("listed", listed.to_arrow())
    db.execute("create or replace temp table delivery_of_file as from listed")
    db.unregister("listed")
    more = "".join(f", d.{name}" for name in added)
    db.execute(  # by the number of its file: its name would have to be looked for row by row
        f"insert into {table} by name select r.*{more}"
        " from read_parquet(?, union_by_name = true) r join delivery_of_file d on d.nth = r.file_index",
        [list(map(str, files))],
    )
