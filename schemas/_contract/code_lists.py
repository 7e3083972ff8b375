"""National and programme code lists, one CSV each (columns code, label, aliases, valid_from, valid_to, source).

A list is read on first use. `aliases` holds other spellings that sites send, separated by ';': an alias is read as its
code, with a warning to the sender. The registry's tables (`core/sites.csv`, `core/areas.csv`, ...) are code lists too:
their first two columns are the code and its label.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

REGISTRY = Path(__file__).parents[1] / "core"
FOLDER = REGISTRY / "codes"


@dataclass(frozen=True)
class Code:
    """One code, with its label and the other spellings that are read as it."""

    code: str
    label: str
    aliases: tuple[str, ...] = ()
    source: str = ""
    active_code: str = ""  # for a retired code, the one that replaced it (rule P10)


@dataclass(frozen=True)
class CodeList:
    """A named list of codes, in the order of its file."""

    name: str
    entries: tuple[Code, ...]

    @cached_property
    def codes(self) -> tuple[str, ...]:
        """The codes, without labels."""
        return tuple(e.code for e in self.entries)

    @cached_property
    def spellings(self) -> Mapping[str, str]:
        """Every code, label and alias, folded, mapped to its code.

        For recognising words of the list only: folding makes 3.0 and 30 alike. Use `code_for` to read a cell.
        """
        found: dict[str, str] = {}
        for e in self.entries:
            for text in (e.code, e.label, *e.aliases):
                found.setdefault(fold(text), e.code)
        return found

    def code_for(self, text: str) -> str:
        """The code that a label, an alias or a variant spelling of a code stands for; '' if there is none."""
        return self._code_by_spelling.get(_normalised(text), "")

    @cached_property
    def _code_by_spelling(self) -> Mapping[str, str]:
        found: dict[str, str] = {}  # of two codes with one spelling, the first in the list gets it
        for e in self.entries:
            for text in (e.code, e.label, *e.aliases):
                found.setdefault(_normalised(text), e.code)
        return found


_NO_LETTER_OR_DIGIT = re.compile(r"[\W_]+")
_MARK_BETWEEN_DIGITS = re.compile(r"(?<=[0-9])\s*[^\w\s]\s*(?=[0-9])")


def _normalised(text: str) -> str:
    """Fold a text that has a letter, and only strip one that has none: its signs may be what tells codes apart.

    A mark between two digits becomes a space, so that 'Band 3.0' is never read as 'Band 30'.
    """
    if not any(ch.isalpha() for ch in text):
        return text.strip()
    return " ".join(fold(part) for part in _MARK_BETWEEN_DIGITS.split(text))


def fold(text: str) -> str:
    """Remove case, spaces and punctuation from a text, for comparing headings, labels and aliases."""
    return _NO_LETTER_OR_DIGIT.sub("", text.casefold())


@lru_cache
def code_list(name: str) -> CodeList:
    """Read the code list `name`. Raises FileNotFoundError if there is none.

    A list in `core/codes/` comes before a registry table of the same name.
    """
    own = FOLDER / f"{name}.csv"
    raw = (own if own.exists() else REGISTRY / f"{name}.csv").read_bytes()
    reader = csv.DictReader(raw.decode("utf-8").splitlines())
    code, label = (reader.fieldnames or ("", ""))[:2]
    entries = tuple(
        Code(
            r[code],
            r[label],
            tuple(a.strip() for a in r.get("aliases", "").split(";") if a.strip()),
            r.get("source", ""),
            r.get("active_code", ""),
        )
        for r in reader
    )
    return CodeList(name, entries)


def all_code_lists() -> tuple[CodeList, ...]:
    """Every code list in `core/codes/`, sorted by name."""
    return tuple(code_list(p.stem) for p in sorted(FOLDER.glob("*.csv")))
