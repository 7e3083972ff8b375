"""Parse the text of one cell by its field's kind, with what was wrong or repaired. Source: docs/domain.md 6.2.

`read_cell` only gets unusual texts. A cell in its canonical form (`canonical_pattern`) is converted by polars, so a
clean file costs no Python per cell; an unusual text is parsed once, however many cells have it.

A text is at fault here if it cannot be given the field's type, or has a letter for a digit. A code that is not listed,
a reference of the wrong form or a number out of range parses: typed values are validated later.

A suggestion is what the sender most likely meant, where that is certain. It is never used as the value.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from itertools import combinations

from flows.cells.code_lookup import (
    MAX_LABEL_LENGTH,
    code_beside_year,
    codes_within,
    has_bands,
    likely_code,
    named_twice,
    near_code,
)
from flows.cells.date_orders import HOLD_ROWS, YEAR_DAY_MONTH, YEAR_MONTH_DAY, DateReading, swapped
from flows.cells.dates import (
    MAX_DATE_LENGTH,
    MOMENT,
    NumericDate,
    YearFirst,
    day_in_london,
    is_midnight,
    month_alone,
    parse_numeric_date,
    real_day,
    worded,
    year_first,
)
from flows.cells.garbled import CONTROL, SIGNS_OF_GARBLING, is_garbled, ungarbled
from flows.cells.reading import Reading, as_written, fault, repaired
from flows.cells.reading.numbers import NIL, read_number
from flows.cells.reading.references import agreed_form
from schemas._contract.code_lists import fold
from schemas._contract.model import LAST_DAY, SHARE, Field, Kind, Severity
from schemas._contract.workbook_names import IN_PLACE_OF_VALUES, NO_RESULT
from schemas._rules.cells import YEAR_FIRST_RULE

_MISSING_WORDS = "N/K, NK, N/A, NA, NULL, None, TBC, TBA, unknown, not recorded, not known, nil, NaN"
MISSING_WORDS = frozenset(fold(word) for word in _MISSING_WORDS.split(", ")) | {""}
SPREADSHEET_ERROR = re.compile(
    r"^#(REF!|N/A|VALUE!|NAME\?|DIV/0!|NULL!|NUM!|GETTING_DATA|SPILL!|CALC!)$", re.IGNORECASE
)
NOT_CALCULATED = "#NO VALUE!"  # given by the reader of workbooks for a formula without a stored result (rule F37)
SUPPRESSED = re.compile(r"^(\*|<\s?[0-9]+|\[?c\]?|:)$", re.IGNORECASE)
# Characters without width. Spaces of other kinds are treated as spaces.
INVISIBLE_CHARACTERS = r"\u00ad\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff"
INVISIBLE = re.compile(f"[{INVISIBLE_CHARACTERS}]")
_GAP = re.compile(r"[^\S\x0b\x0c\x1c-\x1f\x85]+")  # white space except control characters, which are garbled text
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet may run a text that starts with one (rule C23)
PLACEHOLDER_DATES = {date(1900, 1, 1), date(1899, 12, 30), date(1899, 12, 31), date(9999, 12, 31)}
FIRST_YEAR = 1900  # an earlier one is a slip, or a two-digit year that a spreadsheet padded
FIRST_SERIAL_DAY, LAST_SERIAL_DAY = 20000, 60000  # 1954-10-03 to 2064-04-08: plausible dates (C01)
SERIAL_EPOCH = date(1899, 12, 30)  # day 0 of Excel's serial numbers for dates after February 1900
NO_DAY = re.compile(r"0{1,4}[/.\-]0{1,2}[/.\-]0{1,4}|1900-0?1-00?|00?/0?1/1900")  # serial number 0 as a date
LOOKS_LIKE_A_DIGIT = str.maketrans("OoIl", "0011")
MAX_LOOKALIKES, MAX_CODE_LENGTH = 8, 40  # bound the number of combinations that `_with_digits` tries
SPREADSHEET_DATE = re.compile("[0-9]{1,2}-[A-Za-z]{3}-[0-9]{4}")
_DATE_FOR_CODE = re.compile("[0-9]{1,2}-[A-Z][a-z]{2}(-[0-9]{2,4})?|[0-9]{4}-[0-9]{2}-[0-9]{2}.*")
_MONTH_FOR_BAND = re.compile("[A-Z][a-z]{2}-[0-9]{2}")  # Oct-49: what Excel makes of 10-49
_GOING_ON = "current, present, ongoing, on-going, open, in post, still in post, still employed, still in work, to date"
GOING_ON = frozenset(fold(word) for word in _GOING_ON.split(", "))  # in place of the end of what has not ended
IN_MARKS = re.compile(r"\"([^\"]*)\"|'([^']*)'")  # left by programs that do not interpret quotation marks
QUOTED = re.compile(r"[‘“](.*)[’”]|['’](.*)")  # spreadsheets mark a text by an apostrophe before it
YES = frozenset({"y", "yes", "true", "t", "1", "✓", "✔"})
NO = frozenset({"n", "no", "false", "f", "0", "✗", "✘"})


def canonical_pattern(field: Field) -> str:
    """Regular expression of the texts that `read_cell` need not parse; dates must still be real, and codes listed."""
    if field.pattern:
        return field.pattern
    scale = 2 if field.kind is Kind.MONEY else field.decimals
    excluded = INVISIBLE_CHARACTERS + r"\x7f-\x9f" + ('"' if field.kind is Kind.REFERENCE else SIGNS_OF_GARBLING)
    number = rf"^(?:0|[1-9][0-9]{{0,8}})(?:\.[0-9]{{1,{scale}}})?$" if scale else r"^(?:0|[1-9][0-9]{0,8})$"
    return {
        Kind.DATE: r"^(?:19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}$",
        Kind.INTEGER: r"^(?:0|[1-9][0-9]{0,8})$",
        Kind.DECIMAL: number,
        Kind.MONEY: number,
        Kind.YES_NO: "^[YN]$",
        Kind.FINANCIAL_YEAR: r"^(?:19|20)[0-9]{2}-[0-9]{2}$",
    }.get(
        field.kind,
        rf"^[^\s\x00-\x1f=+@#\-\"'\u00a0{excluded}](?:[^\x00-\x1f\u00a0{excluded}]*[^\s\x00-\x1f\u00a0{excluded}])?$",
    )


def read_cell(text: str, field: Field, dates: DateReading = HOLD_ROWS, own_letters: str = "") -> Reading:
    """Parse one unusual text as `field` requires.

    `dates` is how the numeric dates of its column are read, `own_letters` what the sender's references begin with.
    """
    clean = _tidied(text) if not field.free_text else text.strip(" \t\r\n\u00a0")
    broken = ("\n" in text or "\r" in text) and not field.free_text
    if broken:
        return _without_line_break(clean, field)
    clean = _unquoted(clean, may_be_meant=field.kind in (Kind.TEXT, Kind.REFERENCE))
    if not clean:
        return Reading()
    if SPREADSHEET_ERROR.match(clean):
        return fault("C10")
    if clean == NOT_CALCULATED or clean.casefold() == NO_RESULT:
        return fault("F37")
    if clean.casefold() in IN_PLACE_OF_VALUES:
        return fault("C35")
    reading = _CELL_READERS[field.kind](clean, field, dates)
    if CONTROL.search(clean) and (not reading.rule_id or reading.severity is Severity.ROW):
        return fault("C24", _if_valid_text(ungarbled(clean), field, dates))
    if reading.rule_id:
        return reading
    if (digits := _with_digits(clean, field)) is not None:
        return fault("C19", digits)
    if form := agreed_form(clean, field, own_letters):
        return repaired("C33", form)
    if clean != text and _fits(clean, field):  # else validation reports it: one fault, one finding
        return repaired("C17", reading.value)
    return reading


def _tidied(text: str) -> str:
    return _GAP.sub(" ", INVISIBLE.sub("", text)).strip(" ")


def _if_valid_text(text: str, field: Field, dates: DateReading) -> str:
    """A text if it is valid for the field without any repair; else ''."""
    return text if text and not read_cell(text, field, dates).rule_id and _fits(text, field) else ""


def _unquoted(text: str, *, may_be_meant: bool = False) -> str:
    """A text without the quotation marks around it. `may_be_meant`: curly ones and a single apostrophe stay."""
    quoted = IN_MARKS.fullmatch(text) or (None if may_be_meant else QUOTED.fullmatch(text))
    return (quoted[1] or quoted[2] or "").strip() if quoted else text


def numeric_date_of_cell(text: str, last_year: int) -> NumericDate | None:
    """Parse a date cell such as 03/04/2016, in which either number may be the day; None for any other text."""
    return parse_numeric_date(_unquoted(_tidied(text)), last_year) if len(text) <= 2 * MAX_DATE_LENGTH else None


def year_first_date(text: str) -> YearFirst | None:
    """Parse a date cell such as 2016/02/23; None for any other text, 2016-02-23 among them."""
    clean = _unquoted(_tidied(text)) if len(text) <= 2 * MAX_DATE_LENGTH else ""
    return None if MOMENT.fullmatch(clean) else year_first(clean)


def is_spreadsheet_date(text: str) -> bool:
    """Whether a date cell has its month by name in a spreadsheet's format, such as 03-Nov-2016."""
    return len(text) <= 2 * MAX_DATE_LENGTH and SPREADSHEET_DATE.fullmatch(_unquoted(_tidied(text))) is not None


