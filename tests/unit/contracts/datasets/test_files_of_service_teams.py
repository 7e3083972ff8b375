"""Whole files as services and clinical systems send them: each cell loads as it is meant, or is held by its cause.

Every row is made up.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from dataset_rows import Row, sound
from file_validator import Validator, as_csv

BARE: Row = {"item_scores": "", "items_missing": ""}
EQ5D: Row = BARE | {"measure_code": "eq5d5l", "total_score": ""}
OF_EIGHT: Row = {"items_missing": "", "total_score": "8"}
WORKING: Row = {"employment_status": "01"}
ANSWERS = "0;1;2;3;0;1;0;0;1"

# The dataset, the field, the rest of the row; and for each text of a cell what is stored, or in a tuple the rule by
# which its row is held.
CELLS: list[tuple[str, str, Row, dict[str, Any]]] = [
    ("wellbeing_measures", "total_score", BARE, {
        "9": Decimal(9), "9.0": Decimal(9), "nine": Decimal(9), "not done": ("V05",), "-": ("V01",), "n/a": ("V01",),
        "declined": ("V05",), "12/27": ("V05",), "12 (moderate)": ("V05",), "9.5": ("W17",), "28": ("W01",),
        "99": ("C08",),
    }),
    ("wellbeing_measures", "total_score", BARE | {"measure_code": "swemwbs_raw"}, {
        "21": Decimal(21), "19.25": ("W03",),
    }),
    ("wellbeing_measures", "measure_code", BARE | {"total_score": "10"}, {
        "PHQ-9": "phq9", "PHQ9 score": "phq9", "GAD 7": "gad7", "W&SAS": "wsas", "Life satisfaction": "ons4_satisfied",
        "Anxious yesterday": "ons4_anxious", "Anxiety": ("V02",), "HADS": ("V02",),
    }),
    ("wellbeing_measures", "wave", BARE, {
        "T0": "baseline", "Pre": "baseline", "Baseline ": "baseline", "12m": "mth12", "12 mths": "mth12",
        "4 wks": "wk4", "Post": "exit", "T1": ("V02",), "Follow up": ("V02",),
    }),
    ("wellbeing_measures", "item_scores", OF_EIGHT, {
        ANSWERS: ANSWERS, "012301001": "012301001", "0,1,2,3,0,1,0,0,1": ANSWERS, "0 1 2 3 0 1 0 0 1": ANSWERS,
        "[0, 1, 2, 3, 0, 1, 0, 0, 1]": ANSWERS, "0/1/2/3/0/1/0/0/1": ANSWERS, "0-1-2-3-0-1-0-0-1": ANSWERS,
        "0;1;2;3;0;1;0;0;1;": ANSWERS, "12301001": ("W05",), "0,1;2,3;0,1;0,0,1": ("V04",),
        "0;1;2;3;0;1;0;;1": ("V04",), "0;1;2;3;0;1;0;0;-1": ("V04",),
    }),
    ("wellbeing_measures", "profile", EQ5D, {
        "11211": "11211", "1-1-2-1-1": "11211", "1 1 2 1 1": "11211", "1,1,2,1,1": "11211", "0.85": ("W04",),
        "11216": ("W04",), "": ("W04",),
    }),
    ("fidelity_items", "score", {}, {
        "4": 4, "four": 4, "3.5": ("V06",), "N/A": ("C09",), "0": ("W10",), "4/5": ("V05",), "": ("V01",),
    }),
    ("fidelity_reviews", "band", {}, {
        "Good fidelity": "good", "GOOD": "good", "Good (100-114)": "good", "Fair fidelity": ("W10",), "B": ("V02",),
    }),
    ("fidelity_reviews", "reviewers", {"review_type": "guided"}, {"2": 2, "Jo Made-Up": ("V05",)}),
    ("training_events", "attended", {}, {
        "18": 18, "eighteen": 18, "18 GPs": ("V05",), "20+": ("V05",), "approx 15": ("V05",), "18/30": ("V05",),
        "<5": ("C07",),
    }),
    ("training_events", "duration_minutes", {}, {
        "90": 90, "2 hrs": 120, "1h 30m": 90, "half day": ("V05",), "1:30": ("C29",), "09:30-12:30": ("V05",),
    }),
    ("training_events", "audience", {}, {
        "GPs": "gp", "Practice nurses": "practice_staff", "Line managers": "employer", "Jobcentre": "jobcentre_staff",
        "GPs and employers": ("C34",), "Mixed": ("V02",),
    }),
    ("staff_posts", "fte", {}, {
        "1.0": Decimal(1), "0.8 FTE": Decimal("0.8"), "1 WTE": Decimal(1), "80%": Decimal("0.8"), "30 hrs": ("V05",),
        "37.5": ("V03",), "Full time": ("V05",),
    }),
    ("staff_posts", "end_date", {}, {
        "": None, "current": None, "Ongoing": None, "still in post": None, "n/a": None, "2017-03-31": date(2017, 3, 31),
        "maternity cover": ("C02",), "Mar-17": ("C28",),
    }),
    ("staff_posts", "staff_ref", {}, {"W-0012": "W-0012", "Jo Made-Up": ("V04",), "Vacant": ("V04",)}),
    ("employer_support", "employer_size_band", {}, {
        "10 - 49": "10-49", "SMALL": "10-49", "250 plus": "250+", "Oct-49": ("C20",), "SME": ("V02",), "50+": ("V02",),
    }),
    ("employer_support", "sic_section", {}, {
        "Retail": "G", "NHS": "Q", "Health & Social Care": "Q", "Warehousing/logistics": "H",
        "Retail and hospitality": ("C34",), "Charity": ("V02",),
    }),
    ("employment_status_history", "employment_status", {"weekly_hours_worked": ""}, {
        "1": "01", "Employed part-time": "01", "Unemployed and seeking work": "02", "Long-term sick/disabled": "04",
        "Off sick": ("V02",), "01; 02": ("C34",),
    }),
    ("employment_status_history", "weekly_hours_worked", WORKING, {
        "16-29 hrs": "02", "30 or more": "01", "3": "03", "1,1": ("C34",), "20": ("V02",), "98": ("E08",),
    }),
    ("action_plans", "preferred_hours", {}, {
        "16-29": "16_to_29", "30+": "30_or_more", "Less than 16": "under_16", "Flexible": "no_preference",
        "16-Jan": ("C20",), "Jan-16": ("C20",), "20": ("V02",),
    }),
    ("action_plans", "plan_type", {}, {
        "Voc profile": "vocational_profile", "AP": "action_plan", "Vocational profile and action plan": ("C34",),
    }),
]  # fmt: skip


def file_of(dataset: str, field: str, rest: Row, texts: list[str]) -> str:
    """A file with a row for each text, of different people, reviews and days."""
    rows = sound(dataset, *(rest | {field: text} for text in texts))
    for n, row in enumerate(rows, 1):
        own = (
            {"participant_ref": f"BPL-{n:06}", "episode_id": f"BPL-E{n:06}", "item_no": n} if field != "item_no" else {}
        )
        row |= {name: str(value) for name, value in own.items() if name in row}
    return as_csv(rows)


@pytest.mark.parametrize(("dataset", "field", "rest", "cells"), CELLS)
def test_a_cell_is_read_as_it_is_meant_or_held_by_its_cause(
    dataset: str, field: str, rest: Row, cells: dict[str, Any], validate: Validator
) -> None:
    outcome = validate(file_of(dataset, field, rest, list(cells)), dataset, site="MHT-WLA")
    stored = {row["source_row"]: row[field] for row in outcome.values}
    held = {f.row: (f.rule,) for f in outcome.findings if f.severity == "row"}
    assert dict(zip(cells, ((held | stored)[n] for n in range(2, len(cells) + 2)), strict=True)) == cells
    assert outcome.refusals == []


def test_a_sound_file_of_posts_has_no_swapped_columns(validate: Validator) -> None:
    """References of the two columns fit each other's form, and neither begins with the letters of the site."""
    rows = sound("staff_posts", *({"staff_ref": f"W-{n:04}"} for n in range(30)))
    assert validate(as_csv(rows), "staff_posts").findings == []


