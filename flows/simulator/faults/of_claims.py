"""Faults of claims and their lines. Source: docs/domain.md 6.5, 7.14.

A fault that holds a claim is made in a new claim without lines: lines of a held claim would be held too, and its period
would be a gap. Faults that concern all claims of an award are made in a spare award.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

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
    pounds_more,
    put,
    shifted_date,
    spare_award,
    years_of,
)

UNDECIDED: Row = dict.fromkeys(("approved_amount", "disallowed_amount", "disallow_reason", "paid_amount", "paid_date"))
BY_DATES: Row = dict.fromkeys(("financial_year", "quarter"))


def _is_normal(row: Row) -> bool:
    return row["claim_type"] == "normal" and row["claim_status"] != "draft" and pence(row["grant_share"]) > 100_00


def _counts(row: Row) -> bool:
    return _is_normal(row) and row["claim_status"] != "rejected"


def _claim(cells: Callable[[Row], Row], where: Callable[[Row], bool] = _is_normal) -> MakeFault:
    """A new claim like the row, submitted and not decided, with some cells of its own."""

    def make(row: Row, context: FaultContext) -> RowChange | None:
        undecided = {**row, "claim_status": "submitted", **UNDECIDED}
        return RowChange({**undecided, **cells(row)}) if where(row) else None

    return on_a_copy("claim_id", make)


def _of_claim(rule_id: str, field: str, fault: str, cells: Callable[[Row], Row], *, latest: bool = False) -> FaultKind:
    return FaultKind(rule_id, field, ROW, fault, _claim(cells), latest_only=latest)


def _approved(row: Row, *, more: int = 0, disallowed: int = 0, **cells: str | None) -> Row:
    """Cells of an approved claim: pounds more than was asked for, and pounds disallowed."""
    approved = {"claim_status": "approved", "approved_amount": pounds_more(row["grant_share"], more)}
    return {**approved, "disallowed_amount": f"{disallowed}.00", **cells}


def _paid(row: Row, *, more: int = 0, day: str | None = None) -> Row:
    amount = pounds_more(row["grant_share"], more)
    return _approved(row, claim_status="paid", paid_amount=amount, paid_date=day or row["submitted_date"])


def _long_before(row: Row) -> Row:
    start, end = shifted_date(row["_start"], -400), shifted_date(row["_start"], -370)
    return {"claim_period_start": start, "claim_period_end": end, **BY_DATES}


def _advance_before_award(row: Row) -> Row:
    day = shifted_date(row["_start"], -200)
    return {"claim_type": "advance", "intervention_rate": None, "submitted_date": day}


def _all_of(pounds: str) -> Row:
    """Amounts of a claim that asks all of it of the grant."""
    amounts = dict.fromkeys(("claimed_amount", "eligible_amount", "grant_share"), pounds)
    return {**amounts, "match_share": "0.00", "intervention_rate": None}


def _again(row: Row, context: FaultContext) -> RowChange | None:
    return RowChange(UNDECIDED | {"claim_status": "submitted"}) if _counts(row) else None


def _of_spare(n: int, *parts: tuple[int, float], at_fault: tuple[int, ...]) -> MakeFault:
    """Claims of a spare award for single months, each the month of the award and the share of it that is claimed."""

    def make(row: Row, context: FaultContext) -> RowChange | None:
        spare = spare_award(row, n)
        if spare is None or not _is_normal(row):
            return None
        award_id, whole = spare
        claims = []
        for number, (month, share) in enumerate(parts):
            start = day_of(row["_start"]) + timedelta(30 * month)
            cells = {
                "claim_id": copied_key(row, "claim_id", f"S{number}"),
                "award_id": award_id,
                "claim_status": "submitted",
                "claim_period_start": start.isoformat(),
                "claim_period_end": (start + timedelta(29)).isoformat(),
                "submitted_date": (start + timedelta(40)).isoformat(),
            }
            amounts = _all_of(f"{whole * share / 100:.2f}")
            claims.append({**row, **UNDECIDED, **BY_DATES, **cells, **amounts})
        return RowChange(below=tuple(claims), at_fault=at_fault)

    return make


def _long_after(row: Row, context: FaultContext) -> RowChange | None:
    return _claim(lambda row: {"submitted_date": (context.cut_off + timedelta(80)).isoformat()})(row, context)


def _advance(*, by: float) -> MakeFault:
    """An advance with other amounts than before: it has no lines, and nothing of it was disallowed."""
    names = ("claimed_amount", "eligible_amount", "grant_share", "approved_amount", "paid_amount")
    return multiplied(*names, by=by, where=lambda row: row["claim_type"] == "advance")


CLAIMS: tuple[FaultKind, ...] = (
    award_of("claim_id"),
    *years_of("financial_year", "claim_id", _is_normal),
    FaultKind(
        "V02", "claim_status", ROW, "status that is not listed", on_a_copy("claim_id", put("claim_status", "lost"))
    ),
    FaultKind(
        "M01", "claimed_amount", WARNING, "a hundredth of the amount before", _advance(by=0.01), latest_only=True
    ),
    FaultKind("M10", "claimed_amount", WARNING, "another amount than before", _advance(by=0.9), latest_only=True),
    _of_claim(
        "M07",
        "claim_period_end",
        "period ends before it starts",
        lambda row: {"claim_period_end": shifted_date(row["claim_period_start"], -9), **BY_DATES},
    ),
    _of_claim("M07", "submitted_date", "claim before the award", _advance_before_award, latest=True),
    _of_claim("M15", "claim_period_start", "period before the award", _long_before, latest=True),
    _of_claim("M36", "financial_year", "year of another date", lambda row: {"financial_year": "2001-02"}),
    _of_claim(
        "M36", "quarter", "quarter of another date", lambda row: {"quarter": "Q1" if row["quarter"] != "Q1" else "Q2"}
    ),
    _of_claim("M10", "claimed_amount", "negative and no correction", lambda row: _all_of("-50.00")),
    _of_claim(
        "M10",
        "original_claim_id",
        "correction of nothing",
        lambda row: {"claim_type": "adjustment", **_all_of("-50.00")},
    ),
    _of_claim(
        "M10",
        "original_claim_id",
        "correction of a claim that is not there",
        lambda row: {
            "claim_type": "adjustment",
            **_all_of("-50.00"),
            "original_claim_id": copied_key(row, "claim_id", "Z"),
        },
        latest=True,
    ),
    FaultKind(
        "M11", "claim_period_start", ROW, "a period claimed twice", on_a_copy("claim_id", _again), latest_only=True
    ),
    FaultKind(
        "M11",
        "claim_period_start",
        WARNING,
        "a gap between two claims",
        _of_spare(1, (0, 0.2), (2, 0.1), at_fault=(2,)),
        limit=1,
        latest_only=True,
    ),
    FaultKind(
        "M12",
        "grant_share",
        ROW,
        "more than the award",
        _of_spare(2, (0, 1.1), at_fault=(1,)),
        limit=1,
        latest_only=True,
    ),
    FaultKind(
        "M13",
        "grant_share",
        ROW,
        "cumulative claims",
        _of_spare(3, (0, 0.3), (1, 0.5), (2, 0.7), (3, 0.9), at_fault=(1, 2, 3, 4)),
        limit=1,
        latest_only=True,
    ),
    _of_claim(
        "M14",
        "approved_amount",
        "more approved than asked for",
        lambda row: _approved(row, more=50, disallowed=-50, disallow_reason="other"),
    ),
    _of_claim("M14", "paid_amount", "more paid than approved", lambda row: _paid(row, more=50)),
    _of_claim(
        "M35",
        "eligible_amount",
        "shares that do not add up",
        lambda row: {"match_share": pounds_more(row["match_share"], 50), "intervention_rate": None},
    ),
    _of_claim(
        "M35",
        "eligible_amount",
        "more eligible than claimed",
        lambda row: {**_all_of("500.00"), "claimed_amount": "400.00"},
    ),
    _of_claim("M35", "grant_share", "another rate", lambda row: {**_all_of("500.00"), "intervention_rate": "0.4"}),
    _of_claim(
        "M35", "disallowed_amount", "approved and disallowed do not add up", lambda row: _approved(row, more=-50)
    ),
    _of_claim(
        "M35", "disallow_reason", "disallowed without a reason", lambda row: _approved(row, more=-50, disallowed=50)
    ),
    _of_claim(
        "M37", "approved_amount", "approved before a decision", lambda row: _approved(row, claim_status="submitted")
    ),
    _of_claim(
        "M37",
        "paid_amount",
        "paid and not marked so",
        lambda row: _paid(row) | {"claim_status": "approved"},
    ),
    _of_claim(
        "M37",
        "submitted_date",
        "claimed before the period was over",
        lambda row: {"submitted_date": shifted_date(row["claim_period_end"], -3)},
    ),
    FaultKind("M37", "submitted_date", ROW, "submitted long after the cut-off", _long_after),
    _of_claim(
        "M37", "paid_date", "paid before the claim", lambda row: _paid(row, day=shifted_date(row["submitted_date"], -3))
    ),
)


def _line(**cells: str) -> MakeFault:
    """A new line in the row's claim."""

    def make(row: Row, context: FaultContext) -> RowChange | None:
        if row["_claim_type"] == "adjustment":
            return None
        return RowChange(below=({**row, "line_no": str(90 + int(row["line_no"] or 0)), **cells},), at_fault=(1,))

    return make


