"""A text file's bytes as UTF-8, by a strict ladder: byte-order mark, UTF-8, Windows-1252 (docs/domain.md 6.1, F02 and
F03).

Windows-1252 is the last rung because every other spreadsheet in Britain writes it; five bytes have no character in it,
and a text in Shift-JIS or the like, which holds one of them sooner or later, is refused. A text in another alphabet of
single bytes (Greek, say) cannot be told from it by its bytes: so the lines with letters beyond plain English are named.
"""

from __future__ import annotations

import codecs
import io
import os
import tempfile
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import IO

import numpy as np

from flows.deliveries.extract import UnreadableFile
from flows.deliveries.findings import Finding
from flows.runtime.wording import counted, listed
from schemas._contract.model import Severity

MOST_ZERO_BYTES = 0.1  # of a file: with fewer, the lines that hold them are held; with more, it is no text
LONGEST_LINE = 4 << 20  # bytes: a row of a spreadsheet with 100 columns, each filled to its limit, is shorter
LINES_NAMED = 5
_PIECE = 4 << 20
_NAMES = {"cp1252": "Windows-1252", "utf-16": "UTF-16"}


class ShrunkError(Exception):
    """The file became shorter while it was read: somebody is writing it."""


class Data:
    """The bytes of an open file, read when a part of them is asked for: none of them stays in memory."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._size = file, os.fstat(file.fileno()).st_size
        self._turn = (
            Lock()
        )  # a file has one position, and batches are read ahead in another thread; no pread on Windows
        self.close = weakref.finalize(self, file.close)  # called at the latest when nobody has this any more

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, part: slice) -> bytes:
        start, end, _ = part.indices(self._size)
        with self._turn:
            self._file.seek(start)
            read = self._file.read(max(end - start, 0))
        if len(read) < end - start:
            raise ShrunkError(f"{end - start - len(read):,} bytes are gone since the file was opened")
        return read


def as_utf8(path: Path) -> tuple[Data, str, list[Finding]]:
    """The file's text as UTF-8, how it was written, and what to tell of that. Its lines end with a line feed.

    A text in UTF-8 is the file itself; another is written anew, in a temporary file without a name.
    Raises Unreadable: F01 empty, F02 no text that can be read, U01 a line beyond LONGEST_LINE.
    """
    if path.stat().st_size == 0:
        raise UnreadableFile("F01")
    data = Data(path.open("rb", buffering=0))  # a buffer could hold bytes that are gone from the file
    sign = _byte_order_mark(data)
    seen = _Seen.of(data)
    if sign == "utf-8-sig" and not seen.is_utf8:
        raise UnreadableFile("F02")
    encoding = sign or ("utf-8" if seen.is_utf8 else "cp1252")
    if encoding != "utf-8":
        try:
            data = _written_anew(data, codecs.getincrementaldecoder(encoding)("strict"))
        except UnicodeError:
            raise UnreadableFile("F02") from None
        seen = _Seen.of(data)
    if seen.zeros > MOST_ZERO_BYTES * len(data):
        raise UnreadableFile("F02", f"{seen.zeros / len(data):.0%} of the file are zero bytes")
    if seen.has_returns and _ends_lines_with_returns(data):
        utf8 = codecs.getincrementaldecoder("utf-8")("strict")
        data = _written_anew(data, io.IncrementalNewlineDecoder(utf8, translate=True))
    _refuse_if_a_line_never_ends(data)
    if encoding == "utf-8-sig":
        return data, encoding, [Finding("F03", Severity.WARNING)]
    if encoding == "utf-8":
        return data, encoding, []
    letters = f": check the accents and signs on {_lines_beyond_ascii(data)}" if encoding == "cp1252" else ""
    return data, encoding, [Finding("F02", Severity.WARNING, found=_NAMES[encoding] + letters)]


def _byte_order_mark(data: Data) -> str:
    """The encoding that a text's first bytes declare; '' where they declare none."""
    if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return "utf-16"
    return "utf-8-sig" if data[:3] == codecs.BOM_UTF8 else ""


@dataclass(frozen=True)
class _Seen:
    """What one look at all bytes tells: whether they are UTF-8, how many are zero, and if one is a carriage return."""

    is_utf8: bool
    zeros: int
    has_returns: bool

    @classmethod
    def of(cls, data: Data) -> _Seen:
        """Look at all bytes once. Most pieces are plain ASCII, and are seen to be at a glance."""
        decoder, is_utf8, zeros, has_returns = codecs.getincrementaldecoder("utf-8")("strict"), True, 0, False
        for piece in _pieces(data):
            if is_utf8 and not (piece.isascii() and decoder.getstate()[0] == b""):
                is_utf8 = _takes(decoder, piece)
            zeros += piece.count(b"\x00") if b"\x00" in piece else 0
            has_returns = has_returns or b"\r" in piece
        return cls(is_utf8 and _takes(decoder, b"", final=True), zeros, has_returns)


def _takes(decoder: codecs.IncrementalDecoder, piece: bytes, *, final: bool = False) -> bool:
    """Whether a decoder finds no fault in what comes next."""
    try:
        decoder.decode(piece, final)
    except UnicodeError:
        return False
    return True


def _written_anew(data: Data, decoder: codecs.IncrementalDecoder | io.IncrementalNewlineDecoder) -> Data:
    """The text as a decoder gives it, in UTF-8. Raises UnicodeError."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the data
    for piece in _pieces(data):
        file.write(decoder.decode(piece).encode())
    file.write(decoder.decode(b"", final=True).encode())
    file.flush()
    return Data(file)


def _pieces(data: Data) -> Iterator[bytes]:
    """The bytes from first to last, a few of them at a time."""
    return (data[start : start + _PIECE] for start in range(0, len(data), _PIECE))


def _ends_lines_with_returns(data: Data) -> bool:
    """Whether most lines end with a carriage return alone, as old Macintoshes wrote them and some programs still do."""
    returns = feeds = both = 0
    last = b""
    for piece in _pieces(data):
        returns, feeds = returns + piece.count(b"\r"), feeds + piece.count(b"\n")
        both += piece.count(b"\r\n") + (last == b"\r" and piece[:1] == b"\n")
        last = piece[-1:]
    return returns - both > feeds


def _refuse_if_a_line_never_ends(data: Data) -> None:
    start = 0
    while start + LONGEST_LINE < len(data):
        end = data[start : start + LONGEST_LINE].rfind(b"\n") + 1
        if not end:
            raise UnreadableFile("U01", f"a line is longer than {LONGEST_LINE >> 20} MB, after {start:,} bytes")
        start += end


def _lines_beyond_ascii(data: Data) -> str:
    """The lines that hold more than plain English letters, in words; the first few by their numbers."""
    first: list[int] = []
    number = above = last = 0
    for piece in _pieces(data):
        marks = np.frombuffer(piece, np.uint8)
        breaks = np.flatnonzero(marks == ord("\n"))
        lines = np.unique(np.searchsorted(breaks, np.flatnonzero(marks > 127))) + above + 1
        lines = lines[lines > last]  # a line may run over two pieces
        first += lines[: LINES_NAMED - len(first)].tolist()
        number, above = number + len(lines), above + len(breaks)
        last = int(lines[-1]) if len(lines) else last
    named = [str(n) for n in first]
    if number > LINES_NAMED:
        named.append(counted(number - LINES_NAMED, "more line"))
    return f"{'line' if number == 1 else 'lines'} {listed(named)}"
