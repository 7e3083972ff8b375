"""load: the accepted rows of the deliveries that count now become `core`, in a NEW warehouse file, with comments.

It never touches the file that readers have open. DuckDB takes the rows from the store's Parquet; what sites do not
send (the registry, code lists) comes from the CSV beside its contract.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from flows.store.judgements import Judgements
from schemas.audit.deliveries import Standing
from schemas.catalogue import SCHEMAS, audit_tables, datasets, reference_csv, reference_tables
from schemas.codes import all_code_lists
from schemas.contract import Contract, Severity
from schemas.derive import PROVENANCE, columns, comments, create_table
from schemas.explain import explain, rules_of
from schemas.shapes import Finding, Judged

_OF_THE_DELIVERY = tuple(n for n, *_ in PROVENANCE if n != "source_row")  # the row's own address comes with the row


def load(
    build: Path,
    judged: Sequence[Judged],
    runs: Sequence[dict[str, Any]],
    judgements: Judgements,
    options: dict[str, Any] | None = None,
) -> dict[str, int]:
    """Make the file `build` with `core` and `audit`. Gives the number of rows loaded, by dataset."""
    with duckdb.connect(str(build), config=options or {}) as db:
        db.begin()  # hundreds of small statements: one commit costs less than as many
        for schema in SCHEMAS:
            db.execute(f"create schema {schema}")
        for contract in datasets().values():
            _make_table(db, "core", contract, sent_by_sites=True)
        for contract in reference_tables().values():
            _make_table(db, "core", contract)
            _fill_reference(db, contract)
        for contract in audit_tables().values():
            _make_table(db, "audit", contract)
        db.commit()
        _fill(db, "audit.runs", list(runs))
        _fill(db, "audit.deliveries", [_delivery_row(j) for j in judged])
        _fill(db, "audit.rules", _rule_rows())
        _load_findings(db, judged, judgements)
        return {name: _load_dataset(db, contract, judged, judgements) for name, contract in datasets().items()}


def _make_table(db: duckdb.DuckDBPyConnection, schema: str, contract: Contract, sent_by_sites: bool = False) -> None:
    db.execute(create_table(schema, contract, sent_by_sites))
    for statement in comments(schema, contract, sent_by_sites):
        db.execute(statement)


def _fill_reference(db: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    if contract.dataset == "codes":
        rows = [
            {
                "list_name": listed.name,
                "code": e.code,
                "label": e.label,
                "aliases": "; ".join(e.aliases) or None,
                "active_code": e.active_code or None,
                "source": e.source,
            }
            for listed in all_code_lists()
            for e in listed.entries
        ]
        _fill(db, "core.codes", rows)
        return
    names = ", ".join(f'"{n}"' for n, *_ in columns(contract, sent_by_sites=False))
    required = [f'"{f.name}"' for f in contract.fields if f.required]
    kept_empty = ", ".join(f"'{n.strip(chr(34))}'" for n in required)
    db.execute(
        f'insert into core."{contract.dataset}" select {names} from read_csv(?, header = true, all_varchar = true,'
        f" delim = ',', quote = '\"', escape = '\"', auto_detect = false, columns = {_text_columns(contract)},"
        f" force_not_null = [{kept_empty}])",
        [str(reference_csv(contract.dataset))],
    )


def _text_columns(contract: Contract) -> str:
    with reference_csv(contract.dataset).open(encoding="utf-8") as file:
        headings = file.readline().strip().split(",")
    return "{" + ", ".join(f"'{h}': 'VARCHAR'" for h in headings) + "}"


def _fill(db: duckdb.DuckDBPyConnection, table: str, rows: list[dict[str, Any]]) -> None:
    """Insert rows, given as plain values, into the columns of the same names."""
    if not rows:
        return
    names = list(rows[0])
    frame = pl.DataFrame({n: [_plain(r[n]) for r in rows] for n in names}, schema=dict.fromkeys(names, pl.String))
    db.register("rows_to_fill", frame.to_arrow())
    db.execute(f"insert into {table} by name select {', '.join(names)} from rows_to_fill")
    db.unregister("rows_to_fill")


def _plain(value: Any) -> str | None:
    return None if value is None else str(value)


def _delivery_row(judged: Judged) -> dict[str, Any]:
    d, v = judged.delivery, judged.verdict
    return {
        "delivery_id": d.delivery_id,
        "site_code": d.site_code,
        "programme_code": d.programme_code,
        "dataset": d.dataset,
        "period": d.period,
        "version": d.version,
        "file_name": d.file_name,
        "sheet": v.sheet,
        "sha256": d.sha256,
        "bytes": d.bytes,
        "received_at": d.received_at,
        "data_cut_date": d.data_cut_date,
        "extract_type": d.extract_type,
        "same_as": d.same_as or None,
        "result": v.result,
        "standing": judged.standing,
        "rows_read": v.rows.read,
        "rows_accepted": v.rows.accepted,
        "rows_held": v.rows.held,
        "rows_repeated": v.rows.repeats,
        "rows_not_data": v.rows.not_data,
        "encoding": v.encoding or None,
        "contract_version": v.contract_version or None,
        "judgement_key": judged.key,
    }


@lru_cache
def _rule_rows() -> list[dict[str, Any]]:
    rows = []
    for contract in datasets().values():
        for rule, severity, field in rules_of(contract):
            text = explain(contract, rule.rule_id, field, severity)
            said = {"title": text.title, "expected": text.expected, "fix": text.fix}
            key = {"dataset": contract.dataset, "rule_id": rule.rule_id, "severity": severity, "field": field}
            rows.append(key | said)
    return rows


def _load_findings(db: duckdb.DuckDBPyConnection, judged: Sequence[Judged], judgements: Judgements) -> None:
    """Every finding of every judged delivery, and that one is stale (F18) or the same as another (F17)."""
    by_file: dict[str, list[Judged]] = defaultdict(list)
    for j in judged:  # bytes that come back after others share their judgement with the first
        if not j.delivery.same_as:
            by_file[str(judgements.findings_path(j.key))].append(j)
    _insert_parquet(db, "audit.findings", by_file, ["delivery_id"])
    told = {Standing.SAME: ("F17", Severity.WARNING), Standing.STALE: ("F18", Severity.FILE)}
    for j in judged:
        if j.standing in told:
            rule_id, severity = told[j.standing]
            finding = Finding(rule_id, severity).to_row(j.verdict.sheet)
            _fill(db, "audit.findings", [{"delivery_id": j.delivery.delivery_id, **finding}])


def _load_dataset(
    db: duckdb.DuckDBPyConnection, contract: Contract, judged: Sequence[Judged], judgements: Judgements
) -> int:
    by_file: dict[str, list[Judged]] = defaultdict(list)
    for j in judged:
        if j.counts and j.delivery.dataset == contract.dataset and j.verdict.rows.accepted:
            by_file[str(judgements.accepted(j.key))].append(j)
    added = [n for n in _OF_THE_DELIVERY if n not in contract.by_name]
    _insert_parquet(db, f'core."{contract.dataset}"', by_file, added)
    counted = db.execute(f'select count(*) from core."{contract.dataset}"').fetchone()
    assert counted
    return int(counted[0])


def _insert_parquet(
    db: duckdb.DuckDBPyConnection, table: str, by_file: dict[str, list[Judged]], added: Sequence[str]
) -> None:
    """Insert the rows of judgements' Parquet files, each with what `added` names of the delivery it belongs to."""
    if not by_file:
        return
    source = pl.DataFrame(
        [{"file": f, **{n: getattr(j.delivery, n) for n in _OF_THE_DELIVERY}} for f, js in by_file.items() for j in js]
    )
    db.register("delivery_of_file", source.to_arrow())
    more = "".join(f", d.{name}" for name in added)
    db.execute(
        f"insert into {table} by name select r.* exclude (filename){more}"
        " from read_parquet(?, filename = true, union_by_name = true) r join delivery_of_file d on d.file = r.filename",
        [list(by_file)],
    )
    db.unregister("delivery_of_file")
