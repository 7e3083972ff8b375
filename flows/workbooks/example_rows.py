"""Made-up rows of a dataset for the sheet of examples in a blank workbook, derived from its contract."""

from __future__ import annotations

import re

from schemas._contract.code_lists import code_list
from schemas._contract.model import Contract, Field, Kind
from schemas._contract.workbook_names import EXAMPLE_ROWS

_EXAMPLES = {
    Kind.TEXT: "made up",
    Kind.REFERENCE: "SIM-000001",
    Kind.DATE: "2016-11-03",
    Kind.INTEGER: "1",
    Kind.DECIMAL: "1",
    Kind.MONEY: "100000.00",
    Kind.YES_NO: "Y",
    Kind.FINANCIAL_YEAR: "2015-16",
}


def example_rows(contract: Contract) -> list[dict[str, str]]:
    """Made-up rows of a dataset, as field name -> text. The second row has only the cells that must be filled in."""
    rows = []
    for n in range(EXAMPLE_ROWS):
        row: dict[str, str] = {}
        for field in contract.fields:
            text = _numbered(field, contract, n)
            # two references alike would read as if one organisation were both, such as funder and recipient
            twice = field.kind is Kind.REFERENCE and text in row.values()
            row[field.name] = text if _is_filled(field) or (n != 1 and not twice) else ""
        rows.append(row)
    return rows


def _is_filled(field: Field) -> bool:
    """Whether an ordinary row has a value there. An amount may be empty, but then another column has to say why."""
    return field.required or (
        field.column_is_required and bool(field.example) and field.kind in (Kind.MONEY, Kind.DECIMAL)
    )


def _numbered(field: Field, contract: Contract, n: int) -> str:
    """A field's example in row `n`: keys and references are numbered, so that each row is about another person."""
    text = example_of(field)
    numbered = {*contract.key, *(r.field for r in contract.parent_rules)}
    if not (field.name in numbered and field.kind in (Kind.TEXT, Kind.REFERENCE) or field.unit == "year"):
        return text
    number = re.search(r"\d+$", text)
    if number is None:
        return f"{text}-{n + 1}"
    return f"{text[: number.start()]}{int(number[0]) + n:0{len(number[0])}}"


def example_of(field: Field) -> str:
    """An example for a cell; '' where the field has none and may be empty."""
    if field.example or not _is_filled(field):
        return field.example
    return field.default or (code_list(field.codes).codes[0] if field.codes else _EXAMPLES[field.kind])
