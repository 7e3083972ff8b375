"""Made-up rows of any dataset, and the tables that rules between rows read. No row is about anyone."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Any

import duckdb
import polars as pl

from flows.workbooks.example_rows import example_rows
from schemas._contract.catalogue import datasets, reference_csv
from schemas._contract.derive import create_table
from schemas._contract.model import Contract, Kind, Rule
from schemas._contract.polars_types import polars_type

Row = dict[str, Any]
SITE, CUT_OFF = "MHT-BPL", date(2017, 9, 30)
OWN_KEYS = {"training_events": "event_id", "staff_posts": "post_id"}  # which differ from row to row beside other keys
PERIOD_START = date(2016, 1, 1)  # as if every file held only what happened since


def sound(dataset: str, *changes: Row) -> list[Row]:
    """Sound rows of a dataset, one for each set of changes: its example, with a key of its own."""
    contract = datasets()[dataset]
    base = example_rows(contract)[0]
    own_key = contract.key[-1] if contract.by_name[contract.key[-1]].kind is Kind.REFERENCE else ""
    own_key = OWN_KEYS.get(dataset, own_key)
    numbered = ({own_key: f"{base[own_key]}{n}"} if own_key else {} for n in range(len(changes)))
    return [
        {name: text for name, text in {**base, **key, **change}.items() if name in (*contract.by_name, "sender")}
        for key, change in zip(numbered, changes, strict=True)
    ]


def frame(contract: Contract, rows: list[Row]) -> pl.DataFrame:
    """Typed rows of a contract."""
    texts = [{f.name: str(r.get(f.name, "")) or None for f in contract.fields} for r in rows]
    yes = pl.Series(["Y"])
    return (
        pl.DataFrame(texts, schema={f.name: pl.String for f in contract.fields})
        .select(
            pl.col(f.name).str.to_date()
            if f.kind is Kind.DATE
            else pl.col(f.name).is_in(yes)
            if f.kind is Kind.YES_NO
            else pl.col(f.name).cast(polars_type(f))
            for f in contract.fields
        )
        .with_columns(pl.lit(CUT_OFF).alias("data_cut_date"), pl.lit(PERIOD_START).alias("period_start"))
    )


@cache
def _tables() -> duckdb.DuckDBPyConnection:
    db = duckdb.connect(config={"threads": 1})
    db.execute("create schema core; create schema history; create schema before; create schema audit")
    db.execute("create table core.sites as from read_csv(?, all_varchar = true)", [str(reference_csv("sites"))])
    db.execute("create table audit.deliveries (delivery_id varchar, data_cut_date date)")
    for name, contract in datasets().items():
        db.execute(create_table("core", contract, sent_by_sites=True))
        db.execute(f"create table history.{name} as from core.{name}")
        db.execute(f"alter table history.{name} add column received_at timestamp")
        db.execute(f"alter table history.{name} add column data_cut_date date")
        db.execute(f"alter table history.{name} add column counts boolean")
        db.execute(f"create table before.{name} as from core.{name}")
    return db


def broken(rule: Rule, now: dict[str, list[Row]], past: dict[str, list[Row]] | None = None) -> list[tuple[int, str]]:
    """The rows that break a rule between rows, and what its finding shows.

    Rows are numbered from 2 in each dataset. `past` are rows of the delivery of a quarter before. A rule about a whole
    file names no row: 0 stands for the file.
    """
    db = _tables()
    db.execute("begin")
    try:
        for delivery, cut_off, tables in (("d0", date(2017, 6, 30), past or {}), ("d1", CUT_OFF, now)):
            for name, rows in tables.items():
                _insert(db, name, rows, delivery, cut_off)
        shown = "0, found" if rule.whole_file else f"source_row, {rule.found_column or repr('')}"
        found = db.execute(f"select distinct {shown} from ({rule.violations_sql})")
        return sorted(found.fetchall())
    finally:
        db.execute("rollback")


def _insert(db: duckdb.DuckDBPyConnection, name: str, rows: list[Row], delivery: str, cut_off: date) -> None:
    senders = [str(r.get("sender", SITE)) for r in rows]
    data = (
        frame(datasets()[name], rows)
        .drop("data_cut_date", "period_start")
        .with_columns(
            pl.Series("site_code", senders),
            pl.lit(f"{name} {delivery}").alias("delivery_id"),
            (pl.int_range(pl.len()) + 2).alias("source_row"),
            *([] if "programme_code" in datasets()[name].by_name else [pl.lit("MHT").alias("programme_code")]),
        )
    )
    db.register("sent", data)
    if delivery == "d1":
        db.execute(f"insert into core.{name} by name from sent")
    else:  # rows of the extract before have the delivery_id of the one that counts
        db.execute(f"insert into before.{name} by name select * replace ('{name} d1' as delivery_id) from sent")
    db.execute(
        f"insert into history.{name} by name select *, ?::timestamp as received_at, ?::date as data_cut_date,"
        " ?::boolean as counts from sent",
        [cut_off, cut_off, delivery == "d1"],
    )
    db.execute("insert into audit.deliveries values (?, ?)", [f"{name} {delivery}", cut_off])
    db.unregister("sent")


def rule_of(dataset: str, rule_id: str, field: str, title: str = "", *, within_row: bool = False) -> Rule:
    """The rule with this id and field, within a row or between rows, and whose title begins with `title`."""
    (found,) = (
        r
        for r in datasets()[dataset].rules
        if (r.rule_id, r.field, r.check is not None) == (rule_id, field, within_row) and r.title.startswith(title)
    )
    return found
