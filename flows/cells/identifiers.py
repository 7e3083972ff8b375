"""Personal data that must not be in an extract: how it is recognised. Source: docs/domain.md 2.4, rules P01-P03, F11.

The detectors look for identifiers of people. They never keep or show what they find.
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

# What follows is looked for in a text as `_plain` gives it: marks between digits and words are single spaces there.
# A QQ number is nobody's, and stands where somebody's would; OO and FY are given out for want of a number.
_NINO = r"(?:(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]|QQ|OO|FY) ?\d{2} ?\d{2} ?\d{2} ?[A-D]"
NINO = re.compile(rf"(?<![A-Z0-9]){_NINO}(?![A-Z0-9])", re.IGNORECASE)
POSTCODE = re.compile(r"(?<![A-Z0-9])[A-Z]{1,2}\d[A-Z\d]? ?\d[ABD-HJLNP-UW-Z]{2}(?![A-Z0-9])", re.IGNORECASE)
EMAIL = re.compile(r"[\w.+-] ?@ ?[\w-]{1,63}\.\w")
TELEPHONE = re.compile(
    r"\+ ?[1-9](?: ?\d){9,13}(?!\d)"
    r"|(?<!\d)(?:00 ?44 ?0?|44) ?[1-37](?: ?\d){8,9}(?!\d)"
    r"|(?<!\d)0[1-9]\d{1,3}(?: ?\d){6,8}(?!\d)"  # the dialling code in one piece: a day and its time are no number
)
_TELEPHONE_IN_DIGITS = re.compile(r"(?:0|44|0044)[1-37]\d{9}")
TEN_DIGITS = re.compile(r"(?<!\d)(?=(\d{3} ?\d{3} ?\d{4}|\d{4} ?\d{3} ?\d{3}|\d{3} ?\d{4} ?\d{3}|\d{5} ?\d{5})(?!\d))")
_DECIMAL_NUMBER = re.compile(r"[+-]?(?:0|[1-9]\d*)\.\d+")
_UNSEEN = re.compile(f"[{INVISIBLE_CHARACTERS}{CONTROL_CHARACTERS}]")
_BETWEEN = re.compile(r"[\s_./\\()\[\]{}\-\u2010-\u2015\u2212]+")
_REFERENCE = re.compile(r"[A-Z]{2,8}-[A-Z0-9]{6,16}")

# Polars patterns of what is worth a closer look. Clean coded cells never match.
# Any cell: ten digits, an at sign, letters and digits as in a postcode or NINO, or characters that may stand for those.
WORTH_A_LOOK = "|".join(
    (
        r"(?:[0-9][^0-9A-Za-z]*){9}[0-9]",
        "@",
        rf"[^\x00-\x7f]|[{CONTROL_CHARACTERS}]",
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
        r"^(?:[A-Z]{2,8}-)?[A-Z]{1,2}[0-9][A-Z0-9]?-?[0-9][ABD-HJLNP-UW-Z]{2}$",
    )
)
_AREA = (
    "A[BL]|B[ABDHLNRST]?|C[ABFHMORTVW]|D[ADEGHLNTY]|E[CHNX]?|F[KY]|G[LUY]?|H[ADGPRSUX]|I[GMPV]|JE|K[ATWY]|L[ADELNSU]?"
    "|M[EKL]?|N[EGNPRW]?|OL|P[AEHLOR]|R[GHM]|S[AEGKLMNOPRSTWY]?|T[ADFNQRSW]|UB|W[ACDFNRSV]?|YO|ZE"
)
_IS_POSTCODE = re.compile(rf"(?:[A-Z]{{2,8}}-)?(?:{_AREA})[0-9][A-Z0-9]?-?[0-9][ABD-HJLNP-UW-Z]{{2}}")
MAY_BE_A_DATE = r".{5}"  # a year and an age are shorter
# Digits and at most a prefix: what they are, only the column says. Of any ten, one in eleven is an NHS number.
JUST_DIGITS = r"^(?:[A-Z]{2,8}-|[A-Z]-)?[0-9]{10,14}$"
A_DAY_IN_DIGITS = r"^(?:[A-Z]{1,8}-)?(?:[0-9]{8}|[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{2}-[0-9]{2}-[0-9]{4})$"
FIRST_YEAR_OF_A_BIRTH, LAST_YEAR_OF_A_BIRTH = 1900, 2010
TRIED, LEAST_BEHIND_PREFIX = 1000, 3
_FEW, _FEW_AT_MOST = 0.1, 2  # of a column's references: ten digits that so few have are no way of numbering people

# Valid by their check digit, yet nobody's number (docs/domain.md 2.4).
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
    """Whether ten digits are an NHS number by modulus 11, sentinels apart. Source: docs/domain.md 2.4."""
    digits = re.sub(r"[ -]", "", text)
    if not re.fullmatch(r"[0-9]{10}", digits) or digits in NOT_A_PERSON:
        return False
    check = 11 - sum(int(d) * w for d, w in zip(digits, range(10, 1, -1), strict=False)) % 11
    return check != 10 and check % 11 == int(digits[9])


def personal_rule(text: str, field: Field | None = None) -> str | None:
    """The rule that a cell's text breaks by holding personal data: P01, P02, P03 or None. No field: one unknown."""
    return next((rule for seen in _as_seen(text) if (rule := _rule_of(seen, field))), None)


