"""What can be wrong with contacts and employment outcomes. Source: docs/domain.md 6.1 to 6.4."""

from __future__ import annotations

from datetime import date, timedelta

from flows.simulator.faults.fault import (
    ROW,
    WARNING,
    FaultContext,
    Planter,
    Row,
    Spoilt,
    answers_of,
    change,
    codes_of,
    dates_of,
    day_of,
    known,
    orphan,
    put,
    renamed,
    shifted,
    structure_of,
    swap,
)

TOO_MANY = Planter("V02", "contact_type", ROW, "code that is not listed", put("contact_type", "catch-up"))


def _came(row: Row) -> bool:
    return row["attended"] in ("5", "6")


def _missed(row: Row) -> bool:
    return not _came(row)  # an unreadable duration of an attended contact would break rule K03 as well


def _duration(rule_id: str, fault: str, text: str, limit: int | None = None) -> Planter:
    return Planter(rule_id, "duration_minutes", ROW, fault, put("duration_minutes", text, _missed), limit=limit)


def _before_start(row: Row, context: FaultContext) -> Spoilt:
    return Spoilt({"contact_date": shifted(row["_start"], -6)})


def _twice(row: Row, context: FaultContext) -> Spoilt | None:
    if not _came(row):
        return None
    return Spoilt(below=({**row, "contact_id": renamed(row, "contact_id", "P")},), at_fault=(1,))


def _line_break(text: str, name: str) -> Planter:
    """A line break inside a cell: the row is held unless taking it out gives a listed code."""
    rescued = text == "code"

    def spoil(row: Row, context: FaultContext) -> Spoilt | None:
        if not context.csv:
            return None
        return Spoilt({name: f'"{row[name]}\n"' if rescued else '"other\nthings"'})

    return Planter("F14", name, WARNING if rescued else ROW, f"line break in a {text}", spoil)


CONTACTS: tuple[Planter, ...] = (
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
    _duration("V05", "words for a number", "half an hour"),
    _duration("K02", "duration of a missed appointment", "45"),
    Planter("K03", "duration_minutes", ROW, "duration over eight hours", put("duration_minutes", "900", _came)),
    Planter("K03", "duration_minutes", ROW, "attended without a duration", put("duration_minutes", None, _came)),
    Planter("V02", "staff_role", ROW, "role that is not listed", put("staff_role", "wizard")),
    Planter("C09", "staff_ref", WARNING, "word for missing", put("staff_ref", "N/K")),
    Planter("C14", "contact_medium", WARNING, "lost leading zero", swap("contact_medium", {"01": "1", "02": "2"})),
    Planter("C15", "staff_ref", ROW, "reference damaged by a spreadsheet", put("staff_ref", "1.23457E+11")),
    Planter(
        "C16",
        "contact_medium",
        WARNING,
        "label for a code",
        swap("contact_medium", {"01": "Face to face", "02": "02 - Telephone"}),
    ),
    Planter("C16", "attended", WARNING, "label for a code", swap("attended", {"5": "Attended on time", "3": "DNA"})),
    Planter("C20", "contact_medium", ROW, "code turned into a date", put("contact_medium", "01-Jan")),
    Planter("K01", "contact_date", WARNING, "contact before the start of support", _before_start, latest_only=True),
    Planter("K04", "contact_id", ROW, "the same contact twice", _twice, latest_only=True),
)

_ended = known("job_end_date")
_reached_13, _reached_26 = known("sust_13w_date"), known("sust_26w_date")


def _too_soon(row: Row, context: FaultContext) -> Spoilt | None:
    if not _reached_13(row) or _reached_26(row):
        return None
    return Spoilt({"sust_13w_date": shifted(row["job_start_date"], 60)})


def _not_yet(row: Row, context: FaultContext) -> Spoilt | None:
    day = context.cut + timedelta(30)
    if _reached_13(row) or _ended(row) or (day - day_of(row["job_start_date"])).days < 91:
        return None
    return Spoilt({"sust_13w_date": day.isoformat()})


def _outlasted(row: Row, context: FaultContext) -> Spoilt | None:
    """A 13-week date after the end of the job."""
    if not _ended(row) or _reached_13(row):
        return None
    day = shifted(row["job_start_date"], 91)
    return Spoilt({"sust_13w_date": day}) if (row["job_end_date"] or "") < day <= context.cut.isoformat() else None


def _ends_before_start(row: Row, context: FaultContext) -> Spoilt | None:
    if not _ended(row) or _reached_13(row):
        return None
    return Spoilt({"job_end_date": shifted(row["job_start_date"], -4)})


