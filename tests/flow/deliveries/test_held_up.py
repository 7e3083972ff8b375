"""A file that reads well and does not fit what else was sent replaces nothing, and counts by itself once it fits.

Told as several nights in a row, as a duty engineer would live through them. Every row is made up.
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
# what is said of files that do not count, and of figures that are waited for
OF_DELIVERIES = ("audit.", "quality.")
WAITED_FOR = {"is_outdated", "n_sites_outdated", "provisional", "provisional_reason"}
HELD_UP, CURRENT = ("refused", "held_up"), ("accepted", "current")


@pytest.fixture(scope="module")
def after_october(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    """Two sites have sent October, and a night has taken it in."""
    folder = DataFolder(tmp_path_factory.mktemp("october") / "data")
    for site in (BPL, WLA):
        folder.send_all(*PEOPLE, period="201610", site=site)
    folder.run(OCTOBER)
    return folder


@pytest.fixture
def october(after_october: DataFolder, tmp_path: Path) -> DataFolder:
    """The same in a folder of the test's own."""
    return copy_of(after_october, tmp_path / "data")


def copy_of(folder: DataFolder, to: Path) -> DataFolder:
    return DataFolder(shutil.copytree(folder.path, to, symlinks=True))


def figures(folder: DataFolder) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of core and of the marts, but for what tells of deliveries."""
    content = warehouse_content(folder.paths.current_link.resolve())
    return {name: rows for name, rows in content.items() if not name.startswith(OF_DELIVERIES)}


def figures_that_stand(folder: DataFolder) -> dict[str, list[tuple[Any, ...]]]:
    """The same without the columns that say whether a figure may still move."""
    found = {}
    for table, (heading, *rows) in figures(folder).items():
        names = [name for name, _ in heading[1:]]
        kept = [i for i, name in enumerate(names) if name not in WAITED_FOR]
        found[table] = [tuple(row[i] for i in kept) for row in rows]
    return found


def of_west_london(dataset: str, *numbers: int) -> list[Row]:
    """West London's rows, as they would lie in a file under Blackpool's name."""
    own = {"site_code": BPL} if dataset == "participants" else {}
    return [valid_row(dataset, n, WLA, **own) for n in numbers]


def test_another_sites_people_replace_nothing_and_spoil_nobody(october: DataFolder) -> None:
    """The same reference at two sites holds both copies: the site that always had it must not lose its own."""
    before = october.query("select site_code, count(*) from core.participants group by all order by all")
    october.send("participants", of_west_london("participants", *PEOPLE))
    october.send("participants", valid_rows("participants", *MORE, site=WLA), site=WLA)
    night = october.run(NOVEMBER)
    assert october.standings("participants")["201611 v1"] == HELD_UP
    assert october.standings("participants", WLA)["201611 v1"] == CURRENT
    assert before == [(BPL, 30), (WLA, 30)]
    assert october.query("select site_code, count(*) from core.participants group by all order by all") == [
        (BPL, 30),
        (WLA, 60),
    ]
    assert night.must_be_fixed


@pytest.mark.parametrize(
    ("dataset", "suffix"), [("contacts", "xlsx"), *in_soak(("referrals", "csv"), ("employment_outcomes", "csv"))]
)
def test_another_sites_rows_replace_nothing_until_the_right_file_comes(
    october: DataFolder, tmp_path: Path, dataset: str, suffix: str
) -> None:
    without = copy_of(october, tmp_path / "without")
    before = figures_that_stand(october)
    october.send(dataset, of_west_london(dataset, *PEOPLE), suffix=suffix)
    night = october.run(NOVEMBER)
    assert october.standings(dataset) == {"201610 v1": CURRENT, "201611 v1": HELD_UP}
    assert figures_that_stand(october) == before
    assert night.must_be_fixed
    [(said,)] = october.query("select found from audit.findings where rule_id = 'L05'")
    assert said == f"30 of 30 rows are about people or episodes that {WLA} sent"
    assert "seem to be another site" in page(october, f"{BPL}_{dataset}_201611_v1")
    assert night.verdict == (
        "Published: 1 file checked, 1 file held up: the figures of Blackpool are older than what was sent."
    )
    assert "the figures of Blackpool are older" in october.run(NOVEMBER).verdict  # and on the night after
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


def test_few_rows_of_another_site_replace_nothing_either(october: DataFolder) -> None:
    before = figures_that_stand(october)
    october.send("contacts", of_west_london("contacts", *range(1, 6)))
    october.run(NOVEMBER)
    assert october.standings("contacts")["201611 v1"] == HELD_UP
    assert figures_that_stand(october) == before


@pytest.mark.soak
def test_a_file_waits_for_the_one_that_it_refers_to_and_counts_when_that_comes(
    october: DataFolder, tmp_path: Path
) -> None:
    without = copy_of(october, tmp_path / "without")
    before = figures_that_stand(october)
    october.send("referrals", of_west_london("referrals", *PEOPLE))
    for folder in (october, without):
        folder.send("participants", valid_rows("participants", *MORE))
        folder.send("contacts", valid_rows("contacts", *MORE))
    night = october.run(NOVEMBER)
    assert october.standings("referrals")["201611 v1"] == HELD_UP
    assert october.standings("contacts")["201611 v1"] == HELD_UP
    assert figures_that_stand(october)['core."contacts"'] == before['core."contacts"']
    title = page(october, f"{BPL}_contacts_201611_v1").split("</h1>")[0].split("<h1>")[1]
    assert title == "Nothing to fix in this file: it counts when your referrals are right"
    [(said,)] = october.query("select found from audit.findings where rule_id = 'L04'")
    assert said == "30 of 60 rows wait for Referrals: those that are accepted end on 31 October 2016"
    assert night.verdict.startswith("Published")

    for folder in (october, without):
        folder.send("referrals", valid_rows("referrals", *MORE), version=2)
        folder.run(DECEMBER)
    assert october.standings("contacts")["201611 v1"] == CURRENT
    assert figures(october) == figures(without)


@pytest.mark.soak
def test_where_nothing_ever_counted_the_newest_counts_with_its_sound_rows(folder: DataFolder) -> None:
    folder.send_all(*PEOPLE, site=WLA)
    for dataset in ("participants", "referrals"):
        folder.send(dataset, valid_rows(dataset, *PEOPLE))
    folder.send("contacts", [*of_west_london("contacts", *PEOPLE), *valid_rows("contacts", *range(1, 6))])
    folder.run(NOVEMBER)
    assert folder.standings("contacts") == {"201611 v1": ("accepted_with_held_rows", "current")}
    assert folder.query(f"select count(*) from core.contacts where site_code = '{BPL}'") == [(5,)]


@pytest.mark.soak
def test_many_withdrawals_of_consent_keep_no_old_data_in_the_figures(october: DataFolder) -> None:
    gone = range(1, 26)
    rows = valid_rows("participants", *PEOPLE)
    october.send("participants", [row | {"consent_data_sharing": "N"} if n in gone else row
                                  for n, row in zip(PEOPLE, rows, strict=True)])  # fmt: skip
    for dataset in ("referrals", "contacts"):
        october.send(dataset, valid_rows(dataset, *reversed(PEOPLE)))
    october.run(NOVEMBER)
    for dataset in ("participants", "referrals", "contacts"):
        assert october.standings(dataset)["201611 v1"] == ("accepted_with_held_rows", "current")
        assert october.query(f"select count(*) from core.{dataset} where site_code = '{BPL}'") == [(5,)]


@pytest.mark.soak
def test_where_no_file_fits_the_one_that_counted_last_stays(october: DataFolder) -> None:
    """References numbered anew by mistake: neither month's contacts fit, and the figures must not fall to an older."""
    for dataset in ("referrals", "contacts"):
        october.send(dataset, valid_rows(dataset, *reversed(PEOPLE)))
    october.run(NOVEMBER)
    anew = [row | {"episode_id": f"BPL-X{n:06}"} for n, row in enumerate(valid_rows("referrals", *PEOPLE))]
    october.send("referrals", anew, period="201612")
    october.send("contacts", valid_rows("contacts", *PEOPLE, 99), period="201612")
    october.run(DECEMBER)
    assert october.standings("contacts") == {
        "201610 v1": ("accepted", "superseded"),
        "201611 v1": ("accepted_with_held_rows", "current"),
        "201612 v1": HELD_UP,
    }


