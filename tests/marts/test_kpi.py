"""outcomes.kpi on hand-made cases. The cut-off is 31 December 2016; after 30 days of lag, 1 December."""

from __future__ import annotations

import re

import duckdb
import pytest

from schemas._contract import catalogue

PROGRAMME, SITE, OTHER = "MHT", "MHT-BPL", "MHT-GM"
DATASETS = ("referrals", "contacts", "employment_outcomes")
SUSTAINED = "kpi_08_sustained_13_weeks"
TO_JOB = "kpi_06_job_within_12_months"


@pytest.fixture
def bpl(warehouse):
    """A warehouse in which Blackpool has sent every dataset."""
    warehouse.deliver(SITE, "2016-12-31", *DATASETS)
    return warehouse


def kpi(warehouse, code, columns="numerator, denominator, n_immature, rate, reason", site=SITE, cohort="all"):
    """The row of outcomes.kpi of one figure."""
    return warehouse.figure(code, columns, PROGRAMME if site == "all" else site, cohort)


# The last day from which the window and 30 days of lag end by 31 December 2016, for each window.
@pytest.mark.parametrize(
    ("code", "last_mature", "first_immature"),
    [
        (SUSTAINED, "2016-08-11", "2016-08-12"),
        ("kpi_09_sustained_26_weeks", "2016-05-05", "2016-05-06"),
        ("kpi_12_in_work_support_28_days", "2016-11-03", "2016-11-04"),
    ],
)
def test_job_starts_mature_after_the_window_and_30_days(bpl, code, last_mature, first_immature):
    for episode, start in (("E1", last_mature), ("E2", first_immature)):
        bpl.episode(SITE, episode, "2015-11-01", "2015-12-01")
        bpl.job(SITE, episode, start)
    bpl.build("outcomes")
    assert bpl.rows("SELECT episode_id, is_mature FROM outcomes.kpi_cases WHERE kpi_code = $1 ORDER BY 1", code) == [
        ("E1", True),
        ("E2", False),
    ]
    assert kpi(bpl, code, "denominator, n_immature") == (1, 1)


@pytest.mark.parametrize(
    ("code", "last_mature", "first_immature"),
    [
        (TO_JOB, "2015-12-02", "2015-12-03"),  # 2016 is a leap year: 365 days before 1 December 2016
        ("kpi_10_start_to_13_weeks", "2015-08-12", "2015-08-13"),
        ("kpi_10_start_to_26_weeks", "2015-05-06", "2015-05-07"),
    ],
)
def test_starts_mature_after_the_window_and_30_days(bpl, code, last_mature, first_immature):
    for episode, start in (("E1", last_mature), ("E2", first_immature)):
        bpl.episode(SITE, episode, "2015-04-01", start)
    bpl.build("outcomes")
    assert kpi(bpl, code, "denominator, n_immature, numerator, rate") == (1, 1, 0, 0.0)


@pytest.mark.parametrize("code", ["kpi_03_start_within_60_days", "kpi_04_engaged_within_60_days"])
def test_referrals_mature_after_60_and_30_days(bpl, code):
    bpl.episode(SITE, "E1", "2016-10-02")
    bpl.episode(SITE, "E2", "2016-10-03")
    bpl.build("outcomes")
    assert kpi(bpl, code, "denominator, n_immature") == (1, 1)


def test_without_a_mature_case_there_is_no_rate(bpl):
    bpl.episode(SITE, "E1", "2016-10-01", "2016-11-01")
    bpl.build("outcomes")
    assert kpi(bpl, TO_JOB) == (0, 0, 1, None, "no_mature_cases")
    assert kpi(bpl, TO_JOB, "ci_low, ci_high, ci_method, provisional") == (None, None, None, True)
    assert kpi(bpl, TO_JOB, cohort="2016-17") == (0, 0, 1, None, "no_mature_cases")
    # without any job start there still is a row, with a reason
    assert kpi(bpl, SUSTAINED) == (0, 0, 0, None, "no_mature_cases")


@pytest.mark.parametrize(("immature", "provisional"), [(1, False), (2, True)])
def test_a_rate_is_provisional_under_four_fifths_mature(bpl, immature, provisional):
    for n in range(4):
        bpl.episode(SITE, f"E{n}", "2015-01-01", "2015-02-01")
    for n in range(immature):
        bpl.episode(SITE, f"I{n}", "2016-10-01", "2016-11-01")
    bpl.build("outcomes")
    assert kpi(bpl, TO_JOB, "denominator, n_immature, provisional") == (4, immature, provisional)


