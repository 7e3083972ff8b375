"""Figures of sites whose required data are missing or not up to date."""

from __future__ import annotations

from datetime import date

import pytest

DATASETS = ("referrals", "contacts", "employment_outcomes")
TO_JOB = "kpi_06_job_within_12_months"
SITES = "n_sites, n_sites_missing"


def _started(warehouse, site, n):
    """A site with current deliveries of all datasets and `n` people who started."""
    warehouse.deliver(site, "2016-12-31", *DATASETS)
    for i in range(n):
        warehouse.episode(site, f"E{i}", "2015-01-01", "2015-02-01", participant_ref=f"{site}-P{i}")


def _target(warehouse, programme, metric, value, **more):
    warehouse.add(
        "core.targets",
        programme_code=programme,
        site_code="PMO",
        target_id=f"{programme}-{metric}",
        metric_code=metric,
        unit="people",
        target_value=value,
        **more,
    )


@pytest.mark.parametrize(("cohort", "value"), [("all", 3), ("2014-15", 3)])
def test_a_site_without_referrals_is_missing_from_its_programme(warehouse, cohort, value):
    for site, n in (
        ("MHT-BPL", 1),
        ("MHT-NECA", 2),
        ("MHT-WLA", 0),
    ):  # West London has nobody, and nothing was received from Manchester
        _started(warehouse, site, n)
    warehouse.build("outcomes")
    columns = f"value, {SITES}, data_cut_date::VARCHAR, provisional"
    assert warehouse.figure("kpi_03_starts", columns, "MHT", cohort) == (value, 4, 1, "2016-12-31", True)
    assert warehouse.figure(TO_JOB, f"denominator, {SITES}, provisional", "MHT", cohort) == (3, 4, 1, True)


def test_each_site_has_a_row_with_its_reason(warehouse):
    for site, n in (("MHT-BPL", 1), ("MHT-WLA", 0)):
        _started(warehouse, site, n)
    warehouse.build("outcomes")
    columns = f"value, reason, {SITES}, data_cut_date::VARCHAR, provisional"
    assert warehouse.figure("kpi_03_starts", columns, "MHT-BPL") == (1, None, 1, 0, "2016-12-31", False)
    assert warehouse.figure("kpi_03_starts", columns, "MHT-WLA") == (0, None, 1, 0, "2016-12-31", False)
    assert warehouse.figure("kpi_03_starts", columns, "MHT-GM") == (None, "data_not_received", 1, 1, None, True)
    assert warehouse.figure(TO_JOB, "rate, reason, provisional", "MHT-GM") == (None, "data_not_received", True)


@pytest.mark.parametrize(("rows_read", "known_to"), [(0, date(2016, 12, 31)), (3, date(2016, 11, 30))])
def test_a_nil_return_moves_the_cut_off_and_a_delivery_of_held_rows_does_not(warehouse, rows_read, known_to):
    warehouse.deliver("MHT-BPL", "2016-11-30", "referrals")
    warehouse.add(
        "audit.deliveries",
        delivery_id="december",
        site_code="MHT-BPL",
        programme_code="MHT",
        dataset="referrals",
        data_cut_date="2016-12-31",
        rows_read=rows_read,
        standing="empty",
    )
    warehouse.build("outcomes.cut_offs")
    query = "SELECT cut_date FROM outcomes.cut_offs WHERE site_code = 'MHT-BPL' AND dataset = 'referrals'"
    assert warehouse.one(query) == (known_to,)


def test_no_site_is_missing_once_all_have_sent_their_data(warehouse):
    for site in ("MHT-BPL", "MHT-GM", "MHT-NECA", "MHT-WLA"):
        _started(warehouse, site, 1)
    warehouse.build("outcomes")
    assert warehouse.figure("kpi_03_starts", f"value, {SITES}, provisional", "MHT") == (4, 4, 0, False)
    assert warehouse.figure(TO_JOB, f"denominator, {SITES}, provisional", "MHT") == (4, 4, 0, False)


def test_a_programme_without_data_has_the_reason_data_not_received(warehouse):
    warehouse.build("outcomes")
    columns = f"value, reason, {SITES}, provisional"
    assert warehouse.figure("kpi_03_starts", columns, "PWW") == (None, "data_not_received", 3, 3, True)
    # Access to Work sends no referrals: only published aggregates are held of it
    assert warehouse.rows("SELECT * FROM outcomes.reach WHERE programme_code = 'ATW'") == []


def test_target_attainment_with_missing_sites_is_provisional(warehouse):
    _target(warehouse, "MHT", "participants", 5000)
    _target(warehouse, "MHT", "gps", 50)
    _target(warehouse, "IPSIAPT", "participants", 10)
    _started(warehouse, "MHT-NECA", 2)
    for site in ("IPSIAPT-DTV", "IPSIAPT-WLV", "IPSIAPT-SHT", "IPSIAPT-SSX"):
        _started(warehouse, site, 1)
    warehouse.build("outcomes")
    columns = f"numerator, {SITES}, provisional"
    assert warehouse.figure("kpi_19_target_participants", columns, "MHT") == (2, 4, 3, True)
    assert warehouse.figure("kpi_19_target_participants", columns, "IPSIAPT") == (4, 4, 0, False)
    # no site is missing from a target that is not measured
    assert warehouse.figure("kpi_19_target_gps", columns, "MHT") == (None, None, None, False)
    assert warehouse.rows(f"SELECT target_id, actual, {SITES} FROM outcomes.target_attainment ORDER BY 1") == [
        ("IPSIAPT-participants", 4, 4, 0),
        ("MHT-gps", None, None, None),
        ("MHT-participants", 2, 4, 3),
    ]


