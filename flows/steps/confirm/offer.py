"""The warnings of a delivery that its site can confirm, each with the code of its line in the marked workbook."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from flows.deliveries.validated import ValidatedDelivery
from flows.steps.confirm.keyed_hash import make_keyed_hash
from flows.steps.confirm.matching import confirmable, stored_rows, warned
from flows.steps.confirm.sheet import LineCode
from flows.store.paths import DataPaths
from flows.store.results import ResultStore
from schemas._contract.catalogue import datasets

MAX_LINES = 5_000  # of one delivery: nobody confirms more one by one


def codes_to_confirm(
    v: ValidatedDelivery, findings: pl.DataFrame, paths: DataPaths
) -> Mapping[tuple[str, str, int], str]:
    """The codes by (rule_id, field, source_row). The first one of all makes the secret of the hashes."""
    d, contract = v.delivery, datasets()[v.delivery.dataset]
    open_warnings = confirmable(findings, contract).head(MAX_LINES)
    if open_warnings.is_empty():
        return {}
    rows = stored_rows(ResultStore(paths), v.key)
    found = warned(d.site_code, contract, open_warnings, rows, make_keyed_hash(paths))
    return {
        (w.rule.rule_id, w.rule.field, w.source_row): str(
            LineCode(d.site_code, d.dataset, w.rule.rule_id, w.rule.field, w.hashes.key, w.hashes.value)
        )
        for w in found
    }
