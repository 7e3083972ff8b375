"""What follows from how each delivery stands beside the others of its site (F17-F19, F26), once that is decided."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from flows.deliveries.compared_with_others import TOLD_HERE, findings_against_others
from flows.deliveries.validated import ValidatedDelivery
from flows.store.findings import insert_findings_of
from schemas._contract.derive import quoted

if TYPE_CHECKING:
    import duckdb


def compare_with_others(db: duckdb.DuckDBPyConnection, validated: Sequence[ValidatedDelivery]) -> None:
    """Put these findings into `audit.findings`, in place of what the results, which know no others, say of it."""
    told = ", ".join(f"({quoted(rule_id)}, {quoted(severity)})" for rule_id, severity in TOLD_HERE)
    db.execute(f"delete from audit.findings where (rule_id, severity) in ({told})")
    insert_findings_of(db, findings_against_others(validated))