def test_the_next_holder_of_a_post_and_the_second_audience_of_an_event_have_rows_of_their_own(
    validate: Validator,
) -> None:
    holders: list[Row] = [{"staff_ref": "W-0001", "end_date": "2016-03-31"}, {"staff_ref": "W-0002"}]
    posts = sound("staff_posts", *(h | {"post_id": "ES-1", "start_date": "2016-01-04"} for h in holders))
    assert validate(as_csv(posts), "staff_posts").accepted == [2, 3]
    audiences = (("gp", "18"), ("practice_staff", "18"), ("gp", "17"))
    events = sound("training_events", *({"event_id": "TR-1", "audience": a, "attended": n} for a, n in audiences))
    assert validate(as_csv(events), "training_events").accepted == [3]


def test_ten_answers_are_no_nhs_number(validate: Validator) -> None:
    """1113341114 passes the check of an NHS number. Two such rows among many used to refuse the whole file."""
    answers: Row = {"measure_code": "gse", "total_score": "20", "item_scores": "1113341114", "items_missing": ""}
    rows = sound("wellbeing_measures", answers, *({"participant_ref": f"BPL-{n:06}"} for n in range(12)))
    assert validate(as_csv(rows), "wellbeing_measures").findings == []
    other = sound("wellbeing_measures", answers | {"item_scores": "9434765919"})
    assert {"P01"} <= {f.rule for f in validate(as_csv(other), "wellbeing_measures").findings}


