"""Faults of profiles, expenditure and adjustments. Source: docs/domain.md 6.5, 7.13, 7.15, 7.16.

A fault that holds a row is made in a new row beside it: without a row of a profile the others would not add up to the
award. Faults that concern a whole award are made in a spare award.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from flows.simulator.faults.fault import (
    ROW,
    WARNING,
    FaultContext,
    FaultKind,
    MakeFault,
    Row,
    RowChange,
    award_of,
    change,
    copied_key,
    day_of,
    multiplied,
    on_a_copy,
    pence,
    put,
    shifted_date,
    spare_award,
    was_sent_before,
    years_of,
)
from flows.simulator.money.quarters import financial_year, quarter_code, quarter_end_after

UNUSED = "evaluation"  # a cost category that no simulated site has
BY_DATE: Row = dict.fromkeys(("financial_year", "quarter", "ledger_period"))


def _of_unused_line(**cells: str | None) -> MakeFault:
    """A new row of a profile, for a cost category without others. One for each quarter, so that keys are unique."""

    def make(row: Row, context: FaultContext) -> RowChange | None:
        if row["cost_category"] != "staff":
            return None
        new = {**row, "cost_category": UNUSED, "profile_amount": "0.00", "forecast_amount": None}
        return RowChange(below=({**new, **cells},), at_fault=(1,))

    return make


def _forecast_of_the_past(row: Row, context: FaultContext) -> RowChange | None:
    if not row["_is_latest"] or (row["_quarter_end"] or "") > context.cut_off.isoformat():
        return None
    return _of_unused_line(forecast_amount="10.00")(row, context)


def _profile_of_spare(n: int, *parts: tuple[int, float], less: int = 0) -> MakeFault:
    """A profile of a spare award: the quarter, counted from that of the cut-off, and its share; `less` some pence."""

    def make(row: Row, context: FaultContext) -> RowChange | None:
        spare = spare_award(row, n)
        if spare is None:
            return None
        award_id, whole = spare
        rows = []
        for quarters, share in parts:
            end = quarter_end_after(context.cut_off, quarters)
            cells = {
                "award_id": award_id,
                "profile_version": "1",
                "financial_year": financial_year(end),
                "quarter": quarter_code(end),
                "profile_amount": f"{(whole * share - less) / 100:.2f}",
                "forecast_amount": None,
            }
            rows.append({**row, **cells})
        return RowChange(below=tuple(rows), at_fault=(1,))

    return make


def _frozen(row: Row, context: FaultContext) -> RowChange | None:
    if not row["_forecast_before"] or not was_sent_before(row, context):
        return None
    return RowChange({"forecast_amount": row["_forecast_before"]})


def _of_whole_profile(rule_id: str, field: str, fault: str, make: MakeFault) -> FaultKind:
    return FaultKind(rule_id, field, WARNING, fault, make, limit=1, latest_only=True)


PROFILE: tuple[FaultKind, ...] = (
    FaultKind(
        "M34",
        "award_id",
        ROW,
        "award not on record",
        lambda row, context: RowChange(below=({**row, "award_id": copied_key(row, "award_id", "Z")},), at_fault=(1,)),
        latest_only=True,
    ),
    FaultKind("M06", "financial_year", ROW, "no financial year", _of_unused_line(financial_year="20-16")),
    FaultKind(
        "M06",
        "financial_year",
        WARNING,
        "another spelling of a year",
        change("financial_year", lambda t: t.replace("-", "/")),
    ),
    FaultKind("M18", "cost_category", ROW, "category that is not listed", _of_unused_line(cost_category="sundries")),
    FaultKind("C22", "profile_amount", ROW, "budget below 0", _of_unused_line(profile_amount="-5.00")),
    FaultKind("C22", "forecast_amount", ROW, "forecast below 0", _of_unused_line(forecast_amount="-5.00")),
    FaultKind("M42", "forecast_amount", ROW, "forecast of a past quarter", _forecast_of_the_past, latest_only=True),
    _of_whole_profile("M41", "quarter", "past quarter without spending", _profile_of_spare(1, (-1, 0.5), (1, 0.5))),
    _of_whole_profile(
        "M43", "profile_amount", "profile that is not the award", _profile_of_spare(2, (1, 0.5), (2, 0.5), less=50_00)
    ),
    _of_whole_profile("M19", "profile_amount", "all in one quarter", _profile_of_spare(3, (1, 1.0))),
    FaultKind("M19", "forecast_amount", WARNING, "the same forecast again", _frozen, latest_only=True),
)


def _entry(cells: Callable[[Row], Row], where: Callable[[Row], bool] = lambda row: True) -> MakeFault:
    """A new ledger entry of a penny like the row, with some cells of its own: several keep within what is allowed."""

    def make(row: Row, context: FaultContext) -> RowChange | None:
        plain = {"actual_amount": "0.01", "accrual_amount": None, "credit_note": "N", "credit_reason": None}
        return RowChange(plain | cells(row)) if where(row) else None

    return on_a_copy("ledger_ref", make)


def _of_entry(  # parameters: the parts of a FaultKind
    rule_id: str,
    field: str,
    fault: str,
    cells: Callable[[Row], Row],
    *,
    severity: str = ROW,
    where: Callable[[Row], bool] = lambda row: True,
    latest: bool = False,
) -> FaultKind:
    return FaultKind(rule_id, field, severity, fault, _entry(cells, where), latest_only=latest)


def _at(day: date) -> Row:
    return {"period_end": day.isoformat(), **BY_DATE}


def _first_year_end(row: Row) -> date:
    return date(day_of(row["_start"]).year + 1, 3, 31)


def _after_end(row: Row, context: FaultContext) -> RowChange | None:
    """A late invoice: 91 days after the end of an award, on 30 June."""
    day = day_of(row["_end"]) + timedelta(91)
    return _entry(lambda row: _at(day))(row, context) if day <= context.cut_off else None


def _not_reversed(row: Row, context: FaultContext) -> RowChange | None:
    day = _first_year_end(row)
    if context.cut_off <= day + timedelta(183):
        return None
    accrual: Row = {"actual_amount": "0.00", "accrual_amount": "500.00", "cost_category": UNUSED}
    return _entry(lambda row: _at(day) | accrual)(row, context)


def _overspent(row: Row, context: FaultContext) -> RowChange | None:
    spare = spare_award(row, 1)
    if spare is None:
        return None
    cells: Row = {"award_id": spare[0], "actual_amount": f"{spare[1] / 100 + 50:.2f}", **_at(context.cut_off)}
    return _entry(lambda row: cells)(row, context)


def _entered_twice(row: Row, context: FaultContext) -> RowChange | None:
    if not pence(row["actual_amount"]):
        return None
    return RowChange(below=({**row, "cost_category": UNUSED, "accrual_amount": None},), at_fault=(1,))


def _other_quarter(row: Row) -> Row:
    return {"quarter": "Q1" if row["quarter"] != "Q1" else "Q2"}


EXPENDITURE: tuple[FaultKind, ...] = (
    award_of("ledger_ref"),
    *years_of("financial_year", "ledger_ref"),
    FaultKind(
        "M01",
        "actual_amount",
        WARNING,
        "a hundredth of the amount before",
        multiplied("actual_amount", by=0.01),
        latest_only=True,
    ),
    FaultKind(
        "P04", "award_id", WARNING, "exact copy of a row", lambda row, context: RowChange(below=(row,), at_fault=(1,))
    ),
    FaultKind(
        "M18",
        "cost_category",
        ROW,
        "category that is not listed",
        on_a_copy("ledger_ref", put("cost_category", "sundries")),
    ),
    _of_entry("M36", "financial_year", "year of another date", lambda row: {"financial_year": "2001-02"}),
    _of_entry("M36", "quarter", "quarter of another date", _other_quarter),
    _of_entry(
        "M36",
        "ledger_period",
        "period of another month",
        lambda row: {"ledger_period": str(int(row["ledger_period"] or 0) % 12 + 1)},
        where=lambda row: int(row["ledger_period"] or 13) <= 12,
    ),
    _of_entry(
        "M36",
        "period_end",
        "first day of a month",
        lambda row: _at(day_of(row["period_end"]).replace(day=1)),
        severity=WARNING,
    ),
    _of_entry("M39", "actual_amount", "below 0 and no credit note", lambda row: {"actual_amount": "-5.00"}),
    _of_entry("M39", "credit_note", "credit note above 0", lambda row: {"credit_note": "Y", "credit_reason": "refund"}),
    _of_entry("M39", "credit_reason", "reason without a credit note", lambda row: {"credit_reason": "refund"}),
    _of_entry(
        "M15",
        "period_end",
        "spending before the award",
        lambda row: _at(date.fromisoformat(shifted_date(row["_start"], -1))),
        latest=True,
    ),
    FaultKind("M15", "period_end", WARNING, "spending after the award", _after_end, latest_only=True),
    FaultKind("M15", "accrual_amount", WARNING, "accrual that was not reversed", _not_reversed, latest_only=True),
    FaultKind("M51", "ledger_ref", ROW, "an entry under two categories", _entered_twice, latest_only=True),
    FaultKind("M40", "actual_amount", WARNING, "more spent than the award", _overspent, limit=1, latest_only=True),
)


def _is_virement(row: Row) -> bool:
    return (row["adjustment_type"] or "").startswith("virement")


def _adjustment(cells: Callable[[Row], Row], where: Callable[[Row], bool] = lambda row: True) -> MakeFault:
    """A new adjustment like the row, with some cells of its own."""
    return on_a_copy("adjustment_id", lambda row, context: RowChange(cells(row)) if where(row) else None)


def _of_virement(field: str, fault: str, cells: Callable[[Row], Row], *, latest: bool = False) -> FaultKind:
    return FaultKind("M17", field, ROW, fault, _adjustment(cells, _is_virement), latest_only=latest)


def _alone(kind: str, **cells: str | None) -> Row:
    """Cells of an adjustment that is no virement."""
    return {"adjustment_type": kind, "pair_id": None, "cost_category": None, **cells}


def _next_year(fy: str | None) -> str:
    return financial_year(date(int((fy or "")[:4]) + 1, 4, 1))


def _carried_too_much(row: Row, context: FaultContext) -> RowChange | None:
    """More than any award, out of a year from which nothing else is carried yet."""
    year = financial_year(context.cut_off)
    if (row["_end"] or "") < context.cut_off.isoformat():
        return None
    cells = {"from_fy": year, "to_fy": _next_year(year), "amount": "9000000.00"}
    approved = {"approved_date": context.cut_off.isoformat()}
    return _adjustment(lambda row: _alone("carry_forward", **cells, **approved))(row, context)


def _returned_too_much(row: Row, context: FaultContext) -> RowChange | None:
    spare = spare_award(row, 1)
    return spare and _adjustment(lambda row: _alone("clawback", award_id=spare[0], to_fy=row["from_fy"]))(row, context)


ADJUSTMENTS: tuple[FaultKind, ...] = (
    FaultKind(
        "M34",
        "award_id",
        ROW,
        "award not on record",
        _adjustment(lambda row: _alone("clawback", award_id=copied_key(row, "award_id", "Z"), to_fy=row["from_fy"])),
        latest_only=True,
    ),
    *years_of("from_fy", "adjustment_id", lambda row: not _is_virement(row)),
    FaultKind(
        "M01",
        "amount",
        WARNING,
        "a hundredth of the amount before",
        multiplied("amount", by=0.01, where=lambda row: not _is_virement(row)),
        latest_only=True,
    ),
    FaultKind(
        "M18",
        "cost_category",
        ROW,
        "category that is not listed",
        on_a_copy("adjustment_id", put("cost_category", "sundries", _is_virement)),
    ),
    FaultKind("M26", "amount", ROW, "amount of 0", on_a_copy("adjustment_id", put("amount", "0.00"))),
    _of_virement("pair_id", "virement without a reference", lambda row: {"pair_id": None}),
    _of_virement("cost_category", "virement without a budget line", lambda row: {"cost_category": None}),
    _of_virement("amount", "half of a virement", lambda row: {"pair_id": copied_key(row, "pair_id", "P")}, latest=True),
    _of_virement("to_fy", "virement into another year", lambda row: {"to_fy": _next_year(row["to_fy"])}),
    FaultKind(
        "M44",
        "to_fy",
        ROW,
        "carried forward within a year",
        _adjustment(lambda row: _alone("carry_forward", to_fy=row["from_fy"])),
    ),
    FaultKind("M44", "amount", WARNING, "more carried forward than was left", _carried_too_much, latest_only=True),
    FaultKind("M45", "amount", WARNING, "more returned than was paid", _returned_too_much, latest_only=True),
)
