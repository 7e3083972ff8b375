"""One fault, one finding: each cell of a contact is made invalid in turn, in every known way, one cell a row."""

from __future__ import annotations

import pytest
from file_validator import CONTACT
from shared_file import SharedFiles

# Field: an invalid text for it, and the one rule that must be found.
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
MALFORMED = {
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
WITH_LINE_BREAKS = {field: (f"{value[:2]}\n\n{value[2:]}x", "F14") for field, value in CONTACT.items()}
OUT_OF_RANGE = {
    "contact_date": ("2016-12-01", "C06"),
    "duration_minutes": ("481", "K03"),
    "attended": ("3", "K02"),
}


FAULTS = [
    (field, *fault)
    for faults in (SPREADSHEET_ERROR, EMPTIED, MALFORMED, WITH_LINE_BREAKS, OUT_OF_RANGE)
    for field, fault in faults.items()
]


@pytest.mark.parametrize(("field", "text", "rule"), FAULTS)
def test_one_invalid_cell_gives_one_finding(in_shared_file: SharedFiles, field: str, text: str, rule: str) -> None:
    # ten spreadsheet errors refuse a file, so those of the first half of the columns have one of their own
    first_half = [*CONTACT][:5]
    cases = [{f: t} for f, t, _ in FAULTS if (f in first_half) == (field in first_half)]
    result = in_shared_file(cases, {field: text})
    assert result.rules == [(rule, "row")]
    assert result.is_held and not result.is_accepted
