"""Whole nightly runs without Prefect: what is validated, which deliveries count, what is promoted and reported."""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest
from data_folder import BPL, NHS_NUMBER, WMCA, DataFolder, valid_row, valid_rows, warehouse_content

from flows.nightly import RunResult
from flows.orchestration.as_of import export_as_of
from flows.settings import Settings
from flows.store.ledger.runs import EarlierThanKnown

DEC, JAN, FEB = "2016-12-02T03:30", "2017-01-03T03:30", "2017-02-02T03:30"


def validated(outcome: RunResult, folder: DataFolder) -> int:
    """Number of deliveries that a run validated, from the ledger."""
    [run] = [r for r in folder.ledger_runs() if r["run_id"] == outcome.run_id]
    return int(run["deliveries_judged"])


def summary(outcome: RunResult) -> str:
    return outcome.reported.summary


@pytest.mark.with_marts
def test_the_first_run_promotes_a_build_and_the_second_is_a_no_op(folder: DataFolder) -> None:
    folder.send_all(1, 2, 3)
    folder.send_office_files()
    first, sent = folder.run(), len(list(folder.paths.raw.glob("*/*.csv")))
    assert (first.result, validated(first, folder)) == ("published", sent) and sent > 10
    assert {r for r, _ in folder.standings("contacts").values()} == {"accepted"}
    assert folder.count("core.contacts") == 3
    caps = folder.query("select award_stage, sum(amount)::bigint from core.funding_awards where programme_code = 'MHT'"
                      " and award_stage in ('indicative_cap', 'announced') group by 1 order by 1")  # fmt: skip
    assert caps == [("announced", 6_000_000), ("indicative_cap", 7_000_000)]
    assert len(first.reported.pages) == sent and all(p.exists() for p in first.reported.pages.values())
    before = folder.files_under("reports", "warehouse")
    second = folder.run()
    assert (second.result, second.warehouse, validated(second, folder)) == ("quiet", first.warehouse, 0)
    assert summary(second).startswith("Nothing changed since")
    assert second.validated == () and second.reported.pages == {}
    assert folder.files_under("reports", "warehouse") - before == {f"reports/nights/{second.run_id}.md"}


def test_a_run_on_an_empty_data_folder_succeeds(folder: DataFolder) -> None:
    assert folder.run().result == "published"
    assert folder.count("core.contacts") == 0 and folder.count("core.sites") > 20
    assert folder.run().result == "quiet"


@pytest.mark.soak
def test_a_touched_file_is_not_validated_again_and_a_changed_one_is(folder: DataFolder) -> None:
    for dataset in ("participants", "contacts"):
        folder.send(dataset, valid_rows(dataset, 1, 2, 3))
    folder.run()
    contacts = folder.paths.raw / BPL / f"{BPL}_contacts_201611_v1.csv"
    os.utime(contacts)
    touched = folder.run()
    assert (touched.result, validated(touched, folder)) == ("quiet", 0)
    folder.send("contacts", valid_rows("contacts", 1, 2))
    changed = folder.run()
    assert (changed.result, validated(changed, folder)) == ("published", 1)
    assert [j.delivery.dataset for j in changed.validated] == ["contacts"]
    assert folder.count("core.contacts") == 2


@pytest.mark.soak
def test_an_identical_resubmission_changes_no_figures_and_is_reported(folder: DataFolder) -> None:
    folder.send("contacts", valid_rows("contacts", 1, 2))
    folder.run(DEC)
    before = folder.query("from core.contacts order by all")
    folder.send("contacts", valid_rows("contacts", 1, 2), version=2)
    again = folder.run(JAN)
    assert validated(again, folder) == 0
    assert folder.standings("contacts") == {"201611 v1": ("accepted", "current"), "201611 v2": ("accepted", "same")}
    assert folder.query("from core.contacts order by all") == before
    assert f"`{BPL}/{BPL}_contacts_201611_v2.csv` is identical to one already received (F17)" in summary(again)
    [page] = again.reported.pages.values()
    assert "identical to one already received" in page.read_text(encoding="utf-8")


@pytest.mark.soak
def test_a_version_that_restores_earlier_bytes_is_current(folder: DataFolder) -> None:
    """Version 3 has the bytes of version 1, not of the latest version, so it is no identical resubmission."""
    one, two = [valid_row("contacts", 1), valid_row("contacts", 2, contact_type="chat")], valid_rows("contacts", 1, 2)
    for dataset in ("participants", "referrals"):
        folder.send(dataset, valid_rows(dataset, 1, 2))
    for version, (rows, moment) in enumerate([(one, DEC), (two, JAN), (one, FEB)], 1):
        folder.send("contacts", rows, version=version)
        folder.run(moment)
    assert folder.standings("contacts") == {
        "201611 v1": ("accepted_with_held_rows", "superseded"),
        "201611 v2": ("accepted", "superseded"),
        "201611 v3": ("accepted_with_held_rows", "current"),
    }
    assert folder.count("core.contacts") == 1
    held_by = folder.query(
        "select version, rule_id from audit.findings join audit.deliveries using (delivery_id) order by 1"
    )
    assert held_by == [(1, "V02"), (3, "V02")]


