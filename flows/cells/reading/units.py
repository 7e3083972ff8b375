"""Parse numbers with a unit or in words: '45 mins', '1h 15m', 'GBP 1,100', '£1.1m', 'thirty' (rules C29-C31)."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NamedTuple

from schemas._contract.model import (
    FULL_TIME,
    HOURS_A_WEEK,
    LEDGER_PERIOD,
    MINUTES,
    MONTHS,
    POUNDS_AN_HOUR,
    YEARS,
    Field,
    Kind,
)

MAX_LENGTH = 60  # characters
_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_NUMBER_WORDS = {word: n for n, word in enumerate(_SMALL.split())}
_NUMBER_WORDS |= {word: 10 * n for n, word in enumerate(_TENS.split(), 2)}
_MULTIPLES = {"hundred": 100, "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}
_SHORT_MULTIPLES = {"k": 1_000, "m": 1_000_000, "mn": 1_000_000, "b": 1_000_000_000, "bn": 1_000_000_000}
_MINUTE_WORDS = ("m", "min", "mins", "minute", "minutes")
_HOUR_WORDS = ("h", "hr", "hrs", "hour", "hours")
_MONTH_WORDS = ("m", "mth", "mths", "mo", "mos", "month", "months")
_YEAR_WORDS = ("y", "yr", "yrs", "year", "years")
# For each unit of a field, the words that may follow a number, largest unit first, and what it is then multiplied by.
_WORDS_OF: dict[str, tuple[tuple[tuple[str, ...], Fraction], ...]] = {
    MINUTES: ((_HOUR_WORDS, Fraction(60)), (_MINUTE_WORDS, Fraction(1))),
    HOURS_A_WEEK: ((_HOUR_WORDS, Fraction(1)), (_MINUTE_WORDS, Fraction(1, 60))),
    MONTHS: ((_YEAR_WORDS, Fraction(12)), (_MONTH_WORDS, Fraction(1))),
    YEARS: ((_YEAR_WORDS, Fraction(1)),),
    FULL_TIME: ((("fte", "wte"), Fraction(1)),),
    "days": ((("d", "day", "days"), Fraction(1)),),
    "conditions": ((("condition", "conditions"), Fraction(1)),),
}
_ENDINGS = {
    HOURS_A_WEEK: re.compile(r"(?: (?:a|per|each) week| ?/ ?(?:week|wk)| ?p\.?w\.?| weekly)$"),
    YEARS: re.compile(" (?:old|of age)$"),
    POUNDS_AN_HOUR: re.compile(r"(?: (?:an|per|each) hour| ?/ ?(?:hour|hr|h)| ?p\.?h\.?| hourly)$"),
}
_HALVES = (
    (re.compile("^(?:an|one|1) hour and a half$"), "90 minutes"),
    (re.compile("^(?:a )?half (?:an )?hour$"), "30 minutes"),
    (re.compile("^(?:a )?quarter of an hour$"), "15 minutes"),
    (re.compile("^three quarters of an hour$"), "45 minutes"),
    (re.compile("^an hour(?= |$)"), "1 hour"),
)
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([a-z]*)\.?(?: and | ?[,&] ?| |(?=[0-9])|$)")
_MONEY = re.compile(
    r"(-(?! )|)(?:£|gbp)? ?([0-9]{1,3}(?:[ ,][0-9]{3})+|[0-9]+)(\.[0-9]+)? ?([a-z]*)( (?:pounds?|gbp|sterling))?"
)


_PERIOD = re.compile(r"(?:p|pd|per|period|month|mth|m)\.? ?0?([0-9]{1,2})", re.IGNORECASE)


class Stated(NamedTuple):
    """The number that a text states, in the field's unit, and whether a unit is given."""

    number: Fraction
    has_unit: bool
    is_in_hours: bool = False  # stated in hours alone, in a field of minutes


def stated_number(text: str, field: Field) -> Stated | None:
    """Parse a number that has a unit, or is in words; None for any other text."""
    if len(text) > MAX_LENGTH:
        return None
    if field.unit == LEDGER_PERIOD:
        period = _PERIOD.fullmatch(text)
        return Stated(Fraction(period[1]), has_unit=True) if period else None
    plain = re.sub(r"\s+", " ", text.casefold()).strip()
    ending = _ENDINGS.get(field.unit)
    bare = ending.sub("", plain) if ending else plain
    has_ending = bare != plain
    if field.unit in (MINUTES, HOURS_A_WEEK):
        for pattern, meaning in _HALVES:
            bare = pattern.sub(meaning, bare)
    bare = _with_digits_for_words(bare)
    if field.kind is Kind.MONEY:
        amount = _money(bare)
        return Stated(amount, has_ending) if amount is not None else None
    if re.fullmatch("[0-9]+", bare):
        return Stated(Fraction(bare), has_ending)
    return _with_units(bare, field.unit)


def _with_digits_for_words(text: str) -> str:
    """A text whose words for a number at its beginning are replaced by digits: 'thirty-five mins' gives '35 mins'."""
    words = re.findall("[a-z]+", re.match("[a-z -]*", text)[0])  # type: ignore[index] # it matches any text
    total, current, used = 0, 0, 0
    for n, word in enumerate(words):
        if word in _NUMBER_WORDS:
            number, before = _NUMBER_WORDS[word], current % 100
            is_unit_of_ten = 0 < number < 10 and before >= 20 and before % 10 == 0
            if before and not is_unit_of_ten:  # 'nineteen eighty' is not a sum
                return text
            current += number
        elif word in _MULTIPLES and n:
            current = max(current, 1) * _MULTIPLES[word]
            if _MULTIPLES[word] > 100:
                total, current = total + current, 0
        elif word != "and" or not n:
            break
        used = n + 1
    if not used:
        return text
    end = [m.end() for m in re.finditer("[a-z]+", text)][used - 1]
    return f"{total + current}{text[end:]}"


def _money(text: str) -> Fraction | None:
    """The pounds that a text such as '£1.1m', '1.2k', '3 million' or 'GBP 1,100' states."""
    match = _MONEY.fullmatch(text)
    if match is None:
        return None
    sign, whole, decimals, word, currency = match.groups()
    if word in ("pound", "pounds", "gbp", "sterling") and not currency:
        word = ""
    multiple = 1 if not word else (_SHORT_MULTIPLES | _MULTIPLES).get(word)
    # 1.200 alone may be meant as twelve hundred
    if multiple is None or (multiple == 1 and len(decimals or "") == len(".200")):
        return None
    return Fraction(f"{sign}{re.sub('[ ,]', '', whole)}{decimals or ''}") * multiple


def _with_units(text: str, unit: str) -> Stated | None:
    """The number that a text with units states; None unless each number has one, largest first.

    The last may lack it after a larger unit: '1h 15' is 75 minutes.
    """
    known = _WORDS_OF.get(unit, ())
    parts, at = [], 0
    while at < len(text) and (part := _PART.match(text, at)):
        parts.append((Fraction(part[1]), part[2]))
        at = part.end()
    if at < len(text) or not parts or not parts[0][1]:
        return None
    total, last = Fraction(0), -1
    for number, word in parts:
        rank = next((i for i, (words, _) in enumerate(known) if word in words), None) if word else last + 1
        if rank is None or rank <= last or rank >= len(known):
            return None
        total, last = total + number * known[rank][1], rank
    return Stated(total, has_unit=True, is_in_hours=unit == MINUTES and last == 0)
