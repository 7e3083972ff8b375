"""Sentences in pieces: plain text, bold text and the sender's own text, which a page marks up and a terminal joins."""

from __future__ import annotations

import re
from collections.abc import Mapping

# kinds of piece: HTML elements where that is all they need. <bdi>, because a sender's text may run from right to left
PLAIN, BOLD, SENDERS, VALUE, FILE = "", "b", "bdi", "value", "file"  # FILE: the name of a file beside the page
Pieces = tuple[tuple[str, str], ...]  # (text, kind) pairs
_MARKUP = re.compile(r"\*\*(.+?)\*\*|\{(\w+)\}")


def in_pieces(sentence: str, values: Mapping[str, str] | None = None, kind: str = SENDERS) -> Pieces:
    """Split a sentence in which `**text**` is bold and `{name}` stands for a value, which becomes a piece of `kind`.

    Markup inside a value is left alone, so that a sender's text cannot be mistaken for ours.
    """
    pieces, end = [], 0
    for part in _MARKUP.finditer(sentence):
        pieces.append((sentence[end : part.start()], PLAIN))
        pieces.append((part[1], BOLD) if part[1] else ((values or {})[part[2]], kind))
        end = part.end()
    pieces.append((sentence[end:], PLAIN))
    return tuple((text, piece_kind) for text, piece_kind in pieces if text or piece_kind)


def plain(pieces: Pieces) -> str:
    """The pieces joined, without markup."""
    return "".join(text for text, _ in pieces)
