"""load: the accepted rows of the deliveries that count now become `core`, in a database that no reader sees.

DuckDB takes the rows from the store's Parquet; what sites do not send (the registry, code lists) comes from the CSV
beside its contract.

What was loaded is kept from run to run (see `NewBuild.fill`): only deliveries that came, went or were validated anew
are taken in and out of it, in one transaction, and the new warehouse begins as a copy of it. It holds what the
deliveries say and nothing that follows from it (no row is held there by a rule between tables), so it is the same
whichever runs it has seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from flows.deliveries.validated import ValidatedDelivery
from flows.store.accepted_rows import insert_accepted, insert_parquet
from flows.store.results import ResultStore
from flows.store.warehouse.load_cache import CacheExpired, CacheInvalid
from schemas._contract.catalogue import (
    SCHEMAS,
    audit_tables,
    datasets,
    reference_csv,
    reference_tables,
    rows_by_delivery,
)
from schemas._contract.code_lists import all_code_lists
from schemas._contract.derive import columns, comments, create_table, ddl_batch
from schemas._contract.model import Contract
from schemas._rules.explain import explain, rules_of
from schemas.audit.deliveries import Standing
from schemas.audit.withdrawals import Withdrawal

if TYPE_CHECKING:
    import duckdb

_MOST_UNUSED = 16 << 20  # bytes of a kept file that may be unused before it is worth making anew


class _Brings(NamedTuple):
    """By which validation result a delivery's rows, and its findings, are in the warehouse ('': by none)."""

    dataset: str
    rows: str
    findings: str

    @classmethod
    def of(cls, dataset: str, key: str, standing: str, accepted: int) -> _Brings:
        """What a delivery brings that has this validation result, standing and number of accepted rows."""
        counts = standing == Standing.CURRENT and accepted
        return cls(dataset, key if counts else "", key)


def load(
    db: duckdb.DuckDBPyConnection,
    validated: Sequence[ValidatedDelivery],
    runs: Sequence[dict[str, Any]],
    results: ResultStore,
    withdrawals: Sequence[Withdrawal] = (),
) -> dict[str, int]:
    """Let a database hold what these deliveries bring: all of it where it is new, else only what has changed.

    Gives the number of rows of each dataset. Raises CacheExpired where it must be made anew, and CacheInvalid, or what
    DuckDB raises, where what is in it cannot be relied on.
    """
    now = {
        v.delivery.delivery_id: _Brings.of(v.delivery.dataset, v.key, v.standing, v.verdict.rows.accepted)
        for v in validated
    }
    db.begin()  # all or nothing; and hundreds of small statements: one commit costs less than as many
    if not db.execute("from duckdb_tables()").fetchall():
        _make_tables(db)
    before = {i: _Brings.of(*row) for i, *row in db.execute(_BROUGHT).fetchall()}
    if _must_go(db, validated, before, now):
        raise CacheExpired
    for table in ("audit.runs", "audit.withdrawals", "audit.deliveries"):
        db.execute(f"delete from {table}")
    _fill(db, "audit.runs", list(runs))
    _fill(db, "audit.withdrawals", [asdict(w) for w in withdrawals])
    _fill(db, "audit.deliveries", [_delivery_row(v) for v in validated])
    gone = [i for i, brought in before.items() if i not in now or now[i].findings != brought.findings]
    db.execute("delete from audit.findings where delivery_id in (select unnest(?::varchar[]))", [gone])
    _load_findings(db, [v for v in validated if _is_new(v, "findings", before, now)], results)
    # rows may lie in another order than they came in: with order to keep, a large file is packed twice over
    db.execute("set preserve_insertion_order = false")
    gone = [i for i, brought in before.items() if brought.rows and (i not in now or now[i].rows != brought.rows)]
    new = [v for v in validated if _is_new(v, "rows", before, now)]
    for name, contract in datasets().items():
        if of_it := [i for i in gone if before[i].dataset == name]:
            db.execute(f'delete from core."{name}" where delivery_id in (select unnest(?::varchar[]))', [of_it])
        insert_accepted(db, contract, [v for v in new if v.delivery.dataset == name], results)
    db.commit()
    db.execute("checkpoint")  # closing would hide that it failed, and a copy of the file would be of the run before
    return _counted(db, validated)


_BROUGHT = "select delivery_id, dataset, judgement_key, standing, rows_accepted from audit.deliveries"


def _is_new(v: ValidatedDelivery, part: str, before: dict[str, _Brings], now: dict[str, _Brings]) -> bool:
    """Whether a part of what a delivery brings has to be taken in."""
    wanted, there = (getattr(brought.get(v.delivery.delivery_id), part, "") for brought in (now, before))
    return bool(wanted) and wanted != there


