"""Rules within one row of plans, status history, measures, fidelity, training, employer support and posts.

Each holds for sound rows, and not for a broken one. Every row is made up.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import polars as pl
import pytest
from dataset_rows import PERIOD_START, Row, frame, rule_of, sound
from file_validator import Validator, as_csv

from schemas._contract.catalogue import datasets
from schemas._contract.model import Severity
from schemas._rules.datasets.fidelity import BANDS, TOTALS, band_of
from schemas._rules.datasets.measures import MEASURES, METRIC_OF_RAW

SERVICES = (
    "action_plans",
    "employment_status_history",
    "wellbeing_measures",
    "fidelity_reviews",
    "fidelity_items",
    "training_events",
    "employer_support",
    "staff_posts",
)


def score(measure: str, total: str, answers: str = "", **more: str) -> Row:
    """A score of a measure, with its answers or without."""
    return {"measure_code": measure, "total_score": total, "item_scores": answers, "items_missing": "", **more}


EQ5D = score("eq5d5l", "", profile="11211", vas="70")
WORKING: Row = {"employment_status": "01", "weekly_hours_worked": "02"}
# dataset, rule, field, the beginning of its title, a row that satisfies it, and one that does not
CASES: list[tuple[str, str, str, str, Row, Row]] = [
    *(
        (name, "F57", day, "", {day: PERIOD_START.isoformat()}, {day: (PERIOD_START - timedelta(1)).isoformat()})
        for name in SERVICES
        if (day := datasets()[name].event_date)
    ),
    ("action_plans", "K06", "reviewed_date", "", {"reviewed_date": "2016-05-27"}, {"reviewed_date": "2016-05-26"}),
    ("employment_status_history", "E08", "weekly_hours_worked", "", WORKING, WORKING | {"weekly_hours_worked": "98"}),
    ("employment_status_history", "E08", "weekly_hours_worked", "", {"weekly_hours_worked": "99"},
     {"weekly_hours_worked": "04"}),
    *(
        case
        for field in ("self_employed_ind", "sick_absence_ind")
        for case in (
            ("employment_status_history", "E20", field, "", WORKING | {field: "Y"}, {field: "Y"}),
            ("employment_status_history", "E20", field, "", {field: "8"}, WORKING | {field: "8"}),
        )
    ),
    ("employment_status_history", "E17", "status_start_date", "", {"status_start_date": "2016-05-20"},
     {"status_start_date": "2016-05-21"}),
    *(
        ("employment_status_history", "E18", "benefit_ind", "", {field: "Y", "benefit_ind": "Y"}, {field: "Y"})
        for field in ("esa_ind", "uc_ind", "pip_ind")
    ),
    ("employer_support", "M22", "support_id", "", {"support_id": "BPL-ES0001"}, {"support_id": "BPL-SMITHANDSONS"}),
    ("wellbeing_measures", "V01", "total_score", "", EQ5D, score("phq9", "")),
    ("wellbeing_measures", "W04", "total_score", "", EQ5D, EQ5D | {"total_score": "6"}),
    ("wellbeing_measures", "W04", "profile", "", EQ5D, EQ5D | {"profile": ""}),
    ("wellbeing_measures", "W04", "profile", "", {"profile": ""}, {"profile": "11111"}),
    *(
        ("wellbeing_measures", "W01", "total_score", "", score(m, sound), score(m, broken))
        for m, sound, broken in (
            ("phq9", "27", "28"), ("phq9", "0", "-0.5"), ("gad7", "21", "22"), ("wsas", "40", "41"),
            ("wemwbs", "14", "13"), ("wemwbs", "70", "71"), ("swemwbs_raw", "7", "6"), ("swemwbs_raw", "35", "36"),
            ("swemwbs_metric", "35", "35.5"), ("ons4_anxious", "10", "11"), ("gse", "10", "9"), ("gse", "40", "41"),
        )
    ),
    *(
        ("wellbeing_measures", "W01", "item_scores", "", score(m, total, sound), score(m, total, broken))
        for m, total, sound, broken in (
            ("phq9", "9", "333000000", "450000000"), ("gad7", "3", "3;0;0;0;0;0;0", "4;0;0;0;0;0;0"),
            ("wsas", "8", "80000", "90000"), ("swemwbs_raw", "7", "1111111", "0111112"),
            ("gse", "10", "1" * 10, "5" * 10),
            ("ons4_happy", "10", "10", "11;"),
        )
    ),
    *(
        ("wellbeing_measures", "W02", "total_score", "", score(m, sound, answers), score(m, broken, answers))
        for m, answers, sound, broken in (
            ("phq9", "111111111", "9", "10"), ("phq9", "1;1;1;1;1;1;1;1;1", "9", "8"),
            ("swemwbs_raw", "3333333", "21", "19.25"), ("swemwbs_metric", "3333333", "19.25", "21"),
            ("wsas", "4444.", "20", "16"), ("wsas", "4443.", "18.75", "15"), ("wsas", "4443.", "19", "20"),
            ("ons4_happy", "10", "10", "9"),
        )
    ),
    ("wellbeing_measures", "W03", "total_score", "", score("swemwbs_raw", "21"), score("swemwbs_raw", "19.25")),
    ("wellbeing_measures", "W03", "total_score", "", score("swemwbs_metric", "19.25"), score("swemwbs_metric", "21")),
    ("wellbeing_measures", "W03", "total_score", "", score("swemwbs_metric", "35"), score("swemwbs_metric", "19.26")),
    *(
        ("wellbeing_measures", "W17", "total_score", "", score(m, sound), score(m, broken))
        for m, sound, broken in (
            ("phq9", "9", "9.5"), ("gad7", "7.00", "7.25"), ("gse", "21", "21.5"), ("ons4_happy", "7", "7.5"),
            ("wemwbs", "42", "42.1"),
        )
    ),
    ("wellbeing_measures", "W17", "total_score", "", score("wsas", "18.75"), score("phq9", "18.75")),
    ("wellbeing_measures", "W17", "total_score", "", score("swemwbs_metric", "19.25"), score("gad7", "19.25")),
    *(
        ("wellbeing_measures", "W05", "item_scores", "", score(m, total, sound), score(m, total, broken))
        for m, total, sound, broken in (
            ("phq9", "9", "0;2;1;1;1;1;1;1;1", "21111111"), ("gad7", "7", "1111111", "11111111"),
            ("wsas", "20", "4444.", "4444"), ("ons4_happy", "7", "7", "7;7"),
        )
    ),
    ("wellbeing_measures", "W05", "total_score", "", score("wsas", "20", "4444."), score("wsas", "20", "444..")),
    ("wellbeing_measures", "W05", "total_score", "", score("phq9", "9", "111111111"), score("phq9", "9", "11111111.")),
    ("wellbeing_measures", "W05", "total_score", "", score("wsas", "20", items_missing="1"),
     score("wsas", "20", items_missing="2")),
    ("wellbeing_measures", "W05", "total_score", "", score("gad7", "9", items_missing="0"),
     score("gad7", "9", items_missing="1")),
    ("wellbeing_measures", "W05", "items_missing", "", score("wsas", "20", "4444.", items_missing="1"),
     score("wsas", "20", "4444.", items_missing="0")),
    ("fidelity_reviews", "W10", "band", "", {"total_score": "100", "band": "good"},
     {"total_score": "99", "band": "good"}),
    ("fidelity_reviews", "W11", "review_type", "", {"reviewers": "1", "review_type": "guided"}, {"reviewers": "1"}),
    ("training_events", "W18", "duration_minutes", "", {"duration_minutes": "15"}, {"duration_minutes": "7"}),
    *(
        (dataset, "W19", field, "", {field: sound}, {field: broken})
        for dataset, field in (("training_events", "provider_org"), ("fidelity_reviews", "team_name"))
        for sound, broken in (("St Mary's Drive team", "Ms M. Example"), ("Mind", "a.person@example.org"))
    ),
    ("training_events", "W16", "attended", "", {"attended": "30"}, {"attended": "31"}),
    ("staff_posts", "K10", "end_date", "", {"end_date": "2015-10-05"}, {"end_date": "2015-10-04"}),
]  # fmt: skip


@pytest.mark.parametrize(("dataset", "rule_id", "field", "title", "valid", "invalid"), CASES)
def test_a_rule_holds_for_a_sound_row_and_not_for_a_broken_one(
    dataset: str, rule_id: str, field: str, title: str, valid: Row, invalid: Row
) -> None:
    rule = rule_of(dataset, rule_id, field, title, within_row=True)
    assert rule.check is not None
    rows = frame(datasets()[dataset], sound(dataset, {}, valid, invalid))
    assert rows.select(rule.check().fill_null(True)).to_series().to_list() == [True, True, False]


def test_every_rule_within_a_row_has_a_case() -> None:
    stated = {(d, r.rule_id, r.field, r.title) for d in SERVICES for r in datasets()[d].row_rules}
    assert stated == {(d, i, f, rule_of(d, i, f, t, within_row=True).title) for d, i, f, t, *_ in CASES}


def test_a_sound_score_of_every_measure_breaks_no_rule() -> None:
    rows = [EQ5D, score("wsas", "18.75", "4443.", items_missing="1"), score("swemwbs_metric", "19.25", "3333333")]
    for code, m in MEASURES.items():
        for at in (0, 1):
            total = str(METRIC_OF_RAW[m.scores[at]]) if code == "swemwbs_metric" else str(m.scores[at])
            rows.append(score(code, total, ";".join([str(m.answers[at])] * m.questions)))
            rows.append(score(code, total))
    table = frame(datasets()["wellbeing_measures"], sound("wellbeing_measures", *rows))
    for rule in datasets()["wellbeing_measures"].row_rules:
        assert rule.check is not None
        assert table.select(rule.check().fill_null(True)).to_series().all(), (rule.rule_id, rule.field)


@pytest.mark.parametrize("measure", MEASURES)
def test_a_sound_row_with_one_more_point_breaks_a_rule(measure: str) -> None:
    """A total that is a point off is always found where the answers are sent."""
    m = MEASURES[measure]
    answers = ";".join([str(m.answers[0] + 1)] * m.questions)
    raw = (m.answers[0] + 1) * m.questions
    total = METRIC_OF_RAW[raw] + 1 if measure == "swemwbs_metric" else Decimal(raw + 1)
    rows = frame(datasets()["wellbeing_measures"], sound("wellbeing_measures", score(measure, str(total), answers)))
    rules = datasets()["wellbeing_measures"].row_rules
    broken = {r.rule_id for r in rules if r.check and not rows.select(r.check().fill_null(True)).item()}
    assert "W02" in broken and broken <= {"W02", "W03"}


def test_the_conversion_of_swemwbs_is_the_published_one() -> None:
    assert len(METRIC_OF_RAW) == 29
    assert [METRIC_OF_RAW[n] for n in (7, 8, 14, 21, 28, 34, 35)] == [
        Decimal(t) for t in ("7.00", "9.51", "15.32", "19.25", "25.03", "32.55", "35.00")
    ]
    assert list(METRIC_OF_RAW.values()) == sorted(METRIC_OF_RAW.values())


def test_every_total_of_the_fidelity_scale_has_one_band() -> None:
    totals = pl.DataFrame({"total": range(TOTALS[0] - 1, TOTALS[1] + 1)})
    bands = totals.select(band_of("total")).to_series().to_list()
    assert bands == [None] + ["not_ips"] * 49 + ["fair"] * 26 + ["good"] * 15 + ["exemplary"] * 11
    assert set(BANDS) == set(datasets()["fidelity_reviews"].by_name["band"].code_list.codes)


# dataset, field, a cell that its field does not allow, and the rule that reports it
CELL_CHECKS: list[tuple[str, str, str, str]] = [
    ("fidelity_items", "score", "0", "W10"),
    ("fidelity_items", "score", "6", "W10"),
    ("fidelity_items", "item_no", "26", "W10"),
    ("fidelity_reviews", "total_score", "24", "V03"),
    ("fidelity_reviews", "total_score", "126", "V03"),
    ("fidelity_reviews", "scale_version", "1994", "W10"),
    ("wellbeing_measures", "profile", "11216", "W04"),
    ("wellbeing_measures", "profile", "1121", "W04"),
    ("wellbeing_measures", "profile", "10211", "W04"),
    ("wellbeing_measures", "vas", "101", "W01"),
    ("wellbeing_measures", "item_scores", "1,1;1", "V04"),
    ("staff_posts", "fte", "1.01", "V03"),
    *((name, "cost_category", "biscuits", "M18") for name in ("claim_lines", "expenditure", "funding_profile",
                                                              "virements_carry_forward")),
]  # fmt: skip

OTHER_KEY: Row = {"item_no": "2", "line_no": "2"}


@pytest.mark.parametrize(("dataset", "field", "text", "rule_id"), CELL_CHECKS)
def test_a_cell_outside_its_range_or_form_is_held(
    dataset: str, field: str, text: str, rule_id: str, validate: Validator
) -> None:
    outcome = validate(as_csv(sound(dataset, {"item_no": "1", field: text}, OTHER_KEY)), dataset, site="MHT-WLA")
    assert [(f.rule, f.severity, f.column) for f in outcome.findings if f.row == 2] == [(rule_id, Severity.ROW, field)]
