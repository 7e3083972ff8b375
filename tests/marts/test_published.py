"""published.kpi holds no small and no exact count. Source of the rules: docs/domain.md 5.1."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from soak import in_soak, iterations

from schemas._contract import catalogue

SITE, OTHER = "MHT-BPL", "MHT-GM"
DATASETS = ("referrals", "contacts", "employment_outcomes")
TO_JOB = "kpi_06_job_within_12_months"
STARTED = "kpi_03_starts"
FIGURES = "numerator, denominator, n_immature, rate_percent, ci_low_percent, ci_high_percent, reason, suppression_flag"
ALL_ROWS = "SELECT * FROM published.kpi ORDER BY ALL"


def add_people(warehouse, in_work, not_in_work, site=SITE, **job):
    """Add people who started long ago, some of whom found a job."""
    for number in range(in_work + not_in_work):
        warehouse.episode(site, f"E{number}", "2015-05-01", "2015-06-01", participant_ref=f"{site}-P{number}")
        if number < in_work:
            warehouse.job(site, f"E{number}", "2015-07-01", **job)


def build_with_people(warehouse, in_work, not_in_work, **job):
    """Build with one site that has sent every dataset, about these people."""
    warehouse.deliver(SITE, "2016-12-31", *DATASETS)
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


# Values of each row


@pytest.mark.parametrize(
    ("in_work", "not_in_work", "rounded", "percents"),  # the interval is Wilson's, as statsmodels computes it
    [
        (8, 15, (10, 25), (40, 23, 59)),
        (12, 13, (10, 25), (40, 23, 59)),
        (9, 4, (10, 15), (67, 42, 85)),
        (5, 53, (5, 60), (8, 4, 18)),
    ],
)
def test_rate_and_interval_are_computed_from_the_rounded_counts(warehouse, in_work, not_in_work, rounded, percents):
    build_with_people(warehouse, in_work, not_in_work)
    for site in (SITE, "all"):
        assert figure(warehouse, TO_JOB, FIGURES, site) == (*rounded, None, *percents, None, False)
        assert figure(warehouse, STARTED, "value, reason, suppression_flag", site) == (rounded[1], None, False)


@pytest.mark.parametrize(
    ("in_work", "not_in_work", "denominator"),
    [(0, 9, 10), (4, 9, 15), (53, 1, 55), (2, 2, None), *in_soak((9, 0, 10), (9, 2, 10), (9, 3, 10), (0, 0, None))],
)
def test_a_rate_that_few_achieve_or_few_miss_is_suppressed_alike(warehouse, in_work, not_in_work, denominator):
    build_with_people(warehouse, in_work, not_in_work)
    for site in (SITE, "all"):
        columns = "numerator, denominator, rate_percent, ci_low_percent, ci_method, reason, suppression_flag"
        suppressed = (None, denominator, None, None, None, "small_numbers", True)
        assert figure(warehouse, TO_JOB, columns, site) == suppressed


def test_missing_data_have_their_own_reason(warehouse):
    warehouse.deliver(SITE, "2016-12-31", "referrals")
    for number in range(9):
        warehouse.episode(SITE, f"E{number}", "2015-05-01", "2015-06-01")
    warehouse.build("published")
    assert figure(warehouse, TO_JOB, "rate_percent, reason, suppression_flag") == (None, "data_not_received", False)


def test_a_year_without_data_has_its_own_reason(warehouse):
    warehouse.deliver(SITE, "2016-12-31", *DATASETS)
    warehouse.deliver(OTHER, "2016-02-29", *DATASETS)
    warehouse.build("published")
    reasons = [figure(warehouse, STARTED, "reason, provisional", site, "2016-17") for site in (SITE, OTHER, "all")]
    assert reasons == [("small_numbers", True), ("data_not_received", True), ("small_numbers", True)]


@given(st.integers(0, 10**9))
def test_to_nearest_5_hides_counts_below_5_and_rounds_others(number):
    with duckdb.connect() as db:
        db.execute(catalogue.MACROS.read_text(encoding="utf-8"))
        (rounded,) = db.execute("SELECT to_nearest_5($1)", [number]).fetchall()[0]
    assert rounded is None if number < 5 else rounded % 5 == 0 and abs(rounded - number) <= 2


# Which rows exist


def test_every_figure_has_a_row_for_every_site_and_year(warehouse):
    build_with_people(warehouse, 6, 11)
    codes = [c for (c,) in warehouse.rows("SELECT kpi_code FROM outcomes.kpi_definitions WHERE kind <> 'attainment'")]
    sites = ["MHT-BPL", "MHT-GM", "MHT-NECA", "MHT-WLA", "all"]
    years = ["2014-15", "2015-16", "2016-17", "all"]  # the programme began in 2014, the newest cut-off is in 2016-17
    rows = warehouse.rows("SELECT kpi_code, site_code, cohort FROM published.kpi WHERE programme_code = 'MHT'")
    assert sorted(rows) == sorted((c, s, y) for c in codes for s in sites for y in years)
    # a programme without data has rows for all years together only
    assert warehouse.rows("SELECT DISTINCT cohort FROM published.kpi WHERE programme_code = 'HLT'") == [("all",)]
    exact = "numerator % 5 <> 0 OR value % 5 <> 0 OR n_immature % 5 <> 0 OR n_missing_outcome % 5 <> 0"
    assert warehouse.rows(f"SELECT kpi_code FROM published.kpi WHERE {exact}") == []


def test_events_before_the_programme_count_only_in_all_years(warehouse):
    warehouse.deliver(SITE, "2016-12-31", *DATASETS)
    for number in range(7):
        warehouse.episode(SITE, f"E{number}", "2013-05-01")
    warehouse.build("published")
    code = "kpi_01_referrals"
    query = "SELECT cohort FROM published.kpi WHERE kpi_code = $1 AND site_code = $2 AND value IS NOT NULL"
    assert warehouse.rows(query, code, SITE) == [("all",)]
    assert figure(warehouse, code, "value") == (5,)


# Rows depend on treated counts alone


def _target(warehouse, target_id, metric, unit, value, **more):
    warehouse.add(
        "core.targets", programme_code="MHT", site_code="PMO", target_id=target_id, metric_code=metric, unit=unit,
        target_value=value, **more,
    )  # fmt: skip


def _published(warehouse, in_work, not_in_work, **job):
    for number, year in enumerate((None, "2014-15", "2015-16")):
        _target(warehouse, f"T{number}", "people_into_work", "people", 40, financial_year=year)
    _target(warehouse, "T9", "jobs", "jobs", 20, about_site_code=SITE, outcome_definition_code="JOB_START")
    return build_with_people(warehouse, in_work, not_in_work, **job).rows(ALL_ROWS)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((8, 15), (12, 13)),
        ((0, 0), (4, 0)),  # nobody, and four people in work
        *in_soak(((0, 0), (1, 3)), ((0, 20), (4, 18)), ((20, 0), (21, 1))),
    ],
)
def test_counts_that_round_alike_give_the_same_table(warehouse, another_warehouse, one, other):
    assert _published(warehouse, *one) == _published(another_warehouse, *other)


def test_another_definition_of_few_jobs_is_not_shown(warehouse, another_warehouse):
    for each_warehouse, code in ((warehouse, "JOB_START"), (another_warehouse, "WC_JO")):
        add_people(each_warehouse, 3, 0, OTHER, outcome_definition_code=code)
        each_warehouse.deliver(OTHER, "2016-12-31", *DATASETS)
    assert _published(warehouse, 9, 9) == _published(another_warehouse, 9, 9)
    query = "SELECT DISTINCT definition_code FROM outcomes.kpi WHERE kpi_code = $1 AND site_code = $2"
    assert another_warehouse.rows(query, TO_JOB, OTHER) == [("WC_JO",)]  # the exact mart shows it


def test_another_definition_of_enough_jobs_is_shown(warehouse):
    build_with_people(warehouse, 6, 6, outcome_definition_code="WC_JO")
    assert figure(warehouse, TO_JOB, "definition_code") == ("WC_JO",)
    assert figure(warehouse, TO_JOB, "definition_code", "all") == ("WC_JO",)


# For each row, `counted` gives two exact counts that round to the same published one; $other selects which.
SAME_ROUNDED_COUNT = """
    CREATE OR REPLACE TEMP MACRO counted(seed, name, other) AS (
        WITH first AS (SELECT hash(seed, name) % 60 AS n)
        SELECT if(n < 5, hash(seed, name, other) % 5, greatest(5, round(n / 5) * 5 - 2 + hash(seed, name, other) % 5))
        FROM first)"""
CHANGE_COUNTS = """
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
CHANGE_ATTAINMENT = (
    "UPDATE outcomes.target_attainment SET actual = counted(hash(target_id, $seed), 'a', $other), rate = $other"
)


@pytest.mark.parametrize("seed", range(iterations(everyday=1, soak=5)))
def test_exact_counts_and_values_derived_from_them_never_show(warehouse, seed):
    """Exact counts that round alike, and other exact rates, reasons and flags, change no published row."""
    _published(warehouse, 6, 9)
    warehouse.db.execute(SAME_ROUNDED_COUNT)
    sql = next(m for m in catalogue.marts() if m.address == "published.kpi").sql
    tables = []
    for other in (1, 2):
        for change in (CHANGE_COUNTS, CHANGE_ATTAINMENT):
            warehouse.db.execute(change, {"seed": seed, "other": other})
        tables.append(warehouse.rows(f"FROM ({sql}) ORDER BY ALL"))
    assert tables[0] == tables[1]
    empty = "rate_percent IS NULL AND value IS NULL"
    wrong = f"least(numerator, n_immature, n_missing_outcome, value) < 5 OR (reason IS NULL) = ({empty})"
    assert warehouse.rows(f"FROM ({sql}) WHERE {wrong}") == []
    assert len(warehouse.rows(f"FROM ({sql}) WHERE rate_percent IS NOT NULL")) > 100
