"""The funding marts on the real published figures in the programme office's files."""

from __future__ import annotations

from decimal import Decimal


def _award(warehouse, award_id, stage, amount, version=1, **more):
    warehouse.add(
        "core.funding_awards",
        **{
            "site_code": "PMO",
            "programme_code": "WC",
            "award_id": award_id,
            "award_stage": stage,
            "award_version": version,
            "amount": amount,
            "amount_status": "known" if amount is not None else "unknown",
        }
        | more,
    )


def _position(warehouse, programme, columns):
    return warehouse.one(f"SELECT {columns} FROM funding.programme_position WHERE programme_code = $1", programme)


def test_the_trailblazers_headline_is_announced_plus_match(office_files):
    office_files.build_funding()
    kinds = "cap_gbp, announced_gbp, awarded_gbp, match_pledged_gbp, match_evidenced_gbp, headline_gbp"
    assert _position(office_files, "MHT", kinds) == (7_000_000, 6_000_000, None, 6_000_000, None, 12_000_000)


def test_caps_are_never_added_to_announcements(office_files):
    office_files.build_funding()
    for mart in ("programme_position", "award_position", "reconciliation"):
        for row in office_files.rows(f"SELECT * FROM funding.{mart}"):
            assert Decimal(13_000_000) not in row and Decimal(19_000_000) not in row


def test_the_announced_three_million_is_in_no_headline(office_files):
    office_files.build_funding()
    assert _position(office_files, "PWW", "announced_gbp, headline_gbp, cap_gbp") == (3_000_000, None, None)


def test_an_unknown_amount_is_null_and_never_zero(office_files):
    office_files.build_funding()
    money = "cap_gbp, announced_gbp, awarded_gbp, current_gbp, match_pledged_gbp, headline_gbp"
    assert _position(office_files, "HLT", money) == (None,) * 6
    assert _position(office_files, "HLT", "n_awards, n_amounts_known, n_amounts_unknown") == (2, 0, 2)
    assert (
        office_files.rows("SELECT * FROM funding.award_position WHERE 0 IN (cap_gbp, announced_gbp, awarded_gbp)") == []
    )


def test_trailblazer_caps_and_announcements_by_site(office_files):
    office_files.build_funding()
    found = office_files.rows(
        "SELECT site_code, cap_gbp, announced_gbp, announced_minus_cap_gbp, current_gbp, cap_financial_year "
        "FROM funding.award_position WHERE programme_code = 'MHT' ORDER BY 1"
    )
    assert found == [
        ("MHT-BPL", 1_500_000, 1_100_000, -400_000, None, "2015-16"),
        ("MHT-GM", 2_600_000, 2_600_000, 0, None, "2015-16"),
        ("MHT-NECA", 1_700_000, 1_100_000, -600_000, None, "2015-16"),
        ("MHT-WLA", 1_200_000, 1_200_000, 0, None, "2015-16"),
    ]


def test_the_office_files_reconcile(office_files):
    office_files.build_funding()
    found = office_files.rows(
        "SELECT check_code, subject, difference_gbp, status FROM funding.reconciliation ORDER BY 1, 2"
    )
    assert found == [
        ("announced_within_cap", "MHT-BPL-2014", -400_000, "ambiguous"),
        ("announced_within_cap", "MHT-GM-2014", 0, "reconciles"),
        ("announced_within_cap", "MHT-NECA-2014", -600_000, "ambiguous"),
        ("announced_within_cap", "MHT-WLA-2014", 0, "reconciles"),
        ("control_total_announced", "MHT", 0, "reconciles"),
        ("control_total_announced", "PWW", 0, "reconciles"),
        ("control_total_caps", "MHT", 0, "reconciles"),
        ("control_total_headline", "MHT", 0, "reconciles"),
        ("control_total_match_pledged", "MHT", 0, "reconciles"),
    ]


def test_a_missing_total_is_ambiguous_and_a_wrong_one_a_breach(warehouse):
    _award(warehouse, "A", "announced", 5_900_000, programme_code="MHT")
    _award(warehouse, "B", "indicative_cap", 1_000_000, programme_code="MHT")
    _award(warehouse, "B", "announced", 1_200_000, programme_code="MHT")
    warehouse.build_funding()
    found = dict(warehouse.rows("SELECT check_code || ' ' || subject, status FROM funding.reconciliation"))
    assert found["control_total_announced MHT"] == "breach"
    assert found["control_total_match_pledged MHT"] == "ambiguous"
    assert found["announced_within_cap B"] == "breach"
    assert found["control_total_announced PWW"] == "ambiguous"


def test_the_latest_version_of_each_stage_counts(warehouse):
    _award(warehouse, "A", "awarded", 100_000)
    _award(warehouse, "A", "awarded", 120_000, version=2)
    _award(warehouse, "A", "varied", -20_000)
    _award(warehouse, "B", "awarded", None)
    _award(warehouse, "C", "awarded", 50_000)
    _award(warehouse, "D", "awarded", 70_000, supersedes_award_id="C")
    warehouse.build_funding()
    assert warehouse.rows(
        "SELECT award_id, awarded_gbp, varied_gbp, current_gbp, amount_status, is_replaced "
        "FROM funding.award_position ORDER BY 1"
    ) == [
        ("A", 120_000, -20_000, 100_000, "known", False),
        ("B", None, None, None, "unknown", False),
        ("C", 50_000, None, 50_000, "known", True),
        ("D", 70_000, None, 70_000, "known", False),
    ]
    assert _position(warehouse, "WC", "awarded_gbp, current_gbp, n_amounts_unknown") == (190_000, 170_000, 1)


def test_other_funders_grants_are_in_no_programme(warehouse):
    _award(warehouse, "360G-x-1", "awarded", 12_785_625, site_code="GRANTNAV", programme_code=None)
    warehouse.build_funding()
    assert warehouse.rows("SELECT * FROM funding.award_position") == []
    assert warehouse.rows("SELECT programme_code FROM funding.programme_position WHERE awarded_gbp IS NOT NULL") == []


def test_published_measures_keep_their_units_and_caveats(office_files):
    office_files.add(
        "core.published_measures",
        site_code="NHSE",
        organisation_code="RX3",
        measure_name="recovery",
        measure_statistic="count",
        value_status="suppressed",
        outcome_definition_code="NHS_EMP_DISCH",
    )
    office_files.build("outcomes.published_measures")
    assert office_files.one("SELECT count(*) FROM outcomes.published_measures") == office_files.one(
        "SELECT count(*) FROM core.published_measures"
    )
    value, comparability = office_files.one(
        "SELECT value, comparability FROM outcomes.published_measures WHERE sender_code = 'NHSE'"
    )
    assert value is None and "NHS_EMP_DISCH" in comparability and "not comparable across definitions" in comparability
    assert office_files.one(
        "SELECT unit FROM outcomes.published_measures WHERE programme_code = 'MWW' AND value = 421"
    ) == ("jobs",)


def test_one_code_of_two_organisation_types_is_two_published_measures(warehouse):
    for kind in ("CCG", "Provider"):
        warehouse.add(
            "core.published_measures", site_code="NHSE", organisation_type=kind, organisation_code="UNKNOWN",
            measure_name="recovery", measure_statistic="count", value=125, value_status="known",
        )  # fmt: skip
    warehouse.build("outcomes.published_measures")
    found = warehouse.rows("SELECT organisation_type, value FROM outcomes.published_measures ORDER BY 1")
    assert found == [("CCG", 125), ("Provider", 125)]
