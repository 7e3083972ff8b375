"""kill -9 at any moment: the next night ends with what an undisturbed one would have, and no reader notices.

Some nights (twenty in `make soak`) are killed at moments spread over the time that an undisturbed one takes, each in
its own copy of the same data folder. A process is started ahead, with everything imported, so that each moment lies
within the night.
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

KILLS = iterations(everyday=4, soak=20)
READY = """
import sys
from flows import nightly
from flows.commands import run
print("ready", flush=True)
sys.stdin.readline()
from flows.cli import main
main()
"""


class RunSummary:
    """`pilots run --no-prefect` in a process that waits for its start."""

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
        """Wait for its end. Gives its exit code (-9 if it was killed) and what it said on stderr."""
        _, said = self.process.communicate(timeout=60)
        return self.process.returncode, said


def reports_of(folder: DataFolder) -> set[str]:
    """The files that senders get."""
    return {p for p in folder.files_under("reports") if "/nights/" not in p}


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    """A data folder with one build, and a month's new files that no night has seen."""
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
def test_a_night_killed_at_any_moment_leaves_nothing_half_done(before: DataFolder, tmp_path: Path) -> None:
    def copied(name: str) -> DataFolder:
        shutil.copytree(before.path, tmp_path / name, symlinks=True)
        return DataFolder(tmp_path / name)

    undisturbed = copied("undisturbed")
    night = RunSummary(undisturbed.path)
    night.go()
    started = time.monotonic()
    assert night.end()[0] == 0
    whole = time.monotonic() - started
    content, reports = warehouse_content(undisturbed.paths.current_link.resolve()), reports_of(undisturbed)
    assert undisturbed.standings("contacts")["201612 v1"] == ("accepted_with_held_rows", "current")

    chance = random.Random(20161209)
    moments = [whole * (n + chance.random()) / KILLS for n in range(KILLS)]
    folders = [copied(f"killed-{n}") for n in range(KILLS)]
    killed = 0
    waiting = RunSummary(folders[0].path)
    for n, (folder, moment) in enumerate(zip(folders, moments, strict=True)):
        night, waiting = waiting, RunSummary(folders[n + 1].path) if n + 1 < KILLS else waiting
        where = f"killed after {moment:.2f} of {whole:.2f} s"
        with closing(duckdb.connect(str(folder.paths.current_link), read_only=True)) as reader:
            old = reader.execute("from core.contacts order by all").fetchall()
            night.go()
            time.sleep(moment)
            night.process.kill()
            code, said = night.end()
            assert code in (-9, 0), f"{where}: it ended by itself with {code}: {said}"
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