@pytest.mark.soak
def test_a_later_period_supersedes_and_an_older_one_is_stale(folder: DataFolder) -> None:
    folder.send("contacts", valid_rows("contacts", 1))
    folder.run(DEC)
    folder.send("contacts", valid_rows("contacts", 1, 2, 3), period="201612")
    folder.run(JAN)
    assert folder.standings("contacts") == {
        "201611 v1": ("accepted", "superseded"),
        "201612 v1": ("accepted", "current"),
    }
    assert folder.count("core.contacts") == 3
    folder.send("contacts", valid_rows("contacts", 1, 2), period="201611", version=2)
    late = folder.run(FEB)
    assert folder.standings("contacts")["201611 v2"][1] == "stale"
    assert folder.count("core.contacts") == 3
    assert f"`{BPL}/{BPL}_contacts_201611_v2.csv` is older than the one accepted (F18)" in summary(late)
    [page] = late.reported.pages.values()
    assert "older than the one already accepted" in page.read_text(encoding="utf-8")


def test_a_refused_version_leaves_the_accepted_one_current_and_lists_outdated_figures(folder: DataFolder) -> None:
    for dataset in ("participants", "referrals", "contacts"):
        folder.send(dataset, valid_rows(dataset, 1, 2))
    folder.run(DEC)
    rows = valid_rows("contacts", 1, 2, 3)
    for row in rows:
        del row["contact_date"]
    folder.send("contacts", rows, period="201612")
    refused = folder.run(JAN)
    assert folder.standings("contacts") == {
        "201611 v1": ("accepted", "current"),
        "201612 v1": ("refused", "refused"),
    }
    assert folder.count("core.contacts") == 2
    assert [j.delivery.period for j in refused.stopped] == ["201612"]
    assert "1 refused" in summary(refused).splitlines()[0]
    outdated = summary(refused).partition("## Whose figures are old")[2].partition("##")[0]
    assert "Blackpool" in outdated and "ontacts" in outdated and "30 November 2016" in outdated
    assert [f[0] for f in folder.findings("contacts")] == ["F09"]


@pytest.mark.soak
def test_period_extracts_add_up_and_a_repeated_key_is_held(folder: DataFolder) -> None:
    period = {"extract_type": "period"}
    for dataset in ("participants", "referrals"):
        folder.send(dataset, valid_rows(dataset, 1, 2, 3))
    folder.send("contacts", valid_rows("contacts", 1, 2), "201611", manifest=period)
    folder.run(DEC)
    again = valid_row("contacts", 2, duration_minutes="30")
    folder.send("contacts", [again, valid_row("contacts", 3)], "201612", manifest=period)
    folder.run(JAN)
    assert folder.standings("contacts") == {
        "201611 v1": ("accepted", "current"),
        "201612 v1": ("accepted_with_held_rows", "current"),
    }
    assert folder.query("select contact_id, duration_minutes from core.contacts order by 1") == [
        ("BPL-C000001", 45),
        ("BPL-C000002", 45),
        ("BPL-C000003", 45),
    ]
    assert folder.findings("contacts") == [("P04", "row", "broken", 2)]


@pytest.mark.with_marts
@pytest.mark.soak
def test_as_of_a_past_date_equals_the_build_of_that_date(folder: DataFolder) -> None:
    folder.send_all(1)
    build = folder.run(DEC).warehouse
    assert build
    content = warehouse_content(build)
    folder.send_all(1, 2, period="201612")
    folder.run(JAN)
    assert folder.count("core.contacts") == 2
    assert export_as_of(Settings(data=folder.path), datetime(2016, 12, 20), past := folder.path / "past.duckdb")
    assert warehouse_content(past) == content and not list(folder.path.glob(".*unfinished*"))
    assert past.stat().st_mode & 0o077 == 0, "rows about people can be read by others than who asked for them"
    assert folder.count("core.contacts") == 2  # the promoted build is unchanged
    with pytest.raises(EarlierThanKnown):
        folder.run("2016-12-20")


