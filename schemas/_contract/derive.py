"""SQL derived from a contract: column types, CREATE TABLE and COMMENT ON statements."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from schemas._contract.meanings import meaning_of, meaning_of_provenance
from schemas._contract.model import Contract, Field, Kind

# Columns that say where a row came from, added to every table of `core` that sites send: name, type, comment.
PROVENANCE: tuple[tuple[str, str, str], ...] = (
    ("programme_code", "VARCHAR", "The programme of the site that sent the row."),
    ("site_code", "VARCHAR", "The site that sent the row."),
    ("delivery_id", "VARCHAR", "The delivery the row came in: see audit.deliveries."),
    ("source_row", "BIGINT", "The row's physical line (CSV) or sheet row (workbook) in the sender's file, first = 1."),
)

_SQL = {
    Kind.TEXT: "VARCHAR",
    Kind.REFERENCE: "VARCHAR",
    Kind.CODE: "VARCHAR",
    Kind.DATE: "DATE",
    Kind.INTEGER: "BIGINT",
    Kind.YES_NO: "BOOLEAN",
    Kind.FINANCIAL_YEAR: "VARCHAR",
    Kind.TIMESTAMP: "TIMESTAMP",
}


def sql_type(field: Field) -> str:
    """The DuckDB type of a field's column."""
    if field.kind in (Kind.MONEY, Kind.DECIMAL):
        return f"DECIMAL(14,{2 if field.kind is Kind.MONEY else field.decimals})"
    return _SQL[field.kind]


class TableColumn(NamedTuple):
    """A column of a table in the warehouse."""

    name: str
    type: str
    required: bool
    comment: str


def columns(contract: Contract, *, sent_by_sites: bool) -> list[TableColumn]:
    """The columns of a contract's table: its fields, and for what sites send the provenance columns that it lacks."""
    own = [TableColumn(f.name, sql_type(f), f.required, meaning_of(contract, f).comment) for f in contract.fields]
    if not sent_by_sites:
        return own
    return own + [
        TableColumn(n, t, required=True, comment=meaning_of_provenance(contract, n, c).comment)
        for n, t, c in PROVENANCE
        if n not in contract.by_name
    ]


def quoted(text: str) -> str:
    """Quote a text as an SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def create_table(schema: str, contract: Contract, *, sent_by_sites: bool = False) -> str:
    """The CREATE TABLE statement of a contract's table in `schema`."""
    # The values of a one-column key are all different, so DuckDB is told to use zstd: trying its other compressions,
    # which look for repeats, would cost as much time again.
    all_distinct = contract.key if sent_by_sites and len(contract.key) == 1 else ()
    lines = [
        f'"{c.name}" {c.type}'
        f"{' NOT NULL' if c.required else ''}{' USING COMPRESSION zstd' if c.name in all_distinct else ''}"
        for c in columns(contract, sent_by_sites=sent_by_sites)
    ]
    return f'CREATE TABLE {schema}."{contract.dataset}" (\n  ' + ",\n  ".join(lines) + "\n)"


def comments(schema: str, contract: Contract, *, sent_by_sites: bool = False) -> list[str]:
    """The COMMENT ON statements of a contract's table and of each of its columns."""
    table = f'{schema}."{contract.dataset}"'
    text = f"{contract.title}: {contract.description} Grain: {contract.grain}."
    return [f"COMMENT ON TABLE {table} IS {quoted(text)}"] + [
        f'COMMENT ON COLUMN {table}."{c.name}" IS {quoted(c.comment)}'
        for c in columns(contract, sent_by_sites=sent_by_sites)
    ]


def ddl_batch(statements: Iterable[str]) -> str:
    """Join DDL statements into one batch that skips the optimizer: hundreds take longer to optimise than to run."""
    return ";\n".join(("PRAGMA disable_optimizer", *statements, "PRAGMA enable_optimizer"))
