"""What a run relies on is lost, damaged or away: nothing is taken for a new world, and somebody is told."""

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
from flows.orchestration.engine import run_attempt
from flows.orchestration.stage import Stage
from flows.reporting import run_report
from flows.reporting.result import write_summary
from flows.store import raw_files
from flows.store.ledger.runs import LedgerUnusable, Runs, wrapped_ledger_errors
from flows.store.lock import writer_lock
from flows.store.paths import DataPaths, NoDataFolder

pytestmark = pytest.mark.without_marts

NOTHING_NEW = "there was nothing new to check"


@pytest.fixture
def known(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> DataFolder:
    """A data folder with a build, whose next night is quiet and opens nothing."""
    monkeypatch.setattr(raw_files, "SETTLED_NS", 0)
    folder.send_all(1, 2)
    folder.run("2016-12-02T03:30")
    assert folder.run("2016-12-03T03:30").result == "quiet"
    return folder


def summaries(folder: DataFolder) -> list[str]:
    """The first line of each night's summary, oldest first."""
    pages = sorted((folder.paths.reports / "nights").glob("*.md"), key=lambda p: p.stat().st_mtime_ns)
    return [p.read_text(encoding="utf-8").splitlines()[0] for p in pages]


def status(folder: DataFolder, code: int = 0) -> list[str]:
    """What `pilots status` says, line by line."""
    told = pilots_in_process("status", "--data", str(folder.path))
    assert told.returncode == code, told.stderr
    return told.stdout.splitlines()


def begins(folder: DataFolder, code: int) -> str:
    """What `pilots run` says on stderr."""
    told = pilots_in_process("run", "--no-prefect", "--data", str(folder.path))
    assert (told.returncode, told.stdout) == (code, "")
    return told.stderr


def overwrite(path: Path, at: int = 0) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(b"x" * 21)


def remove(ledger: Path) -> None:
    for part in ledger.parent.glob("ledger.sqlite*"):
        part.unlink()


def begin_anew(ledger: Path) -> None:
    """A ledger that knows of nothing, in the place of the one that is gone."""
    remove(ledger)
    Runs(ledger).close()


LOSSES: dict[str, tuple[Callable[[Path], None], str]] = {
    "removed": (remove, "is lost or was emptied"),
    "emptied": (lambda ledger: ledger.write_bytes(b""), "is lost or was emptied"),
    "another one": (begin_anew, "is lost or was emptied"),
    "no database": (overwrite, "is damaged"),
}


@pytest.mark.parametrize("loss", ["removed", *in_soak("no database", "emptied", "another one")])
def test_a_ledger_that_is_not_the_one_of_then_is_no_new_world(known: DataFolder, loss: str) -> None:
    lose, told = LOSSES[loss]
    builds, received = known.builds(), known.query("select max(received_at) from audit.deliveries")
    lose(known.paths.ledger)
    for _ in range(2):  # what the first run leaves must not be taken for a ledger by the second
        said = begins(known, 3)
        assert told in said and f"put {known.paths.ledger.parent} back from a backup" in said
        assert f"to begin anew, move {known.paths.warehouse} away" in said
    assert known.builds() == builds and known.query("select max(received_at) from audit.deliveries") == received
    last = summaries(known)[-1]
    assert last.startswith(f"Not published: the ledger {known.paths.ledger} {told}")
    assert last.endswith("the figures of the last good night stand.")
    first, published, *_ = status(known)
    assert first.startswith("The last run is not known: the ledger") and told in first
    assert published.startswith(f"Published: {builds[0]}")
    for looks in (("retry", "--dry-run"), ("as-of", "2016-12-31", "--to", str(known.path / "then.duckdb"))):
        assert pilots_in_process(*looks, "--data", str(known.path)).returncode == 3
    known.paths.warehouse.rename(known.path / "away")
    assert known.run().verdict == "Published: 4 files checked.", "to begin anew is possible, and has to be meant"


@pytest.mark.soak
def test_a_ledger_that_turns_out_to_be_damaged_halfway_is_told_as_that(known: DataFolder) -> None:
    overwrite(known.paths.ledger, 4096)  # its first page is sound
    (known.paths.raw / BPL / f"{BPL}_contacts_201611_v1.csv").touch()
    assert "is damaged: put" in begins(known, 3)
    first, published, *_ = status(known)
    assert first.startswith("The run of ") and " failed: see " in first and published.startswith("Published: ")


CUT_OFF = """
import os, sys
from pathlib import Path
from flows.store import build_identity
from flows import nightly
from flows.settings import Settings
build_identity.build_fingerprint = lambda *_: os._exit(9)
nightly.nightly_run(Settings(data=Path(sys.argv[1]), threads=1))
"""


def cut_off(folder: DataFolder) -> None:
    """A run that ends before its build as if it were killed: nothing is closed, nothing noted."""
    env = clean_environment()
    assert subprocess.run([sys.executable, "-c", CUT_OFF, str(folder.path)], cwd=PROJECT, env=env).returncode == 9


@pytest.mark.soak
def test_a_run_that_was_cut_off_is_told_by_status_and_by_the_next_summary_alone(folder: DataFolder) -> None:
    folder.send_all(1)
    cut_off(folder)
    assert any(folder.paths.judgements.glob("*/*")) and not folder.builds()
    first, published = status(folder)
    assert first.startswith("The run of ") and first.endswith(" was cut off: it never ended.")
    assert published.startswith("Nothing is published yet")
    cut_off(folder)
    good = folder.run()
    assert good.verdict == "Published: 4 files checked.", "what was validated before the first build is no lost ledger"
    third = good.reported.summary.split("\n\n")[2]
    assert third.startswith("The run before this one, of ") and "was cut off: it never ended." in third
    assert third.endswith("Nor did the run before that end well.")
    assert status(folder)[0].endswith(f" ended well with new figures: see {good.reported.path}.")
    quiet = folder.run()
    assert quiet.result == "quiet" and "The run before" not in quiet.reported.summary
    assert "ended well, nothing had changed: see " in status(folder)[0]


@pytest.mark.soak
def test_a_quiet_night_that_opens_nothing_tells_it_too(known: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(nightly, "reissue_summary", stopped)
        known.run("2016-12-04T03:30")
    monkeypatch.setattr(nightly, "full_run", stopped)
    nightly_run = known.run("2016-12-05T03:30")
    assert "was cut off: it never ended." in nightly_run.reported.summary
    assert "was cut off" not in known.run("2016-12-06T03:30").reported.summary


@pytest.mark.soak
def test_status_says_that_a_run_failed_or_is_at_work(known: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch, pytest.raises(ZeroDivisionError):
        patch.setattr(nightly, "reissue_summary", lambda _: 1 / 0)
        known.run("2016-12-04T03:30")
    first = status(known)[0]
    assert " failed: see " in first and Path(first.rpartition("see ")[2].rstrip(".")).is_file()
    assert "The run before this one, of " in known.run("2016-12-05T03:30").reported.summary
    with sqlite3.connect(known.paths.ledger) as db:
        db.execute("update runs set ended_at = null, result = null where rowid = (select max(rowid) from runs)")
    db.close()
    with writer_lock(known.paths.lock):
        assert status(known)[0].endswith(" is at work.")
    before = known.files_under("warehouse")
    assert status(known)[0].endswith(" was cut off: it never ended.")
    assert known.files_under("warehouse") == before, "who looks leaves nothing"


def no_raw_folder(places: DataPaths) -> None:
    places.raw.rename(places.data / "away")


def an_empty_raw_folder(places: DataPaths) -> None:
    no_raw_folder(places)
    (places.raw / BPL).mkdir(parents=True)
    (places.raw / ".keep").touch()


@pytest.mark.parametrize("away", [no_raw_folder, *in_soak(an_empty_raw_folder)])
def test_a_raw_disk_that_is_away_is_no_quiet_night(known: DataFolder, away: Callable[[DataPaths], None]) -> None:
    away(known.paths)
    there = known.paths.raw.exists()
    said = begins(known, 3)
    assert f"under {known.paths.raw}" in said if there else f"no folder {known.paths.raw}" in said
    assert "is its disk there?" in said and known.paths.raw.exists() is there
    assert summaries(known)[-1].startswith("Not published: there is no f")
    first, published, *_ = status(known)
    assert " failed: see " in first and published.startswith("Published: ")
    with pytest.raises(NoDataFolder):
        known.run("2016-12-05T03:30")
    if there:
        (known.paths.raw / ".keep").unlink()
        (known.paths.raw / BPL).rmdir()
        known.paths.raw.rmdir()
    (known.path / "away").rename(known.paths.raw)
    back = known.run("2016-12-06T03:30")
    assert NOTHING_NEW in back.verdict and "The run before this one, of " in back.reported.summary


def test_an_empty_raw_folder_that_never_had_a_file_is_a_good_one(folder: DataFolder) -> None:
    assert [folder.run().result for _ in range(2)] == ["published", "quiet"]


@pytest.mark.soak
def test_the_verdict_counts_raw_files_that_are_gone(known: DataFolder) -> None:
    for dataset in ("contacts", "referrals"):
        (known.paths.raw / BPL / f"{BPL}_{dataset}_201611_v1.csv").unlink()
    for day in (4, 5):
        assert known.run(f"2016-12-0{day}").verdict.endswith(f"{NOTHING_NEW}; 2 files gone from data/raw.")
    known.send("contacts", valid_rows("contacts", 1), version=2)
    assert known.run("2016-12-06").verdict == "Published: 1 file checked, 1 file gone from data/raw."


def cut_short(build: Path) -> None:
    os.truncate(build, build.stat().st_size // 2)


@pytest.mark.with_marts  # a smaller file would still be whole where it is cut
@pytest.mark.parametrize("damage", [overwrite, *in_soak(cut_short)])
def test_a_published_build_that_cannot_be_opened_is_made_anew(
    known: DataFolder, damage: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = known.query("from core.contacts order by all")
    damage(known.paths.current_link.resolve())
    asked = pilots_in_process("sql", "from core.contacts", "--data", str(known.path))
    assert (asked.returncode, asked.stdout) == (3, "") and "is damaged: `pilots run` makes it anew" in asked.stderr
    first, published = status(known, code=3)
    assert "ended well" in first and published == asked.stderr.strip()
    with monkeypatch.context() as patch, pytest.raises(ZeroDivisionError):
        patch.setattr(nightly, "full_run", lambda _: 1 / 0)
        known.run("2016-12-04T03:30")
    assert summaries(known)[-1].endswith("; the published figures cannot be opened until a night ends well.")
    nightly_run = known.run("2016-12-05T03:30")
    assert nightly_run.result == "published" and nightly_run.verdict == "Published: 0 files checked."
    assert "- The published warehouse could not be opened: its file was damaged" in nightly_run.reported.summary
    assert known.query("from core.contacts order by all") == rows
    quiet = known.run("2016-12-06T03:30")
    assert quiet.result == "quiet" and "damaged" not in quiet.reported.summary


@pytest.mark.soak
def test_a_build_that_may_not_be_read_is_not_called_damaged(known: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    overwrite(known.paths.current_link.resolve())
    monkeypatch.setattr(Path, "open", forbidden)
    assert "Permission denied" in pilots_in_process("sql", "select 1", "--data", str(known.path)).stderr


def test_a_night_that_fails_before_any_was_published_says_so(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nightly, "full_run", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        folder.run()
    assert summaries(folder)[-1].endswith("; no figures are published yet.")


@pytest.mark.soak
def test_a_full_disk_under_the_ledger_is_told_as_that(known: DataFolder) -> None:
    """No file may grow beyond a page here: the lock and the summary fit, and SQLite finds no room."""
    told = subprocess.run(
        pilots_command("run", "--no-prefect", "--data", str(known.path)), cwd=PROJECT, capture_output=True, text=True,
        env=clean_environment(PYTHONDONTWRITEBYTECODE="1"),  # bytecode would be cut short too, for all that run later
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)),
    )  # fmt: skip
    assert told.returncode == 3 and told.stdout == ""
    no_log, why = told.stderr.splitlines()
    assert no_log.startswith("No log is written") and why.startswith(f"the disk of {known.paths.ledger} is full")
    assert summaries(known)[-1].startswith("Not published: the disk of ")


def test_a_ledger_that_a_stage_finds_damaged_is_told_as_that(tmp_path: Path) -> None:
    """A stage of a flow tells another library's error by its kind alone."""
    (tmp_path / "no.sqlite").write_bytes(b"x" * 100)

    def reads() -> None:
        sqlite3.connect(tmp_path / "no.sqlite").execute("select 1 from runs")

    stage = Stage(reads, "receive")
    with pytest.raises(LedgerUnusable, match="is damaged"), wrapped_ledger_errors(DataPaths(tmp_path)):
        run_attempt(stage, (), {})


def test_a_summary_that_does_not_fit_leaves_no_page(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, text: str, **_: object) -> None:
        path.touch()
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space"):
        patch.setattr(Path, "write_text", full)
        write_summary(folder.paths, "run", "Published.\n")
    assert not folder.paths.summary("run").exists()
    assert write_summary(folder.paths, "run", "Published.\n").read_text(encoding="utf-8") == "Published.\n"
    assert [p.name for p in folder.paths.summary("run").parent.iterdir()] == ["run.md"]


def test_a_night_that_fails_makes_room_for_its_summary(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    left = folder.paths.builds / ".a.building"

    def full(_: object) -> None:
        left.write_bytes(b"x")
        raise OSError(28, "No space left on device")

    def told(*_: object, **__: object) -> None:
        assert not left.exists()

    monkeypatch.setattr(nightly, "full_run", full)
    monkeypatch.setattr(run_report, "report_failure", told)
    with pytest.raises(OSError, match="No space"):
        folder.run()
    assert not left.exists()
