"""The marked workbook of one file: its sheets as they stand, marked with what was found in them."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from flows.judgement import context_of
from flows.steps.conform import known_headings
from flows.steps.read.whole import as_sheets
from flows.store.raw import fingerprint
from flows.workbooks.marked import Part, why_not, write_marked_workbook
from schemas.audit.deliveries import Delivery
from schemas.shapes import Unreadable

SUFFIX = "_to_fix.xlsx"


def mark(
    raw: Path, delivery: Delivery, parts: Sequence[Part], folder: Path, readers_of: Path | None = None
) -> tuple[Path | None, str]:
    """Write `<name>_to_fix.xlsx` of a file into a folder, whole or not at all. Gives where it is, or why there is none.

    Where nothing must be fixed there is none, and no reason. `delivery` is any of those in the file. The workbook holds
    rows of people: only its owner may read it, or those who may read the file `readers_of`.
    """
    path = folder / f"{delivery.stem}{SUFFIX}"
    path.unlink(missing_ok=True)  # an older one would not say what is said now
    if not any(p.report.send_again for p in parts):
        return None, ""
    if why := why_not(parts):
        return None, why
    contract, context = parts[0].contract, context_of(delivery)
    try:
        if fingerprint(raw) != delivery.sha256:
            return None, "the file has changed since it was read"
        known = known_headings(contract, context)
        sheets = as_sheets(raw, known, contract.dataset, context.delimiter, context.quote)
    except FileNotFoundError:
        return None, "the file is no longer there"
    except Unreadable:
        return None, "the file could not be read"
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.part")
    unfinished.unlink(missing_ok=True)
    unfinished.touch(0o600)
    if why := write_marked_workbook(unfinished, sheets, parts):
        unfinished.unlink()
        return None, why
    if readers_of is not None:
        shutil.chown(unfinished, group=readers_of.stat().st_gid)
        unfinished.chmod(readers_of.stat().st_mode & 0o640)
    return unfinished.replace(path), ""