def _as_seen(text: str) -> tuple[str, ...]:
    """A text as a reader might see it: of what shows nowhere, nobody knows whether it parts two words or none."""
    return (_UNSEEN.sub("", text), _UNSEEN.sub(" ", text)) if _UNSEEN.search(text) else (text,)


def _rule_of(text: str, field: Field | None) -> str | None:
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
    """The rules that a column's texts of the form JUST_DIGITS break, taken together: {text: rule}.

    Of any ten digits one in eleven is an NHS number by chance, of eleven some are shaped like a telephone number; more
    than half of a column are so by design.
    """
    nhs_number = "P02" if field is not None and field.personal_when is PersonalWhen.NHS_NUMBER else "P01"
    alike: dict[tuple[int, bool], list[str]] = {}
    for text in texts:
        prefix, _, digits = text.rpartition("-")
        alike.setdefault((len(digits), prefix not in ("", "NHS")), []).append(text)
    broken: dict[str, str] = {}
    for (length, has_prefix), some in alike.items():
        is_one = is_nhs_number if length == 10 else _is_telephone
        tried = some[:TRIED]
        least = LEAST_BEHIND_PREFIX if has_prefix and length == 10 else 1
        if len(tried) >= least and 2 * sum(is_one(t.rpartition("-")[2]) for t in tried) > len(tried):
            broken |= dict.fromkeys(some, nhs_number if length == 10 else "P01")
    return broken


def rare_nhs_numbers(digits: Sequence[str], texts: int) -> list[str]:
    """The references with an NHS number behind their prefix, where only few of a column's `texts` have ten digits."""
    ten = [t for t in digits if len(t.rpartition("-")[2]) == 10]
    return [t for t in ten if is_nhs_number(t[-10:])] if len(ten) <= max(texts * _FEW, _FEW_AT_MOST) else []


def rules_of_births(texts: Sequence[str]) -> dict[str, tuple[str, Severity]]:
    """The rules that references of the form A_DAY_IN_DIGITS break, taken together: {text: (rule, severity)}.

    More than half of those with so many digits are days of birth by design (P03, the file); fewer may be chance or
    may be somebody's (P01, the row).
    """
    births = [t for t in texts if _is_day_of_birth(re.sub(r"[^0-9]", "", t))]
    by_design = len(births) >= LEAST_BEHIND_PREFIX and 2 * len(births) > len(texts)
    return dict.fromkeys(births, ("P03", Severity.FILE) if by_design else ("P01", Severity.ROW))


def _is_day_of_birth(digits: str) -> bool:
    """Whether eight digits are a day up to 2010, its year in front or behind."""
    for year, month, day in ((digits[:4], digits[4:6], digits[6:]), (digits[4:], digits[2:4], digits[:2])):
        if FIRST_YEAR_OF_A_BIRTH <= int(year) <= LAST_YEAR_OF_A_BIRTH:
            with suppress(ValueError):
                return bool(date(int(year), int(month), int(day)))
    return False


def may_be_a_persons(text: str) -> bool:
    """Whether a text of the agreed form may yet be a person's: a name, an initial joined to one, a full postcode."""
    return any(
        holds_listed_name(seen) or holds_initial_and_surname(seen) or bool(_IS_POSTCODE.fullmatch(seen))
        for seen in _as_seen(text)
    )


def _is_telephone(digits: str) -> bool:
    return bool(_TELEPHONE_IN_DIGITS.fullmatch(digits))


def _rule_of_reference(text: str, nhs_number: str) -> str | None:
    """A reference of the agreed form, as a whole and behind its prefix."""
    whole, tail = text.replace("-", ""), text.partition("-")[2].replace("-", "")
    if is_nhs_number(whole.removeprefix("NHS")):
        return nhs_number
    if any(NINO.fullmatch(t) or _TELEPHONE_IN_DIGITS.fullmatch(t) for t in (whole, tail)):
        return "P01"
    return "P01" if holds_full_name(_plain(text)) else None


def _plain(text: str) -> str:
    """A text as it is searched: one form of each character, and one space for whatever parts digits and words."""
    text = unicodedata.normalize("NFKC", text).strip()
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


def may_be_named(texts: pl.Expr) -> pl.Expr:
    """Which texts may hold a person's name: for a closer look."""
    # polars keeps a compiled pattern, and would put a search for many words together anew for each few texts
    return texts.str.to_lowercase().str.contains(_any_certain_name()) | texts.str.contains(TITLE)


@lru_cache
def _any_certain_name() -> str:
    return "|".join(re.escape(name) for name in sorted(certain_names()))
