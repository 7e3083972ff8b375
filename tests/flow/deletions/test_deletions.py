"""Deletions by key: rows of what a site has deleted are in no table and no figure, whatever file still sends them."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from data_folder import BPL, WMCA, DataFolder, Row, valid_row, valid_rows
from dataset_rows import sound

from flows.orchestration.as_of import export_as_of
from flows.settings import Settings
from schemas._contract.catalogue import datasets
from schemas._contract.registry import returns_for
from schemas._rules.deletions import is_about_people

PEOPLE = range(1, 14)  # two fewer change the rounded counts, too
FIGURES = ("core", "funding", "outcomes", "published")  # not `quality`, which counts the rows that were read
ABOUT_EPISODES = ("referrals", "contacts", "employment_outcomes")
IN_ERROR = {"reason": "made_in_error"}


def episode_deleted(n: int, **differences: str) -> Row:
    return valid_row("deletions", n, record_type="referrals", reference=f"BPL-E{n:06}", **IN_ERROR, **differences)


def send_site(
    folder: DataFolder, site: str, period: str, without: Collection[int] = (), without_episodes: Collection[int] = ()
) -> None:
    """Send a site's returns, but for some people, and for the episodes of others."""
    people = [n for n in PEOPLE if n not in without]
    folder.send("participants", valid_rows("participants", *people, site=site), period, site=site)
    with_episode = [n for n in people if n not in without_episodes]
    for dataset in ABOUT_EPISODES:
        folder.send(dataset, valid_rows(dataset, *with_episode, site=site), period, site=site)
    if site == WMCA:
        arms = [valid_row("randomisation", n, site, arm="ips" if n % 2 else "control") for n in people]
        folder.send("randomisation", arms, period, site=site)


def content(warehouse: Path) -> dict[str, list[tuple[Any, ...]]]:
    """The sorted rows of every table but those on deletions, without the addresses of rows in their files."""
    with duckdb.connect(str(warehouse), read_only=True) as db:
        tables = db.execute(
            "select schema_name, table_name, list(column_name order by column_index) from duckdb_columns()"
            " where list_contains(?, schema_name) and table_name <> 'deletions' group by all",
            [list(FIGURES)],
        ).fetchall()
        found = {}
        for schema, table, columns in tables:
            compared = ", ".join(f'"{n}"' for n in columns if n not in ("delivery_id", "source_row"))
            rows = db.execute(f'select {compared} from {schema}."{table}" order by all').fetchall()
            found[f"{schema}.{table}"] = [row for row in rows if "deletions" not in row]
        return found


def tables_with(warehouse: Path, references: Collection[str]) -> set[str]:
    """The tables of the warehouse, `audit` included, in which any cell contains one of these texts."""
    with duckdb.connect(str(warehouse), read_only=True) as db:
        columns = db.execute(
            "select schema_name, table_name, column_name from duckdb_columns()"
            " where data_type = 'VARCHAR' and not internal"
        ).fetchall()
        assert columns
        return {
            f"{schema}.{table}"
            for schema, table, column in columns
            if db.execute(
                f'select 1 from {schema}."{table}" where regexp_matches("{column}", ?) limit 1', ["|".join(references)]
            ).fetchall()
        }


def current(folder: DataFolder) -> Path:
    return folder.paths.current_link.resolve()


@pytest.mark.with_marts
def test_deleted_people_and_episodes_are_in_no_table_and_every_figure_is_as_if_they_had_never_been_sent(
    folder: DataFolder, tmp_path: Path
) -> None:
    never_sent = folder.copied_to(tmp_path / "never_sent")
    send_site(folder, BPL, "201612")
    send_site(folder, WMCA, "201912")
    folder.run("2020-01-04")
    before = content(current(folder))
    folder.send("deletions", [valid_row("deletions", 2), episode_deleted(5)], "201912")
    folder.send("deletions", [valid_row("deletions", 3, WMCA)], "201912", site=WMCA)
    folder.run("2020-01-05")

    send_site(never_sent, BPL, "201612", without=[2], without_episodes=[5])
    send_site(never_sent, WMCA, "201912", without=[3])
    never_sent.run("2020-01-05")
    after = content(current(folder))
    assert after == content(current(never_sent))
    assert {table for table, rows in after.items() if rows != before[table]} >= {
        "core.contacts", "core.employment_outcomes", "core.participants", "core.randomisation", "core.referrals",
        "outcomes.episodes", "outcomes.jobs", "outcomes.kpi", "outcomes.trial_arms", "published.kpi",
    }  # fmt: skip
    references = [f"BPL-{kind}?000002" for kind in "ECJ"] + [f"BPL-{kind}000005" for kind in "ECJ"]
    references += [f"WM-{kind}?000003" for kind in "ECJR"]
    assert tables_with(current(folder), references) == set()
    shown = [p for p in (folder.paths.reports / BPL).iterdir() if p.suffix in (".html", ".json", ".csv")]
    assert shown and not [p for p in shown if "000002" in p.read_text()]

    export_as_of(Settings(data=folder.path, threads=1), datetime(2020, 1, 4, 12), tmp_path / "then.duckdb")
    assert content(tmp_path / "then.duckdb") == before

    # a nil return says that nothing is deleted any more
    for site in (BPL, WMCA):
        folder.send("deletions", [], "202001", site=site, manifest={"nil_return": True})
    folder.run("2020-02-04")
    assert content(current(folder)) == before


