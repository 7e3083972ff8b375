"""Which rules guard a column: its dataset's own, those that compare it, and those of any dataset."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from types import MappingProxyType

from flows.reporting.render.dictionary import words
from schemas._contract.catalogue import datasets
from schemas._contract.model import Contract, Kind, Rule, Severity
from schemas._rules.explain import RULES_OF_ANY_DATASET, rules_of

# Nearly every rule between tables joins by one of these.
_JOINED_BY = {"site_code", "programme_code", "participant_ref", "episode_id", "award_id", "claim_id"}


@dataclass(frozen=True)
class DictionaryRule:
    """One rule that guards a column, in short."""

    rule_id: str
    severity: str
    title: str


@dataclass(frozen=True)
class ColumnGuards:
    """The rules that guard one column.

    `own`: those of its dataset that are reported on it. `read_by`: those that compare it and are reported on another
    column. `general`: the ids of those of any dataset, beside those of every column of its kind.
    """

    own: tuple[DictionaryRule, ...] = ()
    read_by: tuple[str, ...] = ()
    general: tuple[str, ...] = ()


def guards_of(contract: Contract, name: str) -> ColumnGuards:
    """The rules that guard a column of a dataset."""
    own = sorted((r for r in contract.rules if r.field == name), key=_order)
    own_ids = {r.rule_id for r in own}
    known = {*own_ids, *rules_by_kind()[contract.by_name[name].kind]}
    return ColumnGuards(
        own=tuple(dict.fromkeys(DictionaryRule(r.rule_id, str(r.severity), r.title) for r in own)),
        read_by=tuple(dict.fromkeys(i for i in _read_by(contract, name) if i not in own_ids)),
        general=tuple(sorted(_by_column(contract.dataset)[name] - known)),
    )


@lru_cache
def rules_by_kind() -> Mapping[str, frozenset[str]]:
    """The ids of the rules that guard every column of a kind."""
    common: dict[str, frozenset[str]] = {}
    for contract in datasets().values():
        for field in contract.fields:
            ids = _by_column(contract.dataset)[field.name]
            common[field.kind] = common.get(field.kind, ids) & ids
    return MappingProxyType({str(kind): common[kind] for kind in Kind if kind in common})


def general_rules() -> Iterator[DictionaryRule]:
    """The rules of any dataset, each text once."""
    rules = sorted(RULES_OF_ANY_DATASET, key=_order)
    yield from dict.fromkeys(DictionaryRule(r.rule_id, str(r.severity), words.of_any_column(r.title)) for r in rules)


def _order(rule: Rule) -> tuple[str, int]:
    return rule.rule_id, list(Severity).index(rule.severity)


@lru_cache
def _by_column(dataset: str) -> Mapping[str, frozenset[str]]:
    """The ids of all rules that can be reported on each column of a dataset."""
    found: dict[str, set[str]] = {}
    for rule, _, field in rules_of(datasets()[dataset]):
        found.setdefault(field, set()).add(rule.rule_id)
    return MappingProxyType({field: frozenset(ids) for field, ids in found.items()})


def _read_by(contract: Contract, name: str) -> Iterator[str]:
    """Rules that read a column and are reported elsewhere; those of another dataset with its name."""
    if name in contract.key or name in _JOINED_BY:
        return
    yield from sorted(r.rule_id for r in contract.rules if r.field != name and name in _names_in(r))
    for other in datasets().values():
        if other is not contract and name not in other.by_name:  # else the SQL may mean the other's own column
            reads = (r for r in other.rules if f"core.{contract.dataset}" in r.reads and name in _names_in(r))
            yield from sorted(f"{r.rule_id} of {other.title}" for r in reads)


@cache
def _names_in(rule: Rule) -> frozenset[str]:
    """The columns that a rule within a row reads, or the words of the SQL of one between rows."""
    return frozenset(rule.check().meta.root_names() if rule.check else re.findall(r"\w+", rule.violations_sql))
