"""Unit costs against counts by hand: who is counted, which spending, and why a cost is empty."""

from __future__ import annotations

from decimal import Decimal

import pytest

from flows.steps.build import make_mart
from schemas._contract.catalogue import marts

SITE = "MHT-BPL"
COSTS = """
    SELECT n_people, grant_gbp, match_gbp, cost_grant_gbp, cost_total_gbp, reason FROM funding.unit_costs
    WHERE site_code = $1 AND financial_year = $2 AND unit_code = $3"""


@pytest.fixture
def site(warehouse):
    """Four people started in 2015-16, three found work, and two stayed for 13 weeks; one started in 2017-18."""
    warehouse.deliver(SITE, "2018-03-31", "participants", "referrals", "contacts", "employment_outcomes")
    for n in range(4):
        warehouse.episode(SITE, f"E{n}", "2015-04-20", "2015-05-01", participant_ref=f"P{n}")
    warehouse.job(SITE, "E0", "2015-07-01", "2015-07-31")
    warehouse.job(SITE, "E1", "2015-07-01", "2016-06-30")
    warehouse.job(SITE, "E2", "2015-09-01")
    warehouse.episode(SITE, "E9", "2017-05-01", "2017-05-02", participant_ref="P9")
    warehouse.add("core.funding_awards", site_code=SITE, programme_code="MHT", award_id="G", award_stage="awarded",
                  award_version=1, amount=10000, amount_status="known")  # fmt: skip
    return warehouse


def spend(site, amount, end, source="grant"):
    site.add(
        "core.expenditure", site_code=SITE, programme_code="MHT", award_id="G", period_end=end, cost_category="staff",
        ledger_ref=f"L{site._rows}", funding_source=source, actual_amount=amount,
    )  # fmt: skip


def match(site, amount, year, stage="evidenced"):
    site.add("core.match_funding", site_code=SITE, programme_code="MHT", award_id="G", match_id=f"M{site._rows}",
             match_stage=stage, amount=amount, amount_status="known", financial_year=year,
             match_source_type="nhs", match_kind="cash")  # fmt: skip


def cost(site, unit, year="2015-16", level=SITE):
    return site.one(COSTS, level, year, unit)


def test_spending_of_the_year_by_the_people_who_reached_the_outcome(site):
    spend(site, 6000, "2015-06-30")
    spend(site, 500, "2015-06-30", "match_cash")  # match counts by its evidence, not by the ledger
    spend(site, 900, "2018-03-31")
    match(site, 1200, "2015-16")
    match(site, 7, "2015-16", "pledged")
    site.build("funding.unit_costs")
    assert cost(site, "person_started") == (4, 6000, 1200, 1500, 1800, None)
    assert cost(site, "person_into_work") == (3, 6000, 1200, 2000, 2400, None)
    assert cost(site, "person_13_weeks") == (2, 6000, 1200, 3000, 3600, None)
    assert cost(site, "person_13_weeks", level="all") == (2, 6000, 1200, 3000, 3600, None)
    assert cost(site, "person_into_work", "2017-18") == (0, 900, 0, None, None, "cohort_not_mature")
    assert cost(site, "person_into_work", "all") == (3, 6000, 1200, 2000, 2400, None)


def test_a_year_of_setting_up_counts_for_all_years_alone(site):
    spend(site, 3000, "2015-03-31")
    spend(site, 6000, "2016-03-31")
    site.build("funding.unit_costs")
    assert cost(site, "person_into_work", "2014-15") == (None, 3000, 0, None, None, "nobody")
    assert cost(site, "person_into_work")[3] == 2000
    assert cost(site, "person_into_work", "all")[3] == 3000


def test_without_spending_there_is_no_cost(site):
    site.build("funding.unit_costs")
    assert cost(site, "person_into_work") == (3, None, 0, None, None, "no_spending")


def test_spending_that_stops_before_the_years_end_gives_no_cost(site):
    spend(site, 6000, "2015-12-31")
    site.build("funding.unit_costs")
    assert cost(site, "person_into_work")[3:] == (None, None, "spending_not_complete")


def test_constant_prices_need_a_deflator_of_one_release(site):
    spend(site, 6000, "2015-06-30")
    spend(site, 0, "2018-03-31")
    real = "SELECT cost_grant_real_gbp, price_base, deflator_vintage, real_reason FROM funding.unit_costs " \
        "WHERE site_code = 'MHT-BPL' AND unit_code = 'person_into_work' AND financial_year = $1"  # fmt: skip
    assert site.build("funding.unit_costs").one(real, "2015-16") == (None, None, None, "no_deflator")
    for vintage, year, index in (("2016-10", "2015-16", 50), ("2017-11", "2015-16", 80), ("2017-11", "2016-17", 100)):
        site.add("core.deflators", site_code="PMO", programme_code="", vintage=vintage, financial_year=year,
                 index_value=index)  # fmt: skip
    (mart,) = (m for m in marts() if m.address == "funding.unit_costs")
    site.db.execute("DROP TABLE funding.unit_costs")
    make_mart(site.db, mart)
    assert site.one(real, "2015-16") == (Decimal(2500), "2016-17", "2017-11", None)
    assert site.one(real, "all") == (Decimal(2500), "2016-17", "2017-11", None)


def test_a_missing_quarter_gives_no_cost(site):
    site.deliver(SITE, "2018-03-31", "funding_profile", "expenditure")
    spend(site, 6000, "2016-03-31")
    for quarter in ("Q3", "Q4"):
        site.add("core.funding_profile", site_code=SITE, programme_code="MHT", award_id="G", profile_version=1,
                 financial_year="2015-16", quarter=quarter, cost_category="staff", profile_amount=5000,
                 delivery_id=f"{SITE}-funding_profile")  # fmt: skip
    site.db.execute(f"UPDATE core.expenditure SET delivery_id = '{SITE}-expenditure'")
    site.build("funding.unit_costs")
    assert cost(site, "person_into_work") == (3, 6000, 0, None, None, "spending_missing")
