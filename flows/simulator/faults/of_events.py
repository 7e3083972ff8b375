"""Faults of contacts and employment outcomes. Source: docs/domain.md 6.1 to 6.4."""

from __future__ import annotations

from datetime import date, timedelta

from flows.simulator.faults.fault import (
    ROW,
    WARNING,
    FaultContext,
    FaultKind,
    MakeFault,
    Row,
    RowChange,
    after_death,
    another_row,
    answers_of,
    change,
    codes_of,
    copied_key,
    dates_of,
    day_of,
    is_filled,
    orphan,
    put,
    shifted_date,
    structure_of,
    swap,
)

UNLISTED_CONTACT_TYPE = FaultKind(
    "V02", "contact_type", ROW, "code that is not listed", put("contact_type", "catch-up")
)


def _came(row: Row) -> bool:
    return row["attended"] in ("5", "6")


def _missed(row: Row) -> bool:
    return not _came(row)  # for an attended contact an unreadable duration would break rule K03 as well


def _duration(rule_id: str, fault: str, text: str, limit: int | None = None) -> FaultKind:
    return FaultKind(rule_id, "duration_minutes", ROW, fault, put("duration_minutes", text, _missed), limit=limit)


def _before_start(row: Row, context: FaultContext) -> RowChange | None:
    day = shifted_date(row["_start"], -6)
    is_outside_period = context.period_start is not None and day_of(day) < context.period_start  # F57 as well
    return None if is_outside_period else RowChange({"contact_date": day, "staff_ref": None})


def _entered_late(row: Row, context: FaultContext) -> RowChange | None:
    """A contact of the month before in a file of one month alone, since support began."""
    day = shifted_date(row["contact_date"], -31)
    late = context.period_start is not None and day_of(day) < context.period_start and day >= (row["_start"] or "9999")
    return RowChange({"contact_date": day, "staff_ref": None}) if late else None


def _twice(row: Row, context: FaultContext) -> RowChange | None:
    if not _came(row):
        return None
    return RowChange(below=({**row, "contact_id": copied_key(row, "contact_id", "P")},), at_fault=(1,))


def _line_break(text: str, name: str) -> FaultKind:
    """Fault: a line break inside a cell. The row is held, unless the code is listed once the break is removed."""
    rescued = text == "code"

    def make(row: Row, context: FaultContext) -> RowChange | None:
        if not context.csv:
            return None
        return RowChange({name: f'"{row[name]}\n"' if rescued else '"other\nthings"'})

    return FaultKind("F14", name, WARNING if rescued else ROW, f"line break in a {text}", make)


def _of_control(row: Row, context: FaultContext) -> RowChange | None:
    """An attended contact under the episode of somebody in the control arm."""
    can = row["_control"] and _came(row) and (row["contact_date"] or "") >= (row["_control_referred"] or "")
    return RowChange({"episode_id": row["_control"]}) if can else None


def _unknown_worker(row: Row, context: FaultContext) -> RowChange | None:
    return RowChange({"staff_ref": "W-99999"}) if context.has_posts else None


