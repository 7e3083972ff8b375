"""Write the blank return workbook: a sheet to fill in for each dataset, with notes, examples and lists of codes.

All of it is derived from the contracts. A heading is exactly the field's name, so that the reader recognises it.
Whether the field is required shows in the heading's style and in the notes. The examples are made up.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import BinaryIO

from flows.deliveries.file_names import last_day_of
from flows.workbooks.example_rows import example_of, example_rows
from flows.workbooks.for_site import expected_where_empty, for_site
from flows.workbooks.sign_off import sign_off_fields, write_sign_off
from flows.workbooks.styles import TEXT, WorkbookWriter, width_of
from schemas._contract.expected import expected
from schemas._contract.model import Contract, Field
from schemas._contract.registry import programmes, sites
from schemas._contract.workbook_names import (
    CODES,
    EXAMPLE_ROWS,
    EXAMPLES,
    FORM_VERSION,
    NIL_BOX_COLUMN,
    NIL_RETURN,
    NOTES,
    SIGN_OFF,
)
from schemas._rules.files import CURRENT_FORM

ROWS_TO_FILL = 20_000  # rows with drop-down lists and messages; rows below them are read all the same


def write_blank_workbook(
    path: Path | BinaryIO, contracts: Sequence[Contract], file_name: str, site: str = "", period: str = ""
) -> None:
    """Write a workbook with an empty sheet for each dataset, to a path or an open file.

    `file_name` is the name to send it under. With a `site`, examples and required fields are those of that site. Codes
    that were in use only before its programme began, or came into use after the month `period`, are not offered.
    """
    workbook = WorkbookWriter(path, days=(_first_day(site), last_day_of(period) if period else date.max))
    contracts = [for_site(c, site) for c in contracts] if site else contracts
    workbook.reserve_code_lists([*(f for c in contracts for f in c.fields), *sign_off_fields(contracts)])
    for contract in contracts:
        _write_data_sheet(workbook, contract)
    _write_nil_return(workbook, contracts)
    write_sign_off(workbook, contracts)
    _write_notes(workbook, contracts, file_name, site)
    _write_examples(workbook, contracts)
    workbook.write_code_sheet()
    workbook.book.close()


def _first_day(site: str) -> date:
    programme = programmes().get(sites()[site].programme_code) if site else None
    return date(programme.start_year, 1, 1) if programme and programme.start_year else date.min


def _write_data_sheet(workbook: WorkbookWriter, contract: Contract) -> None:
    """Write the empty sheet of one dataset: headings, formats, drop-down lists and messages."""
    sheet = workbook.add_sheet(contract.dataset)
    sheet.set_row(0, 32)
    widths = [width_of([f"{f.name}  ", f.example]) for f in contract.fields]
    for column, field in enumerate(contract.fields):
        sheet.set_column(column, column, widths[column], workbook.column_style(field))
        sheet.write_string(0, column, field.name, workbook.style("own heading" if field.required else "optional"))
        workbook.add_validation(sheet, field, column, 1, ROWS_TO_FILL, refuse=True)
    sheet.freeze_panes(1, 1)
    workbook.fit_to_print(sheet, widths, 0)
    # codes such as 01 are text on purpose: no green triangle on each
    sheet.ignore_errors({"number_stored_as_text": f"A1:XFD{ROWS_TO_FILL}"})


def _write_nil_return(workbook: WorkbookWriter, contracts: Sequence[Contract]) -> None:
    """Write a box for each dataset, in which the sender says that there is nothing to send."""
    sheet = workbook.add_sheet(NIL_RETURN)
    sheet.write_string(0, 0, "Nothing to send this month?", workbook.style("title"))
    sheet.set_row(0, 30)
    for row, text in enumerate(
        (
            "If you have no rows for a dataset, write yes beside it. Leave its own sheet empty, with its headings.",
            "Save and send the workbook as usual. Where you have rows, leave the box empty.",
        ),
        1,
    ):
        sheet.write_string(row, 0, text, workbook.style("plain"))
    headings = ("Sheet", "Dataset", "No rows this month: write yes")
    end = workbook.write_table(sheet, 4, headings, (28, 44, 34), [(c.dataset, c.title, "") for c in contracts])
    for row in range(5, end):
        sheet.write_blank(row, NIL_BOX_COLUMN, None, workbook.style("box", TEXT))
    sheet.data_validation(
        5, NIL_BOX_COLUMN, end - 1, NIL_BOX_COLUMN,
        {"validate": "list", "source": ["yes"], "ignore_blank": True, "input_title": "Nothing to send",
         "input_message": "Write yes if you have no rows for this dataset. Leave it empty otherwise.",
         "error_title": "This cannot be entered here", "error_message": "Write yes, or leave the box empty."},
    )  # fmt: skip


def _write_notes(workbook: WorkbookWriter, contracts: Sequence[Contract], file_name: str, site: str) -> None:
    """Write what each column means, whether it must be filled in, and what its cells hold."""
    sheet = workbook.add_sheet(NOTES)
    first, last = contracts[0], contracts[-1]
    where = f"the sheet {first.dataset}" if first is last else f"the sheets {first.dataset} to {last.dataset}"
    instructions = [
        f"Fill in {where}, one row below the other. Under a dark heading every row must be filled in.",
        f"Leave the headings as they are. Save the workbook as {file_name} and put it in your site's folder.",
        f"If you have no rows for a sheet, leave it empty and write yes beside its name on the sheet '{NIL_RETURN}'.",
        f"This sheet, '{NIL_RETURN}', '{EXAMPLES}' and '{CODES}' may stay in the workbook.",
    ]
    if sign_off_fields(contracts):
        instructions.append(
            f"Whoever has checked the amounts can sign them off on the sheet '{SIGN_OFF}', with a role and a date."
        )
    if any(c.participant_level for c in contracts):
        instructions.append(
            "Never enter names, addresses, postcodes, dates of birth, NHS or National Insurance numbers."
        )
    instructions.append(f"{FORM_VERSION}{CURRENT_FORM}")
    sheet.write_string(0, 0, "What each column means", workbook.style("title"))
    sheet.set_row(0, 30)
    for row, text in enumerate(instructions, 1):
        sheet.write_string(row, 0, text, workbook.style("plain"))
    headings = ("Sheet", "Column", "Meaning", "Must it be filled in?", "What a cell holds", "Example")
    rows = [
        (c.dataset, f.name, _meaning(f), _needed(f, c, site), expected(f), example_of(f) or "may be empty")
        for c in contracts
        for f in c.fields
    ]
    workbook.write_table(sheet, len(instructions) + 2, headings, (22, 26, 50, 34, 56, 24), rows)


def _meaning(field: Field) -> str:
    unit = f" Unit: {field.unit}." if field.unit and field.unit not in field.description else ""
    return f"{field.title}. {field.description}{unit}"


def _needed(field: Field, contract: Contract, site: str) -> str:
    if field.required:
        return "Yes" if field.column_is_required else f"Yes; without the column, {field.default} is taken"
    usually = "No, but the column must be there" if field.column_is_required else "No"
    sometimes = expected_where_empty(field, contract, site)
    return f"{usually}. In some rows it must: {'; '.join(sometimes)}" if sometimes else usually


def _write_examples(workbook: WorkbookWriter, contracts: Sequence[Contract]) -> None:
    """Write made-up rows of each dataset, one dataset below the other."""
    sheet = workbook.add_sheet(EXAMPLES)
    note = "Every row on this sheet is made up, to show what a row looks like. Nothing here is read."
    sheet.write_string(0, 0, note, workbook.style("section"))
    row = 2
    for contract in contracts:
        sheet.write_string(row, 0, contract.title, workbook.style("section"))
        for column, field in enumerate(contract.fields):
            sheet.write_string(
                row + 1, column, field.name, workbook.style("own heading" if field.required else "optional")
            )
        for n, example in enumerate(example_rows(contract), row + 2):
            for column, text in enumerate(example.values()):
                sheet.write_string(n, column, text, workbook.style("made up", TEXT))
        row += EXAMPLE_ROWS + 3
    columns = range(max(len(c.fields) for c in contracts))
    shown = [[c.fields[i] for c in contracts if i < len(c.fields)] for i in columns]
    widths = [width_of(text for f in fields for text in (f"{f.name}  ", example_of(f))) for fields in shown]
    for column, width in enumerate(widths):
        sheet.set_column(column, column, width)
    workbook.fit_to_print(sheet, widths, 0)
