"""Every fact about people in the five articles that the registry began with is a row, with its source and wording.

Sums of money are in `tests/marts/funding/test_money_of_the_articles.py`.
"""

from __future__ import annotations

import pytest
from public_figure_rows import CONTRACTS, published_record

from schemas._contract.code_lists import code_list

PSE, PULSE, W2W = "Public Sector Executive", "Pulse", "W2W Solutions"
WMCA, CENTRE = "West Midlands Combined Authority", "Centre for Mental Health, 'Centre for Mental Health begins work"
ARTICLES = (PSE, PULSE, WMCA, CENTRE, W2W)
OF_IPS = {  # in the words of the article, or of its 'eight principles of IPS' where it does not spell one out
    "zero_exclusion": "no exclusions and no compulsion",
    "competitive_employment": "eight principles of IPS",
    "integrated_treatment": "providing health care ... alongside employment support",
    "client_preferences": "based on a person’s preference",
    "benefits_planning": "benefits advice alongside employment support",
    "rapid_job_search": "rapid job search",
    "systematic_job_development": "eight principles of IPS",
    "time_unlimited_support": "support for them and their employer as long as it's needed",
}
# source, its words, dataset, values of the row
FACTS: list[tuple[str, str, str, dict[str, str]]] = [
    # approaches
    (PSE, "key workers", "delivery_approaches", {"programme_code": "MHT", "delivery_approach": "key_worker"}),
    (PSE, "individual support packages", "delivery_approaches",
     {"programme_code": "MHT", "delivery_approach": "individual_support_package"}),
    (PSE, "bespoke action plans", "delivery_approaches", {"delivery_approach": "bespoke_action_plan"}),
    (PSE, "coordinate existing local support", "delivery_approaches", {"delivery_approach": "service_coordination"}),
    (PSE, "support for new employees", "delivery_approaches", {"delivery_approach": "in_work_support_new_employees"}),
    (PSE, "training employment advisers", "delivery_approaches", {"delivery_approach": "training_employment_advisers"}),
    (PSE, "GPs to recognise the importance of work", "delivery_approaches", {"delivery_approach": "training_gps"}),
    (WMCA, "integration of employment support and health", "delivery_approaches", {"about_site_code": "HLT-WMCA"}),
    *((CENTRE, words, "delivery_approaches", {"programme_code": programme, "ips_principle": principle})
      for programme in ("IPSIAPT", "MWW") for principle, words in OF_IPS.items()),
    *((CENTRE, "therapy alongside help from an", "delivery_approaches", {"about_site_code": f"IPSIAPT-{area}"})
      for area in ("DTV", "WLV", "SHT", "SSX")),
    *((CENTRE, words, "delivery_approaches", {"about_site_code": f"MWW-{area}", "delivery_approach": trained})
      for area in ("BRK", "LIN", "BRD")
      for trained, words in (("training_employment_specialists", "training for new employment specialists"),
                             ("training_clinical_teams", "and clinical teams"))),
    # people, as figures or as quantities in words
    (PULSE, "Nearly half of people on Employment and Support Allowance", "benchmarks",
     {"value": "50", "qualifier": "nearly"}),
    (CENTRE, "Only 7%", "benchmarks", {"value": "7", "population": "People using mental health services"}),
    (CENTRE, "more than half would like", "benchmarks", {"value": "50", "qualifier": "more than"}),
    (CENTRE, "at least 50% of people into jobs and to help sustain them", "benchmarks",
     {"value": "50", "qualifier": "at least"}),
    (CENTRE, "Only a quarter of people with depression", "benchmarks", {"value": "25", "qualifier": "only"}),
    (WMCA, "4.8 million people of working age", "benchmarks", {"value": "4800000"}),
    (W2W, "vast majority of people with mental health conditions work", "benchmarks",
     {"value": "", "value_status": "in_words", "qualifier": "the vast majority"}),
    (WMCA, "hundreds of residents", "benchmarks",
     {"value": "", "value_status": "in_words", "about_site_code": "HLT-WMCA"}),
    (WMCA, "around 5,000 individuals", "targets", {"target_value": "5000", "target_period": "2017 to 2020"}),
    (CENTRE, "340 people", "targets", {"target_value": "340", "unit": "people"}),
    # how long and when
    (CENTRE, "six-month pilot", "funding_awards", {"programme_code": "IPSIAPT", "planned_months": "6"}),
    (WMCA, "three-year programme", "funding_awards", {"programme_code": "HLT", "planned_months": "36"}),
    (WMCA, "from next spring", "published_statements", {"statement_type": "plan", "reference_period": "spring 2017"}),
    # what is said in words
    (WMCA, "announced today in ‘Improving Lives", "published_statements",
     {"programme_code": "HLT", "statement": "Improving Lives: The Work, Health and Disability Green Paper"}),
    (WMCA, "reduce demand for health and social care", "published_statements", {"about_site_code": "HLT-WMCA"}),
    (WMCA, "employment is high on the list", "published_statements", {"statement_type": "claim"}),
    (WMCA, "the right work can be good for health", "published_statements", {"programme_code": ""}),
    (PSE, "leading cause of illness in the workplace", "published_statements", {"statement_type": "claim"}),
    (PSE, "not getting the support they need", "published_statements", {"statement_type": "claim"}),
    (PSE, "“ineffective” and “damaging”", "published_statements", {"statement_type": "criticism"}),
    (PSE, "a specialist programme", "published_statements", {"stated_by": "Mind"}),
    (CENTRE, "a major recommendation of RAND", "published_statements",
     {"statement_type": "recommendation", "programme_code": "IPSIAPT"}),
    (CENTRE, "before it can be tested out more widely", "published_statements", {"programme_code": "IPSIAPT"}),
    (CENTRE, "postcode lottery", "published_statements", {"statement_type": "claim"}),
    (CENTRE, "seldom had access", "published_statements", {"statement_type": "claim"}),
    (W2W, "launched on 7 December", "published_statements",
     {"statement": "Working our way to better mental health: a framework for action"}),
    *((W2W, title, "published_statements", {"statement_type": "policy_document"})
      for title in ("Realising Ambitions", "Work, Recovery and Inclusion", "New Horizons")),
    (W2W, "introduction of Work Choice", "published_statements", {"programme_code": "WC"}),
    (W2W, "review of Access to Work", "published_statements", {"programme_code": "ATW"}),
    (W2W, "review of Access to Work", "delivery_approaches", {"programme_code": "ATW"}),
    (W2W, "helping employers understand", "published_statements", {"statement_type": "plan"}),
    (W2W, "increase in ex IB clients", "published_statements", {"statement_type": "claim"}),
    (W2W, "focus on sustainability", "published_statements", {"statement_type": "claim"}),
    (W2W, "even harder for them to get back into work", "published_statements", {"statement_type": "claim"}),
]  # fmt: skip


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: f"{fact[1]}, {' '.join(fact[3].values())}")
def test_a_fact_of_the_articles_is_one_row(fact: tuple[str, str, str, dict[str, str]]) -> None:
    source, words, dataset, values = fact
    found = [
        r
        for r in published_record(dataset)
        if values.items() <= r.items() and r["source_document"].startswith(source) and words in r["source_wording"]
    ]
    assert len(found) == 1


