"""Personal data that must not be in an extract: how it is recognised. Source: DOMAIN.md 2.4, rules P01-P03, F11.

The detectors look for identifiers of people. They never keep or show what they find.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING

from schemas.audit.findings import LONGEST_FOUND
from schemas.cells import INVISIBLE
from schemas.codes import fold
from schemas.contract import Contract, Field, PersonalWhen, Rule, Severity

if TYPE_CHECKING:
    import polars as pl


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

# What follows is looked for in a text as `_plain` gives it: marks between digits and words are single spaces there.
_NINO = r"(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]"
NINO = re.compile(rf"(?<![A-Z0-9]){_NINO}(?![A-Z0-9])", re.IGNORECASE)
POSTCODE = re.compile(r"(?<![A-Z0-9])[A-Z]{1,2}\d[A-Z\d]? ?\d[ABD-HJLNP-UW-Z]{2}(?![A-Z0-9])", re.IGNORECASE)
EMAIL = re.compile(r"[\w.+-] ?@ ?[\w-]{1,63}\.\w")
TELEPHONE = re.compile(
    r"\+ ?[1-9](?: ?\d){9,13}(?!\d)"
    r"|(?<!\d)(?:00 ?44 ?0?|44) ?[1-37](?: ?\d){8,9}(?!\d)"
    r"|(?<!\d)0[1-9]\d{1,3}(?: ?\d){6,8}(?!\d)"  # the dialling code in one piece: a day and its time are no number
)
_TELEPHONE_IN_REFERENCE = re.compile(r"(?:0|44|0044)[1-37]\d{9}")
TEN_DIGITS = re.compile(r"(?<!\d)(?=(\d{3} ?\d{3} ?\d{4}|\d{4} ?\d{3} ?\d{3}|\d{3} ?\d{4} ?\d{3}|\d{5} ?\d{5})(?!\d))")
_DECIMAL_NUMBER = re.compile(r"[+-]?(?:0|[1-9]\d*)\.\d+")
_BETWEEN = re.compile(r"[\s_./\\()\[\]{}\-\u2010-\u2015\u2212]+")
_REFERENCE = re.compile(r"[A-Z]{2,8}-[A-Z0-9]{6,16}")

# Polars patterns of what is worth a closer look. Clean coded cells never match.
# Any cell: ten digits, an at sign, letters and digits as in a postcode or NINO, or characters that may stand for those.
WORTH_A_LOOK = "|".join(
    (
        r"(?:[0-9][^0-9A-Za-z]*){9}[0-9]",
        "@",
        r"[^\x00-\x7f]",
        r"[0-9][^0-9A-Za-z]*[0-9][A-Za-z]{2}(?:[^0-9A-Za-z]|$)",
        r"[A-Za-z]{2}[^0-9A-Za-z]*(?:[0-9][^0-9A-Za-z]*){6}[A-Da-d](?:[^0-9A-Za-z]|$)",
    )
)
# A reference of the agreed form: an identifier as a whole or behind the prefix. A postcode may stand there by chance.
REFERENCE_WORTH_A_LOOK = "|".join(
    (
        r"^(?:NHS-?)?[0-9](?:-?[0-9]){9}$",
        r"^(?:[A-Z]{2,8}-)?[A-Z]{2}-?(?:[0-9]-?){6}[A-D]$",
        r"^(?:[A-Z]{2,8}-)?(?:00-?44|44|0)-?[1-37](?:-?[0-9]){9}$",
    )
)
MAY_BE_A_DATE = r".{5}"  # a year and an age are shorter
TEN_DIGITS_AT_THE_END = r"(?:^|[^0-9])[0-9]{10}$"
TAILS_TRIED, LEAST_TAILS = 1000, 3

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
    if not re.fullmatch(r"[0-9]{10}", digits) or digits in NOT_A_PERSON:
        return False
    check = 11 - sum(int(d) * w for d, w in zip(digits, range(10, 1, -1), strict=False)) % 11
    return check != 10 and check % 11 == int(digits[9])


def personal_rule(text: str, field: Field | None = None) -> str | None:
    """The rule that a cell's text breaks by holding personal data: P01, P02, P03 or None. No field: one unknown."""
    when = field.personal_when if field is not None else None
    nhs_number = "P02" if when is PersonalWhen.NHS_NUMBER else "P01"
    if _REFERENCE.fullmatch(text) or (field is not None and field.pattern and re.search(field.pattern, text)):
        return _rule_of_reference(text, nhs_number)
    plain = _plain(text)
    if when is PersonalWhen.FULL_DATE and _is_full_date(plain):
        return "P03"
    if any(is_nhs_number(m) for m in TEN_DIGITS.findall(plain)):
        return nhs_number
    if NINO.search(plain) or TELEPHONE.search(plain) or EMAIL.search(unicodedata.normalize("NFKC", text)):
        return "P01"
    return "P03" if POSTCODE.search(plain) else None


