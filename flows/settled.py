"""What finally came of each delivery: its rows after the rules between tables, and what its standing makes of them.

A judgement knows one delivery alone. What others do to it is settled here, once, for the page, the summary, the table
audit.deliveries and whoever started the night; which of them counts, and what it replaces, in `schemas/standing.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import duckdb

from schemas.audit.deliveries import Result, Standing, Verdict
from schemas.shapes import Judged


def as_it_stands(verdict: Verdict, standing: Standing) -> Verdict:
    """A verdict with what the delivery's standing makes of it: of one that came too late (F18), no row counts."""
    if standing is not Standing.STALE or verdict.result.stops:
        return verdict
    rows = replace(verdict.rows, accepted=0, held=verdict.rows.read - verdict.rows.repeats - verdict.rows.not_data)
    return replace(verdict, result=Result.REFUSED, rows=rows)


def settled_verdicts(db: duckdb.DuckDBPyConnection, judged: Sequence[Judged]) -> dict[str, Verdict]:
    """Each delivery's verdict, with the rows that a rule between tables held counted as held."""
    counted = {
        r[0]: (Result(r[1]), r[2], r[3])
        for r in db.execute("select delivery_id, result, rows_accepted, rows_held from audit.deliveries").fetchall()
    }
    settled = {}
    for j in judged:
        result, accepted, held = counted[j.delivery.delivery_id]
        rows = replace(j.verdict.rows, accepted=accepted, held=held)
        settled[j.delivery.delivery_id] = replace(j.verdict, result=result, rows=rows)
    return settled
