"""relate: rules between rows, tables and deliveries. What breaks a row rule leaves `core`; everything is a finding.

A rule about deliveries as a whole (F22, F23) holds nothing: it gives a finding without a row.
Datasets are taken in the order in which they need each other, so a row that loses its referral is found as an orphan.
A rule whose other table never came for a site could not be judged: its rows load, and a finding says so.

Besides `core` and `audit`, rules read what `schemas/contract.py` names. `history`: every delivery of a dataset that was
ever accepted. What those brought is kept from night to night, so that a night opens the files of new deliveries alone,
however long the history is. `before` and `held`, for rules about deliveries as a whole: the extract before, and what
the judge held of this one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from flows.store.judgements import Judgements
from flows.store.kept import Doubtful, Kept
from flows.store.parts import HELD
from schemas.audit.deliveries import Column, ExtractType, Standing
from schemas.audit.findings import Outcome
from schemas.catalogue import datasets, rows_by_delivery
from schemas.contract import Contract, Rule, Severity
from schemas.derive import PROVENANCE, quoted, sql_type
from schemas.file_rules import BETWEEN_DELIVERIES, FILE_RULES
from schemas.registry import returns_for
from schemas.shapes import Judged
from schemas.shown import shown
from schemas.standing import extent
from schemas.vocabulary import all_but_first

KEY_SENT_BEFORE = next(r for r in FILE_RULES if r.rule_id == "P04" and r.severity is Severity.ROW)


def relate(
    build: Path,
    judged: Sequence[Judged],
    judgements: Judgements,
    options: dict[str, Any] | None = None,
    kept: Kept | None = None,
) -> None:
    """Judge `core` in the file `build` by every rule between rows, and hold what breaks one.

    The rows of earlier deliveries are `kept` from night to night, or read anew without it. Raises Doubtful, or what
    DuckDB raises, where they cannot be relied on.
    """
    with duckdb.connect(str(build), config=options or {}) as db:
        for name in ("history", "before", "held"):
            db.execute(f"attach ':memory:' as {name}")
        db.execute(f"attach {quoted(str(kept.sent) if kept else ':memory:')} as sent")
        db.execute("create temp table broken (delivery_id varchar, source_row bigint)")
        accepted: dict[str, list[Judged]] = defaultdict(list)
        for j in judged:
            if j.standing in (Standing.CURRENT, Standing.SUPERSEDED):
                accepted[j.delivery.dataset].append(j)
        for contract in filter(_is_looked_back_at, datasets().values()):
            _look_back(db, contract, accepted[contract.dataset], judgements)
        for contract in datasets().values():
            if current := [j for j in accepted[contract.dataset] if j.counts]:
                _judge_deliveries(db, contract, accepted[contract.dataset], judgements)
                _judge_rows(db, contract, current, judged)
        _settle_counts(db)


def _judge_deliveries(
    db: duckdb.DuckDBPyConnection, contract: Contract, accepted: Sequence[Judged], judgements: Judgements
) -> None:
    """Judge each delivery that counts as a whole, by every rule between deliveries of one dataset."""
    compared = _with_the_one_before(accepted)
    if compared:
        _show_before(db, contract, compared, judgements)
    for rule in BETWEEN_DELIVERIES:
        if compared or 'before."' not in rule.breaks_sql:
            _say_of_deliveries(db, rule, contract)


def _with_the_one_before(accepted: Sequence[Judged]) -> list[tuple[Judged, Judged]]:
    """Each cumulative extract that counts, and the one before it: by cut-off, then version, then arrival."""
    of_site: dict[str, list[Judged]] = defaultdict(list)
    for j in sorted(accepted, key=lambda j: (*extent(j.delivery), j.delivery.received_at)):
        if j.delivery.extract_type == ExtractType.CUMULATIVE:
            of_site[j.delivery.site_code].append(j)
    return [(now, before) for js in of_site.values() for before, now in pairwise(js) if now.counts]


def _show_before(
    db: duckdb.DuckDBPyConnection,
    contract: Contract,
    compared: Sequence[tuple[Judged, Judged]],
    judgements: Judgements,
) -> None:
    """Make `before.<dataset>` and `held.<dataset>`, both by the delivery that is compared, and what it declares."""
    rows = [
        (
            now.delivery.delivery_id,
            now.delivery.deletes_declared,
            str(judgements.accepted(before.key)),
            str(judgements.folder(now.key) / HELD),
        )
        for now, before in compared
    ]
    listed = pl.DataFrame(rows, ["delivery_id", "deletes", "before_file", "held_file"], orient="row")
    db.register("compared", listed.to_arrow())
    db.execute(f'create table before."{contract.dataset}_compared" as from compared')
    db.unregister("compared")
    for of in ("before", "held"):
        files = ", ".join(quoted(file) for file in listed[f"{of}_file"].unique())
        db.execute(
            f'create view {of}."{contract.dataset}" as select r.* exclude (filename), d.delivery_id'
            f" from read_parquet([{files}], filename = true, union_by_name = true) r"
            f' join before."{contract.dataset}_compared" d on d.{of}_file = r.filename'
        )


def _judge_rows(
    db: duckdb.DuckDBPyConnection, contract: Contract, current: Sequence[Judged], judged: Sequence[Judged]
) -> None:
    """A finding for each row of `core` that breaks a rule between rows or tables. What breaks a row rule is held."""
    # a rule that puts rows back comes last: what it puts back is not judged again
    rules = [(r, r.breaks_sql) for r in sorted(contract.relation_rules, key=lambda r: bool(r.restores_sql))]
    if len({j.delivery.site_code for j in current}) < len(current):
        rules.insert(0, (KEY_SENT_BEFORE, _keys_sent_before(contract)))
    for rule, sql in rules:
        cannot = _cannot_be_judged(rule, contract, current, judged)
        _say_not_judged(db, rule, [j for j in cannot if _is_owed(rule, j)])
        if len(cannot) == len(current):
            continue
        _look_for_broken(db, sql, except_of=cannot)
        _say_broken(db, rule, contract, current)
        if rule.restores_sql:
            _restore(db, contract, rule)
        if rule.severity is Severity.ROW:
            db.execute(f'delete from core."{contract.dataset}" where (delivery_id, source_row) in (from broken)')


def _look_for_broken(db: duckdb.DuckDBPyConnection, sql: str, except_of: Sequence[Judged]) -> None:
    """Put the rows that break a rule into `broken`, but for those of deliveries that it could not be judged for."""
    db.execute("delete from broken")
    db.execute(
        f"insert into broken select distinct delivery_id, source_row from ({sql})"
        " where not list_contains(?, delivery_id)",
        [[j.delivery.delivery_id for j in except_of]],
    )


def _is_looked_back_at(contract: Contract) -> bool:
    """Whether a rule looks at every row of this dataset that was ever accepted."""
    rules = (r for c in datasets().values() for r in c.relation_rules)
    return any(f"history.{contract.dataset}" in f"{r.breaks_sql} {r.restores_sql}" for r in rules)


_OF_DELIVERY: dict[str, type[pl.DataType]] = {
    "delivery_id": pl.String,
    "programme_code": pl.String,
    "site_code": pl.String,
    "received_at": pl.Datetime,
    "version": pl.Int64,
    "data_cut_date": pl.Date,
}  # what each row of `history` has of its delivery, and whether that counts


def _look_back(
    db: duckdb.DuckDBPyConnection, contract: Contract, accepted: Sequence[Judged], judgements: Judgements
) -> None:
    """Make `history.<dataset>`: the rows of every delivery that was ever accepted."""
    _list_files(db, contract, accepted, judgements)
    _keep_rows(db, contract)
    of_delivery = ", ".join(f"f.{n}" for n in (*_OF_DELIVERY, "counts") if n not in contract.by_name)
    db.execute(
        f'create view history."{contract.dataset}" as'
        f' select r.* exclude (judgement_key), {of_delivery} from sent."{contract.dataset}" r'
        f' join history."{contract.dataset}_files" f using (judgement_key)'
    )


def _list_files(
    db: duckdb.DuckDBPyConnection, contract: Contract, accepted: Sequence[Judged], judgements: Judgements
) -> None:
    """Make `history.<dataset>_files`: where the rows of each delivery are, and what is known of it."""
    rows = [
        {
            "filename": str(judgements.accepted(j.key)),
            "judgement_key": j.key,
            "rows_accepted": j.verdict.rows.accepted,
            "counts": j.counts,
            **{n: getattr(j.delivery, n) for n in _OF_DELIVERY},
        }
        for j in accepted
    ]
    types = _OF_DELIVERY | {
        "filename": pl.String,
        "judgement_key": pl.String,
        "rows_accepted": pl.Int64,
        "counts": pl.Boolean,
    }
    db.register("files_of_history", pl.DataFrame(rows, types).to_arrow())
    db.execute(f'create table history."{contract.dataset}_files" as from files_of_history')
    db.unregister("files_of_history")


def _keep_rows(db: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    """Bring `sent.<dataset>` up to date: the accepted rows of every judgement that is listed, and no others."""
    table, known = f'sent."{contract.dataset}"', f'sent."{contract.dataset}_judgements"'
    files = f'history."{contract.dataset}_files"'
    fields = ", ".join(f'"{f.name}" {sql_type(f)}' for f in contract.fields)
    db.begin()
    db.execute(f"create table if not exists {table} (judgement_key varchar, source_row bigint, {fields})")
    db.execute(f"create table if not exists {known} (judgement_key varchar, n bigint)")
    for each in (table, known):
        db.execute(f"delete from {each} where judgement_key not in (select judgement_key from {files})")
    new = db.execute(
        f"select distinct filename from {files} where judgement_key not in (select judgement_key from {known})"
    ).fetchall()
    if new:
        db.execute(
            f"insert into {table} by name select r.* exclude (filename), f.judgement_key"
            " from read_parquet(?, filename = true, union_by_name = true) r"
            f" join (select distinct filename, judgement_key from {files}) f using (filename)",
            [[f for (f,) in new]],
        )
        db.execute(
            f"insert into {known} select distinct judgement_key, rows_accepted from {files}"
            f" where judgement_key not in (select judgement_key from {known})"
        )
    db.commit()
    rows, due = db.execute(
        f"select (select count(*) from {table}), (select coalesce(sum(n), 0) from {known})"
    ).fetchall()[0]
    if rows != due:
        raise Doubtful(f"what is kept of {contract.dataset} is not what was accepted")


def _say_of_deliveries(db: duckdb.DuckDBPyConnection, rule: Rule, contract: Contract) -> None:
    """A finding for each delivery that breaks a rule between deliveries."""
    sql = rule.breaks_sql.format(dataset=contract.dataset, key=", ".join(f'"{k}"' for k in contract.key))
    db.execute(
        f"""
        insert into audit.findings by name
        select delivery_id, {quoted(rule.rule_id)} as rule_id, {quoted(str(rule.severity))} as severity,
            {quoted(str(Outcome.BROKEN))} as outcome, d.sheet, '' as field, b.found, false as hidden
        from ({sql}) b join audit.deliveries d using (delivery_id)"""
    )


def _keys_sent_before(contract: Contract) -> str:
    """Rows whose key an earlier delivery of the same site already brought: deliveries of a period add up."""
    return all_but_first(
        f'core."{contract.dataset}" c join audit.deliveries d using (delivery_id)',
        alike=", ".join(("c.site_code", *(f'c."{k}"' for k in contract.key))),
        order="d.data_cut_date, d.version, delivery_id, c.source_row",
    )


def _cannot_be_judged(
    rule: Rule, contract: Contract, current: Sequence[Judged], judged: Sequence[Judged]
) -> list[Judged]:
    """The deliveries of sites that lack a table which the rule needs."""
    counting = {(j.delivery.site_code, j.delivery.dataset) for j in judged if j.counts}
    needed = [n for n in rule.needs if n != contract.dataset]
    return [j for j in current if any((j.delivery.site_code, n) not in counting for n in needed)]


def _is_owed(rule: Rule, judged: Judged) -> bool:
    """Whether the site owes every table that the rule needs: only then is a missing one worth telling."""
    needs = returns_for(judged.delivery.site_code)
    return all(needs.get(n) == "required" for n in rule.needs)


def _say_not_judged(db: duckdb.DuckDBPyConnection, rule: Rule, deliveries: Sequence[Judged]) -> None:
    if not deliveries:
        return
    said = (rule.rule_id, str(Severity.WARNING), str(Outcome.NOT_JUDGED), rule.on)
    db.execute(
        "insert into audit.findings by name select unnest(?::varchar[]) as delivery_id, unnest(?::varchar[]) as sheet,"
        " ? as rule_id, ? as severity, ? as outcome, ? as field, false as hidden",
        [[j.delivery.delivery_id for j in deliveries], [j.verdict.sheet for j in deliveries], *said],
    )


def _say_broken(db: duckdb.DuckDBPyConnection, rule: Rule, contract: Contract, current: Sequence[Judged]) -> None:
    """A finding for each row in `broken`, with the address of the cell to mend in the sender's own file."""
    on = rule.on or contract.key[0]
    columns = {
        j.delivery.delivery_id: next((c for c in j.verdict.columns if c.field == on), Column("", "", on))
        for j in current
    }
    addresses = pl.DataFrame(
        {
            "delivery_id": list(columns),
            "column_letter": [c.letter or None for c in columns.values()],
            "column_name": [c.heading or None for c in columns.values()],
            "sheet": [j.verdict.sheet for j in current],
        },
        schema=dict.fromkeys(("delivery_id", "column_letter", "column_name", "sheet"), pl.String),
    )
    broken = db.execute(
        f"""
        select delivery_id, source_row, c."{on}"::varchar as text
        from broken join core."{contract.dataset}" c using (delivery_id, source_row)"""
    ).pl()
    if broken.is_empty():
        return
    latest = max(j.delivery.data_cut_date for j in current)
    told = broken.drop("text").hstack(shown(broken["text"], contract.by_name[on], contract, latest))
    db.register("addresses", addresses.to_arrow())
    db.register("told", told.to_arrow())
    db.execute(
        f"""
        insert into audit.findings by name
        select delivery_id, {quoted(rule.rule_id)} as rule_id, {quoted(str(rule.severity))} as severity,
            {quoted(str(Outcome.BROKEN))} as outcome, a.sheet, t.source_row, a.column_letter, a.column_name,
            {quoted(on)} as field, t.found, t.hidden
        from told t join addresses a using (delivery_id)"""
    )
    db.unregister("addresses")
    db.unregister("told")


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
            join ({rule.restores_sql}) s on s.delivery_id = h.delivery_id and s.source_row = h.source_row
        )
        select {listed} from standing
        anti join (from core."{contract.dataset}" anti join broken using (delivery_id, source_row)) using ({key})
        qualify row_number() over (partition by {key} order by received_at, delivery_id, source_row) = 1"""
    )


def _settle_counts(db: duckdb.DuckDBPyConnection) -> None:
    """Bring each counting delivery's numbers up to date: rows held here count as held (DOMAIN.md amendment 12)."""
    db.execute(f"create temp table in_core as {rows_by_delivery()}")
    db.execute(
        """
        update audit.deliveries d
        set rows_held = d.rows_held + d.rows_accepted - coalesce(i.n, 0), rows_accepted = coalesce(i.n, 0),
            result = case when d.rows_held + d.rows_accepted - coalesce(i.n, 0) > 0 and d.result = 'accepted'
                then 'accepted_with_held_rows' else d.result end
        from (select delivery_id, (select n from in_core where in_core.delivery_id = a.delivery_id) as n
              from audit.deliveries a where standing = 'current') i
        where i.delivery_id = d.delivery_id"""
    )
