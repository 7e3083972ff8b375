"""Faults of awards, match, prices and payments by results. Source: docs/domain.md 6.5, 7.11, 7.12, 7.17."""

from __future__ import annotations

from collections.abc import Callable

from flows.simulator.faults.fault import (
    ROW,
    FaultContext,
    FaultKind,
    MakeFault,
    Row,
    RowChange,
    copied_key,
    on_a_copy,
    orphan,
    pounds_more,
    put,
    shifted_date,
    years_of,
)


def _of_award(rule_id: str, field: str, fault: str, cells: Callable[[Row], Row | None]) -> FaultKind:
    """Fault of a new award like the row."""

    def make(row: Row, context: FaultContext) -> RowChange | None:
        changed = cells(row) if row["award_stage"] == "awarded" else None
        return RowChange(changed) if changed else None

    return FaultKind(rule_id, field, ROW, fault, on_a_copy("award_id", make))


def _dates(row: Row, award_date: int, end: int) -> Row:
    """Date of the award and last day, counted from the first day."""
    return {"award_date": shifted_date(row["start_date"], award_date), "end_date": shifted_date(row["start_date"], end)}


def _is_trailblazer(row: Row) -> bool:
    return row["programme_code"] == "MHT"  # of which every amount has a least size (rule M01)


AWARDS: tuple[FaultKind, ...] = (
    *years_of("financial_year", "award_id"),
    _of_award(
        "M01", "amount", "thousands of pounds", lambda row: {"amount": "1100.00"} if _is_trailblazer(row) else None
    ),
    _of_award(
        "M04", "funding_org_name", "match as an award", lambda row: {"funding_org_name": row["recipient_org_name"]}
    ),
    _of_award("M07", "end_date", "ends before it starts", lambda row: _dates(row, -30, -1)),
    _of_award("M07", "award_date", "made after its end", lambda row: _dates(row, 20, 10)),
    _of_award("M25", "amount", "an amount that is not known", lambda row: {"amount_status": "unknown"}),
    _of_award("M26", "amount", "award of 0", lambda row: None if _is_trailblazer(row) else {"amount": "0.00"}),
)


def _evidence_again(row: Row, context: FaultContext) -> RowChange | None:
    return RowChange() if row["evidence_ref"] else None


MATCH: tuple[FaultKind, ...] = (
    FaultKind(
        "M08",
        "valuation_basis",
        ROW,
        "in kind without a valuation",
        on_a_copy(
            "match_id",
            lambda row, context: RowChange({"match_kind": "in_kind", "valuation_basis": None, "evidence_ref": None}),
        ),
    ),
    FaultKind(
        "M09", "evidence_ref", ROW, "evidence used twice", on_a_copy("match_id", _evidence_again), latest_only=True
    ),
    FaultKind("M06", "financial_year", ROW, "no financial year", on_a_copy("match_id", put("financial_year", "20-16"))),
)


def _price(cells: Callable[[Row], Row], where: Callable[[Row], bool] = lambda row: True) -> MakeFault:
    """A new price like the row."""

    def make(row: Row, context: FaultContext) -> RowChange | None:
        return RowChange(below=({**row, **cells(row)},), at_fault=(1,)) if where(row) else None

    return make


def _is_open(row: Row) -> bool:
    return row["valid_to"] is None


PRICES: tuple[FaultKind, ...] = (
    FaultKind(
        "M34",
        "award_id",
        ROW,
        "award not on record",
        _price(lambda row: {"award_id": copied_key(row, "award_id", "Z")}),
        latest_only=True,
    ),
    FaultKind(
        "M26",
        "unit_price",
        ROW,
        "price of 0",
        _price(lambda row: {"unit_price": "0.00", "valid_from": shifted_date(row["valid_from"], 5)}),
    ),
    FaultKind(
        "M46",
        "valid_to",
        ROW,
        "ends before it starts",
        _price(
            lambda row: {
                "valid_from": shifted_date(row["valid_from"], 6),
                "valid_to": shifted_date(row["valid_from"], 1),
            }
        ),
    ),
    FaultKind(
        "M46",
        "valid_from",
        ROW,
        "two prices at once",
        _price(lambda row: {"valid_from": shifted_date(row["valid_from"], 7)}, _is_open),
        latest_only=True,
    ),
)


def _too_early(row: Row, context: FaultContext) -> RowChange:
    return RowChange({"outcome_date": shifted_date(row["outcome_date"], -400)})


def _another_price(row: Row, context: FaultContext) -> RowChange:
    return RowChange(dict.fromkeys(("unit_price", "amount"), pounds_more(row["amount"], 1)))


def _another_person(row: Row, context: FaultContext) -> RowChange:
    return RowChange({"participant_ref": copied_key(row, "participant_ref", "Z")})


PAYMENTS: tuple[FaultKind, ...] = (
    orphan("episode_id", "payment_id"),
    FaultKind(
        "M34",
        "award_id",
        ROW,
        "award not on record",
        lambda row, context: RowChange({"award_id": copied_key(row, "award_id", "Z")}),
        latest_only=True,
    ),
    FaultKind(
        "M47",
        "verified_date",
        ROW,
        "verified before it was reached",
        lambda row, context: RowChange({"verified_date": shifted_date(row["outcome_date"], -2)}),
    ),
    FaultKind("M47", "episode_id", ROW, "paid before there was a job", _too_early, latest_only=True),
    FaultKind(
        "M48",
        "payment_id",
        ROW,
        "paid twice",
        on_a_copy("payment_id", lambda row, context: RowChange()),
        latest_only=True,
    ),
    FaultKind("M48", "participant_ref", ROW, "payment for another person", _another_person, latest_only=True),
    FaultKind(
        "M49",
        "amount",
        ROW,
        "amount that is not the price",
        lambda row, context: RowChange({"amount": pounds_more(row["amount"], 1)}),
    ),
    FaultKind("M49", "unit_price", ROW, "price that is not in force", _another_price, latest_only=True),
)
