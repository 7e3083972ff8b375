"""outcomes.episodes and outcomes.jobs on hand-made cases, with a cut-off date of 31 December 2016."""

from __future__ import annotations

import pytest

SITE = "MHT-BPL"
DATASETS = ("referrals", "contacts", "employment_outcomes")


def _one_episode(warehouse, jobs, **values):
    warehouse.deliver(SITE, "2016-12-31", *DATASETS)
    warehouse.episode(SITE, "E1", "2015-11-01", "2015-12-01", **values)
    for start, end in jobs:
        warehouse.job(SITE, "E1", start, end)
    return warehouse.build("outcomes.episodes")


# From 1 January 2016 (a leap year) the 91st day is 31 March, the 112th 21 April, the 182nd 30 June, the 210th 28 July.
@pytest.mark.parametrize(
    ("jobs", "days", "sustained", "basis"),
    [
        ([("2016-01-01", "2016-03-31")], 91, True, "continuous"),
        ([("2016-01-01", "2016-03-30")], 90, False, None),
        # a gap of three weeks; the 91st day is the last of the window
        ([("2016-01-01", "2016-02-29"), ("2016-03-22", "2016-06-30")], 91, True, "cumulative"),
        ([("2016-01-01", "2016-02-29"), ("2016-03-23", "2016-06-30")], 90, False, None),
        # days in two jobs at once count once
        ([("2016-01-01", "2016-02-29"), ("2016-02-01", "2016-03-30")], 90, False, None),
        ([("2016-01-01", "2016-02-29"), ("2016-02-01", "2016-03-31")], 91, True, "continuous"),
        # a short job within a long one, then one that overlaps the end of the long one
        (
            [("2016-01-01", "2016-03-20"), ("2016-01-10", "2016-01-20"), ("2016-03-15", "2016-03-31")],
            91,
            True,
            "continuous",
        ),
        # two employers, without a day between
        ([("2016-01-01", "2016-01-31"), ("2016-02-01", "2016-03-31")], 91, True, "continuous"),
        # still in work: the spell runs to the cut-off, inclusive
        ([("2016-10-02", None)], 91, True, "continuous"),
        ([("2016-10-03", None)], 90, False, None),
        # the whole window
        ([("2016-01-01", None)], 112, True, "continuous"),
    ],
)
def test_sustained_13_weeks_is_91_days_in_a_window_of_112(warehouse, jobs, days, sustained, basis):
    _one_episode(warehouse, jobs)
    found = warehouse.one("SELECT days_in_work_112, sust_13, sust_13_basis FROM outcomes.episodes")
    assert found == (days, sustained, basis)


@pytest.mark.parametrize(
    ("jobs", "days", "sustained", "basis"),
    [
        ([("2016-01-01", "2016-06-30")], 182, True, "continuous"),
        ([("2016-01-01", "2016-06-29")], 181, False, None),
        ([("2016-01-01", "2016-05-31"), ("2016-06-29", "2016-08-31")], 182, True, "cumulative"),  # 152 + 30
        ([("2016-01-01", "2016-05-31"), ("2016-06-30", "2016-08-31")], 181, False, None),
    ],
)
def test_sustained_26_weeks_is_182_days_in_a_window_of_210(warehouse, jobs, days, sustained, basis):
    _one_episode(warehouse, jobs)
    found = warehouse.one("SELECT days_in_work_210, sust_26, sust_26_basis FROM outcomes.episodes")
    assert found == (days, sustained, basis)


def test_an_episode_without_a_job_has_no_sustainment(warehouse):
    _one_episode(warehouse, [])
    assert warehouse.one(
        "SELECT n_job_starts, first_job_start_date, days_in_work_112, sust_13, sust_26 FROM outcomes.episodes"
    ) == (0, None, None, None, None)


