"""Rules between rows and tables: each row of `core` that breaks one gives a finding, and is held by a row rule.

A rule about a whole file gives one finding for the file, and sees the rows that the other rules have left in `core`.
Where a site has no accepted delivery of a table that a rule needs, the rule cannot be checked: the rows stay in `core`,
and a finding says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

from flows.cells.redact import redact
from flows.deliveries.context import ROW_WORD
from flows.deliveries.findings import ROW_BY_ROW, Finding, findings_of_rows
from flows.deliveries.validated import ValidatedDelivery
from flows.store.findings_table import insert_findings, insert_findings_of
from flows.store.result_sink import ACCEPTED, HELD
from schemas._contract.derive import PROVENANCE, quoted
from schemas._contract.model import Contract, Rule, Severity
from schemas._contract.registry import returns_for
from schemas._contract.shared_fields import repeats_sql
from schemas._rules.files import FILE_RULES
from schemas.audit.deliveries import Column
from schemas.audit.findings import Outcome

if TYPE_CHECKING:
    import duckdb

    from flows.store.results import ResultStore  # imports pyarrow.parquet, which `pilots check` does without

KEY_SENT_BEFORE = next(r for r in FILE_RULES if r.rule_id == "P04" and r.severity is Severity.ROW)


def make_work_tables(db: duckdb.DuckDBPyConnection) -> None:
    """Make the temporary tables of `check_rows`: rows that break a rule, and those that are excused.

    `shown` is what a finding shows in place of the cell, if the rule says so (`Rule.found_column`, `names_other`).
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
    """Insert a finding for each row of `core` that breaks a rule, and delete the rows that break a row rule.

    `current` are the deliveries of the dataset that count, `validated` all deliveries of all datasets. Which rows refer
    to a held row is read from `results` into `excused`. Without `results` that is left out: it matters only where a
    delivery may be set aside.
    """
    if not current:
        return
    # a rule that reinstates rows comes last, because no rule is to check those rows again
    in_order = sorted(contract.cross_check_rules, key=lambda r: (bool(r.reinstate_sql), r.whole_file))
    rules = [(r, r.violations_sql) for r in in_order]
    # a key can be on several rows of a site only where several of its deliveries count: then they are single periods
    if len({v.delivery.site_code for v in current}) < len(current):
        rules.insert(0, (KEY_SENT_BEFORE, _keys_sent_before(contract)))
    for rule, sql in rules:
        unchecked = _cannot_be_checked(rule, contract, current, validated)
        _report_unchecked(db, rule, [v for v in unchecked if _sender_owes_tables(rule, v)])
        if len(unchecked) == len(current):
            continue
        if rule.whole_file:
            _report_whole_files(db, rule, [v for v in current if v not in unchecked])
            continue
        is_broken_anywhere = _find_violations(db, sql, _shown(rule), except_of=unchecked)
        if is_broken_anywhere:
            report_violations(db, rule, contract, current)
        if is_broken_anywhere and rule.parent and results:
            _excuse(db, contract, rule, validated, results)
        if rule.reinstate_sql:
            _reinstate(db, contract, rule)
        if is_broken_anywhere and rule.severity is Severity.ROW:
            is_broken = "(delivery_id, source_row) in (select (delivery_id, source_row) from broken)"
            db.execute(f'delete from core."{contract.dataset}" where {is_broken}')


def _shown(rule: Rule) -> str:
    """SQL for what a finding shows in place of the cell: null for the cell itself."""
    if not rule.names_other:
        return rule.found_column or "null"
    in_file, in_other_file = f"{rule.names_other} {ROW_WORD} ", f"{rule.names_other} a row of an earlier file"
    return f"if(other_delivery = delivery_id, {quoted(in_file)} || other_row, {quoted(in_other_file)})"


def _find_violations(
    db: duckdb.DuckDBPyConnection, sql: str, shown: str, except_of: Sequence[ValidatedDelivery]
) -> bool:
    """Fill `broken` with the rows that break a rule, except those of deliveries it could not be checked for.

    Returns whether there are any.
    """
    db.execute("delete from broken")
    inserted = db.execute(
        f"insert into broken select distinct delivery_id, source_row, {shown} from ({sql})"
        " where not list_contains(?, delivery_id)",
        [[v.delivery.delivery_id for v in except_of]],
    ).fetchall()
    return inserted != [(0,)]


def _excuse(
    db: duckdb.DuckDBPyConnection,
    contract: Contract,
    rule: Rule,
    validated: Sequence[ValidatedDelivery],
    results: ResultStore,
) -> None:
    """Add to `excused` the broken rows that refer to a row which was sent and is held itself.

    The parent is looked for in the stored files, accepted and held rows alike: `core` no longer has it.
    """
    parents = [v for v in validated if v.counts and v.delivery.dataset == rule.parent]
    if not parents:
        return
    files = [(results.folder(v.key) / part, v.delivery.site_code) for v in parents for part in (ACCEPTED, HELD)]
    # joined on the number that read_parquet gives each file: its name would be compared row by row
    senders = pl.DataFrame({"sender": [site for _, site in files]}).with_row_index("nth")
    db.register("files_of_parents", senders.to_arrow())
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
    """SQL for rows whose key an earlier delivery of the same site has: deliveries of single periods add up."""
    return repeats_sql(
        f'core."{contract.dataset}" c join audit.deliveries d using (delivery_id)',
        columns=", ".join(("c.site_code", *(f'c."{k}"' for k in contract.key))),
        order_by="d.data_cut_date, d.version, delivery_id, c.source_row",
    )


