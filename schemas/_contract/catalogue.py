"""Catalogue of all tables and marts, discovered from the folders, so that a new dataset is one new file."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from types import MappingProxyType

from schemas._contract.code_dates import with_code_dates
from schemas._contract.model import Contract

SCHEMAS_DIR = Path(__file__).parents[1]
DELETIONS, EPISODES = "deletions", "referrals"  # the datasets that say what is deleted, and whose episode is whose
MACROS = Path(__file__).with_name("macros.sql")  # SQL functions that the marts use
# The schemas of the warehouse are the folders that hold contracts (tables) and those that hold SQL (marts).
TABLE_SCHEMAS = tuple(sorted({contract.parent.name for contract in SCHEMAS_DIR.glob("[!_]*/[!_]*.py")}))
MART_SCHEMAS = tuple(sorted({sql.parent.name for sql in SCHEMAS_DIR.glob("[!_]*/*.sql")}))
SCHEMAS = (*TABLE_SCHEMAS, *MART_SCHEMAS)
_REFERENCE = re.compile(rf"\b({'|'.join(SCHEMAS)})\.([a-z_][a-z0-9_]*)", re.IGNORECASE)


def _contracts_in(folder: str) -> dict[str, Contract]:
    found = {}
    for path in sorted((SCHEMAS_DIR / folder).glob("[!_]*.py")):
        contract: Contract = importlib.import_module(f"schemas.{folder}.{path.stem}").CONTRACT
        if contract.dataset != path.stem:
            raise ValueError(f"{path} states the contract of {contract.dataset}: the file's name is the table's name")
        found[path.stem] = contract
    return found


@lru_cache
def datasets() -> Mapping[str, Contract]:
    """Contracts of the datasets that sites send, each after those that its cross-table rules depend on.

    Raises ValueError if a rule depends on an unknown dataset, or if datasets depend on each other in a circle.
    """
    sent = {n: with_code_dates(c) for n, c in _contracts_in("core").items() if not c.reference}
    for name, contract in sent.items():
        for dependency in contract.depends_on:
            if dependency not in sent:
                raise ValueError(f"a rule of {name} needs {dependency}, which is not a dataset that sites send")
    order = _topological_order({n: _settled_before(c) for n, c in sent.items()})
    return MappingProxyType({name: sent[name] for name in order})


def _settled_before(contract: Contract) -> tuple[str, ...]:
    """Datasets to settle before this one: what its rules read, and what says which of its rows are deleted (P21)."""
    of_episodes = (EPISODES,) if "episode_id" in contract.by_name else ()
    return tuple(n for n in (DELETIONS, *of_episodes, *contract.depends_on) if n != contract.dataset)


def _topological_order(dependencies: Mapping[str, Iterable[str]]) -> list[str]:
    """The names, each after its dependencies. Raises ValueError if there is a cycle."""
    try:
        return list(TopologicalSorter(dependencies).static_order())
    except CycleError as error:
        _, cycle = error.args  # graphlib lists each node before the one that depends on it
        raise ValueError(f"these need each other in a circle: {' -> '.join(reversed(cycle))}") from None


def rows_by_delivery() -> str:
    """SQL that counts the rows in `core` by delivery: dataset, delivery_id, n."""
    return " union all ".join(
        f"select '{name}' as dataset, delivery_id, count(*) as n from core.\"{name}\" group by delivery_id"
        for name in datasets()
    )


@lru_cache
def reference_tables() -> Mapping[str, Contract]:
    """Contracts of the reference tables, which no site sends: programmes, sites, areas, code lists and so on."""
    return MappingProxyType({n: c for n, c in _contracts_in("core").items() if c.reference})


@lru_cache
def audit_tables() -> Mapping[str, Contract]:
    """Contracts of the audit tables."""
    return MappingProxyType(_contracts_in("audit"))


def reference_csv(name: str) -> Path:
    """Path of the CSV with the rows of a reference table."""
    return SCHEMAS_DIR / "core" / f"{name}.csv"


@dataclass(frozen=True)
class MartColumn:
    """One column of a mart, as its header states it."""

    name: str
    type: str
    required: bool
    comment: str


@dataclass(frozen=True)
class Mart:
    """One mart: its SQL, and the contract that the header comment of its file states."""

    schema: str
    name: str
    comment: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[MartColumn, ...]
    sql: str

    @property
    def address(self) -> str:
        """The table's full name."""
        return f"{self.schema}.{self.name}"

    @property
    def reads(self) -> frozenset[str]:
        """Full names of the warehouse tables that its SQL mentions, found by pattern as in `Rule.reads`."""
        body = re.sub(r"--[^\n]*", "", self.sql)
        return frozenset(f"{s}.{t}".lower() for s, t in _REFERENCE.findall(body)) - {self.address}


_COLUMN = re.compile(r"^--   (\w+)\s{2,}([A-Z]+(?:\(\d+,\s?\d+\))?)( not null)?\s{2,}(\S.*)$")


def read_mart(path: Path) -> Mart:
    """Parse a mart's SQL file. Raises ValueError if its header is incomplete.

    The header has the table's name, its description, `Grain:`, `Key:`, optionally `Source:`, and `Columns:` with a
    line each: name, type, `not null` if required, comment. A comment may go on in lines indented by 7 spaces.
    """
    sql = path.read_text(encoding="utf-8")
    header = [line for line in sql.splitlines() if line.startswith("--")]
    schema, name = path.parent.name, path.stem
    sections: dict[str, str] = {}
    prose: list[str] = []
    columns: list[MartColumn] = []
    for line in header:
        if m := _COLUMN.match(line):
            columns.append(MartColumn(m[1], m[2].replace(" ", ""), bool(m[3]), m[4].strip()))
        elif m := re.match(r"^-- (Grain|Key|Source|Columns):\s*(.*)$", line):
            sections[m[1]] = m[2]
        elif "Columns" in sections and line.startswith("--       "):
            last = columns.pop()
            columns.append(MartColumn(last.name, last.type, last.required, f"{last.comment} {line[2:].strip()}"))
        elif not sections:
            prose.append(line[2:].strip())
    if prose[:1] != [f"{schema}.{name}"] or not columns or not {"Grain", "Key"} <= sections.keys():
        raise ValueError(f"{path}: a mart's header is its address, meaning, Grain:, Key: and Columns:")
    key = tuple(k.strip() for k in sections["Key"].split(","))
    return Mart(
        schema=schema,
        name=name,
        comment=" ".join(p for p in prose[1:] if p),
        grain=sections["Grain"],
        key=key,
        columns=tuple(columns),
        sql=sql,
    )


@lru_cache
def marts() -> tuple[Mart, ...]:
    """Every mart, each after those that it selects from. Raises ValueError if marts select from each other."""
    found = {m.address: m for s in MART_SCHEMAS for m in map(read_mart, sorted((SCHEMAS_DIR / s).glob("*.sql")))}
    # Sorted, so that the order of the marts does not depend on the order of a set.
    dependencies = {address: sorted(mart.reads & found.keys()) for address, mart in found.items()}
    return tuple(found[address] for address in _topological_order(dependencies))
