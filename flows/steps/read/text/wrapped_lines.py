"""Recognise a text file each of whose lines is one quoted cell, and take off the marks (rule F44).

A program that quotes a line which is CSV already makes such a file. Its cells are then within one cell.
"""

from __future__ import annotations

import io
import re
import tempfile

from flows.steps.read.text.encoding import FileBytes

_WRAPPED = re.compile(rb'[ \t]*"([^"\n]*(?:""[^"\n]*)*)"[ \t,;]*(\r?\n?)')
_SAMPLE_BYTES = 1 << 16


def without_wrapping(data: FileBytes) -> FileBytes | None:
    """The text with the marks around each line taken off; None if any line is not one quoted cell.

    The first line that is not blank may be without marks, as a heading is that was added later.
    """
    if data[:_SAMPLE_BYTES].count(b'"') < 2:
        return None
    out = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the FileBytes that is returned
    wrapped = others = 0
    for line in _lines(data):
        found = _WRAPPED.fullmatch(line)
        if found:
            wrapped += 1
            out.write(found[1].replace(b'""', b'"') + found[2])
            continue
        others += bool(line.strip())
        if others > 1 or (others and wrapped and line.strip()):
            out.close()
            return None
        out.write(line)
    if wrapped < 2:
        out.close()
        return None
    out.flush()
    return FileBytes(out)


def _lines(data: FileBytes) -> io.BufferedReader:
    """The lines of the file, read piece by piece."""
    return io.BufferedReader(_Raw(data), 1 << 20)


class _Raw(io.RawIOBase):
    """The bytes of a file as a stream."""

    def __init__(self, data: FileBytes) -> None:
        self._data, self._at = data, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:  # type: ignore[no-untyped-def]  # noqa: ANN001
        piece = self._data[self._at : self._at + len(buffer)]
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)
