"""Rules between rows and tables of plans, status history, measures, fidelity, training, employer support and posts.

Every row is made up. Rows are numbered from 2 in each dataset.
"""

from __future__ import annotations

import pytest
from dataset_rows import Row, broken, rule_of, sound
from test_service_row_rules import SERVICES

from schemas._contract.catalogue import datasets

EPISODE, PERSON = "BPL-E000123", "BPL-000123"
REFERRED: Row = {
    "episode_id": EPISODE, "participant_ref": PERSON, "referral_received_date": "2016-05-04",
    "programme_start_date": "2016-05-20", "exit_date": "2016-11-02",
}  # fmt: skip
DIED: Row = {"participant_ref": PERSON, "deceased_date": "2016-06-30"}
ELSEWHERE: Row = {"episode_id": "BPL-E000999"}
LIVING: Row = {"participant_ref": PERSON, "deceased_date": ""}
ITEMS: list[Row] = [{"review_id": "WLA-FR-01", "item_no": str(n), "score": "4"} for n in range(1, 26)]
POPULATION: Row = {
    "metric_code": "population", "audience": "gp", "about_site_code": "MHT-BPL", "unit": "people", "target_value": "40",
}  # fmt: skip
REVIEW: Row = {"review_id": "WLA-FR-01", "total_score": "100"}


def plans(*changes: Row) -> list[Row]:
    return sound("action_plans", *changes)


def scores(*changes: Row) -> list[Row]:
    return sound("wellbeing_measures", *changes)


def followed_up(day: str, **more: str) -> Row:
    return {"measured_date": day, "wave": "mth4", **more}


def events(*people: tuple[str, str, str, str]) -> list[Row]:
    """Events: audience, day, how many attended, and how many different people so far."""
    names = ("audience", "event_date", "attended", "unique_people_to_date")
    return sound("training_events", *(dict(zip(names, event, strict=True)) for event in people))


