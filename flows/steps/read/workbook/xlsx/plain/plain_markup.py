"""How office programs write the rows and the cells of a sheet: what the bytes around a value say of it."""

from __future__ import annotations

import re
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

_GAP = rb"[ \t\r\n]*"
_ATTRIBUTES = rb'(?P<attributes>(?: (?:s|t|cm|vm|ph)="[A-Za-z0-9]*")*)' + _GAP
_VALUE_OF_ATTRIBUTE = rb'="[ !#-%\x27-;=?-~]*"'
_ENTITY = rb"&(?:amp|lt|gt|quot|apos|#\d+|#x[0-9a-fA-F]+);"
_FORMULA = (
    rb"(?P<formula><f(?: [\w:]+"
    + _VALUE_OF_ATTRIBUTE
    + rb")*(?: ?/>|>(?:[^<&]|"
    + _ENTITY
    + rb")*</f>)"
    + _GAP
    + rb")?"
)
_OPENER = rb"(?P<opener><v>|<is>" + _GAP + rb'<t(?: xml:space="preserve")?>)'
_BEFORE_VALUE = re.compile(_ATTRIBUTES + rb">" + _GAP + _FORMULA + _OPENER)
_AFTER_VALUE = re.compile(
    rb"(?:</v>|(?P<text></t>)" + _GAP + rb"</is>)" + _GAP + rb"</c>" + _GAP + rb"(?P<end></row>)?" + _GAP
)
_EMPTY_CELL = re.compile(_ATTRIBUTES + rb"(?:/>|>" + _GAP + rb"</c>)" + _GAP + rb"(?P<end></row>)?" + _GAP)
_ROW = re.compile(
    rb"(?: [\w:.]+" + _VALUE_OF_ATTRIBUTE + rb")*" + _GAP + rb"(?P<end>/>|>" + _GAP + rb"</row>)?(?(end)|>)" + _GAP
)
_HIDDEN_ROW = re.compile(rb' hidden="(?:1|true)"| ht="0(?:\.0*)?"')
_ATTRIBUTE = re.compile(rb' (\w+)="(\w*)"')
_END_OF_ROW = re.compile(_GAP + rb"</row>" + _GAP + rb"\Z")
_VALUE, _INLINE = b"</v></c>", b"</t></is></c>"


class CellKind(IntEnum):
    """What a cell holds. What is none of the first four is not understood here."""

    NOTHING, TEXT, SHARED_TEXT, NUMBER, OTHER = range(5)


class Head(NamedTuple):
    """What the bytes before a cell's value say of it."""

    kind: CellKind
    style: bytes = b""  # the number of its style; nothing where it has none
    has_formula: bool = False
    ends_row: bool = False
    without_formula: bytes = b""
    ending: bytes = b""  # of the cell, behind its value; nothing where it has none


_KINDS = {b"": CellKind.NUMBER, b"n": CellKind.NUMBER, b"s": CellKind.SHARED_TEXT, b"str": CellKind.TEXT}


@lru_cache(maxsize=4096)
def head_of(said: bytes) -> Head | None:
    """What a cell's head says, without its reference; None for one that is not plain."""
    match = _BEFORE_VALUE.fullmatch(said) or _EMPTY_CELL.fullmatch(said)
    if match is None:
        return None
    attributes = _ATTRIBUTE.findall(match["attributes"])
    told = dict(attributes)
    if len(told) < len(attributes):
        return None
    if match.re is _EMPTY_CELL:
        return Head(CellKind.NOTHING, ends_row=match["end"] is not None)
    is_inline = match["opener"] != b"<v>"
    kind = _KINDS.get(told.get(b"t", b""), CellKind.OTHER)
    if is_inline:
        kind = CellKind.TEXT if told.get(b"t") == b"inlineStr" else CellKind.OTHER
    before, _, _ = said.partition(b">")
    return Head(
        kind,
        told.get(b"s", b""),
        match["formula"] is not None,
        without_formula=before + b">" + match["opener"],
        ending=_INLINE if is_inline else _VALUE,
    )


class Tail(NamedTuple):
    """What the bytes behind a cell's value say."""

    ending: bytes
    ends_row: bool


def tail_of(said: bytes) -> Tail | None:
    """What a cell's tail says; None for one that is not plain."""
    match = _AFTER_VALUE.fullmatch(said)
    return None if match is None else Tail(_INLINE if match["text"] else _VALUE, match["end"] is not None)


def row_ends(said: bytes) -> bool | None:
    """Whether a row ends where it begins, by what follows its number; None for one that is not plain."""
    match = _ROW.fullmatch(said)
    return None if match is None else match["end"] is not None


def row_is_hidden(said: bytes) -> bool:
    """Whether a row is hidden, by what follows its number."""
    return _HIDDEN_ROW.search(said) is not None


def without_end_of_row(said: bytes) -> tuple[bytes, bool]:
    """A cell without the end of its row, and whether that was there."""
    match = _END_OF_ROW.search(said)
    return (said, False) if match is None else (said[: match.start()], True)
