"""A file in which two columns are exchanged by comparison with the file before replaces nothing (F56).

By themselves the values are sound: two answers, or two dates, fit each other's heading.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from data_folder import BPL, DataFolder, Row, valid_row

JOBS = "employment_outcomes"
ONE, OTHER = "at_least_nmw", "in_work_at_start"
PEOPLE = range(1, 31)
MORE = range(1, 41)
BELOW = 14  # the first so many jobs were kept, and pay less
OCTOBER, NOVEMBER = "2016-11-08T03:30", "2016-12-08T03:30"
HELD_UP, CURRENT, SUPERSEDED = ("refused", "held_up"), ("accepted", "current"), ("accepted", "superseded")


def jobs(*numbers: int) -> list[Row]:
    """Jobs, some of which were kept and pay less than the minimum wage."""
    answers = {True: {ONE: "N", OTHER: "Y"}, False: {ONE: "Y", OTHER: "N"}}
    return [valid_row(JOBS, n, BPL, **answers[n <= BELOW]) for n in numbers]


def exchanged(rows: list[Row]) -> list[Row]:
    """The rows with the values of the two columns exchanged."""
    return [{**row, ONE: row[OTHER], OTHER: row[ONE]} for row in rows]


def with_parents(folder: DataFolder, period: str, *numbers: int) -> None:
    """Send the participants and referrals that the jobs need."""
    for dataset in ("participants", "referrals"):
        folder.send(dataset, [valid_row(dataset, n) for n in numbers], period=period)


def answers(folder: DataFolder) -> list[tuple[int, int]]:
    """How many jobs in the figures pay less, and how many were kept."""
    return folder.query(f"select count(*) filter (not {ONE}), count(*) filter ({OTHER}) from core.{JOBS}")


@pytest.fixture
def october(folder: DataFolder) -> DataFolder:
    """October was sent as it should be, and loaded."""
    with_parents(folder, "201610", *PEOPLE)
    folder.send(JOBS, jobs(*PEOPLE), period="201610")
    folder.run(OCTOBER)
    return folder


def test_a_file_with_two_columns_exchanged_is_held_up_until_it_is_put_right(october: DataFolder) -> None:
    with_parents(october, "201611", *MORE)
    october.send(JOBS, exchanged(jobs(*MORE)))
    result = october.run(NOVEMBER)
    assert october.standings(JOBS) == {"201610 v1": CURRENT, "201611 v1": HELD_UP}
    assert answers(october) == [(BELOW, BELOW)] and result.must_be_fixed
    found = october.query("select field, found from audit.findings where rule_id = 'F56' order by field")
    assert [field for field, _ in found] == [ONE, OTHER]
    assert "30 records have the two values of October 2016 exchanged" in found[0][1]
    page = (Path(october.paths.reports) / BPL / f"{BPL}_{JOBS}_201611_v1.html").read_text(encoding="utf-8")
    assert "This file is held up: fix 1 problem and send it again" in page

    october.send(JOBS, jobs(*MORE), version=2)
    october.run(NOVEMBER)
    assert october.standings(JOBS)["201611 v2"] == CURRENT
    assert october.query(f"select count(*) from core.{JOBS}") == [(len(MORE),)]


@pytest.mark.soak
def test_where_the_file_before_was_wrong_that_month_is_sent_again(folder: DataFolder) -> None:
    with_parents(folder, "201610", *PEOPLE)
    folder.send(JOBS, exchanged(jobs(*PEOPLE)), period="201610")
    folder.run(OCTOBER)
    folder.send(JOBS, jobs(*MORE))
    with_parents(folder, "201611", *MORE)
    folder.run(NOVEMBER)
    assert folder.standings(JOBS) == {"201610 v1": CURRENT, "201611 v1": HELD_UP}
    folder.send(JOBS, jobs(*PEOPLE), period="201610", version=2)
    folder.run(NOVEMBER)
    assert folder.standings(JOBS) == {"201610 v1": SUPERSEDED, "201610 v2": SUPERSEDED, "201611 v1": CURRENT}


@pytest.mark.soak
def test_other_changes_of_the_two_columns_are_no_exchange(october: DataFolder) -> None:
    """Four records are the other way round, and others have one new answer."""
    with_parents(october, "201611", *MORE)
    rows = jobs(*MORE)
    october.send(JOBS, [*exchanged(rows[:4]), *({**row, OTHER: "Y"} for row in rows[4:20]), *rows[20:]])
    october.run(NOVEMBER)
    assert october.standings(JOBS)["201611 v1"] == CURRENT


@pytest.mark.soak
def test_a_second_version_of_the_month_may_put_the_columns_right(folder: DataFolder) -> None:
    with_parents(folder, "201610", *PEOPLE)
    folder.send(JOBS, exchanged(jobs(*PEOPLE)), period="201610")
    folder.run(OCTOBER)
    folder.send(JOBS, jobs(*PEOPLE), period="201610", version=2)
    folder.run(OCTOBER)
    assert folder.standings(JOBS) == {"201610 v1": SUPERSEDED, "201610 v2": CURRENT}