def test_a_record_made_in_error_is_left_out(warehouse):
    _one_episode(warehouse, [("2016-01-01", None)], exit_reason="admin_error", exit_date="2016-02-01")
    assert warehouse.rows("SELECT * FROM outcomes.episodes") == []
    assert warehouse.rows("SELECT * FROM outcomes.jobs") == []


@pytest.mark.parametrize(
    ("episode", "job"),
    [
        ({"employment_status_at_start": "01"}, {}),
        ({}, {"in_work_at_start": True}),
        ({}, {"paid_hours_week": 0.5}),
        ({"programme_start_date": None}, {}),
        ({"programme_start_date": "2016-01-02"}, {}),
    ],
    ids=["in work at start", "job was kept", "under an hour a week", "never started", "before the start"],
)
def test_jobs_that_are_no_job_start(warehouse, episode, job):
    warehouse.deliver(SITE, "2016-12-31", *DATASETS)
    warehouse.episode(SITE, "E1", "2015-11-01", **{"programme_start_date": "2015-12-01"} | episode)
    warehouse.job(SITE, "E1", "2016-01-01", **job)
    warehouse.build("outcomes.episodes")
    assert warehouse.one("SELECT is_new_work, is_job_start, is_first_job_start FROM outcomes.jobs") == (False,) * 3
    assert warehouse.one("SELECT n_job_starts, first_job_start_date FROM outcomes.episodes") == (0, None)


@pytest.mark.parametrize(
    ("jobs", "starts"),
    [
        # one after the other: with a gap, on consecutive days, and on the same day
        ([("2016-01-01", "2016-01-31"), ("2016-03-01", "2016-03-31")], [True, True]),
        ([("2016-01-01", "2016-01-31"), ("2016-02-01", "2016-03-31")], [True, True]),
        ([("2016-01-01", "2016-01-31"), ("2016-01-31", "2016-03-31")], [True, True]),
        ([("2016-01-01", "2016-01-31"), ("2016-01-30", "2016-03-31")], [True, False]),
        # one job recorded twice: two days apart, and on one day
        ([("2016-01-01", "2016-03-31"), ("2016-01-03", "2016-03-31")], [True, False]),
        ([("2016-01-01", "2016-01-01"), ("2016-01-01", "2016-01-01")], [True, False]),
        # the earlier job continues
        ([("2016-01-01", None), ("2016-12-31", None)], [True, False]),
        # a chain of overlapping jobs has one start; a job after it is a new start
        (
            [("2016-01-01", "2016-02-29"), ("2016-02-01", "2016-04-30"), ("2016-04-01", "2016-05-31")],
            [True, False, False],
        ),
        ([("2016-01-01", "2016-05-31"), ("2016-02-01", "2016-02-29"), ("2016-03-01", None)], [True, False, False]),
        ([("2016-01-01", "2016-02-29"), ("2016-02-01", "2016-04-30"), ("2016-05-01", None)], [True, False, True]),
    ],
)
def test_only_the_first_of_overlapping_jobs_is_a_start(warehouse, jobs, starts):
    _one_episode(warehouse, jobs)
    found = warehouse.rows("SELECT is_job_start, is_new_work FROM outcomes.jobs ORDER BY job_start_date, outcome_id")
    assert found == [(start, True) for start in starts]
    assert warehouse.one("SELECT n_job_starts, first_job_start_date::VARCHAR FROM outcomes.episodes") == (
        sum(starts),
        "2016-01-01",
    )


def test_an_overlapping_job_that_is_not_new_work_does_not_hide_a_start(warehouse):
    warehouse.deliver(SITE, "2016-12-31", *DATASETS)
    warehouse.episode(SITE, "E1", "2015-11-01", "2015-12-01")
    warehouse.job(SITE, "E1", "2016-01-01", paid_hours_week=0.5)
    warehouse.job(SITE, "E1", "2016-02-01")
    warehouse.build("outcomes.episodes")
    spells = "SELECT is_new_work, is_job_start, is_first_job_start FROM outcomes.jobs ORDER BY job_start_date"
    assert warehouse.rows(spells) == [(False, False, False), (True, True, True)]