@pytest.mark.parametrize(("cut", "provisional"), [("2016-04-29", True), ("2016-04-30", False)])
def test_a_rate_of_an_unfinished_year_is_provisional(warehouse, cut, provisional):
    """With a cut-off of 30 April, 30 days of lag leave 31 March, the last day of the financial year."""
    warehouse.deliver(SITE, cut, *DATASETS)
    warehouse.episode(SITE, "E1", "2015-09-01", "2015-09-20")
    warehouse.contact(SITE, "E1", "2015-09-03")
    warehouse.build("outcomes")
    for code in ("kpi_02_eligibility", "kpi_03_start_within_60_days", "kpi_05_first_contact_within_7_days"):
        assert kpi(warehouse, code, "denominator, n_immature, provisional", cohort="2015-16") == (1, 0, provisional)
        assert kpi(warehouse, code, "denominator, n_immature, provisional") == (1, 0, False)


def test_start_to_job_leaves_out_clients_in_work_and_late_jobs(bpl):
    started = {"referred": "2015-03-01", "start": "2015-04-01"}
    bpl.episode(SITE, "JOB", **started)
    bpl.job(SITE, "JOB", "2016-03-31")  # day 365
    bpl.episode(SITE, "LATE", **started)
    bpl.job(SITE, "LATE", "2016-04-01")  # day 366
    bpl.episode(SITE, "NONE", **started)
    bpl.episode(SITE, "INWORK", **started, employment_status_at_start="01")
    bpl.job(SITE, "INWORK", "2014-01-01", in_work_at_start=True)
    bpl.episode(SITE, "UNKNOWN", **started, employment_status_at_start="ZZ")
    bpl.job(SITE, "UNKNOWN", "2015-05-01")
    bpl.build("outcomes")
    assert kpi(bpl, TO_JOB, "numerator, denominator") == (1, 3)
    assert kpi(bpl, TO_JOB, "round(ci_low, 4), round(ci_high, 4), ci_method") == (0.0615, 0.7923, "wilson")
    # people in work at the start are left out of sustained figures too; people of unknown status are not
    assert kpi(bpl, "kpi_10_start_to_13_weeks", "numerator, denominator") == (2, 4)
    assert kpi(bpl, SUSTAINED, "numerator, denominator") == (3, 3)


def test_referrals_with_a_pending_decision_are_immature(bpl):
    for n, outcome in enumerate(["eligible", "eligible", "ineligible", "pending"]):
        bpl.episode(SITE, f"E{n}", "2016-12-01", eligibility_outcome=outcome)
    bpl.build("outcomes")
    assert kpi(bpl, "kpi_02_eligibility", "numerator, denominator, n_immature, provisional") == (2, 3, 1, True)


def test_start_and_engagement_within_60_days(bpl):
    bpl.episode(SITE, "E1", "2016-01-01", "2016-03-01")  # day 60
    bpl.contact(SITE, "E1", "2016-03-01")
    bpl.episode(SITE, "E2", "2016-01-01", "2016-03-02")
    bpl.contact(SITE, "E2", "2016-03-02")
    bpl.episode(SITE, "E3", "2016-01-01", eligibility_outcome="ineligible")
    bpl.build("outcomes")
    assert kpi(bpl, "kpi_03_start_within_60_days", "numerator, denominator") == (1, 2)
    assert kpi(bpl, "kpi_04_engaged_within_60_days", "numerator, denominator") == (1, 3)


def test_first_contacts_fall_into_one_of_three_spans(bpl):
    for n, day in enumerate(["2016-01-08", "2016-01-09", "2016-01-31", "2016-02-01"]):  # days 7, 8, 30 and 31
        bpl.episode(SITE, f"E{n}", "2016-01-01")
        bpl.contact(SITE, f"E{n}", day)
    bpl.build("outcomes")
    spans = ("within_7_days", "8_to_30_days", "over_30_days")
    found = [kpi(bpl, f"kpi_05_first_contact_{s}", "numerator, denominator") for s in spans]
    assert found == [(1, 4), (2, 4), (1, 4)]


