"""Parse the XML around a cell's value, in the form that office programs write."""

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
    """What a cell holds. OTHER cells are deferred to calamine."""

    NOTHING, TEXT, SHARED_TEXT, NUMBER, OTHER = range(5)


class Head(NamedTuple):
    """The parsed bytes before a cell's value."""

    kind: CellKind
    style: bytes = b""  # index of its style, if it has one
    has_formula: bool = False
    ends_row: bool = False
    without_formula: bytes = b""  # the same XML without the formula
    ending: bytes = b""  # the XML expected after the value


_KINDS = {b"": CellKind.NUMBER, b"n": CellKind.NUMBER, b"s": CellKind.SHARED_TEXT, b"str": CellKind.TEXT}


@lru_cache(maxsize=4096)
def parse_head(xml: bytes) -> Head | None:
    """Parse the XML between a cell's reference and its value; None if it is not plain."""
    match = _BEFORE_VALUE.fullmatch(xml) or _EMPTY_CELL.fullmatch(xml)
    if match is None:
        return None
    pairs = _ATTRIBUTE.findall(match["attributes"])
    attributes = dict(pairs)
    if len(attributes) < len(pairs):  # an attribute is repeated
        return None
    if match.re is _EMPTY_CELL:
        return Head(CellKind.NOTHING, ends_row=match["end"] is not None)
    is_inline = match["opener"] != b"<v>"
    kind = _KINDS.get(attributes.get(b"t", b""), CellKind.OTHER)
    if is_inline:
        kind = CellKind.TEXT if attributes.get(b"t") == b"inlineStr" else CellKind.OTHER
    before, _, _ = xml.partition(b">")
    return Head(
        kind,
        attributes.get(b"s", b""),
        match["formula"] is not None,
        without_formula=before + b">" + match["opener"],
        ending=_INLINE if is_inline else _VALUE,
    )


class Tail(NamedTuple):
    """The parsed bytes after a cell's value."""

    ending: bytes
    ends_row: bool


def parse_tail(xml: bytes) -> Tail | None:
    """Parse the XML after a cell's value; None if it is not plain."""
    match = _AFTER_VALUE.fullmatch(xml)
    return None if match is None else Tail(_INLINE if match["text"] else _VALUE, match["end"] is not None)


def is_empty_row(xml: bytes) -> bool | None:
    """Whether a row has no cells, from the XML after its number; None if it is not plain."""
    match = _ROW.fullmatch(xml)
    return None if match is None else match["end"] is not None


def row_is_hidden(xml: bytes) -> bool:
    """Whether a row is hidden, from the XML after its number."""
    return _HIDDEN_ROW.search(xml) is not None


def strip_end_of_row(xml: bytes) -> tuple[bytes, bool]:
    """Remove a closing row tag after a cell: (the cell's XML, whether there was one)."""
    match = _END_OF_ROW.search(xml)
    return (xml, False) if match is None else (xml[: match.start()], True)
