"""The file formats that can be read, and the file name endings of each."""

from __future__ import annotations

from enum import StrEnum
from pathlib import PurePath


class Format(StrEnum):
    """A file format, named as senders would call it."""

    TEXT = "plain text, such as CSV"
    XLSX = "an Excel workbook"
    XLS = "an old Excel workbook (.xls)"
    ODS = "an OpenDocument spreadsheet (.ods)"
    PARQUET = "a Parquet file"
    JSON = "a JSON file"
    ZIP = "a zip"


ENDINGS: dict[Format, tuple[str, ...]] = {
    Format.TEXT: (".csv", ".tsv", ".txt"),
    Format.XLSX: (".xlsx", ".xlsm"),
    Format.XLS: (".xls",),
    Format.ODS: (".ods",),
    Format.PARQUET: (".parquet",),
    Format.JSON: (".json",),
    Format.ZIP: (".zip",),
}


def format_named(name: str | PurePath) -> Format | None:
    """The format by the ending of a file's name; None for any other ending.

    The ending alone decides the reader: a file whose bytes are of another format is refused before it is read (F15).
    """
    ending = PurePath(name).suffix.casefold()
    return next((kind for kind, endings in ENDINGS.items() if ending in endings), None)
