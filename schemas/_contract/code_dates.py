"""Codes that are in use for a time only: the rule that judges each by the day of its row (C37).

Source: docs/domain.md 2.2 and 6.2. The rule is derived for each field whose code list has dates, so that a date in a
list is all that it takes. It has two outcomes. Where another code stood for the same thing on that day, the row is
loaded with it. Where none did, nobody knows whether the code or the date is wrong, and the row is held.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING

from schemas._contract.code_lists import Code, CodeList
from schemas._contract.model import Contract, Field, Kind, Rule, Severity

if TYPE_CHECKING:
    import polars as pl

NOT_IN_USE = "C37"
_Periods = tuple[tuple[date, str], ...]  # from which day on which code stands for the same thing; '' for none


def with_code_dates(contract: Contract) -> Contract:
    """The contract, with the rules about those of its codes that are in use for a time only."""
    rules = [rule for field in contract.fields if field.kind is Kind.CODE for rule in _rules_of(field, contract)]
    return replace(contract, rules=(*contract.rules, *rules)) if rules else contract


def dated_in_words(codes: CodeList) -> list[str]:
    """Each code that is in use for a time only, with its dates and the code that took its place."""
    labels = {e.code: f"{e.code} ({e.label})" for e in codes.entries}
    return [
        f"{labels[e.code]} {e.dates}{f', then {labels[e.active_code]} in its place' if e.active_code else ''}"
        for e in codes.dated
    ]


def _rules_of(field: Field, contract: Contract) -> list[Rule]:
    """The rules about a field's codes, one for each outcome that a day can have."""
    periods = {e.code: _periods(e, field.code_list) for e in field.code_list.dated}
    outcomes = {(code, stands) for code, of_code in periods.items() for _, stands in of_code}
    rules = []
    if any(stands not in ("", code) for code, stands in outcomes):
        rules.append(_read_as_another(field, contract, periods))
    if any(not stands for _, stands in outcomes):
        rules.append(_held(field, contract, periods))
    return rules


def _periods(entry: Code, codes: CodeList) -> _Periods:
    ends = {e.valid_to + timedelta(1) for e in codes.dated if e.valid_to}
    starts = sorted({date.min, *ends, *(e.valid_from for e in codes.dated if e.valid_from)})
    return tuple((start, codes.code_on(entry, start)) for start in starts)


def _read_as_another(field: Field, contract: Contract, periods: Mapping[str, _Periods]) -> Rule:
    def holds() -> pl.Expr:
        code = _code_of_day(field, contract, periods)
        return (code == "") | (code == _cell(field))

    return Rule(
        NOT_IN_USE,
        Severity.WARNING,
        f"{field.title} is a code that was not in use on the day of the row, read as the one that was",
        expected=_of_day(contract),
        # here, because a report of a row that loads has no room for what was expected
        fix=f"Send the code that was in use on the day: {_dated(field)}. If the date is wrong, correct the date.",
        field=field.name,
        check=holds,
        suggested=partial(_code_of_day, field, contract, periods),
        stores_suggestion=True,
    )


def _held(field: Field, contract: Contract, periods: Mapping[str, _Periods]) -> Rule:
    return Rule(
        NOT_IN_USE,
        Severity.ROW,
        f"{field.title} is a code that was not in use on the day of the row",
        expected=f"{_of_day(contract)}: {_dated(field)}",
        fix="Correct the code or the date, whichever is wrong. If both are right, tell the data team: the dates of the"
        " list may have to be corrected.",
        field=field.name,
        check=lambda: _code_of_day(field, contract, periods) != "",
    )


def _dated(field: Field) -> str:
    return "; ".join(dated_in_words(field.code_list))


def _of_day(contract: Contract) -> str:
    day = "the last day of the extract"
    if contract.month_shown_by:
        event = contract.by_name[contract.month_shown_by]
        day = event.title if event.required else f"{event.title}; where it is empty, {day}"
    return f"a code that was in use on the day of the row ({day})"


def _cell(field: Field) -> pl.Expr:
    import polars as pl  # here, so that reading the texts of rules does not import polars

    return pl.col(field.name)


def _day(contract: Contract) -> pl.Expr:
    """The day by which a row's codes are judged: that of its event, else the data cut-off."""
    import polars as pl

    cut_off = pl.col("data_cut_date")
    if not contract.month_shown_by:
        return cut_off
    event = contract.by_name[contract.month_shown_by]
    # a row without a required date is held for that, and judged by no rule that reads the date
    return pl.col(event.name) if event.required else pl.coalesce(event.name, cut_off)


def _code_of_day(field: Field, contract: Contract, periods: Mapping[str, _Periods]) -> pl.Expr:
    """The code that stood for the same thing on the row's day: the cell itself if it was in use; '' if none was."""
    import polars as pl

    day, code = _day(contract), _cell(field)
    for dated, of_code in periods.items():
        code = pl.when(_cell(field) == dated).then(_by_day(day, of_code)).otherwise(code)
    return code


def _by_day(day: pl.Expr, of_code: Iterable[tuple[date, str]]) -> pl.Expr:
    import polars as pl

    code = pl.lit(None, pl.String)
    for start, stands in of_code:
        code = pl.when(day >= start).then(pl.lit(stands)).otherwise(code)
    return code
