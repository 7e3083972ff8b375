"""Every sum of money in the five articles that the registry began with is a row, with its source and wording."""

from __future__ import annotations

from datetime import date

import pytest

PSE, PULSE, WMCA, CENTRE = "Public Sector Executive", "Pulse", "West Midlands Combined", "Centre for Mental Health"
JULY_2014, JULY_2016 = date(2014, 7, 1), date(2016, 7, 1)
ARTICLE_OF_PSE, ARTICLE_OF_WMCA, ARTICLE_OF_CENTRE = date(2014, 12, 15), date(2016, 10, 31), date(2014, 10, 3)
GROWTH_DEALS = "as part of the Growth Deals agreements in July"
TWO_PROJECTS = "two major Department of Health funded projects"

# award, stage, amount, day, month, source, its day, words of the source
AWARDS = [
    ("MHT-BPL-2014", "indicative_cap", 1_500_000, None, JULY_2014, PSE, ARTICLE_OF_PSE, [GROWTH_DEALS, "was £1.5m"]),
    ("MHT-GM-2014", "indicative_cap", 2_600_000, None, JULY_2014, PSE, ARTICLE_OF_PSE, [GROWTH_DEALS, "up to £2.6m"]),
    ("MHT-NECA-2014", "indicative_cap", 1_700_000, None, JULY_2014, PSE, ARTICLE_OF_PSE, [GROWTH_DEALS, "up to £1.7m"]),
    ("MHT-WLA-2014", "indicative_cap", 1_200_000, None, JULY_2014, PSE, ARTICLE_OF_PSE, [GROWTH_DEALS, "up to £1.2m"]),
    ("MHT-BPL-2014", "announced", 1_100_000, None, None, PSE, ARTICLE_OF_PSE, ["an additional £1.1m"]),
    ("MHT-GM-2014", "announced", 2_600_000, None, None, PSE, ARTICLE_OF_PSE, ["a further £2.6m"]),
    ("MHT-NECA-2014", "announced", 1_100_000, None, None, PSE, ARTICLE_OF_PSE, ["a further £1.1m"]),
    ("MHT-WLA-2014", "announced", 1_200_000, None, None, PSE, ARTICLE_OF_PSE, ["will get £1.2m"]),
    ("PWW-DWP-DH-3M", "announced", 3_000_000, None, None, PULSE, None, ["follows £3m invested by"]),
    ("HLT-WMCA-DESIGN", "applied_for", None, None, JULY_2016, WMCA, ARTICLE_OF_WMCA, ["a successful bid", "in July"]),
    ("HLT-WMCA-DESIGN", "announced", None, ARTICLE_OF_WMCA, None, WMCA, ARTICLE_OF_WMCA,
     ["go-ahead to design", "initial funding"]),
    ("HLT-SCR-DESIGN", "announced", None, ARTICLE_OF_WMCA, None, WMCA, ARTICLE_OF_WMCA, ["one of two areas"]),
    ("HLT-WMCA-DELIVERY", "prospective", None, ARTICLE_OF_WMCA, None, WMCA, ARTICLE_OF_WMCA,
     ["potentially worth millions of pounds", "subsequently wins Government approval", "further funding to deliver"]),
    ("MWW-DH-2014", "awarded", None, None, None, CENTRE, ARTICLE_OF_CENTRE, [TWO_PROJECTS]),
    ("IPSIAPT-DH-2014", "awarded", None, None, None, CENTRE, ARTICLE_OF_CENTRE, [TWO_PROJECTS]),
]  # fmt: skip
# table, condition, amount, source, words
OTHER_SUMS = [
    ("match_funding", "amount", "match_id = 'MHT-MATCH-PLEDGE'", 6_000_000, PSE, "£6m match-funding from pilot areas"),
    ("published_measures", "value", "measure_name = 'headline_investment'", 12_000_000, PSE, "a further £12m"),
    ("published_measures", "value", "measure_name = 'headline_from_department'", 6_000_000, PSE, "£6m from the Depart"),
    ("published_measures", "value", "measure_name = 'programme_value'", 12_000_000, PULSE, "£12m research programme"),
    ("benchmarks", "value", "benchmark_id = 'COST-105BN-AS-QUOTED'", 105e9, PULSE, "taxpayers and businesses £105bn"),
    ("benchmarks", "value", "benchmark_id = 'TALKING-THERAPIES-450M'", 450e6, CENTRE, "over £450 million"),
]


