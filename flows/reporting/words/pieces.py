"""Sentences of which a part stands out, or is the sender's own text: as pieces for a page, or as plain text."""

from __future__ import annotations

import re
from collections.abc import Mapping

PLAIN, BOLD, THEIRS, VALUE = "", "b", "bdi", "value"
Pieces = tuple[tuple[str, str], ...]  # each a text and what it is; the sender's may run from right to left
_PARTS = re.compile(r"\*\*(.+?)\*\*|\{(\w+)\}")


def in_pieces(sentence: str, theirs: Mapping[str, str] | None = None, kind: str = THEIRS) -> Pieces:
    """A sentence in which `**text**` is bold, and `{name}` is put in from `theirs`, as a text of that kind."""
    pieces, end = [], 0
    for part in _PARTS.finditer(sentence):
        pieces.append((sentence[end : part.start()], PLAIN))
        pieces.append((part[1], BOLD) if part[1] else ((theirs or {})[part[2]], kind))
        end = part.end()
    pieces.append((sentence[end:], PLAIN))
    return tuple((text, what) for text, what in pieces if text or what)


def plain(pieces: Pieces) -> str:
    """The pieces as one text."""
    return "".join(text for text, _ in pieces)
