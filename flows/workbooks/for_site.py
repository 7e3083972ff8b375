"""Adapt a contract to one site: its own code and area in the examples, and what its programme's rules ask of it.

Whether a rule allows an empty cell cannot be read from the rule, so it is tried: the rule is applied to every
combination of values that its columns can hold. See docs/decisions.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Any

import polars as pl

from schemas._contract.model import Contract, Field, Kind, Rule, Severity
from schemas._contract.polars_types import polars_type
from schemas._contract.registry import areas_of, programmes, sites

ANY_DATE = date(2016, 11, 3)  # with an empty one, this is all that such rules can tell apart in a date


def for_site(contract: Contract, site: str) -> Contract:
    """The contract with the site's own examples; a field that the site can never leave empty becomes required."""
    return replace(contract, fields=tuple(_field_for_site(f, contract, site) for f in contract.fields))


def expected_where_empty(field: Field, contract: Contract, site: str = "") -> list[str]:
    """The expectations of the rules that an empty cell of the field can break in some rows."""
    return [r.expected for r in _rules_on(field, contract) if _broken(r, field, [None], contract, site).any()]


def _field_for_site(field: Field, contract: Contract, site: str) -> Field:
    if field.name == "site_code":
        return field.replace(example=site)
    if field.codes == "areas" and field.example:
        field = field.replace(example=next(iter(areas_of(site, "residence")), field.example))
    rules = _rules_on(field, contract)
    if any(_broken(rule, field, [None], contract, site).all() for rule in rules):
        field = field.replace(required=True)
    if field.kind is Kind.CODE and (wrong := {c for r in rules for c in _always_wrong(r, field, contract, site)}):
        codes = [field.example, *field.code_list.codes]
        field = field.replace(example=next((c for c in codes if c and c not in wrong), field.example))
    return field


def _rules_on(field: Field, contract: Contract) -> list[Rule]:
    """The rules within a row that hold it back because of this field."""
    return [r for r in contract.rules if r.field == field.name and r.check and r.severity is Severity.ROW]


def _always_wrong(rule: Rule, field: Field, contract: Contract, site: str) -> list[str]:
    """The codes of a field that break the rule whatever the rest of the row holds."""
    return [code for code in field.code_list.codes if _broken(rule, field, [code], contract, site).all()]


def _broken(rule: Rule, field: Field, cells: Iterable[Any], contract: Contract, site: str) -> pl.Series:
    """Whether the rule is broken, for every combination of these cells with the other columns that the rule reads."""
    assert rule.check
    check = rule.check()
    # rules within a row read few columns, so all combinations are few enough to try
    rows = pl.DataFrame({field.name: pl.Series(list(cells), dtype=polars_type(field))})
    for name in sorted({*check.meta.root_names()} - {field.name}):
        rows = rows.join(pl.DataFrame({name: _possible_values(name, contract, site)}), how="cross")
    # a check without an answer (null) breaks nothing, as in the run
    return rows.select(passed=check).select(~pl.col("passed").fill_null(True)).to_series()


def _possible_values(name: str, contract: Contract, site: str) -> pl.Series:
    """The values of a column that a rule can tell apart. With a `site`, its code and programme are fixed."""
    if name == "site_code":
        return pl.Series([site] if site else list(sites()))
    field = contract.by_name.get(name)
    if name == "programme_code" and field is None:
        return pl.Series([sites()[site].programme_code] if site else list(programmes()))
    if field is None or field.kind is Kind.DATE:
        return pl.Series([ANY_DATE, None], dtype=pl.Date)
    of_kind: dict[Kind, list[Any]] = {
        Kind.CODE: list(field.code_list.codes) if field.codes else [],
        Kind.YES_NO: [True, False],
        **dict.fromkeys((Kind.INTEGER, Kind.DECIMAL, Kind.MONEY), [0, 1]),
    }
    return pl.Series([*of_kind.get(field.kind, [field.example]), None], dtype=polars_type(field))
