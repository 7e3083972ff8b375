"""Wording of what a cell of each field may hold, for senders."""

from __future__ import annotations

from collections.abc import Callable

from schemas._contract.code_lists import Code
from schemas._contract.model import Field, Kind

LONGEST_LIST_IN_FULL = 12  # entries


def expected(field: Field) -> str:
    """Describe in plain English what a cell of a field may hold, such as 'a whole number from 1 to 99'."""
    text = _EXPECTED[field.kind](field)
    return text if field.required else f"{text}, or an empty cell if {empty_if(field)}"


def empty_if(field: Field) -> str:
    """When a cell of a column that is not required may be empty, in words."""
    is_stated = field.empty_if != Field.empty_if
    return "it is not known" if field.kind is Kind.YES_NO and not is_stated else field.empty_if


def _codes(f: Field) -> str:
    entries = f.code_list.entries
    if len(entries) > LONGEST_LIST_IN_FULL:
        example = next((e for e in entries if e.code == f.example), entries[0])
        return f"a code from the list '{f.codes}', for example {example.code} ({example.label})"
    return "one of " + ", ".join(map(_code, entries))


def _code(entry: Code) -> str:
    """A code with its label, and when it is in use."""
    meaning = ", ".join(filter(None, ("" if entry.code == entry.label else entry.label, entry.dates)))
    return f"{entry.code} ({meaning})" if meaning else entry.code


def _number(f: Field) -> str:
    noun = {
        Kind.INTEGER: "a whole number",
        Kind.DECIMAL: f"a number with at most {f.decimals} decimal{'' if f.decimals == 1 else 's'}",
        Kind.MONEY: "an amount in pounds with at most 2 decimals, such as 1100000.00",
    }[f.kind]
    if f.low is not None and f.high is not None:
        return f"{noun}, from {f.low} to {f.high}" if f.kind is not Kind.INTEGER else f"{noun} from {f.low} to {f.high}"
    if f.low is not None:
        return f"{noun}, {f.low} or more"
    return noun


_EXPECTED: dict[Kind, Callable[[Field], str]] = {
    Kind.TEXT: lambda f: "text" + (f", such as {f.example}" if f.example else ""),
    Kind.REFERENCE: lambda f: f"a reference such as {f.example}" if f.example else "a reference",
    Kind.CODE: _codes,
    Kind.DATE: lambda f: "a date written year-month-day, such as 2016-11-30",
    Kind.INTEGER: _number,
    Kind.DECIMAL: _number,
    Kind.MONEY: _number,
    Kind.YES_NO: lambda f: "Y or N",
    Kind.FINANCIAL_YEAR: lambda f: "a financial year such as 2015-16",
    Kind.TIMESTAMP: lambda f: "a date and time, such as 2016-11-30T03:30:00",
}