def test_rows_that_refer_to_a_held_participant_are_held(folder: DataFolder) -> None:
    folder.send_all(1, 2, 3)
    folder.send(
        "participants", [*valid_rows("participants", 1, 2), valid_row("participants", 3, consent_data_sharing="N")]
    )
    folder.run()
    assert folder.findings() == [
        ("P12", "row", "broken", 4),
        ("P12", "row", "broken", 4),
        ("P12", "row", "broken", 4),
        ("P19", "row", "broken", 4),
    ]
    for dataset in ("participants", "referrals", "contacts", "employment_outcomes"):
        assert folder.count(f"core.{dataset}") == 2
        assert folder.standings(dataset) == {"201611 v1": ("accepted_with_held_rows", "current")}


def test_a_rule_that_needs_a_missing_dataset_is_not_judged_and_holds_no_row(folder: DataFolder) -> None:
    folder.send("contacts", valid_rows("contacts", 1, 2))
    folder.run()
    assert folder.count("core.contacts") == 2
    assert ("P12", "warning", "not judged", None) in folder.findings()
    assert {outcome for _, _, outcome, _ in folder.findings()} == {"not judged"}
    folder.send("participants", valid_rows("participants", 1))
    folder.send("referrals", valid_rows("referrals", 1))
    folder.run()
    assert folder.count("core.contacts") == 1
    assert folder.findings("contacts") == [("P12", "row", "broken", 3)]


@pytest.mark.soak
def test_a_changed_trial_arm_is_held_and_the_first_stays_in_core(folder: DataFolder) -> None:
    for period, moment, arm in (("201806", "2018-07-02", "ips"), ("201807", "2018-08-02", "control")):
        for dataset in ("participants", "referrals"):
            folder.send(dataset, valid_rows(dataset, 1, 2, site=WMCA), period, site=WMCA)
        allocations = [valid_row("randomisation", 1, WMCA, arm=arm), valid_row("randomisation", 2, WMCA, arm="control")]
        folder.send("randomisation", allocations, period, site=WMCA)
        folder.run(moment)
    assert folder.query(
        "select participant_ref, arm, period from core.randomisation join audit.deliveries using (delivery_id)"
        " order by 1"
    ) == [("WM-000001", "ips", "201806"), ("WM-000002", "control", "201807")]
    assert folder.findings("randomisation") == [("T02", "row", "broken", 2)]
    assert folder.standings("randomisation", WMCA) == {
        "201806 v1": ("accepted", "superseded"),
        "201807 v1": ("accepted_with_held_rows", "current"),
    }
    assert folder.run("2018-08-03").result == "quiet"


def test_a_nil_return_is_accepted_and_an_empty_file_is_refused(folder: DataFolder) -> None:
    folder.send("employment_outcomes", [])
    folder.send("contacts", [], manifest={"nil_return": True, "rows": 0})
    folder.run()
    assert folder.standings("contacts") == {"201611 v1": ("accepted", "current")}
    assert folder.standings("employment_outcomes") == {"201611 v1": ("refused", "refused")}
    assert [f[:2] for f in folder.findings("employment_outcomes")] == [("F01", "file")]


def test_a_file_that_disagrees_with_its_manifest_is_refused(folder: DataFolder) -> None:
    folder.send("contacts", valid_rows("contacts", 1, 2), manifest={"rows": 3})
    folder.run()
    assert folder.standings("contacts") == {"201611 v1": ("refused", "refused")}
    assert [f[:2] for f in folder.findings("contacts")] == [("F16", "file")]


def readable_bytes(path: Path) -> bytes:
    """The bytes of a file, and the decoded values of Parquet and DuckDB files, which are compressed."""
    text = path.read_bytes()
    if path.suffix == ".parquet":
        text += pl.read_parquet(path).write_csv().encode()
    if path.suffix == ".duckdb":
        text += repr(warehouse_content(path)).encode()
    return text


