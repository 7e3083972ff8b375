"""Recognise our own marked workbook, sent back with nothing changed (rule F49).

Its first sheet states a digest of each of the sender's sheets as they were given back. The workbook may have been saved
anew since, so cells are compared and not bytes. A cell that a program writes in another way makes it a changed one,
which costs nothing: it is then validated as usual.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Any

from flows.deliveries.findings import Finding
from flows.steps.read.values import text_of
from flows.steps.read.workbook.sheet import Sheet
from schemas._contract.model import Severity
from schemas._contract.workbook_names import COPY_LINE, OUR_SHEETS, READ_ME, ROW_PROBLEMS

MAX_LINES = 200  # of the first sheet
_SEPARATOR = "\0"  # in no cell of a workbook
_COPY = re.compile(rf"{COPY_LINE}([a-z_]+, [A-Z][a-z]+ \d{{4}}, version \d+): ([0-9a-f ]+)")


def sheet_digest(rows: Iterable[Sequence[Any]]) -> str:
    """Digest of the cells of a sheet, without empty ones at the ends and without the column that we add."""
    digest, ours, blank = blake2b(digest_size=8), -1, 0
    for row in rows:
        ours = row.index(ROW_PROBLEMS) if ROW_PROBLEMS in row else ours
        cells = row if ours < 0 else [*row[:ours], "", *row[ours + 1 :]]
        # any run of white space is one space; a separator that is none keeps the cells apart
        line = " ".join(_SEPARATOR.join(map(text_of, cells)).split())
        line = line.replace(f" {_SEPARATOR}", _SEPARATOR).replace(f"{_SEPARATOR} ", _SEPARATOR).rstrip(_SEPARATOR)
        if not line:
            blank += 1
            continue
        digest.update(f"{blank}{_SEPARATOR}{line}\n".encode())
        blank = 0
    return digest.hexdigest()


def unchanged_copy_findings(sheets: Sequence[Sheet]) -> list[Finding]:
    """A finding that refuses the file where every sheet of the sender's is as we gave it back."""
    stated = _stated_copy(sheets)
    own = [s for s in sheets if s.name not in OUR_SHEETS]
    if stated is None or len(own) != len(digests := stated[2].split()):
        return []
    is_unchanged = all(sheet_digest(s.open_raw().rows()) == digest for s, digest in zip(own, digests, strict=True))
    return [Finding("F49", Severity.FILE, found=f"our marked copy of {stated[1]}")] if is_unchanged else []


def _stated_copy(sheets: Sequence[Sheet]) -> re.Match[str] | None:
    """What the first sheet says that it is a copy of, with the digests; None if it says nothing of the kind."""
    read_me = next((s for s in sheets if s.name == READ_ME), None)
    lines = [row[0] for row in read_me.open().head(MAX_LINES) if row] if read_me else []
    return next((found for line in lines if (found := _COPY.fullmatch(line.strip()))), None)
