"""Detect a text file's encoding and give its content as UTF-8 (docs/domain.md 6.1, F02 and F03).

Encodings are tried in this order: byte-order mark, UTF-8, Windows-1252. Windows-1252 is there because Excel in Britain
saves plain CSV in it. It leaves five bytes undefined, so a file in Shift-JIS or the like, which sooner or later has one
of them, is refused. Another single-byte encoding (Greek, say) cannot be told from it, so the finding lists the lines
with characters beyond ASCII for the sender to check.
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

MAX_ZERO_SHARE = 0.1  # of a file's bytes: up to this, the lines with zero bytes are held; above it, it is not text
MAX_LINE_BYTES = 4 << 20  # a row of 100 spreadsheet columns, each filled to Excel's limit, is shorter
MAX_LINES_LISTED = 5
_PIECE = 4 << 20
_NAMES = {"cp1252": "Windows-1252", "utf-16": "UTF-16"}


class FileShrunkError(Exception):
    """The file became shorter while it was being read: somebody is writing to it."""


class FileBytes:
    """The bytes of an open file, read from disk slice by slice, so that a file may be larger than memory."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._size = file, os.fstat(file.fileno()).st_size
        self._lock = Lock()  # batches are prefetched by another thread, and Windows has no pread: seek, read together
        self.close = weakref.finalize(self, file.close)  # on garbage collection, if nobody has closed it before

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, part: slice) -> bytes:
        start, end, _ = part.indices(self._size)
        with self._lock:
            self._file.seek(start)
            read = self._file.read(max(end - start, 0))
        if len(read) < end - start:
            raise FileShrunkError(f"{end - start - len(read):,} bytes are gone since the file was opened")
        return read


def as_utf8(path: Path) -> tuple[FileBytes, str, list[Finding]]:
    """Open a text file as UTF-8 with line feeds; also returns its encoding and the findings about that.

    A UTF-8 file is read in place. Any other is converted into an unnamed temporary file.
    Raises UnreadableFile: F01 empty, F02 no readable text, U01 a line longer than MAX_LINE_BYTES.
    """
    if path.stat().st_size == 0:
        raise UnreadableFile("F01")
    data = FileBytes(path.open("rb", buffering=0))  # unbuffered: a buffer would hide that the file was truncated
    declared = _declared_encoding(data)
    scan = _ByteScan.of(data)
    if declared == "utf-8-sig" and not scan.is_utf8:
        raise UnreadableFile("F02")
    encoding = declared or ("utf-8" if scan.is_utf8 else "cp1252")
    if encoding != "utf-8":
        try:
            data = _convert(data, codecs.getincrementaldecoder(encoding)("strict"))
        except UnicodeError:
            raise UnreadableFile("F02") from None
        scan = _ByteScan.of(data)
    if scan.zeros > MAX_ZERO_SHARE * len(data):
        raise UnreadableFile("F02", f"{scan.zeros / len(data):.0%} of the file are zero bytes")
    if scan.has_returns and _has_cr_line_ends(data):
        utf8 = codecs.getincrementaldecoder("utf-8")("strict")
        data = _convert(data, io.IncrementalNewlineDecoder(utf8, translate=True))
    _refuse_endless_line(data)
    if encoding == "utf-8-sig":
        return data, encoding, [Finding("F03", Severity.WARNING)]
    if encoding == "utf-8":
        return data, encoding, []
    letters = f": check the accents and signs on {_lines_beyond_ascii(data)}" if encoding == "cp1252" else ""
    return data, encoding, [Finding("F02", Severity.WARNING, found=_NAMES[encoding] + letters)]


def _declared_encoding(data: FileBytes) -> str:
    """The encoding that the byte-order mark declares; '' without one."""
    if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return "utf-16"
    return "utf-8-sig" if data[:3] == codecs.BOM_UTF8 else ""


@dataclass(frozen=True)
class _ByteScan:
    """What one pass over all bytes shows: whether they are valid UTF-8, how many are zero, if any is a CR."""

    is_utf8: bool
    zeros: int
    has_returns: bool

    @classmethod
    def of(cls, data: FileBytes) -> _ByteScan:
        """Scan all bytes once."""
        decoder, is_utf8, zeros, has_returns = codecs.getincrementaldecoder("utf-8")("strict"), True, 0, False
        for piece in _pieces(data):
            # Pure ASCII, as most pieces are, needs no decoding, unless a character runs over from the piece before.
            if is_utf8 and not (piece.isascii() and decoder.getstate()[0] == b""):
                is_utf8 = _can_decode(decoder, piece)
            zeros += piece.count(b"\x00") if b"\x00" in piece else 0
            has_returns = has_returns or b"\r" in piece
        return cls(is_utf8 and _can_decode(decoder, b"", final=True), zeros, has_returns)


def _can_decode(decoder: codecs.IncrementalDecoder, piece: bytes, *, final: bool = False) -> bool:
    """Feed a decoder the next bytes; False if they are invalid."""
    try:
        decoder.decode(piece, final)
    except UnicodeError:
        return False
    return True


def _convert(data: FileBytes, decoder: codecs.IncrementalDecoder | io.IncrementalNewlineDecoder) -> FileBytes:
    """Decode the text and write it as UTF-8 to an unnamed temporary file. Raises UnicodeError."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the FileBytes that is returned
    for piece in _pieces(data):
        file.write(decoder.decode(piece).encode())
    file.write(decoder.decode(b"", final=True).encode())
    file.flush()
    return FileBytes(file)


def _pieces(data: FileBytes) -> Iterator[bytes]:
    """The bytes from first to last, a few megabytes at a time."""
    return (data[start : start + _PIECE] for start in range(0, len(data), _PIECE))


def _has_cr_line_ends(data: FileBytes) -> bool:
    """Whether most lines end with CR alone, as in classic Mac OS and in Excel's 'CSV (Macintosh)'."""
    returns = feeds = both = 0
    last = b""
    for piece in _pieces(data):
        returns, feeds = returns + piece.count(b"\r"), feeds + piece.count(b"\n")
        both += piece.count(b"\r\n") + (last == b"\r" and piece[:1] == b"\n")
        last = piece[-1:]
    return returns - both > feeds


def _refuse_endless_line(data: FileBytes) -> None:
    """Raise UnreadableFile (U01) for a line longer than MAX_LINE_BYTES, before anything tries to hold it in memory."""
    start = 0
    while start + MAX_LINE_BYTES < len(data):
        end = data[start : start + MAX_LINE_BYTES].rfind(b"\n") + 1
        if not end:
            raise UnreadableFile("U01", f"a line is longer than {MAX_LINE_BYTES >> 20} MB, after {start:,} bytes")
        start += end


def _lines_beyond_ascii(data: FileBytes) -> str:
    """The lines with characters beyond ASCII as a phrase: the first few by number, the rest counted."""
    first: list[int] = []
    number = above = last = 0
    for piece in _pieces(data):
        marks = np.frombuffer(piece, np.uint8)
        breaks = np.flatnonzero(marks == ord("\n"))
        lines = np.unique(np.searchsorted(breaks, np.flatnonzero(marks > 127))) + above + 1
        lines = lines[lines > last]  # a line that runs over two pieces counts once
        first += lines[: MAX_LINES_LISTED - len(first)].tolist()
        number, above = number + len(lines), above + len(breaks)
        last = int(lines[-1]) if len(lines) else last
    named = [str(n) for n in first]
    if number > MAX_LINES_LISTED:
        named.append(counted(number - MAX_LINES_LISTED, "more line"))
    return f"{'line' if number == 1 else 'lines'} {listed(named)}"