@pytest.mark.soak
def test_arms_of_a_file_that_was_held_up_never_stand(folder: DataFolder, tmp_path: Path) -> None:
    """The first allocation stands (T02): of those that ever counted, and not of a wrong file that was replaced."""
    for dataset in ("participants", "referrals", "randomisation"):
        folder.send(dataset, valid_rows(dataset, *PEOPLE, site=WMCA), "201810", site=WMCA)
    folder.run("2018-11-08T03:30")
    without = copy_of(folder, tmp_path / "without")
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
def test_what_came_while_a_later_month_was_held_up_did_not_come_too_late(
    october: DataFolder, dataset: str, suffix: str
) -> None:
    october.send(dataset, of_west_london(dataset, *PEOPLE), "201612", suffix=suffix)
    october.run(NOVEMBER)
    october.send(dataset, valid_rows(dataset, *reversed(PEOPLE)), "201611", suffix=suffix)
    october.run(DECEMBER)
    assert october.standings(dataset)["201611 v1"] == CURRENT
    dated = {"contacts": "contact_date", "employment_outcomes": "job_start_date"}[dataset]
    later = valid_row(dataset, 1, **{dated: "2017-01-10"})  # or the month in its name would be doubted
    october.send(dataset, [later, *valid_rows(dataset, *PEOPLE)[1:]], "201701", suffix=suffix)
    for _ in range(2):
        october.run("2017-02-08T03:30")
        assert october.standings(dataset)["201611 v1"] == ("accepted", "superseded")
    assert "Accepted: nothing to do" in page(october, f"{BPL}_{dataset}_201611_v1")


