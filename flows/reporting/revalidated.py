"""What re-validation changed for a delivery since its last report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from flows.deliveries.validated import ValidatedDelivery
from flows.store.ledger.report_snapshots import ReportSnapshot
from flows.store.ledger.revalidations import HeldThen, Revalidation, Rows, why_held, why_released
from schemas._contract.catalogue import datasets
from schemas._contract.model import Severity
from schemas._rules.corrections import APPLIED
from schemas.audit.deliveries import Verdict
from schemas.audit.findings import Outcome

if TYPE_CHECKING:
    import duckdb


def rows_held(findings: pl.DataFrame) -> Rows:
    """The rows that are held, by the rules and fields that hold them: between tables too."""
    at_fault = findings.filter(pl.col("severity") == Severity.ROW, pl.col("outcome") == Outcome.BROKEN)
    grouped = at_fault.drop_nulls("source_row").group_by("rule_id", "field").agg(pl.col("source_row"))
    return {(rule_id, field): frozenset(rows) for rule_id, field, rows in grouped.iter_rows()}


def since_last_report(
    db: duckdb.DuckDBPyConnection,
    validated: ValidatedDelivery,
    settled: Verdict,
    findings: pl.DataFrame,
    told: ReportSnapshot | None,
    then: HeldThen | None,
) -> Revalidation | None:
    """What changed for a delivery since its last report; None where there was none. `settled` counts after relate."""
    if told is None or then is None:
        return None
    held = settled.rows.held
    if settled.result.stops:
        lost = 0 if told.result.stops else told.rows.accepted
        return Revalidation(validated.delivery, then.on, 0, lost, held - lost, why_held="the file is refused now")
    if told.result.stops:
        freed = settled.rows.accepted
        return Revalidation(validated.delivery, then.on, freed, 0, held, why_released="the file is no longer refused")
    now = rows_held(findings)
    before, after = frozenset[int]().union(*then.rows.values()), frozenset[int]().union(*now.values())
    released, newly = _in_core(db, validated, before - after), after - before
    # a copy of a row that was left out may be held now: it was never accepted
    lost = max(0, min(len(newly), told.rows.accepted + len(released) - settled.rows.accepted))
    corrected = frozenset(findings.filter(pl.col("rule_id") == APPLIED)["source_row"])
    contract = datasets()[validated.delivery.dataset]
    return Revalidation(
        delivery=validated.delivery,
        on=then.on,
        released=len(released),
        newly_held=lost,
        still_held=held - lost,
        why_released=why_released(contract, then.rows, released, corrected),
        why_held=why_held(now, newly),
    )


def _in_core(db: duckdb.DuckDBPyConnection, validated: ValidatedDelivery, rows: frozenset[int]) -> frozenset[int]:
    """Which rows of a delivery are in the figures. What left quarantine as an exact copy is not."""
    d = validated.delivery
    asked = f'select source_row from core."{d.dataset}" where delivery_id = ? and list_contains(?, source_row)'
    return frozenset(row for (row,) in db.execute(asked, [d.delivery_id, sorted(rows)]).fetchall())
