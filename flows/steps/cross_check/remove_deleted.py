"""Rule P21: remove the rows of records that their site has deleted from `core`, before any other rule sees them.

Each is held, with one finding that says so. Whatever else was found in such a row is left out, because nothing in it
has to be fixed any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from flows.deliveries.validated import ValidatedDelivery
from flows.steps.cross_check.check_rows import report_violations
from flows.steps.cross_check.deleted_records import (
    deleting_fields,
    register_files,
    rows_of,
    sites_with_deletions,
    stored_files,
)
from flows.store.result_sink import HELD
from schemas._contract.derive import quoted
from schemas._contract.model import Contract
from schemas._rules.deletions import DELETED_RULE, DELETION_RULES

if TYPE_CHECKING:
    import duckdb

    from flows.store.results import ResultStore

_RULE = next(r for r in DELETION_RULES if r.rule_id == DELETED_RULE)


def remove_deleted(
    db: duckdb.DuckDBPyConnection, contract: Contract, counting: Sequence[ValidatedDelivery], results: ResultStore
) -> None:
    """Delete the rows of deleted records from `core`, and put one finding in place of all others about each.

    Rows that the deliveries' own validation held are looked up in `results`: they are not in `core`, and would else be
    reported as to be fixed.
    """
    fields = deleting_fields(contract)
    sites = sites_with_deletions(db) if fields else set()
    affected = [v for v in counting if v.delivery.site_code in sites]
    if not affected:
        return
    files = stored_files((v for v in affected if v.verdict.rows.held), results, (HELD,))
    register_files(db, files)
    db.execute("delete from broken")
    for field in fields:
        in_core = f'select r.delivery_id, r.site_code, r.source_row, r."{field}" from core."{contract.dataset}" r'
        held = f'select f.delivery_id, f.sender, r.source_row, r."{field}" from {rows_of(files)}'
        db.execute(
            f"""
            insert into broken
            select r.delivery_id, r.source_row, d.found
            from ({f"{in_core} union all {held}" if files else in_core}) r
            join deleted.records d on d.site_code = r.site_code and d.reference = r."{field}"
            where d.field = {quoted(field)}
                and (r.delivery_id, r.source_row) not in (select (delivery_id, source_row) from broken)"""
        )
    is_broken = "(delivery_id, source_row) in (select (delivery_id, source_row) from broken)"
    db.execute(f"delete from audit.findings where {is_broken}")
    report_violations(db, _RULE, contract, affected)
    db.execute(f'delete from core."{contract.dataset}" where {is_broken}')


def rows_deleted(db: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """By delivery_id: how many of its rows are held because their record is deleted."""
    query = "select delivery_id, count(*) from audit.findings where rule_id = ? group by 1"
    return dict(db.execute(query, [DELETED_RULE]).fetchall())
