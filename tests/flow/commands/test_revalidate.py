"""`pilots revalidate` and corrections: what a change affects is re-validated, and the site's page says so."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from commands import clean_environment, copy_project, pilots, pilots_in_process
from data_folder import BPL, PROJECT, DataFolder, valid_row, valid_rows, warehouse_content, write_corrections
from soak import in_soak

from flows.nightly import run_pipeline
from flows.orchestration import active_run
from flows.orchestration.run import Scope
from flows.settings import Settings
from flows.steps import validate_delivery

REVALIDATE = Scope(new_files=False)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project's code."""
    return copy_project(tmp_path / "project")


def page(folder: DataFolder, dataset: str = "contacts", version: int = 1) -> str:
    """The site's page, with runs of white space collapsed."""
    path = folder.paths.reports / BPL / f"{BPL}_{dataset}_201611_v{version}.html"
    return " ".join(path.read_text(encoding="utf-8").split())


def digests_of(folder: DataFolder) -> dict[str, str]:
    """Digest of every file below the data folder, target of every link, and every folder."""

    def digest(path: Path) -> str:
        if path.is_symlink():
            return str(path.readlink())
        return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"

    return {p.relative_to(folder.path).as_posix(): digest(p) for p in sorted(folder.path.rglob("*"))}


@pytest.fixture(scope="module")
def after_a_held_row(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    """After a first run, in which row 3 of contacts was held for its attendance code."""
    folder = DataFolder(tmp_path_factory.mktemp("held") / "data")
    for dataset in ("participants", "referrals"):
        folder.send(dataset, valid_rows(dataset, 1, 2, 3))
    folder.send(
        "contacts", [valid_row("contacts", 1), valid_row("contacts", 2, attended="9"), valid_row("contacts", 3)]
    )
    folder.run("2016-12-02T03:30")
    assert folder.count("core.contacts") == 2
    return folder


@pytest.fixture
def prepared(after_a_held_row: DataFolder, tmp_path: Path) -> DataFolder:
    """A copy of `after_a_held_row` for one test."""
    return after_a_held_row.copied_to(tmp_path / "held")


def add_code(project: Path) -> None:
    """Add a code to the list of contact types."""
    with (project / "schemas" / "core" / "codes" / "contact_type.csv").open("a", encoding="utf-8") as codes:
        codes.write("chat,Chat by text,,,,made up for a test\n")


@pytest.mark.soak
def test_an_extended_code_list_releases_rows_and_the_page_says_so(folder: DataFolder, project: Path) -> None:
    folder.send_all(1, 2, 3)
    chats = [valid_row("contacts", n, contact_type="chat") for n in (2, 3)]
    folder.send("contacts", [valid_row("contacts", 1), *chats, valid_row("contacts", 4)])  # 4 has no referral
    folder.run("2016-12-02")
    folder.send("contacts", valid_rows("contacts", 1, 2, 3), period="201612")  # new: `revalidate` must leave it
    add_code(project)

    arguments = ("--no-prefect", "--data", str(folder.path), "--date", "2016-12-05")
    before = digests_of(folder)
    planned = pilots("retry", "--dry-run", *arguments, project=project)
    assert planned.returncode == 0, planned.stderr
    count, of_site = planned.stdout.splitlines()
    assert count.startswith("1 file would be re-validated: ") and of_site == f"{BPL}: 1 file (1 of contacts)"
    [only] = json.loads(pilots("retry", "--dry-run", "--json", *arguments, project=project).stdout)
    assert only.startswith(f"{BPL}_contacts_201611_v1_")
    assert digests_of(folder) == before, "a dry run wrote something"

    ran = pilots("retry", *arguments, project=project)
    assert ran.returncode == 0, ran.stderr
    released, where = ran.stdout.splitlines()
    assert released == f"{BPL} contacts November 2016 v1: 2 rows released, 1 still held"
    assert folder.query("select count(*) filter (contact_type = 'chat'), count(*) from core.contacts") == [(2, 3)]
    assert list(folder.standings("contacts")) == ["201611 v1"], "revalidate received a new file"
    sentence = (
        "2 rows that were held back on 2 December 2016 are now in the figures: the list for Contact type was extended."
    )
    assert sentence in page(folder)
    summary = Path(where.removeprefix("Summary: ")).read_text(encoding="utf-8")
    assert f"- {BPL} contacts November 2016 v1: {sentence}" in summary

    again = pilots("retry", *arguments, project=project)
    assert again.stdout.splitlines()[0] == "Nothing was out of date." and sentence in page(folder)
    assert pilots("retry", "--dry-run", *arguments, project=project).stdout == "Nothing is out of date.\n"


@pytest.mark.soak
def test_a_correction_revalidates_its_file_alone_and_its_removal_is_reported(prepared: DataFolder) -> None:
    raw = (prepared.paths.raw / BPL / f"{BPL}_contacts_201611_v1.csv").read_bytes()
    write_corrections(prepared, {})
    corrected = prepared.run("2016-12-04")
    assert [j.delivery.dataset for j in corrected.validated] == ["contacts"], "another file was re-validated"
    assert prepared.query("select attended from core.contacts where source_row = 3") == [("5",)]
    corrections = "select source_row, column_name, found, suggestion from audit.findings where rule_id = 'X01'"
    assert prepared.query(corrections) == [(3, "attended", "9", "5")]
    released = (
        "1 row that was held back on 2 December 2016 is now in the figures: 1 agreed correction was made."
        " There is nothing to do about it."
    )
    assert released in page(prepared) and released in corrected.reported.summary
    assert "was corrected, as agreed with you" in page(prepared)
    assert (prepared.paths.raw / BPL / f"{BPL}_contacts_201611_v1.csv").read_bytes() == raw
    assert prepared.run("2016-12-05").result == "quiet"

    write_corrections(prepared)  # remove the line
    later = prepared.run("2016-12-06")
    assert prepared.count("core.contacts") == 2 and prepared.query(corrections) == []
    held = "1 row that was accepted on 4 December 2016 is now held back: see check V02."
    assert held in page(prepared) and held in later.reported.summary
    assert released not in page(prepared)


def test_listing_what_is_due_records_nothing(folder: DataFolder) -> None:
    """Not even its copy of the ledger. Results that an interrupted run stored but did not record are reusable."""
    folder.send("contacts", valid_rows("contacts", 1))
    folder.run("2016-12-02")
    with active_run.read_only_run(Settings.of(folder.path), None, REVALIDATE) as run:
        [contacts] = [(i, key) for i, key in run.ledger.result_keys().items() if "contacts" in i]
        run.record_result_keys({contacts[0]: "the one before"})
        before = run.ledger.result_keys()
        due = run.worklist(run.received_before)
        assert due == ([], dict([contacts])) and run.ledger.result_keys() == before
        run.record_result_keys(due.reusable_keys)
        assert run.worklist(run.received_before) == ([], {})


@pytest.mark.soak
def test_a_correction_expires_after_its_last_day(prepared: DataFolder) -> None:
    write_corrections(prepared, {"until": "2016-12-05"})
    assert prepared.run("2016-12-05").result == "published" and prepared.count("core.contacts") == 3
    expired = prepared.run("2016-12-06")
    assert prepared.count("core.contacts") == 2
    assert "`corrections.csv`, line 2: it was agreed until 5 December 2016" in expired.reported.summary
    assert "`corrections.csv`, line 2" in prepared.run("2016-12-07").reported.summary, "a no-op run forgets it"


@pytest.mark.soak
def test_a_correction_that_no_longer_fits_is_reported_and_not_applied(prepared: DataFolder) -> None:
    write_corrections(prepared, {})
    prepared.run("2016-12-04")
    fixed = [valid_row("contacts", n, attended="6" if n == 2 else "5") for n in (1, 2, 3)]
    prepared.send("contacts", fixed)  # same name, other bytes
    result = prepared.run("2016-12-05")
    assert prepared.query("select attended from core.contacts where source_row = 3") == [("6",)]
    assert prepared.query("select source_row, found from audit.findings where rule_id = 'X02'") == [(3, "6")]
    assert "`corrections.csv`, line 2: it does not fit row 3 of" in result.reported.summary
    assert "An agreed correction no longer fits" in page(prepared)
    prepared.send("contacts", valid_rows("contacts", 1, 2, 3), period="201612")
    assert "line 2: a later file counts now" in prepared.run("2016-12-06").reported.summary


def test_an_invalid_correction_is_listed_and_stops_nothing(prepared: DataFolder) -> None:
    write_corrections(prepared, {"site_code": "MHT-XXX"}, {}, {"file": f"{BPL}_contacts_201608_v1.csv"})
    result = prepared.run("2016-12-04")
    assert prepared.count("core.contacts") == 3 and not result.must_be_fixed
    assert "line 2: there is no site of this site_code" in result.reported.summary
    assert "line 4: no file of this name was received" in result.reported.summary


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda sent: sent.replace(b"becomes", b"becoms", 1), "the heading becomes is missing (cell 8"),
        *in_soak(
            (lambda sent: None, "it is gone or empty, and the published figures rest on it"),
            (lambda sent: b"\n", "it is gone or empty, and the published figures rest on it"),
            (lambda sent: sent.replace(b"wrote", "wróte".encode("cp1252"), 1), "it is not text in UTF-8"),
        ),
    ],
    ids=["heading", "gone", "empty", "another encoding"],
)
def test_unusable_corrections_end_every_run_before_anything_is_built(
    prepared: DataFolder, tmp_path: Path, damage: Callable[[bytes], bytes | None], message: str
) -> None:
    write_corrections(prepared, {})
    prepared.run("2016-12-04")
    good = prepared.paths.corrections.read_bytes()
    damaged, before = damage(good), prepared.builds()
    prepared.paths.corrections.unlink()
    if damaged is not None:
        prepared.paths.corrections.write_bytes(damaged)
    prepared.send("contacts", valid_rows("contacts", 1, 2, 3), period="201612")
    data = ("--data", str(prepared.path))
    for command in (
        ("run", "--no-prefect", "--date", "2017-01-05"), ("retry", "--no-prefect", "--date", "2017-01-05"),
        ("retry", "--dry-run"), ("as-of", "2016-12-05", "--to", str(tmp_path / "then.duckdb")),
    ):  # fmt: skip
        ran = pilots_in_process(*command, *data)
        assert (ran.returncode, message in ran.stderr) == (3, True), f"{command}: {ran.stdout}{ran.stderr}"
    assert not (tmp_path / "then.duckdb").exists()
    assert prepared.builds() == before and prepared.count("core.contacts") == 3
    newest = max((prepared.path / "reports" / "nights").glob("*.md"), key=lambda path: path.stat().st_mtime_ns)
    assert newest.read_text(encoding="utf-8").startswith("Not published: `corrections.csv` cannot be used")

    prepared.paths.corrections.write_bytes(good.splitlines(keepends=True)[0])  # takes every correction back
    assert prepared.run("2017-01-06").result == "published"
    prepared.paths.corrections.unlink()
    prepared.run("2017-01-07")  # no figure rests on the file any more


