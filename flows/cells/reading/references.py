"""Repair references that are not written in the agreed form, where they can only mean one. Source: rule C33."""

from __future__ import annotations

import re

from schemas._contract.model import Field, Kind

MAX_REFERENCE_LENGTH = 40  # characters
_DASHES = re.compile("\\s*[-_\u2010-\u2015\u2212]+\\s*")
_BETWEEN_ANSWERS = re.compile(r" ?([,;/|-]) ?| ")
_LOOKALIKE = re.compile("[0-9][oil]")  # a small letter that may be meant for a digit, as in 00l


def agreed_form(text: str, field: Field, own_letters: str = "") -> str:
    """The only reference of the field's pattern that a text can mean; '' if there is none, or several.

    Small letters are read as capitals, other dashes and spaces as hyphens, and spaces within a part are left out. A
    hyphen that is missing is put behind `own_letters`, with which all of the site's references begin.
    A text without any digit is not repaired: it may be a name. Nor is the label of a total, such as 'sub-total 3'.
    """
    if not field.pattern or field.kind is not Kind.REFERENCE or len(text) > MAX_REFERENCE_LENGTH:
        return ""
    if field.joined_by is not None:
        return _answers_joined(text, field, field.joined_by)
    if re.search(field.pattern, text) or _LOOKALIKE.search(text) or not re.search("[0-9]", text):
        return ""
    if "total" in text.casefold():
        return ""
    plain = _DASHES.sub("-", text).upper()
    readings = {plain, plain.replace(" ", ""), re.sub(" +", "-", plain)}
    fitting = {one for one in readings if re.search(field.pattern, one)}
    together = plain.replace(" ", "")
    if not fitting and own_letters and together.startswith(own_letters):
        with_hyphen = f"{own_letters}-{together.removeprefix(own_letters)}"
        fitting = {with_hyphen} if re.search(field.pattern, with_hyphen) else set()
    return fitting.pop() if len(fitting) == 1 else ""


def _answers_joined(text: str, field: Field, sign: str) -> str:
    """A list of answers with the agreed sign between them; '' unless one other sign is between all of them."""
    bare = text.strip("[](){} ").rstrip(",;|/ ")
    parts = _BETWEEN_ANSWERS.split(bare)  # answers and signs in turn; None where a space alone is the sign
    joined = sign.join(parts[::2])
    return joined if len({*parts[1::2]}) == 1 and all(parts[::2]) and re.search(field.pattern, joined) else ""
