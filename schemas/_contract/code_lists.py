"""National and programme code lists: one CSV a list (columns code, label, aliases, valid_from, valid_to, source).

A list's CSV is read when it is first asked for. `aliases` is a ';'-list of other spellings that sites send; an alias
is read as its code and the sender is told. The registry's own tables (`core/sites.csv`, `core/areas.csv`, ...) are
code lists too: their first two columns are the code and its label.
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
    """One code with its label and the other spellings it is known by."""

    code: str
    label: str
    aliases: tuple[str, ...] = ()
    source: str = ""
    active_code: str = ""  # the code that replaced this one, where it is retired (rule P10)


@dataclass(frozen=True)
class CodeList:
    """A named list of codes, in the order of its file."""

    name: str
    entries: tuple[Code, ...]

    @cached_property
    def codes(self) -> tuple[str, ...]:
        """The codes alone."""
        return tuple(e.code for e in self.entries)

    @cached_property
    def spellings(self) -> Mapping[str, str]:
        """Every way of writing a code, folded, to the code itself: to recognise a word. See `meant_by` for its code."""
        found: dict[str, str] = {}
        for e in self.entries:
            for text in (e.code, e.label, *e.aliases):
                found.setdefault(fold(text), e.code)
        return found

    def meant_by(self, text: str) -> str:
        """The code of a label, an alias or another way of writing a code; '' where there is none."""
        return self._by_writing.get(_as_written(text), "")

    @cached_property
    def _by_writing(self) -> Mapping[str, str]:
        found: dict[str, str] = {}
        for e in self.entries:
            for text in (e.code, e.label, *e.aliases):
                found.setdefault(_as_written(text), e.code)
        return found


_NO_LETTER_OR_DIGIT = re.compile(r"[\W_]+")
_MARK_BETWEEN_DIGITS = re.compile(r"(?<=[0-9])\s*[^\w\s]\s*(?=[0-9])")


def _as_written(text: str) -> str:
    """A text folded if it has a letter (but 3.0 is never 30); else as it stands: signs tell numbers apart."""
    if not any(ch.isalpha() for ch in text):
        return text.strip()
    return " ".join(fold(part) for part in _MARK_BETWEEN_DIGITS.split(text))


def fold(text: str) -> str:
    """A text without case, spaces and punctuation, for comparing headings, labels and aliases."""
    return _NO_LETTER_OR_DIGIT.sub("", text.casefold())


@lru_cache
def code_list(name: str) -> CodeList:
    """Read the code list `name`. Raises FileNotFoundError when there is no such list."""
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
    """Every code list in this folder, by name."""
    return tuple(code_list(p.stem) for p in sorted(FOLDER.glob("*.csv")))
