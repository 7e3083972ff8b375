"""Final outcome of each delivery, after the rules between tables and supersession.

A validation result is made from one delivery alone. How other deliveries affect it is decided while the warehouse is
built, and read from there for pages, the summary and the result of the run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from flows.deliveries.validated import ValidatedDelivery
from schemas.audit.deliveries import Result, Standing

if TYPE_CHECKING:
    import duckdb


def final_outcomes(db: duckdb.DuckDBPyConnection, validated: Sequence[ValidatedDelivery]) -> list[ValidatedDelivery]:
    """Return the deliveries with their final standing and verdict, as `audit.deliveries` of a build has them.

    Rows that a rule between tables held count as held.
    """
    rows = db.execute(
        "select delivery_id, standing, result, rows_accepted, rows_held, rows_deleted from audit.deliveries"
    ).fetchall()
    final = {i: (Standing(standing), Result(result), *counts) for i, standing, result, *counts in rows}
    outcomes = []
    for v in validated:
        standing, result, accepted, held, deleted = final[v.delivery.delivery_id]
        counts = replace(v.verdict.rows, accepted=accepted, held=held, deleted=deleted)
        outcomes.append(replace(v, standing=standing, verdict=replace(v.verdict, result=result, rows=counts)))
    return outcomes
