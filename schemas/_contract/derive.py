"""What follows from a contract in SQL: column types, the table and its comments.

Nothing here is typed twice: each function turns a `Contract` into one of its other forms.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from schemas._contract.model import Contract, Field, Kind

# Where a row came from: every table of `core` that a site sends carries these.
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
    Kind.WHOLE: "BIGINT",
    Kind.YES_NO: "BOOLEAN",
    Kind.FINANCIAL_YEAR: "VARCHAR",
    Kind.MOMENT: "TIMESTAMP",
}


def sql_type(field: Field) -> str:
    """The type of a field's column in the warehouse."""
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
    """The columns of a contract's table."""
    own = [TableColumn(f.name, sql_type(f), f.required, comment(f)) for f in contract.fields]
    if not sent_by_sites:
        return own
    return own + [TableColumn(n, t, required=True, comment=c) for n, t, c in PROVENANCE if n not in contract.by_name]


def comment(field: Field) -> str:
    """A column's comment: title, meaning, unit and code list."""
    said = f"{field.title}. {field.description}"
    if field.unit and field.unit not in field.description:
        said += f" Unit: {field.unit}."
    if field.codes:
        said += f" Codes: core.codes, list '{field.codes}'."
    return said


def quoted(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def create_table(schema: str, contract: Contract, *, sent_by_sites: bool = False) -> str:
    """The CREATE TABLE statement of a contract.

    A key of one column is packed by zstd: no two of its values are alike, and to look for what is would cost as much
    again.
    """
    unlike = contract.key if sent_by_sites and len(contract.key) == 1 else ()
    lines = [
        f'"{c.name}" {c.type}{" NOT NULL" if c.required else ""}{" USING COMPRESSION zstd" if c.name in unlike else ""}'
        for c in columns(contract, sent_by_sites=sent_by_sites)
    ]
    return f'CREATE TABLE {schema}."{contract.dataset}" (\n  ' + ",\n  ".join(lines) + "\n)"


def comments(schema: str, contract: Contract, *, sent_by_sites: bool = False) -> list[str]:
    """The COMMENT ON statements of a contract's table and of each of its columns."""
    table = f'{schema}."{contract.dataset}"'
    said = f"{contract.title}: {contract.description} Grain: {contract.grain}."
    return [f"COMMENT ON TABLE {table} IS {quoted(said)}"] + [
        f'COMMENT ON COLUMN {table}."{c.name}" IS {quoted(c.comment)}'
        for c in columns(contract, sent_by_sites=sent_by_sites)
    ]


def at_once(statements: Iterable[str]) -> str:
    """Statements that say what tables are, as one: hundreds of them cost more to optimise than to carry out."""
    return ";\n".join(("PRAGMA disable_optimizer", *statements, "PRAGMA enable_optimizer"))
