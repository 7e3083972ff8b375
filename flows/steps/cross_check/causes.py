"""Why a delivery was set aside: whose rows it seems to hold, or which of the site's own files its rows wait for.

References that were sent before decide, never the look of one: a site may write another's prefix by mistake.
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
from schemas._rules.files import WAITS

if TYPE_CHECKING:
    import duckdb

    from flows.store.results import ResultStore


class Trial(NamedTuple):
    """A delivery of which too many rows are held, and the findings of the rules between rows that held them."""

    validated: ValidatedDelivery
    bad: int  # rows held, but for those held for consent or with the row that they refer to
    findings: pa.Table  # columns of audit.findings


def seems_another_sites(db: duckdb.DuckDBPyConnection, contract: Contract, trial: Trial, results: ResultStore) -> bool:
    """Whether most rows at fault are about what other sites sent, and this one never before them."""
    return 2 * sum(n for _, n in _known_to_others(db, contract, trial, results)) >= trial.bad


def cause_of(
    db: duckdb.DuckDBPyConnection,
    contract: Contract,
    trial: Trial,
    decided: TentativeStandings,
    results: ResultStore,
) -> Finding:
    """The finding that says why a delivery is held up: rule L03, L04 or L05."""
    of_file = trial.validated.verdict.rows
    rows = of_file.read - of_file.repeats - of_file.not_data
    others = _known_to_others(db, contract, trial, results)
    theirs = sum(n for _, n in others)
    if 2 * theirs >= trial.bad:
        said = f"{theirs} of {rows} rows are about people or episodes that {listed([s for s, _ in others])} sent"
        return Finding("L05", Severity.FILE, found=said)
    for parent, ends in _parents_behind(contract, trial.validated, decided):
        waiting = _rows_without(contract, parent, trial.findings)
        if 2 * len(waiting) >= trial.bad:
            title = datasets()[parent].title
            said = f"{len(waiting)} of {rows} rows wait for {title}: those that are accepted end on {day(ends)}"
            return Finding(WAITS, Severity.FILE, found=said)
    return Finding("L03", Severity.FILE, found=f"{trial.bad} of {rows} rows")


def without_missing_parents(contract: Contract, findings: pa.Table) -> pa.Table:
    """The findings without those of rows whose participant or episode is not there."""
    rules = pa.array({r.rule_id for r in contract.parent_rules}, pa.string())
    return findings.filter(pc.invert(pc.is_in(findings["rule_id"], rules)))


def _parents_behind(
    contract: Contract, validated: ValidatedDelivery, decided: TentativeStandings
) -> list[tuple[str, date]]:
    """The datasets that this one refers to whose accepted files end before it: late, refused or held up; and when."""
    behind = []
    for parent in dict.fromkeys(r.parent for r in contract.parent_rules):
        counting = decided.counting_for(validated.delivery.site_code, parent)
        cut = max((v.delivery.data_cut_date for v in counting), default=None)
        if cut is not None and cut < validated.delivery.data_cut_date:
            behind.append((parent, cut))
    return behind


def _rows_without(contract: Contract, parent: str, findings: pa.Table) -> list[int]:
    """The rows that are held because what they refer to in another dataset is not there."""
    rules = {r.rule_id for r in contract.parent_rules if r.parent == parent}
    return _rows_of(findings, sorted(rules))


def _rows_of(findings: pa.Table, rules: Sequence[str] = ()) -> list[int]:
    """The rows that are held by some rules, or by any."""
    found = pl.from_arrow(findings)
    assert isinstance(found, pl.DataFrame)
    held = found.filter(pl.col("severity") == Severity.ROW)
    return held.filter(pl.col("rule_id").is_in(rules) | (not rules))["source_row"].unique().sort().to_list()


def _known_to_others(
    db: duckdb.DuckDBPyConnection, contract: Contract, trial: Trial, results: ResultStore
) -> list[tuple[str, int]]:
    """The sites whose accepted files hold what the rows at fault are about, and how many rows of each; most first.

    A row is about its participant or episode; in a dataset that refers to no other, about its own key. It is the
    site's that was the first to send it.
    """
    rule = next(iter(contract.parent_rules), None)
    table, key = (rule.parent, rule.field) if rule else (contract.dataset, contract.key[0])
    if not needs_history(datasets()[table]):
        return []
    d = trial.validated.delivery
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
            "file": str(results.accepted(trial.validated.key)),
            "rows": _rows_of(trial.findings, [rule.rule_id] if rule else ()),
            "site": d.site_code,
            "delivery": d.delivery_id,
        },
    ).fetchall()
