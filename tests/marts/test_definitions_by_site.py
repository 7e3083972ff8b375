"""Figures name the outcome definition by which their jobs were sent (trap 6 of docs/domain.md 0)."""

from __future__ import annotations

import pytest

DATASETS = ("referrals", "contacts", "employment_outcomes")


def _site(warehouse, site, *jobs):
    """A site with one episode for each job, or one episode without a job."""
    warehouse.deliver(site, "2016-12-31", *DATASETS)
    for n, job in enumerate(jobs or [None]):
        warehouse.episode(site, f"E{n}", "2014-11-01", "2014-12-01")
        if job is not None:
            warehouse.job(site, f"E{n}", f"2015-01-{n + 1:02}", **job)


def _definitions(warehouse, kpi_code, mart="kpi"):
    """Definition code of a figure, by site."""
    return dict(
        warehouse.rows(
            f"SELECT site_code, definition_code FROM outcomes.{mart} WHERE kpi_code = $1 AND cohort = 'all'", kpi_code
        )
    )


def test_job_starts_have_the_definition_they_were_sent_by(warehouse):
    _site(warehouse, "WC-CPA01", {"outcome_definition_code": "WC_JO"})
    _site(warehouse, "WC-CPA02", {"outcome_definition_code": "WC_JO"}, {"outcome_definition_code": "JOB_START"})
    _site(warehouse, "WC-CPA03")
    _site(warehouse, "MHT-BPL", {})
    warehouse.build("outcomes")
    for figure in ("kpi_06_job_within_12_months", "kpi_07_job_starts", "kpi_12_in_work_support_28_days"):
        definitions = _definitions(warehouse, figure)
        assert (definitions["WC-CPA01"], definitions["WC-CPA02"], definitions["MHT-BPL"]) == (
            "WC_JO",
            "mixed",
            "JOB_START",
        )
        assert definitions["WC-CPA03"] == "mixed", "a site without a job has its programme's definition"
    assert _definitions(warehouse, "kpi_01_referrals")["WC-CPA01"] is None


def test_figures_based_on_job_starts_of_another_definition_are_mixed(warehouse):
    _site(warehouse, "WC-CPA01", {"outcome_definition_code": "WC_JO"})
    _site(warehouse, "MHT-BPL", {})
    warehouse.build("outcomes")
    sustained = _definitions(warehouse, "kpi_08_sustained_13_weeks")
    assert (sustained["WC-CPA01"], sustained["MHT-BPL"]) == ("mixed", "SUST_13")
    people = _definitions(warehouse, "people_sustained_26_weeks", "volumes")
    assert (people["WC-CPA01"], people["MHT-BPL"]) == ("mixed", "SUST_26")


def test_one_site_of_another_definition_makes_only_its_programme_mixed(warehouse):
    _site(warehouse, "IPSIAPT-DTV", {"outcome_definition_code": "NHS_EMP_DISCH"})
    _site(warehouse, "IPSIAPT-SHT", {}, {"outcome_definition_code": "IPS_EMPLOYED", "in_work_at_start": True})
    warehouse.build("outcomes")
    definitions = _definitions(warehouse, "kpi_07_job_starts")
    assert (definitions["IPSIAPT-DTV"], definitions["all"]) == ("NHS_EMP_DISCH", "mixed")
    assert definitions["IPSIAPT-SHT"] == "JOB_START", "a job held before the start is in no figure"


@pytest.mark.parametrize(
    ("stated", "rate", "reason"), [("WC_JO", 0.1, None), ("JOB_START", None, "definitions_differ"), (None, 0.1, None)]
)
def test_a_target_is_compared_only_with_jobs_of_its_definition(warehouse, stated, rate, reason):
    _site(warehouse, "WC-CPA01", {"outcome_definition_code": "WC_JO"})
    warehouse.add(
        "core.targets",
        programme_code="WC",
        site_code="PMO",
        target_id="T",
        metric_code="jobs",
        unit="jobs",
        target_value=10,
        outcome_definition_code=stated,
    )
    warehouse.build("outcomes.target_attainment")
    found = warehouse.one("SELECT actual_definition_code, rate, reason FROM outcomes.target_attainment")
    assert found == ("WC_JO", rate, reason)
