"""What finally came of each delivery: its rows after the rules between tables, and what has taken its place.

A judgement knows one delivery alone. What others do to it is settled here, once, for the page, the summary, the table
audit.deliveries and whoever started the night.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

import duckdb

from schemas.audit.deliveries import Delivery, ExtractType, Result, Standing, Verdict
from schemas.shapes import Judged
from schemas.standing import extent


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


def replacements(judged: Sequence[Judged]) -> dict[str, Delivery]:
    """By delivery_id: the accepted delivery that has taken a delivery's place, so that nothing need be done about it.

    A refused file may have been mended since; one that came too late was replaced before it came.
    """
    counting: dict[tuple[str, str], list[Delivery]] = defaultdict(list)
    for j in judged:
        if j.counts:
            counting[j.delivery.site_code, j.delivery.dataset].append(j.delivery)
    found = {}
    for j in judged:
        d = j.delivery
        later = [c for c in counting[d.site_code, d.dataset] if _replaces(c, d)]
        if later and not j.counts:
            found[d.delivery_id] = max(later, key=_reach)
    return found


def _replaces(later: Delivery, delivery: Delivery) -> bool:
    same_months = later.extract_type == ExtractType.CUMULATIVE or later.period == delivery.period
    return same_months and _reach(later) > _reach(delivery)


def _reach(delivery: Delivery) -> tuple[date, int, datetime]:
    return *extent(delivery), delivery.received_at
