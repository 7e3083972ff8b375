"""load: fill `core` and `audit` from the deliveries that count, in a database that no reader sees.

DuckDB reads accepted rows and findings from the store's Parquet files. Tables that sites do not send (the registry,
code lists) are filled from the CSV beside their contract.

The load is incremental. The loaded database is kept from run to run as the load cache (see `NewBuild.fill`), and only
deliveries that came, went or were re-validated are added and removed, in one transaction. The new build starts as a
copy of it. The cache holds rows as they were validated, before any rule between tables, so its content depends on the
deliveries alone and not on which runs it has been through.
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

_MAX_UNUSED = 16 << 20  # unused bytes of the cache file above which a rebuild is worth its time


class _Loaded(NamedTuple):
    """The result keys by which a delivery's rows and findings are loaded ('' where they are not)."""

    dataset: str
    rows: str
    findings: str

    @classmethod
    def of(cls, dataset: str, key: str, standing: str, accepted: int) -> _Loaded:
        """What is loaded of a delivery: always its findings, and its accepted rows if it counts."""
        counts = standing == Standing.CURRENT and accepted
        return cls(dataset, key if counts else "", key)


def load(
    db: duckdb.DuckDBPyConnection,
    validated: Sequence[ValidatedDelivery],
    runs: Sequence[dict[str, Any]],
    results: ResultStore,
    withdrawals: Sequence[Withdrawal] = (),
) -> dict[str, int]:
    """Load these deliveries into a database: everything if it is empty, else only what has changed since.

    Returns the number of rows in `core` by dataset. Raises CacheExpired where the database must be rebuilt, and
    CacheInvalid, or what DuckDB raises, where its content is unsound.
    """
    now = {
        v.delivery.delivery_id: _Loaded.of(v.delivery.dataset, v.key, v.standing, v.verdict.rows.accepted)
        for v in validated
    }
    db.begin()  # all or nothing, and one commit costs less than one for each of hundreds of small statements
    if not db.execute("from duckdb_tables()").fetchall():
        _make_tables(db)
    before = {i: _Loaded.of(*row) for i, *row in db.execute(_LOADED_BEFORE).fetchall()}
    if _has_expired(db, validated, before, now):
        raise CacheExpired
    # these have few rows, any of which may have changed, so they are filled anew
    for table in ("audit.runs", "audit.withdrawals", "audit.deliveries"):
        db.execute(f"delete from {table}")
    _fill(db, "audit.runs", list(runs))
    _fill(db, "audit.withdrawals", [asdict(w) for w in withdrawals])
    _fill(db, "audit.deliveries", [_delivery_row(v) for v in validated])
    outdated = [i for i, loaded in before.items() if i not in now or now[i].findings != loaded.findings]
    db.execute("delete from audit.findings where delivery_id in (select unnest(?::varchar[]))", [outdated])
    _load_findings(db, [v for v in validated if _is_new(v, "findings", before, now)], results)
    # the order of rows has no meaning, and to keep it DuckDB would compress the rows of a large file twice
    db.execute("set preserve_insertion_order = false")
    outdated = [i for i, loaded in before.items() if loaded.rows and (i not in now or now[i].rows != loaded.rows)]
    new = [v for v in validated if _is_new(v, "rows", before, now)]
    for name, contract in datasets().items():
        if removed := [i for i in outdated if before[i].dataset == name]:
            db.execute(f'delete from core."{name}" where delivery_id in (select unnest(?::varchar[]))', [removed])
        insert_accepted(db, contract, [v for v in new if v.delivery.dataset == name], results)
    db.commit()
    # closing the connection checkpoints too, but hides a failure: the copy of the file would be that of the run before
    db.execute("checkpoint")
    return _count_rows(db, validated)


_LOADED_BEFORE = "select delivery_id, dataset, judgement_key, standing, rows_accepted from audit.deliveries"


def _is_new(v: ValidatedDelivery, part: str, before: dict[str, _Loaded], now: dict[str, _Loaded]) -> bool:
    """Whether the `rows` or `findings` of a delivery have to be loaded."""
    wanted, there = (getattr(loaded.get(v.delivery.delivery_id), part, "") for loaded in (now, before))
    return bool(wanted) and wanted != there