CONTACTS: tuple[FaultKind, ...] = (
    *structure_of("contact_id", "staff_ref"),
    *dates_of("contact_date"),
    *codes_of("contact_type", "telepathy"),
    *answers_of("with_employer", required=False),
    orphan("episode_id", "contact_id"),
    _line_break("code", "contact_medium"),
    _line_break("text", "staff_role"),
    _duration("C07", "suppressed figure", "<5", limit=4),
    _duration("C08", "placeholder number", "9999"),
    _duration("C22", "negative duration", "-30"),
    _duration("V05", "words for a number", "a while"),
    _duration("K02", "duration of a missed appointment", "45"),
    FaultKind("K03", "duration_minutes", ROW, "duration over eight hours", put("duration_minutes", "900", _came)),
    FaultKind("K03", "duration_minutes", ROW, "attended without a duration", put("duration_minutes", None, _came)),
    FaultKind("V02", "staff_role", ROW, "role that is not listed", put("staff_role", "wizard")),
    FaultKind("C09", "staff_ref", WARNING, "word for missing", put("staff_ref", "N/K")),
    FaultKind("C14", "contact_medium", WARNING, "lost leading zero", swap("contact_medium", {"01": "1", "02": "2"})),
    FaultKind("C15", "staff_ref", ROW, "reference damaged by a spreadsheet", put("staff_ref", "1.23457E+11")),
    FaultKind(
        "C16",
        "contact_medium",
        WARNING,
        "label for a code",
        swap("contact_medium", {"01": "Face to face", "02": "02 - Telephone"}),
    ),
    FaultKind("C16", "attended", WARNING, "label for a code", swap("attended", {"5": "Attended on time", "3": "DNA"})),
    FaultKind("C37", "contact_medium", WARNING, "code of a later version", swap("contact_medium", {"01": "11"})),
    FaultKind("C20", "contact_medium", ROW, "code turned into a date", put("contact_medium", "01-Jan")),
    FaultKind("F57", "contact_date", WARNING, "contact of the month before", _entered_late),
    FaultKind("K01", "contact_date", WARNING, "contact before the start of support", _before_start, latest_only=True),
    FaultKind("K05", "staff_ref", WARNING, "worker who is not in post", _unknown_worker, latest_only=True),
    FaultKind("T08", "episode_id", WARNING, "contact in the control arm", _of_control, latest_only=True),
    FaultKind("K04", "contact_id", ROW, "the same contact twice", _twice, latest_only=True),
)

_ended = is_filled("job_end_date")
_reached_13, _reached_26 = is_filled("sust_13w_date"), is_filled("sust_26w_date")


def _several_count(row: Row) -> bool:
    """Whether several jobs add up by the row's outcome rule, so that an outcome may come after the end of the job."""
    return (row["outcome_definition_code"] or "").startswith("SUST")


def _one_counts(row: Row) -> bool:
    return not _several_count(row)


_WEEKS = (("sust_13w_date", "13", 91), ("sust_26w_date", "26", 182))


def _is_next(row: Row, name: str) -> bool:
    """Whether a job has not lasted that long, but for the shorter time before, if there is one."""
    return not row[name] and (name == "sust_13w_date" or _reached_13(row))


def _too_soon(name: str, days: int) -> MakeFault:
    """A date before so many weeks, though the job has lasted for 13."""

    def make(row: Row, context: FaultContext) -> RowChange | None:
        if not _reached_13(row) or _reached_26(row):
            return None
        day = shifted_date(row["job_start_date"], days)
        at_work = day <= (row["job_end_date"] or context.cut_off.isoformat())
        return RowChange({name: day}) if at_work else None

    return make


def _not_yet(name: str, days: int) -> MakeFault:
    """A date after the cut-off, of a job that goes on."""

    def make(row: Row, context: FaultContext) -> RowChange | None:
        day = context.cut_off + timedelta(30)
        if not _is_next(row, name) or _ended(row) or (day - day_of(row["job_start_date"])).days < days:
            return None
        return RowChange({name: day.isoformat()})

    return make


def _outlasted(name: str, days: int) -> MakeFault:
    """A date after the end of the job."""

    def make(row: Row, context: FaultContext) -> RowChange | None:
        if not _ended(row) or not _is_next(row, name) or _several_count(row):
            return None
        day = shifted_date(row["job_start_date"], days)
        late = (row["job_end_date"] or "") < day <= context.cut_off.isoformat()
        return RowChange({name: day}) if late else None

    return make


def _would_have_lasted(row: Row, days: int) -> bool:
    """Whether a job that began before its owner's death would have lasted so many days on the day after."""
    return not _reached_26(row) and shifted_date(row["job_start_date"], days) < (row["_died"] or "")


def _of_ineligible(row: Row, context: FaultContext) -> RowChange | None:
    """A new job of somebody who was found ineligible."""
    can = row["_ineligible"] and not row["_randomised"] and row["in_work_at_start"] == "N"
    return RowChange({"episode_id": row["_ineligible"]}) if can else None


