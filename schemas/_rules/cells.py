"""Rules about single cells, for every dataset. Source: docs/domain.md 6.2 (C01-C23).

That section lists defects of format. Our own ids are V01-V06 for what any table needs besides (required cells, code
lists, ranges, patterns), C24 for garbled text in a cell (in a file: F02), and C25 and C26 for a whole column of wrongly
ordered dates (in a cell: C02). C27-C34 are about what a whole column is mostly written in; where every cell has one
reading it is a repair. `{title}` and `{expected}` in a text are filled in from the field, `{column}` from its place in
the sender's file (`explain.py`).

Most are found by `read_cell` in `flows/cells/parse.py`, V01-V04 and C06 by pandera. Each rule states the fields on
which it can be reported (`found_on`), except where that follows from the field's own checks (`checks.py`).
"""

from __future__ import annotations

from collections.abc import Callable

from schemas._contract.model import COUNTED_UNITS, HOURS_A_WEEK, MINUTES, Contract, Field, Kind, Rule, Severity
from schemas._rules.not_data import CALCULATE

SWAPPED_RULE, MONTH_FIRST_RULE = "C25", "C26"  # detected over a whole column, in `flows/cells/date_orders.py`
CLOCK_RULE, HOURS_RULE = "C29", "C30"
NUMBERED_CODES_RULE = "C14"
YEAR_FIRST_RULE = "C27"  # of a cell, unless the whole column shows that the day comes second
_CELL = "{expected}"  # what a cell of the field may hold, in words: `schemas/_contract/expected.py`
_SWAPPED = "A spreadsheet mixed up day and month in {title}"
_PUT_BACK = (
    "The program that opened the file read day and month the wrong way round where it could, for days up to the 12th,"
    " and left the other dates as text. So every date of these rows is listed, also one that stands as it is suggested."
    " Compare some suggestions with your records, write every date in the column as year-month-day, and send the file"
    " again."
)
_MONTH_FIRST = "Dates in {title} are written month first"
_WRITE_AS_SUGGESTED = (
    "The suggestions take the first number for the month, because some of these dates can only be month-day-year and"
    " none can only be day-month-year. Compare some with your records, write every date in the column as"
    " year-month-day, and send the file again."
)
_TEXT_TO_COLUMNS = (
    "Where every date of a column is a text, on the left of its cell, Excel can turn them all: select {column}{each},"
    " choose Data, Text to Columns, Next, Next, Date: ORDER, Finish; then Format cells, Custom, type yyyy-mm-dd."
)
_DAY_FIRST_TEXTS, _MONTH_FIRST_TEXTS, _YEAR_FIRST_TEXTS = (
    _TEXT_TO_COLUMNS.replace("ORDER", order) for order in ("DMY", "MDY", "YMD")
)
_WRITE_ALL_AS_SUGGESTED = f"{_WRITE_AS_SUGGESTED} {_MONTH_FIRST_TEXTS}"
_DAY_SECOND = "Dates in {title} have the day before the month"
_WRITE_YEAR_MONTH_DAY = (
    "Some of these dates can only be year, day, month. So none was read. Compare some with your records, write every"
    " date in {column} as year-month-day, and send the file again."
)
_WITHOUT_COLON = (
    "Send a number without a colon, as suggested where the time has one reading: compare some with your records. Where"
    " cells hold true times, format {column} as a number afterwards."
)
_IN_MINUTES_AS_SUGGESTED = (
    "Each suggestion is the number times 60, in whole minutes: compare some with your records, and change the cells as"
    " suggested. Leave empty cells empty."
)

_AS_TEXT = (
    "If they are codes, enter each as suggested, and format {column} as Text first, so that 02 does not become 2.0. If"
    " they are hours, enter the code of the band that each is in. Then send the file again."
)

FieldSelector = Callable[[Contract], tuple[str, ...]]


def _on(*kinds: Kind, when: Callable[[Field], bool] = lambda _: True) -> FieldSelector:
    """Select a contract's fields of these kinds (of any, if none is given) for which `when` is true."""

    def found_on(contract: Contract) -> tuple[str, ...]:
        return tuple(f.name for f in contract.fields if (not kinds or f.kind in kinds) and when(f))

    return found_on


def _required(field: Field) -> bool:
    return field.required


def _optional(field: Field) -> bool:
    return not field.required


def _has_retired_codes(field: Field) -> bool:
    return bool(field.code_list.replaced)


def _has_numbers(field: Field) -> bool:
    return any(c.isdecimal() for c in field.code_list.codes)


def _in_key(contract: Contract) -> tuple[str, ...]:
    return tuple(n for n in contract.key if contract.by_name[n].required)


