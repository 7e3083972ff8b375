"""Make the marked workbook of one file, or find out why it gets none."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from flows.deliveries.context import context_of
from flows.deliveries.extract import UnreadableFile
from flows.reporting.render.marked.workbook import why_no_workbook, write_marked_workbook
from flows.reporting.report import DatasetReport
from flows.reporting.words import workbook as words
from flows.runtime.safe_errors import LoggedError, safe_message
from flows.steps.conform import known_headings
from flows.steps.read.raw_sheets import read_raw_sheets
from flows.store.durable import replacement_of
from flows.store.raw_files import file_digest
from schemas._contract.workbook_names import TO_FIX
from schemas.audit.deliveries import Delivery

MARKED_SUFFIX = f"{TO_FIX}.xlsx"


class MarkedWorkbook(NamedTuple):
    """The path of a file's marked workbook, or why there is none."""

    path: Path | None = None
    why_none: str = ""
    error: LoggedError | None = None  # where the fault is in our code and not in the file

    @classmethod
    def failed(cls, error: Exception) -> MarkedWorkbook:
        """No workbook, because of an error in our code."""
        return cls(why_none=words.could_not_be_written(safe_message(error)), error=LoggedError.of(error))

    @property
    def name(self) -> str:
        """The workbook's file name; '' where there is none."""
        return self.path.name if self.path else ""


class _NotWritten(Exception):  # noqa: N818 - no error: the reason is for the sender
    """The file cannot be copied into a workbook. Raised so that the unfinished file is removed."""

    def __init__(self, why: str) -> None:
        super().__init__()
        self.why = why


def marked_path(folder: Path, delivery: Delivery) -> Path:
    """The path of a file's marked workbook in a folder."""
    return folder / f"{delivery.stem}{MARKED_SUFFIX}"


def make_marked_workbook(
    raw: Path, delivery: Delivery, parts: Sequence[DatasetReport], folder: Path, readers_of: Path | None = None
) -> MarkedWorkbook:
    """Write `<name>_to_fix.xlsx` of the file `raw` into a folder, whole or not at all.

    Returns neither a path nor a reason where nothing must be fixed or can be confirmed. `delivery` is any of those in
    the file. The workbook holds rows about people, so only its owner can read it, and the group of the folder
    `readers_of` if that group can read the folder: the one in which the site puts its files (data/raw/<site>).

    Raises OSError only. Any other error becomes a reason why there is no workbook, without data in its text.
    """
    path = marked_path(folder, delivery)
    path.unlink(missing_ok=True)  # the one of an earlier report is out of date
    if not any(p.report.send_again or p.to_confirm for p in parts):
        return MarkedWorkbook()
    if why := why_no_workbook(parts):
        return MarkedWorkbook(why_none=why)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with replacement_of(path, mode=0o600) as unfinished:
            if why := _write(unfinished, raw, delivery, parts):
                raise _NotWritten(why)
            if readers_of is not None:
                folder_stat = readers_of.stat()
                shutil.chown(unfinished, group=folder_stat.st_gid)
                unfinished.chmod(0o600 | folder_stat.st_mode & 0o040)
        return MarkedWorkbook(path)
    except _NotWritten as stopped:
        return MarkedWorkbook(why_none=stopped.why)
    except OSError:
        raise
    except Exception as error:  # an unforeseen file must not cost the run its other reports
        return MarkedWorkbook.failed(error)


def _write(path: Path, raw: Path, delivery: Delivery, parts: Sequence[DatasetReport]) -> str:
    """Write the workbook. Returns why it was not written, or ''."""
    contract, context = parts[0].contract, context_of(delivery)
    try:
        if file_digest(raw) != delivery.sha256:
            return words.HAS_CHANGED
        known = known_headings(contract, context)
        sheets = read_raw_sheets(raw, known, contract.dataset, context.delimiter, context.quote)
    except FileNotFoundError:
        return words.IS_GONE
    except UnreadableFile:
        return words.COULD_NOT_BE_READ
    return write_marked_workbook(path, sheets, parts)
