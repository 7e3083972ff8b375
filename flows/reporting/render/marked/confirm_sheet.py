"""Write the sheet of the marked workbook on which a site can say that a row is right all the same.

Each warning that can be confirmed is a line, with a list of reasons and one of roles to choose from. `read_workbook`
reads the lines when the workbook is sent back; a line's code says which row, rule and values it is about.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from xlsxwriter.worksheet import Worksheet

from flows.reporting.words import confirming as words
from flows.workbooks.styles import WorkbookWriter, height_of, quoted_sheet
from schemas._contract.code_lists import code_list
from schemas._contract.workbook_names import CONFIRM, CONFIRM_REASON, CONFIRM_ROLE, HIDDEN
from schemas.audit.confirmations import REASONS, ROLES

if TYPE_CHECKING:
    from flows.reporting.render.marked.problems import Problem

_WIDTHS = (10, 14, 21, 44, 19, 40, 24, 22)  # of the columns
_HEADING_ROW = 3  # from 0: above it the title and the introduction
_CHOICES = (
    (CONFIRM_REASON, REASONS, words.CHOOSE_A_REASON),
    (CONFIRM_ROLE, ROLES, words.CHOOSE_A_ROLE),
)


def write_confirm_sheet(workbook: WorkbookWriter, problems: Sequence[Problem], names: Mapping[str, str]) -> None:
    """Write a line for each problem that can be confirmed; no sheet where there is none.

    `names` are the names of the workbook's sheets, by those of the sender's.
    """
    if not problems:
        return
    sheet = workbook.add_sheet(CONFIRM)
    rows = [(p.cell, names.get(p.sheet, ""), p.column, p.text.title, _value(p), "", "", p.code) for p in problems]
    end = workbook.write_table(sheet, _HEADING_ROW, list(words.COLUMNS), list(_WIDTHS), rows)
    sheet.write_string(0, 0, words.RIGHT, workbook.style("section"))
    sheet.merge_range(1, 0, 1, len(_WIDTHS) - 2, words.INTRODUCTION, workbook.style("lead"))
    sheet.set_row(1, height_of([words.INTRODUCTION], [sum(_WIDTHS[:-1])], line=16))
    for row, p in enumerate(problems, _HEADING_ROW + 1):
        if p.sheet in names:
            sheet.write_url(
                row, 0, f"internal:{quoted_sheet(names[p.sheet])}!{p.target}", workbook.style("link"), p.cell
            )
        for heading, *_ in _CHOICES:
            sheet.write_blank(row, words.COLUMNS.index(heading), None, workbook.style("choice"))
    for heading, codes, message in _CHOICES:
        _add_list(sheet, words.COLUMNS.index(heading), end - 1, heading, codes, message)


def _value(problem: Problem) -> str:
    """The value as the list of problems shows it."""
    return HIDDEN if problem.hidden else problem.found


def _add_list(sheet: Worksheet, column: int, last: int, heading: str, codes: str, message: str) -> None:
    """Offer the labels of a code list in the cells of a column. Nothing else can be entered."""
    title, error = words.PICK_FROM_THE_LIST
    sheet.data_validation(
        _HEADING_ROW + 1,
        column,
        last,
        column,
        {
            "validate": "list",
            "source": [entry.label for entry in code_list(codes).entries],
            "ignore_blank": True,
            "input_title": heading,
            "input_message": message,
            "error_title": title,
            "error_message": error,
        },
    )
