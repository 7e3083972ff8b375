"""What the data dictionary holds, collected from the contracts, the headers of the marts and the code lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from flows.reporting.render.dictionary import words
from flows.reporting.render.dictionary.figures import figures
from flows.reporting.render.dictionary.guards import (
    ColumnGuards,
    DictionaryRule,
    general_rules,
    guards_of,
    rules_by_kind,
)
from flows.reporting.render.dictionary.joins import Join, joins_of
from schemas._contract.catalogue import Mart, audit_tables, datasets, marts, reference_tables
from schemas._contract.derive import PROVENANCE, sql_type
from schemas._contract.expected import LONGEST_LIST_IN_FULL, expected
from schemas._contract.meanings import (
    FIGURES,
    Meaning,
    meaning_in_mart,
    meaning_of,
    meaning_of_provenance,
    table_of_codes,
)
from schemas._contract.model import Contract, Field
from schemas._contract.registry import NONE, rows


@dataclass(frozen=True)
class DictionaryColumn:
    """One column of a table. `values`: what a cell may hold, where it has no code list."""

    name: str
    type: str
    meaning: Meaning
    values: str = ""
    headings: tuple[str, ...] = ()
    guards: ColumnGuards = ColumnGuards()

    @property
    def unit_in_words(self) -> str:
        """Its unit as a sentence to add to its meaning; '' where that says it."""
        unit = self.meaning.unit
        return f" Unit: {unit}." if unit and unit not in self.meaning.text else ""


@dataclass(frozen=True)
class DictionaryTable:
    """One table of the warehouse, with what a row is, who sends it, and how it is joined to others."""

    address: str
    about: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[DictionaryColumn, ...]
    title: str = ""  # of a contract
    sent: tuple[str, ...] = ()  # who sends it, and how often
    joins: tuple[Join, ...] = ()

    @property
    def row(self) -> str:
        """What a row is."""
        return self.grain.removeprefix("one row per ")

    @property
    def has_rules(self) -> bool:
        """Whether rules guard its columns: it is sent by sites."""
        return bool(self.sent)


@dataclass(frozen=True)
class ListedCode:
    """One code with its label, and the days between which it may be used ('' where there is no limit)."""

    code: str
    label: str
    valid_from: str = ""
    valid_to: str = ""

    @property
    def in_words(self) -> str:
        """The code with its label, and when it is valid if that has a limit."""
        label = f" = {self.label}" if self.label != self.code else ""
        return f"{self.code}{label}{words.validity(self.valid_from, self.valid_to)}"


@dataclass(frozen=True)
class ListOfCodes:
    """One code list. A registry table such as core.sites is one too."""

    name: str
    address: str
    codes: tuple[ListedCode, ...]

    @property
    def is_short(self) -> bool:
        """Whether a column that uses it says all its codes. Programmes and sites are in nearly every table."""
        return self.address == "core.codes" and len(self.codes) <= LONGEST_LIST_IN_FULL

    @property
    def has_dates(self) -> bool:
        """Whether some code may be used between certain days only."""
        return any(c.valid_from or c.valid_to for c in self.codes)


@dataclass(frozen=True)
class DictionarySection:
    """The tables of one kind."""

    title: str
    about: str
    tables: tuple[DictionaryTable, ...]


@dataclass(frozen=True)
class Dictionary:
    """The whole data dictionary.

    `any_cell`: the ids of the rules of every cell; `by_kind`: those of each kind of column besides.
    """

    sections: tuple[DictionarySection, ...]
    lists: Mapping[str, ListOfCodes]
    any_cell: tuple[str, ...]
    by_kind: Mapping[str, tuple[str, ...]]
    general_rules: tuple[DictionaryRule, ...]

    @property
    def tables(self) -> Iterator[DictionaryTable]:
        """Every table, in the order of the sections."""
        return (table for section in self.sections for table in section.tables)


@lru_cache
def dictionary() -> Dictionary:
    """Collect the data dictionary."""
    by_kind = rules_by_kind()
    any_cell = frozenset.intersection(*by_kind.values())
    tables = (
        (_sent_table(datasets()[name]) for name in _in_order_of_returns()),
        (_table("core", c) for c in reference_tables().values()),
        (_table("audit", c) for c in audit_tables().values()),
        (_mart(m) for m in sorted(marts(), key=lambda m: m.address)),
    )
    sections = tuple(
        DictionarySection(title, about, tuple(of)) for (title, about), of in zip(words.SECTIONS, tables, strict=True)
    )
    names = {c.meaning.codes for s in sections for t in s.tables for c in t.columns} - {""}
    return Dictionary(
        sections=sections,
        lists={name: _codes(name) for name in sorted(names)},
        any_cell=tuple(sorted(any_cell)),
        by_kind={kind: tuple(sorted(ids - any_cell)) for kind, ids in by_kind.items()},
        general_rules=tuple(general_rules()),
    )


def _in_order_of_returns() -> list[str]:
    """The datasets in the order of the registry, those that no sender owes last."""
    named = (r["dataset"] for r in rows("returns"))
    return [n for n in dict.fromkeys((*named, *datasets())) if n in datasets()]


def _sent_table(contract: Contract) -> DictionaryTable:
    """The table of a dataset, with the rules on each column and the columns that say where a row came from."""
    own = [_sent_column(contract, f) for f in contract.fields]
    added = [
        DictionaryColumn(name, kind, meaning_of_provenance(contract, name, text))
        for name, kind, text in PROVENANCE
        if name not in contract.by_name
    ]
    address = f"core.{contract.dataset}"
    return DictionaryTable(
        address=address,
        title=contract.title,
        about=contract.description,
        grain=contract.grain,
        key=("site_code", *contract.key) if "site_code" not in contract.key else contract.key,
        columns=(*own, *added),
        sent=tuple(
            words.who_sends(r for r in rows("returns") if r["dataset"] == contract.dataset and r["need"] != NONE)
        )
        or (words.NOBODY_OWES_IT,),
        joins=joins_of(address),
    )


def _sent_column(contract: Contract, field: Field) -> DictionaryColumn:
    return DictionaryColumn(
        name=field.name,
        type=f"{field.kind}, {sql_type(field)}",
        meaning=meaning_of(contract, field),
        values="" if field.codes else expected(field.replace(required=True)),
        headings=(field.title, *field.aliases),
        guards=guards_of(contract, field.name),
    )


def _table(schema: str, contract: Contract) -> DictionaryTable:
    """The table of what no site sends."""
    address = f"{schema}.{contract.dataset}"
    columns = (DictionaryColumn(f.name, sql_type(f), meaning_of(contract, f)) for f in contract.fields)
    return DictionaryTable(
        address=address,
        title=contract.title,
        about=contract.description,
        grain=contract.grain,
        key=contract.key,
        columns=tuple(columns),
        joins=joins_of(address),
    )


def _mart(mart: Mart) -> DictionaryTable:
    columns = (DictionaryColumn(c.name, c.type, meaning_in_mart(mart, c)) for c in mart.columns)
    return DictionaryTable(
        address=mart.address,
        about=mart.comment,
        grain=mart.grain,
        key=mart.key,
        columns=tuple(columns),
        joins=joins_of(mart.address),
    )


def _codes(name: str) -> ListOfCodes:
    """A code list as its CSV states it, or the figures of outcomes.kpi."""
    table = table_of_codes(name)
    if name == FIGURES:
        return ListOfCodes(name, table, tuple(ListedCode(code, says) for code, says in figures()))
    listed = rows(f"codes/{name}" if table == "core.codes" else name)
    code, label = list(listed[0])[:2]
    return ListOfCodes(
        name,
        table,
        tuple(ListedCode(r[code], r[label], r.get("valid_from", ""), r.get("valid_to", "")) for r in listed),
    )
