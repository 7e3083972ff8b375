"""Garbled text: letters and signs that were damaged before the file was saved (rules C24 and F28).

Two kinds are known. UTF-8 that was read as Windows-1252 and saved again shows 'Â£' for '£'. Signs of Windows-1252 that
were copied byte by byte become control characters (U+0096 for a dash), which no text holds: nothing shows them.
"""

from __future__ import annotations

import re

RULES_OF_GARBLED_TEXT = frozenset({"C24", "F28"})
SIGNS_OF_GARBLING = "ÂÃÄÅâ"  # with what UTF-8 begins most letters and signs, where it is read as Windows-1252
# All but tab and the two line ends. Python takes some of these for spaces (U+001C to U+001F, U+0085): here none is one.
CONTROL_CHARACTERS = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
CONTROL = re.compile(f"[{CONTROL_CHARACTERS}]")


def is_garbled(text: str) -> bool:
    """Whether a text is garbled for certain."""
    return CONTROL.search(text) is not None or meant_by(text) != ""


def meant_by(text: str) -> str:
    """What a garbled text was before; '' where it is not garbled, or where nobody can say."""
    try:
        meant = b"".join(map(_byte, text)).decode("utf-8")
    except UnicodeError:
        meant = CONTROL.sub(_sign, text)
    return meant if meant != text and not CONTROL.search(meant) else ""


def _byte(letter: str) -> bytes:
    """The byte that was taken for this letter, by a program that knew Windows-1252 or one that copied bytes."""
    try:
        return letter.encode("cp1252")
    except UnicodeEncodeError:
        return letter.encode("latin-1")


def _sign(control: re.Match[str]) -> str:
    """The sign that Windows-1252 has in a control character's place; the character itself where it has none."""
    try:
        return control[0].encode("latin-1").decode("cp1252")
    except UnicodeDecodeError:
        return control[0]
