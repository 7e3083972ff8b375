"""Recognise a heading with a hint after it, such as 'Contact date (dd/mm/yyyy)', and read the hint.

Source: docs/domain.md 6.1. A hint tells people how to fill in the column. It is not part of the heading.
"""

from __future__ import annotations

import re
from collections.abc import Container

from flows.cells.dates import DAY_FIRST, MONTH_FIRST
from schemas._contract.code_lists import fold
from schemas._contract.model import MINUTES, Field, Kind

_YEAR, _MONTH, _DAY = r"y{2,4}", r"m{1,4}", r"d{1,2}"
_GAP = r"[-/. ]?"
_DATE_FORMAT = (
    rf"(?:{_DAY}{_GAP}{_MONTH}{_GAP}{_YEAR}|{_MONTH}{_GAP}{_DAY}{_GAP}{_YEAR}|{_YEAR}{_GAP}{_MONTH}{_GAP}{_DAY})"
)
# Text in brackets at the end, perhaps followed by a colon or an asterisk; or the format of a date without brackets.
_HINT = re.compile(
    rf"^(.*?)(?:[(\[{{]([^()\[\]{{}}]*)[)\]}}]|(?<![a-z])({_DATE_FORMAT}))[\W_]*$", re.IGNORECASE | re.DOTALL
)
_MAY_HAVE_HINT = re.compile(r"[)\]}]|yy", re.IGNORECASE)
_ORDERS = (
    (re.compile(rf"(?<![a-z]){_DAY}{_GAP}{_MONTH}{_GAP}y|day\W*month|\buk\b", re.IGNORECASE), DAY_FIRST),
    (re.compile(rf"(?<![a-z]){_MONTH}{_GAP}{_DAY}{_GAP}y|month\W*day\W*year|\bus\b", re.IGNORECASE), MONTH_FIRST),
)
_OTHER_UNIT = re.compile(r"(?<![\d,.])000|\bk\b|£ ?[km]\b|\bthousands?\b|\bmillions?\b|\bpence\b|^p$", re.IGNORECASE)
_LONGER_THAN_MINUTES = re.compile(r"^(?:in )?(?:h|hrs?|hours?|days?)\b[^m]*$", re.IGNORECASE)


def names_other_unit(hint: str, field: Field) -> bool:
    """Whether the hint after a heading says thousands, millions or pence for an amount, or hours or days for minutes.

    As '(£000)' and '(hrs)' do.
    """
    if field.unit == MINUTES:
        return _LONGER_THAN_MINUTES.search(hint) is not None
    return field.kind is Kind.MONEY and _OTHER_UNIT.search(hint) is not None


def split_hint(heading: str) -> tuple[str, str]:
    """A heading and the hint after it; ('', '') where it has none, or nothing else."""
    if not _MAY_HAVE_HINT.search(heading):  # most headings: the pattern is slower
        return "", ""
    found = _HINT.match(heading)
    return (found[1], (found[2] or found[3] or "").strip()) if found and fold(found[1]) else ("", "")


def recognise(heading: str, known: Container[str]) -> str | None:
    """The known heading, folded, that a text is: as a whole, or without the hint after it; None if it is none."""
    whole = fold(heading)
    if whole in known:
        return whole
    name, _ = split_hint(heading)
    return fold(name) if name and fold(name) in known else None


def order_in_hint(hint: str) -> str:
    """The order of day and month that a hint such as 'dd/mm/yyyy' asks for; '' if it says nothing of it."""
    return next((order for pattern, order in _ORDERS if pattern.search(hint)), "")
