"""Infer how a whole column is written where single cells do not show it: hours for minutes, times, codes as decimals.

Evidence is gathered batch by batch. The file is then read a second time with what it shows, as it is for dates.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from decimal import Decimal

from flows.cells.code_lookup import SPREADSHEET_NUMBER, has_bands
from flows.cells.reading import Reading, repaired
from flows.cells.reading.numbers import (
    CLOCK,
    HOURS_MINUTES,
    MINUTES_SECONDS,
    PLAIN_NUMBER,
    UNCLEAR,
    read_clock,
    whole_minutes,
)
from schemas._contract.model import HOURS_A_WEEK, MINUTES, Field, Kind, Severity
from schemas._rules.cells import HOURS_RULE

MIN_CELLS = 2  # such as 0.75 or 0:20 in a column of whole minutes: a single one may be a slip
MIN_FRACTION_SHARE = 0.1  # of the cells that can be hours
MIN_CODES = 10  # such as 3.0 in a column of codes for bands of hours
MAX_OTHERS = 0.1  # for each cell that shows the column's form: so many may have been typed otherwise


@dataclass(frozen=True)
class ColumnForm:
    """How a column is written. `in_hours` and `clock_severity` are the severities of such cells."""

    in_hours: Severity | None = None
    is_partly_in_minutes: bool = False  # then a whole number up to eight may be either
    clock: str = ""
    clock_severity: Severity = Severity.ROW
    has_codes_as_decimals: bool = False
    codes_as_decimals: Severity | None = None  # where each may also be a number of a band


USUAL_FORM = ColumnForm()


@dataclass
class FormEvidence:
    """Evidence for a column's form: numbers of cells."""

    fractions: int = 0  # in a column of minutes: no whole number, and not too many for hours
    whole_hours: int = 0  # whole numbers that may be hours
    minutes: int = 0  # numbers that are too many for hours
    part_hours: int = 0  # times such as 1:15, which cannot be minutes and whole seconds
    full_hours: int = 0  # times such as 1:00, which may be a minute
    too_long: int = 0  # times such as 45:00, too many for hours
    code_decimals: int = 0  # 98.0 where 98 is a code, and greater than any number of a band
    band_decimals: int = 0  # 3.0 where 3 is a code, and also a number of a band
    other_decimals: int = 0  # 37.5 where there is no such code

    def add(self, other: FormEvidence) -> None:
        """Add the evidence of another batch."""
        for field in fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))

    def add_cells(self, text: str, number: int, field: Field) -> None:
        """Add a number of cells with one text."""
        if name := _evidence_of(text.strip(), field):
            setattr(self, name, getattr(self, name) + number)


def has_forms(field: Field) -> bool:
    """Whether cells of a field may be in several forms that only the whole column tells apart."""
    return field.unit in (MINUTES, HOURS_A_WEEK) or (field.kind is Kind.CODE and has_bands(field.code_list))


def _evidence_of(text: str, field: Field) -> str:
    """What a text is evidence of, as the name in `FormEvidence`; '' if of nothing."""
    if field.kind is Kind.CODE:
        return _evidence_of_codes(text, field)
    if field.unit != MINUTES or field.high is None:
        return "part_hours" if CLOCK.fullmatch(text) else ""
    if clock := CLOCK.fullmatch(text):
        if 60 * int(clock[1]) + int(clock[2]) > field.high:
            return "too_long"
        return "part_hours" if int(clock[2]) else "full_hours"
    if not PLAIN_NUMBER.fullmatch(text) or text in field.sentinels or (number := Decimal(text)) <= 0:
        return ""
    if 60 * number > field.high:
        return "minutes"
    return "whole_hours" if number == int(number) else "fractions"


def _evidence_of_codes(text: str, field: Field) -> str:
    if not re.fullmatch(r"[0-9]+\.[0-9]+", text):
        return ""
    number = SPREADSHEET_NUMBER.fullmatch(text)
    codes = {code.lstrip("0") for code in field.code_list.codes}
    if not number or number[1] not in codes:
        return "other_decimals"
    in_labels = [int(n) for entry in field.code_list.entries for n in re.findall("[0-9]+", entry.label)]
    return "code_decimals" if int(number[1]) > max(in_labels) else "band_decimals"


def infer_form(evidence: FormEvidence, many: float) -> ColumnForm:
    """The form of a column. If more than `many` cells are held for it, it refuses the file."""

    def severity(cells: int) -> Severity:
        return Severity.FILE if cells > many and cells >= MIN_CELLS else Severity.ROW

    hours = evidence.fractions + evidence.whole_hours
    in_hours = (
        evidence.fractions >= max(MIN_CELLS, MIN_FRACTION_SHARE * hours)
        and evidence.minutes <= MAX_OTHERS * evidence.fractions
    )
    if not evidence.too_long:
        clock = HOURS_MINUTES if evidence.part_hours else ""
    else:
        clock = UNCLEAR if evidence.part_hours > MAX_OTHERS * evidence.too_long else MINUTES_SECONDS
    # so many numbers of a few, and no other, are hardly hours: but they may be, so none is read
    are_likely_codes = evidence.band_decimals >= MIN_CODES and not evidence.code_decimals + evidence.other_decimals
    return ColumnForm(
        in_hours=severity(hours) if in_hours else None,
        is_partly_in_minutes=in_hours and evidence.minutes > 0,
        clock=clock,
        clock_severity=severity(evidence.part_hours + evidence.full_hours + evidence.too_long),
        has_codes_as_decimals=evidence.code_decimals > 0 and not evidence.other_decimals,
        codes_as_decimals=severity(evidence.band_decimals) if are_likely_codes else None,
    )


def read_in_form(text: str, field: Field, form: ColumnForm) -> Reading | None:
    """The result for a cell whose column is written in a form; None if that makes no difference to it."""
    plain = text.strip()
    if field.kind is Kind.CODE:
        is_one = form.has_codes_as_decimals or form.codes_as_decimals
        number = SPREADSHEET_NUMBER.fullmatch(plain) if is_one else None
        codes = [c for c in field.code_list.codes if number and c.lstrip("0") == number[1]]
        if len(codes) != 1:
            return None
        return Reading(None, "C14", s, codes[0]) if (s := form.codes_as_decimals) else repaired("C14", codes[0])
    if reading := read_clock(plain, field, form.clock, form.clock_severity):
        return reading
    if form.in_hours is None or _evidence_of(plain, field) not in ("fractions", "whole_hours"):
        return None
    number_of_hours = Decimal(plain)
    if form.is_partly_in_minutes and number_of_hours == int(number_of_hours):
        return Reading(None, HOURS_RULE, form.in_hours)
    return Reading(None, HOURS_RULE, form.in_hours, whole_minutes(60 * number_of_hours, field))