def rows_by_table(folder: DataFolder) -> dict[str, list[int]]:
    """The people of each table of BPL's rows, by number."""
    names = {"participants": "participant_ref", "referrals": "episode_id", "contacts": "contact_id"}
    return {
        table: [int(ref[-6:]) for (ref,) in folder.query(f"select {name} from core.{table} order by 1")]
        for table, name in names.items()
    }


FILES: dict[str, list[Row]] = {
    "participants": valid_rows("participants", 1, 2, 3),
    "referrals": valid_rows("referrals", 1, 2, 3),
    "contacts": valid_rows("contacts", 1, 2, 3),
    "deletions": [valid_row("deletions", 2)],
}


@pytest.mark.parametrize(
    "order",
    [
        pytest.param(["deletions", "participants", "referrals", "contacts"], id="before everything"),
        pytest.param(["contacts", "participants", "deletions", "referrals"], id="between", marks=pytest.mark.soak),
    ],
)
def test_the_order_of_arrival_does_not_matter(folder: DataFolder, order: list[str]) -> None:
    for day, dataset in enumerate(order, 3):
        folder.send(dataset, FILES[dataset])
        folder.run(f"2016-12-{day:02}")
    assert rows_by_table(folder) == {"participants": [1, 3], "referrals": [1, 3], "contacts": [1, 3]}
    assert folder.findings() == [("P21", "row", "broken", 3)] * 3
    assert folder.query("select found from audit.findings where rule_id = 'P21' group by all") == [
        ("named in your deletions file of 30 November 2016",)
    ]


def test_later_files_and_files_of_single_months_are_covered_and_no_consequence_is_reported(folder: DataFolder) -> None:
    """The site has left the person out of its people and referrals, and goes on sending the contacts."""
    folder.send_all(1, 2, 3)
    folder.send("deletions", [valid_row("deletions", 2)], "201611")
    for dataset in ("participants", "referrals", "employment_outcomes"):
        folder.send(dataset, valid_rows(dataset, 1, 3), "201612")
    later = [valid_row("contacts", n, contact_id=f"BPL-C{n + 100:06}", contact_date="2016-12-02") for n in (1, 2, 3)]
    folder.send("contacts", later, "201612", manifest={"extract_type": "period"})
    result = folder.run("2017-01-04")
    assert rows_by_table(folder) == {"participants": [1, 3], "referrals": [1, 3], "contacts": [1, 3, 101, 103]}
    # neither an orphan (P12) nor a record that is missing (F23): the cause is said once
    assert folder.findings() == [("P21", "row", "broken", 3)] * 2
    counts = folder.query(
        "select period, result, rows_accepted, rows_held, rows_deleted from audit.deliveries"
        " where dataset = 'contacts' order by 1"
    )
    assert counts == [("201611", "accepted", 2, 1, 1), ("201612", "accepted", 2, 1, 1)]
    assert not result.held


def test_deleted_rows_hold_up_no_file_and_their_own_faults_are_not_reported(folder: DataFolder) -> None:
    """25 of 60 rows are deleted, and three of them are at fault besides."""
    people = valid_rows("participants", *range(1, 61))
    for n in (0, 1, 2):
        people[n]["gender"] = "7"
    folder.send("participants", people)
    folder.send("deletions", valid_rows("deletions", *range(1, 26)), "201611")
    folder.run("2016-12-03")
    assert folder.standings("participants") == {"201611 v1": ("accepted", "current")}
    assert folder.count("core.participants") == 35
    held = [f for f in folder.findings("participants") if f[1] == "row"]
    assert held == [("P21", "row", "broken", n) for n in range(2, 27)]
    page = next(folder.paths.reports.rglob("*_participants_*.html")).read_text()
    assert "Accepted: nothing to do" in page
    assert "35 of 60 rows accepted. 25 rows of deleted records are left out." in page
    assert "You have deleted this record" in page and "named in your deletions file of 30 November 2016" in page
    report = json.loads(next(folder.paths.reports.rglob("*_participants_*.json")).read_text())
    assert (report["result"], report["must_act"], report["rows"]["held"]) == ("accepted", False, 25)


def test_single_records_and_episodes_leave_what_does_not_belong_to_them(folder: DataFolder) -> None:
    folder.send_all(1, 2, 3)
    contact = valid_row("deletions", 1, record_type="contacts", reference="BPL-C000001", reason="duplicate")
    folder.send("deletions", [contact, episode_deleted(3)], "201611")
    folder.run("2016-12-03")
    assert rows_by_table(folder) == {"participants": [1, 2, 3], "referrals": [1, 2], "contacts": [2]}
    assert folder.count("core.employment_outcomes") == 2