def _not_in_key(contract: Contract) -> tuple[str, ...]:
    return tuple(f.name for f in contract.fields if f.required and f.name not in contract.key)


NUMBERS = (Kind.INTEGER, Kind.DECIMAL, Kind.MONEY)
ANY, NUMBER, CODE, DATE = _on(), _on(*NUMBERS), _on(Kind.CODE), _on(Kind.DATE)
# V04 on fields without a pattern, which `checks_of` does not give: no reference may hold a quotation mark, for example.
WITHOUT_PATTERN = _on(Kind.DECIMAL, Kind.MONEY, Kind.REFERENCE, when=lambda f: not f.pattern)
YES_NO, YEAR = _on(Kind.YES_NO), _on(Kind.FINANCIAL_YEAR)
_BANDS = _on(Kind.CODE, when=lambda f: any(e.label[:1].isdecimal() for e in f.code_list.entries))
_CLOCKED = _on(*NUMBERS, when=lambda f: f.unit in (MINUTES, HOURS_A_WEEK))
_IN_MINUTES = _on(Kind.INTEGER, when=lambda f: f.unit == MINUTES)
BY_CHECK = _on(when=lambda _: False)  # none here: `checks_of` gives the fields


def _row(rule_id: str, title: str, fix: str, found_on: FieldSelector, expected: str = _CELL) -> Rule:
    return Rule(rule_id, Severity.ROW, title, expected, fix, found_on=found_on)


def _repair(rule_id: str, title: str, fix: str, found_on: FieldSelector) -> Rule:
    return Rule(rule_id, Severity.WARNING, title, _CELL, fix, found_on=found_on)


