"""Find the listed code that a text means. Source: docs/domain.md 6.2 (C14, C16, C17, C19, V02).

Labels and codes with letters are compared without case, blanks and punctuation. A text of digits and signs alone is
compared exactly: only the sign distinguishes `-1`, `1.4` and `<1` from 1 and 14.
"""

from __future__ import annotations

import re
from functools import lru_cache

from schemas._contract.code_lists import CodeList, code_list, fold

MAX_LABEL_LENGTH = 300  # characters
# letters of a text for which a listed spelling is suggested: shorter ones are a slip away from too many others
MIN_LETTERS, MIN_LETTERS_FOR_TWO_SLIPS, MAX_WORD_LENGTH = 4, 6, 60
AMBIGUOUS_SIGNS = frozenset('"?<>')  # of a damaged quotation, or a sender who was not sure: no code is inferred
_BETWEEN_CODES = re.compile(r"\s*[;,/|&+]\s*|\s+(?:and|or)\s+", re.IGNORECASE)
_YEARS = r"(?:FY ?)?((?:20)?[0-9]{2} ?[-/] ?(?:20)?[0-9]{2}|20[0-9]{2})"
_BEFORE_YEAR = re.compile(rf"(.{{2,30}}?)[ ,]+{_YEARS}", re.IGNORECASE)
_AFTER_YEAR = re.compile(rf"{_YEARS}[ ,]+(.{{2,30}})", re.IGNORECASE)
SPREADSHEET_NUMBER = re.compile(r"([0-9]+)\.0")  # a whole number that passed through a column of floats


def likely_code(text: str, listed: CodeList) -> tuple[str, str]:
    """The listed code that a text means for certain, and the rule that reports it; ('', '') if there is none."""
    if AMBIGUOUS_SIGNS & set(text) or len(text) > MAX_LABEL_LENGTH:
        return "", ""
    if code := listed.code_for(text):
        return code, "C17" if _bare(code) == _bare(text) else "C16"
    code, dash, label = text.partition(" - ")  # "01 - Telephone", as drop-down lists show it
    if dash and code.strip() in listed.codes and listed.code_for(label) == code.strip():
        return code.strip(), "C16"
    number = SPREADSHEET_NUMBER.fullmatch(text)
    if number and number[1] in listed.codes:
        return number[1], "C14"
    if number and has_bands(listed):  # 3.0 may be three hours, which is in another band than code 03
        return "", ""
    # a spreadsheet drops leading noughts, and some programs write what is left as 1.0
    padded = [c for c in listed.codes if c.lstrip("0") == (number[1] if number else text)]
    return (padded[0], "C14") if len(padded) == 1 else ("", "")


def has_bands(listed: CodeList) -> bool:
    """Whether a list's labels are bands of a number, such as '5 to 15 hours'."""
    return any(entry.label[:1].isdecimal() for entry in listed.entries)


def codes_within(text: str, listed: CodeList) -> list[str]:
    """The codes of a text that consists of several codes or labels, such as '01; 02' or 'Telephone and video'.

    Empty for any other text.
    """
    if len(text) > MAX_LABEL_LENGTH:
        return []
    parts = [part for part in _BETWEEN_CODES.split(text) if part]
    if len(parts) > 1:
        codes = [likely_code(part, listed)[0] for part in parts]
        return codes if all(codes) else []
    words = text.split()
    return words if len(words) > 1 and all(word in listed.codes for word in words) else []


def named_twice(text: str, listed: CodeList) -> str:
    """The one code that every part of a text names in words, such as 'Health & social care'; '' if there is none.

    Of digits none is certain: '1,1' may be a number with a decimal comma.
    """
    codes = set() if re.search("[0-9]", text) else set(codes_within(text, listed))
    return codes.pop() if len(codes) == 1 else ""


def _bare(text: str) -> str:
    return "".join(text.split()).casefold()


def code_beside_year(text: str, listed: CodeList) -> str:
    """The listed code in a text such as 'Q1 16/17' or 'Apr-Jun 2016', whose rest is a year; '' if there is none.

    'Q1 2016' may be a quarter of the calendar year: beside such a year only months are certain.
    """
    if match := _BEFORE_YEAR.fullmatch(text):
        code, year = match.groups()
    elif match := _AFTER_YEAR.fullmatch(text):
        year, code = match.groups()
    else:
        return ""
    is_certain = not year.isdecimal() or sum(c.isalpha() for c in code) > len("Q")
    return listed.code_for(code) if is_certain else ""


def near_code(text: str, list_name: str) -> str:
    """The only listed code with a spelling one slip away, two from six letters on; '' if none. Never for numbers."""
    if not text.replace(" ", "").replace("_", "").isalpha() or not MIN_LETTERS <= len(text) <= MAX_WORD_LENGTH:
        return ""
    return _near_word(fold(text), list_name)


@lru_cache(maxsize=10_000)
def _near_word(word: str, list_name: str) -> str:
    slips = 2 if len(word) >= MIN_LETTERS_FOR_TWO_SLIPS else 1
    spellings = code_list(list_name).spellings
    begun = {code for known, code in spellings.items() if known.startswith(word)}
    if len(begun) > 1:  # 'virement' may be one out or one in
        return ""
    near = {code for known, code in spellings.items() if len(known) >= MIN_LETTERS and _is_within(word, known, slips)}
    return near.pop() if len(near) == 1 else ""


def _is_within(one: str, other: str, slips: int) -> bool:
    """Whether two words are within `slips` edits: a letter added, left out, changed or swapped with the next."""
    if abs(len(one) - len(other)) > slips:
        return False
    if not one or not other or slips == 0:
        return len(one) + len(other) <= slips or one == other
    if one[0] == other[0]:
        return _is_within(one[1:], other[1:], slips)
    swapped = len(one) > 1 and one[:2] == other[1::-1] and _is_within(one[2:], other[2:], slips - 1)
    shorter = ((one[1:], other), (one, other[1:]), (one[1:], other[1:]))
    return swapped or any(_is_within(a, b, slips - 1) for a, b in shorter)
