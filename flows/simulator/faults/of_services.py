"""Faults of training events, staff posts and fidelity reviews. Source: docs/domain.md 6.3, 6.4 (K10, K11, W10 to W19).

A fault that holds a row is made in a new row beside it: other rows add up to what they have, or need them.
"""

from __future__ import annotations

from flows.simulator.faults.fault import (
    ROW,
    WARNING,
    FaultContext,
    FaultKind,
    Row,
    RowChange,
    another_row,
    on_a_copy,
    put,
    shifted_date,
)


def _of_copy(rule_id: str, key: str, field: str, fault: str, text: str | None) -> FaultKind:
    """A fault of a cell, in a new row."""
    return FaultKind(rule_id, field, ROW, fault, on_a_copy(key, put(field, text)))


def _too_few_people(row: Row, context: FaultContext) -> RowChange:
    return RowChange({"unique_people_to_date": str(int(row["attended"] or 0) - 1)})


def _few_invited(row: Row, context: FaultContext) -> RowChange:
    return RowChange({"invited": str(int(row["attended"] or 0) - 2)})


TRAINING: tuple[FaultKind, ...] = (
    _of_copy("V02", "event_id", "audience", "audience that is not listed", "poets"),
    _of_copy("V02", "event_id", "topic", "topic that is not listed", "juggling"),
    _of_copy("V01", "event_id", "attended", "empty cell", None),
    _of_copy("V03", "event_id", "pre_confidence_mean", "confidence of 11", "11"),
    _of_copy("C22", "event_id", "attended", "negative number", "-4"),
    _of_copy("C08", "event_id", "invited", "placeholder number", "9999"),
    FaultKind(
        "W12",
        "unique_people_to_date",
        ROW,
        "fewer people so far than at this event",
        on_a_copy("event_id", _too_few_people),
        latest_only=True,
    ),
    _of_copy("W19", "event_id", "provider_org", "title and name of a person", "Dr Made-Up"),
    FaultKind("W18", "duration_minutes", WARNING, "hours in place of minutes", put("duration_minutes", "3")),
    FaultKind("W16", "attended", WARNING, "more came than were invited", _few_invited),
)


def _ends_before(row: Row, context: FaultContext) -> RowChange:
    return RowChange({"end_date": shifted_date(row["start_date"], -3)})


def _two_posts(row: Row, context: FaultContext) -> RowChange | None:
    """A second post of somebody, from ten days after the first on."""
    start = shifted_date(row["start_date"], 10)
    if row["end_date"] and row["end_date"] < start:
        return None
    return another_row("post_id", cells={"fte": "0.90", "start_date": start})(row, context)


POSTS: tuple[FaultKind, ...] = (
    _of_copy("V01", "post_id", "staff_role", "empty cell", None),
    _of_copy("V02", "post_id", "staff_role", "role that is not listed", "wizard"),
    _of_copy("V03", "post_id", "fte", "more than a full week", "1.50"),
    FaultKind("K10", "end_date", ROW, "ends before it starts", on_a_copy("post_id", _ends_before)),
    FaultKind("K11", "fte", WARNING, "more than full time", _two_posts, latest_only=True),
)


def _another_band(row: Row, context: FaultContext) -> RowChange:
    return RowChange({"band": "fair" if row["band"] != "fair" else "good"})


def _another_total(row: Row, context: FaultContext) -> RowChange | None:
    """A total of the same band that is not the sum of the items."""
    total = int(row["total_score"] or 0) + 1
    return RowChange({"total_score": str(total)}) if total not in (74, 100, 115, 126) else None


REVIEWS: tuple[FaultKind, ...] = (
    _of_copy("W10", "review_id", "scale_version", "version that is not known", "FS2050"),
    _of_copy("W19", "review_id", "team_name", "title and name of a person", "Dr Made-Up's team"),
    _of_copy("V02", "review_id", "review_type", "kind that is not listed", "friendly"),
    FaultKind("W10", "band", ROW, "band of another total", on_a_copy("review_id", _another_band)),
    FaultKind("W10", "review_id", ROW, "review without items", another_row("review_id"), latest_only=True),
    FaultKind("W10", "total_score", ROW, "total that is not the sum", _another_total, latest_only=True),
    FaultKind(
        "W11",
        "review_type",
        WARNING,
        "independent review by one reviewer",
        put("reviewers", "1", lambda row: row["review_type"] == "independent"),
    ),
)


def _item_above(row: Row, context: FaultContext) -> RowChange:
    return RowChange({"item_no": str(25 + int(row["item_no"] or 0))})


ITEMS: tuple[FaultKind, ...] = (
    _of_copy("W10", "review_id", "score", "score of 6", "6"),
    FaultKind("W10", "item_no", ROW, "item above 25", on_a_copy("review_id", _item_above, "Q")),
    FaultKind("W15", "review_id", ROW, "item of no review", another_row("review_id", "Z"), latest_only=True),
)
