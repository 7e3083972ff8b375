"""Findings from comparing each delivery with the others of its site (F17-F19, F26, F54), by the final standings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from flows.deliveries.compared_with_others import FOUND_BY_COMPARISON, comparison_findings
from flows.deliveries.validated import ValidatedDelivery
from flows.store.findings_table import insert_findings_of
from schemas._contract.derive import quoted

if TYPE_CHECKING:
    import duckdb


def compare_with_others(db: duckdb.DuckDBPyConnection, validated: Sequence[ValidatedDelivery]) -> None:
    """Insert the findings of comparing deliveries with each other into `audit.findings`.

    They replace those of the stored validation results: a result is made without knowledge of other deliveries.
    """
    replaced = ", ".join(f"({quoted(rule_id)}, {quoted(severity)})" for rule_id, severity in FOUND_BY_COMPARISON)
    db.execute(f"delete from audit.findings where (rule_id, severity) in ({replaced})")
    insert_findings_of(db, comparison_findings(validated))
