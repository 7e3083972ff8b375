"""A readable file that does not fit the site's other deliveries is held up, and counts by itself once it fits.

Each test is a sequence of nightly runs, as a duty engineer would see them.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from data_folder import BPL, WLA, WMCA, DataFolder, Row, valid_row, valid_rows, warehouse_content
from soak import in_soak

PEOPLE = range(1, 31)
MORE = range(1, 61)
OCTOBER, NOVEMBER, DECEMBER = "2016-11-08T03:30", "2016-12-08T03:30", "2017-01-08T03:30"
# tables about deliveries, and columns that say whether a figure is provisional
ABOUT_DELIVERIES = ("audit.", "quality.")
PROVISIONAL_COLUMNS = {"is_outdated", "n_sites_outdated", "provisional", "provisional_reason"}
HELD_UP, CURRENT = ("refused", "held_up"), ("accepted", "current")


@pytest.fixture(scope="module")
def after_october(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    """Two sites have sent October, and a run has loaded it."""
    folder = DataFolder(tmp_path_factory.mktemp("october") / "data")
    for site in (BPL, WLA):
        folder.send_all(*PEOPLE, period="201610", site=site)
    folder.run(OCTOBER)
    return folder


@pytest.fixture
def october(after_october: DataFolder, tmp_path: Path) -> DataFolder:
    """A copy of `after_october` for one test."""
    return after_october.copied_to(tmp_path / "data")


def figures(folder: DataFolder) -> dict[str, list[tuple[Any, ...]]]:
    """Rows of core and of the marts, without the tables about deliveries."""
    content = warehouse_content(folder.paths.current_link.resolve())
    return {name: rows for name, rows in content.items() if not name.startswith(ABOUT_DELIVERIES)}


def settled_figures_of(folder: DataFolder) -> dict[str, list[tuple[Any, ...]]]:
    """The same without the columns that say whether a figure is provisional."""
    by_table = {}
    for table, (heading, *rows) in figures(folder).items():
        names = [name for name, _ in heading[1:]]
        columns = [i for i, name in enumerate(names) if name not in PROVISIONAL_COLUMNS]
        by_table[table] = [tuple(row[i] for i in columns) for row in rows]
    return by_table


def west_london_rows(dataset: str, *numbers: int) -> list[Row]:
    """West London's rows, as in a file sent under Blackpool's name."""
    changes = {"site_code": BPL} if dataset == "participants" else {}
    return [valid_row(dataset, n, WLA, **changes) for n in numbers]


def test_participants_of_another_site_are_held_up_and_hold_no_row_of_that_site(october: DataFolder) -> None:
    """A reference at two sites holds both copies, so the site that always had it could lose its own."""
    before = october.query("select site_code, count(*) from core.participants group by all order by all")
    october.send("participants", west_london_rows("participants", *PEOPLE))
    october.send("participants", valid_rows("participants", *MORE, site=WLA), site=WLA)
    result = october.run(NOVEMBER)
    assert october.standings("participants")["201611 v1"] == HELD_UP
    assert october.standings("participants", WLA)["201611 v1"] == CURRENT
    assert before == [(BPL, 30), (WLA, 30)]
    assert october.query("select site_code, count(*) from core.participants group by all order by all") == [
        (BPL, 30),
        (WLA, 60),
    ]
    assert result.must_be_fixed


@pytest.mark.with_marts
@pytest.mark.parametrize(("dataset", "suffix"), [("contacts", "xlsx"), *in_soak(("referrals", "csv"))])
def test_rows_of_another_site_are_held_up_until_the_right_file_arrives(
    october: DataFolder, tmp_path: Path, dataset: str, suffix: str
) -> None:
    without = october.copied_to(tmp_path / "without")
    before = settled_figures_of(october)
    october.send(dataset, west_london_rows(dataset, *PEOPLE), suffix=suffix)
    result = october.run(NOVEMBER)
    assert october.standings(dataset) == {"201610 v1": CURRENT, "201611 v1": HELD_UP}
    assert settled_figures_of(october) == before
    assert result.must_be_fixed
    [(found,)] = october.query("select found from audit.findings where rule_id = 'L05'")
    assert found == f"30 of 30 rows are about people or episodes that {WLA} sent"
    assert "seem to be another site" in page(october, f"{BPL}_{dataset}_201611_v1")
    assert result.verdict == (
        "Published: 1 file checked, 1 file held up: the figures of Blackpool are older than what was sent."
    )
    assert "the figures of Blackpool are older" in october.run(NOVEMBER).verdict  # the next run repeats it
    for site, expected in ((BPL, True), (WLA, False), ("all", True)):
        provisional = october.query(
            "select bool_or(provisional_reason = 'file_does_not_count') from outcomes.kpi where site_code = ?", site
        )
        assert provisional == [(expected,)]

    right = october.send(dataset, valid_rows(dataset, *reversed(PEOPLE)), version=2, suffix=suffix)
    shutil.copy(right, without.paths.raw / BPL)
    for folder in (october, without):
        folder.run(DECEMBER)
    assert october.standings(dataset)["201611 v2"] == CURRENT
    assert figures(october) == figures(without)


@pytest.mark.soak
def test_a_file_with_few_rows_of_another_site_is_held_up_too(october: DataFolder) -> None:
    loaded = "from core.contacts order by all"
    before = october.query(loaded)
    october.send("contacts", west_london_rows("contacts", *range(1, 6)))
    october.run(NOVEMBER)
    assert october.standings("contacts")["201611 v1"] == HELD_UP
    assert october.query(loaded) == before


@pytest.mark.with_marts
@pytest.mark.soak
def test_a_file_waits_for_its_parent_file_and_then_counts(october: DataFolder, tmp_path: Path) -> None:
    without = october.copied_to(tmp_path / "without")
    before = settled_figures_of(october)
    october.send("referrals", west_london_rows("referrals", *PEOPLE))
    for folder in (october, without):
        folder.send("participants", valid_rows("participants", *MORE))
        folder.send("contacts", valid_rows("contacts", *MORE))
    result = october.run(NOVEMBER)
    assert october.standings("referrals")["201611 v1"] == HELD_UP
    assert october.standings("contacts")["201611 v1"] == HELD_UP
    assert settled_figures_of(october)['core."contacts"'] == before['core."contacts"']
    title = page(october, f"{BPL}_contacts_201611_v1").split("</h1>")[0].split("<h1>")[1]
    assert title == "Nothing to fix in this file: it counts when your referrals are right"
    [(found,)] = october.query("select found from audit.findings where rule_id = 'L04'")
    assert found == "30 of 60 rows wait for Referrals: those that are accepted end on 31 October 2016"
    assert result.verdict.startswith("Published")

    for folder in (october, without):
        folder.send("referrals", valid_rows("referrals", *MORE), version=2)
        folder.run(DECEMBER)
    assert october.standings("contacts")["201611 v1"] == CURRENT
    assert figures(october) == figures(without)


@pytest.mark.soak
def test_the_first_delivery_counts_with_its_valid_rows(folder: DataFolder) -> None:
    folder.send_all(*PEOPLE, site=WLA)
    for dataset in ("participants", "referrals"):
        folder.send(dataset, valid_rows(dataset, *PEOPLE))
    folder.send("contacts", [*west_london_rows("contacts", *PEOPLE), *valid_rows("contacts", *range(1, 6))])
    folder.run(NOVEMBER)
    assert folder.standings("contacts") == {"201611 v1": ("accepted_with_held_rows", "current")}
    assert folder.query(f"select count(*) from core.contacts where site_code = '{BPL}'") == [(5,)]


@pytest.mark.soak
def test_many_withdrawn_consents_do_not_hold_a_file_up(october: DataFolder) -> None:
    withdrawn = range(1, 26)
    rows = valid_rows("participants", *PEOPLE)
    october.send("participants", [row | {"consent_data_sharing": "N"} if n in withdrawn else row
                                  for n, row in zip(PEOPLE, rows, strict=True)])  # fmt: skip
    for dataset in ("referrals", "contacts"):
        october.send(dataset, valid_rows(dataset, *reversed(PEOPLE)))
    october.run(NOVEMBER)
    for dataset in ("participants", "referrals", "contacts"):
        assert october.standings(dataset)["201611 v1"] == ("accepted_with_held_rows", "current")
        assert october.query(f"select count(*) from core.{dataset} where site_code = '{BPL}'") == [(5,)]


@pytest.mark.soak
def test_the_delivery_that_counted_last_stays_where_none_fits(october: DataFolder) -> None:
    """Episodes renumbered by mistake: no month's contacts fit, and figures must not fall back to an older file."""
    for dataset in ("referrals", "contacts"):
        october.send(dataset, valid_rows(dataset, *reversed(PEOPLE)))
    october.run(NOVEMBER)
    renumbered = [row | {"episode_id": f"BPL-X{n:06}"} for n, row in enumerate(valid_rows("referrals", *PEOPLE))]
    october.send("referrals", renumbered, period="201612")
    october.send("contacts", valid_rows("contacts", *PEOPLE, 99), period="201612")
    october.run(DECEMBER)
    assert october.standings("contacts") == {
        "201610 v1": ("accepted", "superseded"),
        "201611 v1": ("accepted_with_held_rows", "current"),
        "201612 v1": HELD_UP,
    }