def test_work_status_at_start_by_code(warehouse):
    warehouse.deliver(SITE, "2016-12-31", *DATASETS)
    for code in ("01", "02", "08", "ZZ"):
        warehouse.episode(SITE, code, "2016-01-01", employment_status_at_start=code)
    warehouse.build("outcomes.episodes")
    assert dict(warehouse.rows("SELECT episode_id, work_status_at_start FROM outcomes.episodes")) == {
        "01": "in_work",
        "02": "out_of_work",
        "08": "out_of_work",
        "ZZ": "unknown",
    }


def test_first_contact_is_attended_and_not_before_the_referral(warehouse):
    warehouse.deliver(SITE, "2016-12-31", *DATASETS)
    warehouse.episode(SITE, "E1", "2016-02-01")
    for day, attended in (("2016-01-31", "5"), ("2016-02-02", "3"), ("2016-02-09", "6"), ("2016-02-10", "5")):
        warehouse.contact(SITE, "E1", day, attended)
    warehouse.build("outcomes.episodes")
    found = warehouse.one("SELECT first_contact_date::VARCHAR, n_attended_contacts FROM outcomes.episodes")
    assert found == ("2016-02-09", 2)


def test_an_outcome_cut_off_is_the_earliest_of_its_datasets(warehouse):
    warehouse.deliver(SITE, "2016-12-31", "referrals")
    warehouse.deliver(SITE, "2016-11-30", "employment_outcomes")
    warehouse.episode(SITE, "E1", "2016-02-01")
    warehouse.build("outcomes.episodes")
    assert warehouse.one(
        "SELECT data_cut_date::VARCHAR, outcomes_cut_date::VARCHAR, contacts_cut_date FROM outcomes.episodes"
    ) == ("2016-12-31", "2016-11-30", None)


def test_two_sites_may_use_the_same_episode_reference(warehouse):
    for site, start in (("MHT-BPL", "2016-01-01"), ("MHT-GM", "2016-02-01")):
        warehouse.deliver(site, "2016-12-31", *DATASETS)
        warehouse.episode(site, "E1", "2015-11-01", "2015-12-01")
        warehouse.job(site, "E1", start)
    warehouse.build("outcomes.episodes")
    assert warehouse.rows("SELECT site_code, first_job_start_date::VARCHAR FROM outcomes.episodes ORDER BY 1") == [
        ("MHT-BPL", "2016-01-01"),
        ("MHT-GM", "2016-02-01"),
    ]


def test_jobs_of_the_control_arm_do_not_count_for_the_service(warehouse):
    """Not even if a control participant received support: outcomes.trial_arms compares the arms."""
    site = "HLT-WMCA"
    warehouse.deliver(site, "2020-12-31", *DATASETS, "randomisation")
    for episode, arm in (("E1", "ips"), ("E2", "control")):
        warehouse.allocation(site, episode, arm, "2018-06-15")
        warehouse.episode(site, episode, "2018-06-01", "2018-07-01")
        warehouse.job(site, episode, "2018-08-01", "2018-09-05")
        warehouse.job(site, episode, "2018-10-01")
    warehouse.build("outcomes.episodes")
    columns = "trial_arm, n_job_starts, first_job_start_date IS NOT NULL, days_in_work_112, sust_13, sust_26"
    assert warehouse.rows(f"SELECT {columns} FROM outcomes.episodes ORDER BY episode_id") == [
        ("ips", 2, True, 36 + 51, False, True),
        ("control", None, False, None, None, None),
    ]
    spells = "SELECT episode_id, is_job_start, is_first_job_start FROM outcomes.jobs ORDER BY 1, job_start_date"
    assert warehouse.rows(spells) == [("E1", True, True), ("E1", True, False), ("E2", None, None), ("E2", None, None)]