@pytest.mark.soak
@pytest.mark.parametrize("dataset", ["participants", "contacts"])
def test_the_same_bytes_again_are_held_up_as_the_first_were(october: DataFolder, dataset: str) -> None:
    october.send(dataset, of_west_london(dataset, *PEOPLE))
    october.run(NOVEMBER)
    october.send(dataset, of_west_london(dataset, *PEOPLE), version=2)
    night = october.run(DECEMBER)
    assert october.standings(dataset)["201611 v2"] == ("refused", "same")
    assert "This file is held up" in page(october, f"{BPL}_{dataset}_201611_v2")
    assert night.must_be_fixed and "1 file checked, 1 file held up" in night.verdict
    october.send(dataset, valid_rows(dataset, *reversed(PEOPLE)), version=3)
    october.run("2017-02-08T03:30")
    for version in (1, 2):
        told = page(october, f"{BPL}_{dataset}_201611_v{version}")
        assert f"Replaced by {BPL}_{dataset}_201611_v3.csv: nothing to do" in told


@pytest.mark.soak
def test_the_same_bytes_again_wait_and_count_as_the_first_do(october: DataFolder) -> None:
    october.send("participants", valid_rows("participants", *MORE))
    for version, at in ((1, NOVEMBER), (2, DECEMBER)):
        october.send("contacts", valid_rows("contacts", *MORE), version=version)
        october.run(at)
        told = page(october, f"{BPL}_contacts_201611_v{version}")
        assert "Nothing to fix in this file" in told and "The figures use this file" not in told
    october.send("referrals", valid_rows("referrals", *MORE))
    night = october.run("2017-02-08T03:30")
    assert october.standings("contacts")["201611 v2"] == ("accepted", "same")
    for version in (1, 2):
        told = page(october, f"{BPL}_contacts_201611_v{version}")
        assert "Accepted: nothing to do" in told and "waits for another" not in told
    assert "60 rows released" in night.verdict


def page(folder: DataFolder, stem: str) -> str:
    """A sender's page."""
    return (folder.paths.reports / BPL / f"{stem}.html").read_text(encoding="utf-8")
