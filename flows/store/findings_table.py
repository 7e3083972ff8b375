"""Insert findings into `audit.findings` of the warehouse, and select them from it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import polars as pl

from flows.deliveries.findings import FINDING_TYPES, Finding

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from flows.deliveries.validated import ValidatedDelivery


def insert_findings(db: duckdb.DuckDBPyConnection, findings: pl.DataFrame | pa.Table) -> None:
    """Insert findings into `audit.findings`: a frame of `delivery_id` and the columns of FINDING_TYPES."""
    db.register("findings_to_insert", findings.to_arrow() if isinstance(findings, pl.DataFrame) else findings)
    db.execute("insert into audit.findings by name from findings_to_insert")
    db.unregister("findings_to_insert")


def insert_findings_of(db: duckdb.DuckDBPyConnection, findings: Iterable[tuple[ValidatedDelivery, Finding]]) -> None:
    """Insert single findings into `audit.findings`, each with the delivery that it is about."""
    rows = [{"delivery_id": v.delivery.delivery_id, **finding.to_row(v.verdict.sheet)} for v, finding in findings]
    if rows:
        insert_findings(db, pl.DataFrame(rows, schema={"delivery_id": pl.String(), **FINDING_TYPES}, orient="row"))


def select_findings(db: duckdb.DuckDBPyConnection, delivery_ids: Sequence[str]) -> pl.DataFrame:
    """The findings of some deliveries in `audit.findings` (columns of FINDING_TYPES), in the order of insertion."""
    findings = db.execute(
        f"select {', '.join(FINDING_TYPES)} from audit.findings where list_contains(?, delivery_id) order by rowid",
        [list(delivery_ids)],
    ).pl()
    return findings.cast(dict(FINDING_TYPES))  # type: ignore[arg-type]