@pytest.mark.with_marts
@pytest.mark.soak
def test_trial_arms_of_a_held_up_file_are_never_the_first_allocation(folder: DataFolder, tmp_path: Path) -> None:
    """T02 compares with the first allocation that ever counted, never with that of a held-up file."""
    for dataset in ("participants", "referrals", "randomisation"):
        folder.send(dataset, valid_rows(dataset, *PEOPLE, site=WMCA), "201810", site=WMCA)
    folder.run("2018-11-08T03:30")
    without = folder.copied_to(tmp_path / "without")
    others = [valid_row("randomisation", n, WMCA, participant_ref=f"WM-9{n:05}") for n in range(41, 71)]
    wrong = [valid_row("randomisation", n, WMCA, arm="control") for n in range(31, 41)]
    folder.send("randomisation", [*wrong, *others], "201811", site=WMCA)
    for f in (folder, without):
        for dataset in ("participants", "referrals"):
            f.send(dataset, valid_rows(dataset, *range(1, 41), site=WMCA), "201811", site=WMCA)
        f.run("2018-12-08T03:30")
    assert folder.standings("randomisation", WMCA)["201811 v1"] == HELD_UP
    for f in (folder, without):
        f.send("randomisation", valid_rows("randomisation", *range(1, 41), site=WMCA), "201811", 2, WMCA)
        f.run("2019-01-08T03:30")
    assert folder.standings("randomisation", WMCA) == {
        "201810 v1": ("accepted", "superseded"),
        "201811 v1": ("refused", "superseded"),
        "201811 v2": CURRENT,
    }
    assert figures(folder) == figures(without)
    assert not {"T02", "F23"} & {rule_id for rule_id, *_ in folder.findings("randomisation")}


