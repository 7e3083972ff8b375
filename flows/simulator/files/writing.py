"""Write one extract, batch by batch: a CSV with its manifest, or a workbook. Each tracks its next physical row."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import date, datetime
from pathlib import Path
from typing import Protocol

import polars as pl
import xlsxwriter

from schemas._contract.model import Contract, Kind
from schemas.audit.deliveries import ExtractType

_ISO = re.compile(r"\d{4}-\d{2}-\d{2}")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?")
_NUMBERS = (Kind.INTEGER, Kind.DECIMAL, Kind.MONEY, Kind.DATE)


class ExtractFile(Protocol):
    """Protocol for a file that is being written."""

    path: Path
    next_row: int
    sheet: str

    def append(self, rows: pl.DataFrame) -> None:
        """Write rows of text. A CSV writes them unquoted: a planted comma or line break must bring its own quotes."""

    def close(self, data_rows: int, cut_off: date) -> str:
        """Finish the file, and return its SHA-256. `data_rows` counts rows, but no blank, total and heading rows."""


class CsvFile:
    """A CSV file in UTF-8, with its heading on line 1."""

    sheet = ""

    def __init__(self, path: Path, headings: list[str], extract_type: ExtractType = ExtractType.CUMULATIVE) -> None:
        self.path, self._extract_type = path, extract_type
        self._file = path.open("wb")
        self._digest = hashlib.sha256()
        self._write((",".join(headings) + "\n").encode())
        self.next_row = 2

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        self._digest.update(data)

    def append(self, rows: pl.DataFrame) -> None:
        """Write rows of text; a line break inside a quoted cell counts as a physical line."""
        data = rows.write_csv(include_header=False, quote_style="never").encode()
        self._write(data)
        self.next_row += data.count(b"\n")

    def close(self, data_rows: int, cut_off: date) -> str:
        """Finish the file, and write its manifest beside it."""
        self._file.close()
        sha256 = self._digest.hexdigest()
        manifest = {
            "rows": data_rows,
            "sha256": sha256,
            "data_cut_date": cut_off.isoformat(),
            "extract_type": str(self._extract_type),
            "note": "made-up data",
        }
        self.path.with_suffix(".manifest.json").write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
        return sha256


class Workbook:
    """A workbook with one sheet: dates as date cells, numbers as numbers, codes and references as text."""

    def __init__(
        self, path: Path, contract: Contract, fields: list[str], headings: list[str], titles: list[str]
    ) -> None:
        self.path, self.sheet = path, contract.title[:31]
        self._book = xlsxwriter.Workbook(path, {"constant_memory": True, "strings_to_formulas": False})
        # fixed, so that the same arguments give the same bytes
        self._book.set_properties({"title": "MADE-UP DATA", "created": datetime(2020, 1, 1)})
        self._page = self._book.add_worksheet(self.sheet)
        self._date = self._book.add_format({"num_format": "dd/mm/yyyy"})
        self._kinds = [contract.by_name[f].kind for f in fields]
        for row, text in enumerate(titles):
            self._page.write_string(row, 0, text)
        for column, text in enumerate(headings):
            self._page.write_string(len(titles), column, text)
        self.next_row = len(titles) + 2

    def append(self, rows: pl.DataFrame) -> None:
        """Write rows of text; dates and numbers become such cells, as if typed into a spreadsheet."""
        for values in rows.iter_rows():
            for column, (text, kind) in enumerate(zip(values, self._kinds, strict=True)):
                if text is not None:
                    self._cell(self.next_row - 1, column, text, kind)
            self.next_row += 1

    def _cell(self, row: int, column: int, text: str, kind: Kind) -> None:
        if kind is Kind.DATE and _ISO.fullmatch(text) and _is_excel_date(text):
            self._page.write_datetime(row, column, datetime.fromisoformat(text), self._date)
        elif kind in _NUMBERS and _NUMBER.fullmatch(text):
            self._page.write_number(row, column, float(text))
        else:
            self._page.write_string(row, column, text)

    def close(self, data_rows: int, cut_off: date) -> str:
        """Finish the workbook."""
        self._book.close()
        return hashlib.sha256(self.path.read_bytes()).hexdigest()


def _is_excel_date(text: str) -> bool:
    """Whether a text is a date that Excel can hold: its calendar begins in 1900."""
    try:
        return date.fromisoformat(text).year >= 1900
    except ValueError:
        return False
