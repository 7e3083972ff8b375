"""What tables there are: found by looking into the folders, so that a new dataset is one new file."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from types import MappingProxyType

from schemas._contract.model import Contract

HERE = Path(__file__).parents[1]
MACROS = Path(__file__).with_name("macros.sql")  # SQL functions that the marts use
# The schemas of the warehouse are the folders that hold contracts (tables) and those that hold SQL (marts).
TABLE_SCHEMAS = tuple(sorted({contract.parent.name for contract in HERE.glob("[!_]*/[!_]*.py")}))
MART_SCHEMAS = tuple(sorted({sql.parent.name for sql in HERE.glob("[!_]*/*.sql")}))
SCHEMAS = (*TABLE_SCHEMAS, *MART_SCHEMAS)
_REFERENCE = re.compile(rf"\b({'|'.join(SCHEMAS)})\.([a-z_][a-z0-9_]*)", re.IGNORECASE)


def _contracts_in(folder: str) -> dict[str, Contract]:
    found = {}
    for path in sorted((HERE / folder).glob("[!_]*.py")):
        contract: Contract = importlib.import_module(f"schemas.{folder}.{path.stem}").CONTRACT
        if contract.dataset != path.stem:
            raise ValueError(f"{path} states the contract of {contract.dataset}: the file's name is the table's name")
        found[path.stem] = contract
    return found


@lru_cache
def datasets() -> Mapping[str, Contract]:
    """The contracts of the datasets that sites send, in the order in which rules between tables need them."""
    sent = {n: c for n, c in _contracts_in("core").items() if not c.reference}
    for name, contract in sent.items():
        for needed in contract.comes_after:
            if needed not in sent:
                raise ValueError(f"a rule of {name} needs {needed}, which is no dataset that sites send")
    order = _after_what_they_need({n: c.comes_after for n, c in sent.items()})
    return MappingProxyType({name: sent[name] for name in order})


def _after_what_they_need(needs: Mapping[str, Iterable[str]]) -> list[str]:
    """The names, each after those that it needs. Raises ValueError where they need each other in a circle."""
    try:
        return list(TopologicalSorter(needs).static_order())
    except CycleError as error:
        _, circle = error.args  # as its documentation says: each is needed by the next
        raise ValueError(f"these need each other in a circle: {' -> '.join(reversed(circle))}") from None


def rows_by_delivery() -> str:
    """A query of the rows that `core` has of each delivery: dataset, delivery_id and their number `n`."""
    return " union all ".join(
        f"select '{name}' as dataset, delivery_id, count(*) as n from core.\"{name}\" group by delivery_id"
        for name in datasets()
    )


@lru_cache
def reference_tables() -> Mapping[str, Contract]:
    """The contracts of the tables that no site sends: programmes, sites, areas, code lists, ..."""
    return MappingProxyType({n: c for n, c in _contracts_in("core").items() if c.reference})


@lru_cache
def audit_tables() -> Mapping[str, Contract]:
    """The contracts of the audit tables."""
    return MappingProxyType(_contracts_in("audit"))


def reference_csv(name: str) -> Path:
    """Where the content of a reference table lies."""
    return HERE / "core" / f"{name}.csv"


@dataclass(frozen=True)
class MartColumn:
    """One column of a mart, as its header states it."""

    name: str
    type: str
    required: bool
    comment: str


@dataclass(frozen=True)
class Mart:
    """One SQL file: its address, meaning, grain, key and columns, all read from its header comment."""

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
        """The tables it selects from, told by their names in its text, as those of a rule are."""
        body = re.sub(r"--[^\n]*", "", self.sql)
        return frozenset(f"{s}.{t}".lower() for s, t in _REFERENCE.findall(body)) - {self.address}


_COLUMN = re.compile(r"^--   (\w+)\s{2,}([A-Z]+(?:\(\d+,\s?\d+\))?)( not null)?\s{2,}(\S.*)$")


def read_mart(path: Path) -> Mart:
    """Read one mart's SQL file. Raises ValueError where its header leaves something out."""
    sql = path.read_text(encoding="utf-8")
    header = [line for line in sql.splitlines() if line.startswith("--")]
    schema, name = path.parent.name, path.stem
    stated: dict[str, str] = {}
    prose: list[str] = []
    columns: list[MartColumn] = []
    for line in header:
        if m := _COLUMN.match(line):
            columns.append(MartColumn(m[1], m[2].replace(" ", ""), bool(m[3]), m[4].strip()))
        elif m := re.match(r"^-- (Grain|Key|Source|Columns):\s*(.*)$", line):
            stated[m[1]] = m[2]
        elif "Columns" in stated and line.startswith("--       "):
            last = columns.pop()
            columns.append(MartColumn(last.name, last.type, last.required, f"{last.comment} {line[2:].strip()}"))
        elif not stated:
            prose.append(line[2:].strip())
    if prose[:1] != [f"{schema}.{name}"] or not columns or not {"Grain", "Key"} <= stated.keys():
        raise ValueError(f"{path}: a mart's header is its address, meaning, Grain:, Key: and Columns:")
    key = tuple(k.strip() for k in stated["Key"].split(","))
    return Mart(
        schema=schema,
        name=name,
        comment=" ".join(p for p in prose[1:] if p),
        grain=stated["Grain"],
        key=key,
        columns=tuple(columns),
        sql=sql,
    )


@lru_cache
def marts() -> tuple[Mart, ...]:
    """Every mart, each after those it selects from. Raises ValueError where two need each other."""
    found = {m.address: m for s in MART_SCHEMAS for m in map(read_mart, sorted((HERE / s).glob("*.sql")))}
    needs = {address: sorted(mart.reads & found.keys()) for address, mart in found.items()}
    return tuple(found[address] for address in _after_what_they_need(needs))
