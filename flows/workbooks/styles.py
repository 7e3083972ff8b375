"""How our workbooks look, and what the marked and the blank one share: formats, lists that open in a cell, the print.

Colours keep a contrast of at least 4.5 to 1, and never say anything alone: what is filled is also bold and told in
words.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from schemas._contract.code_lists import code_list
from schemas._contract.expected import expected
from schemas._contract.model import Field, Kind
from schemas._contract.workbook_names import CODES

MOST_ROWS, MOST_COLUMNS, LONGEST_CELL = 1_048_576, 16_384, 32_767  # of any Excel sheet
NARROWEST, WIDEST, WIDEST_PAGE = 9, 44, 240  # characters
INK, PAPER, LINK = "#0B0C0C", "#FFFFFF", "#12436D"
DATE, TEXT = "yyyy-mm-dd", "@"
NUMBER_FORMATS = {
    Kind.TEXT: TEXT,
    Kind.REFERENCE: TEXT,
    Kind.CODE: TEXT,  # so that 01 stays 01, also when it is picked from the list
    Kind.YES_NO: TEXT,
    Kind.FINANCIAL_YEAR: TEXT,
    Kind.DATE: DATE,
    Kind.WHOLE: "0",
    Kind.MONEY: "0.00",
}
_ACROSS = {"text_wrap": True, "align": "left", "valign": "vcenter"}
_RULED = {"align": "left", "valign": "top", "indent": 1, "bottom": 1, "bottom_color": "#B1B4B6"}
_MUST = {"bg_color": "#FFD9C7", "font_color": "#7A1F00", "bold": True}
_CHECK = {"bg_color": "#FFF3B8", "font_color": "#4D3B00", "bold": True}
LOOKS: dict[str, dict[str, Any]] = {
    "plain": {"valign": "top"},
    "title": {"bold": True, "font_size": 20, "valign": "vcenter"},
    "caption": {"font_size": 12, "font_color": "#505A5F"},
    "lead": {"font_size": 12, "text_wrap": True, "valign": "top"},
    "section": {"bold": True, "font_size": 14, "valign": "vcenter"},
    "step": {"bold": True, "font_size": 14, "align": "center", "valign": "vcenter", "font_color": LINK},
    "heading": {"bold": True, "bg_color": LINK, "font_color": PAPER, **_ACROSS, "indent": 1},
    "own heading": {"bold": True, "bg_color": LINK, "font_color": PAPER, **_ACROSS},
    "optional": {"bold": True, "bg_color": "#DCE6EE", "font_color": INK, **_ACROSS},
    "cell": {"text_wrap": True, **_RULED},
    "link": {"font_color": LINK, "underline": 1, **_RULED},
    "must": {**_MUST, "valign": "top"},
    "check": {**_CHECK, "valign": "top"},
    "must cell": {**_MUST, **_RULED},
    "check cell": {**_CHECK, **_RULED},
    "beside": {
        "font_color": "#7A1F00",
        "text_wrap": True,
        "align": "left",
        "valign": "top",
        "indent": 1,
        "left": 2,
        "left_color": LINK,
    },
    "made up": {"italic": True, "font_color": "#505A5F"},
}


class Book:
    """A workbook being written: nothing in it runs, and it looks the same wherever it is opened."""

    def __init__(self, path: Path | BinaryIO, made_at: datetime | None = None) -> None:
        self.book = xlsxwriter.Workbook(
            str(path) if isinstance(path, Path) else path,
            {
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
                "default_format_properties": {"font_name": "Arial", "font_size": 10, "font_color": INK},
            },
        )
        created = made_at or datetime(2000, 1, 1)  # without a clock: the same input gives the same bytes
        self.book.set_properties({"title": "Monitoring return", "created": created.replace(tzinfo=None)})
        self.look = cache(self._look)
        self.lists: dict[str, str] = {}  # where the codes of a list lie

    def _look(self, name: str, number_format: str = "", *, wrap: bool = False) -> Format:
        more = {"num_format": number_format} if number_format else {}
        wrapped = {"text_wrap": True, "valign": "top"} if wrap else {}
        return self.book.add_format({**LOOKS[name], **more, **wrapped})

    def sheet(self, name: str) -> Worksheet:
        """A new sheet that prints on A4 across."""
        sheet = self.book.add_worksheet(name)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.6)
        sheet.set_footer("&L&A&RPage &P of &N")
        return sheet

    def fit(self, sheet: Worksheet, widths: Iterable[float], repeated: int) -> None:
        """Print all columns on one page where they stay legible; else page by page, the first column on each."""
        sheet.repeat_rows(repeated)
        if sum(widths) <= WIDEST_PAGE:
            sheet.fit_to_pages(1, 0)
        else:
            sheet.repeat_columns(0)
            sheet.set_print_scale(70)

    def table(
        self,
        sheet: Worksheet,
        top: int,
        headings: Sequence[str],
        widths: Sequence[int],
        rows: Iterable[Sequence[Any]],
    ) -> int:
        """Write a table of texts, with its heading frozen and repeated on each page. Gives the row after it."""
        for column, (heading, width) in enumerate(zip(headings, widths, strict=True)):
            sheet.set_column(column, column, width)
            sheet.write_string(top, column, heading, self.look("heading"))
        sheet.set_row(top, 30)
        row = top
        for row, cells in enumerate(rows, top + 1):
            sheet.set_row(row, height_of(cells, widths))
            for column, cell in enumerate(cells):
                sheet.write(row, column, cell, self.look("cell", TEXT if isinstance(cell, str) else ""))
        sheet.freeze_panes(top + 1, 0)
        self.fit(sheet, widths, top)
        sheet.autofilter(top, 0, max(row, top + 1), len(headings) - 1)
        return row + 1

    def open_lists(self, fields: Iterable[Field]) -> None:
        """Settle where the codes of these fields will stand, so that the lists that open in a cell can be made."""
        at = 2
        for name in sorted({f.codes for f in fields if f.kind is Kind.CODE}):
            size = len(code_list(name).entries)
            self.lists[name] = f"='{CODES}'!$B${at}:$B${at + size - 1}"
            at += size

    def codes(self) -> None:
        """The sheet of codes with their meaning, which the lists are taken from."""
        if self.lists:
            rows = [(name, e.code, e.label) for name in self.lists for e in code_list(name).entries]
            self.table(self.sheet(CODES), 0, ("List", "Code", "Meaning"), (28, 28, 80), rows)

    def column_look(self, field: Field | None) -> Format:
        """How the cells of a column look that nothing was written in yet."""
        return self.look("plain", number_format(field))

    def expect(
        self, sheet: Worksheet, field: Field, column: int, first: int, last: int, *, refuse: bool = False
    ) -> None:
        """Say what a cell of this field must hold when it is entered; a code is picked from a list.

        With `refuse`, a day that is none and a number out of range cannot be typed either.
        """
        what: dict[str, Any] = {"validate": "any"}
        if field.kind is Kind.YES_NO or field.codes in self.lists:
            what = {"validate": "list", "source": self.lists.get(field.codes, ["Y", "N"])}
        elif refuse and field.kind is Kind.DATE:
            what = {
                "validate": "date",
                "criteria": "between",
                "minimum": date(1901, 1, 1),
                "maximum": date(2099, 12, 31),
            }
        elif refuse and field.low is not None and field.high is not None:
            kind = "integer" if field.kind is Kind.WHOLE else "decimal"
            what = {"validate": kind, "criteria": "between", "minimum": float(field.low), "maximum": float(field.high)}
        said = _cut(_sentence(expected(field)), 255)
        shown = {"input_title": _cut(field.title, 32), "input_message": said, "ignore_blank": True}
        if what["validate"] != "any":
            shown |= {"error_title": "This cannot be entered here", "error_message": _cut(f"Expected: {said}", 255)}
        sheet.data_validation(first, column, last, column, {**what, **shown})


def height_of(cells: Sequence[Any], widths: Sequence[int], line: float = 13.5) -> float:
    """The height that a row of wrapped texts needs, in points: an office suite does not always reckon it itself."""
    lines = max(
        (
            sum(1 + int(len(part) * 0.96 / (width - 2)) for part in str(cell).split("\n"))
            for cell, width in zip(cells, widths, strict=False)
        ),
        default=1,
    )
    return min(max(lines, 1) * line + 3, 400)


def width_of(texts: Iterable[str]) -> int:
    """The width of a column that shows these texts whole, within bounds."""
    return max(NARROWEST, min(max((len(t) for t in texts), default=0) + 3, WIDEST))


def sheet_names(wanted: Sequence[str], taken: Iterable[str]) -> dict[str, str]:
    """The names that sheets may have in Excel: 31 characters, no two alike, none of a few signs."""
    used = {t.casefold() for t in taken}
    names: dict[str, str] = {}
    for name in wanted:
        plain = "".join("_" if ch in "[]:*?/\\" else ch for ch in name).strip("'")[:31] or "Sheet"
        given, n = plain, 1
        while given.casefold() in used:
            n += 1
            given = f"{plain[: 30 - len(str(n))]} {n}"
        used.add(given.casefold())
        names[name] = given
    return names


def quoted_sheet(name: str) -> str:
    """A sheet's name as an address needs it."""
    return "'" + name.replace("'", "''") + "'"


def number_format(field: Field | None) -> str:
    """How a cell of a field is shown; '' leaves it to the spreadsheet."""
    return NUMBER_FORMATS.get(field.kind, "") if field else ""


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."
