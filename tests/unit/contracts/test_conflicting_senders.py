"""Rules between several senders' records of one award or contribution. The first row is row 2."""

from __future__ import annotations

import polars as pl
import pytest
from public_figure_rows import CONTRACTS, VALID_ROWS, Row, broken_rows, frame

GRANT: Row = {"award_id": "360G-abc-1", "award_stage": "announced", "amount": "2600000", "about_site_code": None}
PLEDGE: Row = {"match_stage": "pledged", "amount": "1100000", "about_site_code": "MHT-BPL"}
WHOLE_PLEDGE: Row = {"match_id": "M-0", "match_stage": "pledged", "amount": "6000000"}
CAP: Row = {"award_stage": "indicative_cap"}
PLEDGED_BY_GM: Row = {"sender": "MHT-GM", "match_id": "G-1", "about_site_code": None}
SENDER_CASES: list[tuple[str, str, list[Row], list[int]]] = [
    # M29: one identifier with different amounts: both senders' rows are found
    ("funding_awards", "M29", [GRANT, GRANT | {"sender": "GRANTNAV", "amount": "2500000"}], [2, 3]),
    ("funding_awards", "M29", [GRANT, GRANT | {"sender": "MHT-GM", "amount": "2600000.50"}], []),
    ("funding_awards", "M29", [GRANT, GRANT | {"sender": "MHT-GM", "award_version": 2, "amount": "2500000"}], []),
    ("funding_awards", "M29", [GRANT, GRANT | {"sender": "MHT-GM", "amount": None, "amount_status": "unknown"}], []),
    ("funding_awards", "M29", [{}, {"sender": "MHT-BPL", "amount": "1000000"}], [2, 3]),  # same reference, site
    ("funding_awards", "M29", [{}, {"sender": "MHT-GM", "about_site_code": None, "amount": "1000000"}], []),
    # M30: the same amount under different identifiers
    ("funding_awards", "M30", [GRANT, GRANT | {"sender": "MHT-GM", "award_id": "360G-abc-2"}], []),  # no area given
    ("funding_awards", "M30", [{}, {"sender": "MHT-BPL", "award_id": "A-2", "about_site_code": None}], [2, 3]),
    ("funding_awards", "M30", [{}, {"award_id": "A-2", "funding_org_name": "a Department "}], [2, 3]),
    ("funding_awards", "M30", [{}, {"award_id": "A-2", "amount": "1100001"}], []),
    ("funding_awards", "M30", [{}, {"award_id": "A-2", "award_stage": "announced"}], []),
    ("funding_awards", "M30", [{}, {"award_id": "A-2", "funding_org_name": "Another department"}], []),
    ("funding_awards", "M30", [{}, {"award_id": "A-2", "about_site_code": "MHT-GM"}], []),
    ("funding_awards", "M30", [{}, {"award_id": "A-2", "programme_code": "HLT"}], []),
    ("funding_awards", "M30", [{}, {"award_id": "A-2", "supersedes_award_id": "A-1"}], []),
    ("funding_awards", "M30", [{"financial_year": "2015-16"}, {"award_id": "A-2", "financial_year": "2016-17"}], []),
    ("funding_awards", "M30", [{"programme_code": None}, {"programme_code": None, "award_id": "A-2"}], []),
    # M31: awarded above the cap
    ("funding_awards", "M31", [CAP, {"amount": "1100001"}], []),
    ("funding_awards", "M31", [CAP, {"amount": "1100002"}], [3]),
    ("funding_awards", "M31", [CAP, {"award_stage": "announced", "amount": "2000000"}], [3]),
    ("funding_awards", "M31", [CAP, {"award_stage": "applied_for", "amount": "2000000"}], []),
    ("funding_awards", "M31", [CAP, {"award_stage": "prospective", "amount": "2000000"}], []),
    (
        "funding_awards",
        "M31",
        [CAP, {"amount": "1050000"}, {"award_stage": "varied", "amount": "60000"}],
        [4],
    ),
    ("funding_awards", "M31", [CAP, {"sender": "MHT-BPL", "amount": "1200000"}], [3]),
    ("funding_awards", "M31", [CAP, {"award_id": "A-2", "amount": "1200000"}], []),
    # M33: one award in two programmes
    ("funding_awards", "M33", [GRANT, GRANT | {"sender": "HLT-SCR", "programme_code": "HLT"}], [3]),
    ("funding_awards", "M33", [GRANT, GRANT | {"sender": "GRANTNAV", "programme_code": None}], []),
    # match funding
    ("match_funding", "M29", [PLEDGE, PLEDGE | {"sender": "MHT-BPL", "amount": "1000000"}], [2, 3]),
    ("match_funding", "M29", [PLEDGE, PLEDGE | {"sender": "MHT-BPL", "about_site_code": None}], []),
    ("match_funding", "M30", [PLEDGE, PLEDGE | {"sender": "MHT-BPL", "match_id": "B-1"}], [2, 3]),
    ("match_funding", "M30", [PLEDGE, PLEDGE | {"match_id": "M-2", "match_source_type": "esf"}], []),
    ("match_funding", "M30", [{"evidence_ref": "E-1"}, {"match_id": "M-2", "evidence_ref": "E-2"}], []),
    ("match_funding", "M32", [WHOLE_PLEDGE, PLEDGE | {"amount": "6000000"}], []),
    ("match_funding", "M32", [WHOLE_PLEDGE, PLEDGE | {"amount": "5000000"}, PLEDGE | PLEDGED_BY_GM], [3, 4]),
    ("match_funding", "M03", [WHOLE_PLEDGE, PLEDGE], []),  # a site's part of the pledge is not added to the whole
]  # fmt: skip


@pytest.mark.parametrize(("name", "rule_id", "rows", "broken"), SENDER_CASES)
def test_a_rule_between_senders_finds_the_rows_that_break_it(
    name: str, rule_id: str, rows: list[Row], broken: list[int]
) -> None:
    contract = CONTRACTS[name]
    senders = [str(r.get("sender", "PMO")) for r in rows]
    data = frame(contract, [VALID_ROWS[name] | r for r in rows]).with_columns(
        pl.Series("site_code", senders), pl.Series("delivery_id", senders)
    )
    rules = [r for r in contract.cross_check_rules if r.rule_id == rule_id]
    assert rules and sorted({row for r in rules for row in broken_rows(r, {name: data})}) == broken


def test_a_second_version_of_an_award_replaces_the_first_in_the_total() -> None:
    (rule,) = (r for r in CONTRACTS["funding_awards"].cross_check_rules if r.rule_id == "M03")
    announced = VALID_ROWS["funding_awards"] | {"award_stage": "announced", "amount": "6000000"}
    data = frame(CONTRACTS["funding_awards"], [announced | {"amount": "5000000"}, announced | {"award_version": 2}])
    assert broken_rows(rule, {"funding_awards": data}) == []
