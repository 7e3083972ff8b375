"""What the marked and the blank workbook share: styles, drop-down lists of codes, validation and print settings.

Colours keep a contrast of at least 4.5 to 1 and never carry meaning alone: a filled cell is also bold and explained in
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

from schemas._contract.code_lists import Code, code_list
from schemas._contract.expected import expected
from schemas._contract.model import Field, Kind
from schemas._contract.workbook_names import CODES

MAX_ROWS, MAX_COLUMNS, MAX_CELL_LENGTH = 1_048_576, 16_384, 32_767  # limits of Excel, for a sheet and a cell
MIN_WIDTH, MAX_WIDTH, MAX_PAGE_WIDTH = 9, 44, 240  # characters
INK, PAPER, LINK = "#0B0C0C", "#FFFFFF", "#12436D"
DATE, TEXT = "yyyy-mm-dd", "@"
NUMBER_FORMATS = {
    Kind.TEXT: TEXT,
    Kind.REFERENCE: TEXT,
    Kind.CODE: TEXT,  # keeps 01 as 01, also when it is picked from the list
    Kind.YES_NO: TEXT,
    Kind.FINANCIAL_YEAR: TEXT,
    Kind.DATE: DATE,
    Kind.INTEGER: "0",
    Kind.MONEY: "0.00",
}
_ACROSS = {"text_wrap": True, "align": "left", "valign": "vcenter"}
_RULED = {"align": "left", "valign": "top", "indent": 1, "bottom": 1, "bottom_color": "#B1B4B6"}
_MUST = {"bg_color": "#FFD9C7", "font_color": "#7A1F00", "bold": True}
_CHECK = {"bg_color": "#FFF3B8", "font_color": "#4D3B00", "bold": True}
STYLES: dict[str, dict[str, Any]] = {
    "plain": {"valign": "top"},
    "title": {"bold": True, "font_size": 20, "valign": "vcenter"},
    "caption": {"font_size": 12, "font_color": "#505A5F"},
    "lead": {"font_size": 12, "text_wrap": True, "valign": "top"},
    "section": {"bold": True, "font_size": 14, "valign": "vcenter"},
    "step": {"bold": True, "font_size": 14, "align": "center", "valign": "vcenter", "font_color": LINK},
    "heading": {"bold": True, "bg_color": LINK, "font_color": PAPER, **_ACROSS, "indent": 1},
    "own heading": {"bold": True, "bg_color": LINK, "font_color": PAPER, **_ACROSS},
    "optional": {"bold": True, "bg_color": "#DCE6EE", "font_color": INK, **_ACROSS},
    "box": {"align": "center", "valign": "vcenter", "border": 1, "border_color": INK},
    "cell": {"text_wrap": True, **_RULED},
    "link": {"font_color": LINK, "underline": 1, **_RULED},
    "must": {**_MUST, "valign": "top"},
    "check": {**_CHECK, "valign": "top"},
    "must cell": {**_MUST, **_RULED},
    "check cell": {**_CHECK, **_RULED},
    "choice": {
        "bg_color": "#FFFFFF",
        "text_wrap": True,
        "align": "left",
        "valign": "top",
        "border": 1,
        "border_color": LINK,
    },
    "row problems": {
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


class WorkbookWriter:
    """Writes a workbook without formulas or macros that looks the same in every spreadsheet program."""

    def __init__(
        self,
        path: Path | BinaryIO,
        made_at: datetime | None = None,
        days: tuple[date, date] = (date.min, date.max),
    ) -> None:
        """`days` are the first and the last that its rows can have: codes that are in use on none are not offered."""
        self.book = xlsxwriter.Workbook(
            str(path) if isinstance(path, Path) else path,
            {
                # a text of the sender's must never become a formula, a link or a number
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
                "in_memory": True,  # no cell of a sender's lies in a temporary file
                "default_format_properties": {"font_name": "Arial", "font_size": 10, "font_color": INK},
            },
        )
        created = made_at or datetime(2000, 1, 1)  # a fixed date, so that the same input gives the same bytes
        self.book.set_properties({"title": "Monitoring return", "created": created.replace(tzinfo=None)})
        # each call of add_format makes a new format, so each style is made once
        self.style = cache(self._add_format)
        self.lists: dict[str, str] = {}  # code list -> the range of cells that holds its codes
        self.days = days

    def _add_format(self, name: str, number_format: str = "", *, wrap: bool = False) -> Format:
        more = {"num_format": number_format} if number_format else {}
        wrapped = {"text_wrap": True, "valign": "top"} if wrap else {}
        return self.book.add_format({**STYLES[name], **more, **wrapped})

    def add_sheet(self, name: str) -> Worksheet:
        """Add a sheet that prints on A4 landscape."""
        sheet = self.book.add_worksheet(name)
        sheet.set_landscape()
        sheet.set_paper(9)  # A4
        sheet.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.6)
        sheet.set_footer("&L&A&RPage &P of &N")
        return sheet

    def fit_to_print(self, sheet: Worksheet, widths: Iterable[float], heading_row: int) -> None:
        """Print all columns on one page where they stay legible, else page by page with the first column on each."""
        sheet.repeat_rows(heading_row)
        if sum(widths) <= MAX_PAGE_WIDTH:
            sheet.fit_to_pages(1, 0)
        else:
            sheet.repeat_columns(0)
            sheet.set_print_scale(70)

    def write_table(
        self,
        sheet: Worksheet,
        top: int,
        headings: Sequence[str],
        widths: Sequence[int],
        rows: Iterable[Sequence[Any]],
    ) -> int:
        """Write a table with its heading frozen and repeated on each page. Returns the number of the row after it."""
        for column, (heading, width) in enumerate(zip(headings, widths, strict=True)):
            sheet.set_column(column, column, width)
            sheet.write_string(top, column, heading, self.style("heading"))
        sheet.set_row(top, 30)
        row = top
        for row, cells in enumerate(rows, top + 1):
            sheet.set_row(row, height_of(cells, widths))
            for column, cell in enumerate(cells):
                sheet.write(row, column, cell, self.style("cell", TEXT if isinstance(cell, str) else ""))
        sheet.freeze_panes(top + 1, 0)
        self.fit_to_print(sheet, widths, top)
        sheet.autofilter(top, 0, max(row, top + 1), len(headings) - 1)
        return row + 1

    def reserve_code_lists(self, fields: Iterable[Field]) -> None:
        """Decide where the codes of these fields will be, so that drop-down lists can refer to them.

        The sheet of codes is written last, but validation needs its ranges before.
        """
        at = 2  # row 1 is the heading
        for name in sorted({f.codes for f in fields if f.kind is Kind.CODE}):
            size = len(self._offered(name))
            self.lists[name] = f"='{CODES}'!$B${at}:$B${at + size - 1}"
            at += size

    def write_code_sheet(self) -> None:
        """Write the sheet of codes with their meaning, to which the drop-down lists refer."""
        if self.lists:
            rows = [(name, e.code, meaning_of(e)) for name in self.lists for e in self._offered(name)]
            self.write_table(self.add_sheet(CODES), 0, ("List", "Code", "Meaning"), (28, 28, 80), rows)

    def _offered(self, name: str) -> list[Code]:
        """The codes of a list that fit some row. An area is offered under each code that it has had."""
        codes = code_list(name)
        return [e for e in codes.entries if e not in codes.dated or e.is_in_use(*self.days)]

    def column_style(self, field: Field | None) -> Format:
        """The format of the empty cells of a field's column."""
        return self.style("plain", number_format(field))

    def add_validation(
        self, sheet: Worksheet, field: Field, column: int, first: int, last: int, *, refuse: bool = False
    ) -> None:
        """Show what a cell must hold when it is selected, and offer a drop-down list for a code.

        Values outside a list cannot be entered. With `refuse`, neither can invalid dates and numbers out of range.
        """
        rule: dict[str, Any] = {"validate": "any"}
        if field.kind is Kind.YES_NO or field.codes in self.lists:
            rule = {"validate": "list", "source": self.lists.get(field.codes, ["Y", "N"])}
        elif refuse and field.kind is Kind.DATE:
            rule = {
                "validate": "date",
                "criteria": "between",
                "minimum": date(1901, 1, 1),
                "maximum": date(2099, 12, 31),
            }
        elif refuse and field.low is not None and field.high is not None:
            kind = "integer" if field.kind is Kind.INTEGER else "decimal"
            rule = {"validate": kind, "criteria": "between", "minimum": float(field.low), "maximum": float(field.high)}
        text = _cut(_sentence(expected(field)), 255)  # Excel's limits: 255 characters for a message, 32 for a title
        messages = {"input_title": _cut(field.title, 32), "input_message": text, "ignore_blank": True}
        if rule["validate"] != "any":
            messages |= {"error_title": "This cannot be entered here", "error_message": _cut(f"Expected: {text}", 255)}
        sheet.data_validation(first, column, last, column, {**rule, **messages})


