"""Detect people's names by a list of common forenames and surnames. Source: docs/domain.md 5.2.

A forename beside a surname, a title before a name, and an initial with a surname are a full name. Names that are also
words (Victoria Park, Grace, Price) only count beside one that is not. `person_names.csv` lists common names; none in
it stands for a person.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise, permutations
from pathlib import Path

MIN_LETTERS = 4  # of a name by itself, or within a word: shorter ones may be abbreviations
MAX_WORD_LENGTH = 40  # letters of two names written as one word
MIN_LETTERS_JOINED = 4  # of each of two names written as one word
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_TITLE_AND_WORD = re.compile(
    r"(?:^|[\s,;:(])(?:(?i:mr|mrs)\.?\s+(?:[^\W\d_]\.?\s+)*[^\W\d_]{2,}|(?:Ms|Miss|Mx)\.?\s+[A-Z][a-z]+)"
)
_TITLES = frozenset({"dr", "prof", "professor", "miss", "ms", "mx", "rev", "sir", "dame"})
TITLE = r"(?i)(?:^|[^\pL])(?:mr|mrs|ms|mx|dr|miss|prof|rev|sir|dame)(?:[^\pL]|$)"  # a polars pattern


@dataclass(frozen=True)
class _Names:
    """The listed names, without accents, capitals and apostrophes."""

    forenames: frozenset[str]
    surnames: frozenset[str]
    also_words: frozenset[str]
    organisations: frozenset[tuple[str, str]]

    @property
    def all(self) -> frozenset[str]:
        return self.forenames | self.surnames


@lru_cache
def _listed() -> _Names:
    with Path(__file__).with_name("person_names.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))

    def used_as(*kinds: str) -> frozenset[str]:
        return frozenset(r["name"] for r in rows if r["used_as"] in kinds)

    pairs = (name.split() for name in used_as("organisation"))
    return _Names(
        used_as("forename", "both"),
        used_as("surname", "both"),
        frozenset(r["name"] for r in rows if r["also_a_word"] == "yes"),
        frozenset((first, last) for first, last in pairs),
    )


@lru_cache
def listed_names() -> frozenset[str]:
    """Every listed name, including those that are also words."""
    return _listed().all


@lru_cache
def certain_names() -> frozenset[str]:
    """The listed names that are not words too. Every full name without a title has at least one."""
    return _listed().all - _listed().also_words


def words_of(text: str) -> list[str]:
    """The words of a text, without accents, capitals and apostrophes, as names are listed."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return [re.sub("['’]", "", w).casefold() for w in _WORD.findall(plain)]


def holds_full_name(text: str) -> bool:
    """Whether a text contains a full name: John Smith, SMITH John, Smith J, Dr Smith, Mrs Anyone."""
    if _TITLE_AND_WORD.search(text):
        return True
    words = words_of(text)
    if any(title in _TITLES and name in certain_names() for title, name in pairwise(words)):
        return True
    long = [w for w in words if len(w) > 1]  # initials between two names are passed over: John A Smith
    if any(_are_a_name(a, b) for a, b in pairwise(long)) or any(_is_two_names(w) for w in long):
        return True
    only_initials_else = len(long) == 1 and 1 < len(words) <= 3
    return only_initials_else and long[0] in _listed().surnames & certain_names()


def holds_listed_name(text: str) -> bool:
    """Whether a text contains a listed forename or surname that is not a word too."""
    return any(len(w) >= MIN_LETTERS and w in certain_names() for w in words_of(text))


def may_be_full_name(text: str) -> bool:
    """Whether two or three words may be a full name although each is a word too: Faith Black, Price Grace M."""
    names, words = _listed(), words_of(text)
    return 2 <= len(words) <= 3 and any(a in names.forenames and b in names.surnames for a, b in permutations(words, 2))


def holds_initial_and_surname(text: str) -> bool:
    """Whether a text contains an initial and a surname as one word, in either order: JSMITH, SMITHJ."""
    surnames = _listed().surnames & certain_names()
    words = [w for w in words_of(text) if w not in listed_names()]
    return any(len(w) > MIN_LETTERS and not surnames.isdisjoint((w[1:], w[:-1])) for w in words)


def _are_a_name(first: str, second: str) -> bool:
    names = _listed()
    if not {first, second} & certain_names() or (first, second) in names.organisations:
        return False
    return (first in names.forenames and second in names.surnames) or (
        first in names.surnames and second in names.forenames
    )


def _is_two_names(word: str) -> bool:
    """Whether a word is a forename and a surname joined, in either order."""
    if len(word) > MAX_WORD_LENGTH or word in listed_names():
        return False
    cuts = range(MIN_LETTERS_JOINED, len(word) - MIN_LETTERS_JOINED + 1)
    return any({word[:i], word[i:]} <= certain_names() and _are_a_name(word[:i], word[i:]) for i in cuts)