# The dataset with the rule, the rule, its field, the beginning of its title; the rows; and those that break it.
Tables = dict[str, list[Row]]
CASES: list[tuple[str, str, str, str, Tables, list[int]]] = [
    # P12: what they refer to is not on record
    *(
        (d, "P12", "episode_id", "", {"referrals": sound("referrals", REFERRED), d: sound(d, {}, ELSEWHERE)}, [3])
        for d in ("action_plans", "employment_status_history", "wellbeing_measures", "employer_support")
    ),
    *(
        (d, "P12", "episode_id", "", {"referrals": sound("referrals", REFERRED), d: sound(d, {"episode_id": ""})}, [])
        for d in ("wellbeing_measures", "employer_support")
    ),
    ("wellbeing_measures", "P12", "participant_ref", "", {"participants": sound("participants", LIVING),
     "wellbeing_measures": scores({}, {"participant_ref": "BPL-000999"})}, [3]),
    # P20: after the death
    *(
        (d, "P20", field, "", {
            "participants": sound("participants", DIED), "referrals": sound("referrals", REFERRED),
            d: sound(d, {field: "2016-06-30"}, {field: "2016-07-01"})}, [3])
        for d, field in (("action_plans", "completed_date"), ("employment_status_history", "recorded_date"),
                         ("wellbeing_measures", "measured_date"), ("employer_support", "support_date"))
    ),
    # plans
    ("action_plans", "K07", "completed_date", "", {"referrals": sound("referrals", REFERRED), "action_plans": plans(
        {"completed_date": "2016-05-03"}, {"completed_date": "2016-05-04"}, {"completed_date": "2016-12-03"},
        {"completed_date": "2016-12-04"})}, [2, 5]),
    ("action_plans", "K08", "plan_id", "", {"action_plans": plans(
        {}, {"plan_type": "vocational_profile"}, {"completed_date": "2016-05-28"}, {}, ELSEWHERE)}, [5]),
    # status history
    ("employment_status_history", "E19", "employment_status", "", {"employment_status_history": sound(
        "employment_status_history", {}, {"recorded_date": "2016-05-21"}, {"employment_status": "04"}, ELSEWHERE)},
     [4]),
    # measures
    ("wellbeing_measures", "W14", "participant_ref", "", {"referrals": sound("referrals", REFERRED),
     "wellbeing_measures": scores({}, {"participant_ref": "BPL-000124"}, {"episode_id": ""})}, [3]),
    ("wellbeing_measures", "W08", "measured_date", "The baseline was measured after", {
        "randomisation": sound("randomisation", {"participant_ref": PERSON, "randomised_date": "2016-05-20"}),
        "wellbeing_measures": scores({}, {"measured_date": "2016-05-21"}, followed_up("2016-05-21"))}, [3]),
    ("wellbeing_measures", "W08", "measured_date", "The baseline was measured more", {
        "referrals": sound("referrals", REFERRED),
        "wellbeing_measures": scores({"measured_date": "2016-06-17"}, {"measured_date": "2016-06-18"},
                                     {"measured_date": "2016-06-18", "episode_id": ""}, followed_up("2016-06-18"))},
     [3]),
    ("wellbeing_measures", "W08", "wave", "", {"wellbeing_measures": scores(
        {}, followed_up("2016-05-20"), followed_up("2016-05-19"), followed_up("2016-05-19", measure_code="gad7"),
        followed_up("2016-05-19", wave="session"))}, [4]),
    ("wellbeing_measures", "W09", "wave", "", {"wellbeing_measures": scores(
        {"measured_date": "2016-05-21"}, {}, {"measure_code": "gad7"}, ELSEWHERE, followed_up("2016-05-21"))}, [2]),
    ("wellbeing_measures", "W13", "measure_id", "", {"wellbeing_measures": scores(
        followed_up("2016-09-20"), followed_up("2016-09-21"), followed_up("2016-09-20"), {}, {})}, [4]),
    # fidelity
    ("fidelity_items", "W15", "review_id", "", {"fidelity_reviews": sound("fidelity_reviews", REVIEW),
     "fidelity_items": sound("fidelity_items", *ITEMS[:1], {"review_id": "WLA-FR-09"})}, [3]),
    ("fidelity_reviews", "W10", "review_id", "", {
        "fidelity_reviews": sound("fidelity_reviews", REVIEW, REVIEW | {"review_id": "WLA-FR-02"},
                                  REVIEW | {"review_id": "WLA-FR-03"}),
        "fidelity_items": [*ITEMS, *(i | {"review_id": "WLA-FR-02"} for i in ITEMS[1:])]}, [3, 4]),
    ("fidelity_reviews", "W10", "total_score", "", {
        "fidelity_reviews": sound("fidelity_reviews", REVIEW, {"review_id": "WLA-FR-02", "total_score": "101"}),
        "fidelity_items": [*ITEMS, *(i | {"review_id": "WLA-FR-02"} for i in ITEMS)]}, [3]),
    ("fidelity_reviews", "W10", "total_score", "", {  # an item is missing: the other rule says so
        "fidelity_reviews": sound("fidelity_reviews", REVIEW), "fidelity_items": ITEMS[1:]}, []),
    # training
    ("training_events", "W12", "unique_people_to_date", "The number", {"training_events": events(
        ("gp", "2016-06-01", "10", "10"), ("gp", "2016-06-08", "10", "20"), ("gp", "2016-06-15", "10", "31"),
        ("gp", "2016-06-22", "10", "9"), ("employer", "2016-06-22", "10", "11"), ("gp", "2016-06-29", "10", ""))},
     [4, 5, 6]),
    ("training_events", "W12", "unique_people_to_date", "More", {
        "targets": sound("targets", POPULATION, POPULATION | {"audience": "", "target_value": "1"},
                         POPULATION | {"metric_code": "gps", "target_value": "1"},
                         POPULATION | {"about_site_code": "MHT-GM", "target_value": "1"}),
        "training_events": events(("gp", "2016-06-01", "40", "40"), ("gp", "2016-06-08", "10", "41"),
                                  ("employer", "2016-06-08", "60", "60"))}, [3]),
    # employer support, posts
    ("employer_support", "K09", "support_date", "", {"referrals": sound("referrals", REFERRED),
     "employer_support": sound("employer_support", {"support_date": "2016-05-03"}, {"support_date": "2016-05-04"},
        {"support_date": "2016-05-03", "episode_id": ""})}, [2]),
    ("staff_posts", "K11", "fte", "", {"staff_posts": sound(
        "staff_posts", {"fte": "0.6", "end_date": "2016-03-31"}, {"fte": "0.6", "start_date": "2016-03-31"},
        {"fte": "0.4", "start_date": "2016-04-01"}, {"staff_ref": "W-0013"}, {"staff_ref": "W-0013"})}, [3]),
]  # fmt: skip


