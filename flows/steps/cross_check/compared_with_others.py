"""What follows from how each delivery stands beside the others of its site (F17-F19, F26), once that is decided."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

from flows.deliveries.compared_with_others import TOLD_HERE, findings_against_others
from flows.deliveries.findings import FINDING_TYPES
from flows.deliveries.validated import ValidatedDelivery
from schemas._contract.derive import quoted

if TYPE_CHECKING:
    import duckdb


def compare_with_others(db: duckdb.DuckDBPyConnection, validated: Sequence[ValidatedDelivery]) -> None:
    """Put these findings into `audit.findings`, in place of what the results, which know no others, say of it."""
    told = ", ".join(f"({quoted(rule_id)}, {quoted(severity)})" for rule_id, severity in TOLD_HERE)
    db.execute(f"delete from audit.findings where (rule_id, severity) in ({told})")
    rows = [
        {"delivery_id": j.delivery.delivery_id, **finding.to_row(j.verdict.sheet)}
        for j, finding in findings_against_others(validated)
    ]
    found = pl.DataFrame(rows, schema={"delivery_id": pl.String(), **FINDING_TYPES}, orient="row")
    db.register("found_beside_others", found.to_arrow())
    db.execute("insert into audit.findings by name from found_beside_others")
    db.unregister("found_beside_others")
