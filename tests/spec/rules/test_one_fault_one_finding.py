"""One fault, one finding: every cell of a contact is spoilt in turn, in every way we know, one cell to a file."""

from __future__ import annotations

import pytest
from file_validator import CONTACT, Validator, as_csv, contacts

# What spoils any cell, and what spoils only some: each with the rule that must be found, and no other.
SPREADSHEET_ERROR = dict.fromkeys(CONTACT, ("#REF!", "C10"))
EMPTIED = {
    "contact_id": ("", "F08"),
    "episode_id": ("", "V01"),
    "contact_date": ("", "V01"),
    "contact_type": ("", "V01"),
    "contact_medium": ("", "V01"),
    "attended": ("", "V01"),
    "duration_minutes": ("", "K03"),
    "staff_role": ("", "V01"),
}
OF_ANOTHER_FORM = {
    "contact_id": ("one", "V04"),
    "episode_id": ("one", "V04"),
    "contact_date": ("2016-11-31", "C05"),
    "contact_type": ("chat", "V02"),
    "contact_medium": ("12", "V02"),
    "attended": ("8", "V02"),
    "duration_minutes": ("long", "V05"),
    "staff_role": ("caretaker", "V02"),
    "staff_ref": ("?", "V04"),
    "with_employer": ("perhaps", "C18"),
}
BROKEN = {field: (f"{value[:2]}\n\n{value[2:]}x", "F14") for field, value in CONTACT.items()}
BEYOND = {
    "contact_date": ("2016-12-01", "C06"),
    "duration_minutes": ("481", "K03"),
    "attended": ("3", "K02"),
}


@pytest.mark.parametrize(
    ("field", "text", "rule"),
    [
        (field, *fault)
        for faults in (SPREADSHEET_ERROR, EMPTIED, OF_ANOTHER_FORM, BROKEN, BEYOND)
        for field, fault in faults.items()
    ],
)
def test_one_spoilt_cell_gives_one_finding(validate: Validator, field: str, text: str, rule: str) -> None:
    outcome = validate(as_csv(contacts({}, {field: text}, {})))
    broken_across = text.count("\n")  # the further lines of a broken record have numbers of their own
    assert outcome.rules == [(rule, "row", 3)]
    assert (outcome.accepted, outcome.held) == ([2, 4 + broken_across], [3])