def _at_once(row: Row, context: FaultContext) -> RowChange | None:
    """Another job that begins before the row's own has ended."""
    start = shifted_date(row["job_start_date"], 20)
    lasts = start < (row["job_end_date"] or "9999") and start <= context.cut_off.isoformat()
    if not lasts or row["in_work_at_start"] == "Y":
        return None
    kind = "apprenticeship" if row["job_type"] != "apprenticeship" else "employee"
    return another_row("outcome_id", cells={**NOT_LASTING, "job_start_date": start, "job_type": kind})(row, context)


NOT_LASTING: Row = dict.fromkeys(("sust_13w_date", "sust_26w_date"))
GOES_ON: Row = dict.fromkeys(("job_end_date", "left_job_reason"))


def _ends_before_start(row: Row, context: FaultContext) -> RowChange | None:
    if not _ended(row) or _reached_13(row):
        return None
    return RowChange({"job_end_date": shifted_date(row["job_start_date"], -4)})


def _starts_before_support(row: Row, context: FaultContext) -> RowChange | None:
    if row["in_work_at_start"] != "N" or row["job_spell_no"] != "1":
        return None
    return RowChange({"job_start_date": shifted_date(row["_referred"], -20)})


def _few_hours(row: Row, context: FaultContext) -> RowChange | None:
    if row["outcome_definition_code"] != "WC_JO":
        return None
    return RowChange({"paid_hours_week": "12.0", "weekly_hours_worked": "03"})


def _low_earnings(row: Row, context: FaultContext) -> RowChange | None:
    """A claim by the rule of another programme, with a pound less than 416 hours at the lowest wage of these years."""
    if row["job_type"] == "self_employed" or (row["job_start_date"] or "") < "2013-10-01" or _several_count(row):
        return None
    return RowChange(
        {"outcome_definition_code": "WHP_JO", "earnings_to_date": f"{416 * 6.31 - 1:.2f}", "paid_hours_week": "30.0",
         "weekly_hours_worked": "01"}
    )  # fmt: skip


def _still_working(row: Row, context: FaultContext) -> RowChange | None:
    """A reason for leaving a job that goes on."""
    return None if _ended(row) else RowChange({"left_job_reason": "resigned"})


def _same_job(row: Row, context: FaultContext) -> RowChange:
    return RowChange(below=({**row, "outcome_id": copied_key(row, "outcome_id", "P")},), at_fault=(1,))


def _quoted_comma(row: Row, context: FaultContext) -> RowChange | None:
    text = (row["hourly_pay"] or "").replace(".", ",")
    return RowChange({"hourly_pay": f'"{text}"' if context.csv else text}) if text else None


