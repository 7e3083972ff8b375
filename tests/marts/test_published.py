"""What may be released of outcomes.kpi: nothing small, nothing exact. The rules are those of docs/domain.md 5.1."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas._contract import catalogue

SITE, OTHER = "MHT-BPL", "MHT-GM"
ALL = ("referrals", "contacts", "employment_outcomes")
TO_JOB = "kpi_06_job_within_12_months"
STARTED = "kpi_03_starts"
FIGURES = "numerator, denominator, n_immature, rate_percent, ci_low_percent, ci_high_percent, reason, suppression_flag"
EVERYTHING = "SELECT * FROM published.kpi ORDER BY ALL"


def add_people(warehouse, in_work, not_in_work, site=SITE, **job):
    """So many who started long ago, of whom some found a job."""
    for number in range(in_work + not_in_work):
        warehouse.episode(site, f"E{number}", "2015-05-01", "2015-06-01", participant_ref=f"{site}-P{number}")
        if number < in_work:
            warehouse.job(site, f"E{number}", "2015-07-01", **job)


def of_people(warehouse, in_work, not_in_work, **job):
    """A site that has sent its data, about so many people."""
    warehouse.deliver(SITE, "2016-12-31", *ALL)
    add_people(warehouse, in_work, not_in_work, **job)
    return warehouse.build("published")


def figure(warehouse, code, columns, site=SITE, cohort="all"):
    return warehouse.one(
        f"SELECT {columns} FROM published.kpi "
        "WHERE kpi_code = $1 AND programme_code = 'MHT' AND site_code = $2 AND cohort = $3",
        code,
        site,
        cohort,
    )


def percent(share):
    return int(Decimal(100 * share).quantize(Decimal(1), ROUND_HALF_UP))


# What each row says


@pytest.mark.parametrize("site", [SITE, "all"])
@pytest.mark.parametrize(
    ("in_work", "not_in_work", "of"), [(8, 15, (10, 25)), (12, 13, (10, 25)), (9, 4, (10, 15)), (5, 53, (5, 60))]
)
def test_rate_and_interval_are_of_the_same_rounded_counts(warehouse, site, in_work, not_in_work, of):
    from statsmodels.stats.proportion import proportion_confint  # slow to import: not in every process of the tests

    of_people(warehouse, in_work, not_in_work)
    low, high = proportion_confint(*of, method="wilson")
    shown = (*of, None, percent(of[0] / of[1]), percent(low), percent(high), None, False)
    assert figure(warehouse, TO_JOB, FIGURES, site) == shown
    assert figure(warehouse, STARTED, "value, reason, suppression_flag", site) == (of[1], None, False)


@pytest.mark.parametrize(
    ("in_work", "not_in_work", "denominator"),
    [(0, 9, 10), (4, 9, 15), (9, 0, 10), (9, 2, 10), (9, 3, 10), (53, 1, 55), (0, 0, None), (2, 2, None)],
)
def test_a_rate_that_few_achieve_or_few_miss_is_held_back_and_nobody_sees_which(
    warehouse, in_work, not_in_work, denominator
):
    of_people(warehouse, in_work, not_in_work)
    for site in (SITE, "all"):
        columns = "numerator, denominator, rate_percent, ci_low_percent, ci_method, reason, suppression_flag"
        held_back = (None, denominator, None, None, None, "small_numbers", True)
        assert figure(warehouse, TO_JOB, columns, site) == held_back


def test_what_was_not_received_is_not_called_small(warehouse):
    warehouse.deliver(SITE, "2016-12-31", "referrals")
    for number in range(9):
        warehouse.episode(SITE, f"E{number}", "2015-05-01", "2015-06-01")
    warehouse.build("published")
    assert figure(warehouse, TO_JOB, "rate_percent, reason, suppression_flag") == (None, "data_not_received", False)


def test_a_year_of_which_nothing_came_is_not_called_small(warehouse):
    warehouse.deliver(SITE, "2016-12-31", *ALL)
    warehouse.deliver(OTHER, "2016-02-29", *ALL)
    warehouse.build("published")
    said = [figure(warehouse, STARTED, "reason, provisional", site, "2016-17") for site in (SITE, OTHER, "all")]
    assert said == [("small_numbers", True), ("data_not_received", True), ("small_numbers", True)]


@given(st.integers(0, 10**9))
def test_no_count_below_five_and_none_that_is_exact(number):
    with duckdb.connect() as db:
        db.execute(catalogue.MACROS.read_text(encoding="utf-8"))
        (told,) = db.execute("SELECT to_nearest_5($1)", [number]).fetchall()[0]
    assert told is None if number < 5 else told % 5 == 0 and abs(told - number) <= 2


# Which rows there are


def test_every_figure_has_its_row_for_every_site_that_owes_data_and_every_year(warehouse):
    of_people(warehouse, 6, 11)
    codes = [c for (c,) in warehouse.rows("SELECT kpi_code FROM outcomes.kpi_definitions WHERE kind <> 'attainment'")]
    sites = ["MHT-BPL", "MHT-GM", "MHT-NECA", "MHT-WLA", "all"]
    years = ["2014-15", "2015-16", "2016-17", "all"]  # the programme began in 2014, the newest cut-off is in 2016-17
    rows = warehouse.rows("SELECT kpi_code, site_code, cohort FROM published.kpi WHERE programme_code = 'MHT'")
    assert sorted(rows) == sorted((c, s, y) for c in codes for s in sites for y in years)
    # of a programme from which nothing came, only what is true of all years
    assert warehouse.rows("SELECT DISTINCT cohort FROM published.kpi WHERE programme_code = 'HLT'") == [("all",)]
    exact = "numerator % 5 <> 0 OR value % 5 <> 0 OR n_immature % 5 <> 0 OR n_missing_outcome % 5 <> 0"
    assert warehouse.rows(f"SELECT kpi_code FROM published.kpi WHERE {exact}") == []


def test_what_is_dated_before_the_programme_counts_in_all_years_alone(warehouse):
    warehouse.deliver(SITE, "2016-12-31", *ALL)
    for number in range(7):
        warehouse.episode(SITE, f"E{number}", "2013-05-01")
    warehouse.build("published")
    code = "kpi_01_referrals"
    shown = "SELECT cohort FROM published.kpi WHERE kpi_code = $1 AND site_code = $2 AND value IS NOT NULL"
    assert warehouse.rows(shown, code, SITE) == [("all",)]
    assert figure(warehouse, code, "value") == (5,)


# Every row is a function of treated counts


def _target(warehouse, target_id, metric, unit, value, **more):
    warehouse.add(
        "core.targets", programme_code="MHT", site_code="PMO", target_id=target_id, metric_code=metric, unit=unit,
        target_value=value, **more,
    )  # fmt: skip


def _published(made, in_work, not_in_work, **job):
    for number, year in enumerate((None, "2014-15", "2015-16")):
        _target(made, f"T{number}", "people_into_work", "people", 40, financial_year=year)
    _target(made, "T9", "jobs", "jobs", 20, about_site_code=SITE, outcome_definition_code="JOB_START")
    return of_people(made, in_work, not_in_work, **job).rows(EVERYTHING)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((8, 15), (12, 13)),
        ((0, 0), (4, 0)),  # nobody, and four people in work
        ((0, 0), (1, 3)),
        ((0, 20), (4, 18)),
        ((20, 0), (21, 1)),
    ],
)
def test_the_same_rounded_counts_give_the_same_table(warehouse, another_warehouse, one, other):
    assert _published(warehouse, *one) == _published(another_warehouse, *other)


def test_that_few_jobs_were_sent_by_another_definition_shows_nowhere(warehouse, another_warehouse):
    for made, code in ((warehouse, "JOB_START"), (another_warehouse, "WC_JO")):
        add_people(made, 3, 0, OTHER, outcome_definition_code=code)
        made.deliver(OTHER, "2016-12-31", *ALL)
    assert _published(warehouse, 9, 9) == _published(another_warehouse, 9, 9)
    other = "SELECT DISTINCT definition_code FROM outcomes.kpi WHERE kpi_code = $1 AND site_code = $2"
    assert another_warehouse.rows(other, TO_JOB, OTHER) == [("WC_JO",)]  # analysts see it


def test_enough_jobs_of_another_definition_are_told(warehouse):
    of_people(warehouse, 6, 6, outcome_definition_code="WC_JO")
    assert figure(warehouse, TO_JOB, "definition_code") == ("WC_JO",)
    assert figure(warehouse, TO_JOB, "definition_code", "all") == ("WC_JO",)


# Any count of a row, and another that is published alike: which one is for $other to say.
ALIKE = """
    CREATE OR REPLACE TEMP MACRO counted(seed, name, other) AS (
        WITH first AS (SELECT hash(seed, name) % 60 AS n)
        SELECT if(n < 5, hash(seed, name, other) % 5, greatest(5, round(n / 5) * 5 - 2 + hash(seed, name, other) % 5))
        FROM first)"""
COUNT_ANEW = """
    UPDATE outcomes.kpi SET
        numerator = if(rate_row, least(counted(row_seed, 'n', $other), counted(row_seed, 'd', $other)), NULL),
        denominator = if(rate_row, counted(row_seed, 'd', $other), NULL),
        n_immature = if(rate_row, counted(row_seed, 'i', $other), NULL),
        n_missing_outcome = if(rate_row, counted(row_seed, 'm', $other), NULL),
        value = if(rate_row, NULL, counted(row_seed, 'v', $other)),
        rate = $other, ci_low = $other, reason = 'noise ' || $other, provisional = $other = 1, definition_code = 'noise'
    FROM (
        SELECT k.rowid AS row, d.kind = 'rate' AS rate_row, hash(k.rowid, $seed) AS row_seed
        FROM outcomes.kpi AS k JOIN outcomes.kpi_definitions AS d USING (kpi_code)) AS made
    WHERE made.row = kpi.rowid"""
ACHIEVE_ANEW = (
    "UPDATE outcomes.target_attainment SET actual = counted(hash(target_id, $seed), 'a', $other), rate = $other"
)


@pytest.mark.parametrize("seed", range(3))
def test_exact_counts_and_what_follows_from_them_never_show(warehouse, seed):
    """Other exact counts of the same rounded ones, and other exact rates, reasons and flags, change no row."""
    _published(warehouse, 6, 9)
    warehouse.db.execute(ALIKE)
    sql = next(m for m in catalogue.marts() if m.address == "published.kpi").sql
    seen = []
    for other in (1, 2):
        for anew in (COUNT_ANEW, ACHIEVE_ANEW):
            warehouse.db.execute(anew, {"seed": seed, "other": other})
        seen.append(warehouse.rows(f"FROM ({sql}) ORDER BY ALL"))
    assert seen[0] == seen[1]
    empty = "rate_percent IS NULL AND value IS NULL"
    wrong = f"least(numerator, n_immature, n_missing_outcome, value) < 5 OR (reason IS NULL) = ({empty})"
    assert warehouse.rows(f"FROM ({sql}) WHERE {wrong}") == []
    assert len(warehouse.rows(f"FROM ({sql}) WHERE rate_percent IS NOT NULL")) > 100
