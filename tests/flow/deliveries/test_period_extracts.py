"""Deliveries of one site that add up: period extracts, or a cumulative extract and the period extracts after it.

Rows that are in two of them give the same result whichever arrives first and however many threads are used.
"""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from data_folder import WMCA, DataFolder, Row, valid_row, valid_rows
from soak import in_soak

PERIOD = {"extract_type": "period"}
REPEATED_ROWS = 28  # rows on the same lines of both files: enough for several threads to interleave


def contacts(month: str) -> list[Row]:
    """A month's contacts; November's file repeats those of October first, under other ids."""
    october = [valid_row("contacts", 1, contact_date=f"2016-10-{n + 1:02}") for n in range(REPEATED_ROWS)]
    own = [
        valid_row("contacts", p, contact_date=f"2016-11-{n + 1:02}") for p in (1, 2, 3) for n in range(REPEATED_ROWS)
    ]
    rows, first = (october, 1) if month == "201610" else (october + own, 501)
    return [row | {"contact_id": f"BPL-C{first + n:06}"} for n, row in enumerate(rows)]


def send_and_run(folder: DataFolder, months: tuple[str, ...], together: bool, **settings: Any) -> None:
    """Send each month's contacts in this order, with one run at the end or one after each."""
    for dataset in ("participants", "referrals"):
        folder.send(dataset, valid_rows(dataset, 1, 2, 3), "201612")
    for day, month in enumerate(months, 1):
        folder.send("contacts", contacts(month), month, manifest=PERIOD)
        if not together:
            folder.run(f"2017-01-{day:02}", **settings)
    if together:
        folder.run("2017-01-03", **settings)


OCTOBER_NOVEMBER, NOVEMBER_OCTOBER = permutations(("201610", "201611"))


@pytest.mark.parametrize(
    ("months", "together"),
    [
        pytest.param(OCTOBER_NOVEMBER, True, id="in order, in one run", marks=pytest.mark.soak),
        pytest.param(OCTOBER_NOVEMBER, False, id="in order, run by run", marks=pytest.mark.soak),
        pytest.param(NOVEMBER_OCTOBER, True, id="the later first, in one run"),
        pytest.param(NOVEMBER_OCTOBER, False, id="the later first, run by run", marks=pytest.mark.soak),
    ],
)
def test_a_row_repeated_in_a_later_month_is_held_there(
    folder: DataFolder, months: tuple[str, ...], together: bool
) -> None:
    send_and_run(folder, months, together, threads=4)
    held = folder.query(
        "select period, rule_id, count(*) from audit.findings join audit.deliveries using (delivery_id)"
        " where severity = 'row' group by all"
    )
    assert held == [("201611", "K04", REPEATED_ROWS)]
    # which row is the other one, without a number that would be another file's
    assert folder.query("select distinct found from audit.findings where rule_id = 'K04' and outcome = 'broken'") == [
        ("the same contact as a row of an earlier file",)
    ]
    query = "select count(*) from core.contacts where contact_date < date '2016-11-01' and contact_id < 'BPL-C000500'"
    assert folder.query(query) == [(REPEATED_ROWS,)]


def send_trial_people(folder: DataFolder, period: str) -> None:
    for dataset in ("participants", "referrals"):
        folder.send(dataset, valid_rows(dataset, 1, 2, site=WMCA), period, site=WMCA)


def allocation(number: int, person: int, arm: str, day: str = "2018-06-10") -> Row:
    return valid_row(
        "randomisation", number, WMCA, participant_ref=f"WM-{person:06}", arm=arm, randomised_date=day
    )  # fmt: skip


@pytest.mark.parametrize("between", ["", *in_soak("2019-01-03")], ids=["in one run", "run by run"])
@pytest.mark.parametrize("first", [PERIOD, None], ids=["two periods", "cumulative and period"])
def test_the_allocation_sent_first_counts_even_if_a_later_one_is_dated_earlier(
    folder: DataFolder, first: dict[str, str] | None, between: str
) -> None:
    send_trial_people(folder, "201812")
    folder.send("randomisation", [allocation(1, 1, "ips", "2018-06-20")], "201809", site=WMCA, manifest=first)
    if between:
        folder.run(between)
    folder.send("randomisation", [allocation(3, 1, "control")], "201810", site=WMCA, manifest=PERIOD)
    folder.run("2019-01-04")
    assert folder.query("select randomisation_id, arm from core.randomisation") == [("WM-R000001", "ips")]
    found = folder.findings("randomisation")
    assert [f for f in found if f[0] != "F57"] == [("T01", "row", "broken", 2)]
    assert {f[:3] for f in found} - {("T01", "row", "broken")} == {("F57", "warning", "broken")}  # of another month


@pytest.mark.soak
def test_a_first_allocation_whose_id_is_now_anothers_is_not_reinstated(folder: DataFolder) -> None:
    """Renumbered ids: the row with a changed arm is held, and the row that has the id now is loaded."""
    send_trial_people(folder, "201812")
    folder.send("randomisation", [allocation(1, 1, "ips")], "201811", site=WMCA)
    folder.run("2019-01-03")
    folder.send("randomisation", [allocation(1, 2, "ips"), allocation(2, 1, "control")], "201812", site=WMCA)
    folder.run("2019-01-04")
    assert folder.query("select randomisation_id, participant_ref, arm from core.randomisation") == [
        ("WM-R000001", "WM-000002", "ips")
    ]
    assert ("T02", "row", "broken", 3) in folder.findings("randomisation")


@pytest.mark.soak
def test_a_month_sent_after_its_replacement_is_stale(folder: DataFolder) -> None:
    """Superseded by a higher version of the same month, or by a cumulative extract to a later date."""
    for dataset in ("participants", "referrals"):
        folder.send(dataset, valid_rows(dataset, 1, 2, 3), "201612")
    folder.send("contacts", contacts("201610"), "201610", version=10, manifest=PERIOD)
    folder.run("2017-01-01")
    folder.send("contacts", contacts("201610")[:1], "201610", version=2, manifest=PERIOD)
    folder.run("2017-01-02")
    folder.send("contacts", contacts("201611"), "201611")
    folder.run("2017-01-03")
    folder.send("contacts", contacts("201610"), "201610", version=11, manifest=PERIOD)
    result = folder.run("2017-01-04")
    standing = {period: standing for period, (_, standing) in folder.standings("contacts").items()}
    assert standing == {"201610 v10": "superseded", "201610 v2": "stale", "201611 v1": "current", "201610 v11": "stale"}
    assert folder.findings("contacts") == [("F18", "file", "broken", None)] * 2
    assert "is older than the one accepted (F18)" in result.reported.summary