@pytest.mark.soak
def test_rows_whose_referral_arrives_later_are_released(folder: DataFolder) -> None:
    for dataset in ("participants", "referrals"):
        folder.send(dataset, valid_rows(dataset, 1, 2))
    folder.send("contacts", valid_rows("contacts", 1, 2, 3))
    folder.run("2016-12-02")
    assert folder.count("core.contacts") == 2
    folder.send("participants", valid_rows("participants", 1, 2, 3), version=2)
    folder.send("referrals", valid_rows("referrals", 1, 2, 3), version=2)
    result = folder.run("2016-12-05")
    sentence = "1 row that was held back on 2 December 2016 is now in the figures: the referrals they refer to came in."
    assert sentence in page(folder) and f"{BPL} contacts November 2016 v1: {sentence}" in result.reported.summary


def test_revalidate_is_limited_to_the_named_site_and_dataset(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for dataset in ("participants", "contacts"):
        folder.send(dataset, valid_rows(dataset, 1, 2, 3))
    folder.run("2016-12-02")
    original = validate_delivery.result_key
    for module in (validate_delivery, active_run):
        monkeypatch.setattr(module, "result_key", lambda *args: f"new{original(*args)}"[:32])
    settings = Settings.of(folder.path)
    part = run_pipeline(settings, scope=Scope(new_files=False, site=BPL, dataset="contacts"))
    assert [j.delivery.dataset for j in part.validated] == ["contacts"]
    rest = run_pipeline(settings, scope=REVALIDATE)
    assert sorted(j.delivery.dataset for j in rest.validated) == ["participants"]
    assert folder.count("core.contacts") == 3


@pytest.mark.soak
def test_a_file_refused_by_a_changed_rule_is_reported(folder: DataFolder, project: Path) -> None:
    folder.send("contacts", valid_rows("contacts", *range(1, 31)))
    arguments = ("--no-prefect", "--data", str(folder.path))
    pilots("run", *arguments, "--date", "2016-12-02", project=project)
    codes = project / "schemas" / "core" / "codes" / "contact_type.csv"
    listed = codes.read_text(encoding="utf-8")
    codes.write_text("\n".join(x for x in listed.splitlines() if not x.startswith("first,")) + "\n", encoding="utf-8")
    stricter = pilots("retry", *arguments, "--date", "2016-12-04", project=project)
    assert stricter.returncode == 1
    assert "30 rows that were accepted on 2 December 2016 are now held back: the file is refused now." in page(folder)
    codes.write_text(listed, encoding="utf-8")
    fixed = pilots("retry", *arguments, "--date", "2016-12-06", project=project)
    assert fixed.returncode == 0
    assert fixed.stdout.startswith(f"{BPL} contacts November 2016 v1: 30 rows released, 0 still held")
    assert "30 rows that were held back on 4 December 2016 are now in the figures" in page(folder)


def test_an_unknown_site_is_a_usage_error(folder: DataFolder) -> None:
    ran = pilots("retry", "--no-prefect", "--data", str(folder.path), "--site", "MHT-XXX")
    assert ran.returncode == 2 and "There is no site MHT-XXX" in ran.stderr


def test_a_dry_run_before_any_run_writes_nothing(folder: DataFolder) -> None:
    folder.send("contacts", valid_rows("contacts", 1))
    before = digests_of(folder)
    assert pilots("retry", "--dry-run", "--data", str(folder.path)).stdout == "Nothing is out of date.\n"
    assert digests_of(folder) == before


def test_a_dry_run_lists_the_corrections_to_fix(prepared: DataFolder) -> None:
    write_corrections(prepared, {}, {"dataset": "contakts"})
    ran = pilots_in_process("retry", "--dry-run", "--data", str(prepared.path), "--date", "2016-12-04")
    assert ran.returncode == 1 and ran.stdout.startswith("1 file would be re-validated: ")
    assert ran.stderr.startswith("To fix: `corrections.csv`, line 3: ")


REVALIDATE_UNTIL = """
import importlib, os, sys
from datetime import datetime
from pathlib import Path
from flows import nightly
from flows.orchestration.run import Scope
from flows.settings import Settings
module, _, name = sys.argv[2].rpartition(".")
setattr(importlib.import_module(module), name, lambda *_, **__: os._exit(9))
settings = Settings(data=Path(sys.argv[1]), threads=1)
nightly.run_pipeline(settings, datetime(2016, 12, 4), Scope(new_files=False))
"""
KILLED_IN = {
    "before a build is made": "flows.store.build_fingerprint.build_fingerprint",
    "before the build is promoted": "flows.orchestration.stages.promote_stage",
    "before any page is written": "flows.orchestration.stages.report_stage",
    "after the pages, before the summary": "flows.reporting.run_report.write_summary",
    "after the summary, before it is recorded": "flows.reporting.run_report.sections_of",
    "when all is recorded": "flows.nightly.RunResult",
}


@pytest.mark.with_marts
@pytest.mark.soak
def test_a_killed_revalidate_is_completed_by_the_next_run(prepared: DataFolder, tmp_path: Path) -> None:
    """Cut off at any step, the next run leaves what an uninterrupted `revalidate` would, pages included."""
    write_corrections(prepared, {})
    sentence = "1 row that was held back on 2 December 2016 is now in the figures"
    complete = prepared.copied_to(tmp_path / "whole")
    run_pipeline(Settings(data=complete.path, threads=1), datetime(2016, 12, 4), REVALIDATE)
    content = warehouse_content(complete.paths.current_link.resolve())
    for when, function in KILLED_IN.items():
        killed = prepared.copied_to(tmp_path / when)
        arguments = [sys.executable, "-c", REVALIDATE_UNTIL, str(killed.path), function]
        ran = subprocess.run(arguments, cwd=PROJECT, env=clean_environment())
        assert ran.returncode == 9, f"killed {when}: it went on to its end"
        killed.run("2016-12-04")
        assert warehouse_content(killed.paths.current_link.resolve()) == content, f"killed {when}"
        assert sentence in page(killed), f"killed {when}: the page does not say so"
        summaries = [p.read_text(encoding="utf-8") for p in killed.paths.reports.glob("nights/*.md")]
        assert any(sentence in summary for summary in summaries), f"killed {when}: no summary says it"
        assert killed.run("2016-12-04").result == "quiet"