def rule_of_tails(tails: Sequence[str], field: Field | None = None) -> str | None:
    """The rule that references break by the ten digits at their end, taken together.

    Of any ten digits one in eleven is an NHS number by chance; more than half of several are so by design.
    """
    tried = tails[:TAILS_TRIED]
    valid = sum(is_nhs_number(t[-10:]) for t in tried)
    if len(tried) < LEAST_TAILS or 2 * valid <= len(tried):
        return None
    return "P02" if field is not None and field.personal_when is PersonalWhen.NHS_NUMBER else "P01"


def _rule_of_reference(text: str, nhs_number: str) -> str | None:
    """A reference of the agreed form, as a whole and behind its prefix."""
    whole, tail = text.replace("-", ""), text.partition("-")[2].replace("-", "")
    if is_nhs_number(whole.removeprefix("NHS")):
        return nhs_number
    return "P01" if any(NINO.fullmatch(t) or _TELEPHONE_IN_REFERENCE.fullmatch(t) for t in (whole, tail)) else None


def _plain(text: str) -> str:
    """A text as it is searched: one form of each character, and one space for whatever parts digits and words."""
    text = INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).strip()
    text = re.sub(r"(\d)\.0+$", r"\1", text)
    return text if _DECIMAL_NUMBER.fullmatch(text) else _BETWEEN.sub(" ", text).strip()


_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}"
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
_DATE_IN_WORDS = re.compile(
    rf"(?<!\d)(?:{_DAY}(?: of)? ?{_MONTH}|{_MONTH} ?{_DAY}),? ?\d{{2,4}}",
    re.IGNORECASE,
)
_DATE_IN_DIGITS = re.compile(
    r"(?<!\d)(?:\d{4} \d{1,2} \d{1,2}|\d{1,2} \d{1,2} (?:\d{4}|\d{2}))(?!\d)"
    r"|^(?:(?:19|20)\d{2}(?:0[1-9]|1[0-2])[0-3]\d|[0-3]\d(?:0[1-9]|1[0-2])(?:19|20)\d{2})(?!\d)"
)
_SERIAL_DAY = re.compile(r"(\d{5})(?:\.\d+)?")
LAST_SERIAL_OF_A_BIRTH = 40543  # 31 December 2010; those before 1927 have fewer digits, as a year has


def _is_full_date(plain: str) -> bool:
    if serial := _SERIAL_DAY.fullmatch(plain):
        return int(serial[1]) <= LAST_SERIAL_OF_A_BIRTH
    return bool(_DATE_IN_DIGITS.search(plain) or _DATE_IN_WORDS.search(plain))


def heading_is_personal(heading: str) -> bool:
    """Whether a column's heading says that it holds personal data (rule F11)."""
    folded = fold(heading)
    return any(word in folded for word in _PERSONAL_HEADINGS) or folded == "name"


LONGEST_SHOWN, MOST_WORDS = 40, 4
_CAPITALISED = r"(?:^|[\s,;])\p{Lu}(?:\b|[\p{L}.'’])|[^\p{L}\p{N}\s,;]\p{Lu}\p{Ll}"


def shown(cell: pl.Expr, field: Field, contract: Contract) -> tuple[pl.Expr, pl.Expr]:
    """What a finding may show of a cell, and whether something is hidden.

    A personal field is never shown; nor, of people, a text that may be a name or a sentence.
    """
    import polars as pl

    if field.personal:
        return pl.lit(None, pl.String).alias("found"), pl.lit(True).alias("hidden")
    found = cell.str.slice(0, LONGEST_FOUND)
    if not contract.participant_level:
        return found.alias("found"), pl.lit(False).alias("hidden")
    may_be = (
        (cell.str.len_chars() <= LONGEST_SHOWN)
        & (cell.str.count_matches(_CAPITALISED) < 2)
        & (cell.str.count_matches(r"\S+") <= MOST_WORDS)
    ).fill_null(True)
    return pl.when(may_be).then(found).alias("found"), (~may_be).alias("hidden")
