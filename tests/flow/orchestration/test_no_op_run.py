"""A run with unchanged inputs is skipped and reports what a full run would; any change makes a full run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest
from commands import clean_environment, copy_project
from data_folder import BPL, PROJECT, DataFolder, valid_row, valid_rows, write_corrections

from flows import nightly
from flows.nightly import RunResult, run_pipeline
from flows.orchestration import input_fingerprint
from flows.orchestration.run import Run, Scope
from flows.runtime import code_fingerprint
from flows.settings import Settings
from flows.steps import validate_delivery
from flows.store import build_fingerprint, raw_files
from flows.store.ledger import Ledger

# the first correction lapses after 5 December; the returns of December are due on 9 January at 5pm
MOMENTS = ("2016-12-04", "2016-12-05", "2016-12-06", "2017-01-09T16:59", "2017-01-09T17:00")
HEAVY = {"polars", "duckdb", "pandera", "prefect", "pyarrow", "jinja2", "pydantic", "pandas", "numpy", "typer"}


@pytest.fixture(autouse=True)
def settled_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let files written a moment ago count as settled, so that their fingerprints can be relied on."""
    monkeypatch.setattr(raw_files, "STABLE_AFTER_NS", 0)


@pytest.fixture
def full_runs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the runs that were full runs."""
    run_ids: list[str] = []
    run_stages = nightly.run_stages

    def recording(run: Run) -> RunResult:
        run_ids.append(run.id)
        return run_stages(run)

    monkeypatch.setattr(nightly, "run_stages", recording)
    return run_ids


def send_eventful_returns(folder: DataFolder) -> None:
    """Send everything that a no-op run repeats in its summary: held rows, refused and stray files, corrections."""
    folder.send_all(1, 2, 3)
    folder.send(
        "contacts", [valid_row("contacts", 1), valid_row("contacts", 2, attended="9"), valid_row("contacts", 3)]
    )
    folder.run("2016-12-02")
    refused = valid_rows("employment_outcomes", 1, 2)
    for row in refused:
        del row["job_start_date"]
    folder.send("employment_outcomes", refused, period="201612")
    folder.send("referrals", valid_rows("referrals", 1, 2, 3), version=2, manifest={"rows": 3})
    (folder.paths.raw / "comments.csv").write_text("x", encoding="utf-8")
    write_corrections(folder, {"until": "2016-12-05"}, {"file": f"{BPL}_contacts_201608_v1.csv"})
    folder.run("2016-12-03")


def summary_text(outcome: RunResult) -> str:
    """A run's summary without the line with its run id."""
    assert outcome.reported.summary_path is not None
    text = outcome.reported.summary_path.read_text(encoding="utf-8")
    assert text == outcome.reported.summary
    return "\n".join(line for line in text.splitlines() if not line.startswith(f"Run {outcome.run_id}"))


def state_of(folder: DataFolder) -> dict[str, object]:
    """Bytes of every file in the data folder except summaries, and the rows of the ledger's tables except `runs`."""
    with closing(Ledger(folder.paths.ledger)) as ledger:
        names = (
            "files",
            "deliveries",
            "validation_results",
            "report_digests",
            "report_snapshots",
            "held_rows",
        )
        tables = {t: sorted(ledger._db.execute(f"select * from {t}").fetchall()) for t in names}
    skipped = ("reports/nights/", "warehouse/store/ledger.sqlite")
    files = {p for p in folder.files_under("raw", "reports", "warehouse") if not p.startswith(skipped)}
    return {**tables, **{p: (folder.path / p).read_bytes() for p in files}}


def delete_cached_summary(folder: DataFolder) -> None:
    """Delete the cached summary, so that the next run is a full one."""
    with closing(Ledger(folder.paths.ledger)) as ledger:
        ledger.store_cached_summary(None)


