"""Write the sheet of the blank and the marked workbook on which datasets of money can be signed off."""

from __future__ import annotations

from collections.abc import Sequence

from flows.workbooks.styles import WorkbookWriter, number_format
from schemas._contract.model import Contract, Field
from schemas._contract.workbook_names import SIGN_OFF, SIGN_OFF_DATE, SIGN_OFF_ROLE, SIGN_OFF_TOTAL
from schemas.audit.deliveries import GBP_DECLARED, SIGNED_OFF_BY, SIGNED_OFF_ON

CELLS: dict[int, Field] = {SIGN_OFF_TOTAL: GBP_DECLARED, SIGN_OFF_ROLE: SIGNED_OFF_BY, SIGN_OFF_DATE: SIGNED_OFF_ON}
_INTRODUCTION = (
    "If somebody has checked the amounts of a sheet, give their total, that person's role and the date. Never a name.",
    "The total is compared with the sheet: the file is refused where they differ. Any cell here may stay empty.",
)
_HEADING_ROW = 4  # from 0: above it the title and the introduction


def sign_off_fields(contracts: Sequence[Contract]) -> tuple[Field, ...]:
    """The fields of the sheet's cells; none where no dataset has amounts to sign off."""
    return tuple(CELLS.values()) if any(c.control_total for c in contracts) else ()


def write_sign_off(workbook: WorkbookWriter, contracts: Sequence[Contract]) -> None:
    """Write a line for each dataset of money; no sheet where there is none."""
    rows = [(c.dataset, f"{c.title}: total of {c.control_total}", "", "", "") for c in contracts if c.control_total]
    if not rows:
        return
    sheet = workbook.add_sheet(SIGN_OFF)
    sheet.write_string(0, 0, "Who agrees with these amounts?", workbook.style("title"))
    sheet.set_row(0, 30)
    for row, text in enumerate(_INTRODUCTION, 1):
        sheet.write_string(row, 0, text, workbook.style("plain"))
    headings = ("Sheet", "Dataset", *(field.title for field in CELLS.values()))
    end = workbook.write_table(sheet, _HEADING_ROW, headings, (28, 44, 20, 28, 18), rows)
    for column, field in CELLS.items():
        for row in range(_HEADING_ROW + 1, end):
            sheet.write_blank(row, column, None, workbook.style("box", number_format(field)))
        workbook.add_validation(sheet, field, column, _HEADING_ROW + 1, end - 1, refuse=True)
