"""Rules against personal data, for every participant-level dataset.

Source: docs/domain.md 2.4 (P01-P03, F11).

Identifiers are recognised in `flows/cells/identifiers.py`.
"""

from __future__ import annotations

from collections.abc import Callable

from schemas._contract.model import Contract, Kind, PersonalWhen, Rule, Severity


def _any_cell(contract: Contract) -> tuple[str, ...]:
    """Any column of a participant-level dataset, '' standing for those that are not in the contract."""
    return ("", *contract.by_name) if contract.participant_level else ()


def _references(contract: Contract) -> tuple[str, ...]:
    references = tuple(f.name for f in contract.fields if f.personal_when is PersonalWhen.NHS_NUMBER)
    return references if contract.participant_level else ()


def _of_people(*kinds: Kind) -> Callable[[Contract], tuple[str, ...]]:
    """Fields of these kinds in participant-level datasets."""

    def found_on(contract: Contract) -> tuple[str, ...]:
        return tuple(f.name for f in contract.fields if f.kind in kinds) if contract.participant_level else ()

    return found_on


_AFTER_PERSONAL_DATA = (
    "None of it was loaded. If this file is in your site's folder, delete it there, tell the data team, and report"
    " it under your incident process."
)
PERSONAL_DATA_RULES: tuple[Rule, ...] = (
    Rule(
        "P01",
        Severity.FILE,
        "The file holds a name, an NHS number, National Insurance number, e-mail address or telephone number",
        "no names and no personal identifiers in any cell",
        f"Delete them and send the file again. {_AFTER_PERSONAL_DATA}",
        found_on=_any_cell,
    ),
    Rule(
        "P01",
        Severity.ROW,
        "{title} may hold a person's name, NHS number or postcode",
        "{expected}; never a name, a number or an address of a person, or a part of one",
        "Put an agreed reference or code in its place. If it is none of these, tell the data team.",
        found_on=_of_people(Kind.TEXT, Kind.REFERENCE),
    ),
    Rule(
        "P02",
        Severity.FILE,
        "The participant reference looks like an NHS number",
        "the site's own pseudonym",
        f"Replace it with a pseudonym and send the file again. {_AFTER_PERSONAL_DATA}",
        found_on=_references,
    ),
    Rule(
        "P03",
        Severity.FILE,
        "The file holds a full postcode or a date of birth",
        "a year of birth and an area code only",
        f"Send the year of birth and the area code only. {_AFTER_PERSONAL_DATA}",
        found_on=_any_cell,
    ),
    Rule(
        "P03",
        Severity.ROW,
        "{title} is so long ago that it may be a date of birth",
        "the date of an event of the pilot",
        "Enter the date of the event, never a date of birth. If the date is right, tell the data team.",
        found_on=_of_people(Kind.DATE),
    ),
)
# Rules about personal data in a cell, and with F11 about a column's heading too. Certain personal data refuse the file;
# possible personal data hold the row.
PERSONAL_DATA_RULE_IDS: tuple[str, ...] = tuple(r.rule_id for r in PERSONAL_DATA_RULES)
REFUSING_RULE_IDS: tuple[str, ...] = ("F11", *PERSONAL_DATA_RULE_IDS)
