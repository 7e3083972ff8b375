"""Select the deliveries of a dataset that count, by checking their rows against other tables and deliveries.

A file can pass every rule by itself and still be wrong as a whole: another site's rows under this site's name, or
references that nobody knows. The rules between tables then hold most of its rows, and what is left must not replace
good figures. So the newest delivery of each site is checked first. Where too many of its rows are held, by whatever
rule, it is set aside and the next older one takes its place, until none of those that count fails. Datasets are taken
parents first, so each is checked against parents that are decided.

Rows held for consent, because their site has deleted them, or because the row they refer to is held, do not count
against a delivery: otherwise many withdrawals of consent would keep outdated data in the figures.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from flows.deliveries.findings import NO_FINDINGS
from flows.deliveries.validated import ValidatedDelivery
from flows.steps.cross_check.causes import (
    FailedDelivery,
    cause_of,
    holds_other_sites_rows,
    without_missing_parents,
)
from flows.steps.cross_check.check_rows import check_rows
from flows.steps.cross_check.exchanged import exchanged_columns
from flows.steps.cross_check.history import load_history, needs_history
from flows.steps.cross_check.remove_deleted import remove_deleted
from flows.steps.cross_check.tentative_standings import TentativeStandings
from flows.store.accepted_rows import insert_accepted
from flows.store.findings_table import insert_findings, insert_findings_of
from schemas._contract.model import CONSENT_RULE, Contract
from schemas._rules.deletions import DELETED_RULE
from schemas._rules.files import WAITING_RULE
from schemas.audit.deliveries import ExtractType, Standing

if TYPE_CHECKING:
    import duckdb

    from flows.store.results import ResultStore


def select_deliveries(
    db: duckdb.DuckDBPyConnection, contract: Contract, tentative: TentativeStandings, results: ResultStore
) -> None:
    """Check the rows of a dataset in `core`, and set aside the deliveries of which too many rows are held.

    Rows of deleted records are removed first, so that no other rule sees them.

    Leaves in `core` the sound rows of the deliveries that count, and in `audit.findings` the findings about those and
    about the deliveries that were set aside. `tentative` has their standings afterwards.
    """
    all_failed: dict[str, FailedDelivery] = {}
    while True:
        if exchanged := _exchanged_deliveries(db, contract, tentative, results):
            all_failed |= {f.validated.delivery.delivery_id: f for f in exchanged}
            _set_aside(db, contract, tentative, [f.validated for f in exchanged], results)
            continue
        db.begin()
        # the findings of this round are those after the last row that is there now
        last = db.execute("select coalesce(max(rowid), -1) from audit.findings").fetchall()[0][0]
        remove_deleted(db, contract, tentative.counting(contract.dataset), results)
        check_rows(db, contract, tentative.counting(contract.dataset), tentative.all(), results)
        failed = _failed_deliveries(db, contract, tentative, findings_after=last)
        if not failed:
            db.commit()
            break
        # rules compare rows across sites, so the whole dataset is checked again without the deliveries that failed
        db.rollback()
        # a key that two sites send is held in both files, so a file of another site's rows can make that site's own
        # file fail: set only the intruder aside, and check the other file again
        intruders = [f for f in failed if holds_other_sites_rows(db, contract, f, results)]
        failed = intruders or failed
        all_failed |= {f.validated.delivery.delivery_id: f for f in failed}
        _set_aside(db, contract, tentative, [f.validated for f in failed], results)
    _insert_held_up_findings(db, contract, tentative, all_failed, results)


def _exchanged_deliveries(
    db: duckdb.DuckDBPyConnection, contract: Contract, tentative: TentativeStandings, results: ResultStore
) -> list[FailedDelivery]:
    """Deliveries that count although two of their columns are exchanged by comparison with the file before."""
    failed = []
    for v in tentative.counting(contract.dataset):
        if tentative.counts_regardless(v):
            continue
        if found := exchanged_columns(db, contract, v, tentative.accepted(contract.dataset), results):
            failed.append(FailedDelivery(v, v.verdict.rows.accepted, NO_FINDINGS.to_arrow(), found))
    return failed


def _failed_deliveries(
    db: duckdb.DuckDBPyConnection, contract: Contract, tentative: TentativeStandings, findings_after: int
) -> list[FailedDelivery]:
    """Deliveries that count although too many of their rows are held, with their findings of this round.

    These are the rows of `audit.findings` whose rowid is above `findings_after`.
    """
    counting = tentative.counting(contract.dataset)
    may_fail = {v.delivery.delivery_id: v for v in counting if not tentative.counts_regardless(v)}
    if not may_fail:
        return []
    # rows that the delivery's own validation held count too, but it fails only if this check held another one
    held = db.execute(
        """
        with held as (
            select f.delivery_id, f.source_row,
                bool_and(list_contains(?, f.rule_id) or (f.delivery_id, f.source_row) in (from excused)) as is_excused,
                bool_or(f.rowid > ? and f.rule_id <> ?) as is_new
            from audit.findings f
            where f.severity = 'row' and f.outcome = 'broken' and list_contains(?, f.delivery_id)
            group by all
        )
        select delivery_id, count(*) as held, count(*) filter (not is_excused) as bad from held
        group by all having bool_or(is_new)""",
        [[CONSENT_RULE, DELETED_RULE], findings_after, DELETED_RULE, list(may_fail)],
    ).fetchall()
    failed = [(may_fail[i], n_bad) for i, n_held, n_bad in held if _has_failed(contract, may_fail[i], n_held, n_bad)]
    return [
        FailedDelivery(
            v,
            n_bad,
            db.execute(
                "select * from audit.findings where rowid > ? and delivery_id = ?",
                [findings_after, v.delivery.delivery_id],
            ).to_arrow_table(),
        )
        for v, n_bad in failed
    ]


def _has_failed(contract: Contract, validated: ValidatedDelivery, n_held: int, n_bad: int) -> bool:
    """Whether a delivery must replace nothing: too many rows are bad, or all rows of a small extract are held.

    The second test is for cumulative extracts alone. A delivery of one period adds its rows to those of the others:
    without a sound row it changes nothing.
    """
    counts = validated.verdict.rows
    n_rows = counts.accepted + counts.held
    replaces = validated.delivery.extract_type is ExtractType.CUMULATIVE
    return contract.exceeds_bad_share(n_bad, n_rows) or (replaces and n_held == n_rows and 2 * n_bad > n_rows)


def _set_aside(
    db: duckdb.DuckDBPyConnection,
    contract: Contract,
    tentative: TentativeStandings,
    failed: Sequence[ValidatedDelivery],
    results: ResultStore,
) -> None:
    """Replace the rows of failed deliveries in `core` by those of the deliveries that now count instead."""
    before = {v.delivery.delivery_id for v in tentative.counting(contract.dataset)}
    tentative.set_aside(failed)
    now = tentative.counting(contract.dataset)
    removed = list(before - {v.delivery.delivery_id for v in now})
    db.execute(f'delete from core."{contract.dataset}" where delivery_id in (select unnest(?::varchar[]))', [removed])
    insert_accepted(db, contract, [v for v in now if v.delivery.delivery_id not in before], results)
    record_outcomes(db, tentative.of(contract.dataset))
    if needs_history(contract):
        load_history(db, contract, tentative.accepted(contract.dataset), results)


def record_outcomes(db: duckdb.DuckDBPyConnection, validated: Collection[ValidatedDelivery]) -> None:
    """Update the standing, result and counts of some deliveries in `audit.deliveries`."""
    outcomes = pa.table(
        {
            "delivery_id": pa.array([v.delivery.delivery_id for v in validated], pa.string()),
            "standing": pa.array([str(v.standing) for v in validated], pa.string()),
            "result": pa.array([str(v.verdict.result) for v in validated], pa.string()),
            "rows_accepted": pa.array([v.verdict.rows.accepted for v in validated], pa.int64()),
            "rows_held": pa.array([v.verdict.rows.held for v in validated], pa.int64()),
            "rows_deleted": pa.array([v.verdict.rows.deleted for v in validated], pa.int64()),
        }
    )
    db.register("new_outcomes", outcomes)
    db.execute(
        """
        update audit.deliveries d
        set standing = o.standing, result = o.result, rows_accepted = o.rows_accepted, rows_held = o.rows_held,
            rows_deleted = o.rows_deleted
        from new_outcomes o where o.delivery_id = d.delivery_id"""
    )
    db.unregister("new_outcomes")


def _insert_held_up_findings(
    db: duckdb.DuckDBPyConnection,
    contract: Contract,
    tentative: TentativeStandings,
    failed: dict[str, FailedDelivery],
    results: ResultStore,
) -> None:
    """Insert the findings about the deliveries that are held up, and the cause of each, into `audit.findings`.

    None for a failed delivery that was superseded, or that counts after all for want of a better one.
    """
    for v in tentative.of(contract.dataset):
        of_delivery = failed.get(v.delivery.delivery_id)
        if of_delivery is None or v.standing is not Standing.HELD_UP:
            continue
        if of_delivery.exchanged:  # what else was found of it rests on these two columns
            insert_findings_of(db, [(v, finding) for finding in of_delivery.exchanged])
            continue
        cause = cause_of(db, contract, of_delivery, tentative, results)
        findings = of_delivery.findings
        if cause.rule_id == WAITING_RULE:  # missing parents are not its own fault: they come with the file it waits for
            findings = without_missing_parents(contract, findings)
        insert_findings(db, findings)
        insert_findings_of(db, [(v, cause)])
