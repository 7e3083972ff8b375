"""Read the lines of our own sheet on which a site confirms warnings, in a marked workbook that was sent back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice

from flows.deliveries.extract import ConfirmLine, TextOnOtherSheet, UnreadableFile
from flows.steps.read.values import text_of
from flows.steps.read.workbook.sheet import Sheet
from schemas._contract.workbook_names import CONFIRM, CONFIRM_CODE, CONFIRM_REASON, CONFIRM_ROLE

MAX_LINES = 20_000  # more than we ever write
_COLUMNS = (CONFIRM_CODE, CONFIRM_REASON, CONFIRM_ROLE)
MAY_IDENTIFY = re.compile(r"[0-9@]")  # what every number of a person has, and every e-mail address


def confirm_lines(sheets: Sequence[Sheet]) -> tuple[ConfirmLine, ...]:
    """The lines that were filled in, wholly or in part; none where the sheet is missing or cannot be read.

    The sheet is an extra: a fault of it costs the sender no row of data.
    """
    lines = []
    with suppress(UnreadableFile):
        for number, texts, places in _rows(sheets):
            line = ConfirmLine(number, *(texts[i] if i < len(texts) else "" for i in places))
            lines += [line] if line.reason or line.role else []
    return tuple(lines)


def may_identify_on_confirm_sheet(sheets: Sequence[Sheet]) -> Iterator[TextOnOtherSheet]:
    """The cells of that sheet that may hold a person's number or address, to be searched like those of any other.

    A name is none of them: where it is typed in place of a role, the line is not taken, and nothing else happens.
    """
    position = next((n for n, sheet in enumerate(sheets, 1) if sheet.name == CONFIRM), 0)
    for number, texts, places in _rows(sheets):
        for i, text in enumerate(texts):
            if i != places[0] and MAY_IDENTIFY.search(text):
                yield TextOnOtherSheet(CONFIRM, position, number, text)


def _rows(sheets: Sequence[Sheet]) -> Iterator[tuple[int, list[str], list[int]]]:
    """The rows below the heading: number, texts, and the positions of `_COLUMNS`. Raises UnreadableFile."""
    places: list[int] = []
    for sheet in (s for s in sheets if s.name == CONFIRM):
        for number, cells in enumerate(islice(sheet.open_raw().rows(), MAX_LINES), 1):
            texts = [text_of(cell).strip() for cell in cells]
            if places:
                yield number, texts, places
            elif set(_COLUMNS) <= set(texts):
                places = [texts.index(name) for name in _COLUMNS]
