"""What a column of the warehouse means: its text, unit, code list, empty cells, whether it is personal, its rules.

The comments in the warehouse and the data dictionary are both made from it, so that they say the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType

from schemas._contract.catalogue import Mart, MartColumn, audit_tables, datasets, reference_tables
from schemas._contract.code_lists import FOLDER
from schemas._contract.expected import empty_if
from schemas._contract.model import Contract, Field

NEVER_EMPTY = "Never empty"
FIGURES = "kpi_code"  # the list of figures: the rows of outcomes.kpi_definitions
NO_AMOUNT = "Empty where no amount is known or none was sent"
# The part of a text that says when the column is empty, such as '; empty while it goes on'.
_EMPTY = re.compile(
    r"(?<=[.)]) (?P<sentence>[Ee]mpty (?:\([^)]*\)|[^.;(])*)(?:\.|$)"
    r"|[;:,] (?P<clause>[Ee]mpty (?:\([^)]*\)|[^.;(])*)(?=[.;]|$)"
)
_ABOUT_A_PERSON = {"participant_ref", "episode_id"}  # a mart with one of these has rows about individuals


class Privacy(StrEnum):
    """Whether the values of a column are personal data."""

    PERSONAL = "Personal: reports never show its values"
    OF_A_PERSON = "Part of a person's record"
    NONE = "Not personal"


@dataclass(frozen=True)
class Meaning:
    """What a column means. `empty` is a sentence without its full stop, or '' where `text` says it in passing."""

    text: str
    empty: str
    privacy: Privacy
    unit: str = ""
    codes: str = ""  # the list of its codes
    rules: tuple[str, ...] = ()  # the ids of the dataset's own rules that are reported on it

    @property
    def comment(self) -> str:
        """All of it as the comment of a column in the warehouse."""
        sentences = [self.text.removesuffix(".")]
        sentences += [f"Unit: {self.unit}"] if self.unit and self.unit not in self.text else []
        sentences += [codes_in_words(self.codes)] if self.codes else []
        sentences += [self.empty] if self.empty else []
        sentences += [str(self.privacy)]
        sentences += [f"Rules: {', '.join(self.rules)}"] if self.rules else []
        return ". ".join(sentences) + "."


def table_of_codes(name: str) -> str:
    """The table that has the codes of a list with their labels."""
    in_codes = (FOLDER / f"{name}.csv").exists()
    return "core.codes" if in_codes else "outcomes.kpi_definitions" if name == FIGURES else f"core.{name}"


def codes_in_words(name: str) -> str:
    """Where the codes of a list are in the warehouse with their labels."""
    table = table_of_codes(name)
    return f"Codes: {table}, list '{name}'" if table == "core.codes" else f"Codes: {table}"


def meaning_of(contract: Contract, field: Field) -> Meaning:
    """The meaning of a field of a contract."""
    description, empty = (field.description, NEVER_EMPTY) if field.required else _split(field.description)
    if not empty and not says_when_empty(description):
        empty = f"Empty if {empty_if(field)}"
    return Meaning(
        f"{field.title}. {description}",
        empty,
        _privacy(is_personal=field.personal, is_about_people=contract.participant_level),
        field.unit,
        field.codes,
        tuple(dict.fromkeys(r.rule_id for r in contract.rules if r.field == field.name)),
    )


def meaning_of_provenance(contract: Contract, name: str, text: str) -> Meaning:
    """The meaning of a column that says where a row of `core` came from."""
    privacy = _privacy(is_personal=False, is_about_people=contract.participant_level)
    return Meaning(text, NEVER_EMPTY, privacy, codes=_codes_by_column().get(name, ""))


def meaning_in_mart(mart: Mart, column: MartColumn) -> Meaning:
    """The meaning of a column of a mart. Its header says when it is empty, except of amounts, which have one sense."""
    text, empty = (column.comment, NEVER_EMPTY) if column.required else _split(column.comment)
    if not empty and column.name.endswith("_gbp") and not says_when_empty(text):
        empty = NO_AMOUNT
    is_about_people = not _ABOUT_A_PERSON.isdisjoint(c.name for c in mart.columns)
    return Meaning(
        text,
        empty,
        _privacy(is_personal=column.name in _personal_columns(), is_about_people=is_about_people),
        codes=_codes_by_column().get(column.name, ""),
    )


def _split(text: str) -> tuple[str, str]:
    """A column's text without what it says of empty cells, and that."""
    found = _EMPTY.search(text)
    if not found:
        return text, ""
    says = found["sentence"] or found["clause"]
    return f"{text[: found.start()]}{text[found.end() :]}", f"{says[0].upper()}{says[1:]}"


def says_when_empty(text: str) -> bool:
    """Whether a column's text says when it is empty."""
    return "empty" in text.lower()


def _privacy(*, is_personal: bool, is_about_people: bool) -> Privacy:
    return Privacy.PERSONAL if is_personal else Privacy.OF_A_PERSON if is_about_people else Privacy.NONE


@lru_cache
def _personal_columns() -> frozenset[str]:
    return frozenset(f.name for c in datasets().values() for f in c.fields if f.personal)


@lru_cache
def _codes_by_column() -> Mapping[str, str]:
    """Code lists by the names of columns that have one everywhere. A name such as 'reason' has many senses."""
    contracts = (*datasets().values(), *reference_tables().values(), *audit_tables().values())
    return MappingProxyType(
        {
            "kpi_code": FIGURES,
            **{
                f.name: f.codes
                for c in contracts
                for f in c.fields
                if f.codes and (f.name == f.codes or f.name.endswith("_code"))
            },
        }
    )