def test_every_row_of_the_articles_is_listed() -> None:
    """A row that is added here or there without the other shows."""
    listed = [(source, words, dataset, values) for source, words, dataset, values in FACTS]
    for dataset in ("delivery_approaches", "published_statements", "targets"):
        for row in published_record(dataset):
            if row["source_document"].startswith(ARTICLES) and row.get("delivery_approach") != "ips":
                assert any(
                    d == dataset and row["source_document"].startswith(s) and w in row["source_wording"]
                    for s, w, d, _ in listed
                ), row


def test_every_row_of_the_articles_has_their_words() -> None:
    without = [
        (dataset, row)
        for dataset in CONTRACTS
        for row in published_record(dataset)
        if row["source_document"].startswith(ARTICLES) and not row["source_wording"]
    ]
    assert [(d, r["measure_name"], r["value_status"]) for d, r in without] == [
        ("published_measures", "people_into_work", "null_as_published")  # a result that no article prints
    ]


@pytest.mark.parametrize("programme", ["IPSIAPT", "MWW"])
def test_both_programmes_of_2014_have_each_of_the_eight_principles_once(programme: str) -> None:
    rows = [r for r in published_record("delivery_approaches") if r["programme_code"] == programme]
    principles = [r["ips_principle"] for r in rows if r["ips_principle"]]
    assert sorted(principles) == sorted(OF_IPS) == sorted(code_list("ips_principle").codes)
    not_spelt_out = {
        r["ips_principle"] for r in rows if r["ips_principle"] and "eight principles" in r["source_wording"]
    }
    assert not_spelt_out == {"competitive_employment", "systematic_job_development"}
    assert all("Bond and others" in r["caveat"] for r in rows if r["ips_principle"] in not_spelt_out)