def test_a_no_op_run_leaves_what_a_full_run_leaves(folder: DataFolder, full_runs: list[str]) -> None:
    send_eventful_returns(folder)
    summaries = {}
    for moment in MOMENTS:
        run = folder.run(moment)  # a full run where the date changes something
        summaries[moment] = (summary_text(run), run.run_id in full_runs)
        skipped = folder.run(moment)
        after = state_of(folder)
        delete_cached_summary(folder)
        full = folder.run(moment)
        assert skipped.run_id not in full_runs and full.run_id in full_runs, moment
        assert (skipped.result, skipped.warehouse) == (full.result, full.warehouse) == ("quiet", skipped.warehouse)
        assert summary_text(skipped) == summary_text(full) and state_of(folder) == after, moment
        assert skipped.must_be_fixed == full.must_be_fixed and skipped.deliveries() == full.deliveries() == []
        runs = {r["run_id"]: r for r in folder.ledger_runs()}
        columns = ("as_of", "result", "files_received", "deliveries_judged", "code_version")
        assert [runs[skipped.run_id][n] for n in columns] == [runs[full.run_id][n] for n in columns]
    # the returns of November fell due between 6 December and 9 January
    assert [moment for moment, (_, long) in summaries.items() if long] == [
        "2016-12-06",
        "2017-01-09T16:59",
        MOMENTS[-1],
    ]
    assert "`comments.csv` was not taken in (F21)" in summaries["2016-12-04"][0]
    assert "## Whose figures are old" in summaries["2016-12-04"][0]
    assert "line 2: it was agreed until" not in summaries["2016-12-05"][0]
    assert "line 2: it was agreed until 5 December 2016" in summaries["2016-12-06"][0]
    assert "December 2016, due by" not in summaries["2017-01-09T16:59"][0]
    assert "December 2016, due by" in summaries["2017-01-09T17:00"][0]


def contacts_file(folder: DataFolder) -> Path:
    return folder.paths.raw / BPL / f"{BPL}_contacts_201611_v1.csv"


def rewrite_with_same_stat(folder: DataFolder) -> None:
    """Write other bytes of the same length and restore the modification time."""
    path = contacts_file(folder)
    before = path.stat()
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(",45,", ",54,"), encoding="utf-8")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = path.stat()
    assert (after.st_size, after.st_mtime_ns, after.st_ino) == (before.st_size, before.st_mtime_ns, before.st_ino)


def delete_validation_result(folder: DataFolder) -> None:
    """Delete the stored result of a file that still exists (without the file, the run would stop)."""
    key = folder.query("select judgement_key from audit.deliveries where dataset = 'participants'")[0][0]
    shutil.rmtree(folder.paths.result(key))


CHANGES: dict[str, Callable[[DataFolder], object]] = {
    "a new file": lambda f: f.send("contacts", valid_rows("contacts", 1), period="201612"),
    "a file touched": lambda f: os.utime(contacts_file(f)),
    "other bytes that look the same": rewrite_with_same_stat,
    "a manifest": lambda f: contacts_file(f).with_suffix(".manifest.json").write_text('{"rows": 2}'),
    "a stray folder": lambda f: (f.paths.raw / BPL / "November").mkdir(),
    "a site's folder": lambda f: (f.paths.raw / "MHT-GM").mkdir() or (f.paths.raw / "MHT-GM" / "x").touch(),
    "a correction": lambda f: write_corrections(f, {}),
    "a build gone": lambda f: f.paths.current_link.resolve().unlink(),
    "no build pointed to": lambda f: f.paths.current_link.unlink(),
    "a validation result gone": delete_validation_result,
    "a file gone": lambda f: contacts_file(f).unlink(),
}


@pytest.mark.soak
def test_any_changed_input_makes_a_full_run(folder: DataFolder, full_runs: list[str]) -> None:
    """One change after another to the same folder: only the run after a change is a full one."""
    for dataset in ("participants", "contacts"):
        folder.send(dataset, valid_rows(dataset, 1, 2))
    folder.run("2016-12-02")
    assert folder.run("2016-12-02").run_id not in full_runs
    for change, make in CHANGES.items():
        make(folder)
        assert folder.run("2016-12-02").run_id in full_runs, change
        assert folder.run("2016-12-02").run_id not in full_runs, f"{change}: the run after a full one is skipped"