def _cannot_be_checked(
    rule: Rule, contract: Contract, current: Sequence[ValidatedDelivery], validated: Sequence[ValidatedDelivery]
) -> list[ValidatedDelivery]:
    """Deliveries of sites for which no delivery of a table that the rule needs counts."""
    counting = {(v.delivery.site_code, v.delivery.dataset) for v in validated if v.counts}
    needed = [n for n in rule.needs if n != contract.dataset]
    return [v for v in current if any((v.delivery.site_code, n) not in counting for n in needed)]


def _sender_owes_tables(rule: Rule, validated: ValidatedDelivery) -> bool:
    """Whether the site has to send every table that the rule needs: only then is a missing one worth reporting."""
    needs = returns_for(validated.delivery.site_code)
    return all(needs.get(n) == "required" for n in rule.needs)


def _report_unchecked(db: duckdb.DuckDBPyConnection, rule: Rule, deliveries: Sequence[ValidatedDelivery]) -> None:
    finding = Finding(rule.rule_id, Severity.WARNING, field=rule.field, outcome=Outcome.NOT_CHECKED)
    insert_findings_of(db, ((v, finding) for v in deliveries))


def _report_whole_files(db: duckdb.DuckDBPyConnection, rule: Rule, current: Sequence[ValidatedDelivery]) -> None:
    """Insert a finding for each delivery that breaks a rule about a whole file."""
    broken = dict(db.execute(rule.violations_sql).fetchall())
    findings = (
        (v, Finding(rule.rule_id, rule.severity, field=rule.field, column=_column(v, rule.field), found=found))
        for v in current
        if (found := broken.get(v.delivery.delivery_id))
    )
    insert_findings_of(db, findings)


def _column(v: ValidatedDelivery, field: str) -> Column:
    """The column of a field in the sender's file."""
    return next((c for c in v.verdict.columns if c.field == field), Column("", "", field))


def report_violations(
    db: duckdb.DuckDBPyConnection, rule: Rule, contract: Contract, current: Sequence[ValidatedDelivery]
) -> None:
    """Insert a finding for each row in `broken`, with the address of the cell to fix in the sender's own file.

    A row that the delivery's own validation held is not in `core`: of its cell nothing can be shown.
    """
    field = rule.field or contract.key[0]
    columns = {v.delivery.delivery_id: _column(v, field) for v in current}
    addresses = pl.DataFrame(
        {
            "delivery_id": list(columns),
            "column_letter": [c.letter or None for c in columns.values()],
            "column_name": [c.heading or None for c in columns.values()],
            "sheet": [v.verdict.sheet for v in current],
            "row_word": ["line" if v.verdict.line_shifts else "row" for v in current],
        },
        schema=dict.fromkeys(("delivery_id", "column_letter", "column_name", "sheet", "row_word"), pl.String),
    )
    broken = db.execute(
        f"""
        select delivery_id, source_row, c."{field}"::varchar as text, broken.shown
        from broken left join core."{contract.dataset}" c using (delivery_id, source_row)"""
    ).pl()
    if broken.is_empty():
        return
    # one cut-off for the rows of all sites: redaction needs it only to recognise possible dates of birth
    latest = max(v.delivery.data_cut_date for v in current)
    rows = broken.drop("text").hstack(redact(broken["text"], contract.by_name[field], contract, latest))
    rows = rows.join(addresses, on="delivery_id", maintain_order="left")
    shown = pl.col("shown").str.replace(ROW_WORD, pl.col("row_word"), literal=True)
    rows = rows.with_columns(found=pl.coalesce(shown, "found"), hidden=pl.col("hidden") & shown.is_null())
    findings = findings_of_rows(rows, Finding(rule.rule_id, rule.severity, field=field), sheet=ROW_BY_ROW)
    insert_findings(db, findings.with_columns(rows["delivery_id"]))


def _reinstate(db: duckdb.DuckDBPyConnection, contract: Contract, rule: Rule) -> None:
    """Insert the rows of `history` that replace those in `broken` into `core` (rule T02).

    A row whose key is on another row of `core` by now is left out, because keys are unique there. Of several such rows
    with one key, the one received first is taken.
    """
    names = [f.name for f in contract.fields] + [n for n, *_ in PROVENANCE if n not in contract.by_name]
    listed = ", ".join(f'"{n}"' for n in names)
    chosen = ", ".join(f'h."{n}"' for n in names)
    key = ", ".join(f'"{k}"' for k in ("site_code", *contract.key))
    db.execute(
        f"""
        insert into core."{contract.dataset}" ({listed})
        with reinstated as (
            select {chosen}, h.received_at from history."{contract.dataset}" h
            join ({rule.reinstate_sql}) s on s.delivery_id = h.delivery_id and s.source_row = h.source_row
        )
        select {listed} from reinstated
        anti join (from core."{contract.dataset}" anti join broken using (delivery_id, source_row)) using ({key})
        qualify row_number() over (partition by {key} order by received_at, delivery_id, source_row) = 1"""
    )
