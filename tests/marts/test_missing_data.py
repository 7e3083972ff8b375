"""What the figures say of sites that have not sent what they owe. Data are complete to 31 December 2016."""

from __future__ import annotations

import pytest

ALL = ("referrals", "contacts", "employment_outcomes")
TO_JOB = "kpi_06_job_within_12_months"
SITES = "n_sites, n_sites_missing"


def _started(warehouse, site, n):
    """A site with all its data and `n` people who started."""
    warehouse.deliver(site, "2016-12-31", *ALL)
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
def test_a_site_whose_referrals_never_came_is_missing_from_its_programme(warehouse, cohort, value):
    for site, n in (
        ("MHT-BPL", 1),
        ("MHT-NECA", 2),
        ("MHT-WLA", 0),
    ):  # West London had nobody; of Manchester nothing came
        _started(warehouse, site, n)
    warehouse.build("outcomes")
    columns = f"value, {SITES}, data_cut_date::VARCHAR, provisional"
    assert warehouse.figure("kpi_03_starts", columns, "MHT", cohort) == (value, 4, 1, "2016-12-31", True)
    assert warehouse.figure(TO_JOB, f"denominator, {SITES}, provisional", "MHT", cohort) == (3, 4, 1, True)


def test_each_site_is_there_with_what_is_known_of_it(warehouse):
    for site, n in (("MHT-BPL", 1), ("MHT-WLA", 0)):
        _started(warehouse, site, n)
    warehouse.build("outcomes")
    columns = f"value, reason, {SITES}, data_cut_date::VARCHAR, provisional"
    assert warehouse.figure("kpi_03_starts", columns, "MHT-BPL") == (1, None, 1, 0, "2016-12-31", False)
    assert warehouse.figure("kpi_03_starts", columns, "MHT-WLA") == (0, None, 1, 0, "2016-12-31", False)
    assert warehouse.figure("kpi_03_starts", columns, "MHT-GM") == (None, "data_not_received", 1, 1, None, True)
    assert warehouse.figure(TO_JOB, "rate, reason, provisional", "MHT-GM") == (None, "data_not_received", True)


def test_once_every_site_has_sent_its_data_nothing_is_missing(warehouse):
    for site in ("MHT-BPL", "MHT-GM", "MHT-NECA", "MHT-WLA"):
        _started(warehouse, site, 1)
    warehouse.build("outcomes")
    assert warehouse.figure("kpi_03_starts", f"value, {SITES}, provisional", "MHT") == (4, 4, 0, False)
    assert warehouse.figure(TO_JOB, f"denominator, {SITES}, provisional", "MHT") == (4, 4, 0, False)


def test_a_programme_of_which_nothing_came_says_so(warehouse):
    warehouse.build("outcomes")
    columns = f"value, reason, {SITES}, provisional"
    assert warehouse.figure("kpi_03_starts", columns, "PWW") == (None, "data_not_received", 3, 3, True)
    # Access to Work owes no referrals: only published aggregates are held of it
    assert warehouse.rows("SELECT * FROM outcomes.reach WHERE programme_code = 'ATW'") == []


def test_a_target_reached_without_some_sites_is_provisional(warehouse):
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
    # nothing is missing of what we do not count
    assert warehouse.figure("kpi_19_target_gps", columns, "MHT") == (None, None, None, False)
    assert warehouse.rows(f"SELECT target_id, actual, {SITES} FROM outcomes.target_attainment ORDER BY 1") == [
        ("IPSIAPT-participants", 4, 4, 0),
        ("MHT-gps", None, None, None),
        ("MHT-participants", 2, 4, 3),
    ]