def meaning_of(code: Code) -> str:
    """What a code means, and when it is in use if that is for a time only."""
    return f"{code.label} ({code.dates})" if code.dates else code.label


def height_of(cells: Sequence[Any], widths: Sequence[int], line: float = 13.5) -> float:
    """The height in points that a row of wrapped texts needs; not every office suite works it out by itself.

    `widths` are those of the columns in characters, `line` is the height of a line.
    """
    lines = max(
        (
            sum(1 + int(len(part) * 0.96 / (width - 2)) for part in str(cell).split("\n"))
            for cell, width in zip(cells, widths, strict=False)
        ),
        default=1,
    )
    return min(max(lines, 1) * line + 3, 400)


def width_of(texts: Iterable[str]) -> int:
    """The width of a column, in characters, that shows these texts in full, within bounds."""
    return max(MIN_WIDTH, min(max(map(len, texts), default=0) + 3, MAX_WIDTH))


def sheet_names(wanted: Sequence[str], taken: Iterable[str]) -> dict[str, str]:
    """Wanted name -> a valid sheet name in Excel: at most 31 characters, unique, without a few special characters."""
    used = {t.casefold() for t in taken}
    names: dict[str, str] = {}
    for name in wanted:
        plain = "".join("_" if ch in "[]:*?/\\" else ch for ch in name).strip("'")[:31] or "Sheet"
        unique, n = plain, 1
        while unique.casefold() in used:
            n += 1
            unique = f"{plain[: 30 - len(str(n))]} {n}"
        used.add(unique.casefold())
        names[name] = unique
    return names


def quoted_sheet(name: str) -> str:
    """A sheet's name, quoted for use in an address."""
    return "'" + name.replace("'", "''") + "'"


def number_format(field: Field | None) -> str:
    """The number format of a field's cells; '' for the spreadsheet's own."""
    return NUMBER_FORMATS.get(field.kind, "") if field else ""


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."
