"""Final outcome per delivery, after the rules between tables and supersession.

A validation result knows one delivery alone. What others do to it was decided when the warehouse was built, and is read
from there for the page, the summary and whoever started the run.
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
    """The deliveries with their final standing and verdict: rows that a rule between tables held count as held."""
    said = db.execute("select delivery_id, standing, result, rows_accepted, rows_held from audit.deliveries").fetchall()
    final = {i: (Standing(standing), Result(result), *counts) for i, standing, result, *counts in said}
    outcomes = []
    for v in validated:
        standing, result, accepted, held = final[v.delivery.delivery_id]
        rows = replace(v.verdict.rows, accepted=accepted, held=held)
        outcomes.append(replace(v, standing=standing, verdict=replace(v.verdict, result=result, rows=rows)))
    return outcomes
