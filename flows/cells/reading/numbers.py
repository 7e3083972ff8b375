"""Parse numbers and amounts of money. Source: docs/domain.md 6.2 (C08, C11-C13, C21, C22)."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal

from flows.cells.reading import Reading, Value, as_written, fault, repaired
from flows.cells.reading.units import stated_number
from schemas._contract.model import HOURS_A_WEEK, MINUTES, Field, Kind, Severity
from schemas._rules.cells import CLOCK_RULE, HOURS_RULE

DECIMAL_COMMA = re.compile(r"-?([0-9]+|[0-9]{1,3}(\.[0-9]{3})+),[0-9]{1,2}")
STOPS_BETWEEN_THOUSANDS = re.compile(r"[-(]?[0-9]{1,3}(\.[0-9]{3})+\)?")  # 1.200 pounds may be meant as twelve hundred
# 1,200.00- as some ledgers print it; and the signs and gaps that word processors and people write for -1200
MINUS_ELSEWHERE = re.compile(r"[\u2212\u2013] ?(£? ?[0-9].*)|(£? ?[0-9][0-9, ]*(?:\.[0-9]+)?) ?[-\u2212\u2013]")
CREDIT_OR_DEBIT = re.compile(r"(?:(CR|DR)\.? ?)?(£?[0-9][0-9,]*(?:\.[0-9]+)?)(?: ?(CR|DR)\.?)?", re.IGNORECASE)
NIL = re.compile(
    "£ ?[-\u2212\u2013\u2014]|[-\u2212\u2013\u2014] ?£|[\u2212\u2013\u2014]"
)  # how spreadsheets show 0 as money
SPACES_BETWEEN_THOUSANDS = re.compile(r"[-(]?[0-9]{1,3}( [0-9]{3})+([.,][0-9]+)?\)?")
POUND_SIGN = re.compile(r"^([-(]?) ?£ ?")
PLAIN_NUMBER = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?")  # longer ones overflow Decimal, and are no duration
OUT_OF = re.compile(r"([0-9]{1,4}(?:\.[0-9]{1,2})?) ?(?:/|\(?(?:out )?of) ?([0-9]{1,4})\)?", re.IGNORECASE)
CLOCK = re.compile("([0-9]{1,3}):([0-5][0-9])(?::([0-5][0-9]))?")
HOURS_MINUTES, MINUTES_SECONDS, UNCLEAR = "h:mm", "m:ss", "h:mm or m:ss"  # what a column of such texts may be
PERCENTAGE = re.compile(r"(-?[0-9]{1,6}(?:\.[0-9]{1,15})?) ?(?:%|per ?cent)", re.IGNORECASE)


def read_number(text: str, field: Field) -> Reading:
    """Parse a number that is neither suppressed nor a word for 'missing'."""
    if text in field.sentinels:
        return fault("C08")
    if field.kind is Kind.MONEY:
        if marked := _credit_or_debit(text, field):
            return marked
        text, as_sent = _with_minus_before(text), text
        plain = _without_pound_sign(text)
    else:
        plain = as_sent = text
    if DECIMAL_COMMA.fullmatch(plain) or (field.kind is Kind.MONEY and STOPS_BETWEEN_THOUSANDS.fullmatch(plain)):
        return fault("C12", _with_a_decimal_point(plain, field))
    if (field.is_share or field.statistic) and (percent := PERCENTAGE.fullmatch(plain)):
        meant = (Decimal(percent[1]) / (100 if field.is_share else 1)).normalize()
        reading = _number(meant, field, "C21")
        return replace(reading, suggestion=f"{meant:f}") if reading.rule_id == "C21" else reading
    if field.kind is Kind.MONEY:
        plain = _plain_money(plain)
    rule = "C11" if plain != as_sent else ""
    if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?E[+-]?[0-9]{1,4}", plain, re.IGNORECASE):
        rule = "C13"
    elif not PLAIN_NUMBER.fullmatch(plain):
        return read_clock(text, field) or _read_stated(text, field) or fault("V05", _meant(plain, field))
    return _number(Decimal(plain), field, rule)


def _read_stated(text: str, field: Field) -> Reading | None:
    """The result for a number with a unit or in words (C29, C31); None for any other text."""
    stated = stated_number(text, field)
    if stated is None:
        return None
    number = Decimal(stated.number.numerator) / Decimal(stated.number.denominator)
    reading = _number(number, field, "C29" if stated.has_unit else "C31")
    if reading.rule_id == "V06" and stated.is_in_hours:  # 0.33 hours were 20 minutes once, but may be 19.8
        return fault(HOURS_RULE, whole_minutes(number, field))
    is_valid = (field.low is None or number >= field.low) and (field.high is None or number <= field.high)
    return reading if is_valid or reading.value is None else Reading(reading.value)  # out of range: one finding


def is_part_of_hours(text: str) -> bool:
    """Whether a text is a number of hours such as 1.666666667, which are whole minutes, or has few decimals.

    The digits of some such numbers are a valid NHS number.
    """
    if not re.fullmatch(r"[0-8]\.[0-9]{1,17}", text):
        return False
    minutes = 60 * Decimal(text)
    return len(text) <= len("0.3333") or abs(minutes - round(minutes)) < Decimal("0.001")


def whole_minutes(minutes: Decimal, field: Field) -> str:
    """A number of minutes, rounded, as a suggestion; '' if it is out of range."""
    return _if_valid(Decimal(round(minutes)), field)


def read_clock(text: str, field: Field, form: str = "", severity: Severity = Severity.ROW) -> Reading | None:
    """The result for a duration such as 1:15 (C29), with a suggestion if it has one reading; None for any other text.

    `form` is what the numbers are in the whole column, if that is known: HOURS_MINUTES or MINUTES_SECONDS.
    """
    match = CLOCK.fullmatch(text) if field.unit in (MINUTES, HOURS_A_WEEK) else None
    if match is None:
        return None
    first, second, third = (int(n or 0) for n in match.groups())
    minutes = Decimal(60 * first + second)
    if third or form == UNCLEAR:
        meant = ""
    elif field.unit == HOURS_A_WEEK:
        meant = _if_valid(minutes / 60, field)
    elif form == MINUTES_SECONDS:
        meant = "" if second else _if_valid(Decimal(first), field)
    else:  # of 5:00 alone it is not known whether it is hours or minutes
        meant = _if_valid(minutes, field) if second or form == HOURS_MINUTES else ""
    return Reading(None, CLOCK_RULE, severity, meant)


def _with_minus_before(text: str) -> str:
    """An amount with its minus as the first sign, where it is written after the amount, apart from it or as a dash."""
    amount = MINUS_ELSEWHERE.fullmatch(text)
    return f"-{next(filter(None, amount.groups())).strip()}" if amount else text


def _credit_or_debit(text: str, field: Field) -> Reading | None:
    """The result for an amount that is marked as a credit or a debit (C36); None for any other text."""
    match = CREDIT_OR_DEBIT.fullmatch(text)
    if match is None or bool(match[1]) == bool(match[3]):
        return None
    sign = "-" if (match[1] or match[3]).upper() == "CR" else ""
    return fault("C36", _without_commas(f"{sign}{match[2].replace('£', '')}", field))


def _without_pound_sign(text: str) -> str:
    """An amount without its pound sign, and without spaces if they separate thousands."""
    bare = POUND_SIGN.sub(r"\1", text)
    return bare.replace(" ", "") if SPACES_BETWEEN_THOUSANDS.fullmatch(bare) else bare


def _with_a_decimal_point(text: str, field: Field) -> str:
    """A number with a decimal comma, corrected. '' if it has full stops alone, which may mean thousands or pence."""
    whole, comma, pence = text.partition(",")
    return _if_valid(Decimal(f"{whole.replace('.', '')}.{pence}"), field) if comma else ""


def _without_commas(text: str, field: Field) -> str:
    """A number without commas between thousands, which are only accepted in money; '' if it still is not a number."""
    bare = _plain_money(text)
    return _if_valid(Decimal(bare), field) if PLAIN_NUMBER.fullmatch(bare) else ""


def _meant(text: str, field: Field) -> str:
    """The number that a text surely means, as a suggestion: 1200 for 1,200, and 104 for 104/125; '' if none is sure."""
    part = OUT_OF.fullmatch(text) if not field.unit and field.kind is not Kind.MONEY else None
    if part is None:
        return _without_commas(text, field)
    number, most = Decimal(part[1]), Decimal(part[2])
    return _if_valid(number, field) if number <= most and field.high in (None, most) else ""


def _if_valid(number: Decimal, field: Field) -> str:
    """A number as text if it is valid for the field; else ''."""
    reading = _number(number, field, "")
    outside = (field.low is not None and number < field.low) or (field.high is not None and number > field.high)
    return "" if reading.rule_id or outside else as_written(reading.value)


def _plain_money(text: str) -> str:
    """An amount with a minus sign for brackets, and without commas if they separate thousands."""
    bare = f"-{text[1:-1]}" if text.startswith("(") and text.endswith(")") else text
    return bare.replace(",", "") if re.fullmatch(r"-?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?", bare) else bare


def _number(number: Decimal, field: Field, rule: str) -> Reading:
    scale = 0 if field.kind is Kind.INTEGER else 2 if field.kind is Kind.MONEY else field.decimals
    # more digits than the column's type in the warehouse has
    if number.adjusted() >= (15 if field.kind is Kind.INTEGER else 14 - scale):
        return fault("V03")
    if number != round(number, scale):
        return fault("V06" if field.kind is Kind.INTEGER else "V04")
    if number < 0 and field.low is not None and field.low >= 0:
        return fault("C22")
    value: Value = int(number) if field.kind is Kind.INTEGER else round(number, scale)
    return repaired(rule, value) if rule else Reading(value)
