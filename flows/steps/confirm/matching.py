"""Match warnings with the confirmations on record, by the keyed hashes of their rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

import polars as pl

from flows.steps.confirm.keyed_hash import KeyedHash, RowHashes, columns_hashed
from flows.steps.confirm.record import Confirmations, confirmable_rule
from flows.store.result_sink import ACCEPTED, HELD
from schemas._contract.model import Contract, Rule, Severity
from schemas.audit.confirmations import Confirmation
from schemas.audit.findings import Outcome

if TYPE_CHECKING:
    from flows.store.results import ResultStore


class ConfirmableWarning(NamedTuple):
    """One warning that can be confirmed, and the hashes of its row."""

    rule: Rule
    source_row: int
    hashes: RowHashes


class RowReader(Protocol):
    """Reads some rows of a delivery, accepted or held: `source_row` and the named columns, typed."""

    def __call__(self, source_rows: Collection[int], columns: Collection[str]) -> pl.DataFrame:
        """Return the rows with these numbers."""


def confirmable(findings: pl.DataFrame, contract: Contract, rules: Collection[Rule] = ()) -> pl.DataFrame:
    """The warnings among findings that can be confirmed, by one of `rules` if some are given."""
    stated = [(r.rule_id, r.field) for r in rules or contract.confirmable_rules]
    can_be = pl.DataFrame(stated, schema={"rule_id": pl.String, "field": pl.String}, orient="row")
    return findings.filter(
        pl.col("outcome") == Outcome.BROKEN,
        pl.col("severity") == Severity.WARNING,
        pl.col("source_row").is_not_null(),
    ).join(can_be, on=["rule_id", "field"], how="semi")


def warned(
    site_code: str, contract: Contract, findings: pl.DataFrame, read_rows: RowReader, keyed_hash: KeyedHash
) -> list[ConfirmableWarning]:
    """The hashes of the rows of some confirmable warnings. `findings` has rule_id, field and source_row."""
    rules = {(r.rule_id, r.field): r for r in contract.confirmable_rules}
    source_rows: dict[tuple[str, str], list[int]] = defaultdict(list)
    for rule_id, field, row in findings.select("rule_id", "field", "source_row").iter_rows():
        source_rows[rule_id, field].append(row)
    if not source_rows:
        return []
    columns = {name for rule in source_rows for name in columns_hashed(contract, rules[rule])}
    rows = read_rows({n for numbers in source_rows.values() for n in numbers}, columns)
    found = []
    for stated, numbers in source_rows.items():
        of_rule = rows.filter(pl.col("source_row").is_in(numbers))
        hashes = keyed_hash.of_rows(site_code, contract, rules[stated], of_rule)
        found += [ConfirmableWarning(rules[stated], n, hashes[n]) for n in numbers if n in hashes]
    return found


def confirmed(
    found: Iterable[ConfirmableWarning], confirmations: Sequence[Confirmation]
) -> list[tuple[ConfirmableWarning, Confirmation]]:
    """The warnings that are confirmed, each with its confirmation."""
    by_hashes = {(c.key, c.rule_id, c.field, c.value_hash): c for c in confirmations}
    pairs = ((w, by_hashes.get((w.hashes.key, w.rule.rule_id, w.rule.field, w.hashes.value))) for w in found)
    return [(w, c) for w, c in pairs if c is not None]


def mark_confirmed(
    findings: pl.DataFrame, site_code: str, contract: Contract, read_rows: RowReader, confirmations: Confirmations
) -> pl.DataFrame:
    """The findings of one file, those that are confirmed with that outcome."""
    own = confirmations.of(site_code, contract.dataset)
    open_warnings = confirmable(findings, contract, rules_of(own))
    if not own or confirmations.hash is None or open_warnings.is_empty():
        return findings
    pairs = confirmed(warned(site_code, contract, open_warnings, read_rows, confirmations.hash), own)
    marks = pl.DataFrame(
        [(w.rule.rule_id, w.rule.field, w.source_row, str(Severity.WARNING), True) for w, _ in pairs],
        schema={"rule_id": pl.String, "field": pl.String, "source_row": pl.Int64, "severity": pl.String,
                "is_confirmed": pl.Boolean},
        orient="row",
    )  # fmt: skip
    marked = findings.join(marks, on=["rule_id", "field", "source_row", "severity"], how="left", maintain_order="left")
    confirmed_or_not = pl.when("is_confirmed").then(pl.lit(str(Outcome.CONFIRMED))).otherwise("outcome")
    return marked.with_columns(outcome=confirmed_or_not).drop("is_confirmed")


def columns_matched(contract: Contract, confirmations: Collection[Confirmation]) -> list[str]:
    """The columns of a row by which some confirmations are matched."""
    return sorted({name for rule in rules_of(confirmations) for name in columns_hashed(contract, rule)})


def rules_of(confirmations: Collection[Confirmation]) -> list[Rule]:
    """The rules that some confirmations are about."""
    rules = {(c.rule_id, c.field): confirmable_rule(c.dataset, c.rule_id, c.field) for c in confirmations}
    return [rule for rule in rules.values() if rule]


def stored_rows(results: ResultStore, key: str) -> RowReader:
    """A reader of the rows of a stored validation result."""

    def read(source_rows: Collection[int], columns: Collection[str]) -> pl.DataFrame:
        files = [results.folder(key) / part for part in (ACCEPTED, HELD)]
        wanted = ["source_row", *sorted(columns)]
        return pl.concat(
            pl.scan_parquet(file).select(wanted).filter(pl.col("source_row").is_in(list(source_rows))).collect()
            for file in files
        )

    return read
