"""A text file's bytes as UTF-8, by a strict ladder: byte-order mark, UTF-8, Windows-1252 (DOMAIN.md 6.1, F02 and F03).

Windows-1252 is the last rung because every other spreadsheet in Britain writes it; five bytes have no character in it,
and a text in Shift-JIS or the like, which holds one of them sooner or later, is refused. A text in another alphabet of
single bytes (Greek, say) cannot be told from it by its bytes: so the lines with letters beyond plain English are named.
"""

from __future__ import annotations

import codecs
import mmap
from pathlib import Path

import numpy as np

from schemas.contract import Severity
from schemas.shapes import Finding, Unreadable
from schemas.wording import counted, listed

Data = bytes | mmap.mmap
MOST_ZERO_BYTES = 0.1  # of a file: with fewer, the lines that hold them are held; with more, it is no text
LONGEST_LINE = 4 << 20  # bytes: a row of a spreadsheet with 100 columns, each filled to its limit, is shorter
LINES_NAMED = 5
_PIECE = 16 << 20
_NAMES = {"cp1252": "Windows-1252", "utf-16": "UTF-16"}


def as_utf8(path: Path) -> tuple[Data, str, list[Finding]]:
    """The file's text as UTF-8, how it was written, and what to tell of that. Its lines end with a line feed.

    Raises Unreadable: F01 empty, F02 no text that can be read, U01 a line beyond LONGEST_LINE.
    """
    if path.stat().st_size == 0:
        raise Unreadable("F01")
    with path.open("rb") as file:
        raw = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    data, encoding = _decoded(raw)
    _refuse_if_not_text(data)
    if _ends_lines_with_returns(data):
        data = data[:].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    _refuse_if_a_line_never_ends(data)
    if encoding == "utf-8-sig":
        return data, encoding, [Finding("F03", Severity.WARNING)]
    if encoding == "utf-8":
        return data, encoding, []
    letters = f": check the accents and signs on {_lines_beyond_ascii(data)}" if encoding == "cp1252" else ""
    return data, encoding, [Finding("F02", Severity.WARNING, found=_NAMES[encoding] + letters)]


def _decoded(raw: mmap.mmap) -> tuple[Data, str]:
    try:
        if raw[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            return raw[:].decode("utf-16").encode("utf-8"), "utf-16"
        if raw[:3] == codecs.BOM_UTF8:
            _check_utf8(raw)
            return raw[3:], "utf-8-sig"
    except UnicodeError:
        raise Unreadable("F02") from None
    try:
        _check_utf8(raw)
        return raw, "utf-8"
    except UnicodeError:
        pass
    try:
        return raw[:].decode("cp1252").encode("utf-8"), "cp1252"
    except UnicodeError:
        raise Unreadable("F02") from None


def _check_utf8(data: Data) -> None:
    """Raises UnicodeError where the bytes are not UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    for start in range(0, len(data), _PIECE):
        decoder.decode(data[start : start + _PIECE])
    decoder.decode(b"", final=True)


def _refuse_if_not_text(data: Data) -> None:
    if data.find(b"\x00") < 0:
        return
    zeros = sum(data[i : i + _PIECE].count(b"\x00") for i in range(0, len(data), _PIECE))
    if zeros > MOST_ZERO_BYTES * len(data):
        raise Unreadable("F02", f"{zeros / len(data):.0%} of the file are zero bytes")


def _ends_lines_with_returns(data: Data) -> bool:
    """Whether most lines end with a carriage return alone, as old Macintoshes wrote them and some programs still do."""
    if data.find(b"\r") < 0:
        return False
    returns = feeds = both = 0
    for start in range(0, len(data), _PIECE):
        piece = data[start : start + _PIECE]
        returns, feeds = returns + piece.count(b"\r"), feeds + piece.count(b"\n")
        both += piece.count(b"\r\n") + (piece.endswith(b"\r") and data[start + _PIECE : start + _PIECE + 1] == b"\n")
    return returns - both > feeds


def _refuse_if_a_line_never_ends(data: Data) -> None:
    start = 0
    while start + LONGEST_LINE < len(data):
        end = data.rfind(b"\n", start, start + LONGEST_LINE) + 1
        if not end:
            raise Unreadable("U01", f"a line is longer than {LONGEST_LINE >> 20} MB, after {start:,} bytes")
        start = end


def _lines_beyond_ascii(data: Data) -> str:
    """The lines that hold more than plain English letters, in words; the first few by their numbers."""
    marks = np.frombuffer(data, np.uint8)
    breaks = np.flatnonzero(marks == ord("\n"))
    lines = np.unique(np.searchsorted(breaks, np.flatnonzero(marks > 127))) + 1
    named, more = [str(n) for n in lines[:LINES_NAMED]], len(lines) - LINES_NAMED
    if more > 0:
        named.append(counted(more, "more line"))
    return f"{'line' if len(lines) == 1 else 'lines'} {listed(named)}"
