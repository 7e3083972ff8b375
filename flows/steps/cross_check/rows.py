"""Rules between rows and tables: a finding for each row of `core` that breaks one. What breaks a row rule is held.

A rule whose other table never came for a site could not be checked: its rows load, and a finding says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

from flows.cells.redact import redact
from flows.deliveries.findings import ROW_BY_ROW, Finding, findings_of_rows
from flows.deliveries.validated import ValidatedDelivery
from flows.store.findings import insert_findings, insert_findings_of
from flows.store.result_sink import ACCEPTED, HELD
from schemas._contract.derive import PROVENANCE
from schemas._contract.model import Contract, Rule, Severity
from schemas._contract.registry import returns_for
from schemas._contract.shared_fields import all_but_first
from schemas._rules.files import FILE_RULES
from schemas.audit.deliveries import Column
from schemas.audit.findings import Outcome

if TYPE_CHECKING:
    import duckdb

    from flows.store.results import ResultStore  # it keeps Parquet, which a check has no need to import

KEY_SENT_BEFORE = next(r for r in FILE_RULES if r.rule_id == "P04" and r.severity is Severity.ROW)


def make_work_tables(db: duckdb.DuckDBPyConnection) -> None:
    """Make what `check_rows` works with: the rows that break a rule, and those of them that are excused.

    `redact` is what a finding shows in place of the cell, where the rule says so.
    """
    db.execute("create temp table broken (delivery_id varchar, source_row bigint, shown varchar)")
    db.execute("create temp table excused (delivery_id varchar, source_row bigint)")


def check_rows(
    db: duckdb.DuckDBPyConnection,
    contract: Contract,
    current: Sequence[ValidatedDelivery],
    validated: Sequence[ValidatedDelivery],
    results: ResultStore | None = None,
) -> None:
    """A finding for each row of `core` that breaks a rule between rows or tables. What breaks a row rule is held.

    `current` are the deliveries of the dataset that count, `validated` all deliveries of all datasets. Which rows refer
    to one that is held itself is noted from `validation results`: where no delivery can be set aside, nobody asks.
    """
    if not current:
        return
    # a rule that puts rows back comes last: what it puts back is not judged again
    rules = [(r, r.violations_sql) for r in sorted(contract.relation_rules, key=lambda r: bool(r.reinstate_sql))]
    if len({v.delivery.site_code for v in current}) < len(current):
        rules.insert(0, (KEY_SENT_BEFORE, _keys_sent_before(contract)))
    for rule, sql in rules:
        cannot = _cannot_be_checked(rule, contract, current, validated)
        _report_unchecked(db, rule, [v for v in cannot if _is_owed(rule, v)])
        if len(cannot) == len(current):
            continue
        _find_violations(db, sql, rule.shows, except_of=cannot)
        _report_violations(db, rule, contract, current)
        if rule.parent and results:
            _excuse(db, contract, rule, validated, results)
        if rule.reinstate_sql:
            _restore(db, contract, rule)
        if rule.severity is Severity.ROW:
            is_broken = "(delivery_id, source_row) in (select (delivery_id, source_row) from broken)"
            db.execute(f'delete from core."{contract.dataset}" where {is_broken}')


def _find_violations(
    db: duckdb.DuckDBPyConnection, sql: str, shows: str, except_of: Sequence[ValidatedDelivery]
) -> None:
    """Put the rows that break a rule into `broken`, but for those of deliveries that it could not be checked for.

    With what the rule shows of each in place of its cell, if it does.
    """
    db.execute("delete from broken")
    db.execute(
        f"insert into broken select distinct delivery_id, source_row, {shows or 'null'} from ({sql})"
        " where not list_contains(?, delivery_id)",
        [[v.delivery.delivery_id for v in except_of]],
    )


def _excuse(
    db: duckdb.DuckDBPyConnection,
    contract: Contract,
    rule: Rule,
    validated: Sequence[ValidatedDelivery],
    results: ResultStore,
) -> None:
    """Note in `excused` the broken rows that refer to a row which was sent and is held itself."""
    parents = [v for v in validated if v.counts and v.delivery.dataset == rule.parent]
    if not parents or not db.execute("select 1 from broken limit 1").fetchall():
        return
    files = [(results.folder(v.key) / part, v.delivery.site_code) for v in parents for part in (ACCEPTED, HELD)]
    listed = pl.DataFrame({"sender": [site for _, site in files]}).with_row_index("nth")
    db.register("files_of_parents", listed.to_arrow())
    db.execute(
        f"""
        insert into excused
        select delivery_id, source_row from broken join core."{contract.dataset}" c using (delivery_id, source_row)
        where (c.site_code, c."{rule.field}") in (
            select (f.sender, r."{rule.field}")
            from read_parquet(?, union_by_name = true) r join files_of_parents f on f.nth = r.file_index)""",
        [[str(path) for path, _ in files]],
    )
    db.unregister("files_of_parents")


def _keys_sent_before(contract: Contract) -> str:
    """Rows whose key an earlier delivery of the same site already brought: deliveries of a period add up."""
    return all_but_first(
        f'core."{contract.dataset}" c join audit.deliveries d using (delivery_id)',
        alike=", ".join(("c.site_code", *(f'c."{k}"' for k in contract.key))),
        order="d.data_cut_date, d.version, delivery_id, c.source_row",
    )


def _cannot_be_checked(
    rule: Rule, contract: Contract, current: Sequence[ValidatedDelivery], validated: Sequence[ValidatedDelivery]
) -> list[ValidatedDelivery]:
    """The deliveries of sites that lack a table which the rule needs."""
    counting = {(v.delivery.site_code, v.delivery.dataset) for v in validated if v.counts}
    needed = [n for n in rule.needs if n != contract.dataset]
    return [v for v in current if any((v.delivery.site_code, n) not in counting for n in needed)]


def _is_owed(rule: Rule, validated: ValidatedDelivery) -> bool:
    """Whether the site owes every table that the rule needs: only then is a missing one worth telling."""
    needs = returns_for(validated.delivery.site_code)
    return all(needs.get(n) == "required" for n in rule.needs)


def _report_unchecked(db: duckdb.DuckDBPyConnection, rule: Rule, deliveries: Sequence[ValidatedDelivery]) -> None:
    unchecked = Finding(rule.rule_id, Severity.WARNING, field=rule.field, outcome=Outcome.NOT_CHECKED)
    insert_findings_of(db, ((v, unchecked) for v in deliveries))


def _report_violations(
    db: duckdb.DuckDBPyConnection, rule: Rule, contract: Contract, current: Sequence[ValidatedDelivery]
) -> None:
    """A finding for each row in `broken`, with the address of the cell to fix in the sender's own file."""
    on = rule.field or contract.key[0]
    columns = {
        v.delivery.delivery_id: next((c for c in v.verdict.columns if c.field == on), Column("", "", on))
        for v in current
    }
    addresses = pl.DataFrame(
        {
            "delivery_id": list(columns),
            "column_letter": [c.letter or None for c in columns.values()],
            "column_name": [c.heading or None for c in columns.values()],
            "sheet": [v.verdict.sheet for v in current],
        },
        schema=dict.fromkeys(("delivery_id", "column_letter", "column_name", "sheet"), pl.String),
    )
    broken = db.execute(
        f"""
        select delivery_id, source_row, c."{on}"::varchar as text, broken.shown
        from broken join core."{contract.dataset}" c using (delivery_id, source_row)"""
    ).pl()
    if broken.is_empty():
        return
    latest = max(v.delivery.data_cut_date for v in current)
    told = broken.drop("text").hstack(redact(broken["text"], contract.by_name[on], contract, latest))
    told = told.with_columns(found=pl.coalesce("shown", "found"), hidden=pl.col("hidden") & pl.col("shown").is_null())
    rows = told.join(addresses, on="delivery_id", maintain_order="left")
    found = findings_of_rows(rows, Finding(rule.rule_id, rule.severity, field=on), sheet=ROW_BY_ROW)
    insert_findings(db, found.with_columns(rows["delivery_id"]))


def _restore(db: duckdb.DuckDBPyConnection, contract: Contract, rule: Rule) -> None:
    """Put the rows of `history` that stand in place of those in `broken` into `core` (rule T02).

    Where a row's key is another row's by now nothing is put back: a key stands on one row.
    """
    names = [f.name for f in contract.fields] + [n for n, *_ in PROVENANCE if n not in contract.by_name]
    listed = ", ".join(f'"{n}"' for n in names)
    chosen = ", ".join(f'h."{n}"' for n in names)
    key = ", ".join(f'"{k}"' for k in ("site_code", *contract.key))
    db.execute(
        f"""
        insert into core."{contract.dataset}" ({listed})
        with standing as (
            select {chosen}, h.received_at from history."{contract.dataset}" h
            join ({rule.reinstate_sql}) s on s.delivery_id = h.delivery_id and s.source_row = h.source_row
        )
        select {listed} from standing
        anti join (from core."{contract.dataset}" anti join broken using (delivery_id, source_row)) using ({key})
        qualify row_number() over (partition by {key} order by received_at, delivery_id, source_row) = 1"""
    )
