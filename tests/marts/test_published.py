"""What may be released of outcomes.kpi: nothing small, nothing exact. The rules are DOMAIN.md 5.1's."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

SITE = "MHT-BPL"
TO_JOB = "kpi_06_job_within_12_months"
STARTED = "kpi_03_starts"
FIGURES = "numerator, denominator, n_immature, rate_percent, ci_low_percent, ci_high_percent, reason, suppression_flag"


def of_people(warehouse, in_work, not_in_work):
    """So many who started long ago, of whom some found a job."""
    warehouse.deliver(SITE, "2016-12-31", "referrals", "contacts", "employment_outcomes")
    for number in range(in_work + not_in_work):
        warehouse.episode(SITE, f"E{number}", "2015-05-01", "2015-06-01")
        if number < in_work:
            warehouse.job(SITE, f"E{number}", "2015-07-01")
    return warehouse.build("published")


def figure(warehouse, code, columns, site=SITE):
    return warehouse.one(
        f"SELECT {columns} FROM published.kpi "
        "WHERE kpi_code = $1 AND programme_code = 'MHT' AND site_code = $2 AND cohort = 'all'",
        code,
        site,
    )


def percent(share):
    return int(Decimal(100 * share).quantize(Decimal(1), ROUND_HALF_UP))


@pytest.mark.parametrize("site", [SITE, "all"])
def test_counts_are_rounded_rates_are_whole_and_the_interval_is_of_the_rounded(warehouse, site):
    of_people(warehouse, 8, 15)
    low, high = proportion_confint(10, 25, method="wilson")
    assert figure(warehouse, TO_JOB, FIGURES, site) == (
        10, 25, None, percent(8 / 23), percent(low), percent(high), None, False
    )  # fmt: skip
    assert figure(warehouse, STARTED, "value, reason, suppression_flag", site) == (25, None, False)


@pytest.mark.parametrize(("in_work", "not_in_work"), [(0, 9), (4, 9), (9, 4), (9, 0), (0, 0), (2, 2)])
def test_a_rate_that_few_achieve_or_miss_is_held_back(warehouse, in_work, not_in_work):
    of_people(warehouse, in_work, not_in_work)
    for site in (SITE, "all"):
        columns = "rate_percent, ci_low_percent, ci_high_percent, ci_method, reason, suppression_flag"
        rows = warehouse.rows(
            f"SELECT {columns} FROM published.kpi WHERE kpi_code = $1 AND programme_code = 'MHT' AND site_code = $2",
            TO_JOB,
            site,
        )
        assert set(rows) == {(None, None, None, None, "small_numbers", True)}


def test_what_was_not_received_is_not_called_small(warehouse):
    warehouse.deliver(SITE, "2016-12-31", "referrals")
    for number in range(9):
        warehouse.episode(SITE, f"E{number}", "2015-05-01", "2015-06-01")
    warehouse.build("published")
    assert figure(warehouse, TO_JOB, "rate_percent, reason, suppression_flag") == (None, "data_not_received", False)


@given(st.integers(0, 10**9))
def test_no_count_below_five_and_none_that_is_exact(number):
    import duckdb

    from schemas.catalogue import HERE

    with duckdb.connect() as db:
        db.execute((HERE / "statistics.sql").read_text(encoding="utf-8"))
        (told,) = db.execute("SELECT to_nearest_5($1)", [number]).fetchall()[0]
    assert told is None if number < 5 else told % 5 == 0 and abs(told - number) <= 2


def test_each_figure_of_the_restricted_table_has_its_row(warehouse):
    of_people(warehouse, 6, 11)
    keys = "kpi_code, programme_code, site_code, cohort, unit"
    assert warehouse.rows(f"SELECT {keys} FROM published.kpi ORDER BY ALL") == warehouse.rows(
        f"SELECT {keys} FROM outcomes.kpi ORDER BY ALL"
    )
    exact = "numerator % 5 <> 0 OR value % 5 <> 0 OR n_immature % 5 <> 0 OR n_missing_outcome % 5 <> 0"
    assert warehouse.rows(f"SELECT kpi_code FROM published.kpi WHERE {exact}") == []