def _starts_before_support(row: Row, context: FaultContext) -> Spoilt | None:
    if row["in_work_at_start"] != "N" or row["job_spell_no"] != "1":
        return None
    return Spoilt({"job_start_date": shifted(row["_referred"], -20)})


def _few_hours(row: Row, context: FaultContext) -> Spoilt | None:
    if row["outcome_definition_code"] != "WC_JO":
        return None
    return Spoilt({"paid_hours_week": "12.0", "weekly_hours_worked": "03"})


def _same_job(row: Row, context: FaultContext) -> Spoilt:
    return Spoilt(below=({**row, "outcome_id": renamed(row, "outcome_id", "P")},), at_fault=(1,))


def _quoted_comma(row: Row, context: FaultContext) -> Spoilt | None:
    text = (row["hourly_pay"] or "").replace(".", ",")
    return Spoilt({"hourly_pay": f'"{text}"' if context.csv else text}) if text else None


OUTCOMES: tuple[Planter, ...] = (
    *structure_of("outcome_id", "at_least_nmw"),
    *codes_of("evidence_type", "hearsay"),
    *answers_of("at_least_nmw", required=True),
    orphan("episode_id", "outcome_id"),
    Planter(
        "C01",
        "evidence_date",
        ROW,
        "spreadsheet number for a date",
        change("evidence_date", lambda t: str((day_of(t) - date(1899, 12, 30)).days)),
    ),
    Planter("C03", "evidence_date", WARNING, "placeholder date", put("evidence_date", "01/01/1900")),
    Planter("C05", "job_start_date", ROW, "30 February", change("job_start_date", lambda t: t[:5] + "02-30")),
    Planter("V01", "job_start_date", ROW, "empty cell", put("job_start_date", None)),
    Planter("V03", "job_spell_no", ROW, "job number nought", put("job_spell_no", "0")),
    Planter("C07", "hourly_pay", ROW, "suppressed figure", put("hourly_pay", "*"), limit=4),
    Planter("C08", "hourly_pay", ROW, "placeholder number", put("hourly_pay", "999")),
    Planter("C11", "hourly_pay", WARNING, "pound sign", change("hourly_pay", lambda t: f"£{t}")),
    Planter("C12", "hourly_pay", ROW, "decimal comma", _quoted_comma),
    Planter("C13", "hourly_pay", WARNING, "scientific form", change("hourly_pay", lambda t: f"{t}E+00")),
    Planter(
        "C16", "evidence_type", WARNING, "another word for a code", swap("evidence_type", {"payslip": "wage slip"})
    ),
    Planter("C20", "weekly_hours_worked", ROW, "code turned into a date", put("weekly_hours_worked", "04-Jan")),
    Planter("E01", "job_start_date", ROW, "job before support began", _starts_before_support, latest_only=True),
    Planter("E02", "sust_26w_date", ROW, "26 weeks without 13", put("sust_13w_date", None, _reached_26)),
    Planter("E03", "sust_13w_date", ROW, "13 weeks too soon", _too_soon),
    Planter("E04", "sust_13w_date", ROW, "13 weeks not reached yet", _not_yet),
    Planter("E05", "sust_13w_date", ROW, "13 weeks after the job ended", _outlasted),
    Planter("E05", "job_end_date", ROW, "job ends before it starts", _ends_before_start),
    Planter(
        "E06",
        "paid_hours_week",
        ROW,
        "more hours than possible",
        put("paid_hours_week", "95.0", lambda row: row["weekly_hours_worked"] == "01"),
    ),
    Planter("E06", "paid_hours_week", WARNING, "fewer hours than the outcome rule asks", _few_hours),
    Planter("E07", "job_type", ROW, "unpaid work as a job", put("job_type", "volunteering")),
    Planter("E08", "weekly_hours_worked", ROW, "hours code of someone out of work", put("weekly_hours_worked", "98")),
    Planter(
        "E08",
        "weekly_hours_worked",
        WARNING,
        "hours code of fewer hours",
        swap("weekly_hours_worked", {"01": "02", "02": "03", "03": "04"}),
    ),
    Planter(
        "E10", "outcome_definition_code", ROW, "rule of another programme", put("outcome_definition_code", "WP_JO")
    ),
    Planter("E10", "outcome_definition_code", ROW, "rule that is not known", put("outcome_definition_code", "JOBS")),
    Planter("E11", "outcome_id", WARNING, "one job on two rows", _same_job, latest_only=True),
    Planter(
        "E13",
        "in_work_at_start",
        ROW,
        "already in work, sent as a new job",
        put("in_work_at_start", "N", lambda row: row["in_work_at_start"] == "Y"),
        latest_only=True,
    ),
)
