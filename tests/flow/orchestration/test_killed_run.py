"""After `kill -9` at any moment, the next run ends with what an uninterrupted one would have, and no reader notices.

Three runs (twenty in `make soak`) are killed at moments spread over the time that an uninterrupted one takes, each in
its own copy of the same data folder. Processes are started ahead and import everything first, so that each moment
lies within the run itself.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import duckdb
import pytest
from commands import clean_environment
from data_folder import PROJECT, DataFolder, valid_row, valid_rows, warehouse_content
from soak import iterations

pytestmark = pytest.mark.with_marts

KILLS = iterations(everyday=2, soak=20)
READY = """
import sys
from flows import nightly
from flows.commands import run
print("ready", flush=True)
sys.stdin.readline()
from flows.cli import main
main()
"""


class PausedRun:
    """`pilots run --no-prefect` in a process that has imported everything and waits for `go`."""

    def __init__(self, data: Path) -> None:
        arguments = ["run", "--no-prefect", "--date", "2017-01-03T03:30", "--data", str(data)]
        self.process = subprocess.Popen(
            [sys.executable, "-c", READY, *arguments],
            cwd=PROJECT, env=clean_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip

    def go(self) -> None:
        assert self.process.stdin and self.process.stdout
        assert self.process.stdout.readline() == "ready\n"
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def end(self) -> tuple[int, str]:
        """Wait for its end; return its exit code (-9 if it was killed) and its stderr."""
        _, stderr = self.process.communicate(timeout=60)
        return self.process.returncode, stderr


def reports_of(folder: DataFolder) -> set[str]:
    """The report files for senders, without the run summaries."""
    return {p for p in folder.files_under("reports") if "/nights/" not in p}


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    """A data folder with one build, and a month of new files that no run has seen."""
    folder = DataFolder(tmp_path_factory.mktemp("killed") / "data")
    folder.send_all(1, 2, 3)
    folder.send_office_files("funding_awards", "targets")
    folder.run("2016-12-02T03:30")
    folder.send_all(1, 2, 3, 4, 5, period="201612")
    held = [*valid_rows("contacts", 1, 2, 3, 4), valid_row("contacts", 5, attended="9"), valid_row("contacts", 6)]
    folder.send("contacts", held, period="201612")
    folder.paths.lock.unlink()
    return folder


@pytest.mark.soak
def test_the_run_after_a_killed_one_leaves_the_same_warehouse_and_reports(before: DataFolder, tmp_path: Path) -> None:
    def copied(name: str) -> DataFolder:
        shutil.copytree(before.path, tmp_path / name, symlinks=True)
        return DataFolder(tmp_path / name)

    uninterrupted = copied("undisturbed")
    run = PausedRun(uninterrupted.path)
    run.go()
    started = time.monotonic()
    assert run.end()[0] == 0
    duration = time.monotonic() - started
    content, reports = warehouse_content(uninterrupted.paths.current_link.resolve()), reports_of(uninterrupted)
    assert uninterrupted.standings("contacts")["201612 v1"] == ("accepted_with_held_rows", "current")

    rng = random.Random(20161209)
    moments = [duration * (n + rng.random()) / KILLS for n in range(KILLS)]
    folders = [copied(f"killed-{n}") for n in range(KILLS)]
    killed = 0
    next_run = PausedRun(folders[0].path)
    for n, (folder, moment) in enumerate(zip(folders, moments, strict=True)):
        run, next_run = next_run, PausedRun(folders[n + 1].path) if n + 1 < KILLS else next_run
        where = f"killed after {moment:.2f} of {duration:.2f} s"
        with closing(duckdb.connect(str(folder.paths.current_link), read_only=True)) as reader:
            old = reader.execute("from core.contacts order by all").fetchall()
            run.go()
            time.sleep(moment)
            run.process.kill()
            code, stderr = run.end()
            assert code in (-9, 0), f"{where}: it ended by itself with {code}: {stderr}"
            killed += code == -9
            assert reader.execute("from core.contacts order by all").fetchall() == old, where
            assert folder.count("core.contacts") in (3, 4), f"{where}: readers see neither the old figures nor the new"
            folder.run("2017-01-03T03:30")
            assert reader.execute("from core.contacts order by all").fetchall() == old, where
        assert warehouse_content(folder.paths.current_link.resolve()) == content, where
        assert reports_of(folder) == reports, where
        assert list(folder.paths.unfinished.iterdir()) == [], where
        assert list(folder.paths.builds.glob(".*")) == [], where
        assert folder.run("2017-01-03T03:30").result == "quiet", where
    assert killed >= KILLS * 7 // 10, f"only {killed} of {KILLS} nights were still at work when they were killed"
