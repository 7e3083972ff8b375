"""Budget lines add up to the year, and match of an area stands beside the programme's sum that it is part of."""

from __future__ import annotations

SITE = {"site_code": "MHT-BPL", "programme_code": "MHT", "award_id": "G"}


def test_the_lines_of_a_year_add_up_to_its_budget(warehouse):
    warehouse.add("core.funding_awards", **SITE, award_stage="awarded", award_version=1, amount=300)
    for category, amount in (("staff", 200), ("travel", 100)):
        warehouse.add("core.funding_profile", **SITE, profile_version=1, financial_year="2016-17", quarter="Q1",
                      cost_category=category, profile_amount=amount)  # fmt: skip
    for number, (kind, category, amount, to) in enumerate((
        ("carry_forward", None, 30, "2017-18"),
        ("carry_forward", "travel", 5, "2017-18"),
        ("virement_out", "staff", 20, "2016-17"),
        ("virement_in", "travel", 20, "2016-17"),
    )):  # fmt: skip
        warehouse.add("core.virements_carry_forward", **SITE, adjustment_id=f"A{number}", adjustment_type=kind,
                      cost_category=category, amount=amount, from_fy="2016-17", to_fy=to,
                      approved_date="2017-04-01")  # fmt: skip
    warehouse.build("funding.budget_lines", "funding.budget_years")
    lines = warehouse.rows("SELECT financial_year, cost_category, budget_gbp FROM funding.budget_lines ORDER BY ALL")
    assert lines == [
        ("2016-17", "not_stated", -30), ("2016-17", "staff", 180), ("2016-17", "travel", 115),
        ("2017-18", "not_stated", 30), ("2017-18", "travel", 5),
    ]  # fmt: skip
    years = dict(warehouse.rows("SELECT financial_year, budget_gbp FROM funding.budget_years"))
    assert years["2016-17"] == sum(budget for year, _, budget in lines if year == "2016-17") == 265


def test_a_part_of_the_programmes_match_has_columns_of_its_own(warehouse):
    def match(site, stage, amount, match_id):
        about = {"about_site_code": site} if site else {}
        warehouse.add("core.match_funding", site_code="PMO", programme_code="MHT", match_id=match_id, match_stage=stage,
                      amount=amount, match_source_type="nhs", match_kind="cash", **about)  # fmt: skip

    match(None, "pledged", 1000, "W")
    match("MHT-BPL", "pledged", 300, "A")
    match("MHT-BPL", "evidenced", 120, "E")
    warehouse.build("funding.match_position")
    columns = "site_code, pledged_gbp, part_pledged_gbp, evidenced_gbp, not_evidenced_gbp"
    assert warehouse.rows(f"SELECT {columns} FROM funding.match_position ORDER BY 1") == [
        ("MHT-BPL", None, 300, 120, 180), ("all", 1000, None, None, None)
    ]  # fmt: skip