def _more(pounds: float, where: Callable[[Row], bool]) -> MakeFault:
    return change("amount", lambda text: f"{pence(text) / 100 + pounds:.2f}", where)


def _is_above_0(row: Row) -> bool:
    return pence(row["amount"]) > 0


CLAIM_LINES: tuple[FaultKind, ...] = (
    FaultKind(
        "M38",
        "claim_id",
        ROW,
        "line of a claim that was not sent",
        on_a_copy("claim_id", lambda row, context: RowChange(), "Z"),
        latest_only=True,
    ),
    FaultKind("M18", "cost_category", ROW, "category that is not listed", _line(cost_category="sundries")),
    FaultKind("V05", "amount", ROW, "words for an amount", _line(amount="about ten")),
    FaultKind("C11", "amount", WARNING, "pound sign", change("amount", lambda text: f"£{text}", _is_above_0)),
    FaultKind(
        "M10", "amount", ROW, "negative line of a claim that corrects nothing", _line(amount="-5.00"), latest_only=True
    ),
    FaultKind(
        "M16",
        "amount",
        ROW,
        "line that does not add up",
        _more(50, lambda row: row["_claim_lines"] == "1"),
        latest_only=True,
    ),
    FaultKind(
        "M16",
        "amount",
        WARNING,
        "line that differs by pence",
        _more(0.37, lambda row: row["line_no"] == "1"),
        latest_only=True,
    ),
)
