"""confirm: mark the warnings that sites have confirmed to be right all the same, once every rule was checked.

No rule is switched off: the finding stays in `audit.findings`, with the outcome 'confirmed', and is not reported again.
A confirmation is about one row, one rule and the values of that row which the rule reads. Where one of them has changed
it has lapsed, and the warning is reported as ever. It changes no validation result, so nothing is validated again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

from flows.deliveries.validated import ValidatedDelivery
from flows.steps.confirm.matching import ConfirmableWarning, confirmable, confirmed, rules_of, stored_rows, warned
from flows.steps.confirm.record import Confirmations
from schemas._contract.catalogue import datasets
from schemas._contract.polars_types import polars_type
from schemas.audit.confirmations import CONTRACT, Confirmation, ConfirmationState
from schemas.audit.findings import Outcome

if TYPE_CHECKING:
    import duckdb

    from flows.store.results import ResultStore


def confirm(
    db: duckdb.DuckDBPyConnection,
    validated: Sequence[ValidatedDelivery],
    results: ResultStore,
    confirmations: Confirmations,
) -> int:
    """Mark the confirmed findings in `audit.findings`, and fill `audit.confirmations`. Returns how many are confirmed.

    `validated` is every delivery with its final standing.
    """
    if not confirmations.lines:
        return 0
    counting: dict[Confirmation, tuple[ConfirmationState, str, int]] = {}
    marked: list[tuple[str, str, str, int]] = []
    for v in validated:
        own = confirmations.of(v.delivery.site_code, v.delivery.dataset)
        if not own or v.delivery.same_as:  # the findings of a repeat are those of the delivery that it repeats
            continue
        found = _warnings(db, v, results, own, confirmations)
        pairs = confirmed(found, own)
        marked += [(v.delivery.delivery_id, w.rule.rule_id, w.rule.field, w.source_row) for w, _ in pairs]
        if v.counts:
            counting |= _states(v, found, own)
    _mark(db, marked)
    _fill(db, confirmations.lines, counting)
    return len(marked)


def _warnings(
    db: duckdb.DuckDBPyConnection,
    v: ValidatedDelivery,
    results: ResultStore,
    own: Sequence[Confirmation],
    confirmations: Confirmations,
) -> list[ConfirmableWarning]:
    """The warnings of a delivery by the rules of its confirmations; none where there is no key to match them by."""
    d, contract = v.delivery, datasets()[v.delivery.dataset]
    rules = rules_of(own)
    findings = db.execute(
        "select rule_id, field, severity, outcome, source_row from audit.findings"
        " where delivery_id = ? and list_contains(?, rule_id)",
        [d.delivery_id, sorted({r.rule_id for r in rules})],
    ).pl()
    findings = confirmable(findings, contract, rules)
    if findings.is_empty() or confirmations.hash is None:
        return []
    return warned(d.site_code, contract, findings, stored_rows(results, v.key), confirmations.hash)


def _states(
    v: ValidatedDelivery, found: Sequence[ConfirmableWarning], own: Sequence[Confirmation]
) -> dict[Confirmation, tuple[ConfirmationState, str, int]]:
    """Whether each confirmation holds or has lapsed in a delivery that counts, and the row of its finding."""
    by_row = {(w.hashes.key, w.rule.rule_id, w.rule.field): w for w in found}
    states = {}
    for c in own:
        if w := by_row.get((c.key, c.rule_id, c.field)):
            state = ConfirmationState.HOLDS if w.hashes.value == c.value_hash else ConfirmationState.LAPSED
            states[c] = (state, v.delivery.delivery_id, w.source_row)
    return states


def _mark(db: duckdb.DuckDBPyConnection, marked: Sequence[tuple[str, str, str, int]]) -> None:
    """Give these findings the outcome 'confirmed'."""
    names = {"delivery_id": pl.String(), "rule_id": pl.String(), "field": pl.String(), "source_row": pl.Int64()}
    db.register("confirmed_findings", pl.DataFrame(list(marked), schema=names, orient="row").to_arrow())
    db.execute(
        f"""
        update audit.findings f set outcome = '{Outcome.CONFIRMED}' from confirmed_findings c
        where f.delivery_id = c.delivery_id and f.rule_id = c.rule_id and f.field = c.field
            and f.source_row = c.source_row and f.severity = 'warning' and f.outcome = '{Outcome.BROKEN}'"""
    )
    db.unregister("confirmed_findings")


def _fill(
    db: duckdb.DuckDBPyConnection,
    lines: Sequence[Confirmation],
    states: dict[Confirmation, tuple[ConfirmationState, str, int]],
) -> None:
    """Insert every confirmation into `audit.confirmations`, with its state."""
    rows = []
    for c in lines:
        state, delivery_id, source_row = states.get(c, (ConfirmationState.NOT_NEEDED, None, None))
        rows.append({**vars(c), "state": str(state), "delivery_id": delivery_id, "source_row": source_row})
    frame = pl.DataFrame(rows, schema={f.name: polars_type(f) for f in CONTRACT.fields}, orient="row")
    db.register("confirmations_to_insert", frame.to_arrow())
    db.execute("insert into audit.confirmations by name from confirmations_to_insert")
    db.unregister("confirmations_to_insert")