def test_in_work_support_within_28_days(bpl):
    for episode, day in (("E1", "2016-01-29"), ("E2", "2016-01-30")):  # days 28 and 29
        bpl.episode(SITE, episode, "2015-11-01", "2015-12-01")
        bpl.job(SITE, episode, "2016-01-01")
        bpl.contact(SITE, episode, day, kind="in_work_support")
    bpl.build("outcomes")
    assert kpi(bpl, "kpi_12_in_work_support_28_days", "numerator, denominator") == (1, 2)


def test_referrals_people_starts_and_jobs_are_different_counts(bpl):
    """One person referred twice, started twice, with three jobs (trap 5 of docs/domain.md 0)."""
    bpl.episode(SITE, "E1", "2015-01-01", "2015-02-01", participant_ref="SAME")
    bpl.job(SITE, "E1", "2015-03-01", "2015-03-31")
    bpl.job(SITE, "E1", "2016-05-01", "2016-05-31")
    bpl.episode(SITE, "E2", "2016-06-01", "2016-07-01", participant_ref="SAME")
    bpl.job(SITE, "E2", "2016-08-01")
    bpl.episode(SITE, "E3", "2016-06-01")
    bpl.build("outcomes")
    values = dict(bpl.rows("SELECT kpi_code, value FROM outcomes.kpi WHERE site_code = 'all' AND cohort = 'all'"))
    assert {code: n for code, n in values.items() if n is not None} == {
        "kpi_01_referrals": 3,
        "kpi_01_people_referred": 2,
        "kpi_03_starts": 2,
        "kpi_03_people_started": 1,
        "kpi_07_job_starts": 3,
        "kpi_07_first_job_starts": 2,
        "kpi_07_people_with_job_start": 1,
    }
    # by the year of the event; people count once in each year, so the years do not add up to 'all'
    people = "SELECT cohort, value FROM outcomes.kpi WHERE kpi_code = $1 AND site_code = $2 ORDER BY cohort"
    assert bpl.rows(people, "kpi_07_people_with_job_start", SITE) == [("2014-15", 1), ("2016-17", 1), ("all", 1)]
    assert bpl.rows(people, "kpi_07_job_starts", SITE) == [("2014-15", 1), ("2016-17", 2), ("all", 3)]
    assert bpl.rows("SELECT DISTINCT unit FROM outcomes.kpi WHERE kpi_code LIKE 'kpi_07%' ORDER BY 1") == [
        ("job_starts",),
        ("jobs",),
        ("people",),
    ]
    assert kpi(bpl, "kpi_07_job_starts", "rate, numerator, provisional", cohort="2016-17") == (None, None, True)
    assert kpi(bpl, "kpi_07_job_starts", "provisional", cohort="2014-15") == (False,)
    assert bpl.one(
        "SELECT referrals, people_referred, starts, people_started, starts_with_job, people_with_job, job_starts "
        "FROM outcomes.funnel_by_site"
    ) == (3, 2, 2, 1, 2, 1, 3)


def test_a_programme_is_the_sum_of_its_sites(bpl):
    bpl.deliver(OTHER, "2016-11-30", *DATASETS)
    for site, episodes in ((SITE, 2), (OTHER, 3)):
        for n in range(episodes):
            bpl.episode(site, f"E{n}", "2015-01-01", "2015-02-01")
        bpl.job(site, "E0", "2015-03-01")
    bpl.build("outcomes")
    assert kpi(bpl, TO_JOB, "numerator, denominator, data_cut_date::VARCHAR", site="all") == (2, 5, "2016-11-30")
    assert kpi(bpl, TO_JOB, "numerator, denominator, data_cut_date::VARCHAR", site=OTHER) == (1, 3, "2016-11-30")


def test_a_figure_without_its_dataset_is_null_and_not_zero(bpl):
    bpl.deliver(OTHER, "2016-12-31", "referrals")
    for site in (SITE, OTHER):
        bpl.episode(site, "E1", "2015-01-01", "2015-02-01")
    bpl.build("outcomes")
    columns = "denominator, n_missing_outcome, rate, reason, provisional"
    assert kpi(bpl, TO_JOB, columns, site=OTHER) == (0, 1, None, "data_not_received", True)
    assert kpi(bpl, SUSTAINED, "rate, reason", site=OTHER) == (None, "data_not_received")
    assert kpi(bpl, "kpi_07_job_starts", "value, reason", site=OTHER) == (None, "data_not_received")
    assert kpi(bpl, "kpi_07_job_starts", "value, reason") == (0, None)
    # the programme's figure uses the site that did send, and is provisional
    assert kpi(bpl, TO_JOB, columns, site="all") == (1, 1, 0.0, None, True)
    assert kpi(bpl, "kpi_07_job_starts", "value, provisional", site="all") == (0, True)
    assert bpl.rows(
        "SELECT starts, starts_engaged, starts_with_job FROM outcomes.funnel_by_site ORDER BY site_code"
    ) == [
        (1, 0, 0),
        (1, None, None),
    ]


