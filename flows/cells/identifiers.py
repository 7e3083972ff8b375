"""Detect personal data that an extract must not hold. Source: docs/domain.md 2.4, rules P01-P03, F11.

The detectors return which rule a text breaks; they never store or show the identifier itself.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING

from flows.cells.garbled import CONTROL_CHARACTERS
from flows.cells.parse import INVISIBLE_CHARACTERS
from flows.cells.person_names import TITLE, certain_names, holds_full_name, holds_initial_and_surname, holds_listed_name
from schemas._contract.code_lists import fold
from schemas._contract.model import Field, PersonalWhen, Severity

if TYPE_CHECKING:
    import polars as pl

# These patterns are for texts as `_plain` gives them, in which every separator of digits and words is one space.
# NINO prefixes: QQ is for examples only, but an example stands where a real one would; OO and FY are temporary numbers.
_NINO = r"(?:(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]|QQ|OO|FY) ?\d{2} ?\d{2} ?\d{2} ?[A-D]"
NINO = re.compile(rf"(?<![A-Z0-9]){_NINO}(?![A-Z0-9])", re.IGNORECASE)
POSTCODE = re.compile(r"(?<![A-Z0-9])[A-Z]{1,2}\d[A-Z\d]? ?\d[ABD-HJLNP-UW-Z]{2}(?![A-Z0-9])", re.IGNORECASE)
EMAIL = re.compile(r"[\w.+-] ?@ ?[\w-]{1,63}\.\w")
TELEPHONE = re.compile(
    r"\+ ?[1-9](?: ?\d){9,13}(?!\d)"
    r"|(?<!\d)(?:00 ?44 ?0?|44) ?[1-37](?: ?\d){8,9}(?!\d)"
    r"|(?<!\d)0[1-9]\d{1,3}(?: ?\d){6,8}(?!\d)"  # the dialling code without a gap, else a date with a time would match
)
_TELEPHONE_IN_DIGITS = re.compile(r"(?:0|44|0044)[1-37]\d{9}")
TEN_DIGITS = re.compile(r"(?<!\d)(?=(\d{3} ?\d{3} ?\d{4}|\d{4} ?\d{3} ?\d{3}|\d{3} ?\d{4} ?\d{3}|\d{5} ?\d{5})(?!\d))")
_DECIMAL_NUMBER = re.compile(r"[+-]?(?:0|[1-9]\d*)\.\d+")
_INVISIBLE = re.compile(f"[{INVISIBLE_CHARACTERS}{CONTROL_CHARACTERS}]")
_SEPARATORS = re.compile(r"[\s_./\\()\[\]{}\-\u2010-\u2015\u2212]+")
_REFERENCE = re.compile(r"[A-Z]{2,8}-[A-Z0-9]{6,16}")

# Polars patterns of cells that `personal_rule` has to examine. Clean coded cells never match.
# Any cell: ten digits, an at sign, letters and digits as in a postcode or NINO, or characters that may stand for those.
SUSPICIOUS = "|".join(
    (
        r"(?:[0-9][^0-9A-Za-z]*){9}[0-9]",
        "@",
        rf"[^\x00-\x7f]|[{CONTROL_CHARACTERS}]",
        r"[0-9][^0-9A-Za-z]*[0-9][A-Za-z]{2}(?:[^0-9A-Za-z]|$)",
        r"[A-Za-z]{2}[^0-9A-Za-z]*(?:[0-9][^0-9A-Za-z]*){6}[A-Da-d](?:[^0-9A-Za-z]|$)",
    )
)
# A reference of the agreed form that is an identifier, with or without its prefix. A postcode may be there by chance.
SUSPICIOUS_REFERENCE = "|".join(
    (
        r"^(?:NHS-?)?[0-9](?:-?[0-9]){9}$",
        r"^(?:[A-Z]{2,8}-)?[A-Z]{2}-?(?:[0-9]-?){6}[A-D]$",
        r"^(?:[A-Z]{2,8}-)?(?:00-?44|44|0)-?[1-37](?:-?[0-9]){9}$",
        r"^(?:[A-Z]{2,8}-)?[A-Z]{1,2}[0-9][A-Z0-9]?-?[0-9][ABD-HJLNP-UW-Z]{2}$",
    )
)
_AREA = (
    "A[BL]|B[ABDHLNRST]?|C[ABFHMORTVW]|D[ADEGHLNTY]|E[CHNX]?|F[KY]|G[LUY]?|H[ADGPRSUX]|I[GMPV]|JE|K[ATWY]|L[ADELNSU]?"
    "|M[EKL]?|N[EGNPRW]?|OL|P[AEHLOR]|R[GHM]|S[AEGKLMNOPRSTWY]?|T[ADFNQRSW]|UB|W[ACDFNRSV]?|YO|ZE"
)
_IS_POSTCODE = re.compile(rf"(?:[A-Z]{{2,8}}-)?(?:{_AREA})[0-9][A-Z0-9]?-?[0-9][ABD-HJLNP-UW-Z]{{2}}")
LONG_ENOUGH_FOR_A_DATE = r".{5}"  # a year and an age are shorter
# Digits with at most a prefix. Only the whole column shows what they are: of any ten digits, one in eleven passes the
# check of an NHS number.
JUST_DIGITS = r"^(?:[A-Z]{2,8}-|[A-Z]-)?[0-9]{10,14}$"
# Ten answers of a questionnaire, each from 1 to 4, as bare digits: one of ten thousand NHS numbers has none but these.
TEN_ANSWERS = re.compile("[1-4]{10}")
DATE_AS_REFERENCE = r"^(?:[A-Z]{1,8}-)?(?:[0-9]{8}|[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{2}-[0-9]{2}-[0-9]{4})$"
FIRST_YEAR_OF_A_BIRTH, LAST_YEAR_OF_A_BIRTH = 1900, 2010
SAMPLE_SIZE, MIN_BEHIND_PREFIX = 1000, 3  # texts of a column
# A share and a number of a column's references: if so few have ten digits, the site does not number people that way.
_MAX_RARE_SHARE, _MAX_RARE = 0.1, 2

# Valid by their check digit, but nobody's number: placeholders (docs/domain.md 2.4).
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
    "employername",
    "nameofemployer",
    "companyname",
    "businessname",
    "tradingname",
    "companynumber",
    "companyregistration",
    "vatnumber",
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


_NAMES_ALONE = frozenset({"name", "company", "contactname", "contactperson", "employercontact"})  # as whole headings


def is_nhs_number(text: str) -> bool:
    """Whether ten digits, with or without spaces or hyphens, pass an NHS number's modulus 11 check.

    False for placeholders. Source: docs/domain.md 2.4.
    """
    digits = re.sub(r"[ -]", "", text)
    if not re.fullmatch(r"[0-9]{10}", digits) or digits in NOT_A_PERSON:
        return False
    check = 11 - sum(int(d) * w for d, w in zip(digits, range(10, 1, -1), strict=False)) % 11
    return check != 10 and check % 11 == int(digits[9])


def personal_rule(text: str, field: Field | None = None) -> str | None:
    """The rule that a cell's text breaks by holding personal data: P01, P02, P03 or None.

    `field` is None for a column that is not a field. What is allowed depends on it: see `Field.personal_when`.
    """
    return next((rule for visible in _visible_forms(text) if (rule := _rule_of(visible, field))), None)


def _visible_forms(text: str) -> tuple[str, ...]:
    """A text without its invisible characters, and with each as a space: they may or may not separate two words."""
    return (_INVISIBLE.sub("", text), _INVISIBLE.sub(" ", text)) if _INVISIBLE.search(text) else (text,)


def _rule_of(text: str, field: Field | None) -> str | None:
    if field is not None and field.joined_by is not None and TEN_ANSWERS.fullmatch(text):
        return None
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
    if holds_full_name(plain):
        return "P01"
    return "P03" if POSTCODE.search(plain) else None


def rules_by_share(texts: Sequence[str], field: Field | None = None) -> dict[str, str]:
    """The rules that a column's texts of the form JUST_DIGITS break, decided by their share: {text: rule}.

    One in eleven of any ten digits is an NHS number by chance, and some of eleven digits look like a telephone number.
    If more than half of a column do, they are meant to be. Texts are compared with those of like length and prefix.
    """
    nhs_number = "P02" if field is not None and field.personal_when is PersonalWhen.NHS_NUMBER else "P01"
    alike: dict[tuple[int, bool], list[str]] = {}
    for text in texts:
        prefix, _, digits = text.rpartition("-")
        alike.setdefault((len(digits), prefix not in ("", "NHS")), []).append(text)
    broken: dict[str, str] = {}
    for (length, has_prefix), group in alike.items():
        is_identifier = is_nhs_number if length == 10 else _is_telephone
        sample = group[:SAMPLE_SIZE]
        least = MIN_BEHIND_PREFIX if has_prefix and length == 10 else 1
        if len(sample) >= least and 2 * sum(is_identifier(t.rpartition("-")[2]) for t in sample) > len(sample):
            broken |= dict.fromkeys(group, nhs_number if length == 10 else "P01")
    return broken


def rare_nhs_numbers(digits: Sequence[str], texts: int) -> list[str]:
    """The references with an NHS number behind their prefix, if only few of a column's `texts` have ten digits at all.

    `digits` are the references of the form JUST_DIGITS, `texts` is the number of the column's texts.
    """
    ten = [t for t in digits if len(t.rpartition("-")[2]) == 10]
    return [t for t in ten if is_nhs_number(t[-10:])] if len(ten) <= max(texts * _MAX_RARE_SHARE, _MAX_RARE) else []


def birth_date_rules(texts: Sequence[str]) -> dict[str, tuple[str, Severity]]:
    """The rules that a column's references of the form DATE_AS_REFERENCE break: {text: (rule, severity)}.

    If more than half of them are dates of birth, they are meant to be (P03, the file); fewer may be chance, or
    somebody's (P01, the row).
    """
    births = [t for t in texts if _is_birth_date(re.sub(r"[^0-9]", "", t))]
    by_design = len(births) >= MIN_BEHIND_PREFIX and 2 * len(births) > len(texts)
    return dict.fromkeys(births, ("P03", Severity.FILE) if by_design else ("P01", Severity.ROW))


def _is_birth_date(digits: str) -> bool:
    """Whether eight digits are a date from 1900 to 2010, with the year first or last."""
    for year, month, day in ((digits[:4], digits[4:6], digits[6:]), (digits[4:], digits[2:4], digits[:2])):
        if FIRST_YEAR_OF_A_BIRTH <= int(year) <= LAST_YEAR_OF_A_BIRTH:
            with suppress(ValueError):
                return bool(date(int(year), int(month), int(day)))
    return False


def may_identify_person(text: str) -> bool:
    """Whether a text of the agreed form may identify a person: by a name, an initial and surname, or a postcode."""
    return any(
        holds_listed_name(visible) or holds_initial_and_surname(visible) or bool(_IS_POSTCODE.fullmatch(visible))
        for visible in _visible_forms(text)
    )


def _is_telephone(digits: str) -> bool:
    return bool(_TELEPHONE_IN_DIGITS.fullmatch(digits))


def _rule_of_reference(text: str, nhs_number: str) -> str | None:
    """The rule that a reference of the agreed form breaks, as a whole or behind its prefix."""
    whole, tail = text.replace("-", ""), text.partition("-")[2].replace("-", "")
    if is_nhs_number(whole.removeprefix("NHS")):
        return nhs_number
    if any(NINO.fullmatch(t) or _TELEPHONE_IN_DIGITS.fullmatch(t) for t in (whole, tail)):
        return "P01"
    return "P01" if holds_full_name(_plain(text)) else None


def _plain(text: str) -> str:
    """Normalise a text for searching: NFKC, and one space for every separator of digits and words."""
    text = unicodedata.normalize("NFKC", text).strip()
    text = re.sub(r"(\d)\.0+$", r"\1", text)
    return text if _DECIMAL_NUMBER.fullmatch(text) else _SEPARATORS.sub(" ", text).strip()


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
LAST_SERIAL_OF_A_BIRTH = 40543  # 31 December 2010; serial numbers before May 1927 have only four digits, like a year


def _is_full_date(plain: str) -> bool:
    if serial := _SERIAL_DAY.fullmatch(plain):
        return int(serial[1]) <= LAST_SERIAL_OF_A_BIRTH
    return bool(_DATE_IN_DIGITS.search(plain) or _DATE_IN_WORDS.search(plain))


def heading_is_personal(heading: str) -> bool:
    """Whether a column's heading says that it holds personal data (rule F11)."""
    folded = fold(heading)
    return any(word in folded for word in _PERSONAL_HEADINGS) or folded in _NAMES_ALONE


def may_contain_name(texts: pl.Expr) -> pl.Expr:
    """Which texts may contain a person's name, and have to be examined."""
    # one long pattern: polars caches a compiled regular expression, but would rebuild `contains_any` at each call
    return texts.str.to_lowercase().str.contains(_any_certain_name()) | texts.str.contains(TITLE)


@lru_cache
def _any_certain_name() -> str:
    return "|".join(re.escape(name) for name in sorted(certain_names()))