def _must_go(
    db: duckdb.DuckDBPyConnection,
    validated: Sequence[ValidatedDelivery],
    before: dict[str, _Brings],
    now: dict[str, _Brings],
) -> bool:
    """Whether a kept file has to be made anew.

    What is deleted stays in unused parts of the file for a while: personal data may not. And a file that is mostly
    unused is larger than it need be.
    """
    personal = {v.delivery.delivery_id for v in validated if v.verdict.holds_personal_data}
    size, total, used = db.execute(
        "select block_size, total_blocks, used_blocks from pragma_database_size()"
    ).fetchall()[0]
    return any(before.get(i, now[i]) != now[i] for i in personal) or (total - used) * size > max(
        _MOST_UNUSED, used * size
    )


def _counted(db: duckdb.DuckDBPyConnection, validated: Sequence[ValidatedDelivery]) -> dict[str, int]:
    """The number of rows of each dataset. Raises CacheInvalid where a delivery has other rows than were accepted."""
    there = {(dataset, i): n for dataset, i, n in db.execute(rows_by_delivery()).fetchall()}
    due = {(v.delivery.dataset, v.delivery.delivery_id): v.verdict.rows.accepted for v in validated if v.counts}
    due = {of: n for of, n in due.items() if n}
    if there != due:
        wrong = sorted({dataset for (dataset, _), _ in there.items() ^ due.items()})
        raise CacheInvalid(f"{', '.join(wrong)} in core: not the rows that were accepted")
    loaded = dict.fromkeys(datasets(), 0)
    for (dataset, _), n in there.items():
        loaded[dataset] += n
    return loaded


def _make_tables(db: duckdb.DuckDBPyConnection) -> None:
    """Every table of `core` and `audit`; those that no delivery changes are filled."""
    tables = [
        *(("core", contract, True) for contract in datasets().values()),
        *(("core", contract, False) for contract in reference_tables().values()),
        *(("audit", contract, False) for contract in audit_tables().values()),
    ]
    statements = [f"create schema {schema}" for schema in SCHEMAS]
    statements += [
        s
        for schema, contract, is_sent in tables
        for s in (
            create_table(schema, contract, sent_by_sites=is_sent),
            *comments(schema, contract, sent_by_sites=is_sent),
        )
    ]
    db.execute(ddl_batch(statements))
    for contract in reference_tables().values():
        fill_reference(db, contract)
    _fill(db, "audit.rules", _rule_rows())


def fill_reference(db: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    """Fill a table that no site sends, such as sites and code lists, from the CSV beside its contract."""
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
    names = ", ".join(f'"{c.name}"' for c in columns(contract, sent_by_sites=False))
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


def _fill(db: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
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


def _delivery_row(validated: ValidatedDelivery) -> dict[str, Any]:
    d, verdict = validated.delivery, validated.verdict
    return {
        "delivery_id": d.delivery_id,
        "site_code": d.site_code,
        "programme_code": d.programme_code,
        "dataset": d.dataset,
        "period": d.period,
        "version": d.version,
        "file_name": d.file_name,
        "sheet": verdict.sheet,
        "sha256": d.sha256,
        "bytes": d.bytes,
        "received_at": d.received_at,
        "data_cut_date": d.data_cut_date,
        "extract_type": d.extract_type,
        "same_as": d.same_as or None,
        "result": verdict.result,
        "standing": validated.standing,
        "rows_read": verdict.rows.read,
        "rows_accepted": verdict.rows.accepted,
        "rows_held": verdict.rows.held,
        "rows_repeated": verdict.rows.repeats,
        "rows_not_data": verdict.rows.not_data,
        "encoding": verdict.encoding or None,
        "contract_version": verdict.contract_version or None,
        "judgement_key": validated.key,
    }


@lru_cache
def _rule_rows() -> Sequence[Mapping[str, Any]]:
    rows = []
    for contract in datasets().values():
        for rule, severity, field in rules_of(contract):
            text = explain(contract, rule.rule_id, field, severity)
            said = {"title": text.title, "expected": text.expected, "fix": text.fix}
            key = {"dataset": contract.dataset, "rule_id": rule.rule_id, "severity": severity, "field": field}
            rows.append(MappingProxyType(key | said))
    return tuple(rows)


def _load_findings(db: duckdb.DuckDBPyConnection, validated: Sequence[ValidatedDelivery], results: ResultStore) -> None:
    """Every finding of the validation results of some deliveries."""
    # bytes that come back after others share their validation result with the first
    own = [v for v in validated if not v.delivery.same_as]
    insert_parquet(db, "audit.findings", [results.findings_path(v.key) for v in own], own, ["delivery_id"])