def _without_line_break(clean: str, field: Field) -> Reading:
    """The result for a cell with a line break: a fault, unless the text is a listed code without it (F14)."""
    if field.kind is Kind.CODE and clean.replace(" ", "") in field.code_list.codes:
        return repaired("F14", clean.replace(" ", ""))
    if field.kind is Kind.CODE and codes_within(clean, field.code_list):
        return fault("C34")
    return fault("F14")


def _with_digits(text: str, field: Field) -> str | None:
    """A code or reference that fits its form once letters O, I or l are replaced by digits (rule C19).

    As few letters as possible are replaced; '' if that can be done in several ways. None for a text that fits already,
    or cannot be made to fit.
    """
    if len(text) > MAX_CODE_LENGTH or _fits(text, field):
        return None
    positions = [i for i, letter in enumerate(text) if letter in "OoIl"][:MAX_LOOKALIKES]
    for number in range(1, len(positions) + 1):
        candidates = [
            "".join(c.translate(LOOKS_LIKE_A_DIGIT) if i in chosen else c for i, c in enumerate(text))
            for chosen in combinations(positions, number)
        ]
        if fitting := [t for t in candidates if _fits(t, field)]:
            return fitting[0] if len(fitting) == 1 else ""
    return None


def _fits(text: str, field: Field) -> bool:
    """Whether a text is a listed code, or has the form of its field. For a field without either, anything fits."""
    if field.kind is Kind.CODE:
        return text in field.code_list.codes
    return not field.pattern or re.search(field.pattern, text) is not None