@pytest.mark.parametrize(("dataset", "rule_id", "field", "title", "tables", "expected"), CASES)
def test_a_rule_between_rows_finds_the_rows_that_break_it(
    dataset: str, rule_id: str, field: str, title: str, tables: Tables, expected: list[int]
) -> None:
    assert [row for row, _ in broken(rule_of(dataset, rule_id, field, title), tables)] == expected


def test_every_rule_between_rows_has_a_case() -> None:
    tried = {(d, i, f, rule_of(d, i, f, t).title) for d, i, f, t, *_ in CASES}
    assert tried == {
        (d, r.rule_id, r.field, r.title) for d in SERVICES for r in datasets()[d].cross_check_rules if not r.whole_file
    }


def pairs(
    *scored: tuple[str, ...], codes: tuple[str, str], waves: tuple[str, str] = ("baseline", "baseline")
) -> Tables:
    """Two scores of each person: of these measures, in these waves."""
    rows = [
        {"participant_ref": f"BPL-{n:06}", "measure_code": code, "wave": wave, "total_score": total}
        for n, totals in enumerate(scored)
        for code, wave, total in zip(codes, waves, totals, strict=True)
    ]
    return {"wellbeing_measures": scores(*rows)}


SAME_DAY = {"codes": ("ons4_anxious", "ons4_happy")}
IN_TURN = {"codes": ("phq9", "phq9"), "waves": ("baseline", "mth4")}
ALIKE = [(str(n % 11), str(n % 11)) for n in range(30)]
OPPOSITE = [(str(n % 11), str(10 - n % 11)) for n in range(30)]
ALL_NINE = [(str(n % 11), "9") for n in range(30)]
COPIED = "30 people with a score of phq9 in the wave mth4, all as at baseline"
# dataset, rule, field; rows that break it and what is found; and rows that do not
WHOLE_FILES: list[tuple[str, str, str, Tables, str, list[Tables]]] = [
    ("wellbeing_measures", "W06", "total_score", pairs(*ALIKE, **SAME_DAY), "30 people who answered both on one day",
     [pairs(*OPPOSITE, **SAME_DAY), pairs(*ALIKE[:29], **SAME_DAY)]),
    ("wellbeing_measures", "W07", "total_score", pairs(*ALIKE, **IN_TURN), COPIED,
     [pairs(*ALIKE[:29], ("3", "4"), **IN_TURN), pairs(*ALIKE[:29], **IN_TURN)]),
    ("wellbeing_measures", "W07", "total_score", pairs(*ALL_NINE, **IN_TURN),
     "30 scores of phq9 in the wave mth4, all alike", [pairs(*ALL_NINE[:29], **IN_TURN)]),
]  # fmt: skip


@pytest.mark.parametrize(("dataset", "rule_id", "field", "breaking", "says", "keeping"), WHOLE_FILES)
def test_scores_that_are_improbable_in_a_whole_file_are_asked_about(
    dataset: str, rule_id: str, field: str, breaking: Tables, says: str, keeping: list[Tables]
) -> None:
    """Anxiety that rises with happiness; scores that are all alike or never change."""
    rule = rule_of(dataset, rule_id, field)
    assert broken(rule, breaking) == [(0, says)]
    assert [broken(rule, tables) for tables in keeping] == [[]] * len(keeping)


def test_the_findings_of_a_review_say_what_is_wrong() -> None:
    items = rule_of("fidelity_reviews", "W10", "review_id")
    total = rule_of("fidelity_reviews", "W10", "total_score")
    reviews = sound("fidelity_reviews", REVIEW | {"total_score": "104"})
    assert broken(items, {"fidelity_reviews": reviews, "fidelity_items": ITEMS[2:]}) == [(2, "23 of 25 items")]
    assert broken(total, {"fidelity_reviews": reviews, "fidelity_items": ITEMS}) == [
        (2, "104; the items add up to 100")
    ]