def test_in_work_support_needs_contacts_and_jobs(warehouse):
    warehouse.deliver(SITE, "2016-12-31", "referrals", "employment_outcomes")
    warehouse.deliver(OTHER, "2016-12-31", "referrals", "contacts")
    warehouse.episode(SITE, "E1", "2015-01-01", "2015-02-01")
    warehouse.job(SITE, "E1", "2015-03-01")
    warehouse.episode(OTHER, "E1", "2015-01-01", "2015-02-01")
    warehouse.build("outcomes")
    code, columns = "kpi_12_in_work_support_28_days", "denominator, n_missing_outcome, rate, reason"
    assert kpi(warehouse, code, columns) == (0, 1, None, "data_not_received")
    assert kpi(warehouse, code, columns, site=OTHER) == (0, 0, None, "data_not_received")


def test_the_control_arm_is_left_out_of_service_figures(warehouse):
    site = "HLT-WMCA"
    warehouse.deliver(site, "2020-12-31", *DATASETS, "randomisation")
    for episode, arm in (("E1", "ips"), ("E2", "control"), ("E3", None)):
        warehouse.episode(site, episode, "2018-06-01", "2018-07-01" if arm else None)
        if arm:
            warehouse.job(site, episode, "2018-08-01")
            warehouse.add(
                "core.randomisation",
                programme_code="HLT",
                site_code=site,
                randomisation_id=f"R{episode}",
                participant_ref=f"P{episode}",
                trial_group="wmca_oow",
                arm=arm,
                randomised_date="2018-06-15",
            )
    warehouse.build("outcomes")
    assert kpi(warehouse, "kpi_01_referrals", "value", site=site) == (3,)
    assert kpi(warehouse, "kpi_02_eligibility", "denominator", site=site) == (3,)
    assert kpi(warehouse, "kpi_03_start_within_60_days", "numerator, denominator", site=site) == (1, 1)
    assert kpi(warehouse, TO_JOB, "numerator, denominator", site=site) == (1, 1)
    assert kpi(warehouse, "kpi_07_job_starts", "value", site=site) == (1,)
    assert warehouse.one("SELECT referrals, referrals_control_arm, starts FROM outcomes.funnel_by_site") == (3, 1, 1)


def _target(warehouse, target_id, metric, unit, value, **more):
    warehouse.add(
        "core.targets",
        **{
            "programme_code": "MWW",
            "site_code": "PMO",
            "target_id": target_id,
            "metric_code": metric,
            "unit": unit,
            "target_value": value,
        }
        | more,
    )


def test_target_attainment_compares_like_with_like(warehouse):
    site = "MWW-BRK"
    warehouse.deliver(site, "2016-12-31", *DATASETS)
    warehouse.episode(site, "E1", "2015-01-01", "2015-02-01")
    warehouse.job(site, "E1", "2015-03-01", "2015-04-30")
    warehouse.job(site, "E1", "2015-06-01")
    _target(warehouse, "PEOPLE", "people_into_work", "people", 340)
    _target(warehouse, "JOBS", "jobs", "jobs", 340)
    _target(warehouse, "WRONG-UNIT", "people_into_work", "jobs", 340)
    _target(warehouse, "OTHER-RULE", "jobs", "jobs", 100, about_site_code=site, outcome_definition_code="WC_JO")
    _target(warehouse, "TRAINED", "gps", "people", 50)
    _target(warehouse, "OLD", "jobs", "jobs", 1, superseded_by="JOBS")
    _target(warehouse, "NOBODY", "jobs", "jobs", 10, about_site_code="MWW-LIN")
    warehouse.build("outcomes")
    found = warehouse.rows("SELECT target_id, actual, rate, reason FROM outcomes.target_attainment ORDER BY 1")
    assert found == [
        ("JOBS", 2, pytest.approx(2 / 340), None),
        ("NOBODY", None, None, "no_actual"),
        ("OTHER-RULE", 2, None, "definitions_differ"),
        ("PEOPLE", 1, pytest.approx(1 / 340), None),
        ("TRAINED", None, None, "not_measured"),
        ("WRONG-UNIT", None, None, "units_differ"),
    ]
    assert warehouse.rows(
        "SELECT unit, numerator, denominator, rate, reason, definition_code FROM outcomes.kpi "
        "WHERE kpi_code = 'kpi_19_target_people_into_work' ORDER BY unit"
    ) == [
        ("jobs", None, 340, None, "units_differ", None),
        ("people", 1, 340, pytest.approx(1 / 340), None, "JOB_START"),
    ]