def suggested(text: str, field: Field) -> str:
    """The suggestion for a code that is not listed, or a two-digit year out of range; '' if none is certain enough."""
    text = _tidied(text)
    if field.kind is Kind.CODE:
        return code_beside_year(text, field.code_list) or near_code(text, field.codes)
    if field.unit == SHARE and (percent := re.fullmatch(r"[0-9]{1,3}(?:\.[0-9]{1,2})?", text)):
        return f"{Decimal(percent[0]) / 100:f}" if 5 <= Decimal(percent[0]) <= 100 else ""
    if (
        re.fullmatch("[0-9]{2}", text)
        and field.kind is Kind.INTEGER
        and field.low is not None
        and field.high is not None
    ):
        years = [y for y in (1900 + int(text), 2000 + int(text)) if field.low <= y <= field.high]
        return str(years[0]) if len(years) == 1 else ""
    return ""


def _missing(text: str, field: Field) -> Reading | None:
    """The result for a word that means 'missing', such as N/K (C09); None for any other text."""
    if text not in (".", "-") and (not (folded := _folded(text)) or folded not in MISSING_WORDS):
        return None
    return fault("C09") if field.required else repaired("C09", None)


def _folded(text: str) -> str:
    """A text folded for look-up; '' for one that is longer than any label."""
    return fold(text) if len(text) <= MAX_LABEL_LENGTH else ""