@pytest.mark.parametrize("item", AWARDS, ids=lambda item: f"{item[0]}-{item[1]}")
def test_a_sum_that_was_announced_or_promised(office_files, item):
    award, stage, amount, day, month, source, source_date, words = item
    *found, document, wording, note = office_files.one(
        "SELECT amount, amount_status, award_date, award_month, source_date, source_document, source_wording,"
        " reconciliation_note FROM core.funding_awards WHERE award_id = $1 AND award_stage = $2",
        award,
        stage,
    )
    assert found == [amount, "known" if amount else "not_published", day, month, source_date]
    assert document.startswith(source) and note
    assert all(some in wording for some in words)


@pytest.mark.parametrize("item", OTHER_SUMS, ids=lambda item: item[2])
def test_any_other_sum(office_files, item):
    table, column, condition, amount, source, words = item
    found, document, wording = office_files.one(
        f"SELECT {column}, source_document, source_wording FROM core.{table} WHERE {condition}"
    )
    assert found == amount and document.startswith(source) and words in wording


def test_no_other_row_is_potentially_worth_millions(office_files):
    """The words are about the further money, which depends on an approval, and not about the award for the design."""
    rows = office_files.rows("SELECT award_id FROM core.funding_awards WHERE source_wording LIKE '%worth millions%'")
    assert rows == [("HLT-WMCA-DELIVERY",)]


def test_a_bid_and_what_depends_on_an_approval_are_in_no_total(office_files):
    office_files.build_funding()
    promised = office_files.rows(
        "SELECT award_id, latest_stage, is_promised FROM funding.award_position WHERE programme_code = 'HLT' ORDER BY 1"
    )
    assert promised == [
        ("HLT-SCR-DESIGN", "announced", True),
        ("HLT-WMCA-DELIVERY", "prospective", False),
        ("HLT-WMCA-DESIGN", "announced", True),
    ]
    of_trials = "SELECT n_awards, n_amounts_unknown FROM funding.programme_position WHERE programme_code = 'HLT'"
    assert office_files.one(of_trials) == (2, 2)


def test_a_prospect_with_an_amount_enters_no_column_of_the_programme(warehouse):
    for stage, amount in (("applied_for", 500_000), ("prospective", 9_000_000), ("announced", 400_000)):
        warehouse.add(
            "core.funding_awards", site_code="PMO", programme_code="HLT", award_id=stage, award_stage=stage,
            award_version=1, amount=amount, amount_status="known",
        )  # fmt: skip
    warehouse.build_funding()
    position = "SELECT * EXCLUDE (programme_name) FROM funding.programme_position WHERE programme_code = 'HLT'"
    amounts = [value for value in warehouse.one(position)[1:] if value is not None]
    assert amounts == [400_000, 1, 1, 0]  # announced; one award, one amount known, none unknown
    by_award = "SELECT applied_for_gbp, prospective_gbp, announced_gbp FROM funding.award_position ORDER BY award_id"
    assert warehouse.rows(by_award) == [(None, None, 400_000), (500_000, None, None), (None, 9_000_000, None)]


def test_the_three_millions_two_funders_are_apart_and_no_pound_is_counted_twice(office_files):
    office_files.build_funding()
    columns = "funding_org_name, funder_gbp, funder_amount_status, award_gbp, n_funders"
    found = office_files.rows(
        f"SELECT {columns} FROM funding.award_funders WHERE programme_code = 'PWW' ORDER BY funder_no"
    )
    assert found == [
        ("Department for Work and Pensions", None, "not_published", 3_000_000, 2),
        ("Department of Health", None, "not_published", 3_000_000, 2),
    ]
    words = office_files.rows("SELECT DISTINCT source_wording FROM funding.award_funders WHERE programme_code = 'PWW'")
    assert len(words) == 1 and "Department for Work and Pensions and the Department of Health" in words[0][0]
    check = "SELECT actual_gbp, status FROM funding.reconciliation WHERE subject = 'PWW'"
    assert office_files.rows(check) == [(3_000_000, "reconciles")]
    of_one = "SELECT sum(funder_gbp) FROM funding.award_funders WHERE award_stage = 'announced'"
    assert office_files.one(of_one) == (6_000_000,)  # the Trailblazers' sums have one funder each


def test_a_month_in_a_mart_is_that_of_the_day_where_the_day_is_known(office_files):
    office_files.build_funding()
    dates = office_files.rows(
        "SELECT DISTINCT award_date, award_month FROM funding.award_stages"
        " WHERE programme_code IN ('HLT', 'MHT') AND award_month IS NOT NULL ORDER BY 2"
    )
    assert dates == [(None, JULY_2014), (None, JULY_2016), (ARTICLE_OF_WMCA, date(2016, 10, 1))]
