"""Which deliveries of a dataset count, once every rule between rows and tables has been asked.

A delivery may read well and still be wrong: another site's rows under this site's name, or an extract whose references
nobody knows. By the rules between tables most of its rows are held, and what is left must not replace good figures. So
the newest delivery of each site is tried first; where too many of its rows are held, by whatever rule, it is set aside
and the next older one is tried. Datasets are taken in the order in which they need each other, so that each is
validated against parents that are decided already.

Rows held for consent, or because the row that they refer to is held, do not count against a delivery: many withdrawals
must not keep old data in the figures.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from flows.deliveries.validated import ValidatedDelivery
from flows.steps.cross_check.causes import Trial, cause_of, seems_another_sites, without_missing_parents
from flows.steps.cross_check.history import load_history, needs_history
from flows.steps.cross_check.rows import check_rows
from flows.steps.cross_check.tentative_standings import TentativeStandings
from flows.store.accepted_rows import insert_accepted
from flows.store.findings import insert_findings, insert_findings_of
from schemas._contract.model import CONSENT, Contract
from schemas._rules.files import WAITS
from schemas.audit.deliveries import ExtractType, Standing

if TYPE_CHECKING:
    import duckdb

    from flows.store.results import ResultStore


def settle(
    db: duckdb.DuckDBPyConnection, contract: Contract, decided: TentativeStandings, results: ResultStore
) -> None:
    """Validate the rows of a dataset in `core`, setting aside the deliveries of which too many rows are held.

    Leaves in `core` the sound rows of the deliveries that count, and in `audit.findings` what was found in those and in
    the deliveries that were set aside.
    """
    tried: dict[str, Trial] = {}
    while True:
        db.begin()
        last = db.execute("select coalesce(max(rowid), -1) from audit.findings").fetchall()[0][0]
        check_rows(db, contract, decided.counting(contract.dataset), decided.all(), results)
        failed = _check_dataset(db, contract, decided, after=last)
        if not failed:
            db.commit()
            break
        db.rollback()  # rules look across sites: all of the dataset is re-validated without the deliveries that failed
        # a file that holds another site's rows spoils that site's own: it goes first, and the other is tried again
        strangers = [t for t in failed if seems_another_sites(db, contract, t, results)]
        failed = strangers or failed
        tried |= {t.validated.delivery.delivery_id: t for t in failed}
        _set_aside(db, contract, decided, [t.validated for t in failed], results)
    _keep_findings(db, contract, decided, tried, results)


def _check_dataset(
    db: duckdb.DuckDBPyConnection, contract: Contract, decided: TentativeStandings, after: int
) -> list[Trial]:
    """The deliveries that count and of which too many rows are held; findings after row `after` are this trial's."""
    may_fail = {v.delivery.delivery_id: v for v in decided.counting(contract.dataset) if not decided.is_exempt(v)}
    if not may_fail:
        return []
    held = db.execute(
        """
        with held as (
            select f.delivery_id, f.source_row,
                bool_and(f.rule_id = ? or (f.delivery_id, f.source_row) in (from excused)) as is_excused,
                bool_or(f.rowid > ?) as is_new
            from audit.findings f
            where f.severity = 'row' and f.outcome = 'broken' and list_contains(?, f.delivery_id)
            group by all
        )
        select delivery_id, count(*) as held, count(*) filter (not is_excused) as bad from held
        group by all having bool_or(is_new)""",
        [CONSENT, after, list(may_fail)],
    ).fetchall()
    failed = [(may_fail[i], bad) for i, n_held, bad in held if _is_too_bad(contract, may_fail[i], n_held, bad)]
    return [
        Trial(
            v,
            bad,
            db.execute(
                "select * from audit.findings where rowid > ? and delivery_id = ?", [after, v.delivery.delivery_id]
            ).to_arrow_table(),
        )
        for v, bad in failed
    ]


def _is_too_bad(contract: Contract, validated: ValidatedDelivery, held: int, bad: int) -> bool:
    """Whether so many rows are held that the delivery may replace nothing: over the limit, or every one of few.

    One of a single period is added to what else counts: with no sound row it neither brings nor replaces anything.
    """
    of_file = validated.verdict.rows
    rows = of_file.accepted + of_file.held
    replaces = validated.delivery.extract_type is ExtractType.CUMULATIVE
    return contract.exceeds_bad_share(bad, rows) or (replaces and held == rows and 2 * bad > rows)


def _set_aside(
    db: duckdb.DuckDBPyConnection,
    contract: Contract,
    decided: TentativeStandings,
    failed: Sequence[ValidatedDelivery],
    results: ResultStore,
) -> None:
    """Take deliveries out of `core`, and put in what counts in their place."""
    before = {v.delivery.delivery_id for v in decided.counting(contract.dataset)}
    decided.set_aside(failed)
    now = decided.counting(contract.dataset)
    gone = list(before - {v.delivery.delivery_id for v in now})
    db.execute(f'delete from core."{contract.dataset}" where delivery_id in (select unnest(?::varchar[]))', [gone])
    insert_accepted(db, contract, [v for v in now if v.delivery.delivery_id not in before], results)
    record_standings(db, decided.of(contract.dataset))
    if needs_history(contract):
        load_history(db, contract, decided.accepted(contract.dataset), results)


def record_standings(db: duckdb.DuckDBPyConnection, validated: Collection[ValidatedDelivery]) -> None:
    """Bring the standing, the result and the numbers of some deliveries in audit.deliveries up to date."""
    values = [
        (v.delivery.delivery_id, str(v.standing), str(v.verdict.result), v.verdict.rows.accepted, v.verdict.rows.held)
        for v in validated
    ]
    db.executemany(
        "update audit.deliveries set standing = $2, result = $3, rows_accepted = $4, rows_held = $5"
        " where delivery_id = $1",
        values,
    )


def _keep_findings(
    db: duckdb.DuckDBPyConnection,
    contract: Contract,
    decided: TentativeStandings,
    tried: dict[str, Trial],
    results: ResultStore,
) -> None:
    """Put what was found in the deliveries that are held up into `audit.findings`, and the cause of it."""
    for v in decided.of(contract.dataset):
        trial = tried.get(v.delivery.delivery_id)
        if trial is None or v.standing is not Standing.HELD_UP:
            continue
        cause = cause_of(db, contract, trial, decided, results)
        waits = cause.rule_id == WAITS  # then its own file is what will bring in what the rows refer to
        insert_findings(db, without_missing_parents(contract, trial.findings) if waits else trial.findings)
        insert_findings_of(db, [(v, cause)])
