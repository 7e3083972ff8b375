"""Detect and repair garbled text (mojibake): characters damaged before the file was saved (rules C24 and F28).

Two kinds are known. UTF-8 that was decoded as Windows-1252 shows 'Â£' for '£'. Windows-1252 that was decoded as
Latin-1 has control characters, such as U+0096 for a dash, which no intended text has.
"""

from __future__ import annotations

import re

RULES_OF_GARBLED_TEXT = frozenset({"C24", "F28"})
SIGNS_OF_GARBLING = "ÂÃÄÅâ"  # the first bytes of most UTF-8 characters, decoded as Windows-1252
# All but tab and the two line ends. Python counts U+001C to U+001F and U+0085 as white space; here they are not.
CONTROL_CHARACTERS = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
CONTROL = re.compile(f"[{CONTROL_CHARACTERS}]")


def is_garbled(text: str) -> bool:
    """Whether a text is garbled for certain."""
    return CONTROL.search(text) is not None or ungarbled(text) != ""


def ungarbled(text: str) -> str:
    """The original of a garbled text; '' where the text is not garbled, or cannot be repaired."""
    try:
        meant = b"".join(map(_byte, text)).decode("utf-8")
    except UnicodeError:
        meant = CONTROL.sub(_windows_character, text)
    return meant if meant != text and not CONTROL.search(meant) else ""


def _byte(letter: str) -> bytes:
    """The byte that was decoded as this letter, as Windows-1252 or else as Latin-1."""
    try:
        return letter.encode("cp1252")
    except UnicodeEncodeError:
        return letter.encode("latin-1")


def _windows_character(control: re.Match[str]) -> str:
    """The Windows-1252 character with the byte of a control character; the latter itself where there is none."""
    try:
        return control[0].encode("latin-1").decode("cp1252")
    except UnicodeDecodeError:
        return control[0]
