"""Nights on which the world does not hold still: files change, judgements are lost, clocks go back, rules improve."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from made_up_returns import BPL, WMCA, DataFolder, people, sound

from flows import judgement, run
from flows.run import JudgementLost
from flows.settings import Settings
from flows.store.judgements import Judgements
from flows.store.places import NoDataFolder
from schemas.audit.deliveries import Result

NINO = "AB123456C"  # of the right form, and nobody's


def a_rule_changes(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Every judgement has another address from now on, as when the code or a contract is mended."""
    first = judgement.judgement_key

    def changed(*args: object) -> str:
        return f"{name}{first(*args)}"[:32]  # type: ignore[arg-type]

    for module in (judgement, run):
        monkeypatch.setattr(module, "judgement_key", changed)


def test_a_delivery_is_never_judged_by_the_bytes_of_another(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.send("contacts", people("contacts", 1, 2, 3))
    folder.night("2016-12-02")
    path = folder.send("contacts", people("contacts", 1))  # overwritten in place
    a_rule_changes(monkeypatch, "new")
    result = folder.night("2016-12-03")
    read = folder.ask("select rows_read, standing from audit.deliveries where dataset = 'contacts' order by rows_read")
    assert read == [(1, "current"), (3, "superseded")]
    assert path.exists() and "changed while it was read" in result.reported.summary


def test_a_file_that_grows_while_it_is_read_is_left_to_the_next_night(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder.send("contacts", people("contacts", 1, 2))
    judge_file = judgement.judge_file

    def slowly(*args: object) -> object:
        verdict = judge_file(*args)  # type: ignore[arg-type]
        with path.open("a", encoding="utf-8") as file:
            file.write("\n")
        return verdict

    with monkeypatch.context() as patch:
        patch.setattr(judgement, "judge_file", slowly)
        folder.night()
    assert folder.count("core.contacts") == 0
    folder.night()
    assert folder.count("core.contacts") == 2


def test_a_lost_judgement_stops_the_night(folder: DataFolder) -> None:
    path = folder.send("contacts", people("contacts", 1, 2))
    first = folder.night()
    shutil.rmtree(folder.places.judgements)
    folder.places.judgements.mkdir()
    path.unlink()
    with pytest.raises(JudgementLost):
        folder.night()
    assert folder.places.pointer.resolve() == first.warehouse
    summaries = sorted((folder.places.reports / "nights").glob("*.md"), key=lambda p: p.stat().st_mtime_ns)
    assert summaries[-1].read_text(encoding="utf-8").startswith("Not published")


def test_what_a_better_detector_refuses_leaves_the_store_and_the_older_builds(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.send("contacts", people("contacts", 1))
    folder.night()
    folder.send("contacts", [sound("contacts", 1), sound("contacts", 2, staff_ref=NINO)], period="201612")
    with monkeypatch.context() as patch:
        patch.setattr("flows.steps.conform.personal_rule", lambda *_: None)
        folder.night()
    assert folder.count("core.contacts") == 2
    a_rule_changes(monkeypatch, "new")
    folder.night()
    assert folder.standings("contacts")["201612 v1"] == ("refused", "refused")
    assert len(list(folder.places.builds.glob("*.duckdb"))) == 1
    kept = [p for p in folder.places.judgements.glob("*/*") if Judgements(folder.places).verdict(p.name)]
    assert len(kept) == 2
    assert not [p for p in folder.places.warehouse.rglob("*") if p.is_file() and NINO.encode() in p.read_bytes()]


def test_the_same_bytes_with_a_mended_manifest_are_a_new_delivery(folder: DataFolder) -> None:
    rows = people("contacts", 1, 2)
    folder.send("contacts", rows, manifest={"rows": 3})
    assert [j.verdict.result for j in folder.night().judged] == [Result.REFUSED]
    folder.send("contacts", rows, version=2, manifest={"rows": 2})
    folder.night()
    assert folder.standings("contacts") == {"201611 v1": ("refused", "refused"), "201611 v2": ("accepted", "current")}


def test_a_wrong_folder_is_not_an_empty_world(tmp_path: Path) -> None:
    with pytest.raises(NoDataFolder):
        DataFolder(tmp_path / "elsewhere").night()
    assert not (tmp_path / "elsewhere").exists()


def test_a_clock_that_was_put_back_hides_nothing(folder: DataFolder) -> None:
    folder.send_all(1)
    folder.night("2031-01-01")
    folder.send_all(1, 2, period="201612")
    folder.night()  # by this machine's clock, years before
    assert folder.count("core.contacts") == 2


def test_the_first_allocation_is_the_earliest_of_the_first_extract(folder: DataFolder) -> None:
    for dataset in ("participants", "referrals"):
        folder.send(dataset, people(dataset, 1, site=WMCA), "201806", site=WMCA)
    twice = [
        sound("randomisation", 1, WMCA, randomisation_id="WM-Z000009", arm="control", randomised_date="2018-06-10"),
        sound("randomisation", 1, WMCA, arm="ips"),  # the earlier one, lower down
    ]
    folder.send("randomisation", twice, "201806", site=WMCA)
    folder.night("2018-07-02")
    assert folder.findings("randomisation") == [("T01", "row", "broken", 2)]
    for dataset in ("participants", "referrals"):
        folder.send(dataset, people(dataset, 1, site=WMCA), "201807", site=WMCA)
    folder.send("randomisation", [sound("randomisation", 1, WMCA, arm="control")], "201807", site=WMCA)
    folder.night("2018-08-02")
    assert folder.ask("select arm, source_row from core.randomisation") == [("ips", 3)]


def test_reading_group_and_settings_are_of_this_machine(folder: DataFolder) -> None:
    """A group that does not exist stops the night before anything is published."""
    folder.send("contacts", people("contacts", 1))
    with pytest.raises(LookupError):
        folder.night(reading_group="no-such-group-here")
    assert not folder.places.pointer.exists()
    assert Settings(data=folder.path).reading_group == "" and BPL in {p.name for p in folder.places.raw.iterdir()}