OUTCOMES: tuple[FaultKind, ...] = (
    *structure_of("outcome_id", "at_least_nmw"),
    *codes_of("evidence_type", "hearsay"),
    *answers_of("at_least_nmw", required=True),
    orphan("episode_id", "outcome_id"),
    FaultKind(
        "C01",
        "evidence_date",
        ROW,
        "spreadsheet number for a date",
        change("evidence_date", lambda t: str((day_of(t) - date(1899, 12, 30)).days)),
    ),
    FaultKind("C03", "evidence_date", WARNING, "placeholder date", put("evidence_date", "01/01/1900")),
    FaultKind("C05", "job_start_date", ROW, "30 February", change("job_start_date", lambda t: t[:5] + "02-30")),
    FaultKind("V01", "job_start_date", ROW, "empty cell", put("job_start_date", None)),
    FaultKind("V03", "job_spell_no", ROW, "job number nought", put("job_spell_no", "0")),
    FaultKind("C07", "hourly_pay", ROW, "suppressed figure", put("hourly_pay", "*"), limit=4),
    FaultKind("C08", "hourly_pay", ROW, "placeholder number", put("hourly_pay", "999")),
    FaultKind("C11", "hourly_pay", WARNING, "pound sign", change("hourly_pay", lambda t: f"£{t}")),
    FaultKind("C12", "hourly_pay", ROW, "decimal comma", _quoted_comma),
    FaultKind("C13", "hourly_pay", WARNING, "scientific form", change("hourly_pay", lambda t: f"{t}E+00")),
    FaultKind(
        "C16", "evidence_type", WARNING, "another word for a code", swap("evidence_type", {"payslip": "wage slip"})
    ),
    FaultKind("C20", "weekly_hours_worked", ROW, "code turned into a date", put("weekly_hours_worked", "04-Jan")),
    FaultKind("E01", "job_start_date", ROW, "job before support began", _starts_before_support, latest_only=True),
    FaultKind("E02", "sust_26w_date", ROW, "26 weeks without 13", put("sust_13w_date", None, _reached_26)),
    FaultKind("E03", "sust_13w_date", ROW, "13 weeks too soon", _too_soon("sust_13w_date", 60)),
    FaultKind("E03", "sust_26w_date", ROW, "26 weeks too soon", _too_soon("sust_26w_date", 150)),
    *(FaultKind("E04", name, ROW, f"{w} weeks not reached yet", _not_yet(name, days)) for name, w, days in _WEEKS),
    *(
        FaultKind("E05", name, ROW, f"{w} weeks after the job ended", _outlasted(name, days))
        for name, w, days in _WEEKS
    ),
    FaultKind("E09", "episode_id", ROW, "job of an ineligible referral", _of_ineligible, latest_only=True),
    FaultKind("E12", "job_start_date", WARNING, "two jobs at once", _at_once, latest_only=True),
    after_death("sust_13w_date", lambda row: not _reached_13(row) and _would_have_lasted(row, 91), GOES_ON),
    after_death("sust_26w_date", lambda row: _reached_13(row) and _would_have_lasted(row, 182), GOES_ON),
    after_death("job_start_date", cells=NOT_LASTING | GOES_ON),
    FaultKind("E05", "job_end_date", ROW, "job ends before it starts", _ends_before_start),
    FaultKind(
        "E06",
        "paid_hours_week",
        ROW,
        "more hours than possible",
        put("paid_hours_week", "95.0", lambda row: row["weekly_hours_worked"] == "01"),
    ),
    FaultKind("E06", "paid_hours_week", WARNING, "fewer hours than the outcome rule asks", _few_hours),
    FaultKind("E07", "job_type", ROW, "unpaid work as a job", put("job_type", "volunteering")),
    FaultKind("E08", "weekly_hours_worked", ROW, "hours code of someone out of work", put("weekly_hours_worked", "98")),
    FaultKind(
        "E08",
        "weekly_hours_worked",
        WARNING,
        "hours code of fewer hours",
        swap("weekly_hours_worked", {"01": "02", "02": "03", "03": "04"}),
    ),
    *(
        FaultKind("E10", "outcome_definition_code", ROW, fault, put("outcome_definition_code", code, _one_counts))
        for code, fault in (("WP_JO", "rule of another programme"), ("JOBS", "rule that is not known"))
    ),
    FaultKind(
        "E16",
        "earnings_to_date",
        ROW,
        "earnings below those of the outcome rule",
        _low_earnings,
        also=(FaultKind("E10", "outcome_definition_code", ROW, "rule of another programme", _low_earnings),),
    ),
    FaultKind("E21", "left_job_reason", ROW, "reason without an end of the job", _still_working),
    FaultKind(
        "E21", "left_job_reason", WARNING, "end of the job without a reason", put("left_job_reason", None, _ended)
    ),
    FaultKind("E11", "outcome_id", WARNING, "one job on two rows", _same_job, latest_only=True),
    FaultKind(
        "E13",
        "in_work_at_start",
        ROW,
        "already in work, sent as a new job",
        put("in_work_at_start", "N", lambda row: row["in_work_at_start"] == "Y" and row["job_spell_no"] != "1"),
        latest_only=True,
    ),
)