def test_nearly_half_and_46_per_cent_have_a_source_each() -> None:
    about_esa = {
        r["benchmark_id"]: r
        for r in published_record("benchmarks")
        if r["population"] == "People on Employment and Support Allowance"
    }
    in_words, in_figures = about_esa["ESA-NEARLY-HALF"], about_esa["ESA-MENTAL-HEALTH"]
    assert (in_words["qualifier"], in_words["source_document"][:5]) == ("nearly", PULSE)
    assert (in_figures["value"], in_figures["qualifier"], in_figures["source_document"][:8]) == ("46", "", "fulhamsw")
    assert in_words["benchmark_id"] in in_figures["caveat"] and in_figures["benchmark_id"] in in_words["caveat"]


@pytest.mark.parametrize(
    ("in_words", "in_figures"), [("MAJORITY-WORK", "EMPLOYED-7"), ("HLT-HUNDREDS", "HLT-WMCA-REACH")]
)
def test_a_quantity_in_words_names_the_figure_beside_it(in_words: str, in_figures: str) -> None:
    rows = {r["benchmark_id"]: r for r in published_record("benchmarks")}
    rows |= {r["target_id"]: r for r in published_record("targets")}
    assert in_figures in rows[in_words]["caveat"] and in_words in rows[in_figures]["caveat"]


def test_people_formerly_on_incapacity_benefit_are_a_group_of_their_own() -> None:
    """Not a benefit at the start: those who left Incapacity Benefit claim another one, or none."""
    groups = code_list("priority_group")
    assert "former_incapacity_benefit" in groups.codes and "ib" in code_list("benefit_at_start").codes
    (row,) = (r for r in published_record("published_statements") if r["statement_id"] == "EX-INCAPACITY-BENEFIT")
    assert "former_incapacity_benefit" in row["caveat"]


@pytest.mark.parametrize("programme", ["WC", "ATW"])
def test_published_totals_of_work_choice_and_access_to_work(programme: str) -> None:
    """Programme, area, period, measure, value, rounding, release and revision have a column each."""
    rows = [r for r in published_record("published_measures") if r["programme_code"] == programme]
    assert {r["organisation_code"] for r in rows} == {{"WC": "WC", "ATW": "ATW-GB"}[programme]}
    counts = [r for r in rows if r["measure_statistic"] == "count" and r["value"]]
    assert len(counts) >= 6
    assert all(int(r["value"]) % int(r["rounded_to"]) == 0 for r in counts)
    assert all(r["start_date"] < r["end_date"] and r["measure_name"] and r["unit"] for r in counts)
    assert {r["revision"] for r in rows} == {"0", ""}
    assert all(r["end_date"] < r["release_date"] for r in rows if r["release_date"] and r["end_date"])


def test_access_to_work_by_year_and_for_people_with_a_mental_health_condition() -> None:
    helped = {
        (r["reporting_period"], r["breakdown"]): int(r["value"])
        for r in published_record("published_measures")
        if (r["programme_code"], r["measure_name"]) == ("ATW", "people_helped")
    }
    assert helped[("2009-10", "All")] == 37_270 and helped[("2013-14", "All")] == 35_540
    with_condition = {year: n for (year, group), n in helped.items() if group == "Mental health condition"}
    assert with_condition == {"2012-13": 910, "2013-14": 1_410}
    assert all(n < helped[(year, "All")] for year, n in with_condition.items())