CELL_RULES: tuple[Rule, ...] = (
    _row(
        "V01",
        "{title} is empty",
        "Enter the value. If it is not known, use the code for 'not known' where there is one.",
        _not_in_key,
    ),
    _row(
        "F08",
        "{title} is empty on a row with other values",
        "Repeat the value on every row: merged cells are never filled down.",
        _in_key,
    ),
    _row(
        "V02",
        "{title} is not on the agreed list",
        "Change it to a listed code. If it is a new one, tell the data team: the list can be extended.",
        BY_CHECK,
    ),
    _row("V03", "{title} is out of range", "Check the figure and correct it.", NUMBER),
    _row("V04", "{title} is not written in the agreed form", "Correct it to the agreed form.", WITHOUT_PATTERN),
    _row("V05", "{title} is not a number", "Enter the digits 0 to 9 only, without words.", NUMBER),
    _row("V06", "{title} is not a whole number", "Enter a whole number. Check its unit, if any.", _on(Kind.INTEGER)),
    _row(
        "C01",
        "{title} is a spreadsheet number, not a date",
        "Format the column as a date, year-month-day, and save again.",
        DATE,
    ),
    _row("C02", "{title} is not written year-month-day", "Write the date as year-month-day.", DATE),
    _repair(
        "C02",
        "{title} was written day-month-year",
        f"Write dates as year-month-day. {_DAY_FIRST_TEXTS}",
        DATE,
    ),
    Rule(
        "C02",
        Severity.FILE,
        "Dates in {title} mix day-month and month-day order",
        _CELL,
        "Write every date in the column as year-month-day, such as 2016-11-30, and send the file again.",
        found_on=DATE,
    ),
    _row(
        "C03",
        "{title} holds a placeholder date or a two-digit year",
        "Enter the real date with a four-digit year.",
        DATE,
    ),
    _repair(
        "C03",
        "{title} held a placeholder date, read as empty",
        "Leave the cell empty when there is no date.",
        _on(Kind.DATE, when=_optional),
    ),
    _repair(
        "C04",
        "{title} had a time of day, which was removed",
        "Send the date alone. Check for one-day shifts: a time such as 23:00 may belong to the next day.",
        DATE,
    ),
    _row(
        "C04",
        "{title} has a time of day that leaves the day in doubt",
        "Send the date alone: the day that it was in London.",
        DATE,
    ),
    _row("C05", "{title} is not a real date", "Correct the date: this day does not exist.", DATE),
    _row(
        "C06",
        "{title} is after the date of the extract",
        "Correct the date: an extract cannot hold what happened after its cut-off.",
        BY_CHECK,
        "a date no later than the extract's cut-off: the last day of the month in the file's name, unless its manifest"
        " states an earlier one",
    ),
    _row(
        "C07",
        "{title} is suppressed",
        "Send the real figure by the secure route: monitoring data must not be suppressed.",
        NUMBER,
    ),
    Rule(
        "C07",
        Severity.FILE,
        "Many cells of {title} are suppressed",
        _CELL,
        "Send the unsuppressed extract by the secure route.",
        found_on=NUMBER,
    ),
    _row(
        "C08",
        "{title} is a placeholder number",
        "Enter the real figure.",
        _on(*NUMBERS, when=lambda f: bool(f.sentinels)),
    ),
    _repair(
        "C09",
        "A word for 'missing' in {title} was read as empty",
        "Leave the cell empty, or use the listed code for 'not known'.",
        _on(when=_optional),
    ),
    _row(
        "C09",
        "{title} holds a dash or a word in place of an amount",
        "Enter the amount: 0 where there is none, as a dash in accounts may mean.",
        _on(Kind.MONEY, when=_required),
    ),
    _row(
        "C09",
        "{title} holds a word for 'missing'",
        "Enter the value, or the listed code for 'not known' where there is one.",
        _on(when=lambda f: f.required and f.kind is not Kind.MONEY),
    ),
    _row(
        "C10",
        "{title} holds a spreadsheet error",
        "Type the right value in its place. If a formula of yours gave the error, correct it too.",
        ANY,
    ),
    _row("F37", "{title} holds a formula whose result was not saved", CALCULATE, ANY),
    Rule(
        "C10",
        Severity.FILE,
        "Many cells hold spreadsheet errors",
        "values, not spreadsheet errors",
        "Correct the formulas in your own file, or type the right values in their place, and send the file again.",
    ),
    _repair(
        "C11",
        "Thousands marks, brackets, a pound sign or spaces were removed from {title}",
        "Send the amount as digits with a full stop for pence, and a minus sign for an amount below zero.",
        _on(Kind.MONEY),
    ),
    _row(
        "C12",
        "{title} has a comma for the decimal point, or full stops between thousands",
        "Use a full stop for pence, and no marks for thousands.",
        NUMBER,
    ),
    _repair("C13", "{title} was in scientific form", "Format the column as a number and save again.", NUMBER),
    _repair(
        "C14",
        "{title} was saved as a number, and put back as its code",
        "Store codes as text, so that 01 does not become 1 or 1.0: select {column}, choose Format cells, Text, and"
        " enter them again.",
        _on(Kind.CODE, when=_has_numbers),
    ),
    *(
        Rule(
            "C14",
            severity,
            "{title} seems to hold codes saved as numbers, such as 2.0",
            _CELL,
            _AS_TEXT,
            found_on=_BANDS,
        )
        for severity in (Severity.FILE, Severity.ROW)
    ),
    _row(
        "C15",
        "{title} was damaged by a spreadsheet",
        "Format the column as text, enter the references again, and save.",
        _on(Kind.REFERENCE),
    ),
    _repair("C16", "A label or another spelling in {title} was read as its code", "Send the code alone.", CODE),
    _repair(
        "C17",
        "Spaces, capitals, quotation marks or invisible characters were tidied in {title}",
        "Send the value alone, written as agreed.",
        ANY,
    ),
    _repair("C18", "{title} was read as Y or N", "Use Y or N.", YES_NO),
    _row("C18", "{title} is neither Y nor N", "Use Y or N.", YES_NO),
    _row(
        "C19",
        "{title} has a letter in place of a digit",
        "Check the letters O, I and l: write 0 and 1 where a digit is meant.",
        _on(when=lambda f: f.kind is Kind.CODE or bool(f.pattern)),
    ),
    _row(
        "C20",
        "{title} is a code that a spreadsheet turned into a date",
        "Format the column as text and enter the code again.",
        CODE,
    ),
    _repair(
        "C21",
        "{title} was written as a percentage, and read as a number",
        "Send the number alone: 46 for 46%, or 0.46 where a share from 0 to 1 is asked for.",
        _on(*NUMBERS, when=lambda f: f.is_share or bool(f.statistic)),
    ),
    _row(
        "C22",
        "{title} is negative",
        "Check the figure: it cannot be less than zero.",
        _on(*NUMBERS, when=lambda f: f.low is not None and f.low >= 0),
    ),
    _repair(
        "C23",
        "{title} starts with a formula sign",
        "Remove the sign: a spreadsheet may run the text as a formula.",
        _on(Kind.TEXT),
    ),
    _repair(
        "C24",
        "{title} holds garbled characters",
        "Check the accents and signs: the text was garbled before it was saved. It was loaded unchanged.",
        _on(Kind.TEXT),
    ),
    _row(
        "C24",
        "{title} holds garbled characters",
        "Type the value again: it holds invisible characters in place of signs such as a dash.",
        _on(when=lambda f: f.kind is not Kind.TEXT or bool(f.pattern)),
    ),
    *(
        Rule(SWAPPED_RULE, severity, _SWAPPED, _CELL, _PUT_BACK, found_on=DATE)
        for severity in (Severity.FILE, Severity.ROW)
    ),
    *(
        Rule(MONTH_FIRST_RULE, severity, _MONTH_FIRST, _CELL, _WRITE_ALL_AS_SUGGESTED, found_on=DATE)
        for severity in (Severity.FILE, Severity.ROW)
    ),
    _repair(
        YEAR_FIRST_RULE,
        "{title} was written year first, with other marks than dashes",
        f"Write dates as year-month-day, with dashes. {_YEAR_FIRST_TEXTS}",
        DATE,
    ),
    *(
        Rule(YEAR_FIRST_RULE, severity, _DAY_SECOND, _CELL, _WRITE_YEAR_MONTH_DAY, found_on=DATE)
        for severity in (Severity.FILE, Severity.ROW)
    ),
    _repair(
        "C28",
        "{title} was written in words",
        f"Write dates as year-month-day. {_DAY_FIRST_TEXTS} It cannot turn texts such as 17th April 2016: type these"
        " again.",
        DATE,
    ),
    _row(
        "C28",
        "{title} is written in words, without a full year or with another day's weekday",
        "Write the whole date as year-month-day, with all four digits of the year.",
        DATE,
    ),
    _repair(
        CLOCK_RULE,
        "{title} was written with its unit, and read as a number",
        "Send the number alone: in {column}, type the number that each text was read as. Do not only delete the words:"
        " a number in another unit would then be wrong.",
        _on(*NUMBERS, when=lambda f: f.unit in COUNTED_UNITS),
    ),
    *(
        Rule(
            CLOCK_RULE, severity, "{title} is written as a time, such as 0:20", _CELL, _WITHOUT_COLON, found_on=_CLOCKED
        )
        for severity in (Severity.FILE, Severity.ROW)
    ),
    *(
        Rule(
            HOURS_RULE,
            severity,
            "{title} seems to be in hours, not minutes",
            _CELL,
            _IN_MINUTES_AS_SUGGESTED,
            found_on=_IN_MINUTES,
        )
        for severity in (Severity.FILE, Severity.ROW)
    ),
    _repair(
        "C31",
        "{title} was written with words or letters, and read as a number",
        "Send the number alone, in digits: 1100000 for £1.1m.",
        NUMBER,
    ),
    Rule(
        "C32",
        Severity.WARNING,
        'Cells are formulas such as ="01", and were read as their text',
        "values alone, such as 01, without an equals sign and quotation marks",
        "Have the program write plain values. Or open the file in Excel, copy all cells, choose Paste special, Values,"
        " and save.",
    ),
    _repair(
        "C33",
        "{title} was put into the agreed form: capital letters, hyphens, no spaces",
        "Write references as agreed, the same in every file: select {column}, and use Find and Replace for dashes and"
        " spaces, or the function UPPER for small letters.",
        _on(Kind.REFERENCE, when=lambda f: bool(f.pattern)),
    ),
    _row(
        "C34",
        "{title} holds several codes in one cell",
        "Keep one code only: the one that describes the row best. If each is true by itself, tell the data team.",
        CODE,
    ),
    _row(
        "C35",
        "{title} is hidden in the marked workbook, and was not filled in again",
        "Type the right value: we wrote 'hidden: see your own file' in its place, and your own file has what it held.",
        ANY,
    ),
    _row(
        "C36",
        "{title} is marked as a credit (CR) or a debit (DR)",
        "Send the amount alone, with a minus sign where it takes away from what the column holds: in a column of costs,"
        " 1200.00 CR is -1200.00 and 1200.00 DR is 1200.00.",
        _on(Kind.MONEY),
    ),
    _repair("F14", "A line break was removed from {title}", "Remove the line break.", CODE),
    _row(
        "F14", "{title} holds a line break", "Remove the line break from the cell.", _on(when=lambda f: not f.free_text)
    ),
    _row("M06", "{title} is not a financial year", "Write the financial year as 2015-16.", YEAR),
    _repair("M06", "{title} was read as a financial year", "Write the financial year as 2015-16.", YEAR),
    _repair(
        "P10",
        "{title} is a retired area code, read as the code that replaced it",
        "Use the current area code.",
        _on(Kind.CODE, when=_has_retired_codes),
    ),
    _repair(
        "P08",
        "{title} is an old code, read as the current one",
        "Use the current code.",
        _on(Kind.CODE, when=lambda f: f.old_code_rule == "P08"),
    ),
)
