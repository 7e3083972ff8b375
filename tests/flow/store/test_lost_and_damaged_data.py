"""A lost or damaged ledger, build or raw folder stops the run with a message, and is never taken for a fresh start."""

from __future__ import annotations

import os
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import clean_environment, pilots_command, pilots_in_process
from data_folder import BPL, PROJECT, DataFolder, valid_rows
from soak import in_soak

from flows import nightly
from flows.orchestration.stage import Stage
from flows.reporting import run_report
from flows.reporting.result import write_summary
from flows.store import raw_files
from flows.store.ledger.runs import LedgerUnusable, Runs, wrapped_ledger_errors
from flows.store.lock import writer_lock
from flows.store.paths import DataPaths, NoDataFolder

NOTHING_NEW = "there was nothing new to check"


@pytest.fixture(scope="module")
def after_a_run(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    """A data folder with a build."""
    folder = DataFolder(tmp_path_factory.mktemp("built") / "data")
    for dataset in ("participants", "referrals", "contacts"):
        folder.send(dataset, valid_rows(dataset, 1, 2))
    folder.run("2016-12-02T03:30")
    return folder


@pytest.fixture
def built(after_a_run: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataFolder:
    """A copy of `after_a_run`, whose next run is a no-op that opens no store."""
    monkeypatch.setattr(raw_files, "STABLE_AFTER_NS", 0)
    folder = after_a_run.copied_to(tmp_path / "built")
    assert folder.run("2016-12-03T03:30").result == "quiet"
    return folder


def first_lines(folder: DataFolder) -> list[str]:
    """First line of each run summary, oldest first."""
    pages = sorted((folder.paths.reports / "nights").glob("*.md"), key=lambda p: p.stat().st_mtime_ns)
    return [p.read_text(encoding="utf-8").splitlines()[0] for p in pages]


def status(folder: DataFolder, code: int = 0) -> list[str]:
    """Output lines of `pilots status`."""
    ran = pilots_in_process("status", "--data", str(folder.path))
    assert ran.returncode == code, ran.stderr
    return ran.stdout.splitlines()


def run_fails(folder: DataFolder, code: int) -> str:
    """Stderr of a `pilots run` that ends with `code` and no output."""
    ran = pilots_in_process("run", "--no-prefect", "--data", str(folder.path))
    assert (ran.returncode, ran.stdout) == (code, "")
    return ran.stderr


def overwrite(path: Path, at: int = 0) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(b"x" * 21)


def remove(ledger: Path) -> None:
    for part in ledger.parent.glob("ledger.sqlite*"):
        part.unlink()


def replace_by_empty(ledger: Path) -> None:
    """Replace the ledger by an empty one."""
    remove(ledger)
    Runs(ledger).close()


LOSSES: dict[str, tuple[Callable[[Path], None], str]] = {
    "removed": (remove, "is lost or was emptied"),
    "emptied": (lambda ledger: ledger.write_bytes(b""), "is lost or was emptied"),
    "another one": (replace_by_empty, "is lost or was emptied"),
    "no database": (overwrite, "is damaged"),
}


@pytest.mark.parametrize("loss", ["removed", *in_soak("no database", "emptied", "another one")])
def test_a_lost_or_damaged_ledger_stops_the_run(built: DataFolder, loss: str) -> None:
    damage, message = LOSSES[loss]
    builds, received = built.builds(), built.query("select max(received_at) from audit.deliveries")
    damage(built.paths.ledger)
    for _ in range(2):  # the second run must not take what the first one leaves for a ledger
        stderr = run_fails(built, 3)
        assert message in stderr and f"put {built.paths.ledger.parent} back from a backup" in stderr
        assert f"to begin anew, move {built.paths.warehouse} away" in stderr
    assert built.builds() == builds and built.query("select max(received_at) from audit.deliveries") == received
    last = first_lines(built)[-1]
    assert last.startswith(f"Not published: the ledger {built.paths.ledger} {message}")
    assert last.endswith("the figures of the last good night stand.")
    first, published, *_ = status(built)
    assert first.startswith("The last run is not known: the ledger") and message in first
    assert published.startswith(f"Published: {builds[0]}")
    for command in (("retry", "--dry-run"), ("as-of", "2016-12-31", "--to", str(built.path / "then.duckdb"))):
        assert pilots_in_process(*command, "--data", str(built.path)).returncode == 3
    built.paths.warehouse.rename(built.path / "away")
    assert built.run().verdict == "Published: 3 files checked.", "starting anew takes a deliberate step"


@pytest.mark.soak
def test_a_ledger_found_damaged_halfway_is_reported_as_damaged(built: DataFolder) -> None:
    overwrite(built.paths.ledger, 4096)  # its first page stays valid
    (built.paths.raw / BPL / f"{BPL}_contacts_201611_v1.csv").touch()
    assert "is damaged: put" in run_fails(built, 3)
    first, published, *_ = status(built)
    assert first.startswith("The run of ") and " failed: see " in first and published.startswith("Published: ")


INTERRUPTED_RUN = """
import os, sys
from pathlib import Path
from flows.store import build_fingerprint
from flows import nightly
from flows.settings import Settings
build_fingerprint.build_fingerprint = lambda *_: os._exit(9)
nightly.run_pipeline(Settings(data=Path(sys.argv[1]), threads=1))
"""


def run_interrupted(folder: DataFolder) -> None:
    """Run until just before the build and exit at once, as if killed: nothing is closed or recorded."""
    env = clean_environment()
    assert (
        subprocess.run([sys.executable, "-c", INTERRUPTED_RUN, str(folder.path)], cwd=PROJECT, env=env).returncode == 9
    )


@pytest.mark.soak
def test_an_interrupted_run_is_reported_by_status_and_the_next_summary(folder: DataFolder) -> None:
    folder.send("contacts", valid_rows("contacts", 1))
    run_interrupted(folder)
    assert any(folder.paths.results.glob("*/*")) and not folder.builds()
    first, published = status(folder)
    assert first.startswith("The run of ") and first.endswith(" was cut off: it never ended.")
    assert published.startswith("Nothing is published yet")
    run_interrupted(folder)
    finished = folder.run()
    assert finished.verdict == "Published: 1 file checked.", (
        "results stored before the first build do not mean a lost ledger"
    )
    paragraph = finished.reported.summary.split("\n\n")[2]
    assert paragraph.startswith("The run before this one, of ") and "was cut off: it never ended." in paragraph
    assert paragraph.endswith("Nor did the run before that end well.")
    assert status(folder)[0].endswith(f" ended well with new figures: see {finished.reported.summary_path}.")
    no_op = folder.run()
    assert no_op.result == "quiet" and "The run before" not in no_op.reported.summary
    assert "ended well, nothing had changed: see " in status(folder)[0]


@pytest.mark.soak
def test_a_no_op_run_reports_an_interrupted_run(built: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(nightly, "reissue_summary", interrupt)
        built.run("2016-12-04T03:30")
    monkeypatch.setattr(nightly, "run_stages", interrupt)
    no_op = built.run("2016-12-05T03:30")
    assert "was cut off: it never ended." in no_op.reported.summary
    assert "was cut off" not in built.run("2016-12-06T03:30").reported.summary


@pytest.mark.soak
def test_status_reports_a_failed_or_active_run(built: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch, pytest.raises(ZeroDivisionError):
        patch.setattr(nightly, "reissue_summary", lambda _: 1 / 0)
        built.run("2016-12-04T03:30")
    first = status(built)[0]
    assert " failed: see " in first and Path(first.rpartition("see ")[2].rstrip(".")).is_file()
    assert "The run before this one, of " in built.run("2016-12-05T03:30").reported.summary
    with sqlite3.connect(built.paths.ledger) as db:
        db.execute("update runs set ended_at = null, result = null where rowid = (select max(rowid) from runs)")
    db.close()
    with writer_lock(built.paths.lock):
        assert status(built)[0].endswith(" is at work.")
    before = built.files_under("warehouse")
    assert status(built)[0].endswith(" was cut off: it never ended.")
    assert built.files_under("warehouse") == before, "a read-only command writes nothing"


def move_raw_folder_away(paths: DataPaths) -> None:
    paths.raw.rename(paths.data / "away")


def leave_empty_raw_folder(paths: DataPaths) -> None:
    move_raw_folder_away(paths)
    (paths.raw / BPL).mkdir(parents=True)
    (paths.raw / ".keep").touch()


@pytest.mark.parametrize("remove_raw_files", [move_raw_folder_away, *in_soak(leave_empty_raw_folder)])
def test_a_missing_raw_folder_stops_the_run(built: DataFolder, remove_raw_files: Callable[[DataPaths], None]) -> None:
    remove_raw_files(built.paths)
    is_empty_folder = built.paths.raw.exists()
    stderr = run_fails(built, 3)
    assert f"under {built.paths.raw}" in stderr if is_empty_folder else f"no folder {built.paths.raw}" in stderr
    assert "is its disk there?" in stderr and built.paths.raw.exists() is is_empty_folder
    assert first_lines(built)[-1].startswith("Not published: there is no f")
    first, published, *_ = status(built)
    assert " failed: see " in first and published.startswith("Published: ")
    with pytest.raises(NoDataFolder):
        built.run("2016-12-05T03:30")
    if is_empty_folder:
        (built.paths.raw / ".keep").unlink()
        (built.paths.raw / BPL).rmdir()
        built.paths.raw.rmdir()
    (built.path / "away").rename(built.paths.raw)
    restored = built.run("2016-12-06T03:30")
    assert NOTHING_NEW in restored.verdict and "The run before this one, of " in restored.reported.summary


@pytest.mark.parametrize("former", ["validation results", "judgements"])
def test_stored_results_in_a_folder_of_an_earlier_name_are_moved_and_used(built: DataFolder, former: str) -> None:
    """Without the raw files they are the only source of the figures."""
    stored = sorted(built.paths.results.glob("*/*"))
    built.paths.results.rename(built.paths.results.with_name(former))
    for path in built.paths.raw.glob("*/*contacts*"):
        path.unlink()
    run = built.run("2016-12-04T03:30")
    assert run.result in ("quiet", "published") and built.ledger_runs()[-1]["deliveries_judged"] == 0
    assert sorted(built.paths.results.glob("*/*")) == stored
    assert not built.paths.results.with_name(former).exists()


def test_an_empty_raw_folder_that_never_had_a_file_is_valid(folder: DataFolder) -> None:
    assert [folder.run().result for _ in range(2)] == ["published", "quiet"]


@pytest.mark.soak
def test_the_verdict_counts_missing_raw_files(built: DataFolder) -> None:
    for dataset in ("contacts", "referrals"):
        (built.paths.raw / BPL / f"{BPL}_{dataset}_201611_v1.csv").unlink()
    for day in (4, 5):
        assert built.run(f"2016-12-0{day}").verdict.endswith(f"{NOTHING_NEW}; 2 files gone from data/raw.")
    built.send("contacts", valid_rows("contacts", 1), version=2)
    assert built.run("2016-12-06").verdict == "Published: 1 file checked, 1 file gone from data/raw."


def cut_short(build: Path) -> None:
    os.truncate(build, build.stat().st_size // 2)


@pytest.mark.with_marts  # without marts the file is so small that the cut would leave it readable
@pytest.mark.parametrize("damage", [overwrite, *in_soak(cut_short)])
def test_a_damaged_current_build_is_rebuilt(
    built: DataFolder, damage: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = built.query("from core.contacts order by all")
    damage(built.paths.current_link.resolve())
    ran = pilots_in_process("sql", "from core.contacts", "--data", str(built.path))
    assert (ran.returncode, ran.stdout) == (3, "") and "is damaged: `pilots run` makes it anew" in ran.stderr
    first, published = status(built, code=3)
    assert "ended well" in first and published == ran.stderr.strip()
    with monkeypatch.context() as patch, pytest.raises(ZeroDivisionError):
        patch.setattr(nightly, "run_stages", lambda _: 1 / 0)
        built.run("2016-12-04T03:30")
    assert first_lines(built)[-1].endswith("; the published figures cannot be opened until a night ends well.")
    rebuilt = built.run("2016-12-05T03:30")
    assert rebuilt.result == "published" and rebuilt.verdict == "Published: 0 files checked."
    assert "- The published warehouse could not be opened: its file was damaged" in rebuilt.reported.summary
    assert built.query("from core.contacts order by all") == rows
    no_op = built.run("2016-12-06T03:30")
    assert no_op.result == "quiet" and "damaged" not in no_op.reported.summary


@pytest.mark.soak
def test_a_build_without_read_permission_is_not_called_damaged(
    built: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    overwrite(built.paths.current_link.resolve())
    monkeypatch.setattr(Path, "open", forbidden)
    assert "Permission denied" in pilots_in_process("sql", "select 1", "--data", str(built.path)).stderr


def test_the_summary_of_a_failed_first_run_says_that_nothing_is_published(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nightly, "run_stages", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        folder.run()
    assert first_lines(folder)[-1].endswith("; no figures are published yet.")


@pytest.mark.soak
def test_a_full_disk_under_the_ledger_is_reported_as_such(built: DataFolder) -> None:
    """A file size limit of one page stands for the full disk: lock and summary fit, SQLite finds no room."""
    ran = subprocess.run(
        pilots_command("run", "--no-prefect", "--data", str(built.path)), cwd=PROJECT, capture_output=True, text=True,
        env=clean_environment(PYTHONDONTWRITEBYTECODE="1"),  # truncated bytecode would break later tests
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)),
    )  # fmt: skip
    assert ran.returncode == 3 and ran.stdout == ""
    no_log, message = ran.stderr.splitlines()
    assert no_log.startswith("No log is written") and message.startswith(f"the disk of {built.paths.ledger} is full")
    assert first_lines(built)[-1].startswith("Not published: the disk of ")


def test_a_ledger_that_a_stage_finds_damaged_is_reported_as_damaged(tmp_path: Path) -> None:
    """A stage reports another library's error by its type alone, so that no message with values gets out."""
    (tmp_path / "no.sqlite").write_bytes(b"x" * 100)

    def reads() -> None:
        sqlite3.connect(tmp_path / "no.sqlite").execute("select 1 from runs")

    from flows.orchestration.engine import run_attempt  # here, because each test process would import Prefect

    stage = Stage(reads, "receive")
    with pytest.raises(LedgerUnusable, match="is damaged"), wrapped_ledger_errors(DataPaths(tmp_path)):
        run_attempt(stage, (), {})


def test_a_summary_that_cannot_be_written_leaves_no_file(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, text: str, **_: object) -> None:
        path.touch()
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space"):
        patch.setattr(Path, "write_text", full)
        write_summary(folder.paths, "run", "Published.\n")
    assert not folder.paths.summary("run").exists()
    assert write_summary(folder.paths, "run", "Published.\n").read_text(encoding="utf-8") == "Published.\n"
    assert [p.name for p in folder.paths.summary("run").parent.iterdir()] == ["run.md"]


def test_a_failed_run_removes_its_unfinished_build_before_its_summary(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    unfinished = folder.paths.builds / ".a.building"

    def full(_: object) -> None:
        unfinished.write_bytes(b"x")
        raise OSError(28, "No space left on device")

    def report_failure(*_: object, **__: object) -> None:
        assert not unfinished.exists()

    monkeypatch.setattr(nightly, "run_stages", full)
    monkeypatch.setattr(run_report, "report_failure", report_failure)
    with pytest.raises(OSError, match="No space"):
        folder.run()
    assert not unfinished.exists()