def test_two_targets_for_the_same_thing_give_no_rate(warehouse):
    _target(warehouse, "A", "jobs", "jobs", 340)
    _target(warehouse, "B", "jobs", "jobs", 400)
    warehouse.build("outcomes")
    found = warehouse.one("SELECT denominator, rate, reason FROM outcomes.kpi WHERE kpi_code = 'kpi_19_target_jobs'")
    assert found == (None, None, "targets_differ")


def test_every_figure_has_a_definition_and_every_definition_a_figure(bpl):
    bpl.episode(SITE, "E1", "2015-01-01", "2015-02-01")
    bpl.contact(SITE, "E1", "2015-01-02")
    bpl.job(SITE, "E1", "2015-03-01")
    _target(bpl, "T", "jobs", "jobs", 340)
    bpl.build("outcomes")
    assert bpl.rows("FROM outcomes.kpi ANTI JOIN outcomes.kpi_definitions USING (kpi_code)") == []
    used = "SELECT definition_code FROM outcomes.kpi WHERE definition_code IS NOT NULL"
    assert bpl.rows(f"FROM ({used}) ANTI JOIN core.outcome_definitions USING (definition_code)") == []
    # a site with referrals has a row for every rate and volume, even without any case
    missing = "SELECT kpi_code FROM outcomes.kpi_definitions WHERE kind <> 'attainment'"
    assert bpl.rows(f"{missing} EXCEPT SELECT kpi_code FROM outcomes.kpi WHERE site_code = '{SITE}'") == []


def test_cases_add_up_to_the_rates(bpl):
    for n in range(30):
        bpl.episode(SITE, f"E{n}", f"2015-{n % 12 + 1:02}-15", f"2015-{n % 12 + 1:02}-28")
        if n % 3 == 0:
            bpl.job(SITE, f"E{n}", f"2016-{n % 12 + 1:02}-20")
    bpl.build("outcomes")
    difference = """
        SELECT kpi_code, sum(denominator + n_immature + n_missing_outcome)
        FROM outcomes.kpi WHERE site_code = 'MHT-BPL' AND cohort <> 'all' AND denominator IS NOT NULL GROUP BY 1
        EXCEPT SELECT kpi_code, count(*) FROM outcomes.kpi_cases GROUP BY 1"""
    assert bpl.rows(difference) == []


def test_every_defined_rate_has_cases(warehouse):
    # one episode that is a case of every figure: started, in a job, with contacts
    warehouse.deliver(SITE, "2018-12-31", *DATASETS)
    warehouse.episode(SITE, "E1", "2015-01-01", "2015-02-01")
    warehouse.contact(SITE, "E1", "2015-01-05")
    warehouse.job(SITE, "E1", "2015-03-01")
    warehouse.build("outcomes")
    defined = warehouse.rows("SELECT kpi_code FROM outcomes.kpi_definitions WHERE kind = 'rate' ORDER BY 1")
    assert warehouse.rows("SELECT DISTINCT kpi_code FROM outcomes.kpi_cases ORDER BY 1") == defined
    # nor does the SQL have cases of an undefined rate
    cases = next(m for m in catalogue.marts() if m.address == "outcomes.kpi_cases").sql
    assert sorted(re.findall(r"'kpi_code': '(\w+)'", cases)) == [code for (code,) in defined]


def test_a_definition_that_needs_an_unknown_dataset_stops_the_build(warehouse):
    reach = next(m for m in catalogue.marts() if m.address == "outcomes.reach").sql
    warehouse.deliver(SITE, "2016-12-31", *DATASETS)
    warehouse.episode(SITE, "E1", "2015-01-01", "2015-02-01")
    warehouse.build("outcomes")
    warehouse.db.execute("UPDATE outcomes.kpi_definitions SET dataset = 'horoscopes' WHERE kpi_code LIKE 'kpi_04%'")
    with pytest.raises(duckdb.Error, match="no dataset horoscopes"):
        warehouse.rows(reach)
