"""Rules about deliveries as a whole (F22, F23): how a delivery that counts compares with the extract before it.

They hold no row. They read `before.<dataset>`, the accepted rows of the cumulative extract before, and the rows of this
one: `sound.<dataset>` and `held.<dataset>`. These are the rows as each delivery's own validation left them: the rules
compare what was sent, so rows that a rule between tables holds still count as sound.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import polars as pl

from flows.deliveries.findings import Finding
from flows.deliveries.standings import extent
from flows.deliveries.validated import ValidatedDelivery
from flows.steps.cross_check.deleted_records import is_deleted
from flows.store.findings_table import insert_findings_of
from flows.store.result_sink import HELD
from schemas._contract.derive import quoted
from schemas._contract.model import Contract, Rule
from schemas._rules.files import DELIVERY_RULES
from schemas.audit.deliveries import ExtractType

if TYPE_CHECKING:
    import duckdb

    from flows.store.results import ResultStore


def check_deliveries(
    db: duckdb.DuckDBPyConnection, contract: Contract, accepted: Sequence[ValidatedDelivery], results: ResultStore
) -> None:
    """Check each delivery that counts by every rule between deliveries, and insert a finding for each violation."""
    compared = _pairs_to_compare(accepted)
    if compared:
        _make_views(db, contract, compared, results)
    for rule in DELIVERY_RULES:
        if compared or not rule.reads_history:
            _report_violations(db, rule, contract, accepted)


def _pairs_to_compare(accepted: Sequence[ValidatedDelivery]) -> list[tuple[ValidatedDelivery, ValidatedDelivery]]:
    """Each cumulative extract that counts, with the accepted one before it by cut-off, version and arrival."""
    of_site: dict[str, list[ValidatedDelivery]] = defaultdict(list)
    for v in sorted(accepted, key=lambda v: (*extent(v.delivery), v.delivery.received_at)):
        if v.delivery.extract_type == ExtractType.CUMULATIVE:
            of_site[v.delivery.site_code].append(v)
    return [(now, before) for extracts in of_site.values() for before, now in pairwise(extracts) if now.counts]


def _make_views(
    db: duckdb.DuckDBPyConnection,
    contract: Contract,
    compared: Sequence[tuple[ValidatedDelivery, ValidatedDelivery]],
    results: ResultStore,
) -> None:
    """Make the views `before`, `sound` and `held.<dataset>` over the stored Parquet files.

    The `delivery_id` of each row is that of the newer delivery of a pair. `is_deleted` says whether the row's record is
    deleted (rule P21). `before.<dataset>_compared` lists the pairs, and the number of deletions that the newer one's
    manifest declares.
    """
    rows = [
        (
            now.delivery.delivery_id,
            now.delivery.site_code,
            now.delivery.deletes_declared,
            str(results.accepted(before.key)),
            str(results.accepted(now.key)),
            str(results.folder(now.key) / HELD),
        )
        for now, before in compared
    ]
    names = ["delivery_id", "sender", "deletes", "before_file", "sound_file", "held_file"]
    pairs = pl.DataFrame(rows, names, orient="row")
    db.register("compared", pairs.to_arrow())
    db.execute(f'create table before."{contract.dataset}_compared" as from compared')
    db.unregister("compared")
    # views, so that a Parquet file is read only where a rule needs its rows
    for of in ("before", "sound", "held"):
        files = ", ".join(quoted(file) for file in pairs[f"{of}_file"].unique())
        db.execute(
            f'create view {of}."{contract.dataset}" as select r.* exclude (filename), d.delivery_id,'
            f" {is_deleted(contract, 'r', site='d.sender')} as is_deleted"
            f" from read_parquet([{files}], filename = true, union_by_name = true) r"
            f' join before."{contract.dataset}_compared" d on d.{of}_file = r.filename'
        )


def _report_violations(
    db: duckdb.DuckDBPyConnection, rule: Rule, contract: Contract, accepted: Sequence[ValidatedDelivery]
) -> None:
    """Insert a finding for each delivery that breaks a rule between deliveries."""
    sql = rule.violations_sql.format(dataset=contract.dataset, key=", ".join(f'"{k}"' for k in contract.key))
    by_id = {v.delivery.delivery_id: v for v in accepted}
    broken = db.execute(f"select delivery_id, found::varchar from ({sql})").fetchall()
    insert_findings_of(db, ((by_id[i], Finding(rule.rule_id, rule.severity, found=found)) for i, found in broken))
