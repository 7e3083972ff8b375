"""The blank return workbook: a sheet to fill in for each dataset, with notes, examples and lists of codes.

All of it is derived from the contracts. A heading is a field's own name, which must stay as it is, so whether it must
be filled in is said by its look and in the notes. Nothing in it is about anyone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from flows.workbooks.for_site import for_site, sometimes_needed
from flows.workbooks.styles import TEXT, Book, width_of
from schemas._contract.code_lists import code_list
from schemas._contract.expected import expected
from schemas._contract.model import Contract, Field, Kind
from schemas._contract.workbook_names import CODES, EXAMPLES, NOTES

ROWS_TO_FILL = 20_000  # where lists open and messages show; more rows are read all the same
EXAMPLE_ROWS = 3
_EXAMPLES = {
    Kind.TEXT: "made up",
    Kind.REFERENCE: "SIM-000001",
    Kind.DATE: "2016-11-03",
    Kind.WHOLE: "1",
    Kind.DECIMAL: "1",
    Kind.MONEY: "100000.00",
    Kind.YES_NO: "Y",
    Kind.FINANCIAL_YEAR: "2015-16",
}


def write_blank_workbook(path: Path | BinaryIO, contracts: Sequence[Contract], file_name: str, site: str = "") -> None:
    """Write a workbook with an empty sheet for each dataset. `file_name` is what it is to be sent as, by `site`."""
    made = Book(path)
    contracts = [for_site(c, site) for c in contracts] if site else contracts
    made.open_lists(f for c in contracts for f in c.fields)
    for contract in contracts:
        _sheet_to_fill(made, contract)
    _notes(made, contracts, file_name, site)
    _examples(made, contracts)
    made.codes()
    made.book.close()


def _sheet_to_fill(made: Book, contract: Contract) -> None:
    sheet = made.sheet(contract.dataset)
    sheet.set_row(0, 32)
    widths = [width_of([f"{f.name}  ", f.example]) for f in contract.fields]
    for column, field in enumerate(contract.fields):
        sheet.set_column(column, column, widths[column], made.column_look(field))
        sheet.write_string(0, column, field.name, made.look("own heading" if field.required else "optional"))
        made.expect(sheet, field, column, 1, ROWS_TO_FILL, refuse=True)
    sheet.freeze_panes(1, 1)
    made.fit(sheet, widths, 0)
    sheet.ignore_errors({"number_stored_as_text": f"A1:XFD{ROWS_TO_FILL}"})


def _notes(made: Book, contracts: Sequence[Contract], file_name: str, site: str) -> None:
    """What each column means, whether it must be filled in, and what a cell of it holds."""
    sheet = made.sheet(NOTES)
    first, last = contracts[0], contracts[-1]
    where = f"the sheet {first.dataset}" if first is last else f"the sheets {first.dataset} to {last.dataset}"
    said = [
        f"Fill in {where}, one row below the other. Under a dark heading every row must be filled in.",
        f"Leave the headings as they are. Save the workbook as {file_name} and put it in your site's folder.",
        f"This sheet, '{EXAMPLES}' and '{CODES}' may stay in the workbook: they are passed over.",
    ]
    if any(c.participant_level for c in contracts):
        said.append("Never enter names, addresses, postcodes, dates of birth, NHS or National Insurance numbers.")
    sheet.write_string(0, 0, "What each column means", made.look("title"))
    sheet.set_row(0, 30)
    for row, text in enumerate(said, 1):
        sheet.write_string(row, 0, text, made.look("plain"))
    headings = ("Sheet", "Column", "Meaning", "Must it be filled in?", "What a cell holds", "Example")
    rows = [
        (c.dataset, f.name, _meaning(f), _needed(f, c, site), expected(f), _example(f) or "may be empty")
        for c in contracts
        for f in c.fields
    ]
    made.table(sheet, len(said) + 2, headings, (22, 26, 50, 34, 56, 24), rows)


def _meaning(field: Field) -> str:
    unit = f" Unit: {field.unit}." if field.unit and field.unit not in field.description else ""
    return f"{field.title}. {field.description}{unit}"


def _needed(field: Field, contract: Contract, site: str) -> str:
    if field.required:
        return "Yes" if field.column_is_required else f"Yes; without the column, {field.default} is taken"
    said = "No, but the column must be there" if field.column_is_required else "No"
    sometimes = sometimes_needed(field, contract, site)
    return f"{said}. In some rows it must: {'; '.join(sometimes)}" if sometimes else said


def _examples(made: Book, contracts: Sequence[Contract]) -> None:
    sheet = made.sheet(EXAMPLES)
    said = "Every row on this sheet is made up, to show what a row looks like. Nothing here is read."
    sheet.write_string(0, 0, said, made.look("section"))
    row = 2
    for contract in contracts:
        sheet.write_string(row, 0, contract.title, made.look("section"))
        for column, field in enumerate(contract.fields):
            sheet.write_string(row + 1, column, field.name, made.look("own heading" if field.required else "optional"))
        for n, example in enumerate(example_rows(contract), row + 2):
            for column, text in enumerate(example.values()):
                sheet.write_string(n, column, text, made.look("made up", TEXT))
        row += EXAMPLE_ROWS + 3
    columns = range(max(len(c.fields) for c in contracts))
    shown = [[c.fields[i] for c in contracts if i < len(c.fields)] for i in columns]
    widths = [width_of(text for f in fields for text in (f"{f.name}  ", _example(f))) for fields in shown]
    for column, width in enumerate(widths):
        sheet.set_column(column, column, width)
    made.fit(sheet, widths, 0)


def example_rows(contract: Contract) -> list[dict[str, str]]:
    """Made-up rows of a dataset: every column that has an example filled in, but in the second only what must be."""
    rows = []
    for n in range(EXAMPLE_ROWS):
        row: dict[str, str] = {}
        for field in contract.fields:
            text = _numbered(field, contract, n)
            twice = field.kind is Kind.REFERENCE and text in row.values()  # as if one body were both of two
            row[field.name] = text if _is_filled(field) or (n != 1 and not twice) else ""
        rows.append(row)
    return rows


def _is_filled(field: Field) -> bool:
    """Whether a sound row has something there: an amount may be empty, but then another column has to say why."""
    return field.required or (field.column_is_required and field.kind in (Kind.MONEY, Kind.DECIMAL))


def _numbered(field: Field, contract: Contract, n: int) -> str:
    """A field's example in the n-th row: what tells rows apart is counted on, as if each were about another person."""
    text = _example(field)
    told_apart = {*contract.key, *(r.field for r in contract.parent_rules)}
    if not (field.name in told_apart and field.kind in (Kind.TEXT, Kind.REFERENCE) or field.unit == "year"):
        return text
    number = re.search(r"\d+$", text)
    if number is None:
        return f"{text}-{n + 1}"
    return f"{text[: number.start()]}{int(number[0]) + n:0{len(number[0])}}"


def _example(field: Field) -> str:
    """What a cell might hold; '' for one that may as well be empty."""
    if field.example or not _is_filled(field):
        return field.example
    return field.default or (code_list(field.codes).codes[0] if field.codes else _EXAMPLES[field.kind])
