"""The formats that are taken in, and the endings of names by which each goes."""

from __future__ import annotations

from enum import StrEnum
from pathlib import PurePath


class Format(StrEnum):
    """What can be read, as a sender would call it."""

    TEXT = "plain text, such as CSV"
    XLSX = "an Excel workbook"
    XLS = "an old Excel workbook (.xls)"
    ODS = "an OpenDocument spreadsheet (.ods)"
    PARQUET = "a Parquet file"
    ZIP = "a zip"


ENDINGS: dict[Format, tuple[str, ...]] = {
    Format.TEXT: (".csv", ".tsv", ".txt"),
    Format.XLSX: (".xlsx", ".xlsm"),
    Format.XLS: (".xls",),
    Format.ODS: (".ods",),
    Format.PARQUET: (".parquet",),
    Format.ZIP: (".zip",),
}


def format_named(name: str | PurePath) -> Format | None:
    """The format that the ending of a file's name says; None for any other ending.

    A file that is something else by its bytes is refused before it is read (rule F15): the ending decides the reader.
    """
    ending = PurePath(name).suffix.casefold()
    return next((kind for kind, endings in ENDINGS.items() if ending in endings), None)
