"""Edge cases of a run: changing files, lost results, clocks put back, changed rules, wrong manifests, nil returns."""

from __future__ import annotations

import hashlib
import shutil
from importlib import import_module
from pathlib import Path

import pytest
from data_folder import BPL, WMCA, DataFolder, valid_row, valid_rows

from flows.orchestration import active_run, input_fingerprint
from flows.orchestration.active_run import ResultLost
from flows.settings import Settings
from flows.steps import validate_delivery
from flows.store.paths import NoDataFolder
from flows.store.results import ResultStore
from schemas.audit.deliveries import Result

NINO = "AB123456C"  # valid in form, belongs to nobody


def change_result_keys(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Change every result key, as a change to code or a contract does."""
    original = validate_delivery.result_key

    def changed(*args: object) -> str:
        return f"{name}{original(*args)}"[:32]  # type: ignore[arg-type]

    for module in (validate_delivery, active_run):
        monkeypatch.setattr(module, "result_key", changed)
    monkeypatch.setattr(input_fingerprint, "all_that_runs", lambda: name)


def test_an_overwritten_file_is_a_new_delivery_and_the_old_one_is_not_revalidated(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.send("contacts", valid_rows("contacts", 1, 2, 3))
    folder.run("2016-12-02")
    folder.send("contacts", valid_rows("contacts", 1))  # overwritten in place
    change_result_keys(monkeypatch, "new")
    result = folder.run("2016-12-03")
    read = folder.query(
        "select rows_read, standing from audit.deliveries where dataset = 'contacts' order by rows_read"
    )
    assert read == [(1, "current"), (3, "superseded")]
    assert not result.must_be_fixed
    later = folder.run("2016-12-04")
    assert later.result == "quiet" and not later.must_be_fixed  # an overwritten file needs no action


def test_a_file_that_grows_while_it_is_read_is_left_to_the_next_run(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder.send("contacts", valid_rows("contacts", 1, 2))
    validate_file = validate_delivery.validate_file

    def slowly(*args: object) -> object:
        verdict = validate_file(*args)  # type: ignore[arg-type]
        with path.open("a", encoding="utf-8") as file:
            file.write("\n")
        return verdict

    with monkeypatch.context() as patch:
        patch.setattr(validate_delivery, "validate_file", slowly)
        folder.run()
    assert folder.count("core.contacts") == 0
    folder.run()
    assert folder.count("core.contacts") == 2


def test_a_lost_validation_result_without_its_raw_file_stops_the_run(folder: DataFolder) -> None:
    path = folder.send("contacts", valid_rows("contacts", 1, 2))
    folder.send("participants", valid_rows("participants", 1, 2))
    first = folder.run()
    shutil.rmtree(folder.paths.results)
    folder.paths.results.mkdir()
    path.unlink()
    with pytest.raises(ResultLost):
        folder.run()
    assert folder.paths.current_link.resolve() == first.warehouse
    summaries = sorted((folder.paths.reports / "nights").glob("*.md"), key=lambda p: p.stat().st_mtime_ns)
    assert summaries[-1].read_text(encoding="utf-8").startswith("Not published")


@pytest.mark.with_marts
@pytest.mark.soak
def test_a_delivery_refused_by_a_newer_detector_is_purged_from_the_store_and_older_builds(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.send("contacts", valid_rows("contacts", 1))
    folder.run()
    folder.send("contacts", [valid_row("contacts", 1), valid_row("contacts", 2, staff_ref=NINO)], period="201612")
    with monkeypatch.context() as patch:
        patch.setattr(import_module("flows.steps.conform.personal_data"), "personal_rule", lambda *_: None)
        folder.run()
    assert folder.count("core.contacts") == 2
    change_result_keys(monkeypatch, "new")
    folder.run()
    assert folder.standings("contacts")["201612 v1"] == ("refused", "refused")
    assert len(list(folder.paths.builds.glob("*.duckdb"))) == 1
    stored = [p for p in folder.paths.results.glob("*/*") if ResultStore(folder.paths).verdict(p.name)]
    assert len(stored) == 2
    assert not [p for p in folder.paths.warehouse.rglob("*") if p.is_file() and NINO.encode() in p.read_bytes()]


@pytest.mark.soak
def test_the_same_bytes_with_a_fixed_manifest_are_a_new_delivery(folder: DataFolder) -> None:
    rows = valid_rows("contacts", 1, 2)
    folder.send("contacts", rows, manifest={"rows": 3})
    assert [j.verdict.result for j in folder.run().validated] == [Result.REFUSED]
    folder.send("contacts", rows, version=2, manifest={"rows": 2})
    folder.run()
    assert folder.standings("contacts") == {"201611 v1": ("refused", "refused"), "201611 v2": ("accepted", "current")}


def test_a_data_folder_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NoDataFolder):
        DataFolder(tmp_path / "elsewhere").run()
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.soak
def test_a_run_after_the_clock_was_put_back_takes_new_files_in(folder: DataFolder) -> None:
    folder.send("contacts", valid_rows("contacts", 1))
    folder.run("2031-01-01")
    folder.send("contacts", valid_rows("contacts", 1, 2), period="201612")
    folder.run()  # takes place now, years before the first run
    assert folder.count("core.contacts") == 2


@pytest.mark.soak
def test_the_first_allocation_is_the_earliest_dated_of_the_first_extract(folder: DataFolder) -> None:
    for dataset in ("participants", "referrals"):
        folder.send(dataset, valid_rows(dataset, 1, site=WMCA), "201806", site=WMCA)
    twice = [
        valid_row("randomisation", 1, WMCA, randomisation_id="WM-Z000009", arm="control", randomised_date="2018-06-10"),
        valid_row("randomisation", 1, WMCA, arm="ips"),  # the earlier date, on a later line
    ]
    folder.send("randomisation", twice, "201806", site=WMCA)
    folder.run("2018-07-02")
    assert folder.findings("randomisation") == [("T01", "row", "broken", 2)]
    for dataset in ("participants", "referrals"):
        folder.send(dataset, valid_rows(dataset, 1, site=WMCA), "201807", site=WMCA)
    folder.send("randomisation", [valid_row("randomisation", 1, WMCA, arm="control")], "201807", site=WMCA)
    folder.run("2018-08-02")
    assert folder.query("select arm, source_row from core.randomisation") == [("ips", 3)]


def test_an_unknown_reading_group_stops_the_run(folder: DataFolder) -> None:
    """A reading group that does not exist stops the run before anything is promoted."""
    folder.send("contacts", valid_rows("contacts", 1))
    with pytest.raises(LookupError):
        folder.run(reading_group="no-such-group-here")
    assert not folder.paths.current_link.exists()
    assert Settings(data=folder.path).reading_group == "" and BPL in {p.name for p in folder.paths.raw.iterdir()}


def test_a_nil_return_leaves_the_rows_of_the_previous_delivery(folder: DataFolder) -> None:
    folder.send("contacts", valid_rows("contacts", 1, 2))
    folder.run("2016-12-02")
    folder.send("contacts", [], period="201612", manifest={"nil_return": "Y", "rows": 0})
    folder.run("2017-01-03")
    assert folder.count("core.contacts") == 2
    assert folder.standings("contacts") == {"201611 v1": ("accepted", "current"), "201612 v1": ("accepted", "empty")}


def test_a_nil_return_with_rows_is_refused(folder: DataFolder) -> None:
    folder.send("contacts", valid_rows("contacts", 1), manifest={"nil_return": True})
    folder.run()
    assert [f[:2] for f in folder.findings("contacts")] == [("F16", "file")]


@pytest.mark.soak
def test_a_file_with_every_row_held_does_not_supersede_the_last(folder: DataFolder) -> None:
    folder.send("contacts", valid_rows("contacts", *range(1, 31)))
    folder.run("2016-12-02")
    repeated = valid_rows("contacts", *range(1, 31)) + [
        valid_row("contacts", n, contact_type="review") for n in range(1, 31)
    ]
    folder.send("contacts", repeated, period="201612")
    folder.send("participants", [valid_row("participants", 1, gender="wizard")], period="201612")
    folder.send("participants", valid_rows("participants", 1))
    folder.run("2017-01-03")
    assert folder.count("core.contacts") == 30 and folder.count("core.participants") == 1
    assert folder.standings("contacts")["201612 v1"] == ("refused", "refused")
    assert folder.standings("participants")["201612 v1"] == ("accepted_with_held_rows", "empty")


def test_an_exception_in_one_file_does_not_stop_the_others(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    for dataset in ("participants", "contacts"):
        folder.send(dataset, valid_rows(dataset, 1, 2))
    validate_file = validate_delivery.validate_file

    def breaks_on_contacts(path: Path, *others: object) -> object:
        if "contacts" in path.name:
            raise ValueError(f"a row said {NINO}")
        return validate_file(path, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(validate_delivery, "validate_file", breaks_on_contacts)
    result = folder.run()
    assert result.must_be_fixed and result.result == "published"
    assert folder.count("core.contacts") == 0 and folder.count("core.participants") == 2
    assert "by a fault of ours: an error of the kind ValueError" in result.reported.summary
    assert NINO not in result.reported.summary


@pytest.mark.soak
def test_files_that_are_no_delivery_are_listed(folder: DataFolder) -> None:
    site_folder = folder.send("contacts", valid_rows("contacts", 1)).parent
    (site_folder / "November").mkdir()
    (site_folder / f"{BPL}_contacts_201613_v1.csv").write_text("x")
    (site_folder / "Jane Smith 943 476 5919.csv").write_text("x")
    (site_folder / f"{BPL}_referrals_201611_v1.csv").symlink_to(site_folder / "gone.csv")
    (folder.paths.raw / "comments.csv").write_text("x")
    (site_folder / "R\udce9sum\udce9.csv").write_bytes(b"xy")
    result = folder.run()
    assert {(u.path, u.rule_id) for u in result.unusable} == {
        (f"{BPL}/November", "F21"),
        (f"{BPL}/{BPL}_contacts_201613_v1.csv", "F21"),
        (f"{BPL}/(a file of 1 bytes whose name may hold personal data)", "F21"),
        (f"{BPL}/{BPL}_referrals_201611_v1.csv", "U01"),
        ("comments.csv", "F21"),
        (f"{BPL}/(a file of 2 bytes whose name may hold personal data)", "F21"),
    }
    assert result.must_be_fixed and folder.count("core.contacts") == 1
    again = folder.run()
    assert again.result == "quiet" and not again.must_be_fixed and "comments.csv" in again.reported.summary


def test_files_with_redacted_names_are_numbered(folder: DataFolder) -> None:
    site_folder = folder.send("contacts", valid_rows("contacts", 1)).parent
    for name in ("Jane Smith", "John Smith"):
        (site_folder / f"{name}.csv").write_text(name)
    hidden = f"{BPL}/(a file of 10 bytes whose name may hold personal data)"
    assert [u.path for u in folder.run().unusable] == [hidden, f"{hidden} (2)"]
    again = folder.run()
    assert again.result == "quiet" and not again.must_be_fixed


WRONG_MANIFESTS = (
    "{bad", "[]", '{"rows": "5 rows"}', '{"rows": Infinity}', '{"rows": [1]}', '{"rows": -1}', "[" * 100_000,
    '{"data_cut_date": 20161130}', '{"data_cut_date": "2106-11-30"}', '{"extract_type": "Cumulative"}',
    '{"sha256": "abc"}', '{"gbp_total": NaN}',
)  # fmt: skip


def test_an_invalid_manifest_keeps_only_its_own_file_out(folder: DataFolder) -> None:
    sent = {folder.send("contacts", valid_rows("contacts", 1), version=n): t for n, t in enumerate(WRONG_MANIFESTS, 1)}
    for path, text in sent.items():
        path.with_name(f"{path.stem}.manifest.json").write_text(text)
    folder.send("participants", valid_rows("participants", 1))
    result = folder.run()
    assert {(u.path, u.rule_id) for u in result.unusable} == {(f"{BPL}/{path.name}", "F16") for path in sent}
    assert folder.count("core.contacts") == 0 and folder.count("core.participants") == 1


def test_a_checksum_may_be_in_capitals(folder: DataFolder) -> None:
    path = folder.send("contacts", valid_rows("contacts", 1))
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest().upper()
    folder.send("contacts", valid_rows("contacts", 1), manifest={"sha256": sha256, "gbp_total": 0})
    folder.run()
    assert folder.standings("contacts") == {"201611 v1": ("accepted", "current")}


@pytest.mark.soak
def test_the_first_arm_is_that_of_the_lowest_version_number(folder: DataFolder) -> None:
    for dataset in ("participants", "referrals"):
        folder.send(dataset, valid_rows(dataset, 1, site=WMCA), "201806", site=WMCA)
    for version, arm in ((2, "ips"), (10, "control")):
        folder.send("randomisation", [valid_row("randomisation", 1, WMCA, arm=arm)], "201806", version, WMCA)
    folder.run("2018-07-02")
    assert folder.query("select arm from core.randomisation") == [("ips",)]


@pytest.mark.soak
def test_later_summaries_repeat_refusals_and_list_changed_reports(folder: DataFolder) -> None:
    folder.send_all(1, 2)
    folder.run("2016-12-02")
    folder.send("employment_outcomes", [], period="201612")  # refused because it has no rows
    folder.run("2017-01-03")
    folder.send(
        "referrals", [valid_row("referrals", 1), valid_row("referrals", 2, source_of_referral="??")], period="201612"
    )
    summary = folder.run("2017-01-04").reported.summary
    assert "Employment outcomes: figures to 30 November 2016 stay current" in summary
    assert f"`{BPL}/{BPL}_contacts_201611_v1.csv`: its report changed with what else came in: 1 of 2 rows" in summary


@pytest.fixture
def manifest(folder: DataFolder) -> Path:
    """The manifest of a nil return whose file has not arrived."""
    path = folder.send("contacts", [], manifest={"nil_return": True})
    path.unlink()
    return path.with_name(f"{path.stem}.manifest.json")


@pytest.mark.soak
def test_a_manifest_without_its_file_is_listed_until_the_file_arrives(folder: DataFolder, manifest: Path) -> None:
    folder.send("participants", valid_rows("participants", 1))
    runs = [folder.run(f"2016-12-0{run}") for run in (2, 3, 4)]
    line = f"- `{BPL}/{manifest.name}` was not taken in (F16): "
    first, *later = [run.reported.summary.partition(line)[2].splitlines()[0] for run in runs]
    assert "has not come yet" in first and all("headings alone), or delete the manifest" in text for text in later)
    assert [run.must_be_fixed for run in runs] == [False, True, False], "listed in every run, must be fixed only once"
    folder.send("contacts", [])
    taken = folder.run("2016-12-05")
    assert not taken.must_be_fixed and line not in taken.reported.summary
    assert folder.standings("contacts") == {"201611 v1": ("accepted", "current")}
    assert line not in folder.run("2016-12-06").reported.summary


@pytest.mark.soak
def test_a_manifest_that_arrives_before_its_file_needs_no_action(folder: DataFolder, manifest: Path) -> None:
    assert not folder.run("2016-12-02").must_be_fixed
    folder.send("contacts", [])
    taken = folder.run("2016-12-03")
    assert not taken.must_be_fixed and manifest.name not in taken.reported.summary


@pytest.mark.soak
def test_a_manifest_left_after_its_file_was_received_is_not_listed(folder: DataFolder) -> None:
    """A raw file may be deleted once it was received."""
    folder.send("contacts", valid_rows("contacts", 1), manifest={"rows": 1})
    folder.run("2016-12-02")
    folder.send("contacts", valid_rows("contacts", 1)).unlink()
    for day in (3, 4):
        result = folder.run(f"2016-12-0{day}")
        assert not result.must_be_fixed and "was not taken in" not in result.reported.summary


@pytest.mark.soak
def test_a_manifest_alone_is_listed_without_a_name_that_may_be_personal(folder: DataFolder) -> None:
    (folder.paths.raw / BPL).mkdir()
    (folder.paths.raw / BPL / "John Smith.manifest.json").write_text("{}")
    (folder.paths.raw / "contacts.manifest.json").write_text("{}")
    unusable = [folder.run(f"2016-12-0{n}").unusable for n in (2, 3)]
    assert unusable[0] == ()
    assert {u.path for u in unusable[1]} == {
        f"{BPL}/(a file of 2 bytes whose name may hold personal data)",
        "contacts.manifest.json",
    }