def _read_text(text: str, field: Field, _: DateReading) -> Reading:
    if missing := _missing(text, field):
        return missing
    if text.startswith(FORMULA_SIGNS) and not field.pattern:
        return repaired("C23", text)
    if is_garbled(text) and not (field.pattern and CONTROL.search(text)):
        return Reading(text, "C24", Severity.WARNING, ungarbled(text))
    return Reading(text)


def _read_reference(text: str, field: Field, _: DateReading) -> Reading:
    if missing := _missing(text, field):
        return missing
    if re.fullmatch(r"[0-9](\.[0-9]+)?E\+?[0-9]+", text, re.IGNORECASE):
        return fault("C15")
    if '"' in text and not field.pattern:  # a field with a pattern is validated against it later
        return fault("V04")
    return Reading(text)


def _read_code(text: str, field: Field, _: DateReading) -> Reading:
    if text in field.code_list.codes:
        return _current_code(text, field)
    code, rule = likely_code(text, field.code_list)
    if code:
        if rule == "C16" and field.old_code_rule and len(text) == 1:
            rule = field.old_code_rule
        current = _current_code(code, field)
        return current if current.rule_id else repaired(rule, code)
    if '"' not in text and (missing := _missing(text, field)):
        return missing
    if _DATE_FOR_CODE.fullmatch(text) or (has_bands(field.code_list) and _MONTH_FOR_BAND.fullmatch(text)):
        return fault("C20")
    if code := named_twice(text, field.code_list):
        return repaired("C16", code)
    if codes_within(text, field.code_list):
        return fault("C34")
    return Reading(text)  # not on the list: validated later, with all other codes


def _current_code(code: str, field: Field) -> Reading:
    """The result for a listed code: the code that has replaced it, if any (P10)."""
    active = field.code_list.replaced.get(code)
    return repaired("P10", active) if active else Reading(code)


def _read_date(text: str, field: Field, dates: DateReading) -> Reading:
    if missing := _missing(text, field):
        return missing
    if field.may_go_on and _folded(text) in GOING_ON:
        return repaired("C09", None)
    if NO_DAY.fullmatch(text):
        return _placeholder(field)
    if moment := MOMENT.fullmatch(text):
        reading = _moment(moment, field)
        day = reading.value if isinstance(reading.value, date) else None
        return _swapped_back(day, dates, reading) if day else reading
    if re.fullmatch(r"[0-9]{5}(\.[0-9]{1,20})?", text) and FIRST_SERIAL_DAY <= float(text) <= LAST_SERIAL_DAY:
        day = SERIAL_EPOCH + timedelta(days=int(float(text)))
        return _swapped_back(day, dates, fault("C01", as_written(day)))
    if parts := parse_numeric_date(text, dates.last_year):
        return _read_numeric_date(parts, field, dates)
    if re.fullmatch(r"[0-9]{1,2}[/.\-][0-9]{1,2}[/.\-][0-9]{2}", text):
        return fault("C03")
    if written := year_first(text):
        return _year_first_date(written, field, dates)
    return _worded_date(text, field, dates)


def _worded_date(text: str, field: Field, dates: DateReading) -> Reading:
    """The result for a date whose month is a word, which has one reading unless its year is missing or has two digits.

    Or its weekday is that of another day. Any other text is no date (C02).
    """
    if field.month_means and (month := month_alone(text)):
        return fault("C28", as_written(month.last if field.month_means == LAST_DAY else month.first))
    written = worded(text)
    if written is None:
        return fault("C02")
    day = written.day(dates.newest_year)
    if day is None or (written.year or 0) < FIRST_YEAR:
        return fault("C28", as_written(day))
    if day in PLACEHOLDER_DATES:
        return _placeholder(field)
    reading = repaired("C28" if is_midnight(written.clock) else "C04", day)
    return _swapped_back(day, dates, reading) if SPREADSHEET_DATE.fullmatch(text) else reading


def _year_first_date(written: YearFirst, field: Field, dates: DateReading) -> Reading:
    """The result for a date such as 2016/02/23, unless its whole column shows that the day comes second."""
    if dates.year_first != YEAR_MONTH_DAY:
        meant = written.day_by_year_day_month if dates.year_first == YEAR_DAY_MONTH else None
        return Reading(None, YEAR_FIRST_RULE, dates.year_first_severity, as_written(meant))
    if written.day is None:
        return fault("C05")
    if written.day in PLACEHOLDER_DATES:
        return _placeholder(field)
    reading = repaired(YEAR_FIRST_RULE if is_midnight(written.clock) else "C04", written.day)
    return _swapped_back(written.day, dates, reading)