@pytest.mark.with_marts
def test_no_value_of_a_file_with_personal_data_is_stored(folder: DataFolder) -> None:
    """In a cell of an accepted row, a held row and a malformed row, and in a column of its own."""
    folder.send_all(1, 2)
    folder.send("contacts", [valid_row("contacts", 1, staff_ref=NHS_NUMBER), valid_row("contacts", 2)])
    folder.send("referrals", [valid_row("referrals", 1, support_model="x", jobcentre_district=f"NHS no {NHS_NUMBER}")])
    folder.send("participants", [{**valid_row("participants", 1), "NHS number": NHS_NUMBER.replace(" ", "")}])
    staff = [valid_row("contacts", 1, staff_ref=NHS_NUMBER.replace(" ", ""))]  # valid as a staff reference
    folder.send("contacts", staff, version=2)
    malformed = folder.send("employment_outcomes", valid_rows("employment_outcomes", 1, 2))
    malformed.write_text(f"{malformed.read_text(encoding='utf-8')}BPL-J000009,,{NHS_NUMBER},\n", encoding="utf-8")
    outcome = folder.run()
    assert set(folder.standings("contacts").values()) == {("refused", "refused")}
    assert folder.standings("referrals") == {"201611 v1": ("refused", "refused")}
    assert folder.standings("participants") == {"201611 v1": ("refused", "refused")}
    assert {f[0] for f in folder.findings("contacts")} == {"P01"}
    assert "## Personal data to delete" in summary(outcome)
    stored = sorted(folder.files_under("warehouse", "reports"))
    assert any(p.endswith("held.parquet") for p in stored) and any(p.endswith("ledger.sqlite") for p in stored)
    digits = NHS_NUMBER.replace(" ", "").encode()
    leaks = [p for p in stored if digits in readable_bytes(folder.path / p).replace(b" ", b"")]
    assert leaks == []


def test_files_with_unknown_names_are_listed_in_the_summary(folder: DataFolder) -> None:
    sent = folder.send("contacts", valid_rows("contacts", 1))
    for name in ("notes.csv", f"{BPL}_contact_201611_v1.csv", f"{BPL}_contacts_201613_v1.csv"):
        (sent.parent / name).write_bytes(sent.read_bytes())
    (folder.paths.raw / WMCA).mkdir()
    (folder.paths.raw / WMCA / sent.name).write_bytes(sent.read_bytes())
    nowhere = folder.paths.raw / "MHT-XXX"
    nowhere.mkdir()
    (nowhere / "MHT-XXX_contacts_201611_v1.csv").write_bytes(sent.read_bytes())
    (sent.parent / f"{BPL}_contakts_201611_v1.csv").write_bytes(sent.read_bytes())
    for ignored in (".hidden", "~$open.xlsx", "Thumbs.db", "desktop.ini"):
        (sent.parent / ignored).write_text("not a file of the site", encoding="utf-8")
    text = summary(folder.run())
    for name in ("notes.csv", f"{BPL}_contacts_201613_v1.csv"):
        assert f"`{BPL}/{name}` was not taken in (F21): its name is not `<site>_<dataset>_<yyyymm>_v<n>.<ext>`" in text
    assert f"`{WMCA}/{sent.name}` was not taken in (F21): it lies in another folder than its site's, {BPL}" in text
    assert "was not taken in (F21): its name begins with a site code that is not registered" in text
    assert "was not taken in (F21): there is no dataset of that name" in text
    assert not any(part in text for part in ("hidden", "~$", "Thumbs", "desktop", "of 22 bytes"))
    assert folder.count("audit.deliveries") == 1


def test_rows_read_equal_accepted_held_repeated_and_not_data(folder: DataFolder) -> None:
    rows = [*valid_rows("contacts", *range(1, 41)), valid_row("contacts", 1), valid_row("contacts", 41, attended="9")]
    for dataset in ("participants", "referrals"):
        folder.send(dataset, valid_rows(dataset, *range(1, 40)))
    path = folder.send("contacts", rows)
    text = path.read_text(encoding="utf-8")
    heading = text.splitlines()[0]
    path.write_text(f"{text}{heading}\n,,,,,,,,\nBPL-C000042,torn\n", encoding="utf-8")
    folder.run()
    assert folder.query(
        "select rows_read, rows_accepted, rows_held, rows_repeated, rows_not_data from audit.deliveries"
        " where dataset = 'contacts'"
    ) == [(45, 39, 3, 1, 2)]
    # held: the unlisted code, the malformed row, and person 40, who has no referral
    assert folder.query(
        "select rule_id, source_row from audit.findings join audit.deliveries using (delivery_id)"
        " where severity = 'row' and dataset = 'contacts' order by 2"
    ) == [("P12", 41), ("V02", 43), ("F13", 46)]
    assert folder.query(
        "select delivery_id from audit.deliveries"
        " where rows_read <> rows_accepted + rows_held + rows_repeated + rows_not_data"
    ) == []  # fmt: skip


@pytest.mark.soak
def test_a_report_states_accepted_and_held_rows(folder: DataFolder) -> None:
    folder.send("contacts", [valid_row("contacts", 1), valid_row("contacts", 2, attended="9")])
    pages = folder.run().reported.pages
    page = next(p for i, p in pages.items() if "_contacts_" in i)
    report = json.loads(page.with_suffix(".report.json").read_text(encoding="utf-8"))
    assert report["rows"]["accepted"] == 1 and report["rows"]["held"] == 1
