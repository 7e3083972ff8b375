"""National and programme code lists, one CSV each (columns code, label, aliases, valid_from, valid_to, source).

A list is read on first use. `aliases` holds other spellings that sites send, separated by ';': an alias is read as its
code, with a warning to the sender. `valid_from` and `valid_to` are the first and the last day on which a code is in
use (rule C37), and the column `active_code`, which few lists have, names the code that took its place. The registry's
tables (`core/sites.csv`, `core/areas.csv`, ...) are code lists too: their first two columns are the code and its label.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
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
    active_code: str = ""  # for a retired code, the one that took its place
    valid_from: date | None = None  # the first and the last day on which it is in use, where there is one
    valid_to: date | None = None

    def is_in_use(self, first: date, last: date | None = None) -> bool:
        """Whether it is in use on a day, or on some day from the first to the last."""
        return (self.valid_from or date.min) <= (last or first) and first <= (self.valid_to or date.max)

    @property
    def dates(self) -> str:
        """When it is in use, in words, such as 'until 2021-09-30'; '' if it always is."""
        first = f"from {self.valid_from}" if self.valid_from else ""
        last = f"until {self.valid_to}" if self.valid_to else ""
        return " ".join(filter(None, (first, last)))


@dataclass(frozen=True)
class CodeList:
    """A named list of codes, in the order of its file."""

    name: str
    entries: tuple[Code, ...]
    of_registry: bool = False

    @cached_property
    def dated(self) -> tuple[Code, ...]:
        """The codes that are in use for a time only, so that the day of a row decides whether one fits (rule C37).

        None of a registry table: its dates are those of the thing itself. An area has had several codes, and each of
        them names it on any day.
        """
        return () if self.of_registry else tuple(e for e in self.entries if e.dates)

    @cached_property
    def replaced(self) -> Mapping[str, str]:
        """Retired codes that are replaced whatever the day of a row, each with the code that took its place (P10)."""
        return {
            e.code: e.active_code for e in self.entries if e.active_code not in ("", e.code) and e not in self.dated
        }

    def code_on(self, entry: Code, day: date) -> str:
        """The code that stands on a day for what `entry` means: itself while it is in use, else the one that took its
        place or, before its time, the only one whose place it was to take; '' if there is none.
        """
        if entry.is_in_use(day):
            return entry.code
        if later := [e for e in self._later(entry) if e.is_in_use(day)]:
            return later[0].code
        earlier = [e for e in self.entries if entry in self._later(e) and e.is_in_use(day)]
        return earlier[0].code if len(earlier) == 1 else ""

    def _later(self, entry: Code) -> list[Code]:
        """The codes that took the place of `entry`, one after another."""
        found: list[Code] = []
        while entry.active_code not in ("", entry.code):
            entry = self.entries[self.codes.index(entry.active_code)]
            found.append(entry)
        return found

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
    of_registry = not own.exists()
    raw = (REGISTRY / f"{name}.csv" if of_registry else own).read_bytes()
    reader = csv.DictReader(raw.decode("utf-8").splitlines())
    code, label = (reader.fieldnames or ("", ""))[:2]
    entries = tuple(
        Code(
            r[code],
            r[label],
            aliases=tuple(a.strip() for a in r.get("aliases", "").split(";") if a.strip()),
            source=r.get("source", ""),
            active_code=r.get("active_code", ""),
            valid_from=_day(r.get("valid_from", "")),
            valid_to=_day(r.get("valid_to", "")),
        )
        for r in reader
    )
    return CodeList(name, entries, of_registry)


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def all_code_lists() -> tuple[CodeList, ...]:
    """Every code list in `core/codes/`, sorted by name."""
    return tuple(code_list(p.stem) for p in sorted(FOLDER.glob("*.csv")))