def _swapped_back(day: date, dates: DateReading, unswapped: Reading) -> Reading:
    """The result for a true date: `unswapped`, unless a spreadsheet swapped day and month in its column.

    A date after the 12th cannot have been swapped.
    """
    meant = swapped(day)
    if not dates.are_swapped or meant is None:
        return unswapped
    return Reading(None, dates.rule_id, dates.severity, as_written(meant) if dates.order or meant == day else "")


def _moment(moment: re.Match[str], field: Field) -> Reading:
    """The result for a date as year-month-day, perhaps with a time of day and a time zone."""
    day = real_day(*(int(g) for g in moment.groups()[:3]))
    if day is None:
        return fault("C05")
    if day in PLACEHOLDER_DATES:
        return _placeholder(field)
    if day.year < FIRST_YEAR:
        return fault("C03")
    clock, zone = moment[4], moment[5]
    if not clock:
        return Reading(day)
    in_london = day_in_london(day, clock, zone or "")
    return repaired("C04", day) if in_london == day else fault("C04", as_written(in_london))


def _read_numeric_date(parts: NumericDate, field: Field, dates: DateReading) -> Reading:
    days = parts.days
    if PLACEHOLDER_DATES & {*days.values()}:
        return _placeholder(field)
    if not days:
        return fault("C05")
    if parts.year < FIRST_YEAR:
        return fault("C03")
    day = parts.day(dates.order)
    if dates.severity is not Severity.WARNING:
        return Reading(None, dates.rule_id, dates.severity, as_written(day))
    return fault("C02", as_written(day)) if parts.has_time or day != days.get(dates.order) else repaired("C02", day)


def _placeholder(field: Field) -> Reading:
    """The result for a date that software writes for none (C03)."""
    return fault("C03") if field.required else repaired("C03", None)


def _read_number(text: str, field: Field, _: DateReading) -> Reading:
    if SUPPRESSED.match(text):
        return fault("C07")
    if field.kind is Kind.MONEY and (text == "-" or NIL.fullmatch(text)):  # nothing, or not known
        return fault("C09", "0.00") if field.required else repaired("C09", None)
    return _missing(text, field) or read_number(text, field)


def _read_yes_no(text: str, field: Field, _: DateReading) -> Reading:
    if text in ("Y", "N"):
        return Reading(text == "Y")
    word = text.casefold()
    if word in YES or word in NO:
        return repaired("C18", word in YES)
    return _missing(text, field) or fault("C18")


def _read_financial_year(text: str, field: Field, _: DateReading) -> Reading:
    if missing := _missing(text, field):
        return missing
    if ending := re.fullmatch(r"FY ?(?:20)?([0-9]{2})", text, re.IGNORECASE):  # most name it by its end
        return fault("M06", f"20{int(ending[1]) - 1:02d}-{ending[1]}" if int(ending[1]) else "")
    years = re.fullmatch(r"(?:FY ?)?([0-9]{2}|[0-9]{4}) ?[-/\u2010-\u2013] ?([0-9]{2}|[0-9]{4})", text, re.IGNORECASE)
    if not years:
        return fault("M06")
    start = int(years[1]) if len(years[1]) == 4 else 2000 + int(years[1])
    if int(years[2]) % 100 != (start + 1) % 100:
        return fault("M06")
    year = f"{start}-{(start + 1) % 100:02d}"
    return Reading(year) if text == year else repaired("M06", year)


_CELL_READERS: dict[Kind, Callable[[str, Field, DateReading], Reading]] = {
    Kind.TEXT: _read_text,
    Kind.REFERENCE: _read_reference,
    Kind.CODE: _read_code,
    Kind.DATE: _read_date,
    Kind.INTEGER: _read_number,
    Kind.DECIMAL: _read_number,
    Kind.MONEY: _read_number,
    Kind.YES_NO: _read_yes_no,
    Kind.FINANCIAL_YEAR: _read_financial_year,
}
