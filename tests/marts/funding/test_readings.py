"""The readings of the Trailblazers' sums: none is chosen, and every sum is computed from the records."""

from __future__ import annotations

from schemas._contract import registry


def _rows(warehouse, columns, reading):
    return warehouse.rows(
        f"SELECT {columns} FROM funding.readings WHERE programme_code = 'MHT' AND reading_code = $1"
        " ORDER BY site_code NULLS FIRST",
        reading,
    )


def test_all_readings_are_there_with_their_sums_and_bounds(office_files):
    office_files.build_funding()
    columns = "site_code, government_gbp, match_gbp, total_gbp, government_qualifier, match_qualifier, match_basis"
    assert _rows(office_files, columns, "replaces") == [
        (None, 6_000_000, 6_000_000, 12_000_000, None, None, "pledged"),
        ("MHT-BPL", 1_100_000, 1_100_000, 2_200_000, None, None, "assumed"),
        ("MHT-GM", 2_600_000, 2_600_000, 5_200_000, None, None, "assumed"),
        ("MHT-NECA", 1_100_000, 1_100_000, 2_200_000, None, None, "assumed"),
        ("MHT-WLA", 1_200_000, 1_200_000, 2_400_000, None, None, "assumed"),
    ]
    assert _rows(office_files, columns, "on_top") == [
        (None, 13_000_000, 6_000_000, 19_000_000, "up to", "at least", "pledged"),
        ("MHT-BPL", 2_600_000, 1_100_000, 3_700_000, "up to", "at least", "assumed"),
        ("MHT-GM", 5_200_000, 2_600_000, 7_800_000, "up to", "at least", "assumed"),
        ("MHT-NECA", 2_800_000, 1_100_000, 3_900_000, "up to", "at least", "assumed"),
        ("MHT-WLA", 2_400_000, 1_200_000, 3_600_000, "up to", "at least", "assumed"),
    ]
    assert _rows(office_files, columns, "research_programme") == [
        (None, 12_000_000, None, 12_000_000, None, None, "not_mentioned"),
    ]


def test_each_reading_is_compared_with_what_was_printed(office_files):
    office_files.build_funding()
    columns = "site_code, government_difference_gbp, printed_total_gbp, total_difference_gbp, support"
    assert _rows(office_files, columns, "replaces") == [
        (None, 0, 12_000_000, 0, "supported"),
        ("MHT-BPL", None, 2_000_000, 200_000, "supported"),  # printed as '£2m'
        ("MHT-GM", None, None, None, "nothing_printed"),
        ("MHT-NECA", None, 2_200_000, 0, "supported"),
        ("MHT-WLA", None, None, None, "nothing_printed"),
    ]
    assert _rows(office_files, columns, "on_top") == [
        (None, 7_000_000, 12_000_000, 7_000_000, "not_supported"),
        ("MHT-BPL", None, 2_000_000, 1_700_000, "not_supported"),
        ("MHT-GM", None, None, None, "nothing_printed"),
        ("MHT-NECA", None, 2_200_000, 1_700_000, "not_supported"),
        ("MHT-WLA", None, None, None, "nothing_printed"),
    ]
    # Pulse's £12m is the printed total, but of its £12m the department gives £6m by the other article.
    assert _rows(office_files, columns, "research_programme") == [(None, 6_000_000, 12_000_000, 0, "conflicting")]


def test_each_reading_says_what_it_rests_on_and_what_speaks_against_it(office_files):
    office_files.build_funding()
    words = dict(office_files.rows("SELECT DISTINCT reading_code, source_wording FROM funding.readings"))
    assert "£6m match-funding from pilot areas" in words["replaces"]
    assert "a further £12m" in words["on_top"]
    assert "£12m research programme" in words["research_programme"]
    assert (
        office_files.rows("SELECT reading_code FROM funding.readings WHERE source_document = '' OR against = ''") == []
    )
    evidence = dict(_rows(office_files, "site_code, evidence", "on_top"))
    assert "£2.2m two-year project" in evidence["MHT-NECA"] and "£2m Trailblazer" in evidence["MHT-BPL"]
    assert evidence["MHT-GM"] is None and evidence["MHT-WLA"] is None
    assert "£6m from the Department" in evidence[None] and "£12m research programme" in evidence[None]


def test_the_sums_follow_the_records(office_files):
    office_files.db.execute("UPDATE core.funding_awards SET amount = amount * 2 WHERE award_stage = 'announced'")
    office_files.build_funding()
    ((total,), *_) = _rows(office_files, "government_gbp", "on_top")
    assert total == 7_000_000 + 12_000_000


def test_an_unknown_pledge_is_no_pledge_of_nothing(office_files):
    office_files.db.execute("UPDATE core.match_funding SET amount = NULL, amount_status = 'unknown'")
    office_files.build_funding()
    assert set(_rows(office_files, "match_gbp, total_gbp", "replaces")) == {(None, None)}
    assert _rows(office_files, "government_gbp", "replaces")[0] == (6_000_000,)


def test_a_reading_says_which_recorded_sums_it_is_made_of():
    for reading in registry.rows("funding_readings"):
        assert reading["government_money"] in ("announced", "caps_and_announced", "headline")
        assert reading["match_money"] in ("pledged", "")
        assert reading["government_qualifier"] in ("up to", "") and reading["match_qualifier"] in ("at least", "")