@pytest.mark.parametrize(("heading", "severity"), [
    ("Duration (hrs)", "file"), ("Duration (hours)", "file"), ("Duration (days)", "file"),
    ("Duration (mins)", "warning"), ("Duration (hh:mm)", "warning"), ("Duration (hours and minutes)", "warning"),
])  # fmt: skip
def test_a_heading_in_hours_is_not_read_as_minutes(validate: Validator, heading: str, severity: str) -> None:
    text = as_csv(sound("training_events", {"duration_minutes": "90"})).replace("duration_minutes", heading)
    found = validate(text, "training_events").findings
    assert [(f.rule, f.severity) for f in found if f.rule == "F40"] == [("F40", severity)]


@pytest.mark.parametrize(("dataset", "field", "text"), [
    ("training_events", "provider_org", "Dr J. Example"), ("fidelity_reviews", "team_name", "a.person@example.org"),
    ("fidelity_reviews", "reviewers", "Jo Made-Up"),
])  # fmt: skip
def test_what_may_be_a_name_is_held_and_not_shown(validate: Validator, dataset: str, field: str, text: str) -> None:
    (finding,) = validate(as_csv(sound(dataset, {field: text})), dataset, site="MHT-WLA").findings
    assert (finding.severity, finding.column, finding.found) == ("row", field, None)


@pytest.mark.parametrize(("heading", "severity"), [
    ("Employer name", "file"), ("Company", "file"), ("Company number", "file"), ("Contact person", "file"),
    ("Employer", "warning"), ("Sector group", "warning"),
])  # fmt: skip
def test_a_column_that_names_employers_or_their_staff_is_never_loaded(
    validate: Validator, heading: str, severity: str
) -> None:
    rows = [row | {heading: "Made-up & Co"} for row in sound("employer_support", {})]
    outcome = validate(as_csv(rows), "employer_support")
    assert [f.severity for f in outcome.findings_of("F11")] == [severity]
    assert all("Made-up" not in str(row) for row in outcome.values)
