"""An award or match contribution counts once, however many senders send it; every record stays visible."""

from __future__ import annotations

from decimal import Decimal

import pytest


def _award(warehouse, sender, award_id, stage, amount, version=1, programme="MHT", **more):
    warehouse.add(
        "core.funding_awards",
        site_code=sender,
        award_id=award_id,
        award_stage=stage,
        award_version=version,
        programme_code=programme,
        amount=amount,
        amount_status="unknown" if amount is None else "known",
        **more,
    )


def _match(warehouse, sender, match_id, stage, amount, site=None, **more):
    warehouse.add(
        "core.match_funding",
        site_code=sender,
        match_id=match_id,
        programme_code="MHT",
        about_site_code=site,
        match_stage=stage,
        amount=amount,
        amount_status="unknown" if amount is None else "known",
        **more,
    )


def _position(warehouse, columns, programme="MHT"):
    return warehouse.one(f"SELECT {columns} FROM funding.programme_position WHERE programme_code = $1", programme)


def _checks(warehouse, like):
    return warehouse.rows(
        "SELECT subject, expected_gbp, actual_gbp, status, note FROM funding.reconciliation WHERE check_code LIKE $1",
        like,
    )


@pytest.fixture
def announced(warehouse):
    """The four announcements that add up to 6.0m, under 360Giving identifiers."""
    for area, amount in (("BPL", 1_100_000), ("GM", 2_600_000), ("NECA", 1_100_000), ("WLA", 1_200_000)):
        _award(warehouse, "PMO", f"360G-dclg-{area}", "announced", amount, about_site_code=f"MHT-{area}")
    return warehouse


@pytest.mark.parametrize(
    "again",
    [
        {"sender": "MHT-GM", "programme": "MHT", "about_site_code": "MHT-GM"},
        {"sender": "GRANTNAV", "programme": None},
        {"sender": "GRANTNAV", "programme": "HLT"},
        {"sender": "MHT-BPL", "programme": "MHT"},
    ],
)
def test_a_360giving_identifier_is_one_award_for_all_senders(announced, again):
    _award(announced, award_id="360G-dclg-GM", stage="announced", amount=2_600_000, **again)
    announced.build_funding()
    assert _position(announced, "announced_gbp, n_awards, n_amounts_known") == (6_000_000, 4, 4)
    assert _position(announced, "announced_gbp, n_awards", "HLT") == (None, 0)
    assert announced.rows("SELECT senders FROM funding.award_stages WHERE award_id = '360G-dclg-GM'") == [
        (", ".join(sorted(["PMO", again["sender"]])),)
    ]
    records = (
        "SELECT sender_code, is_counted, standing_sender_code FROM funding.award_records WHERE award_id LIKE '%GM'"
    )
    assert sorted(announced.rows(records)) == sorted([("PMO", True, "PMO"), (again["sender"], False, "PMO")])
    assert _checks(announced, "one_amount%") == []


def test_different_amounts_of_one_award_are_a_breach_with_both_amounts(announced):
    _award(announced, "MHT-GM", "360G-dclg-GM", "announced", 2_500_000)
    announced.build_funding()
    assert _position(announced, "announced_gbp") == (6_000_000,)
    ((subject, expected, actual, status, note),) = _checks(announced, "one_amount_announced")
    assert (subject, expected, actual, status) == ("360G-dclg-GM", 2_600_000, 2_500_000, "breach")
    assert "MHT-GM: 2500000.00" in note and "PMO: 2600000.00" in note and "That of PMO counts" in note


def test_a_known_amount_counts_before_an_unknown_one(warehouse):
    _award(warehouse, "PMO", "360G-a-1", "awarded", None)
    _award(warehouse, "GRANTNAV", "360G-a-1", "awarded", 50_000, programme=None)
    warehouse.build_funding()
    assert _position(warehouse, "awarded_gbp, n_awards, n_amounts_unknown") == (50_000, 1, 0)


def test_stages_of_one_award_from_several_senders_are_combined(warehouse):
    _award(warehouse, "PMO", "360G-a-1", "indicative_cap", 100_000)
    _award(warehouse, "GRANTNAV", "360G-a-1", "awarded", 90_000, programme=None)
    _award(warehouse, "MHT-GM", "360G-a-1", "varied", 5_000)
    _award(warehouse, "GRANTNAV", "360G-other", "awarded", 70_000, programme=None)  # a comparator
    warehouse.build_funding()
    position = warehouse.one(
        "SELECT award_id, cap_gbp, awarded_gbp, varied_gbp, current_gbp FROM funding.award_position"
    )
    assert position == ("360G-a-1", 100_000, 90_000, 5_000, 95_000)


def test_a_local_reference_is_one_award_within_one_site_only(warehouse):
    for sender, site, amount in (
        ("PMO", "MHT-GM", 2_600_000),
        ("MHT-GM", None, 2_600_000),  # of its own site, because it states none
        ("MHT-BPL", "MHT-BPL", 1_100_000),  # an unrelated award with the same reference
    ):
        _award(warehouse, sender, "A-1", "announced", amount, about_site_code=site)
        _award(warehouse, sender, "A-1", "indicative_cap", amount, about_site_code=site)
    warehouse.build_funding()
    assert _position(warehouse, "announced_gbp, cap_gbp, n_awards") == (3_700_000, 3_700_000, 2)
    assert sorted(r[0] for r in _checks(warehouse, "announced_within_cap")) == ["A-1 of MHT-BPL", "A-1 of MHT-GM"]