def test_changed_code_or_an_earlier_date_makes_a_full_run(
    folder: DataFolder, full_runs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.send("contacts", valid_rows("contacts", 1))
    folder.run("2016-12-02")
    delete_cached_summary(folder)
    folder.run("2016-12-08")
    assert folder.run("2016-12-03").run_id in full_runs, "a summary of the 8th may not hold for the 3rd"
    assert folder.run("2016-12-08").run_id not in full_runs
    monkeypatch.setattr(input_fingerprint, "all_that_runs", lambda: "other")
    assert folder.run("2016-12-08").run_id in full_runs


def test_the_code_fingerprint_covers_every_project_file_and_every_library(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    project = copy_project(tmp_path / "project")
    monkeypatch.setattr(code_fingerprint, "ROOT", project)
    digest = code_fingerprint.all_that_runs.__wrapped__
    seen = {digest()}
    for name in ("schemas/core/codes/contact_type.csv", "schemas/core/site_headings.csv",
                 "schemas/core/contacts.py",
                 "schemas/core/return_calendar.csv", "schemas/outcomes/kpi.sql", "flows/steps/validate/rows.py",
                 "flows/reporting/render/templates/report.css"):  # fmt: skip
        with (project / name).open("a", encoding="utf-8") as file:
            file.write("\n")
        seen.add(digest())
    (project / "flows" / "new.py").touch()
    seen.add(digest())
    (tmp_path / "libraries" / "polars-99.0.dist-info").mkdir(parents=True)
    monkeypatch.syspath_prepend(tmp_path / "libraries")
    seen.add(digest())
    assert len(seen) == 10
    (project / "flows" / "__pycache__").mkdir(exist_ok=True)
    (project / "flows" / "__pycache__" / "new.pyc").touch()
    assert digest() in seen


def test_a_recently_written_file_makes_a_full_run(
    folder: DataFolder, full_runs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.send("contacts", valid_rows("contacts", 1))
    folder.run()
    monkeypatch.setattr(raw_files, "STABLE_AFTER_NS", 10**15)
    for _ in range(2):
        assert folder.run().run_id in full_runs


def test_a_file_is_settled_as_of_when_it_was_fingerprinted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that was young when it was fingerprinted may have changed since with the same size and time."""
    monkeypatch.setattr(raw_files, "STABLE_AFTER_NS", 200_000_000)
    path = tmp_path / "young.csv"
    path.touch()
    seen = raw_files.FileStat.of(path)
    time.sleep(0.3)  # as long as a slow network share may take to list the other files
    assert not seen.is_stable
    assert raw_files.FileStat.of(path).is_stable and raw_files.FileStat.of(path) == seen


@pytest.mark.soak
def test_an_unreadable_or_failed_file_is_tried_again_in_the_next_run(
    folder: DataFolder, full_runs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.send("contacts", valid_rows("contacts", 1))
    (folder.paths.raw / BPL / f"{BPL}_contacts_201612_v1.csv").symlink_to("gone.csv")
    for _ in range(2):
        assert folder.run().run_id in full_runs, "a file that cannot be read may be readable the next night"
    (folder.paths.raw / BPL / f"{BPL}_contacts_201612_v1.csv").unlink()
    folder.send("contacts", valid_rows("contacts", 1, 2))
    with monkeypatch.context() as patch:
        patch.setattr(validate_delivery, "validate_file", lambda *_: 1 / 0)
        assert folder.run().not_validated
    run = folder.run()
    assert run.run_id in full_runs and [j.delivery.dataset for j in run.validated] == ["contacts"]


def test_the_run_after_an_interrupted_one_is_a_full_run(
    folder: DataFolder, full_runs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.send("contacts", valid_rows("contacts", 1))
    folder.run("2016-12-02")
    new = folder.send("contacts", valid_rows("contacts", 1), period="201612")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(build_fingerprint, "build_fingerprint", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        folder.run("2016-12-03")
    new.unlink()  # the folder is as it was before that run
    assert folder.run("2016-12-04").run_id in full_runs


def test_revalidate_and_the_run_after_it_are_full_runs(folder: DataFolder, full_runs: list[str]) -> None:
    folder.send("contacts", valid_rows("contacts", 1))
    folder.run("2016-12-02")
    run_pipeline(Settings(data=folder.path), datetime(2016, 12, 3), Scope(new_files=False, site=BPL))
    assert len(full_runs) == 2
    assert folder.run("2016-12-04").run_id in full_runs
    assert folder.run("2016-12-05").run_id not in full_runs


NO_OP_RUN = """
import sys
from pathlib import Path
from flows.store import raw_files
raw_files.STABLE_AFTER_NS = 0
from flows.settings import Settings
from flows.nightly import run_pipeline
assert run_pipeline(Settings.of(Path(sys.argv[1]))).result == "quiet"
print(*sys.modules)
"""


def test_a_no_op_run_imports_no_heavy_library(folder: DataFolder) -> None:
    folder.send("contacts", valid_rows("contacts", 1))
    folder.run()
    ran = subprocess.run(
        [sys.executable, "-c", NO_OP_RUN, str(folder.path)], cwd=PROJECT, env=clean_environment(), capture_output=True,
        text=True,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert {name.split(".")[0] for name in ran.stdout.split()} & HEAVY == set()
