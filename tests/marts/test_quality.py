"""The marts about deliveries: quality.deliveries and quality.findings_by_rule."""

from __future__ import annotations

from datetime import datetime

import pytest


def _delivery(warehouse, delivery_id, received="2016-12-09 16:59", **more):
    warehouse.add(
        "audit.deliveries",
        **{
            "delivery_id": delivery_id,
            "site_code": "MHT-BPL",
            "programme_code": "MHT",
            "dataset": "referrals",
            "period": "201611",
            "version": 1,
            "received_at": received,
            "data_cut_date": "2016-11-30",
            "result": "accepted",
            "standing": "current",
            "rows_read": 100,
            "rows_accepted": 90,
            "rows_held": 8,
            "rows_repeated": 1,
            "rows_not_data": 1,
        }
        | more,
    )


def _finding(warehouse, delivery_id, row, rule="P13", severity="row", field="programme_start_date"):
    warehouse.add(
        "audit.findings",
        delivery_id=delivery_id,
        rule_id=rule,
        severity=severity,
        outcome="broken",
        field=field,
        source_row=row,
    )


@pytest.mark.parametrize(
    ("period", "received", "on_time"),
    [
        ("201611", "2016-12-09 17:00:00", True),  # 5pm in London is 5pm UTC in winter
        ("201611", "2016-12-09 17:00:01", False),
        ("201606", "2016-07-11 16:00:00", True),  # and 4pm UTC in summer
        ("201606", "2016-07-11 16:00:01", False),
        ("190001", "2016-07-11 16:00:00", None),
    ],
)
def test_on_time_is_by_london_time(warehouse, period, received, on_time):
    _delivery(warehouse, "d1", received, period=period)
    warehouse.db.execute("SET TimeZone = 'Pacific/Auckland'")  # the machine's time zone must not matter
    warehouse.build("quality")
    assert warehouse.one("SELECT is_on_time FROM quality.deliveries") == (on_time,)


def test_shares_of_rows_and_broken_rules_of_a_delivery(warehouse):
    _delivery(warehouse, "d1")
    _delivery(warehouse, "d0", "2016-12-01 03:30", standing="superseded", rows_accepted=0)
    for row in (2, 3):
        _finding(warehouse, "d1", row)
    _finding(warehouse, "d1", 3, rule="K01", severity="warning")
    warehouse.build("quality")
    shares = "delivery_id, share_accepted, share_held, n_rules_broken, n_rows_warned, is_first"
    assert warehouse.rows(f"SELECT {shares} FROM quality.deliveries ORDER BY 1") == [
        ("d0", None, 0.08, 0, 0, True),
        ("d1", 0.9, 0.08, 1, 1, False),
    ]


def test_findings_by_rule_cover_current_and_newest_deliveries(warehouse):
    _delivery(warehouse, "d0", "2016-10-01 03:30", data_cut_date="2016-09-30", standing="superseded")
    _delivery(warehouse, "d1", "2016-11-01 03:30", data_cut_date="2016-10-31")
    _delivery(warehouse, "d2", "2016-12-01 03:30", standing="refused", result="refused")
    for delivery in ("d0", "d1", "d2"):
        for row in (5, 9):
            _finding(warehouse, delivery, row)
    _finding(warehouse, "d2", None, rule="F13", severity="file", field="")
    warehouse.add(
        "audit.rules",
        dataset="referrals",
        rule_id="P13",
        severity="row",
        field="programme_start_date",
        title="The start is before the referral",
    )
    warehouse.build("quality")
    found = warehouse.rows(
        "SELECT delivery_id, is_newest, rule_id, title, n_findings, n_rows, share_of_rows, first_row "
        "FROM quality.findings_by_rule ORDER BY 1, 3"
    )
    assert found == [
        ("d1", False, "P13", "The start is before the referral", 2, 2, 0.02, 5),
        ("d2", True, "F13", None, 1, 0, 0.0, None),
        ("d2", True, "P13", "The start is before the referral", 2, 2, 0.02, 5),
    ]


def test_due_at_is_in_utc(warehouse):
    _delivery(warehouse, "d1", period="201606")
    warehouse.build("quality")
    assert warehouse.one("SELECT due_at FROM quality.deliveries") == (datetime(2016, 7, 11, 16, 0),)
