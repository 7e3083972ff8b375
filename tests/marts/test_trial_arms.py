"""outcomes.trial_arms on hand-made cases and against an independent count. The cut-off is 31 December 2019."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date, timedelta

import pytest

WMCA, SCR = "HLT-WMCA", "HLT-SCR"
DATASETS = ("referrals", "contacts", "employment_outcomes", "randomisation")
CUT = "2019-12-31"
# 365 days and a lag of 30 days before the cut-off
LAST_MATURE = date(2018, 12, 1)


def _randomised(warehouse, person, arm, day="2018-06-15", *, site=WMCA, group="wmca_oow", referred=True, **values):
    """Add one person of the trial. In the ips arm they start 30 days after randomisation, in the control arm never."""
    warehouse.allocation(site, person, arm, day, group)
    if referred:
        start = date.fromisoformat(str(day)) + timedelta(30) if arm == "ips" else None
        warehouse.episode(site, person, "2018-05-01", start, **values)


def _arm(warehouse, columns, definition="JOB_START", arm="ips", group="wmca_oow"):
    """The row of outcomes.trial_arms of one arm."""
    return warehouse.one(
        f"SELECT {columns} FROM outcomes.trial_arms WHERE definition_code = $1 AND arm = $2 AND trial_group = $3",
        definition,
        arm,
        group,
    )


# The 365 days after 15 June 2018 are 16 June 2018 to 15 June 2019; the 91st of them is 14 September.
@pytest.mark.parametrize("arm", ["ips", "control"])
@pytest.mark.parametrize(
    ("jobs", "started", "employed"),
    [
        ([], 0, 0),
        ([("2018-06-16", "2018-09-14")], 1, 1),
        ([("2018-06-16", "2018-09-13")], 1, 0),
        ([("2018-06-15", "2018-09-13")], 1, 0),  # the day of randomisation itself does not count
        ([("2019-03-17", None)], 1, 1),  # 91 days of the year are left
        ([("2019-03-18", None)], 1, 0),
        ([("2019-06-15", None)], 1, 0),
        ([("2019-06-16", None)], 0, 0),
        ([("2018-07-01", "2018-07-31"), ("2019-01-01", "2019-03-01")], 1, 1),  # 31 + 60 days, in two jobs
        ([("2018-07-01", "2018-07-31"), ("2019-01-01", "2019-02-28")], 1, 0),
        (
            [("2018-07-01", "2018-07-31"), ("2018-07-10", "2018-09-28")],
            1,
            0,
        ),  # 31 + 59: overlapping days count once
        ([("2018-07-01", "2018-07-31"), ("2018-07-10", "2018-09-29")], 1, 1),
    ],
)
def test_outcomes_of_both_arms_count_from_randomisation(warehouse, arm, jobs, started, employed):
    warehouse.deliver(WMCA, CUT, *DATASETS)
    _randomised(warehouse, "A", arm)
    for start, end in jobs:
        warehouse.job(WMCA, "A", start, end)
    warehouse.build("outcomes.trial_arms")
    assert _arm(warehouse, "n_randomised, numerator, denominator", "JOB_START", arm) == (1, started, 1)
    assert _arm(warehouse, "n_randomised, numerator, denominator", "HLT_EMP13", arm) == (1, employed, 1)


def test_jobs_that_are_no_job_start_of_the_trial(warehouse):
    warehouse.deliver(WMCA, CUT, *DATASETS)
    for person, job in (
        ("KEPT", {"job_start_date": "2018-07-01", "in_work_at_start": True}),
        ("HOUR", {"job_start_date": "2018-07-01", "paid_hours_week": 0.5}),
        ("BEFORE", {"job_start_date": "2018-06-14"}),
    ):
        _randomised(warehouse, person, "control")
        warehouse.job(WMCA, person, None, **job)
    warehouse.build("outcomes.trial_arms")
    assert _arm(warehouse, "numerator, denominator", "JOB_START", "control") == (0, 3)
    assert _arm(warehouse, "numerator, denominator", "HLT_EMP13", "control") == (3, 3)


def test_trial_groups_are_separate_and_people_in_work_have_no_job_start(warehouse):
    warehouse.deliver(SCR, CUT, *DATASETS)
    _randomised(warehouse, "OUT", "ips", site=SCR, group="scr_oow")
    _randomised(warehouse, "IN", "ips", site=SCR, group="scr_iw", employment_status_at_start="01")
    warehouse.job(SCR, "IN", "2017-01-01", in_work_at_start=True)
    warehouse.build("outcomes.trial_arms")
    assert warehouse.rows(
        "SELECT trial_group, definition_code, numerator, denominator FROM outcomes.trial_arms ORDER BY ALL"
    ) == [("scr_iw", "HLT_EMP13", 1, 1), ("scr_oow", "HLT_EMP13", 0, 1), ("scr_oow", "JOB_START", 0, 1)]


def test_only_mature_people_count_and_missing_outcomes_bound_the_difference(warehouse):
    warehouse.deliver(WMCA, CUT, *DATASETS)
    for n in range(4):
        _randomised(warehouse, f"I{n}", "ips", LAST_MATURE)
        _randomised(warehouse, f"C{n}", "control", LAST_MATURE)
    warehouse.job(WMCA, "I0", "2019-02-01")
    _randomised(warehouse, "LATE", "ips", LAST_MATURE + timedelta(1))
    _randomised(warehouse, "UNKNOWN", "control", LAST_MATURE, referred=False)
    _randomised(warehouse, "ERROR", "control", LAST_MATURE, exit_reason="admin_error", exit_date="2018-12-02")
    warehouse.build("outcomes.trial_arms")
    columns = "n_randomised, n_immature, n_missing_outcome, numerator, denominator, provisional"
    assert _arm(warehouse, columns) == (5, 1, 0, 1, 4, False)
    assert _arm(warehouse, columns, arm="control") == (6, 0, 2, 0, 4, True)
    difference = "difference_points, difference_points_worst_case, difference_points_best_case"
    assert _arm(warehouse, difference) == pytest.approx((25, 25 - 100 / 3, 25))
    assert _arm(warehouse, difference, arm="control") == (None, None, None)


def test_without_mature_people_or_job_data_there_is_no_rate(warehouse):
    warehouse.deliver(WMCA, CUT, *DATASETS)
    warehouse.deliver(SCR, CUT, "referrals", "randomisation")
    _randomised(warehouse, "LATE", "ips", LAST_MATURE + timedelta(1))
    _randomised(warehouse, "UNTOLD", "ips", LAST_MATURE, site=SCR, group="scr_oow")
    warehouse.build("outcomes.trial_arms")
    columns = "denominator, n_missing_outcome, rate, ci_low, difference_points, reason, provisional"
    assert _arm(warehouse, columns) == (0, 0, None, None, None, "no_mature_cases", True)
    assert _arm(warehouse, columns, group="scr_oow") == (0, 1, None, None, None, "data_not_received", True)


def test_the_cut_off_is_the_earliest_of_the_datasets(warehouse):
    warehouse.deliver(WMCA, CUT, "referrals", "randomisation")
    warehouse.deliver(WMCA, "2019-11-30", "employment_outcomes")
    _randomised(warehouse, "A", "ips", LAST_MATURE)
    warehouse.build("outcomes.trial_arms")
    assert _arm(warehouse, "data_cut_date::VARCHAR, n_immature") == ("2019-11-30", 1)


@pytest.mark.soak
def test_the_comparison_matches_an_independent_count(warehouse):
    """A made-up trial, counted day by day in Python and compared by statsmodels."""
    from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

    warehouse.deliver(WMCA, CUT, *DATASETS)
    draw = random.Random(45)
    mature: Counter[str] = Counter()
    achieved: Counter[tuple[str, str]] = Counter()
    for n in range(120):
        arm, day = draw.choice(["ips", "control"]), date(2018, 5, 1) + timedelta(draw.randrange(300))
        _randomised(warehouse, f"P{n}", arm, day)
        at_work: set[date] = set()
        starts = []
        for _ in range(draw.randrange(4)):
            first = day + timedelta(draw.randrange(500))
            last = first + timedelta(draw.randrange(120))
            warehouse.job(WMCA, f"P{n}", first, last)
            starts.append(first)
            at_work |= {first + timedelta(d) for d in range((last - first).days + 1)}
        if day <= LAST_MATURE:
            year = {day + timedelta(d) for d in range(1, 366)}
            mature[arm] += 1
            achieved["JOB_START", arm] += any((first - day).days <= 365 for first in starts)
            achieved["HLT_EMP13", arm] += len(at_work & year) >= 91
    warehouse.build("outcomes.trial_arms")
    for definition in ("JOB_START", "HLT_EMP13"):
        counts = achieved[definition, "ips"], mature["ips"], achieved[definition, "control"], mature["control"]
        low, high = confint_proportions_2indep(*counts, compare="diff", method="newcomb")
        assert _arm(warehouse, "numerator, denominator", definition) == counts[:2]
        assert _arm(warehouse, "numerator, denominator", definition, "control") == counts[2:]
        assert _arm(warehouse, "ci_low, ci_high", definition, "control") == pytest.approx(
            proportion_confint(*counts[2:], method="wilson")
        )
        assert _arm(
            warehouse, "difference_points, difference_points_low, difference_points_high", definition
        ) == pytest.approx((100 * (counts[0] / counts[1] - counts[2] / counts[3]), 100 * low, 100 * high))