def _has_expired(
    db: duckdb.DuckDBPyConnection,
    validated: Sequence[ValidatedDelivery],
    before: dict[str, _Loaded],
    now: dict[str, _Loaded],
) -> bool:
    """Whether the cache has to be rebuilt: to erase personal data, or because more than half of the file is unused.

    DuckDB leaves deleted rows in unused blocks of the file until it writes over them. Personal data may not stay there.
    """
    personal = {v.delivery.delivery_id for v in validated if v.verdict.holds_personal_data}
    size, total, used = db.execute(
        "select block_size, total_blocks, used_blocks from pragma_database_size()"
    ).fetchall()[0]
    return any(before.get(i, now[i]) != now[i] for i in personal) or (total - used) * size > max(
        _MAX_UNUSED, used * size
    )


def _count_rows(db: duckdb.DuckDBPyConnection, validated: Sequence[ValidatedDelivery]) -> dict[str, int]:
    """The number of rows by dataset. Raises CacheInvalid where a delivery has other rows than were accepted."""
    loaded = {(dataset, i): n for dataset, i, n in db.execute(rows_by_delivery()).fetchall()}
    expected = {(v.delivery.dataset, v.delivery.delivery_id): v.verdict.rows.accepted for v in validated if v.counts}
    expected = {delivery: n for delivery, n in expected.items() if n}
    if loaded != expected:
        wrong = sorted({dataset for (dataset, _), _ in loaded.items() ^ expected.items()})
        raise CacheInvalid(f"{', '.join(wrong)} in core: not the rows that were accepted")
    by_dataset = dict.fromkeys(datasets(), 0)
    for (dataset, _), n in loaded.items():
        by_dataset[dataset] += n
    return by_dataset


def _make_tables(db: duckdb.DuckDBPyConnection) -> None:
    """Create every table of `core` and `audit`, and fill those that do not depend on deliveries."""
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
    """Fill a table that no site sends, such as sites or code lists, from the CSV files beside its contract."""
    if contract.dataset == "codes":
        rows = [
            {
                "list_name": code_list.name,
                "code": e.code,
                "label": e.label,
                "aliases": "; ".join(e.aliases) or None,
                "active_code": e.active_code or None,
                "valid_from": e.valid_from,
                "valid_to": e.valid_to,
                "source": e.source,
            }
            for code_list in all_code_lists()
            for e in code_list.entries
        ]
        _fill(db, "core.codes", rows)
        return
    names = ", ".join(f'"{c.name}"' for c in columns(contract, sent_by_sites=False))
    required = [f'"{f.name}"' for f in contract.fields if f.required]
    # read_csv takes an empty cell for null, and '' is what a required text column holds then
    not_null = ", ".join(f"'{n.strip(chr(34))}'" for n in required)
    db.execute(
        f'insert into core."{contract.dataset}" select {names} from read_csv(?, header = true, all_varchar = true,'
        f" delim = ',', quote = '\"', escape = '\"', auto_detect = false, columns = {_text_columns(contract)},"
        f" force_not_null = [{not_null}])",
        [str(reference_csv(contract.dataset))],
    )


def _text_columns(contract: Contract) -> str:
    with reference_csv(contract.dataset).open(encoding="utf-8") as file:
        headings = file.readline().strip().split(",")
    return "{" + ", ".join(f"'{h}': 'VARCHAR'" for h in headings) + "}"


def _fill(db: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows into the columns of the same names. Values go in as text, and DuckDB casts them to each column."""
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
        "rows_deleted": verdict.rows.deleted,
        "rows_repeated": verdict.rows.repeats,
        "rows_not_data": verdict.rows.not_data,
        "signed_off_by_role": verdict.sign_off.role or None,
        "signed_off_on": verdict.sign_off.on,
        "gbp_declared": verdict.sign_off.gbp_total or None,
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
            texts = {"title": text.title, "expected": text.expected, "fix": text.fix}
            key = {"dataset": contract.dataset, "rule_id": rule.rule_id, "severity": severity, "field": field}
            rows.append(MappingProxyType(key | texts | {"confirmable": rule.confirmable}))
    return tuple(rows)


def _load_findings(db: duckdb.DuckDBPyConnection, validated: Sequence[ValidatedDelivery], results: ResultStore) -> None:
    """Insert all findings of the validation results of some deliveries into `audit.findings`."""
    # a delivery that repeats another shares its validation result, whose findings are loaded once, for the first
    own = [v for v in validated if not v.delivery.same_as]
    insert_parquet(db, "audit.findings", [results.findings_path(v.key) for v in own], own, ["delivery_id"])
