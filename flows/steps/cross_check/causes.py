"""The cause of a delivery's failure: it holds another site's rows, or its rows wait for another of the site's files.

Whose rows they are is decided by who first sent the references in them, never by how a reference looks: a site may
write another site's prefix by mistake.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from flows.deliveries.findings import Finding
from flows.deliveries.validated import ValidatedDelivery
from flows.runtime.wording import day, listed
from flows.steps.cross_check.history import needs_history
from flows.steps.cross_check.tentative_standings import TentativeStandings
from schemas._contract.catalogue import datasets
from schemas._contract.model import Contract, Severity
from schemas._rules.files import WAITING_RULE

if TYPE_CHECKING:
    import duckdb

    from flows.store.results import ResultStore


class FailedDelivery(NamedTuple):
    """A delivery of which too many rows are held, and the findings of the rules between rows that held them."""

    validated: ValidatedDelivery
    n_bad: int  # held rows, without those held for consent or with the row they refer to
    findings: pa.Table  # columns of audit.findings
    exchanged: Sequence[Finding] = ()  # columns, by comparison with the last file: they are the cause by themselves


def holds_other_sites_rows(
    db: duckdb.DuckDBPyConnection, contract: Contract, failed: FailedDelivery, results: ResultStore
) -> bool:
    """Whether other sites sent what most of the bad rows are about before this site did."""
    return 2 * sum(n for _, n in _rows_first_sent_by_others(db, contract, failed, results)) >= failed.n_bad


def cause_of(
    db: duckdb.DuckDBPyConnection,
    contract: Contract,
    failed: FailedDelivery,
    tentative: TentativeStandings,
    results: ResultStore,
) -> Finding:
    """The finding that says why a delivery is held up: other sites' rows (L05), missing parents (L04), or else L03."""
    counts = failed.validated.verdict.rows
    n_rows = counts.read - counts.repeats - counts.not_data
    others = _rows_first_sent_by_others(db, contract, failed, results)
    n_theirs = sum(n for _, n in others)
    if 2 * n_theirs >= failed.n_bad:
        found = f"{n_theirs} of {n_rows} rows are about people or episodes that {listed([s for s, _ in others])} sent"
        return Finding("L05", Severity.FILE, found=found)
    for parent, ends in _parents_behind(contract, failed.validated, tentative):
        orphans = _orphans(contract, parent, failed.findings)
        if 2 * len(orphans) >= failed.n_bad:
            title = datasets()[parent].title
            found = f"{len(orphans)} of {n_rows} rows wait for {title}: those that are accepted end on {day(ends)}"
            return Finding(WAITING_RULE, Severity.FILE, found=found)
    return Finding("L03", Severity.FILE, found=f"{failed.n_bad} of {n_rows} rows")


def without_missing_parents(contract: Contract, findings: pa.Table) -> pa.Table:
    """Leave out the findings of orphans: rows whose participant or episode is missing."""
    rules = pa.array({r.rule_id for r in contract.parent_rules}, pa.string())
    return findings.filter(pc.invert(pc.is_in(findings["rule_id"], rules)))


def _parents_behind(
    contract: Contract, validated: ValidatedDelivery, tentative: TentativeStandings
) -> list[tuple[str, date]]:
    """Parent datasets of which the site's accepted files end before this delivery, and the date on which they end.

    The later files are overdue, refused or held up. A parent without any accepted file is not listed: then the rule
    could not be checked at all.
    """
    behind = []
    for parent in dict.fromkeys(r.parent for r in contract.parent_rules):
        counting = tentative.counting_for(validated.delivery.site_code, parent)
        ends = max((v.delivery.data_cut_date for v in counting), default=None)
        if ends is not None and ends < validated.delivery.data_cut_date:
            behind.append((parent, ends))
    return behind


def _orphans(contract: Contract, parent: str, findings: pa.Table) -> list[int]:
    """The rows (`source_row`) that are held because what they refer to in a parent dataset is missing."""
    rules = {r.rule_id for r in contract.parent_rules if r.parent == parent}
    return _held_rows(findings, sorted(rules))


def _held_rows(findings: pa.Table, rules: Sequence[str] = ()) -> list[int]:
    """The rows (`source_row`) that some rules hold; by default, that any rule holds."""
    found = pl.from_arrow(findings)
    assert isinstance(found, pl.DataFrame)
    held = found.filter(pl.col("severity") == Severity.ROW)
    return held.filter(pl.col("rule_id").is_in(rules) | (not rules))["source_row"].unique().sort().to_list()


def _rows_first_sent_by_others(
    db: duckdb.DuckDBPyConnection, contract: Contract, failed: FailedDelivery, results: ResultStore
) -> list[tuple[str, int]]:
    """The sites that first sent what the held rows are about, with the number of rows of each, most first.

    A row is about its participant or episode; in a dataset that refers to no other, about its own key. Its owner is the
    site that was first to send that. Empty where no history is kept of the dataset in question.
    """
    parent_rule = next(iter(contract.parent_rules), None)
    table, key = (parent_rule.parent, parent_rule.field) if parent_rule else (contract.dataset, contract.key[0])
    if not needs_history(datasets()[table]):
        return []
    d = failed.validated.delivery
    # timestamp 9999: this site never sent the reference in another delivery, so any other site was first
    return db.execute(
        f"""
        with about as (
            select source_row, "{key}" from read_parquet($file) where list_contains($rows, source_row)
        ), known as (
            select a.source_row, arg_min(h.site_code, h.received_at) filter (h.site_code <> $site) as site_code
            from about a join history."{table}" h using ("{key}")
            where h.delivery_id <> $delivery
            group by a.source_row
            having min(h.received_at) filter (h.site_code <> $site)
                < coalesce(min(h.received_at) filter (h.site_code = $site), timestamp '9999-12-31')
        )
        select site_code, count(*) from known group by 1 order by 2 desc, 1""",
        {
            "file": str(results.accepted(failed.validated.key)),
            "rows": _held_rows(failed.findings, [parent_rule.rule_id] if parent_rule else ()),
            "site": d.site_code,
            "delivery": d.delivery_id,
        },
    ).fetchall()
