"""Personal data that must not be in an extract: how it is recognised. Source: DOMAIN.md 2.4, rules P01-P03, F11.

The detectors look for identifiers of people. They never keep or show what they find.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from schemas.codes import fold
from schemas.contract import Contract, Field, PersonalWhen, Rule, Severity


def _any_cell(contract: Contract) -> tuple[str, ...]:
    """Any column of a participant-level dataset, also one that the contract does not know ('')."""
    return ("", *contract.by_name) if contract.participant_level else ()


def _references(contract: Contract) -> tuple[str, ...]:
    named = tuple(f.name for f in contract.fields if f.personal_when is PersonalWhen.NHS_NUMBER)
    return named if contract.participant_level else ()


PERSONAL_DATA_RULES: tuple[Rule, ...] = (
    Rule(
        "P01",
        Severity.FILE,
        "The file holds an NHS number, National Insurance number, e-mail address or telephone number",
        "no personal identifiers in any cell",
        "Delete them and send the file again. The file was not kept: report it under your incident process.",
        found_on=_any_cell,
    ),
    Rule(
        "P02",
        Severity.FILE,
        "The participant reference looks like an NHS number",
        "the site's own pseudonym",
        "Replace it with a pseudonym. The file was not kept: report it under your incident process.",
        found_on=_references,
    ),
    Rule(
        "P03",
        Severity.FILE,
        "The file holds a full postcode or a date of birth",
        "a year of birth and an area code only",
        "Send the year of birth and the area code only. The file was not kept: report it under your incident process.",
        found_on=_any_cell,
    ),
)
# The rules that a cell with personal data breaks, and with them the one about a column's heading (file severity).
PERSONAL_RULES: tuple[str, ...] = tuple(r.rule_id for r in PERSONAL_DATA_RULES)
RULES_OF_PERSONAL_FILES: tuple[str, ...] = ("F11", *PERSONAL_RULES)

NINO = r"(?i)\b(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\s?\d{2}\s?\d{2}\s?\d{2}\s?[A-D]\b"
POSTCODE = r"(?i)\b[A-Z]{1,2}\d[A-Z\d]?\s?\d[ABD-HJLNP-UW-Z]{2}\b"
EMAIL = r"[\w.+-]+@[\w-]+\.[\w.-]+"
TELEPHONE = r"(?<![\w-])(?:\+44\s?|0)(?:\d[\s-]?){9,10}(?![\w-])"
TEN_DIGITS = r"(?<![\w.-])\d{3}[ -]?\d{3}[ -]?\d{4}(?![\w.-])"

# Any of these in a cell makes a closer look worth its time: ten digits, an at sign, or letters and digits as in a
# postcode or NINO. Clean coded cells never match.
WORTH_A_LOOK = "|".join(
    (
        r"(?i)(?:\d[\s-]?){10}",
        "@",
        r"\b[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2}\b",
        r"\b[A-Z]{2}\s?\d{2}\s?\d{2}\s?\d{2}\s?[A-D]\b",
    )
)

# A reference that is, as a whole, a number of the NHS or of National Insurance may yet be of the agreed form.
WHOLE_IDENTIFIER = r"^(?:\d{10}|[A-Za-z]{2}\d{6}[A-Da-d])$"

# Valid by their check digit, yet nobody's number (DOMAIN.md 2.4).
NOT_A_PERSON = frozenset({"0000000000", "1111111111", "9999999999", "0123456789"})

_PERSONAL_HEADINGS = (
    "nino",
    "nationalinsurance",
    "nhsnumber",
    "nhsno",
    "dob",
    "dateofbirth",
    "birthdate",
    "surname",
    "lastname",
    "familyname",
    "forename",
    "firstname",
    "givenname",
    "fullname",
    "clientname",
    "participantname",
    "patientname",
    "address",
    "postcode",
    "email",
    "telephone",
    "phone",
    "mobile",
    "uprn",
    "notes",
    "comments",
    "freetext",
)


def is_nhs_number(text: str) -> bool:
    """Whether ten digits are an NHS number by modulus 11, sentinels apart. Source: DOMAIN.md 2.4."""
    digits = re.sub(r"[ -]", "", text)
    if not re.fullmatch(r"\d{10}", digits) or digits in NOT_A_PERSON:
        return False
    check = 11 - sum(int(d) * w for d, w in zip(digits, range(10, 1, -1), strict=False)) % 11
    return check != 10 and check % 11 == int(digits[9])


def _is_full_date(text: str) -> bool:
    return bool(re.fullmatch(r"\d{1,4}[-/. ]\w{1,9}[-/. ]\d{1,4}.*", text))


_WHEN: dict[PersonalWhen, tuple[str, Callable[[str], bool]]] = {
    PersonalWhen.NHS_NUMBER: ("P02", is_nhs_number),
    PersonalWhen.FULL_DATE: ("P03", _is_full_date),
}


def personal_rule(text: str, field: Field | None = None) -> str | None:
    """The rule that a cell's text breaks by holding personal data: P01, P02, P03 or None. No field: one unknown."""
    if field is not None and field.personal_when is not None:
        rule_id, is_personal = _WHEN[field.personal_when]
        if is_personal(text):
            return rule_id
    if any(is_nhs_number(m) for m in re.findall(TEN_DIGITS, text)):
        return "P01"
    if re.search(NINO, text) or re.search(EMAIL, text) or re.search(TELEPHONE, text):
        return "P01"
    return "P03" if re.search(POSTCODE, text) else None


def heading_is_personal(heading: str) -> bool:
    """Whether a column's heading says that it holds personal data (rule F11)."""
    folded = fold(heading)
    return any(word in folded for word in _PERSONAL_HEADINGS) or folded == "name"
