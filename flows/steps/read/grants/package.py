"""A 360Giving package as a stream: one grant after another, so that a file may be larger than memory.

Nothing but the grant at hand and a piece of the file around it is in memory. Numbers stay the text that they are in the
file, so that no amount passes through a float.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO

from flows.deliveries.extract import UnreadableFile

PIECE = 1 << 20  # characters that are read at once
LONGEST_VALUE = 16 << 20  # characters of one grant, or of another member of the package
NOT_A_PACKAGE = "U05"
GRANTS = "grants"
CUT_OFF = ""  # the next character at the end of the file
_BLANK = re.compile(r"[ \t\n\r]*")
_NEAR_THE_END = 12  # characters: an escape or a literal, such as \u00e9 or false, may be cut in two
_LARGEST_EXPONENT = 30


class _RepeatedKeyError(ValueError):
    """An object has one key twice: nobody knows which value is meant."""


def grants_of(path: Path, metadata: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the grants of a package in order, and put its other members into `metadata`.

    Raises UnreadableFile: F02 not UTF-8, U01 not JSON or cut off, U05 not a package of grants.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        try:
            yield from _grants(_Pieces(file), metadata)
        except UnicodeDecodeError:
            raise UnreadableFile("F02") from None


def _grants(text: _Pieces, metadata: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if text.next() not in ("{", CUT_OFF):
        raise UnreadableFile(NOT_A_PACKAGE, "it begins with a list, not with an object that has one")
    text.take("{")
    lists = 0
    for _ in text.items("}"):
        key = text.value() if text.next() == '"' else text.fail("a name in quotation marks was expected")
        text.take(":")
        if key != GRANTS:
            metadata[key] = text.value()
            continue
        lists += 1
        if lists > 1 or text.next() not in ("[", CUT_OFF):
            raise UnreadableFile(NOT_A_PACKAGE, "'grants' is there twice" if lists > 1 else "'grants' is no list")
        text.take("[")
        for number, _ in enumerate(text.items("]"), 1):
            grant = text.value(f"grant {number}")
            if not isinstance(grant, dict):
                raise UnreadableFile(NOT_A_PACKAGE, f"grant {number} is no object")
            yield grant
    if text.next():
        text.fail("there is more after its end")
    if not lists:
        raise UnreadableFile(NOT_A_PACKAGE, "it has no list called 'grants'")


class _Pieces:
    """The text of a file, read piece by piece; `_at` is where in the present piece the reader is."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._text, self._at, self._is_last = "", 0, False
        self._lines, self._in_line = 0, 0  # before the present piece: line breaks, and characters since the last one

    def next(self) -> str:
        """The next character that is not blank; '' at the end of the file."""
        while True:
            blank = _BLANK.match(self._text, self._at)
            self._at = blank.end() if blank else self._at
            if self._at < len(self._text) or self._is_last:
                return self._text[self._at : self._at + 1]
            self._read_on()

    def take(self, character: str) -> None:
        """Pass a character that must be next."""
        if self.next() != character:
            self.fail(f"'{character}' was expected")
        self._at += 1

    def items(self, close: str) -> Iterator[None]:
        """Stop before each item of a list or an object whose opening bracket was taken, and take the closing one."""
        if self.next() != close:
            yield
            while self.next() != close:
                self.take(",")
                yield
        self.take(close)

    def value(self, name: str = "") -> Any:
        """Read one value. `name` says what it is, for the reason why the file cannot be read."""
        self.next()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
                if end < len(self._text) or self._is_last:
                    self._at = end
                    return value
            except json.JSONDecodeError as error:
                is_cut = error.pos > len(self._text) - _NEAR_THE_END or error.msg.startswith("Unterminated")
                if self._is_last or not is_cut:
                    self.fail(error.msg.lower(), error.pos, is_cut=is_cut)
            except _RepeatedKeyError:
                raise UnreadableFile("U01", f"{name or 'the package'} has a key twice") from None
            except RecursionError:
                raise UnreadableFile("U01", f"{name or 'the package'} has too many lists within lists") from None
            if len(self._text) - self._at > LONGEST_VALUE:
                raise UnreadableFile("U01", f"{name or 'a value'} has over {LONGEST_VALUE:,} characters")
            self._read_on()

    def fail(self, why: str, at: int | None = None, *, is_cut: bool = False) -> Any:
        """Raise UnreadableFile with the place in the file."""
        at = self._at if at is None else at
        if at >= len(self._text) or is_cut:
            raise UnreadableFile("U01", "it was cut off: its end is missing")
        line = self._lines + self._text.count("\n", 0, at) + 1
        column = at - self._text.rfind("\n", 0, at) + (self._in_line if line == self._lines + 1 else 0)
        raise UnreadableFile("U01", f"it is not JSON from line {line:,}, character {column:,} on: {why}")

    def _read_on(self) -> None:
        """Drop what was read, and add a piece, as long again as what is left: a long value is tried few times."""
        read, left = self._text[: self._at], self._text[self._at :]
        self._lines += read.count("\n")
        self._in_line = len(read) - read.rfind("\n") - 1 + (0 if "\n" in read else self._in_line)
        more = self._file.read(max(PIECE, len(left)))
        self._text, self._at, self._is_last = left + more, 0, not more


def _decimal(text: str) -> str:
    """A number with a point or an exponent as people write it: without the exponent."""
    number = Decimal(text)
    return format(number, "f") if abs(number.adjusted()) <= _LARGEST_EXPONENT else text


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise _RepeatedKeyError
    return members


def _no_number(name: str) -> Any:
    raise json.JSONDecodeError(f"{name} is no number of JSON", "", 0)


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=_decimal, parse_int=str, parse_constant=_no_number)