def test_an_episode_is_deleted_with_the_person_to_whom_the_last_referral_gives_it(folder: DataFolder) -> None:
    folder.send("participants", valid_rows("participants", 1, 2))
    folder.send("contacts", valid_rows("contacts", 1, 2))
    wrong = valid_row("referrals", 2, participant_ref="BPL-000001", referral_received_date="2016-05-01")
    folder.send("referrals", [valid_row("referrals", 1, exit_date="2016-08-01", exit_reason="moved_away"), wrong])
    folder.send("referrals", valid_rows("referrals", 1, 2), version=2)
    folder.send("deletions", [valid_row("deletions", 1)], "201611")
    folder.run("2016-12-03")
    assert rows_by_table(folder) == {"participants": [2], "referrals": [2], "contacts": [2]}


def test_a_deletion_counts_though_its_row_is_held_and_an_unknown_record_is_only_a_warning(folder: DataFolder) -> None:
    folder.send_all(1, 2, 3)
    misspelt = valid_row("deletions", 2, reason="changed their mind")
    folder.send("deletions", [misspelt, episode_deleted(3), valid_row("deletions", 9)], "201611")
    folder.run("2016-12-03")
    assert rows_by_table(folder) == {"participants": [1, 3], "referrals": [1], "contacts": [1]}
    assert folder.findings("deletions") == [("P22", "warning", "broken", 4), ("V02", "row", "broken", 2)]
    assert folder.query("select found, hidden from audit.findings where rule_id = 'P22'") == [(None, True)]
    assert folder.query("select distinct reference from core.deletions") == [("",)]


def test_a_deletion_that_is_gone_from_the_next_file_brings_the_rows_back(folder: DataFolder) -> None:
    folder.send_all(1, 2, 3)
    folder.send("deletions", [valid_row("deletions", 2), episode_deleted(3)], "201611")
    folder.run("2016-12-03")
    folder.send("deletions", [episode_deleted(3)], "201612")
    folder.run("2017-01-04")
    assert rows_by_table(folder) == {"participants": [1, 2, 3], "referrals": [1, 2], "contacts": [1, 2]}
    assert ("F23", "warning", "broken", None) in folder.findings("deletions")
    page = next(folder.paths.reports.rglob("*_contacts_*.html")).read_text()
    assert "no longer named in a deletions file" in page


def test_no_rule_looks_back_at_a_deleted_record(folder: DataFolder) -> None:
    """An allocation made in error was sent first: once it is deleted, the right one is not held for its arm (T02)."""
    for dataset in ("participants", "referrals"):
        folder.send(dataset, valid_rows(dataset, 1, site=WMCA), "201811", site=WMCA)
    folder.send("randomisation", [valid_row("randomisation", 1, WMCA, arm="control")], "201811", site=WMCA)
    right = valid_row("randomisation", 2, WMCA, participant_ref="WM-000001")
    folder.send("randomisation", [right], "201812", site=WMCA)
    in_error = valid_row("deletions", 1, WMCA, record_type="randomisation", reference="WM-R000001", **IN_ERROR)
    folder.send("deletions", [in_error], "201812", site=WMCA)
    folder.run("2019-01-04")
    assert folder.query("select randomisation_id, arm from core.randomisation") == [("WM-R000002", "ips")]
    assert folder.findings("randomisation") == []


TRIAL, WITH_PAYMENTS = "HLT-SCR", "WC-CPA01"  # between them they send every dataset about people


def test_every_dataset_about_people_is_covered_without_being_named(folder: DataFolder) -> None:
    """Rows of two people in each, found by the person or the episode that they name; one person is deleted."""
    about_people = [name for name, contract in datasets().items() if is_about_people(contract)]
    for site, letters in ((TRIAL, "SCR"), (WITH_PAYMENTS, "CPA")):
        for dataset in about_people:
            if returns_for(site)[dataset] == "none" or (site == WITH_PAYMENTS and dataset in ABOUT_EPISODES[1:]):
                continue
            fields = datasets()[dataset].by_name
            names = {"participant_ref": letters + "-{:06}", "episode_id": letters + "-E{:06}", "site_code": site}
            changes = ({f: names[f].format(n) for f in names if f in fields} for n in (1, 2))
            folder.send(dataset, sound(dataset, *changes), "201912", site=site)
        person = valid_row("deletions", 1, WMCA, reference=f"{letters}-000001")
        folder.send("deletions", [person], "201912", site=site)
    folder.run("2020-01-04")
    found = folder.query(
        "select dataset, source_row from audit.findings join audit.deliveries using (delivery_id)"
        " where rule_id = 'P21' group by all order by all"
    )
    assert {dataset for dataset, _ in found} == {*about_people}
    assert {row for _, row in found} == {2}
    # nothing else is said of these rows
    others = "select 1 from audit.findings where source_row = 2 and rule_id <> 'P21' and rule_id <> 'P22'"
    assert not folder.query(
        f"{others} and delivery_id in (select delivery_id from audit.findings where rule_id = 'P21')"
    )
    gone = "|".join(f"{s}-{kind}?000001" for s in ("SCR", "CPA") for kind in ("", "E"))
    assert tables_with(current(folder), [gone]) == set()