@pytest.mark.soak
@pytest.mark.parametrize(("dataset", "suffix"), [("contacts", "csv"), ("employment_outcomes", "xlsx")])
def test_a_file_sent_while_a_later_month_is_held_up_is_not_stale(
    october: DataFolder, dataset: str, suffix: str
) -> None:
    october.send(dataset, west_london_rows(dataset, *PEOPLE), "201612", suffix=suffix)
    october.run(NOVEMBER)
    october.send(dataset, valid_rows(dataset, *reversed(PEOPLE)), "201611", suffix=suffix)
    october.run(DECEMBER)
    assert october.standings(dataset)["201611 v1"] == CURRENT
    date_field = {"contacts": "contact_date", "employment_outcomes": "job_start_date"}[dataset]
    later = valid_row(dataset, 1, **{date_field: "2017-01-10"})  # else F26 would doubt the month in its name
    october.send(dataset, [later, *valid_rows(dataset, *PEOPLE)[1:]], "201701", suffix=suffix)
    for _ in range(2):
        october.run("2017-02-08T03:30")
        assert october.standings(dataset)["201611 v1"] == ("accepted", "superseded")
    assert "Accepted: nothing to do" in page(october, f"{BPL}_{dataset}_201611_v1")


@pytest.mark.soak
@pytest.mark.parametrize("dataset", ["participants", "contacts"])
def test_an_identical_resubmission_of_a_held_up_file_is_held_up(october: DataFolder, dataset: str) -> None:
    october.send(dataset, west_london_rows(dataset, *PEOPLE))
    october.run(NOVEMBER)
    october.send(dataset, west_london_rows(dataset, *PEOPLE), version=2)
    result = october.run(DECEMBER)
    assert october.standings(dataset)["201611 v2"] == ("refused", "same")
    assert "This file is held up" in page(october, f"{BPL}_{dataset}_201611_v2")
    assert result.must_be_fixed and "1 file checked, 1 file held up" in result.verdict
    october.send(dataset, valid_rows(dataset, *reversed(PEOPLE)), version=3)
    october.run("2017-02-08T03:30")
    for version in (1, 2):
        html = page(october, f"{BPL}_{dataset}_201611_v{version}")
        assert f"Replaced by {BPL}_{dataset}_201611_v3.csv: nothing to do" in html


@pytest.mark.soak
def test_an_identical_resubmission_of_a_waiting_file_waits_and_then_counts(october: DataFolder) -> None:
    october.send("participants", valid_rows("participants", *MORE))
    for version, at in ((1, NOVEMBER), (2, DECEMBER)):
        october.send("contacts", valid_rows("contacts", *MORE), version=version)
        october.run(at)
        html = page(october, f"{BPL}_contacts_201611_v{version}")
        assert "Nothing to fix in this file" in html and "The figures use this file" not in html
    october.send("referrals", valid_rows("referrals", *MORE))
    result = october.run("2017-02-08T03:30")
    assert october.standings("contacts")["201611 v2"] == ("accepted", "same")
    for version in (1, 2):
        html = page(october, f"{BPL}_contacts_201611_v{version}")
        assert "Accepted: nothing to do" in html and "waits for another" not in html
    assert "60 rows released" in result.verdict


def page(folder: DataFolder, stem: str) -> str:
    """HTML of a sender's page."""
    return (folder.paths.reports / BPL / f"{stem}.html").read_text(encoding="utf-8")
