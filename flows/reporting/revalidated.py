"""What re-validation changed for a delivery since its last report: rows released and rows newly held, with reasons.

Rows move when a rule, a code list or a correction changed, or when the rows they refer to came in. The words for it
are in `words/revalidated.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from flows.deliveries.validated import ValidatedDelivery
from flows.reporting.words.revalidated import NO_LONGER_REFUSED, NOW_REFUSED, why_held, why_released
from flows.store.ledger.held_rows import HeldRows, Rows
from flows.store.ledger.report_snapshots import ReportSnapshot
from schemas._contract.catalogue import datasets
from schemas._contract.model import Severity
from schemas._rules.agreements import APPLIED
from schemas.audit.deliveries import Delivery, Verdict
from schemas.audit.findings import Outcome

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Revalidation:
    """Rows of a delivery released and newly held since its last report, and why."""

    delivery: Delivery
    on: date  # of the last report
    released: int = 0
    newly_held: int = 0
    still_held: int = 0
    why_released: str = ""
    why_held: str = ""

    @property
    def changed(self) -> bool:
        """Whether any row was released or newly held."""
        return bool(self.released or self.newly_held)


def rows_held(findings: pl.DataFrame) -> Rows:
    """The held rows by the rule and field that hold them, rules between tables included."""
    at_fault = findings.filter(pl.col("severity") == Severity.ROW, pl.col("outcome") == Outcome.BROKEN)
    grouped = at_fault.drop_nulls("source_row").group_by("rule_id", "field").agg(pl.col("source_row"))
    return {(rule_id, field): frozenset(rows) for rule_id, field, rows in grouped.iter_rows()}


def since_last_report(
    db: duckdb.DuckDBPyConnection,
    validated: ValidatedDelivery,
    final: Verdict,
    findings: pl.DataFrame,
    last: ReportSnapshot | None,
    held_before: HeldRows | None,
) -> Revalidation | None:
    """Rows released and newly held since the last report; None where there was no report.

    `final` is the verdict after the rules between tables, `held_before` the rows that the last report said were held.
    """
    if last is None or held_before is None:
        return None
    held = final.rows.held
    if final.result.is_rejected:
        lost = 0 if last.result.is_rejected else last.rows.accepted
        return Revalidation(validated.delivery, held_before.on, 0, lost, held - lost, why_held=NOW_REFUSED)
    if last.result.is_rejected:
        freed = final.rows.accepted
        return Revalidation(validated.delivery, held_before.on, freed, 0, held, why_released=NO_LONGER_REFUSED)
    now = rows_held(findings)
    before, after = frozenset[int]().union(*held_before.rows.values()), frozenset[int]().union(*now.values())
    released, newly = _in_core(db, validated, before - after), after - before
    # a row that is held only now may be a copy that was left out before: it was never accepted, so it is not a loss
    lost = max(0, min(len(newly), last.rows.accepted + len(released) - final.rows.accepted))
    corrected = frozenset(findings.filter(pl.col("rule_id") == APPLIED)["source_row"])
    contract = datasets()[validated.delivery.dataset]
    return Revalidation(
        delivery=validated.delivery,
        on=held_before.on,
        released=len(released),
        newly_held=lost,
        still_held=held - lost,
        why_released=why_released(contract, held_before.rows, released, corrected),
        why_held=why_held(now, newly),
    )


def _in_core(db: duckdb.DuckDBPyConnection, validated: ValidatedDelivery, rows: frozenset[int]) -> frozenset[int]:
    """Which rows of a delivery are in the figures: a held row that turned out to be an exact copy is not."""
    d = validated.delivery
    query = f'select source_row from core."{d.dataset}" where delivery_id = ? and list_contains(?, source_row)'
    return frozenset(row for (row,) in db.execute(query, [d.delivery_id, sorted(rows)]).fetchall())
