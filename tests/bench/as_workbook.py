"""Convert a CSV file to an Excel workbook of text cells."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import xlsxwriter


def as_workbook(source: Path, target: Path) -> None:
    """Write the lines of a CSV file to the sheet `contacts` of a workbook, every cell as text."""
    with xlsxwriter.Workbook(str(target), {"constant_memory": True, "strings_to_formulas": False}) as book:
        sheet = book.add_worksheet("contacts")
        with source.open(encoding="utf-8", newline="") as file:
            for number, cells in enumerate(csv.reader(file)):
                sheet.write_row(number, 0, cells)


if __name__ == "__main__":
    as_workbook(Path(sys.argv[1]), Path(sys.argv[2]))
