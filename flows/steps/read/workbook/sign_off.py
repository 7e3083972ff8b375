"""Read the lines of our own sheet on which a dataset of money can be signed off."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

from flows.deliveries.extract import SignOffLine, TextOnOtherSheet, UnreadableFile
from flows.steps.read.workbook.confirm_sheet import MAY_IDENTIFY
from flows.steps.read.workbook.sheet import Sheet
from schemas._contract.workbook_names import SIGN_OFF, SIGN_OFF_DATE, SIGN_OFF_ROLE, SIGN_OFF_ROWS, SIGN_OFF_TOTAL

_COLUMNS = (SIGN_OFF_TOTAL, SIGN_OFF_ROLE, SIGN_OFF_DATE)


def sign_off_lines(sheets: Sequence[Sheet]) -> dict[str, SignOffLine]:
    """The lines that were filled in, wholly or in part, by the name of their dataset.

    There is none where the sheet is missing or cannot be read: it is an extra, and a fault of it costs the sender no
    row of data.
    """
    lines: dict[str, SignOffLine] = {}
    with suppress(UnreadableFile):
        for sheet in (s for s in sheets if s.name == SIGN_OFF):
            for number, row in enumerate(sheet.open().head(SIGN_OFF_ROWS), 1):
                texts = [cell.strip() for cell in row] + [""] * (max(_COLUMNS) + 1)
                line = SignOffLine(number, *(texts[i] for i in _COLUMNS))
                lines |= {texts[0]: line} if any(line[1:]) else {}
    return lines


def may_identify_on_sign_off_sheet(sheets: Sequence[Sheet]) -> Iterator[TextOnOtherSheet]:
    """The texts of that sheet that may hold a person's number or address, to be searched like those of any other.

    A name is none of them: where it is typed in place of a role, that is no role, and nothing else happens. Neither are
    numbers and dates, which the sheet is for; one too long for a total is not read.
    """
    for position, sheet in enumerate(sheets, 1):
        for row, cells in enumerate(sheet.open_raw().rows(), 1) if sheet.name == SIGN_OFF else ():
            for cell in cells:
                if isinstance(cell, str) and MAY_IDENTIFY.search(cell):
                    yield TextOnOtherSheet(SIGN_OFF, position, row, cell)