TRIAL = "HLT-WMCA"
RANDOMISED = "2018-06-15"


def test_figures_of_a_trial_are_unknown_without_allocations(warehouse):
    warehouse.deliver(TRIAL, "2019-10-31", *DATASETS)
    warehouse.episode(TRIAL, "E1", "2018-06-01", "2018-07-01")
    warehouse.contact(TRIAL, "E1", "2018-07-01")
    warehouse.job(TRIAL, "E1", "2018-08-01")
    _target(warehouse, "HLT", "randomised", 5000, about_site_code=TRIAL)
    warehouse.build("outcomes")
    assert warehouse.one("SELECT is_offered_service, randomisation_cut_date FROM outcomes.episodes") == (None, None)
    for code in ("kpi_03_starts", "kpi_03_people_started", "kpi_07_job_starts", "kpi_07_people_with_job_start"):
        assert warehouse.figure(code, "value, reason, provisional", TRIAL) == (None, "data_not_received", True)
    for code in ("kpi_03_start_within_60_days", "kpi_04_engaged_within_60_days", TO_JOB, "kpi_08_sustained_13_weeks"):
        assert warehouse.figure(code, "rate, reason, provisional", TRIAL) == (None, "data_not_received", True)
    assert warehouse.figure("kpi_19_target_randomised", "numerator, rate, reason, provisional", TRIAL) == (
        None,
        None,
        "no_actual",
        True,
    )
    # referrals and eligibility are about both arms
    assert warehouse.figure("kpi_01_referrals", "value, provisional", TRIAL) == (1, False)
    assert warehouse.figure("kpi_02_eligibility", "denominator, n_sites_missing", TRIAL) == (1, 0)
    assert warehouse.one(
        "SELECT referrals, referrals_eligible, referrals_control_arm, starts, starts_engaged, starts_with_job "
        "FROM outcomes.funnel_by_site"
    ) == (1, 1, None, None, None, None)


@pytest.mark.parametrize(
    ("allocations_to", "known_to", "is_mature"),
    [("2019-08-31", "2019-08-31", False), ("2019-10-31", "2019-10-31", True)],
)
def test_figures_of_a_trial_reach_no_further_than_the_allocations(warehouse, allocations_to, known_to, is_mature):
    warehouse.deliver(TRIAL, "2019-10-31", *DATASETS)
    warehouse.deliver(TRIAL, allocations_to, "randomisation")
    warehouse.episode(TRIAL, "E1", "2019-07-01", "2019-07-15")  # 60 + 30 days: 29 September
    warehouse.allocation(TRIAL, "E1", "ips", RANDOMISED)
    warehouse.build("outcomes")
    columns = "denominator, n_immature, data_cut_date::VARCHAR"
    mature, immature = int(is_mature), int(not is_mature)
    assert warehouse.figure("kpi_04_engaged_within_60_days", columns, TRIAL) == (mature, immature, known_to)
    assert warehouse.figure("kpi_03_starts", "value, data_cut_date::VARCHAR", TRIAL) == (1, known_to)
    assert warehouse.figure("kpi_01_referrals", "value, data_cut_date::VARCHAR", TRIAL) == (1, "2019-10-31")
    assert warehouse.one("SELECT starts, randomisation_cut_date::VARCHAR FROM outcomes.funnel_by_site") == (1, known_to)


@pytest.mark.parametrize(
    ("site", "allocations_to", "offered"),
    [
        (TRIAL, "2019-08-31", {"E1": True, "E2": False, "E3": None}),
        (TRIAL, "2019-10-31", {"E1": True, "E2": False, "E3": False}),
        # randomisation is optional for a Trailblazer: people in no arm are offered the service
        ("MHT-GM", "2019-08-31", {"E1": True, "E2": False, "E3": True}),
    ],
)
def test_people_in_no_arm_may_have_been_allocated_since(warehouse, site, allocations_to, offered):
    warehouse.deliver(site, "2019-10-31", *DATASETS)
    warehouse.deliver(site, allocations_to, "randomisation")
    for episode in offered:
        warehouse.episode(site, episode, "2018-06-01")
    warehouse.allocation(site, "E1", "ips", RANDOMISED)
    warehouse.allocation(site, "E2", "control", RANDOMISED)
    warehouse.build("outcomes")
    assert dict(warehouse.rows("SELECT episode_id, is_offered_service FROM outcomes.episodes")) == offered
    known_to = allocations_to if site == TRIAL else "2019-10-31"
    assert warehouse.figure("kpi_03_starts", "data_cut_date::VARCHAR", site) == (known_to,)


def test_people_randomised_are_counted_and_null_without_a_trial(warehouse):
    for site in (TRIAL, "MHT-GM"):
        warehouse.deliver(site, "2019-10-31", *DATASETS, "randomisation")
        warehouse.allocation(site, "E1", "ips", RANDOMISED)
        warehouse.allocation(site, "E2", "control", RANDOMISED)  # without an accepted referral
        warehouse.episode(site, "E1", "2018-06-01")
    _started(warehouse, "PWW-GW", 1)
    _target(warehouse, "HLT", "randomised", 5000, about_site_code=TRIAL)
    warehouse.build("outcomes")
    query = "SELECT site_code, value FROM outcomes.volumes WHERE kpi_code = 'people_randomised' AND cohort = 'all'"
    assert warehouse.rows(f"{query} AND site_code IN ('HLT-WMCA', 'MHT-GM', 'PWW-GW') ORDER BY 1") == [
        (TRIAL, 2),
        ("MHT-GM", 2),
        ("PWW-GW", None),
    ]
    assert warehouse.figure("kpi_19_target_randomised", "numerator, provisional", TRIAL) == (2, False)
