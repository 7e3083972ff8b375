"""Take blank cells out of an Excel sheet's XML, where a blank far away makes the sheet too large for memory.

A space bar pressed by accident, or a formula that was filled down to the last row, is enough.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_CELL = re.compile(rb"<(?:\w+:)?c(?=[\s/>])([^<>]*?)(?:/>|(?<!/)>(.*?)</(?:\w+:)?c>)", re.DOTALL)
_TYPE = re.compile(rb"""\bt\s*=\s*["'](\w+)["']""")
_FORMULA = re.compile(rb"<(?:\w+:)?f(?=[\s/>])[^<>]*?(?:/>|(?<!/)>[^<]*</(?:\w+:)?f>)")
_TAG = re.compile(rb"<[^<>]*>")
_BLANKS = re.compile(rb"(?:\s|\xc2\xa0|&#(?:160|32|9|10|13|x[aA]0|x20);)*")
_SHARED_TEXT = re.compile(rb"<(?:\w+:)?si(?=[\s/>])[^<>]*?(?:/>|(?<!/)>(.*?)</(?:\w+:)?si>)", re.DOTALL)


def blank_shared_texts(xml: bytes) -> frozenset[bytes]:
    """The indices of the shared strings that hold nothing but white space."""
    return frozenset(b"%d" % n for n, text in enumerate(_SHARED_TEXT.findall(xml)) if _is_blank(text))


def without_blanks(pieces: Iterable[bytes], blank_texts: frozenset[bytes]) -> Iterator[bytes]:
    """Yield the XML without its blank cells. No piece may end within a cell."""

    def kept(cell: re.Match[bytes]) -> bytes:
        return b"" if _is_blank_cell(cell[1], cell[2] or b"", blank_texts) else cell[0]

    for piece in pieces:
        yield _CELL.sub(kept, piece)


def _is_blank_cell(attributes: bytes, content: bytes, blank_texts: frozenset[bytes]) -> bool:
    """Whether a cell shows nothing. A formula without a stored result does not count: its result is not known."""
    named = _TYPE.search(attributes)
    kind = named[1] if named else b"n"
    has_formula = _FORMULA.search(content) is not None
    if kind == b"s":
        return _TAG.sub(b"", content).strip() in blank_texts
    if has_formula and kind != b"str":
        return False
    return _is_blank(_FORMULA.sub(b"", content))


def _is_blank(xml: bytes) -> bool:
    return _BLANKS.fullmatch(_TAG.sub(b"", xml)) is not None
