"""Faults of participants, referrals and randomisation. Source: docs/domain.md 6.1 to 6.3."""

from __future__ import annotations

from datetime import timedelta

from flows.simulator.faults.fault import (
    ROW,
    WARNING,
    FaultContext,
    FaultKind,
    Row,
    RowChange,
    after_death,
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
from schemas._contract.registry import areas_of

ELSEWHERE = "E06000046"  # Isle of Wight


def _no_gp_area(row: Row, context: FaultContext) -> RowChange | None:
    return RowChange({"gp_area_code": None}) if context.site_code.startswith("HLT") else None


def _retired_area(row: Row, context: FaultContext) -> RowChange | None:
    retired = context.retired_areas.get(row["la_code"] or "")
    return RowChange({"la_code": retired}) if retired else None


def _elsewhere(row: Row, context: FaultContext) -> RowChange | None:
    """An area that no pilot serves, of residence and, in a trial, of the GP practice, where the site's are known."""
    if not areas_of(context.site_code, "residence"):
        return None
    return RowChange({"la_code": ELSEWHERE, "gp_area_code": ELSEWHERE if row["gp_area_code"] else None})


def _seen_before(row: Row, context: FaultContext) -> bool:
    """Whether last month's extract held the row."""
    return context.previous_cut_off is not None and day_of(row["_seen"]) <= context.previous_cut_off


def _younger(row: Row, context: FaultContext) -> RowChange | None:
    return RowChange({"year_of_birth": str(int(row["year_of_birth"] or 0) + 6)}) if _seen_before(row, context) else None


def _a_year_younger(row: Row, context: FaultContext) -> RowChange | None:
    return RowChange({"year_of_birth": str(int(row["year_of_birth"] or 0) + 1)}) if _seen_before(row, context) else None


def _other_ethnicity(row: Row, context: FaultContext) -> RowChange | None:
    known = row["ethnic_category"] not in ("Z", "99")
    other = "B" if row["ethnic_category"] != "B" else "A"
    return RowChange({"ethnic_category": other}) if known and _seen_before(row, context) else None


def _other_gender(row: Row, context: FaultContext) -> RowChange | None:
    other = {"1": "2", "2": "1"}.get(row["gender"] or "")
    return RowChange({"gender": other}) if other and _seen_before(row, context) else None


def _twin(row: Row, context: FaultContext) -> RowChange:
    return RowChange(below=({**row, "participant_ref": copied_key(row, "participant_ref", "P")},), at_fault=(1,))


PARTICIPANTS: tuple[FaultKind, ...] = (
    *structure_of("participant_ref", "consent_linkage"),
    *dates_of("consent_date"),
    *codes_of("primary_condition", "sadness"),
    *answers_of("consent_linkage", required=False),
    FaultKind("V01", "gender", ROW, "empty cell", put("gender", None)),
    FaultKind("V01", "gp_area_code", ROW, "no area of GP registration in a trial", _no_gp_area),
    FaultKind("V03", "year_of_birth", ROW, "year of birth too long ago", put("year_of_birth", "1890")),
    FaultKind("V03", "imd_decile", ROW, "decile of 11", put("imd_decile", "11")),
    FaultKind("V04", "lsoa", ROW, "another kind of area", put("lsoa", "E02001234")),
    FaultKind("V05", "condition_count", ROW, "words for a number", put("condition_count", "two or three")),
    FaultKind("C08", "months_out_of_work", ROW, "placeholder number", put("months_out_of_work", "999")),
    FaultKind("C09", "imd_decile", WARNING, "word for missing", put("imd_decile", "n/a")),
    FaultKind("C16", "gender", WARNING, "label for a code", swap("gender", {"1": "Male", "2": "Female"})),
    FaultKind("C22", "condition_count", ROW, "negative count", put("condition_count", "-2")),
    FaultKind("P08", "ethnic_category", WARNING, "old ethnicity code", swap("ethnic_category", {"C": "T", "99": "9"})),
    FaultKind("P09", "la_code", WARNING, "lives and is registered elsewhere", _elsewhere),
    FaultKind("P10", "la_code", WARNING, "retired area code", _retired_area),
    FaultKind("P19", "consent_data_sharing", ROW, "no consent to share", put("consent_data_sharing", "N")),
    FaultKind(
        "P19",
        "consent_withdrawn_date",
        WARNING,
        "consent withdrawn before it was given",
        lambda row, context: RowChange({"consent_withdrawn_date": shifted_date(row["consent_date"], -9)}),
    ),
    FaultKind(
        "P20",
        "deceased_date",
        ROW,
        "consent after death",
        lambda row, context: RowChange({"deceased_date": shifted_date(row["consent_date"], -30)}),
    ),
    FaultKind("P05", "participant_ref", WARNING, "one person under two references", _twin, latest_only=True),
    FaultKind(
        "P06", "year_of_birth", ROW, "another year of birth than last month", _younger, latest_only=True, watched=True
    ),
    FaultKind(
        "P06", "gender", WARNING, "another gender than last month", _other_gender, latest_only=True, watched=True
    ),
    FaultKind(
        "P06",
        "year_of_birth",
        WARNING,
        "a year younger than last month",
        _a_year_younger,
        latest_only=True,
        watched=True,
    ),
    FaultKind(
        "P06",
        "ethnic_category",
        WARNING,
        "another ethnicity than last month",
        _other_ethnicity,
        latest_only=True,
        watched=True,
    ),
)

_closed = is_filled("exit_date")
_begun = is_filled("programme_start_date")


def _ineligible_but_started(row: Row, context: FaultContext) -> RowChange | None:
    return RowChange({"eligibility_outcome": "ineligible", "ineligible_reason": "other"}) if _begun(row) else None


def _child(row: Row, context: FaultContext) -> RowChange | None:
    """First referral at about the age of twelve, but recent enough not to be taken for a date of birth (rule P03).

    Only in closed or ineligible episodes, because rules about open cases would find it too, and not in Work Choice,
    which had not begun then (rule C37).
    """
    if row["support_model"] == "work_choice":
        return None
    if row["eligibility_outcome"] == "eligible" and not _closed(row) or not (row["episode_id"] or "").endswith("E1"):
        return None
    year = int(row["_birth_year"] or 0) + 12
    return RowChange({"referral_received_date": f"{year}-06-01"}) if year > context.cut_off.year - 14 else None


def _second_open(row: Row, context: FaultContext) -> RowChange | None:
    if _closed(row) or row["eligibility_outcome"] == "ineligible":
        return None
    undecided = dict.fromkeys(("eligibility_date", "programme_start_date", "start_basis"))
    second = {**row, **undecided, "episode_id": copied_key(row, "episode_id", "P"), "eligibility_outcome": "pending"}
    return RowChange(below=(second,), at_fault=(1,))


def _dormant(row: Row, context: FaultContext) -> RowChange | None:
    """The only episode of somebody, never closed, and without contacts."""
    if row["eligibility_outcome"] != "eligible" or _begun(row) or row["_only"] != "true":
        return None
    early = (context.cut_off - timedelta(1000)).isoformat()
    return RowChange({"referral_received_date": early, **OPEN}) if early < (row["eligibility_date"] or "") else None


def _without_consent(row: Row, context: FaultContext) -> RowChange | None:
    """Start of support of somebody who did not agree to take part."""
    if row["_refused"] != "true" or row["eligibility_outcome"] != "ineligible":
        return None
    day = row["eligibility_date"]
    return RowChange(
        {"eligibility_outcome": "eligible", "ineligible_reason": None, "programme_start_date": day,
         "start_basis": "first_contact"}
    )  # fmt: skip


OPEN: Row = dict.fromkeys(("exit_date", "exit_reason", "employment_status_at_exit", "weekly_hours_at_exit"))
UNDECIDED: Row = dict.fromkeys(("eligibility_date", "ineligible_reason", "programme_start_date", "start_basis")) | {
    "eligibility_outcome": "pending"
}

REFERRALS: tuple[FaultKind, ...] = (
    *structure_of("episode_id", "key_worker_ref"),
    *dates_of("referral_received_date"),
    *codes_of("source_of_referral", "X9"),
    orphan("participant_ref", "episode_id"),
    FaultKind("V02", "support_model", ROW, "model that is not listed", put("support_model", "hypnosis")),
    FaultKind(
        "V01",
        "ineligible_reason",
        ROW,
        "ineligible without a reason",
        put("ineligible_reason", None, lambda row: row["eligibility_outcome"] == "ineligible"),
    ),
    FaultKind("V01", "start_basis", ROW, "start without a basis", put("start_basis", None, _begun)),
    FaultKind(
        "C03", "exit_date", WARNING, "placeholder date", put("exit_date", "01/01/1900", lambda row: not _closed(row))
    ),
    FaultKind("C09", "key_worker_ref", WARNING, "word for missing", put("key_worker_ref", "Not recorded")),
    FaultKind(
        "C14",
        "employment_status_at_start",
        WARNING,
        "lost leading zero",
        change("employment_status_at_start", lambda t: t[1:]),
    ),
    FaultKind(
        "C16",
        "employment_status_at_start",
        WARNING,
        "label for a code",
        swap("employment_status_at_start", {"02": "02 - Unemployed", "01": "Employed"}),
    ),
    FaultKind("C37", "source_of_referral", WARNING, "code of a later version", put("source_of_referral", "Q2")),
    FaultKind(
        "C37",
        "support_model",
        ROW,
        "support that had ended",
        put("support_model", "work_choice", lambda row: (row["referral_received_date"] or "") > "2018-02-28"),
    ),
    FaultKind("C20", "weekly_hours_at_start", ROW, "code turned into a date", put("weekly_hours_at_start", "04-Jan")),
    FaultKind(
        "E08",
        "weekly_hours_at_start",
        ROW,
        "hours for someone out of work",
        put("weekly_hours_at_start", "01", lambda row: row["employment_status_at_start"] != "01"),
    ),
    FaultKind(
        "P13",
        "programme_start_date",
        ROW,
        "start before referral",
        lambda row, context: (
            RowChange({"programme_start_date": shifted_date(row["referral_received_date"], -5)})
            if _begun(row)
            else None
        ),
    ),
    FaultKind(
        "P14",
        "eligibility_date",
        ROW,
        "decision before referral",
        lambda row, context: RowChange({"eligibility_date": shifted_date(row["referral_received_date"], -5)}),
    ),
    FaultKind("P14", "eligibility_outcome", ROW, "ineligible, yet started", _ineligible_but_started),
    FaultKind("P17", "exit_reason", ROW, "exit without a reason", put("exit_reason", None, _closed)),
    FaultKind(
        "P17",
        "exit_date",
        ROW,
        "exit before start",
        lambda row, context: (
            RowChange({"exit_date": shifted_date(row["programme_start_date"], -3)})
            if _closed(row) and _begun(row)
            else None
        ),
    ),
    FaultKind("P07", "referral_received_date", ROW, "too young", _child, latest_only=True),
    FaultKind(
        "E08",
        "weekly_hours_at_exit",
        ROW,
        "hours for someone out of work",
        put("weekly_hours_at_exit", "01", lambda row: row["employment_status_at_exit"] not in (None, "01")),
    ),
    FaultKind("P18", "exit_date", WARNING, "open for years without a contact", _dormant, latest_only=True),
    FaultKind("P19", "programme_start_date", WARNING, "start without consent", _without_consent, latest_only=True),
    after_death("referral_received_date", cells=UNDECIDED | OPEN),
    after_death("programme_start_date", _begun, OPEN),
    FaultKind("P16", "referral_received_date", ROW, "second open episode", _second_open, latest_only=True),
)


def _wrong_group(row: Row, context: FaultContext) -> RowChange:
    return RowChange({"trial_group": "scr_oow" if context.site_code == "HLT-WMCA" else "wmca_oow"})


def _other_arm(row: Row, context: FaultContext) -> RowChange | None:
    return RowChange({"arm": "control" if row["arm"] == "ips" else "ips"}) if _seen_before(row, context) else None


def _before_opening(row: Row, context: FaultContext) -> RowChange | None:
    early = (row["baseline_completed_date"] or "") <= "2018-04-30"
    return RowChange({"randomised_date": "2018-04-30"}) if early else None


def _before_consent(row: Row, context: FaultContext) -> RowChange | None:
    day = shifted_date(row["_consented"], -2)
    return RowChange({"baseline_completed_date": day, "randomised_date": day}) if day >= "2018-05-01" else None


def _late_baseline(row: Row, context: FaultContext) -> RowChange | None:
    day = shifted_date(row["randomised_date"], 3)
    return RowChange({"baseline_completed_date": day}) if day <= context.cut_off.isoformat() else None


def _again(row: Row, context: FaultContext) -> RowChange:
    return RowChange(below=({**row, "randomisation_id": copied_key(row, "randomisation_id", "P")},), at_fault=(1,))


RANDOMISATION: tuple[FaultKind, ...] = (
    *structure_of("randomisation_id", "consent_version"),
    *dates_of("randomised_date"),
    *codes_of("trial_group", "gm_oow"),
    orphan("participant_ref", "randomisation_id"),
    FaultKind("V01", "arm", ROW, "empty cell", put("arm", None)),
    FaultKind(
        "C06",
        "notified_date",
        ROW,
        "told after the cut-off",
        lambda r, c: RowChange({"notified_date": shifted_date(str(c.cut_off), 9)}),
    ),
    FaultKind("C16", "arm", WARNING, "treatment for ips", swap("arm", {"ips": "treatment", "control": "usual care"})),
    FaultKind("T01", "participant_ref", ROW, "randomised twice", _again, latest_only=True),
    FaultKind("T02", "arm", ROW, "arm differs from last month's", _other_arm, latest_only=True, watched=True),
    FaultKind("T03", "baseline_completed_date", ROW, "baseline after randomisation", _late_baseline),
    FaultKind("T03", "randomised_date", ROW, "randomised before consent", _before_consent, latest_only=True),
    FaultKind("T04", "randomised_date", WARNING, "randomised before recruitment opened", _before_opening),
    FaultKind("T05", "arm", ROW, "arm that is not known", put("arm", "group three")),
    FaultKind("T06", "trial_group", ROW, "group of the other trial", _wrong_group),
    after_death("randomised_date", cells={"notified_date": None}),
)
