"""`history.<dataset>`: the accepted rows of every delivery of a dataset that counts or counted, for rules to look back.

The rows are kept from run to run in the attached database `history_rows`, so a run reads the files of new deliveries
alone, however long the history is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

from flows.deliveries.validated import ValidatedDelivery
from flows.steps.cross_check.deleted_records import is_deleted
from flows.store.warehouse.load_cache import CacheInvalid
from schemas._contract.catalogue import datasets
from schemas._contract.derive import sql_type
from schemas._contract.model import Contract

if TYPE_CHECKING:
    import duckdb

    from flows.store.results import ResultStore

OF_DELIVERY: dict[str, type[pl.DataType]] = {
    "delivery_id": pl.String,
    "programme_code": pl.String,
    "site_code": pl.String,
    "received_at": pl.Datetime,
    "version": pl.Int64,
    "data_cut_date": pl.Date,
}  # columns that each row of `history` has from its delivery, besides `counts`


def needs_history(contract: Contract) -> bool:
    """Whether a history of this dataset is needed.

    It is if a rule reads it, or if other datasets refer to this one: then the history shows who first sent a reference
    (see `causes.py`).
    """
    rules = [r for c in datasets().values() for r in c.cross_check_rules]
    return any(f"history.{contract.dataset}" in r.reads or r.parent == contract.dataset for r in rules)


def load_history(
    db: duckdb.DuckDBPyConnection, contract: Contract, accepted: Sequence[ValidatedDelivery], results: ResultStore
) -> None:
    """Make the view `history.<dataset>`, or replace it after the accepted deliveries have changed.

    Columns: `source_row`, the fields of the contract, those of OF_DELIVERY, and `counts`. Grain: one row per delivery
    and row of its file. Rows of deleted records are left out; `history.<dataset>_sent` has them too. Raises
    CacheInvalid where the rows in `history_rows` are not those that were accepted.
    """
    _list_files(db, contract, accepted, results)
    _update_history_rows(db, contract)
    of_delivery = ", ".join(f"f.{n}" for n in (*OF_DELIVERY, "counts") if n not in contract.by_name)
    db.execute(
        f'create or replace view history."{contract.dataset}_sent" as'
        f' select r.* exclude (result_key), {of_delivery} from history_rows."{contract.dataset}" r'
        f' join history."{contract.dataset}_files" f using (result_key)'
    )
    db.execute(
        f'create or replace view history."{contract.dataset}" as'
        f' from history."{contract.dataset}_sent" r where not {is_deleted(contract, "r")}'
    )


def _list_files(
    db: duckdb.DuckDBPyConnection, contract: Contract, accepted: Sequence[ValidatedDelivery], results: ResultStore
) -> None:
    """Make the table `history.<dataset>_files`: the Parquet file and the columns of OF_DELIVERY of each delivery."""
    rows = [
        {
            "filename": str(results.accepted(v.key)),
            "result_key": v.key,
            "rows_accepted": v.verdict.rows.accepted,
            "counts": v.counts,
            **{n: getattr(v.delivery, n) for n in OF_DELIVERY},
        }
        for v in accepted
    ]
    types = OF_DELIVERY | {
        "filename": pl.String,
        "result_key": pl.String,
        "rows_accepted": pl.Int64,
        "counts": pl.Boolean,
    }
    db.register("files_of_history", pl.DataFrame(rows, types).to_arrow())
    db.execute(f'create or replace table history."{contract.dataset}_files" as from files_of_history')
    db.unregister("files_of_history")


def _update_history_rows(db: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    """Bring `history_rows.<dataset>` up to date: the accepted rows of the results in `<dataset>_files`, no others.

    `history_rows.<dataset>_results` lists the results that are in it and how many rows each has. It also has those
    without accepted rows, whose files would otherwise be read again in every run.
    """
    table, known = f'history_rows."{contract.dataset}"', f'history_rows."{contract.dataset}_results"'
    files = f'history."{contract.dataset}_files"'
    fields = ", ".join(f'"{f.name}" {sql_type(f)}' for f in contract.fields)
    db.begin()  # a run that is cut off must not leave rows without their entry in the list, or the other way round
    db.execute(f"create table if not exists {table} (result_key varchar, source_row bigint, {fields})")
    db.execute(f"create table if not exists {known} (result_key varchar, n bigint)")
    for each in (table, known):
        db.execute(f"delete from {each} where result_key not in (select result_key from {files})")
    # distinct: a delivery whose content is the same as another's shares its result, and so its file
    new = db.execute(
        f"select distinct filename from {files} where result_key not in (select result_key from {known})"
    ).fetchall()
    if new:
        # union_by_name: a result that was stored under an older contract may lack a field
        db.execute(
            f"insert into {table} by name select r.* exclude (filename), f.result_key"
            " from read_parquet(?, filename = true, union_by_name = true) r"
            f" join (select distinct filename, result_key from {files}) f using (filename)",
            [[f for (f,) in new]],
        )
        db.execute(
            f"insert into {known} select distinct result_key, rows_accepted from {files}"
            f" where result_key not in (select result_key from {known})"
        )
    db.commit()
    rows, expected = db.execute(
        f"select (select count(*) from {table}), (select coalesce(sum(n), 0) from {known})"
    ).fetchall()[0]
    if rows != expected:
        raise CacheInvalid(f"{contract.dataset} in history_rows: not the rows that were accepted")