def test_variations_of_an_award_add_up(warehouse):
    _award(warehouse, "PMO", "A", "awarded", 2_600_000)
    _award(warehouse, "PMO", "A", "varied", 100_000)
    _award(warehouse, "PMO", "A", "varied", 50_000, version=2)
    _award(warehouse, "PMO", "B", "awarded", 1_000_000)
    _award(warehouse, "PMO", "B", "varied", -100_000)
    _award(warehouse, "PMO", "B", "varied", None, version=2)
    warehouse.build_funding()
    found = "SELECT award_id, varied_gbp, current_gbp, amount_status FROM funding.award_position ORDER BY award_id"
    assert warehouse.rows(found) == [("A", 150_000, 2_750_000, "known"), ("B", None, None, "unknown")]


def test_a_variation_sent_by_two_counts_once(warehouse):
    _award(warehouse, "PMO", "360G-a-1", "awarded", 2_600_000)
    for sender in ("PMO", "MHT-GM"):
        _award(warehouse, sender, "360G-a-1", "varied", 100_000)
    _award(warehouse, "MHT-GM", "360G-a-1", "varied", 50_000, version=2)
    warehouse.build_funding()
    assert _position(warehouse, "current_gbp") == (2_750_000,)


@pytest.mark.parametrize(
    ("changes", "current", "status"),
    [
        ([("awarded", 1_200_000)], 1_200_000, "breach"),
        ([("awarded", 1_100_000)], 1_100_000, "reconciles"),
        ([("awarded", 900_000)], 900_000, "reconciles"),
        ([("awarded", 1_000_000), ("varied", 150_000)], 1_150_000, "breach"),
        ([("awarded", 1_200_000), ("closed", 1_050_000)], 1_050_000, "reconciles"),
        ([("awarded", None)], None, "ambiguous"),
    ],
)
def test_an_award_is_reconciled_with_its_cap(warehouse, changes, current, status):
    _award(warehouse, "PMO", "A", "indicative_cap", 1_100_000)
    for stage, amount in changes:
        _award(warehouse, "PMO", "A", stage, amount)
    warehouse.build_funding()
    ((subject, expected, actual, found, _),) = _checks(warehouse, "awarded_within_cap")
    assert (subject, expected, actual, found) == ("A", 1_100_000, current, status)


def test_an_award_under_a_second_identifier_counts(announced):
    _award(announced, "MHT-GM", "360G-dclg-GM-2", "announced", 2_600_000, about_site_code="MHT-GM")
    announced.build_funding()  # M30 warns that it may be the same award
    assert _position(announced, "announced_gbp") == (8_600_000,)


def test_an_award_may_be_superseded_by_another_senders(warehouse):
    _award(warehouse, "PMO", "360G-a-1", "awarded", 50_000)
    _award(warehouse, "MHT-GM", "360G-a-2", "awarded", 70_000, supersedes_award_id="360G-a-1")
    warehouse.build_funding()
    assert _position(warehouse, "awarded_gbp, current_gbp") == (70_000, 70_000)


# Match


@pytest.mark.parametrize("stage", ["pledged", "confirmed"])
def test_a_sites_part_of_the_match_is_not_added_to_the_whole(warehouse, stage):
    _match(warehouse, "PMO", "WHOLE", stage, 6_000_000)
    _match(warehouse, "PMO", "P-1", stage, 1_100_000, "MHT-NECA")
    _match(warehouse, "MHT-BPL", "B-1", stage, 1_100_000)
    _match(warehouse, "MHT-GM", "G-1", stage, 2_600_000, "MHT-GM", award_id="360G-dclg-GM")
    warehouse.build_funding()
    assert _position(warehouse, f"match_{stage}_gbp, n_amounts_known") == (6_000_000, 1)
    assert warehouse.rows("SELECT sum(amount_gbp) FROM funding.match_records WHERE is_part") == [(Decimal(4_800_000),)]
    assert _checks(warehouse, "parts%")[0][1:4] == (6_000_000, 4_800_000, "reconciles")


def test_parts_that_exceed_the_whole_are_a_breach_and_do_not_count(warehouse):
    _match(warehouse, "PMO", "WHOLE", "pledged", 6_000_000)
    for site in ("MHT-GM", "MHT-WLA"):
        _match(warehouse, site, "P", "pledged", 3_500_000, site)
    warehouse.build_funding()
    assert _position(warehouse, "match_pledged_gbp") == (6_000_000,)
    assert _checks(warehouse, "parts%")[0][:4] == ("MHT", 6_000_000, 7_000_000, "breach")


def test_parts_count_where_no_whole_is_known(warehouse):
    _match(warehouse, "PMO", "WHOLE", "pledged", None)
    for site, amount in (("MHT-GM", 2_600_000), ("MHT-BPL", 1_100_000)):
        _match(warehouse, site, "P", "pledged", amount)
    warehouse.build_funding()
    assert _position(warehouse, "match_pledged_gbp, n_amounts_known, n_amounts_unknown") == (3_700_000, 2, 1)


def test_evidenced_match_adds_up_and_one_contribution_counts_once(warehouse):
    _match(warehouse, "PMO", "WHOLE", "evidenced", 100_000, evidence_ref="E-1")
    _match(warehouse, "PMO", "P", "evidenced", 40_000, "MHT-GM", evidence_ref="E-2")
    _match(warehouse, "MHT-GM", "P", "evidenced", 30_000, evidence_ref="E-2")
    warehouse.build_funding()
    assert _position(warehouse, "match_evidenced_gbp") == (140_000,)
    ((subject, expected, actual, status, note),) = _checks(warehouse, "one_amount_of_match%")
    assert (subject, expected, actual, status) == ("P", 40_000, 30_000, "breach")
    assert "MHT-GM: 30000.00" in note and "PMO: 40000.00" in note
