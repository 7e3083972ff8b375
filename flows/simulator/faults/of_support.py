"""Faults of action plans, employment status history and employer support. Source: docs/domain.md 6.3, 6.4."""

from __future__ import annotations

from flows.simulator.faults.fault import (
    ROW,
    WARNING,
    FaultContext,
    FaultKind,
    Row,
    RowChange,
    after_death,
    another_row,
    answers_of,
    codes_of,
    dates_of,
    is_filled,
    orphan,
    put,
    shifted_date,
    structure_of,
)


def _reviewed_before(row: Row, context: FaultContext) -> RowChange:
    return RowChange({"reviewed_date": shifted_date(row["completed_date"], -5)})


def _before_referral(name: str) -> FaultKind:
    def make(row: Row, context: FaultContext) -> RowChange | None:
        return RowChange({name: shifted_date(row["_referred"], -5)}) if row["episode_id"] else None

    rule_id = "K07" if name == "completed_date" else "K09"
    return FaultKind(rule_id, name, WARNING, "before the referral", make, latest_only=True)


PLANS: tuple[FaultKind, ...] = (
    *structure_of("plan_id", "benefits_calc_done"),
    *dates_of("completed_date"),
    *codes_of("plan_type", "wish_list"),
    *answers_of("benefits_calc_done", required=False),
    orphan("episode_id", "plan_id"),
    FaultKind("C22", "goal_count", ROW, "negative count", put("goal_count", "-2")),
    FaultKind("K06", "reviewed_date", ROW, "reviewed before it was completed", _reviewed_before),
    _before_referral("completed_date"),
    FaultKind("K08", "plan_id", WARNING, "the same plan twice", another_row("plan_id"), latest_only=True),
    after_death("completed_date", lambda row: row["_exited"] == row["_died"], {"reviewed_date": None}),
)


def _works(row: Row) -> bool:
    return row["employment_status"] == "01"


def _begins_later(row: Row, context: FaultContext) -> RowChange | None:
    day = shifted_date(row["recorded_date"], 3)
    return RowChange({"status_start_date": day}) if day <= context.cut_off.isoformat() else None


def _names_a_benefit(row: Row) -> bool:
    return "Y" in (row["esa_ind"], row["uc_ind"], row["pip_ind"])


STATUSES: tuple[FaultKind, ...] = (
    *structure_of("status_id", "ssp_ind"),
    *dates_of("recorded_date"),
    *codes_of("employment_status", "9"),
    orphan("episode_id", "status_id"),
    FaultKind(
        "E08",
        "weekly_hours_worked",
        ROW,
        "hours for someone out of work",
        put("weekly_hours_worked", "01", lambda row: not _works(row)),
    ),
    FaultKind("E17", "status_start_date", ROW, "status begins after its record", _begins_later),
    FaultKind("E18", "benefit_ind", ROW, "a benefit, and none", put("benefit_ind", "N", _names_a_benefit)),
    FaultKind("E19", "employment_status", WARNING, "two records of a day", another_row("status_id"), latest_only=True),
    *(
        FaultKind("E20", name, ROW, "not asked of someone in work", put(name, "8", _works))
        for name in ("self_employed_ind", "sick_absence_ind")
    ),
    after_death("recorded_date"),
)

EMPLOYERS: tuple[FaultKind, ...] = (
    *structure_of("support_id", "adjustment_made"),
    *dates_of("support_date"),
    *codes_of("support_type", "a_lunch"),
    *answers_of("adjustment_made", required=False),
    orphan("episode_id", "support_id"),
    FaultKind("M22", "support_id", ROW, "name of an employer", put("support_id", "ACME-CARPETS")),
    _before_referral("support_date"),
    after_death("support_date", is_filled("episode_id")),
)
